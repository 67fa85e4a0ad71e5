"""Processes of one data directory, found by its path in their arguments or working directory."""

import json
import os
import pathlib
import signal

from waiting import wait_until


def _marked(pid, marker):
    try:
        arguments = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        directory = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return None
    if state == "Z":
        return None
    words = [word.decode(errors="replace") for word in arguments if word]
    if any(word.endswith(marker) or f"{marker}/" in word for word in [directory, *words]):
        return words
    return None


def of_data_dir(data):
    """{pid: argv} of every living process that belongs to the data directory."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            words = _marked(int(entry), str(data))
            if words is not None:
                found[int(entry)] = words
    return found


def directors(data):
    return [pid for pid, argv in of_data_dir(data).items() if argv[1:2] == ["director"]]


def is_zygote(argv):
    """Snapshots and their launchers are."""
    return any(word.endswith("/zygote.py") for word in argv[1:2]) or "zygote of Vend" in " ".join(argv[2:3])


def zygotes(data):
    return [pid for pid, argv in of_data_dir(data).items() if is_zygote(argv)]


def models(data):
    """Model servers and their workers."""
    return [
        pid
        for pid, argv in of_data_dir(data).items()
        if argv and "python" in os.path.basename(argv[0]) and not is_zygote(argv)
    ]


def outside(folder, inner):
    """The process of an instance, named by its folder, that knows itself by this number: in a sandbox it
    is another one here."""

    def names_itself(pid):
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return False
        return any(line.split()[-1] == str(inner) for line in status.splitlines() if line.startswith("NSpid:"))

    (found,) = filter(names_itself, _of_instance(folder))
    return found


def _of_instance(folder):
    """By the mark that each process of a model has."""
    mark = f"VEND_INSTANCE_DIR={folder}".encode()
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            marks = pathlib.Path(f"/proc/{entry}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if mark in marks:
            found.append(int(entry))
    return found


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def remove_groups(data):
    """Control groups of instances and zygotes whose server was killed, and the director as well: nobody
    else removes them."""
    found = [(spec.parent.name, _read_json(spec).get("cgroups", {})) for spec in data.glob("instances/*/spec.json")]
    found += [(record.stem, _read_json(record)) for record in data.glob("zygotes/*.groups")]
    for name, bases in found:
        for folder in {f"{base['path']}/vend-{name}" for base in bases.values()}:
            wait_until(lambda at=folder: _is_removed(at), what=f"{folder} to be empty")


def _read_json(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}


def _is_removed(folder):
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def memory_mib(pid):
    """The most memory that the process has held so far."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0


def listening_ports(pid):
    """TCP ports that the process listens on; where it has a network of its own, all there."""
    is_alone = os.stat(f"/proc/{pid}/ns/net") != os.stat("/proc/self/ns/net")
    try:
        links = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")]
    except OSError:
        return set()
    sockets = {link[8:-1] for link in links if link.startswith("socket:[")}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and (is_alone or words[9] in sockets):
                found.add(int(words[1].rpartition(":")[2], 16))
    return found

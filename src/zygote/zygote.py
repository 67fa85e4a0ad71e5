"""A parked process that has imported what a model imports, and forks for launchers.

zygote.py SOCKET IMPORTS UNFIT: makes the imports that the file IMPORTS lists, except those that
UNFIT lists, then listens on SOCKET. Descriptor 3 leads to the one who started it: it gets a line
with how things stand, and this process ends with it."""

import sys

# Before the imports below: what each Python has loaded before it runs anything.
BARE = frozenset(name.partition(".")[0] for name in sys.modules)

import fcntl  # noqa: E402
import gc  # noqa: E402
import importlib  # noqa: E402
import os  # noqa: E402
import select  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import struct  # noqa: E402

import child  # noqa: E402
import run  # noqa: E402

LINK = 3
SPACE = "VEND_ZYGOTE_SPACE"
BACKLOG = 64
MAX_CHILDREN = 1000


class Zygote:
    """What children have to know of it."""

    def __init__(self):
        self.space = os.fsencode(f"{SPACE}={os.environ.pop(SPACE, '')}")
        self.bare = BARE
        self.before = dict(os.environ)
        self.environment = child.import_environment(self.before)
        self.changed = {}

    def note_changes(self):
        now = dict(os.environ)
        names = self.before.keys() | now.keys()
        self.changed = {n: now.get(n) for n in names if now.get(n) != self.before.get(n)}


def tell(*words):
    os.write(LINK, (" ".join(words) + "\n").encode(errors="replace"))


# ---- Imports


def count_threads():
    return len(os.listdir("/proc/self/task"))


def list_open():
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            pass
    return found


def fork_and_forget():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def find_fault(opened):
    """Why a fork of this process would not be what a fresh start is, or None."""
    if count_threads() > 1:
        # Some libraries stop theirs before a fork, and start them again when they are needed.
        fork_and_forget()
        if count_threads() > 1:
            return "starts a thread"
    for name, target in list_open().items():
        if opened.get(name) != target and not target.startswith("/proc/"):
            return f"keeps {target} open"
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return "initialises CUDA"
    return None


def is_below(name, parents):
    while name:
        if name in parents:
            return True
        name = name.rpartition(".")[0]
    return False


def read_lines(path):
    try:
        with open(path, encoding="utf-8") as file:
            return [line.rstrip("\n") for line in file]
    except FileNotFoundError:
        return []


def make_imports(names, unfit):
    opened = list_open()
    for name in names:
        if name in sys.modules or is_below(name, unfit):
            continue
        try:
            importlib.import_module(name)
        except BaseException:
            # One that is not installed: the model's own, or tried for and done without.
            pass
        fault = find_fault(opened)
        if fault:
            return name, fault
    return None


# ---- Launchers


class Server:
    def __init__(self, path):
        folder, name = os.path.split(path)
        folder_fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Any folder makes a short address that way.
        address = f"/proc/self/fd/{folder_fd}/{name}"
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        self.socket.bind(address)
        os.close(folder_fd)
        self.socket.listen(BACKLOG)
        self.children = {}  # descriptor of the process -> number, connection
        self.launchers = {}  # descriptor of the connection -> number
        self.polled = select.poll()
        self.polled.register(LINK, select.POLLIN)
        self.polled.register(self.socket, select.POLLIN)

    def wait(self):
        """Returns in a child only: its connection and the launcher's number."""
        while True:
            for fd, _ in self.polled.poll():
                if fd == LINK:
                    os._exit(0)
                if fd in self.children:
                    self.reap(fd)
                elif fd in self.launchers:
                    self.polled.unregister(fd)
                    os.kill(self.launchers.pop(fd), signal.SIGKILL)
                elif fd == self.socket.fileno():
                    forked = self.take_launcher()
                    if forked is not None:
                        return forked

    def reap(self, pidfd):
        pid, connection = self.children.pop(pidfd)
        _, status = os.waitpid(pid, 0)
        self.polled.unregister(pidfd)
        os.close(pidfd)
        if self.launchers.pop(connection.fileno(), None) is not None:
            self.polled.unregister(connection)
        try:
            connection.send(struct.pack("@i", status), socket.MSG_DONTWAIT)
        except OSError:
            pass
        connection.close()

    def take_launcher(self):
        connection, _ = self.socket.accept()
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        launcher, user, _ = struct.unpack("@3i", credentials)
        if user != os.geteuid() or len(self.children) >= MAX_CHILDREN:
            connection.close()
            return None
        try:
            pid = os.fork()
        except OSError as error:
            connection.send(f"no cannot fork: {error.strerror}".encode(), socket.MSG_DONTWAIT)
            connection.close()
            return None
        if pid == 0:
            for other in self.children.values():
                other[1].detach()
            self.socket.detach()
            return connection, launcher
        pidfd = os.pidfd_open(pid)
        self.children[pidfd] = pid, connection
        self.launchers[connection.fileno()] = pid
        self.polled.register(pidfd, select.POLLIN)
        self.polled.register(connection, 0)
        return None


def park(path, imports, unfit_path):
    """Returns in a child only: what it is to run."""
    zygote = Zygote()
    fault = make_imports(read_lines(imports), {line.split("\t")[0] for line in read_lines(unfit_path)})
    if fault is not None:
        with open(unfit_path, "a", encoding="utf-8") as file:
            file.write("\t".join(fault) + "\n")
        tell("unfit", *fault)
        os._exit(0)
    zygote.note_changes()
    gc.collect()
    gc.freeze()
    server = Server(path)
    tell("ready")
    launcher = child.become(*server.wait(), zygote)
    return run.prepare(launcher.arguments)


def main():
    path, imports, unfit = sys.argv[1:4]
    fcntl.fcntl(LINK, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    # It is as if this file were not there.
    del sys.path[0], sys.modules["child"], sys.modules["run"]
    run.call(park(path, imports, unfit))


main()

"""Imports that a zygote makes have limits of their own: what they take too much of ends the zygote."""

import json
import os
import pathlib
import signal

import processes
import pytest
from fast_starts import await_zygote, start_of, stop_instances
from waiting import wait_until

FLAGS = ("--max-instances", "1", "--idle-timeout", "600s")
# More than the budget, less than would hurt the machine. It says when nobody has stopped it.
HUNGRY = """
held = [bytes([1]) * (1 << 20) for _ in range(500)]
open({mark!r}, "w").close()
"""


def need_groups(api):
    (kind,) = api.debug()["hardware"]
    missing = [k for k in ("memory", "processes") if not str(kind["kept_by"][k]).startswith("cgroup")]
    if missing:
        pytest.skip(f"no control groups here for: {', '.join(missing)}")


def groups(server):
    """Folders of control groups by zygote, from what the server wrote down."""
    return {
        record.stem: {
            kind: pathlib.Path(base["path"]) / f"vend-{record.stem}"
            for kind, base in json.loads(record.read_text()).items()
        }
        for record in (server.data / "zygotes").glob("*.groups")
    }


def use(api):
    stop_instances(api, "echo")
    assert api.run("echo", {"text": "a"})["output"] == "a"
    return start_of(api, "echo")


def add_import(server, name, source):
    """A package of the model's environment that its imports are said to have."""
    (folder,) = {p.resolve() for p in server.data.glob("venvs/*/lib/python3*/site-packages")}
    (folder / f"{name}.py").write_text(source)
    (learned,) = (server.data / "versions").glob("*/imports")
    learned.write_text(learned.read_text() + f"{name}\n")


def members(folder):
    return [int(line) for line in (folder / "cgroup.procs").read_text().split()]


def test_imports_that_take_all_memory(servers, tmp_path):
    server = servers(*FLAGS, "--zygote-memory", "150M")
    api = server.api()
    need_groups(api)
    mark = tmp_path / "nobody-stopped-it"
    use(api)
    first = await_zygote(api, model="echo")
    (folders,) = groups(server).values()
    limit = {1: "memory.limit_in_bytes", 2: "memory.max"}
    assert any((folders["memory"] / f).exists() for f in limit.values())
    told = [f.read_text() for f in map(folders["memory"].joinpath, limit.values()) if f.exists()]
    assert [int(text) for text in told] == [150 << 20]
    assert (folders["pids"] / "pids.max").read_text().strip() == "4096"
    # What is forked from it is in the groups of its instance.
    assert use(api) == ("fast", None)
    assert [members(folder) for folder in folders.values()] == [[first["pid"]]] * len(folders)

    add_import(server, "hungry", HUNGRY.format(mark=str(mark)))
    assert use(api) == ("plain", "its zygote is still being made")

    def given_up():
        return next((z for z in api.debug()["zygotes"] if z["state"] == "gone"), None)

    gone = wait_until(given_up, what="the hungry zygote to go")
    assert gone["why"] == "its zygote takes more memory than zygote-memory" and not mark.exists()
    assert use(api) == ("plain", gone["why"])
    # The other one stays, with its groups; of this one nothing is left.
    assert list(groups(server).values()) == [folders]
    assert processes.zygotes(server.data) == [first["pid"]]
    assert server.stop() == 0
    assert groups(server) == {} and not any(folder.exists() for folder in folders.values())


def test_groups_of_a_server_that_was_killed(servers):
    # A room would end with its server, and the zygote with it.
    server = servers(*FLAGS, "--isolation", "off")
    api = server.api()
    need_groups(api)
    use(api)
    zygote = await_zygote(api, model="echo")
    (folders,) = groups(server).values()
    # Alive and deaf, as in an import that hangs: it does not notice that its server has gone.
    os.kill(zygote["pid"], signal.SIGSTOP)
    server.kill()
    assert all(members(folder) == [zygote["pid"]] for folder in folders.values())
    server.start()
    assert groups(server) == {} and not any(folder.exists() for folder in folders.values())
    wait_until(lambda: not processes.zygotes(server.data), what="the old zygote to go")

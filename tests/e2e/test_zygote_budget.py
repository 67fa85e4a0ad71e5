"""Zygotes share a budget of memory, and any of them may die at any time: models start all the same."""

import json
import os
import pathlib

import processes
from fast_starts import await_zygote, start_of, stop_instances
from waiting import wait_until

FLAGS = ("--max-instances", "1", "--idle-timeout", "600s")
NO_ROOM = "no memory is left for its zygote"
# The fork that finds the file takes its zygote and itself away, once it has been asked for.
DIE_IN_THE_FORK = """
become_as_ever = become


def become(connection, pid, told, zygote):
    try:
        os.unlink({mark!r})
    except FileNotFoundError:
        return become_as_ever(connection, pid, told, zygote)
    connection.send(b"hello")
    connection.recv(1, socket.MSG_PEEK)
    os.kill(os.getppid(), 9)
    os.kill(os.getpid(), 9)
"""


def use(api, model):
    """One run on an instance of its own; how that started."""
    stop_instances(api, model)
    ended = api.run(model, {"text": "as ever"} if model == "echo" else {})
    assert ended["status"] == "succeeded", ended
    right = ended["output"] == "as ever" if model == "echo" else '"cwd"' in ended["output"]
    assert right, ended["output"]
    return start_of(api, model), ended


def zygotes(api):
    """By the model that asked first."""
    return {z["model"].removeprefix("lab/"): z for z in api.debug()["zygotes"]}


def await_rest(api):
    def look():
        settled = all(z["state"] in ("ready", "gone") for z in zygotes(api).values())
        return settled and not any(i["learning"] for i in api.debug()["instances"])

    wait_until(look, what="all zygotes to be made or gone")
    return zygotes(api)


def use_until_it_has_one(api, model):
    """The more it is used, the more its zygote is worth. It is one that has not started fast yet: until
    then what that spares is a share of its plain starts, and chance has little to say."""
    for _ in range(20):
        start, _ = use(api, model)
        if await_rest(api)[model]["state"] == "ready":
            return
        assert start[0] == "plain"
    raise AssertionError(f"no zygote of {model}: {zygotes(api)}")


def descriptors(pid):
    """Unix sockets and doors of control groups."""
    rows = pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]
    sockets = {f"socket:[{row.split()[6]}]" for row in rows}
    held = []
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            held.append(os.readlink(entry.path))
        except FileNotFoundError:
            pass
    return sum(link in sockets or "cgroup.procs" in link for link in held)


def what_is_there(server):
    """Of zygotes, whatever their number; and of nothing else that comes and goes."""
    folder = server.data / "zygotes"
    return {
        "sockets": len([path for path in folder.glob("*.sock") if ".orders." not in path.name]),
        "folders": sorted(p.name for p in folder.iterdir() if p.is_dir()),
        "processes": len(processes.zygotes(server.data)),
        "groups": len(list(folder.glob("*.groups"))),
        "descriptors": descriptors(server.pid()),
    }


def test_the_one_used_least_goes(servers):
    server = servers(*FLAGS)
    api = server.api()
    sizes = []
    for model in ("echo", "facts"):
        assert use(api, model)[0] == ("plain", "its imports are not learned yet")
        sizes.append(await_zygote(api, model=model)["bytes"])
        stop_instances(api, model)
    # One fits, two do not; the size of a process is never quite the same.
    budget = max(sizes) + min(sizes) // 2
    api = server.restart("--zygote-memory", str(budget)).api()

    use(api, "echo")
    await_zygote(api, model="echo")
    stop_instances(api, "echo")
    alone = what_is_there(server)
    assert alone["sockets"] == alone["processes"] == 1
    first = zygotes(api)["echo"]

    use_until_it_has_one(api, "facts")
    gone = zygotes(api)["echo"]
    assert (gone["state"], gone["why"]) == ("gone", NO_ROOM)
    assert not os.path.exists(f"/proc/{first['pid']}") and not os.path.exists(first["socket"])
    assert use(api, "facts")[0] == ("fast", None)
    stop_instances(api, "facts")
    wait_until(lambda: what_is_there(server) == alone, what="what the zygote had to go")

    # It is used less: plain, and told.
    start, ended = use(api, "echo")
    assert start == ("plain", NO_ROOM)
    told = server.cli("explain", ended["id"])
    assert told.returncode == 0 and NO_ROOM in told.stdout, told.stdout

    use_until_it_has_one(api, "echo")
    assert zygotes(api)["echo"]["pid"] != first["pid"]
    assert zygotes(api)["facts"]["state"] == "gone"
    assert use(api, "echo")[0] == ("fast", None)
    stop_instances(api, "echo")
    wait_until(lambda: what_is_there(server) == alone, what="what the other one had to go")
    assert processes.models(server.data) == []


def test_one_that_dies_in_the_fork(servers, tmp_path):
    # In a room it would not find the file.
    server = servers(*FLAGS, "--isolation", "off")
    api = server.api()
    mark = tmp_path / "die"
    # The data of the template may have been made by an older server.
    script = max((server.data / "zygotes").glob("*/child.py"), key=os.path.getmtime)
    with open(script, "a") as file:
        file.write(DIE_IN_THE_FORK.format(mark=str(mark)))
    use(api, "echo")
    zygote = await_zygote(api, model="echo")
    assert use(api, "echo")[0] == ("fast", None)

    mark.touch()
    start, ended = use(api, "echo")
    assert start == ("plain", "the zygote ended") and not mark.exists()
    assert "the zygote ended" in json.dumps(api.get(f"/predictions/{ended['id']}/explanation").json())
    wait_until(lambda: not os.path.exists(f"/proc/{zygote['pid']}"), what="it to be reaped")
    await_zygote(api, "gone", "echo")
    use(api, "echo")
    assert await_zygote(api, model="echo")["pid"] != zygote["pid"]
    assert use(api, "echo")[0] == ("fast", None)

"""Zygotes in rooms: what is forked from them is locked in as after a plain start, by the director's own look,
and nothing of a room stays."""

import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import signal
import tempfile

import processes
import pytest
from fast_starts import await_zygote, instances, start_of, stop_instances
from servers import MODELS
from vend_server import Server
from waiting import wait_until

FLAGS = ("--max-instances", "2", "--idle-timeout", "600s", "--isolation", "auto")
SPACES = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")
NS_GET_PARENT = 0xB702
USER = 2001
STATEFUL = pathlib.Path(__file__).parent / "stateful"
COG = """build:
  python_version: "3.11"
predict: "predict.py:Predictor"
"""
# An installed package, imported by the model, so by its zygote as well.
HOSTILE = """
import gc
import os
import types

found = [one for one in gc.get_objects() if isinstance(one, types.ModuleType)]
modules = {{vars(one).get("__name__"): one for one in found}}
inside, child = modules.get("inside"), modules.get("child")
if inside is not None:
    {sabotage}
del found, modules
"""
PREDICT = """
import saboteur
from cog import BasePredictor


class Predictor(BasePredictor):
    def predict(self) -> str:
        return "as ever"
"""


@pytest.fixture
def place(servers):
    server = servers(*FLAGS)
    said = next(record for record in server.log() if record["message"] == "isolation of models")
    if not said["by"].startswith("bubblewrap"):
        pytest.skip(f"this machine makes no sandbox: {said['by']}")
    return server


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.split() for key, _, value in (line.partition(":") for line in lines)}


def model_of(api, model):
    (instance,) = instances(api, model)
    return int((pathlib.Path(instance["dir"]) / "model.pid").read_text().split()[0])


def fork_of(api, model, inputs):
    """The number of an instance's process that was forked in a room, and the zygote."""
    assert api.run(model, inputs)["status"] == "succeeded"
    assert start_of(api, model) == ("plain", "its imports are not learned yet")
    zygote = await_zygote(api, model=model)
    stop_instances(api, model)
    assert api.run(model, inputs)["status"] == "succeeded"
    assert start_of(api, model) == ("fast", None)
    return model_of(api, model), zygote


def spaces_of(pid):
    return {name: os.readlink(f"/proc/{pid}/ns/{name}") for name in SPACES}


def lives(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def spaces_above(pid):
    """The process namespaces that `pid` is in: its own, and those that it is nested in."""
    fd = os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY)
    found = [os.fstat(fd).st_ino]
    while True:
        try:
            parent = fcntl.ioctl(fd, NS_GET_PARENT)
        except OSError:
            return found
        finally:
            os.close(fd)
        fd = parent
        found.append(os.fstat(fd).st_ino)


def in_spaces_below(pid):
    """All that is in the process namespace of `pid`, or nested there."""
    own = os.stat(f"/proc/{pid}/ns/pid").st_ino
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and own in spaces_above(name):
                found.append(int(name))
        except OSError:
            continue
    return found


def groups_of(name):
    return [str(path) for path in pathlib.Path("/sys/fs/cgroup").rglob(f"vend-{name}")]


def test_a_fork_is_locked_in(place):
    api = place.api()
    fork, zygote = fork_of(api, "echo", {"text": "a"})
    status = status_of(fork)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name][0], 16) == 0, name
    assert status["NoNewPrivs"] == ["1"] and status["Seccomp"] == ["2"] and status["Groups"] == []
    assert (int(status["Uid"][0]) >= 1_900_000_000) == (os.geteuid() == 0) and len(set(status["Uid"] + status["Gid"])) == 1
    own, rooms = spaces_of(fork), spaces_of(zygote["pid"])
    assert all(own[name] != rooms[name] for name in SPACES), (own, rooms)
    # Its limits are those of the instance, not of the zygote.
    (instance,) = instances(api, "echo")
    groups = pathlib.Path(f"/proc/{fork}/cgroup").read_text()
    assert f"vend-{instance['id']}" in groups or "vend-" not in pathlib.Path(f"/proc/{zygote['pid']}/cgroup").read_text()


def test_what_a_model_finds(place):
    api = place.api()
    plain = json.loads(api.run("facts", {})["output"])
    await_zygote(api, model="facts")
    stop_instances(api, "facts")
    fast = json.loads(api.run("facts", {})["output"])
    assert start_of(api, "facts") == ("fast", None)
    plain["hooks"] = [hook for hook in plain["hooks"] if hook != "Recorder"]
    for facts in (plain, fast):
        assert len(facts.pop("spaces")) == 3  # each instance has its own
        facts["environ"] = {k: v for k, v in facts["environ"].items() if k not in ("PORT", "VEND_INSTANCE_DIR")}
    assert fast == plain


@pytest.mark.parametrize(
    "sabotage,part",
    [
        ("inside.drop_capabilities = lambda: None; child.check_same = lambda launcher: None", "Cap"),
        ("inside.filter_calls = lambda program: None", "Seccomp_filters"),
        ("inside.enter = lambda pidfd, told: None", "ns/"),
        ("child.take_signals = lambda *_: os.chdir('/')", "cwd is another one"),
        (
            "child.take_descriptors = lambda l, _: [os.dup2(f, t) for f, t in zip(l.fds, l.targets)] and None",
            "descriptor ",
        ),
    ],
)
def test_a_zygote_that_locks_nothing(place, tmp_path, sabotage, part):
    """Its imports have put something of their own in the place of what locks its forks."""
    api = place.api()
    for packages in place.data.glob("venvs/*/lib/python3*/site-packages"):
        (packages / "saboteur.py").write_text(HOSTILE.format(sabotage=sabotage))
    project = tmp_path / "project"
    project.mkdir()
    (project / "cog.yaml").write_text(COG)
    (project / "predict.py").write_text(PREDICT)
    pushed = place.cli("push", project, "lab/hostile", "--public")
    assert pushed.returncode == 0, pushed.stderr
    assert api.run("hostile", {})["output"] == "as ever"
    await_zygote(api, model="hostile")
    stop_instances(api, "hostile")
    assert api.run("hostile", {})["output"] == "as ever"
    kind, why = start_of(api, "hostile")
    assert kind == "plain" and why.startswith(f"its fork is not locked in: {part}"), (kind, why)
    # It is as strict all the same.
    assert int(status_of(model_of(api, "hostile"))["CapEff"][0], 16) == 0


def test_rooms_are_of_one_account(place, tmp_path):
    """The same packages and imports: two zygotes, of two users, and neither sees the other."""
    api = place.api()
    fork, zygote = fork_of(api, "echo", {"text": "a"})
    api.post("/accounts", {"username": "other"}, 201)
    scopes = ["run", "read", "push"]
    token = api.post("/tokens", {"name": "t", "scopes": scopes, "account": "other"}, 201).json()["token"]
    pushed = place.cli("push", MODELS / "echo", "other/echo", "--public", env={"VEND_API_TOKEN": token})
    assert pushed.returncode == 0, pushed.stderr
    assert api.post("/models/other/echo/predictions", {"input": {"text": "b"}}, 201)
    theirs = wait_until(
        lambda: next((z for z in api.debug()["zygotes"] if z["model"] == "other/echo" and z["state"] == "ready"), None),
        what="the zygote of the other account",
    )
    is_root = os.geteuid() == 0
    assert (status_of(theirs["pid"])["Uid"] != status_of(zygote["pid"])["Uid"]) == is_root
    rooms = [in_spaces_below(z["pid"]) for z in (zygote, theirs)]
    assert fork in rooms[0] and theirs["pid"] in rooms[1] and not set(rooms[0]) & set(rooms[1])
    homes = [os.stat(f"/proc/{z['pid']}/root{place.data}/home").st_ino for z in (zygote, theirs)]
    assert homes[0] != homes[1]


@contextlib.contextmanager
def server_of_user(binary, template, flags):
    """One that is not root."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("the server cannot be started as another user")
    folder = pathlib.Path(tempfile.mkdtemp(dir="/var/tmp"))
    wrapper = folder / "vend"
    wrapper.write_text(f'#!/bin/sh\nexec setpriv --reuid {USER} --regid {USER} --clear-groups {binary} "$@"\n')
    for path in (folder, wrapper):
        path.chmod(0o755)
    made = Server(wrapper, folder / "server", flags, template=template)
    try:
        for path in (made.directory, *made.directory.rglob("*")):
            os.chown(path, USER, USER, follow_symlinks=False)
        made.start()
        said = next(record for record in made.log() if record["message"] == "isolation of models")
        if not said["by"].startswith("bubblewrap"):
            pytest.skip(f"this machine makes no sandbox for users: {said['by']}")
        yield made
        assert not made.sanitizer_reports()
    finally:
        made.destroy()
        shutil.rmtree(folder)


def test_a_server_of_another_user(binary, template):
    """It makes the same calls: who owns a namespace has rights in it."""
    with server_of_user(binary, template, FLAGS) as made:
        fork, zygote = fork_of(made.api(), "echo", {"text": "a"})
        status = status_of(fork)
        assert status["Uid"] == [str(USER)] * 4 and int(status["CapEff"][0], 16) == 0
        assert spaces_above(zygote["pid"])[0] in spaces_above(fork)[1:]


def test_processes_of_each_start_method(place):
    """They find the model's modules by what imports have kept of where they were."""
    api = place.api()
    pushed = place.cli("push", STATEFUL / "methods", "lab/methods", "--public")
    assert pushed.returncode == 0, pushed.stderr
    for start in ("plain", "fast"):
        for method in ("fork", "spawn", "forkserver", "queue", "early", "threads"):
            ended = api.run("methods", {"method": method})
            assert ended["output"] == "[0, 1, 4, 9]", f"{start} {method}: {ended}"
        assert start_of(api, "methods")[0] == start
        await_zygote(api, model="methods")
        stop_instances(api, "methods")


# ---- Ends


def test_a_fork_outlives_its_zygote(place):
    api = place.api()
    fork, zygote = fork_of(api, "echo", {"text": "a"})
    processes.kill(zygote["pid"])
    wait_until(lambda: not lives(zygote["pid"]), what="the end of the zygote")
    await_zygote(api, "gone", "echo")
    assert api.run("echo", {"text": "b"})["output"] == "b" and model_of(api, "echo") == fork
    room = in_spaces_below(fork)
    stop_instances(api, "echo")
    wait_until(lambda: not any(map(lives, room)), what="the end of all in the room")


def test_a_room_that_ends(place):
    """All in it end; what ran is lost as it is with any instance, and the next start is right again."""
    api = place.api()
    fork, zygote = fork_of(api, "echo", {"text": "a"})
    first = int(status_of(zygote["pid"])["PPid"][0])
    inside = in_spaces_below(first)
    assert {fork, zygote["pid"]} <= set(inside)
    name = instances(api, "echo")[0]["id"]
    processes.kill(first)
    wait_until(lambda: not any(map(lives, [*inside, fork])), what="the end of all in the room")
    assert api.run("echo", {"text": "b"})["output"] == "b"
    wait_until(lambda: groups_of(name) == [], what="the end of its groups")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_director_that_ends(place, number):
    api = place.api()
    fork, zygote = fork_of(api, "echo", {"text": "a"})
    (instance,) = instances(api, "echo")
    sandbox = in_spaces_below(fork)
    (director,) = processes.directors(instance["dir"])
    os.kill(director, number)
    wait_until(lambda: not any(map(lives, sandbox)), what="the end of the sandbox")
    assert lives(zygote["pid"])
    wait_until(lambda: groups_of(instance["id"]) == [], what="the end of its groups")


def test_a_server_that_ends(place):
    """The run goes on; once it and its instance have ended, so has the room."""
    api = place.api()
    fork, zygote = fork_of(api, "echo", {"text": "a"})
    first = int(status_of(zygote["pid"])["PPid"][0])
    running = api.create("echo", {"text": "late", "delay": 3})
    wait_until(lambda: api.prediction(running)["status"] == "processing", what="the run")
    place.kill()
    wait_until(lambda: not lives(zygote["pid"]), what="the end of the zygote")
    assert lives(first) and lives(fork)
    api = place.start().api()
    assert api.ended(running)["output"] == "late"
    stop_instances(api, "echo")
    wait_until(lambda: not lives(first) and not lives(fork), what="the end of the room")
    assert api.run("echo", {"text": "b"})["output"] == "b"

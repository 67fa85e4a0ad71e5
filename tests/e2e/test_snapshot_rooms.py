"""Snapshots in rooms: the forks of one are locked in as those of zygotes are, see nothing of each other, and
outlive it and its zygote."""

import json
import os
import pathlib

import processes
import pytest
from fast_starts import await_snapshot, await_zygote, instances, stop_instances, use
from test_rooms import SPACES, USER, in_spaces_below, lives, model_of, server_of_user, spaces_above, spaces_of, status_of
from waiting import wait_until

FLAGS = ("--max-instances", "2", "--boot-limit", "2", "--idle-timeout", "600s", "--isolation", "auto")
COG = """build:
  python_version: "3.11"
predict: "predict.py:Predictor"
"""
# Each run keeps a word of its own in all places that are its, waits until the other has done so too (HOME is
# shared by an account), and looks for what the other keeps.
NEIGHBOURS = '''
import json
import os
import pathlib
import time

from cog import BasePredictor

PLACES = ("/tmp", "/dev/shm", "/var/tmp", ".", os.path.dirname(os.path.abspath(__file__)))


class Predictor(BasePredictor):
    def setup(self):
        time.sleep(0.8)
        self.folder = os.getcwd()

    def keep(self, word):
        self.word = word
        os.environ["WORD"] = word
        for place in (*PLACES, self.folder):
            pathlib.Path(place, "kept-" + word).write_text(word)

    def meet(self, number):
        home = pathlib.Path.home()
        (home / f"here-{number}").touch()
        end = time.monotonic() + 60
        while len(list(home.glob("here-*"))) < 2:
            assert time.monotonic() < end, "nobody came"
            time.sleep(0.01)

    def look(self):
        found = set()
        for place in (*PLACES, self.folder):
            found |= {path.name for path in pathlib.Path(place).glob("kept-*")}
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            for name in ("environ", "cmdline"):
                try:
                    text = (process / name).read_bytes()
                except OSError:
                    continue
                found |= {"kept-" + one.decode()[5:] for one in text.split(b"\\0") if one.startswith(b"WORD=")}
        return sorted(found)

    def enter(self):
        """The namespaces of all that can be named from here."""
        entered = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            for space in ("user", "mnt", "pid", "net"):
                try:
                    fd = os.open(process / "ns" / space, os.O_RDONLY)
                except OSError:
                    continue
                import ctypes

                if ctypes.CDLL(None).setns(fd, 0) == 0:
                    entered.append(f"{process}/{space}")
        return entered

    def predict(self, number: int) -> str:
        self.keep(f"word-{number}")
        self.meet(number)
        pids = sorted(int(p.name) for p in pathlib.Path("/proc").glob("[0-9]*"))
        said = {"found": self.look(), "entered": self.enter(), "pids": pids, "parent": os.getppid()}
        pathlib.Path.home().joinpath(f"done-{number}").touch()
        end = time.monotonic() + 60
        while len(list(pathlib.Path.home().glob("done-*"))) < 2:
            assert time.monotonic() < end, "the other one has gone"
            time.sleep(0.01)
        return json.dumps(said)
'''
SLOW = """
import time

from cog import BasePredictor


class Predictor(BasePredictor):
    def setup(self):
        time.sleep(0.8)
        {setup}

    def predict(self) -> str:
        return "as ever"
"""
ORDERS = """
import glob
import json
import os
import subprocess

from cog import BasePredictor

ORDER = "raise SystemExit('an order for a zygote of Vend')"


class Predictor(BasePredictor):
    def predict(self) -> str:
        folder = os.path.abspath("../../../../zygotes")
        seen = glob.glob(folder + "/*.sock")
        if not seen:
            return json.dumps({"seen": seen, "report": None})
        (launcher,) = glob.glob(folder + "/*/bin/python")
        environment = {**os.environ, "VEND_LAUNCH_ZYGOTE": seen[0], "VEND_LAUNCH_PYTHON": "/bin/true"}
        environment |= {"VEND_LAUNCH_REPORT": "/tmp/report", "VEND_LAUNCH_DIR": os.path.dirname(launcher)}
        subprocess.run([launcher, "-c", ORDER, "fd:5"], env=environment)
        return json.dumps({"seen": seen, "report": open("/tmp/report").read()})
"""


@pytest.fixture
def place(servers):
    server = servers(*FLAGS)
    said = next(record for record in server.log() if record["message"] == "isolation of models")
    if not said["by"].startswith("bubblewrap"):
        pytest.skip(f"this machine makes no sandbox: {said['by']}")
    return server


def push(server, folder, name, text):
    folder.mkdir()
    (folder / "predict.py").write_text(text)
    (folder / "cog.yaml").write_text(COG)
    pushed = server.cli("push", folder, f"lab/{name}", "--public")
    assert pushed.returncode == 0, pushed.stderr


def snapshot_of(api, model, state="ready"):
    instance, _ = use(api, model)
    assert instance["start"] == "plain", instance
    zygote = await_zygote(api, model=model)
    instance, _ = use(api, model)
    assert instance["start"] == "fast", instance
    return zygote, await_snapshot(api, model, state)


def test_forks_of_a_snapshot_are_locked_in(place, tmp_path):
    api = place.api()
    push(place, tmp_path / "slow", "slow", SLOW.format(setup="self.kept = 1"))
    zygote, snapshot = snapshot_of(api, "slow")
    instance, ended = use(api, "slow")
    assert (instance["start"], instance["snapshot_reason"], ended["output"]) == ("snapshot", None, "as ever")
    fork = model_of(api, "slow")
    rooms = [spaces_of(pid) for pid in (zygote["pid"], snapshot["pid"], fork)]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert all(rooms[one][name] != rooms[other][name] for name in SPACES), rooms
    # Each is nested in the one before.
    assert spaces_above(zygote["pid"])[0] in spaces_above(snapshot["pid"])[1:]
    assert spaces_above(snapshot["pid"])[0] in spaces_above(fork)[1:]
    for pid in (snapshot["pid"], fork):
        status = status_of(pid)
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(status[name][0], 16) == 0, name
        assert status["NoNewPrivs"] == ["1"] and status["Seccomp"] == ["2"]
    filters = [int(status_of(pid)["Seccomp_filters"][0]) for pid in (snapshot["pid"], fork)]
    assert filters[1] == filters[0] + 1
    groups = pathlib.Path(f"/proc/{fork}/cgroup").read_text()
    assert f"vend-{instance['id']}" in groups or "vend-" not in pathlib.Path(f"/proc/{zygote['pid']}/cgroup").read_text()


def test_forks_of_a_snapshot_see_nothing_of_each_other(place, tmp_path):
    api = place.api()
    push(place, tmp_path / "neighbours", "neighbours", NEIGHBOURS)

    def run_both():
        made = [api.create("neighbours", {"number": number}) for number in (1, 2)]
        ended = [api.ended(one) for one in made]
        for name in ("here", "done"):
            for path in (place.data / "homes" / "lab").glob(f"{name}-*"):
                path.unlink()
        return ended

    run_both()
    await_zygote(api, model="neighbours")
    stop_instances(api, "neighbours")
    run_both()
    await_snapshot(api, "neighbours")
    stop_instances(api, "neighbours")
    ended = run_both()
    assert {i["start"] for i in instances(api, "neighbours")} == {"snapshot"}
    for number, one in enumerate(ended, 1):
        said = json.loads(one["output"])
        assert said["found"] == [f"kept-word-{number}"], said
        assert said["entered"] == [], said
        # The first process, the launcher, and itself.
        assert len(said["pids"]) <= 3 and said["parent"] == 0, said
    # Nor has the snapshot what they keep: the next one starts as they did.
    assert not list((place.data / "zygotes").glob("*.snapshot/**/kept-*"))


def test_what_asks_for_the_network_is_no_snapshot(place, tmp_path):
    api = place.api()
    setup = """
        import urllib.request
        try:
            urllib.request.urlopen("http://example.invalid/", timeout=5)
        except OSError:
            pass
"""
    push(place, tmp_path / "asks", "asks", SLOW.format(setup=setup.strip()))
    _, snapshot = snapshot_of(api, "asks", "gone")
    assert snapshot["why"] == "its setup uses the network"
    instance, ended = use(api, "asks")
    assert (instance["start"], instance["snapshot_reason"]) == ("fast", "its setup uses the network")
    assert ended["output"] == "as ever"


def test_no_instance_has_a_snapshot_made(place, tmp_path):
    """The socket for orders is not in its sight, and the other one takes none: what is made for one is less
    locked in."""
    api = place.api()
    push(place, tmp_path / "orders", "orders", ORDERS)
    use(api, "orders")
    await_zygote(api, model="orders")
    instance, ended = use(api, "orders")
    said = json.loads(ended["output"])
    assert instance["start"] == "fast" and len(said["seen"]) == 1 and "orders" not in said["seen"][0], said
    assert said["report"] == "plain this is no place for orders\n", said


def test_forks_outlive_the_snapshot_and_its_zygote(place, tmp_path):
    api = place.api()
    push(place, tmp_path / "slow", "slow", SLOW.format(setup="self.kept = 1"))
    zygote, snapshot = snapshot_of(api, "slow")
    instance, _ = use(api, "slow")
    fork = model_of(api, "slow")
    processes.kill(zygote["pid"])
    wait_until(lambda: not lives(zygote["pid"]), what="the end of the zygote")
    await_zygote(api, "gone", "slow")
    # The snapshot's room is in the zygote's.
    assert lives(snapshot["pid"]) and use(api, "slow")[0]["start"] == "snapshot"
    fork = model_of(api, "slow")
    processes.kill(snapshot["pid"])
    await_snapshot(api, "slow", "gone")
    assert api.run("slow")["output"] == "as ever" and model_of(api, "slow") == fork
    first = int(status_of(fork)["PPid"][0])
    room = in_spaces_below(first) if first else in_spaces_below(fork)
    stop_instances(api, "slow")
    wait_until(lambda: not any(map(lives, room)), what="the end of all in the room")


def test_a_server_that_ends_leaves_no_room(place, tmp_path):
    api = place.api()
    push(place, tmp_path / "slow", "slow", SLOW.format(setup="self.kept = 1"))
    zygote, snapshot = snapshot_of(api, "slow")
    use(api, "slow")
    fork = model_of(api, "slow")
    rooms = [int(status_of(pid)["NSpid"][0]) for pid in (zygote["pid"], snapshot["pid"])]
    place.kill()
    wait_until(lambda: not any(map(lives, rooms)), what="the end of zygote and snapshot")
    assert lives(fork)
    api = place.start().api()
    assert api.run("slow")["output"] == "as ever" and model_of(api, "slow") == fork
    below = in_spaces_below(fork)
    stop_instances(api, "slow")
    wait_until(lambda: not any(map(lives, below)), what="the end of the sandbox")


def test_a_server_of_another_user_has_snapshots(binary, template):
    with server_of_user(binary, template, FLAGS) as made:
        api = made.api()
        # That user sees none of pytest's folders.
        push(made, made.directory / "slow", "slow", SLOW.format(setup="open('kept', 'w').write('1')"))
        _, snapshot = snapshot_of(api, "slow")
        instance, ended = use(api, "slow")
        assert (instance["start"], ended["output"]) == ("snapshot", "as ever"), instance
        fork = model_of(api, "slow")
        assert status_of(fork)["Uid"] == [str(USER)] * 4
        assert spaces_above(snapshot["pid"])[0] in spaces_above(fork)[1:]

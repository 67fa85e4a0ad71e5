"""Instances that are forked after setup(): they do what others do, in less time and memory; versions that
this is not safe for start from their imports, and the reason is told."""

import json
import os
import pathlib
import re
import signal
import subprocess

import pytest

import copies
import processes
from fast_starts import await_snapshot, await_zygote, instances, stop_instances, use
from waiting import wait_until

FLAGS = (
    *("--max-instances", "5", "--boot-limit", "5", "--hardware-units", "6"),
    *("--idle-timeout", "600s", "--zygote-memory", "2G"),
)
COG = """build:
  python_version: "3.11"
predict: "predict.py:Predictor"
"""
NUMPY = """build:
  python_version: "3.11"
  python_packages: ["numpy"]
predict: "predict.py:Predictor"
"""
SLOW = """
import os
import time

from cog import BasePredictor


class Predictor(BasePredictor):
    def setup(self):
        time.sleep(0.8)
        {setup}

    def predict(self) -> str:
        {predict}
"""
CLONES = int(os.environ.get("VEND_TEST_CLONES", "100"))
IN_ROOMS = 4


def source(setup, predict="return 'as ever'", before=""):
    def indent(text):
        return text.strip().replace("\n", "\n        ")

    return before + SLOW.format(setup=indent(setup), predict=indent(predict))


def push_to(server, folder, name, text, cog=COG):
    folder.mkdir(exist_ok=True)
    (folder / "predict.py").write_text(text)
    (folder / "cog.yaml").write_text(cog)
    pushed = server.cli("push", folder, f"lab/{name}", "--public")
    assert pushed.returncode == 0, pushed.stderr


@pytest.fixture
def push(server, tmp_path):
    return lambda name, text, cog=COG: push_to(server, tmp_path / name, name, text, cog)


def use_twice(api, model):
    """A plain start, which teaches the imports, and a fast one, which shows that setup is slow."""
    instance, plain = use(api, model)
    assert instance["start"] == "plain", instance
    await_zygote(api)
    instance, _ = use(api, model)
    assert instance["start"] == "fast", instance
    return plain


def snapshot_of(api, model):
    plain = use_twice(api, model)
    return plain, await_snapshot(api, model)


def ready_decision(api, model):
    found = api.get(f"/decisions?model=lab/{model}").json()["results"]
    return next(d for d in found if d["kind"] == "ready")


def ways_of(instance):
    """To the model; a second one is that of a start that went wrong."""
    lines = (pathlib.Path(instance["dir"]) / "director.log").read_text().splitlines()
    return [told["model_server"] for told in map(json.loads, lines) if "model_server" in told]


ARRAYS = """
print("making arrays")
os.system("echo from a child")
self.array = np.random.default_rng(7).random(100_000)
np.random.seed(11)
"""
COMPARE = "print('summing'); return f'{self.array.sum():.6f} {np.random.rand():.6f}'"


def test_the_third_start(api, server, push):
    push("arrays", source(ARRAYS, COMPARE, "import numpy as np\n"), NUMPY)
    plain, _ = snapshot_of(api, "arrays")
    instance, ended = use(api, "arrays")
    assert (instance["start"], instance["snapshot_reason"]) == ("snapshot", None)
    assert ways_of(instance) == [os.environ.get("VEND_MODEL_SERVER", "worker")]
    for part in ("status", "output", "error", "logs"):
        assert ended[part] == plain[part]
    decision = ready_decision(api, "arrays")
    assert decision["inputs"]["start"] == "snapshot"
    assert "from a snapshot" in decision["sentence"]
    told = server.cli("explain", ended["id"])
    assert "from a snapshot" in told.stdout, told.stdout
    stop_instances(api, "arrays")
    wait_until(lambda: processes.models(server.data) == [], what="its processes to go")


UNFIT = {
    "thread": (
        "import threading; threading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
        "its setup leaves 1 thread behind",
    ),
    "socket": (
        "import socket; self.socket = socket.socket()",
        "its setup keeps a socket open",
    ),
    "pipe": ("self.pipe = os.pipe()", "its setup keeps a pipe open"),
    "poll": ("import select; self.poll = select.epoll()", "its setup keeps [eventpoll] open"),
    "child": (
        "import subprocess; self.child = subprocess.Popen(['sleep', '600'])",
        "its setup leaves the process 'sleep' behind",
    ),
    "far-child": (
        "import subprocess; subprocess.run('setsid sleep 600 > /dev/null 2>&1 &', shell=True)",
        "its setup leaves the process 'sleep' behind",
    ),
    "file": (
        "self.file = open(os.path.expanduser('~/kept-open'), 'w')",
        "kept-open' open for writing",
    ),
    "gone-file": (
        "import tempfile; self.file = tempfile.TemporaryFile()",
        "(deleted)' open",
    ),
    "memory": (
        "import mmap; self.memory = mmap.mmap(-1, 4096)",
        "its setup shares memory ('/dev/zero (deleted)')",
    ),
    "timer": (
        "import signal; signal.signal(signal.SIGALRM, signal.SIG_IGN); signal.alarm(600)",
        "its setup leaves a timer behind",
    ),
    "umask": ("os.umask(0)", "its setup changes Umask"),
    "fails": (
        "if os.environ['VEND_INSTANCE_DIR'].endswith('.snapshot'): raise ValueError('not here')",
        "its setup failed: ValueError: not here",
    ),
    "large": (
        "open('weights', 'wb').write(bytes(70 << 20))",
        "its setup writes 70 MiB of files",
    ),
}


@pytest.mark.parametrize("what", UNFIT)
def test_unfit(api, server, push, what):
    setup, reason = UNFIT[what]
    others = set(processes.models(server.data))
    push(what, source(setup))
    use_twice(api, what)
    unfit = await_snapshot(api, what, "gone")
    assert reason in unfit["why"]
    instance, ended = use(api, what)
    assert (instance["start"], instance["snapshot_reason"]) == ("fast", unfit["why"])
    assert ended["output"] == "as ever"
    assert f"not from a snapshot: {unfit['why']}" in server.cli("explain", ended["id"]).stdout
    left = (server.data / "zygotes").glob(f"{pathlib.Path(unfit['socket']).stem}*")
    assert list(left) == []
    assert [s["state"] for s in api.debug()["snapshots"] if s["model"] == f"lab/{what}"] == ["gone"]
    stop_instances(api, what)
    wait_until(lambda: others.issuperset(processes.models(server.data)), what="what setup started to go")


def test_quick_setups_have_none(api, push):
    push("busy", source("", before="").replace("time.sleep(0.8)", "time.sleep(0)") + "\n")
    use_twice(api, "busy")
    instance, _ = use(api, "busy")
    assert (instance["start"], instance["snapshot_reason"]) in (
        ("fast", None),
        ("fast", "its setup takes 0.00 s only"),
    )


HOOK = """

    def after_restore(self):
        {hook}
"""


def test_after_restore_runs_in_each(api, push):
    text = source("self.began = os.getpid(); self.hooks = []", "return repr(self.hooks == [os.getpid()])")
    push("hook", text + HOOK.format(hook="self.hooks.append(os.getpid()); print('restored')"))
    plain, _ = snapshot_of(api, "hook")
    assert plain["output"] == "False"  # nothing was restored
    for _ in range(2):
        instance, ended = use(api, "hook")
        assert (instance["start"], ended["output"]) == ("snapshot", "True")


def test_after_restore_fails(api, push):
    # The model server may lose what is printed in the last moment.
    fail = "time.sleep(0.5); raise ValueError('no database')"
    hook = f"if not os.environ['VEND_INSTANCE_DIR'].endswith('.trial'): {fail}"
    setup = "print('said', flush=True); os.system('echo by a child')"
    push("broken-hook", source(setup) + HOOK.format(hook=hook))
    snapshot_of(api, "broken-hook")
    stop_instances(api, "broken-hook")
    ended = api.run("broken-hook")
    assert ended["status"] == "failed" and "no database" in ended["error"], ended
    # Each fork's logs of setup.
    assert re.search(r"^\[from a snapshot; its setup took 0.8 s and said:\]\nsaid\nby a child\n", ended["logs"])


def test_the_trial_fails(api, push):
    hook = "if os.environ['VEND_INSTANCE_DIR'].endswith('.trial'): raise ValueError('not in a trial')"
    push("trial", source("") + HOOK.format(hook=hook))
    use_twice(api, "trial")
    assert "not in a trial" in await_snapshot(api, "trial", "gone")["why"]
    instance, ended = use(api, "trial")
    assert (instance["start"], ended["output"]) == ("fast", "as ever")


WRITES = """
import tempfile
open("cache.txt", "w").write("cached\\n")
os.makedirs("made/deep"); open("made/deep/file", "w").write("deep")
os.remove("cog.yaml")
self.temporary = tempfile.mkdtemp()
open(self.temporary + "/file", "w").write("temporary")
self.cached = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cache.txt")
self.open = open("made/deep/file")
self.log = open("log.txt", "a+")
"""
READS = """
self.log.write("line\\n"); self.log.flush(); self.log.seek(0)
log = self.log.read().split()
open("cache.txt", "a").write("more\\n")
return repr([
    open(self.cached).read().split(), self.open.read(), open(self.temporary + "/file").read(), log,
    os.path.exists("cog.yaml"), os.getcwd() == os.path.dirname(self.cached),
])
"""


@pytest.mark.parametrize("kind", copies.KINDS)
def test_what_setup_writes(servers, tmp_path, kind):
    """Each fork has it for itself."""
    if not copies.is_possible(kind, tmp_path):
        pytest.skip(f"no {kind} here")
    server = servers(*FLAGS, "--working-copy", kind)
    api = server.api()
    push_to(server, tmp_path / "writes", "writes", source(WRITES, READS))
    plain, _ = snapshot_of(api, "writes")
    stop_instances(api, "writes")
    made = [api.create("writes") for _ in range(3)]
    outputs = [api.ended(one)["output"] for one in made]
    assert {i["start"] for i in instances(api, "writes")} == {"snapshot"}
    if len(instances(api, "writes")) == 3:
        assert outputs == [plain["output"]] * 3
    assert plain["output"] in outputs
    instance, ended = use(api, "writes")
    assert (instance["start"], ended["output"]) == ("snapshot", plain["output"])


def test_it_dies(api, server, push):
    push("dies", source("print('once')"))
    _, snapshot = snapshot_of(api, "dies")
    instance, _ = use(api, "dies")
    assert instance["start"] == "snapshot"
    os.kill(snapshot["pid"], signal.SIGSTOP)
    instance, _ = use(api, "dies")
    assert (instance["start"], instance["snapshot_reason"]) == ("fast", "its snapshot does not answer")
    os.kill(snapshot["pid"], signal.SIGCONT)
    instance, _ = use(api, "dies")
    assert instance["start"] == "snapshot"

    # What was forked from it goes on without it.
    os.kill(snapshot["pid"], signal.SIGKILL)
    assert api.run("dies")["output"] == "as ever"
    await_snapshot(api, "dies", "gone")
    instance, _ = use(api, "dies")
    assert (instance["start"], instance["snapshot_reason"]) == ("fast", "its snapshot ended")
    again = await_snapshot(api, "dies")
    assert again["pid"] != snapshot["pid"]
    instance, _ = use(api, "dies")
    assert instance["start"] == "snapshot"

    # A fork's end is nothing to it.
    stop_instances(api, "dies")
    assert await_snapshot(api, "dies")["pid"] == again["pid"]


def test_other_settings_are_another_one(api, server, push):
    environment = COG + "environment:\n  - LANGUAGE={}\n"
    text = source("self.language = os.environ['LANGUAGE']", "return self.language")
    push("settings", text, environment.format("one"))
    plain, first = snapshot_of(api, "settings")
    version = api.get("/models/lab/settings").json()["latest_version"]["id"]
    push("settings", text, environment.format("two"))
    plain, second = snapshot_of(api, "settings")
    assert plain["output"] == "two" and first["pid"] != second["pid"]
    instance, ended = use(api, "settings")
    assert (instance["start"], ended["output"]) == ("snapshot", "two")

    # The version takes its snapshot along.
    api.delete(f"/models/lab/settings/versions/{version}", expect=None)
    wait_until(
        lambda: not os.path.exists(f"/proc/{first['pid']}"), what="the snapshot of the deleted version to go"
    )
    assert os.path.exists(f"/proc/{second['pid']}")

    api.patch("/models/lab/settings/scaling", {"snapshot": False}, 200)
    instance, ended = use(api, "settings")
    assert (instance["start"], instance["snapshot_reason"]) == ("fast", None)
    wait_until(lambda: not os.path.exists(f"/proc/{second['pid']}"), what="the snapshot to go")


TRAINED = """
import time

from cog import BasePredictor, Path


class Predictor(BasePredictor):
    def setup(self, weights: Path = None):
        time.sleep(0.8)
        self.known = open(weights).read() if weights else "nothing"

    def predict(self) -> str:
        return self.known


def train(text: str) -> Path:
    weights = Path("/tmp/weights.txt")
    weights.write_text(text)
    return weights
"""


def train(api, text):
    """A version of lab/of-trained, the latest from then on."""
    base = api.get("/models/lab/trained").json()["latest_version"]["id"]
    path = f"/models/lab/trained/versions/{base}/trainings"
    made = api.post(path, {"destination": "lab/of-trained", "input": {"text": text}}, 201).json()
    wait_until(lambda: api.get(f"/trainings/{made['id']}").json()["status"] == "succeeded", what="its end")


def test_trained_versions_have_the_imports_of_the_base_and_snapshots_of_their_own(api, push):
    push("trained", TRAINED, COG + 'train: "predict.py:train"\n')
    body = {"owner": "lab", "name": "of-trained", "visibility": "private", "hardware": "cpu"}
    api.post("/models", body, 201)
    instance, ended = use(api, "trained")
    assert (instance["start"], ended["output"]) == ("plain", "nothing")
    await_zygote(api)
    for text in ("one", "two"):
        train(api, text)
        instance, ended = use(api, "of-trained")
        assert (instance["start"], ended["output"]) == ("fast", text)
        await_snapshot(api, "of-trained")
        instance, ended = use(api, "of-trained")
        assert (instance["start"], ended["output"]) == ("snapshot", text)


def test_after_a_crash_of_the_server(api, server, push):
    push("crash", source("import subprocess; subprocess.run(['true'])"))
    _, snapshot = snapshot_of(api, "crash")
    instance, _ = use(api, "crash")
    assert instance["start"] == "snapshot"
    server.kill()
    wait_until(lambda: not os.path.exists(f"/proc/{snapshot['pid']}"), what="the snapshot to go")
    api = server.start().api()
    assert api.run("crash")["output"] == "as ever"
    assert not list((server.data / "zygotes").glob("*.snapshot"))
    stop_instances(api, "crash")


CHANCE = "import random, secrets, ssl, uuid\nimport numpy as np\n"
GENERATORS = """
random.random(); np.random.rand(); ssl.RAND_bytes(4)
self.own = random.Random()
self.generator = np.random.default_rng()
self.name = uuid.uuid4()
"""
DRAW = """
return repr([
    random.random(), np.random.rand(), secrets.token_hex(8), ssl.RAND_bytes(8).hex(),
    self.own.random(), self.generator.random(), str(self.name), str(uuid.uuid4()),
])
"""
# As coglet's worker calls it.
WORKER = """
import cog.predictor
predictor = cog.predictor.load_predictor_from_ref("")
predictor.setup()
print("drawn", predictor.predict())  # not coglet.server._run_worker
"""


def environment_of(pid):
    entries = open(f"/proc/{pid}/environ", "rb").read().split(b"\0")
    pairs = (os.fsdecode(entry).partition("=") for entry in entries if b"=" in entry)
    return {name: value for name, _, value in pairs}


def has_rooms(server):
    said = next(record for record in server.log() if record["message"] == "isolation of models")
    return said["by"].startswith("bubblewrap")


def test_no_clone_draws_what_another_does(api, server, push):
    push("chance", source(GENERATORS, DRAW, CHANCE), NUMPY)
    _, snapshot = snapshot_of(api, "chance")
    if has_rooms(server):
        # Nothing from outside of a room is forked for.
        used = [use(api, "chance") for _ in range(IN_ROOMS)]
        assert {instance["start"] for instance, _ in used} == {"snapshot"}
        lines = [json.loads(ended["output"].replace("'", '"')) for _, ended in used]
        assert all(len(set(values)) == IN_ROOMS for values in zip(*lines)), lines
        return
    instance, _ = use(api, "chance")
    assert instance["start"] == "snapshot"
    launcher = max((server.data / "zygotes").glob("*/bin/python"), key=os.path.getmtime)
    environment = {**environment_of(snapshot["pid"]), "VEND_LAUNCH_SNAPSHOT": snapshot["socket"]}
    environment |= {"VEND_LAUNCH_PYTHON": "/bin/false", "VEND_INSTANCE_DIR": "/none"}
    drawn = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f'for i in $(seq {CLONES}); do "$0" -c "$1"; done', launcher, WORKER],
        env=environment,
        cwd=server.directory,
        capture_output=True,
        text=True,
    )
    lines = [json.loads(line[6:].replace("'", '"')) for line in drawn.stdout.splitlines() if line[:6] == "drawn "]
    assert len(lines) == CLONES, drawn.stderr[-2000:]
    for values in zip(*lines):
        assert len(set(values)) == CLONES


def memory_of(pids):
    total = 0
    for pid in pids:
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def test_instances_share_memory(api, server, push):
    setup = "self.array = np.ones(300 << 17)"  # 300 MiB
    predict = "return f'{self.array.sum():.0f}'"
    push("heavy", source(setup, predict, "import numpy as np\n"), NUMPY)
    instance, _ = use(api, "heavy")
    alone = memory_of(processes.models(server.data))
    assert alone > 300 << 20
    await_zygote(api)
    use(api, "heavy")
    snapshot = await_snapshot(api, "heavy")
    stop_instances(api, "heavy")
    api.patch("/models/lab/heavy/scaling", {"min_instances": 5}, 200)
    wait_until(lambda: [i["state"] for i in instances(api, "heavy")] == ["ready"] * 5, what="five instances")
    assert api.run("heavy")["output"] == str(300 << 17)
    assert {i["start"] for i in instances(api, "heavy")} == {"snapshot"}
    print("MEMORY")
    together = memory_of([*processes.models(server.data), snapshot["pid"]])
    print(together >> 20, alone >> 20)
    assert together < 1.5 * alone, (together >> 20, alone >> 20)

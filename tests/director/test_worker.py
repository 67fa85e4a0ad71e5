"""coglet's worker without coglet's HTTP server: what that server did, the director does."""

import hashlib
import json
import os
import signal
import stat
import time
from pathlib import Path

import pytest
from director_client import VENV, new_id, wait_until, write_model

pytestmark = pytest.mark.ways("worker")

NAMES = ["depth.png", "model.safetensors", "archive.tar.gz", "100%.png", "a#b?.txt", "noext", "back\\slash x.txt"]

MODEL = '''
import io, json, os, subprocess, sys, tempfile, threading, time
from typing import Any, Optional
from cog import BasePredictor, Path, current_scope

NAMES = __NAMES__


class Predictor(BasePredictor):
    def predict(self, code: str, extra: Optional[str] = None, bare: Optional[str] = "d") -> Any:
        scope = globals() | {"out": None, "extra": extra, "bare": bare}
        exec(code, scope)
        return scope["out"]
'''.replace("__NAMES__", repr(NAMES))

INPUTS = {
    "code": {"type": "string"},
    "extra": {"type": "string", "nullable": True},
    "bare": {"type": "string", "nullable": True, "default": None},
}

SAVE = "def save(name, text, folder=None):\n  path = os.path.join(folder or tempfile.mkdtemp(), name)\n  open(path, 'w').write(text)\n  return Path(path)\n"

PIECES = '''
import time
from typing import Iterator
from cog import BasePredictor, Path


class Predictor(BasePredictor):
    def predict(self, n: int = 3, seconds: float = 0.0, same: bool = True) -> Iterator[Path]:
        for i in range(n):
            path = Path("/tmp/piece.txt" if same else f"/tmp/piece-{i}.txt")
            path.write_text(f"piece {i}")
            yield path
            time.sleep(seconds)
'''

PIECES_INPUTS = {"n": {"type": "integer"}, "seconds": {"type": "number"}, "same": {"type": "boolean"}}
PIECES_OUTPUT = {"type": "array", "items": {"type": "string", "format": "uri"}, "x-cog-array-type": "iterator"}


@pytest.fixture
def link(start, tmp_path):
    """A ready director of a model that does what it is told."""
    director = start(write_model(tmp_path / "m", MODEL, inputs=INPUTS))
    link = director.ready()
    link.director = director
    return link


def tell(link, code, **more):
    return link.predict(code=code, ack=False, **more)


def read(entry):
    return Path(entry["$vend.file"]["path"]).read_bytes()


# ---- Files


def test_names_of_output_files(link):
    done = tell(link, SAVE + "out = [save(name, 'bytes of ' + name) for name in NAMES]")
    assert done["status"] == "succeeded", done
    assert [entry["$vend.file"]["name"] for entry in done["output"]] == NAMES
    for name, entry in zip(NAMES, done["output"]):
        content = f"bytes of {name}".encode()
        assert read(entry) == content
        assert entry["$vend.file"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert done["output"][0]["$vend.file"]["type"] == "image/png"
    assert done["output"][5]["$vend.file"]["type"] == "application/octet-stream"


def test_single_file_and_lists_of_one(link):
    assert read(tell(link, SAVE + "out = save('a.txt', 'x')")["output"]) == b"x"
    assert [read(entry) for entry in tell(link, SAVE + "out = [save('a.txt', 'x')]")["output"]] == [b"x"]
    assert tell(link, "out = []")["output"] == []
    assert tell(link, "out = [None, 1]")["output"] == [None, 1]
    mixed = tell(link, SAVE + "out = ['first', save('a.txt', 'x'), {'last': 1}]")["output"]
    assert (mixed[0], read(mixed[1]), mixed[2]) == ("first", b"x", {"last": 1})


def test_an_open_file_as_output(link):
    done = tell(link, SAVE + "out = [open(save('a.png', 'x'), 'rb'), io.BytesIO(b'y')]")
    assert [entry["$vend.file"]["name"] for entry in done["output"]] == ["output.png", "output-1.bin"]
    assert [read(entry) for entry in done["output"]] == [b"x", b"y"]


@pytest.mark.parametrize(
    "code, path, why",
    [
        ("out = Path('/nowhere/out.png')", "/nowhere/out.png", "No such file or directory"),
        ("os.makedirs('folder', exist_ok=True); out = Path('folder')", "folder", "Is a directory"),
        ("os.mkfifo('pipe'); out = [Path('pipe')]", "pipe", "it is not a plain file"),
        ("out = Path('/proc/self/mem')", "/proc/self/mem", ""),
    ],
)
def test_an_output_file_that_cannot_be_read(link, code, path, why):
    done = tell(link, code)
    assert done["status"] == "failed" and "error_code" not in done, done
    assert done["error"].startswith(f"the output file '{path}' cannot be read: ") and why in done["error"], done
    assert tell(link, "out = 'next'")["output"] == "next"


def test_where_output_files_may_lie(link):
    code = SAVE + "save('a.txt', 'there', '.')\nos.makedirs('b', exist_ok=True)\nos.chdir('b')\nout = Path('../a.txt')"
    assert read(tell(link, code)["output"]) == b"there"
    code = SAVE + "one = save('a.txt', 'linked')\nos.symlink(one, one + '.link.txt' if 0 else str(one) + '.link.txt')\nout = Path(str(one) + '.link.txt')"
    done = tell(link, code)
    assert read(done["output"]) == b"linked" and done["output"]["$vend.file"]["name"] == "a.txt.link.txt"


def test_a_large_file_and_what_comes_after_it(link):
    done = tell(link, SAVE + "print('before'); out = [save('large.bin', 'z' * 30_000_000), 'after']")
    assert done["output"][0]["$vend.file"]["size"] == 30_000_000 and done["output"][1] == "after"
    assert done["output"][0]["$vend.file"]["sha256"] == hashlib.sha256(b"z" * 30_000_000).hexdigest()


def test_a_cancel_while_a_large_file_is_taken(link):
    prediction = link.run(code=SAVE + "out = [save(f'{i}.bin', 'z' * 30_000_000) for i in range(9)]")
    link.until(event="start")
    link.send(command="cancel", prediction=prediction, attempt=1)
    assert link.completed(prediction)["status"] in ("canceled", "succeeded")
    assert tell(link, "out = 'next'")["output"] == "next"


@pytest.mark.parametrize("seconds", [0, 0.001, 0.05])
def test_pieces_in_one_file(start, tmp_path, seconds):
    """Each is what it was when it was yielded, or the run fails."""
    link = start(write_model(tmp_path / "m", PIECES, inputs=PIECES_INPUTS, output=PIECES_OUTPUT)).ready()
    inputs = {"n": 12, "seconds": seconds}
    ends = []
    for _ in range(10):
        done = link.predict(**inputs, ack=False)
        pieces = [read(entry) for entry in done.get("output", [])]
        assert pieces == [f"piece {i}".encode() for i in range(len(pieces))], done
        if done["status"] == "succeeded":
            assert len(pieces) == 12
        else:
            assert "piece.txt" in done["error"] and "a file of its own" in done["error"], done
        ends.append(done["status"])
    assert seconds < 0.05 or "succeeded" in ends
    done = link.predict(**inputs, same=False, ack=False)
    assert done["status"] == "succeeded" and len(done["output"]) == 12


def test_a_run_after_one_that_was_ended_early(start, tmp_path):
    """Nothing that the socket still has of the run before is taken for its own."""
    link = start(write_model(tmp_path / "m", PIECES, inputs=PIECES_INPUTS, output=PIECES_OUTPUT)).ready()
    early = 0
    for _ in range(40):
        early += link.predict(n=12, ack=False)["status"] == "failed"
        done = link.predict(n=12, same=False, ack=False)
        assert done["status"] == "succeeded", done["error"]
        assert [read(entry) for entry in done["output"]] == [f"piece {i}".encode() for i in range(12)]
    assert early > 0


@pytest.mark.parametrize("code", ["out = 'x'", "raise ValueError(1)", SAVE + "out = [open(save('a', 'x'), 'rb'), io.BytesIO(b'y')]", "out = 'y' * 7_000_000"])
def test_the_folder_of_a_run_is_emptied(link, code):
    runs = link.director.dir / "runs"
    tell(link, code)
    wait_until(lambda: not list(runs.glob("*/*")), "the folder of the run to be emptied")


def test_the_folder_of_a_canceled_run_is_emptied(link):
    folder = link.director.dir / "runs" / "0"
    prediction = link.run(code="while True: time.sleep(0.01)")
    link.until(event="start")
    (folder / "left").write_text("by the model")
    link.send(command="cancel", prediction=prediction, attempt=1)
    link.completed(prediction)
    wait_until(lambda: not (folder / "left").exists(), "the folder of the run to be emptied")


# ---- Inputs and outputs


def test_large_inputs_and_outputs(link):
    extra = "é" * 5_000_000
    assert tell(link, "out = len(extra)", extra=extra)["output"] == len(extra)
    done = tell(link, "out = {'large': 'é' * 4_000_000, 'list': list(range(1000))}")
    assert done["output"] == {"large": "é" * 4_000_000, "list": list(range(1000))}


def test_unknown_and_optional_inputs(link):
    assert tell(link, "out = [extra, bare]", unknown=1)["output"] == [None, "d"]
    done = link.predict(code=1)
    assert done["status"] == "failed" and done["started_us"] is None
    assert done["error"].startswith("Input validation error: code: "), done


@pytest.mark.parametrize(
    "code, error",
    [
        ("out = 1\nfor _ in range(200): out = [out]", "nested deeper than the 127 levels"),
        ("out = {'x': float('nan')}", "NaN or Infinity"),
        ("out = 'half \\ud800'", "half of a character"),
        ("out = object()", ""),
        ("out = {1: {2, 3}, (4, 5): 6}", ""),
    ],
)
def test_output_that_is_no_json(link, code, error):
    """The run ends, the instance goes on."""
    done = tell(link, code)
    assert error in done.get("error", ""), done
    assert done["status"] == ("failed" if error else done["status"])
    assert tell(link, "out = 'next'")["output"] == "next"


def test_deep_output_that_is_json(link):
    done = tell(link, "out = 1\nfor _ in range(120): out = [out]")
    assert done["status"] == "succeeded" and json.dumps(done["output"]).count("[") == 120


def test_nothing_where_the_schema_wants_something(start, tmp_path):
    model = write_model(tmp_path / "m", MODEL, inputs=INPUTS, output={"type": "string"})
    link = start(model).ready()
    done = tell(link, "out = None")
    assert done["status"] == "failed" and "returned nothing" in done["error"]
    assert tell(link, "out = 'x'")["output"] == "x"
    model = write_model(tmp_path / "n", MODEL, inputs=INPUTS, output={"type": "string", "nullable": True})
    assert tell(start(model).ready(), "out = None")["status"] == "succeeded"


def test_metrics(link):
    code = (
        "record = current_scope().record_metric\n"
        "record('one', 1); record('one', 2)\n"
        "record('sum', 1, 'increment'); record('sum', 2, 'increment')\n"
        "record('list', 'a', 'append'); record('list', 'b', 'append')\n"
        "record('a.b.c', 1); record('a.b.d', 2, 'increment')\n"
    )
    done = tell(link, code)
    metrics = done["metrics"]
    assert metrics.pop("predict_time") > 0, done
    assert metrics == {"one": 2, "sum": 3, "list": ["a", "b"], "a": {"b": {"c": 1, "d": 2}}}
    heard = [(f["name"], f["value"], f["mode"]) for f in link.frames if f["event"] == "metric"]
    assert ("sum", 2, "increment") in heard and ("list", "b", "append") in heard
    assert tell(link, "raise ValueError(1)")["metrics"]["predict_time"] >= 0


# ---- Logs

CHILD = "subprocess.run(['sh', '-c', 'echo frame 1 of 2; echo frame 2 of 2 >&2'], check=True)"


def test_words_of_children_are_in_the_logs(link):
    for _ in range(20):
        done = tell(link, CHILD)
        assert sorted(done["logs"].splitlines()) == ["frame 1 of 2", "frame 2 of 2"], done
    done = tell(link, "print('own'); os.write(1, b'raw\\n'); os.write(2, b'raw\\n')")
    assert sorted(done["logs"].splitlines()) == ["own", "raw", "raw"]
    assert tell(link, "out = 1")["logs"] == ""


def test_words_between_runs_are_of_the_instance(link):
    tell(link, "subprocess.Popen(['sh', '-c', 'sleep 0.3; echo late'])")
    link.until(event="setup_log", data="late\n")
    assert tell(link, "out = 1")["logs"] == ""


@pytest.mark.parametrize("naps", [False, True])
def test_words_of_runs_that_follow_each_other(link, naps):
    """The next run begins before all that the last one printed has come."""
    said = {}
    for i in range(16):
        nap = "time.sleep(0.003); " if naps or i % 3 == 0 else ""
        code = f"{nap}os.write(1, b'out {i}\\n' * 50); os.write(2, b'err {i}\\n'); print('own {i}'); out = {i}"
        said[link.run(code=code)] = i
    for prediction, i in said.items():
        done = link.heard(event="completed", prediction=prediction)
        link.send(command="ack", prediction=prediction, attempt=1)
        assert done["status"] == "succeeded", done["error"]
        expected = sorted([f"out {i}"] * 50 + [f"err {i}", f"own {i}"])
        assert (done["output"], sorted(done["logs"].splitlines())) == (i, expected)


def test_words_that_several_runs_share(start, tmp_path):
    source = MODEL.replace("    def predict", "    async def predict").replace("import io", "import asyncio, io").replace(
        "exec(code, scope)", "exec(code, scope)\n        await asyncio.sleep(1)"
    )
    link = start(write_model(tmp_path / "m", source, inputs=INPUTS), slots=2).ready()
    first = link.run(code="print('quiet')")
    link.until(event="start", prediction=first)
    second = link.run(code=CHILD)
    done = {p: link.heard(event="completed", prediction=p)["logs"].splitlines() for p in (first, second)}
    shared = ["[shared] frame 1 of 2", "[shared] frame 2 of 2"]
    assert sorted(done[first]) == [*shared, "quiet"] and sorted(done[second]) == shared


# ---- The instance


def test_a_disk_limit(start, tmp_path, model):
    """What a run leaves in /tmp and in its folder counts; a run that goes on fails, and is not lost."""
    fill = "open(tempfile.gettempdir() + '/large', 'wb').write(b'x' * (3 << 20)); "
    model = write_model(tmp_path / "m", MODEL, inputs=INPUTS)
    director = start(model, max_disk=2 << 20)
    link = director.ready()
    assert tell(link, "out = 1")["output"] == 1
    running = link.run(code=fill + "time.sleep(600)")
    waiting = link.run(code="out = 2")
    why = "the files that the model keeps take more than 2 MiB (instance-disk)"
    done = link.completed(running)
    assert (done["status"], done["error_code"], done["error"]) == ("failed", "DISK_LIMIT", why)
    assert link.heard(event="completed", prediction=waiting)["error_code"] == "INSTANCE_LOST"
    assert link.heard(event="state", state="unhealthy")["error"] == why
    wait_until(lambda: not director.model_processes(), "the model to be gone")


def listeners(pids):
    """Of these processes, on TCP."""
    own = set()
    for pid in pids:
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            try:
                own.add(os.readlink(fd).removeprefix("socket:[").rstrip("]"))
            except OSError:
                continue
    lines = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return [line[1] for line in lines if line[3] == "0A" and line[9] in own]


def test_nothing_listens_on_tcp(link):
    tell(link, "out = 1")
    assert listeners([link.director.process.pid, *link.director.model_processes()]) == []
    assert not list((link.director.dir / "slots").iterdir())
    assert stat.S_IMODE((link.director.dir / "slots").stat().st_mode) == 0o700


def test_cancels_do_not_meet_the_next_run(link):
    for _ in range(30):
        prediction = link.run(code="time.sleep(0.01)")
        link.until(event="start", prediction=prediction)
        following = link.run(code="for _ in range(20): time.sleep(0.001)\nout = 1")
        link.send(command="cancel", prediction=prediction, attempt=1)
        assert link.heard(event="completed", prediction=prediction)["status"] in ("canceled", "succeeded")
        assert link.heard(event="completed", prediction=following)["status"] == "succeeded"


HEALTH = MODEL + '''
    def healthcheck(self):
        return not os.path.exists("sick")
'''


def test_health(start, tmp_path):
    link = start(write_model(tmp_path / "m", HEALTH, inputs=INPUTS)).ready()
    tell(link, "open('sick', 'w').close()")
    assert "Healthcheck failed" in link.until(event="state", state="unhealthy", timeout=30)["error"]
    source = HEALTH.replace('not os.path.exists("sick")', "False")
    failed = start(write_model(tmp_path / "n", source, inputs=INPUTS)).connect().until(event="state", state="failed")
    assert failed["error_code"] == "SETUP_FAILED"


def test_the_end_is_no_signal(start, tmp_path):
    """The worker is asked to end, so what it does then is done."""
    source = MODEL + "\nimport atexit\natexit.register(lambda: open(os.environ['HOME'] + '/ended', 'w').close())\n"
    director = start(write_model(tmp_path / "m", source, inputs=INPUTS))
    director.ready()
    assert director.stop() == 0
    assert (director.dir / "ended").exists()


# ---- A worker that is none

FAKE = '''#!{python}
import json, os, socket, struct, sys
if sys.argv[1] != "-c" or "PORT" in os.environ:
    os.execv("{python}", ["{python}", *sys.argv[1:]])

def read(n):
    data = b""
    while len(data) < n:
        data += os.read(0, n - len(data)) or sys.exit(1)
    return data

def frame(value):
    text = json.dumps(value).encode()
    return struct.pack(">I", len(text)) + text

def take(connection):
    data = connection.recv(4)
    return json.loads(connection.recv(struct.unpack(">I", data)[0]))

def say(value):
    os.write(1, frame(value))

def connect():
    slot = socket.socket(socket.AF_UNIX)
    slot.connect(init["transport_info"]["NamedSockets"]["dir"] + "/slot-0.sock")
    return slot

def healthy():
    say({{"type": "healthcheck_result", "id": asked()["id"], "status": "healthy"}})

def asked():
    return json.loads(read(struct.unpack(">I", read(4))[0]))

init = asked()
READY = {{"type": "ready", "slots": ["a"]}}
{code}
import time
time.sleep(100)
'''


def fake(start, tmp_path, model, code, **spec):
    folder = tmp_path / new_id()
    folder.mkdir()
    python = folder / "python"
    python.write_text(FAKE.format(python=VENV / "bin/python", code=code))
    python.chmod(0o755)
    return start(model, env={"PATH": f"{folder}:{VENV}/bin:/usr/bin:/bin"}, **spec)


@pytest.mark.parametrize(
    "code, why",
    [
        ("sys.exit(3)", ""),
        ("os.write(1, b'hello world')", "at most"),
        ("os.write(1, b'\\0\\0\\0\\x01x')", ""),
        ("say({'type': 'dance'})", "not known"),
        ("slot = connect(); say({'type': 'ready', 'slots': []})", "other slots"),
        ("slot = connect(); say({'type': 'ready'})", "names no slots"),
        ("say(READY)", "other slots"),
        ("slot = connect(); say(READY); slot.sendall(frame({'type': 'protocol_version', 'version': 2}))", "version 2"),
        ("slot = connect(); say({'type': 'fatal', 'reason': 'no reason'})", "no reason"),
        ("slot = connect(); say({'type': 'log'})", "has no 'data'"),
    ],
)
def test_a_worker_that_is_another_is_not_used(start, tmp_path, model, code, why):
    director = fake(start, tmp_path, model, code)
    link = director.ready()
    assert link.predict(s="x")["output"] == "x"
    log = director.log_text()
    assert "started again" in log and why in log, log
    assert listeners(director.model_processes())


RUN = "slot = connect(); say(READY); healthy(); run = take(slot)\n"
DONE = "slot.sendall(frame({'type': 'done', 'id': run['id'], 'predict_time': 1.0}))\n"


@pytest.mark.parametrize(
    "code, why",
    [
        ("slot.sendall(b'xxxx')", "at most"),
        ("slot.sendall(frame({'type': 'done', 'id': 'another', 'predict_time': 1}))", "not asked for"),
        (DONE + DONE, "a run twice"),
        ("slot.sendall(frame({'type': 'file_output'}))", "has no 'filename'"),
        ("say({'type': 'failed', 'slot': 'a', 'error': 'Socket write error'})", "gave up a slot: Socket write error"),
        ("say({'type': 'fatal', 'reason': 'a panic'})", "a panic"),
        ("os.write(1, b'\\0\\0\\0\\x02{}\\0\\0\\0\\x01x')", ""),
        ("slot.close()", "connection to the model's worker broke"),
        ("os._exit(3)", "exited with status 3"),
    ],
)
def test_a_worker_that_breaks_off_is_lost(start, tmp_path, model, code, why):
    director = fake(start, tmp_path, model, RUN + code)
    link = director.ready()
    done = link.predict(s="x")
    assert (done["status"], done["error_code"]) == ("failed", "INSTANCE_LOST"), done
    assert why in done["error"] and why in link.heard(event="state", state="unhealthy")["error"]
    wait_until(lambda: not director.model_processes(), "the worker to be gone")


IDLE = "say({'type': 'idle', 'slot': 'a'})\n"


@pytest.mark.parametrize("idle", [IDLE, ""])
def test_the_end_of_a_run_that_the_worker_did_not_outlive(start, tmp_path, model, idle):
    """It was told in full, so it is not lost."""
    director = fake(start, tmp_path, model, RUN + DONE + idle + "os._exit(3)")
    link = director.ready()
    assert link.predict(s="x")["status"] == "succeeded"
    link.heard(event="state", state="unhealthy")


FILE = "slot.sendall(frame({{'type': 'file_output', 'filename': {path}, 'kind': 'file_type'}}))\n".format
WAIT = "import time\nwhile not os.path.exists({go!r}): time.sleep(0.001)\n".format
KILL = "os.kill(os.getpid(), 9)"
TMP = "import tempfile\npath = tempfile.mkdtemp() + '/weights.txt'\nopen(path, 'w').write('learned')\n"


def end_unseen(director, link, go, **values):
    """A run whose model says all, and ends, before the director reads a word of it."""
    prediction = link.run(**values)
    link.heard(event="start", prediction=prediction)
    (worker,) = director.model_processes()
    os.kill(director.process.pid, signal.SIGSTOP)
    go.touch()
    state = Path(f"/proc/{worker}/stat")
    wait_until(lambda: state.read_text().rpartition(")")[2].split()[0] == "Z", "the worker to end")
    os.kill(director.process.pid, signal.SIGCONT)
    return link.heard(event="completed", prediction=prediction)


def test_files_of_a_run_that_the_worker_did_not_outlive(start, tmp_path, model):
    """Its /tmp goes with the instance, not with the process."""
    go = tmp_path / "go"
    director = fake(start, tmp_path, model, RUN + TMP + WAIT(go=str(go)) + FILE(path="path") + DONE + IDLE + KILL)
    done = end_unseen(director, director.ready(), go, s="x")
    assert done["status"] == "succeeded" and read(done["output"]) == b"learned", done
    assert done["output"]["$vend.file"]["name"] == "weights.txt"


def test_a_file_that_a_worker_takes_with_it(start, tmp_path, model):
    go = tmp_path / "go"
    code = RUN + TMP + WAIT(go=str(go)) + FILE(path="path") + DONE + IDLE + "os.unlink(path)\n" + KILL
    director = fake(start, tmp_path, model, code)
    done = end_unseen(director, director.ready(), go, s="x")
    assert (done["status"], done.get("error_code"), done["emitted"]) == ("failed", "INSTANCE_LOST", False), done
    assert not list((director.dir / "outputs").iterdir())


def test_a_worker_that_ends_while_a_large_file_is_taken(start, tmp_path, model):
    size = 200 << 20
    large = f"path = os.path.abspath('large.bin')\nopen(path, 'w').truncate({size})\n"
    director = fake(start, tmp_path, model, RUN + large + FILE(path="path") + DONE + IDLE)
    link = director.ready()
    prediction = link.run(s="x")
    wait_until(lambda: list((director.dir / "outputs").iterdir()), "the copy to begin")
    for process in director.model_processes():
        os.kill(process, signal.SIGKILL)
    done = link.heard(event="completed", prediction=prediction)
    if done["status"] == "succeeded":
        assert done["output"]["$vend.file"]["size"] == size
    else:
        assert done["error_code"] == "INSTANCE_LOST", done


# As with coglet's worker, 1 and 2 are pipes of its own; this one passes nothing on.
PIPES = """
control, printed = os.dup(1), os.pipe()
os.dup2(printed[1], 1)
os.dup2(printed[1], 2)

def say(value):
    os.write(control, frame(value))
"""
NEXT = PIPES + RUN + DONE + IDLE + "run = take(slot)\n"


@pytest.mark.parametrize(
    "code, ends",
    [
        ("say({'type': 'fatal', 'reason': 'a panic'})", ("succeeded", "failed")),
        ("slot.close(); os.kill(os.getpid(), 9)", ("succeeded", "failed")),
        (DONE + IDLE, ("succeeded", "succeeded")),
    ],
)
def test_the_next_run_harms_none_whose_words_are_awaited(start, tmp_path, model, code, ends):
    """Nor does a cancel of a run that is over harm the next one."""
    go = tmp_path / "go"
    wait = f"import time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.001)\n"
    director = fake(start, tmp_path, model, NEXT.replace(DONE, wait + DONE, 1) + code, cancel_grace_us=1_000)
    link = director.ready()
    first, second = link.run(s="x"), link.run(s="y")
    go.touch()
    link.heard(event="start", prediction=second)
    link.send(command="cancel", prediction=first, attempt=1)
    found = [link.heard(event="completed", prediction=prediction) for prediction in (first, second)]
    assert tuple(done["status"] for done in found) == ends, found


@pytest.mark.parametrize("old", [False, True])
def test_both_spellings(start, tmp_path, model, old):
    """`log` and `output` before coglet 0.20."""
    log, output = ("log", "output") if old else ("log_line", "output_chunk")
    said = f"slot.sendall(frame({{'type': '{log}', 'source': 'stdout', 'data': 'said'}}) + frame({{'type': '{output}', 'output': 'x', 'index': 0}}))\n"
    director = fake(start, tmp_path, model, RUN + said + DONE + "say({'type': 'idle', 'slot': 'a'})")
    done = director.ready().predict(s="x")
    assert (done["status"], done["output"], done["logs"], done["metrics"]) == ("succeeded", "x", "said", {"predict_time": 1.0})


def test_which_way_is_chosen(start, tmp_path, model):
    def venv(*versions):
        folder = tmp_path / new_id()
        for version in versions:
            (folder / "lib/python3.11/site-packages" / f"coglet-{version}.dist-info").mkdir(parents=True)
        return {"VIRTUAL_ENV": str(folder)}

    for env, way, why in (
        ({}, "worker", "is known"),
        (venv("0.22.0"), "worker", "coglet 0.22.0 is known"),
        (venv("9.0.0"), "http", "9.0.0 was not tried"),
        (venv(), "http", "version of coglet is not known"),
        (venv("0.22.0", "0.23.1"), "http", "version of coglet is not known"),
    ):
        director = start(model, env=env, model_server=None)
        assert director.ready().predict(s="x")["output"] == "x"
        line = next(line for line in director.log_text().splitlines() if "way to the model" in line)
        fields = json.loads(line)
        assert fields["model_server"] == way and why in fields["reason"], line

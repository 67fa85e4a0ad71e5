"""The director with a real coglet: what the control plane hears."""

import contextlib
import hashlib
import http.server
import json
import os
import signal
import socket
import threading
import time
import urllib.request
from pathlib import Path

import connections
import pytest
from director_client import Link, new_id, wait_until, write_model
from models import ASYNC, FAILING_SETUP, HANGING_SETUP, INPUTS, ITERATOR, ITERATOR_OUTPUT, PLAIN_INPUTS, SOURCE, TRAINER


@pytest.fixture
def ready(start):
    """A ready director of the many-moded model, and its link."""
    director = start()
    return director, director.ready()


def check_file(entry, name, kind, content):
    file = entry["$vend.file"]
    assert (file["name"], file["type"], file["size"]) == (name, kind, len(content))
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert Path(file["path"]).read_bytes() == content
    return file["path"]


def test_start_and_setup_logs(start):
    director = start()
    link = director.connect()
    hello = link.next()
    assert hello["event"] == "hello" and hello["protocol"] == 1
    assert hello["instance"] == director.spec["instance"] and hello["running"] == []
    assert hello["pid"] == director.process.pid
    ready = link.until(event="state", state="ready")
    assert ready["setup_us"] > 0
    assert "printed in setup\n" in ready["setup_logs"] or any(
        "printed in setup" in f.get("data", "") for f in link.frames
    )
    assert os.stat(director.dir / "director.sock").st_mode & 0o777 == 0o600


def test_events_of_a_run(ready):
    _, link = ready
    prediction = link.run(mode="wait", seconds=0)
    done = link.completed(prediction)
    events = [f["event"] for f in link.frames if f.get("prediction") == prediction]
    assert events[0] == "start" and events[-1] == "completed" and "log" in events
    assert done["status"] == "succeeded" and done["output"] == "waited"
    assert done["logs"] == "waiting\n" and done["metrics"]["predict_time"] > 0
    assert done["started_us"] <= done["completed_us"]
    assert abs(done["completed_us"] / 1e6 - time.time()) < 60
    assert "error" not in done and "error_code" not in done


def test_outputs_that_are_hard_to_write(ready):
    _, link = ready
    assert link.predict(mode="nothing")["output"] is None
    assert link.predict(mode="metric", n=7)["metrics"]["tokens"] == 7
    odd = link.predict(mode="odd")["output"]
    assert odd["nul"] == "a\ufffdb"
    assert odd["big"] == 2**63 + 7 and isinstance(odd["big"], int)
    assert odd["forged"] == {"_$vend.file": {"path": "/etc/passwd"}}


def test_failures_of_the_model(ready):
    _, link = ready
    done = link.predict(mode="fail", s="boom")
    assert (done["status"], done["error"]) == ("failed", "ValueError: boom")
    assert "about to fail" in done["logs"] and "error_code" not in done
    assert link.predict(mode="leave", n=3)["status"] == "failed"
    done = link.predict(n="many")
    assert done["status"] == "failed" and done["started_us"] is None
    assert done["error"].startswith("Input validation error: n: ")
    assert link.predict(s="still here")["output"] == "still here"


def test_iterator(start, tmp_path):
    model = write_model(tmp_path / "m", ITERATOR, inputs=PLAIN_INPUTS, output=ITERATOR_OUTPUT)
    link = start(model).ready()
    prediction = link.run(s="c", n=3, seconds=0.05)
    done = link.completed(prediction)
    chunks = [(f["index"], f["chunk"]) for f in link.frames if f["event"] == "output"]
    assert chunks == [(0, "c0"), (1, "c1"), (2, "c2")]
    assert done["output"] == ["c0", "c1", "c2"]
    done = link.predict(s="fail", n=2)
    assert done["status"] == "failed" and done["output"] == ["fail0", "fail1"]
    assert link.predict(s="", n=0)["output"] == []
    done = link.predict(s="crash", n=2, seconds=0.05)
    assert done["error_code"] == "INSTANCE_LOST" and done["emitted"] is True


def test_iterator_snapshot_after_reconnect(start, tmp_path):
    model = write_model(tmp_path / "m", ITERATOR, inputs=PLAIN_INPUTS, output=ITERATOR_OUTPUT)
    director = start(model)
    link = director.ready()
    prediction = link.run(s="c", n=40, seconds=0.05)
    link.until(event="output", index=2)
    again = director.connect()
    entry = again.next()["running"][0]
    assert entry["prediction"] == prediction and entry["started_us"] > 0
    assert entry["chunks"] >= 3 and entry["output"][:3] == ["c0", "c1", "c2"]
    first = again.until(event="output")
    assert first["index"] == entry["chunks"]
    assert len(again.completed(prediction)["output"]) == 40


@pytest.fixture
def file_model(tmp_path):
    """One string, perhaps a file, comes out: files are uploaded."""
    return write_model(tmp_path / "m", SOURCE, inputs=INPUTS, output={"type": "string"})


def test_uploaded_output_file(start, file_model):
    director = start(file_model)
    link = director.ready()
    done = link.predict(mode="save", s="hello world é.txt", ack=False)
    path = check_file(done["output"], "hello world é.txt", "text/plain", b"file 0")
    assert Path(path).parent == director.dir / "outputs"
    again = link.predict(mode="save", s="hello world é.txt", ack=False)
    assert again["output"]["$vend.file"]["path"] != path


def test_list_of_output_files_keeps_its_order(ready, way):
    _, link = ready
    for _ in range(10):
        done = link.predict(mode="save", n=5, ack=False)
        for i, entry in enumerate(done["output"]):
            name = "out.txt" if way == "worker" else f"output-{i}.txt" if i else "output.txt"
            check_file(entry, name, "text/plain", f"file {i}".encode())


def test_nested_data_uris_become_files(ready):
    director, link = ready
    done = link.predict(mode="nested", ack=False)
    content = b"\x89PNG\r\n\x1a\n"
    check_file(done["output"]["deep"]["a"][0], "output.png", "image/png", content)
    check_file(done["output"]["images"][0], "output-1.png", "image/png", content)
    check_file(done["output"]["images"][1], "output-2.png", "image/png", content)
    assert done["output"]["text"] == "data: not a file"
    for path in (director.dir / "outputs").iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_output_file_over_the_limit(start, file_model):
    link = start(file_model, max_output_file=4).ready()
    done = link.predict(mode="save")
    assert done["status"] == "failed" and done["error_code"] == "OUTPUT_TOO_LARGE"
    assert done["error"] == "an output file is larger than 4 bytes"
    assert link.predict(s="x")["status"] == "succeeded"


def test_input_file_of_this_machine(ready, tmp_path):
    _, link = ready
    (tmp_path / "in").write_bytes(b"12345")
    files = [{"at": ["file"], "path": str(tmp_path / "in"), "name": "../a cat.png"}]
    done = link.predict(mode="read", file="x", files=files)
    assert done["status"] == "succeeded", done
    assert done["output"]["name"].endswith("a cat.png") and done["output"]["size"] == 5
    done = link.predict(mode="read", file="data:text/plain;base64,aGVsbG8=")
    assert done["output"]["size"] == 5


class Files(http.server.BaseHTTPRequestHandler):
    def drip(self, piece):
        """A byte now and then, for ever."""
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(piece)
                time.sleep(0.1)

    def do_GET(self):
        if self.path.startswith("/silent"):
            self.rfile.read()
            return
        if self.path.startswith("/slow-head"):
            self.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
            self.drip(b"z")
            return
        if self.path.startswith("/slow"):
            self.send_response(200)
            self.end_headers()
            self.drip(b"z")
            return
        if self.path.startswith("/announces"):
            self.send_response(200)
            self.send_header("Content-Length", str(1 << 62))
            self.end_headers()
            self.drip(b"z" * 1000)
            return
        if self.path.startswith("/loop"):
            self.send_response(302)
            self.send_header("Location", self.path + "x")
            self.end_headers()
            return
        found = self.path.startswith("/found")
        self.send_response(200 if found else 404)
        self.end_headers()
        self.wfile.write(b"z" * 1000)

    def log_message(self, *args):
        pass


@pytest.fixture
def file_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.ways("worker")
def test_input_file_from_a_url(start, file_server):
    director = start(max_input_file=1000, input_allow="127.0.0.0/8")
    link = director.ready()
    at = {"at": ["file"]}
    done = link.predict(mode="read", file="x", files=[at | {"url": f"{file_server}/found/b.bin?x"}])
    assert done["output"]["name"].endswith("b.bin") and done["output"]["size"] == 1000
    for url in (f"{file_server}/lost", f"{file_server}/loop", "http://127.0.0.1:1/x", "file:///etc/passwd"):
        done = link.predict(mode="read", file="x", files=[at | {"url": url}])
        assert done["status"] == "failed" and done["error_code"] == "INPUT_DOWNLOAD_FAILED"
        assert done["error"].startswith(f"Input validation error: input.file: could not download {url}")
    wait_until(lambda: not list((director.dir / "inputs").iterdir()), "inputs to be removed")


@pytest.mark.ways("worker")
def test_input_file_over_the_limit(start, file_server):
    link = start(max_input_file=999, input_allow="127.0.0.1").ready()
    files = [{"at": ["file"], "url": f"{file_server}/found"}]
    done = link.predict(mode="read", file="x", files=files)
    assert done["error_code"] == "INPUT_DOWNLOAD_FAILED" and "larger than 999 bytes" in done["error"]


SLOW = {"input_stall_us": 1_000_000, "input_min_speed": 1000}


@pytest.mark.ways("worker")
@pytest.mark.parametrize(
    "path, spec, problem",
    [
        ("silent", SLOW, "Less than 1000 bytes/sec transferred the last 1 seconds"),
        ("slow", SLOW, "Less than 1000 bytes/sec transferred the last 1 seconds"),
        ("slow-head", SLOW, "Less than 1000 bytes/sec transferred the last 1 seconds"),
        ("slow", {"input_timeout_us": 1_500_000}, "timed out after 15"),
        ("slow-head", {"input_timeout_us": 1_500_000}, "timed out after 15"),
        ("announces", {"max_input_file": 1 << 20}, "larger than 1048576 bytes"),
        ("loop", {}, "Maximum (5) redirects followed"),
    ],
)
def test_input_url_that_takes_its_time(start, file_server, path, spec, problem):
    """Its slot is not held until the run's own time limit; the caller hears which input it was, and where from."""
    link = start(input_allow="127.0.0.1", **spec).ready()
    url = f"{file_server}/{path}"
    done = link.predict(mode="read", file="x", files=[{"at": ["file"], "url": url}])
    assert (done["status"], done["error_code"]) == ("failed", "INPUT_DOWNLOAD_FAILED")
    assert done["error"].startswith(f"Input validation error: input.file: could not download {url}: "), done
    assert problem in done["error"]
    assert link.predict(s="next")["output"] == "next"


def test_cancel(ready):
    director, link = ready
    prediction = link.run(mode="wait", seconds=100)
    link.until(event="start")
    link.send(command="cancel", prediction=prediction, attempt=1)
    done = link.completed(prediction)
    assert done["status"] == "canceled" and "error_code" not in done
    prediction = link.run(mode="wait", seconds=100)
    link.send(command="cancel", prediction=prediction, attempt=1)
    assert link.completed(prediction)["status"] == "canceled"
    assert link.predict(s="next")["output"] == "next"


def test_cancel_that_is_ignored(start):
    link = start(cancel_grace_us=300_000).ready()
    prediction = link.run(mode="stubborn", seconds=100)
    link.until(event="start")
    link.send(command="cancel", prediction=prediction, attempt=1)
    done = link.completed(prediction)
    assert done["status"] == "canceled" and done["error_code"] == "CANCEL_TIMEOUT"
    link.heard(event="state", state="unhealthy")


def test_predict_timeout(start):
    link = start(cancel_grace_us=300_000).ready()
    done = link.predict(mode="wait", seconds=100, timeout_us=200_000)
    assert (done["status"], done["error_code"]) == ("failed", "PREDICT_TIMEOUT")
    assert link.predict(s="next")["output"] == "next"
    done = link.predict(mode="stubborn", seconds=100, timeout_us=200_000)
    assert (done["status"], done["error_code"]) == ("failed", "PREDICT_TIMEOUT")
    link.heard(event="state", state="unhealthy")


def test_worker_crash(ready):
    _, link = ready
    done = link.predict(mode="crash", n=3)
    assert done["error_code"] == "INSTANCE_LOST" and done["emitted"] is False
    assert done["started_us"] is not None
    assert "crashed" in link.heard(event="state", state="unhealthy")["error"]
    done = link.predict(s="x")
    assert done["error_code"] == "INSTANCE_LOST" and done["emitted"] is False


def test_server_killed(ready):
    director, link = ready
    prediction = link.run(mode="stubborn", seconds=100)
    link.until(event="start")
    os.kill(director.model_pid(), signal.SIGKILL)
    done = link.completed(prediction)
    assert done["error_code"] == "INSTANCE_LOST"
    link.heard(event="state", state="unhealthy")
    wait_until(lambda: not director.model_processes(), "the worker to be gone")
    assert director.stop() == 0


def connections_to_model(director, way):
    """Descriptors of the director."""
    if way == "http":
        return connections.of_process(director.process.pid, socket.AF_INET)
    return connections.of_process(director.process.pid, socket.AF_UNIX, connections.is_slot)


BROKEN = {"http": "the connection to the model server broke", "worker": "the connection to the model's worker broke"}


def test_a_lost_run_is_told_when_the_model_is_gone(ready, way):
    director, link = ready
    running, waiting = link.run(mode="stubborn", seconds=100), link.run(s="x")
    link.until(event="start")
    for fd in connections_to_model(director, way):
        assert connections.cut(director.process.pid, fd)
    done = link.heard(event="completed", prediction=running)
    assert not director.model_processes()
    assert done["error_code"] == "INSTANCE_LOST" and BROKEN[way] in done["error"]
    assert done["started_us"] is not None
    assert "connection" in link.heard(event="state", state="unhealthy")["error"]
    assert link.heard(event="completed", prediction=waiting)["started_us"] is None


def test_other_runs_of_a_lost_one(start, tmp_path, way):
    model = write_model(tmp_path / "m", ASYNC, inputs=PLAIN_INPUTS)
    director = start(model, slots=2)
    link = director.ready()
    runs = [link.run(s="slow", seconds=100), link.run(s="slow", seconds=100)]
    for _ in runs:
        link.until(event="start")
    assert connections.cut(director.process.pid, connections_to_model(director, way)[-1])
    for prediction in runs:
        done = link.heard(event="completed", prediction=prediction)
        assert done["error_code"] == "INSTANCE_LOST" and "connection" in done["error"]
    assert not director.model_processes()


def test_neighbours_of_a_run_that_ignores_its_cancel(start, tmp_path, way):
    """Nothing more begins there, and what runs ends as if nothing had happened."""
    model = write_model(tmp_path / "m", ASYNC, inputs=PLAIN_INPUTS)
    director = start(model, slots=3, cancel_grace_us=200_000)
    link = director.ready()
    ignoring = link.run(s="slow", seconds=100)
    others = [link.run(s=f"good {i}", seconds=2) for i in range(2)]
    for _ in range(3):
        link.until(event="start")
    # As a model that is in a call that keeps the interpreter.
    workers = set(director.model_processes()) - ({director.model_pid()} if way == "http" else set())
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    link.send(command="cancel", prediction=ignoring, attempt=1)
    done = link.completed(ignoring)
    assert (done["status"], done["error_code"]) == ("canceled", "CANCEL_TIMEOUT")
    state = link.heard(event="state", state="unhealthy")
    assert state["drains"] is True and state["error"] == "the model ignored a cancel"
    again = director.connect()
    hello = again.until(event="hello")
    assert (hello["state"], hello["drains"], len(hello["running"])) == ("unhealthy", True, 2)
    assert again.completed(again.run(s="late"))["error_code"] == "INSTANCE_LOST"
    for pid in workers:
        os.kill(pid, signal.SIGCONT)
    for i, prediction in enumerate(others):
        done = again.heard(event="completed", prediction=prediction)
        assert (done["status"], done["output"]) == ("succeeded", f"good {i}"), done
    assert director.stop() == 0


def test_a_lost_run_is_known_until_it_is_told(start):
    director = start(stop_grace_us=1_000_000)
    link = director.ready()
    prediction = link.run(mode="stubborn", seconds=100)
    started = link.until(event="start")["at_us"]
    link.send(command="stop")
    link.until(event="state", state="stopping")
    again = director.connect()
    hello = again.until(event="hello")
    assert hello["running"] == [{"prediction": prediction, "attempt": 1, "started_us": started}]
    again.run(prediction, mode="stubborn", seconds=100)
    again.send(command="cancel", prediction=prediction, attempt=1)
    done = again.completed(prediction)
    assert not director.model_processes()
    assert done["error_code"] == "INSTANCE_LOST" and done["error"] == "the instance was stopped"
    again.until(event="state", state="stopped")
    assert [frame["event"] for frame in again.frames].count("completed") == 1
    assert director.process.wait(20) == 0 and not director.journal()


def test_many_logs(start, is_sanitized, way):
    if is_sanitized and way == "http":
        pytest.skip("the sanitizers' build falls behind the model server's events")
    director = start(max_logs=10_000)
    link = director.ready()
    done = link.completed(link.run(mode="lines", n=1_000_000), timeout=240)
    assert done["status"] == "succeeded", done
    assert done["logs"].endswith("[log truncated at 10000 bytes]\n")
    assert len(done["logs"]) == 10_000 + len("[log truncated at 10000 bytes]\n")
    live = "".join(f["data"] for f in link.frames if f["event"] == "log")
    assert live.startswith(done["logs"])  # and more when the run was done again
    status = Path(f"/proc/{director.process.pid}/status").read_text()
    peak_kib = int(next(line for line in status.splitlines() if "VmHWM" in line).split()[1])
    assert peak_kib < 400_000  # with the sanitizers' own share


def test_one_long_line(start):
    link = start(max_logs=10_000).ready()
    done = link.predict(mode="long_line", n=100_000_000)
    assert done["status"] == "succeeded", done
    assert done["logs"].startswith("y" * 10_000) and "truncated" in done["logs"][10_000:]


@pytest.mark.parametrize("size, status", [(1000 - 2, "succeeded"), (1000 - 1, "failed"), (50_000_000, "failed")])
def test_output_limit(start, size, status):
    link = start(max_output=1000).ready()
    done = link.predict(mode="large", n=size)
    assert done["status"] == status
    assert done.get("error_code") == (None if status == "succeeded" else "OUTPUT_TOO_LARGE")
    assert link.predict(s="next")["output"] == "next"


def test_iterator_output_limit(start, tmp_path):
    model = write_model(tmp_path / "m", ITERATOR, inputs=PLAIN_INPUTS, output=ITERATOR_OUTPUT)
    link = start(model, max_output=1000).ready()
    done = link.predict(s="x" * 90, n=1000)
    assert done["error_code"] == "OUTPUT_TOO_LARGE"
    assert link.predict(s="a", n=1)["output"] == ["a0"]


def kept_results(director_dir, outputs):
    """Journal entries as a director leaves them when nobody acknowledges."""
    journal = director_dir / "journal"
    journal.mkdir(parents=True)
    made = [new_id() for _ in outputs]
    for prediction, output in zip(made, outputs):
        frame = {
            "event": "completed",
            "prediction": prediction,
            "attempt": 1,
            "status": "succeeded",
            "output": output,
            "logs": "",
            "metrics": {},
            "started_us": 1,
            "completed_us": 2,
        }
        (journal / f"{prediction}.1.json").write_text(json.dumps(frame))
    return made


@pytest.mark.ways("worker")
def test_results_of_more_than_a_connection_holds(start, tmp_path):
    """They are told one after the other, and then it has caught up."""
    kept = kept_results(tmp_path / "d0", ["x" * 60_000_000 for _ in range(3)])
    link = start(max_output=1024, max_logs=1024).connect()
    told = set()
    while (frame := link.next()) and frame["event"] != "caught_up":
        if frame["event"] == "completed":
            assert len(frame["output"]) == 60_000_000
            told.add(frame["prediction"])
    assert frame and told == set(kept)


@pytest.mark.ways("worker")
def test_a_result_that_is_longer_than_a_frame(start, tmp_path):
    """It ends once, as too large, and the connection goes on."""
    (kept,) = kept_results(tmp_path / "d0", ["x" * 70_000_000])
    director = start(max_output=1024, max_logs=1024)
    link = director.connect()
    done = link.completed(kept)
    assert (done["status"], done["error_code"]) == ("failed", "OUTPUT_TOO_LARGE"), done
    assert "output" not in done and "bytes as JSON" in done["error"]
    link.heard(event="caught_up")
    link.heard(event="state", state="ready")
    assert link.predict(s="next")["output"] == "next"
    assert not director.journal()


def test_failing_setup(start, tmp_path):
    director = start(write_model(tmp_path / "m", FAILING_SETUP, inputs={}))
    link = director.connect()
    failed = link.until(event="state", state="failed")
    assert failed["error_code"] == "SETUP_FAILED" and "no weights here" in failed["error"]
    wait_until(lambda: not director.model_processes(), "the model to be gone")
    again = director.connect()
    hello = again.next()
    assert hello["state"] == "failed" and "no weights here" in hello["error"]
    assert "looking for weights" in hello["setup_logs"]
    assert again.predict(s="x")["error_code"] == "INSTANCE_LOST"


def test_hanging_setup(start, tmp_path):
    director = start(write_model(tmp_path / "m", HANGING_SETUP, inputs={}), setup_timeout_us=1_500_000)
    link = director.connect()
    failed = link.until(event="state", state="failed")
    assert failed["error_code"] == "SETUP_TIMEOUT" and "1.5 s" in failed["error"]
    wait_until(lambda: not director.model_processes(), "the model to be gone")


@pytest.mark.parametrize(
    "spec, text",
    [
        ({"argv": ["python", "-c", "print('x'); raise SystemExit('bad start')"]}, "bad start"),
        ({"argv": ["no-such-program"]}, "no-such-program"),
        ({"source": "/no/such/folder"}, "/no/such/folder"),
        ({"env": {"COG_PREDICT_TYPE_STUB": "missing.py:Predictor"}}, "missing.py"),
    ],
)
def test_server_that_does_not_start(start, spec, text):
    director = start(**spec)
    link = director.connect()
    hello = link.next()
    failed = hello if hello["state"] == "failed" else link.until(event="state", state="failed")
    assert failed["error_code"] == "SETUP_FAILED" and text in failed["error"]
    assert director.stop() == 0


def children(pid):
    """{pid: state} of what has this parent."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if entry.name.isdigit() and int(parent) == pid:
            found[int(entry.name)] = state
    return found


def test_orphans_are_reaped_whatever_group_they_lead(ready):
    director, link = ready
    for _ in range(2):
        assert link.predict(mode="orphans")["output"] == "left"
    adopted = wait_until(
        lambda: set(children(director.process.pid)) - {director.model_pid()}, "orphans to come to the director"
    )
    wait_until(lambda: not adopted & set(children(director.process.pid)), "the orphans to be reaped")
    assert link.predict(s="still here")["output"] == "still here"


def test_director_killed(ready):
    director, link = ready
    link.predict(mode="spawn")
    link.run(mode="stubborn", seconds=1000)
    link.until(event="start")
    server = director.model_pid()
    director.process.kill()
    director.process.wait()
    wait_until(lambda: not Path(f"/proc/{server}").exists(), "the server to be gone")


@pytest.mark.ways("worker")
def test_reconnect_hears_what_happened(ready):
    director, link = ready
    prediction = link.run(mode="wait", seconds=0.2)
    link.until(event="start")
    link.close()
    wait_until(director.journal, "the journal entry")
    assert director.journal() == [f"{prediction}.1.json"]
    for _ in range(2):
        again = director.connect()
        assert again.next()["running"] == []
        done = again.completed(prediction, ack=False)
        assert done["output"] == "waited"
    again.send(command="ack", prediction=prediction, attempt=1)
    wait_until(lambda: not director.journal(), "the journal to be empty")
    assert director.connect().next()["event"] == "hello"


@pytest.mark.ways("worker")
def test_acknowledged_at_once_is_not_journaled(ready):
    director, link = ready
    for _ in range(50):
        link.predict(s="x")
    wait_until(lambda: not director.journal(), "the journal to be empty")


@pytest.mark.ways("worker")
def test_journal_outlives_the_director(start):
    director = start()
    link = director.ready()
    done = link.predict(s="kept", ack=False)
    link.close()
    assert director.stop() == 0
    assert director.journal() == [f"{done['prediction']}.1.json"]
    assert not (director.dir / "director.sock").exists()
    assert not (director.dir / "director.pid").exists()
    assert not director.model_processes()


@pytest.mark.ways("worker")
def test_journal_outlives_a_killed_director(start):
    director = start()
    link = director.ready()
    prediction = link.run(mode="wait", seconds=0.2)
    link.until(event="start")
    link.close()
    wait_until(director.journal, "the journal entry")
    director.process.kill()
    director.process.wait()
    assert director.journal() == [f"{prediction}.1.json"]
    entry = json.loads((director.dir / "journal" / f"{prediction}.1.json").read_text())
    assert (entry["status"], entry["output"]) == ("succeeded", "waited")


@pytest.mark.ways("worker")
def test_newer_connection_replaces_the_older(ready):
    director, link = ready
    again = director.ready()
    assert link.next() is None
    assert again.predict(s="x")["output"] == "x"


@pytest.mark.ways("worker")
def test_repeated_run_is_ignored(ready):
    _, link = ready
    prediction = link.run(mode="wait", seconds=0.1)
    link.run(prediction, mode="wait", seconds=0.1)
    assert link.completed(prediction)["output"] == "waited"
    link.run(prediction, mode="wait", seconds=0.1)
    other = link.predict(s="other")
    assert [f["prediction"] for f in link.frames if f["event"] == "completed"] == [
        prediction,
        other["prediction"],
    ]
    assert link.completed(link.run(prediction, attempt=2, s="second"))["output"] == "second"


@pytest.mark.ways("worker")
def test_ping(ready):
    _, link = ready
    link.run(mode="wait", seconds=0.3)
    link.send(command="ping")
    assert link.until(event="pong") == {"event": "pong"}


@pytest.mark.ways("worker")
def test_no_free_slot(ready):
    _, link = ready
    first = link.run(mode="wait", seconds=0.5)
    prefetched = [link.run(s=str(i)) for i in range(16)]
    one_more = link.run(s="x")
    done = link.completed(one_more)
    assert done["error_code"] == "INSTANCE_LOST" and done["emitted"] is False
    assert link.completed(first)["status"] == "succeeded"
    assert [link.completed(made)["output"] for made in prefetched] == [str(i) for i in range(16)]


def test_runs_ahead_keep_their_order(ready):
    _, link = ready
    first = link.run(mode="wait", seconds=0.1)
    order = [first, link.run(s="0")]
    for i in range(1, 20):
        link.completed(order[i - 1])
        order.append(link.run(s=str(i)))
    assert link.completed(order[-1])["output"] == "19"
    assert [f["prediction"] for f in link.frames if f["event"] == "completed"] == order


@pytest.mark.ways("worker")
def test_cancel_of_a_run_ahead(ready):
    _, link = ready
    first = link.run(mode="wait", seconds=0.3)
    second = link.run(s="x")
    link.send(command="cancel", prediction=second, attempt=1)
    done = link.completed(second)
    assert done["status"] == "canceled" and done["started_us"] is None
    assert link.completed(first)["status"] == "succeeded"
    assert not [f for f in link.frames if f["event"] == "start" and f["prediction"] == second]


@pytest.mark.ways("http")
def test_a_cancel_that_nobody_asked_for_is_a_loss(ready):
    """The model server cancels a run when it takes its reader for gone; here it is told to."""
    director, link = ready
    made = link.run(mode="wait", seconds=30)
    link.until(event="start", prediction=made)
    environ = Path(f"/proc/{director.model_pid()}/environ").read_bytes().split(b"\0")
    port = next(int(item[5:]) for item in environ if item.startswith(b"PORT="))
    url = f"http://127.0.0.1:{port}/predictions/{made}/cancel"
    urllib.request.urlopen(urllib.request.Request(url, b"{}", method="POST"), timeout=10).close()
    done = link.completed(made)
    assert done["status"] == "failed" and done["error_code"] == "INSTANCE_LOST"
    assert "nobody had asked" in done["error"] and done["emitted"] is False


@pytest.mark.ways("worker")
def test_a_run_ahead_is_given_back(ready):
    _, link = ready
    first = link.run(mode="wait", seconds=0.3)
    second = link.run(s="x")
    for prediction in (first, second, second, "nothing"):
        link.send(command="give_back", prediction=prediction, attempt=1)
    given = link.until(event="given_back", prediction=second)
    assert given == {"event": "given_back", "prediction": second, "attempt": 1}
    assert link.completed(first)["status"] == "succeeded"
    # It may come here after all.
    assert link.completed(link.run(second, attempt=2, s="x"))["output"] == "x"
    assert len([f for f in link.frames if f["event"] == "given_back"]) == 1
    assert not [f for f in link.frames if f["event"] == "start" and f["attempt"] == 1 and f["prediction"] == second]


@pytest.mark.ways("worker")
def test_run_ahead_is_known_after_a_reconnect(ready):
    director, link = ready
    first = link.run(mode="wait", seconds=0.5)
    second = link.run(s="x")
    link.until(event="start")
    again = director.connect()
    hello = again.until(event="hello")
    listed = {run["prediction"]: run for run in hello["running"]}
    assert set(listed) == {first, second} and "started_us" not in listed[second]
    assert hello["ahead"] == 16
    again.run(second, s="x")
    assert again.completed(second)["output"] == "x"


def test_run_ahead_of_a_lost_server(ready):
    director, link = ready
    first = link.run(mode="wait", seconds=100)
    second = link.run(s="x")
    link.until(event="start")
    os.kill(director.model_pid(), signal.SIGKILL)
    for prediction in (first, second):
        done = link.heard(event="completed", prediction=prediction)
        assert done["error_code"] == "INSTANCE_LOST" and done["emitted"] is False
    assert done["started_us"] is None


def test_two_at_once(start, tmp_path):
    model = write_model(tmp_path / "m", ASYNC, inputs=PLAIN_INPUTS)
    link = start(model, slots=2).ready()
    slow = link.run(s="slow", seconds=0.5)
    fast = link.run(s="fast", seconds=0.1)
    assert link.completed(fast)["output"] == "fast"
    assert link.completed(slow)["output"] == "slow"


def test_stop_while_running(ready):
    director, link = ready
    prediction = link.run(mode="wait", seconds=100)
    link.until(event="start")
    link.send(command="stop")
    done = link.completed(prediction)
    assert done["error_code"] == "INSTANCE_LOST"
    link.until(event="state", state="stopped")
    assert director.process.wait(20) == 0
    assert not director.model_processes()


def test_stop_of_a_model_that_does_not(start):
    director = start(stop_grace_us=200_000)
    link = director.ready()
    link.predict(mode="spawn")
    link.run(mode="stubborn", seconds=1000)
    link.until(event="start")
    assert director.stop() == 0
    assert not director.model_processes()


def test_stop_during_setup(start, tmp_path):
    director = start(write_model(tmp_path / "m", HANGING_SETUP, inputs={}))
    director.connect().next()
    wait_until(director.model_processes, "the model")
    assert director.stop() == 0
    assert not director.model_processes()


@pytest.mark.ways("worker")
def test_orphan_timeout(start):
    director = start(orphan_timeout_us=100_000)
    director.ready().close()
    assert director.process.wait(30) == 0
    assert not director.model_processes()


@pytest.mark.ways("worker")
@pytest.mark.parametrize("garbage", [b"\xff\xff\xff\xff", b"\0\0\0\x02[]", b"\0\0\0\x05{oops"])
def test_garbage_closes_the_connection(ready, garbage):
    director, link = ready
    link.socket.sendall(garbage)
    assert link.next() is None
    assert director.connect().next()["event"] == "hello"


@pytest.mark.ways("worker")
def test_odd_commands_are_ignored(ready):
    _, link = ready
    link.send(command="dance")
    link.send(command="run", prediction="../../etc", attempt=1, input={})
    link.send(command="run", prediction=new_id(), input={})
    link.send(command="ack", prediction=new_id(), attempt=1)
    link.send(command="cancel", prediction=new_id(), attempt=1)
    assert link.predict(s="x")["output"] == "x"


@pytest.mark.ways("worker")
def test_second_director_is_kept_away(ready, start):
    director, link = ready
    import subprocess

    from director_client import BINARY

    second = subprocess.run([BINARY, "--dir", director.dir], capture_output=True, timeout=20)
    assert second.returncode == 1 and b"locked" in second.stderr
    assert link.predict(s="x")["output"] == "x"


def test_slow_reader_does_not_stop_the_run(start, tmp_path):
    model = write_model(tmp_path / "m", ITERATOR, inputs=PLAIN_INPUTS, output=ITERATOR_OUTPUT)
    director = start(model, max_output=50_000_000)
    link = director.ready()
    prediction = link.run(s="x" * 100_000, n=300)
    wait_until(director.journal, "the end of the run, unread")
    assert len(link.completed(prediction)["output"]) == 300


@pytest.mark.ways("http")
def test_no_event_stream(start, tmp_path):
    model = write_model(tmp_path / "m", SOURCE, inputs=INPUTS, streaming=False)
    director = start(model, max_logs=10_000)
    link = director.ready()
    done = link.predict(mode="wait", seconds=0.1)
    assert (done["status"], done["output"], done["logs"]) == ("succeeded", "waited", "waiting\n")
    assert done["started_us"] <= done["completed_us"]
    assert link.predict(mode="fail", s="boom")["error"] == "ValueError: boom"
    done = link.predict(mode="lines", n=1000)
    assert done["logs"].endswith("[log truncated at 10000 bytes]\n")
    prediction = link.run(mode="wait", seconds=100)
    link.until(event="start")
    link.send(command="cancel", prediction=prediction, attempt=1)
    assert link.completed(prediction)["status"] == "canceled"
    check_file(link.predict(mode="save", ack=False)["output"], "output.txt", "text/plain", b"file 0")
    assert link.predict(mode="crash", n=1)["error_code"] == "INSTANCE_LOST"


def test_training(start, tmp_path):
    model = write_model(tmp_path / "m", TRAINER, inputs=PLAIN_INPUTS, train=True)
    link = start(model, mode="train", env={"COG_TRAIN_TYPE_STUB": "predict.py:train"}).ready()
    done = link.predict(s="it", n=2)
    assert done["output"] == "trained it" and done["logs"] == "step 0\nstep 1\n"
    assert link.predict(s="fail")["error"] == "ValueError: cannot train"


def test_private_tmp(start, model, request, way):
    """Only where the folder is not itself under /tmp and the kernel allows it."""
    import shutil
    import tempfile

    base = Path(tempfile.mkdtemp(dir=Path(__file__).parent))
    request.addfinalizer(lambda: shutil.rmtree(base))
    own_model = shutil.copytree(model, base / "m")
    from director_client import Director

    director = Director(base / "d", own_model, model_server=way)
    request.addfinalizer(director.close)
    link = director.ready()
    where, entries = link.predict(mode="tmp")["output"]
    if "no private /tmp" in (director.dir / "director.log").read_text():
        pytest.skip("mount namespaces are not permitted")
    assert where == "/tmp" and ("coglet" in entries) == (way == "http")
    assert (director.dir / "tmp/coglet").is_dir() == (way == "http")
    link.predict(s="x")


def test_long_directory_names(start, tmp_path, model, request, way):
    from director_client import Director

    director = Director(tmp_path / ("x" * 120) / ("y" * 60), model, model_server=way)
    request.addfinalizer(director.close)
    assert director.ready().predict(s="x")["output"] == "x"

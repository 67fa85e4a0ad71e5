"""What a prediction was accepted with is there when it runs, whatever became of the file that was named."""

import hashlib
import http.server
import os
import sqlite3
import threading
import time

import pytest
import requests
from test_audit import audit

import processes
from waiting import wait_until

ONE_UNIT = ("--hardware-units", "1", "--max-instances", "1", "--starvation-bound", "0")


def blobs(server):
    return {p.name: p for p in (server.data / "blobs").glob("??/*") if len(p.name) == 64}


def sweep_all(server, *flags):
    """Kills the server; its next start removes every blob that nothing points to, however young."""
    server.kill()
    unused = []
    for n in range(16):
        content = f"nobody's {n} {time.time()}".encode()
        name = hashlib.sha256(content).hexdigest()
        path = server.data / "blobs" / name[:2] / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        unused.append(name)
    for path in blobs(server).values():
        os.utime(path, (time.time() - 8000,) * 2)
    server.start(*flags)
    wait_until(lambda: not set(unused) & set(blobs(server)), what="the sweep of blobs")


def rows(server, sql):
    database = sqlite3.connect(f"file:{server.data}/vend.db?mode=ro", uri=True)
    with database:
        found = database.execute(sql).fetchall()
    database.close()
    return found


def content(url):
    return requests.get(url, timeout=60).content


def occupy(api):
    """Nothing else runs until this is canceled."""
    blocker = api.create("echo", {"delay": 600})
    api.reaches(blocker, "processing")
    return blocker


def test_a_queue_longer_than_the_retention_of_the_named_output(servers):
    server = servers(*ONE_UNIT)
    api = server.api()
    first = api.run("image", {"image": "data:text/plain,abc"})
    blocker = occupy(api)
    queued = api.create("image", {"image": first["output"]})
    sweep_all(server, "--retention", "1s")
    api = server.api()
    wait_until(lambda: api.prediction(first)["data_removed"], what="the end of the output")
    path = first["output"].partition("/v1/")[2]
    api.get(f"/{path}", 404)
    sweep_all(server)
    audit(server, expect=set())
    api = server.api()
    assert api.prediction(queued)["status"] == "starting"
    api.cancel(blocker)
    done = api.ended(queued)
    assert done["status"] == "succeeded", done["error"]
    assert content(done["output"]) == b"ABC"


def test_files_that_were_deleted_after_the_create(servers):
    server = servers(*ONE_UNIT)
    api = server.api()
    version = {
        name: api.get(f"/models/lab/{name}").json()["latest_version"]["id"]
        for name in ("image", "trainer")
    }
    api.post("/models", {"owner": "lab", "name": "tuned", "visibility": "private", "hardware": "cpu"}, 201)
    deployment = {"name": "d", "model": "lab/image", "version": version["image"], "hardware": "cpu",
                  "min_instances": 0, "max_instances": 1}
    api.post("/deployments", deployment, 200)
    blocker = occupy(api)
    file = api.upload(b"mine", "mine.txt")
    inputs = {"image": file["urls"]["get"]}
    made = [
        api.create("image", inputs),
        api.create("image", inputs, prefer="wait=1", expect=202),
        api.post("/deployments/lab/d/predictions", {"input": inputs}, 201).json(),
    ]
    training = api.post(
        f"/models/lab/trainer/versions/{version['trainer']}/trainings",
        {"destination": "lab/tuned", "input": {"steps": 1, "data": file["urls"]["get"]}}, 201,
    ).json()
    canceled = api.create("image", inputs)
    assert len(rows(server, "SELECT * FROM prediction_inputs")) == 5
    api.delete(f"/files/{file['id']}", 204)
    api.cancel(canceled)
    sweep_all(server)
    audit(server, expect=set())
    api = server.api()
    api.cancel(blocker)
    for one in made:
        done = api.ended(one)
        assert done["status"] == "succeeded", done["error"]
        assert content(done["output"]) == b"MINE" and "mine.txt" in done["logs"]
    wait_until(
        lambda: api.get(f"/trainings/{training['id']}").json()["status"] == "succeeded",
        what="the end of the training",
    )

    # Nothing is kept for what has ended.
    assert rows(server, "SELECT * FROM prediction_inputs") == []
    sha256 = hashlib.sha256(b"mine").hexdigest()
    assert sha256 in blobs(server)
    sweep_all(server)
    assert sha256 not in blobs(server)
    audit(server, expect=set())


class Slow(http.server.ThreadingHTTPServer):
    """Answers once it may."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/slow.txt"
        self.asked = []
        self.may_answer = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words):
        pass

    def do_GET(self):
        self.server.asked.append(self.path)
        self.server.may_answer.wait(300)
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"slow")


@pytest.fixture
def slow():
    made = Slow()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.may_answer.set()
    made.shutdown()
    made.server_close()


def test_the_next_try_after_a_lost_instance_has_its_files(servers, slow):
    server = servers("--input-allow", "127.0.0.1/32")
    api = server.api()
    file = api.upload(b"mine", "mine.txt")
    made = api.create("files", {"files": [file["urls"]["get"], slow.url]})
    wait_until(lambda: slow.asked, what="the first try")
    api.delete(f"/files/{file['id']}", 204)
    for pid in processes.directors(server.data):
        processes.kill(pid)
    for pid in processes.models(server.data):
        processes.kill(pid)
    sweep_all(server)
    wait_until(lambda: len(slow.asked) > 1, what="the second try")
    slow.may_answer.set()
    done = server.api().ended(made)
    assert done["status"] == "succeeded", done["error"]
    assert [content(url) for url in done["output"]] == [b"MINE", b"SLOW"]

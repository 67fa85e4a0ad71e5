"""What is too much is cut or refused, in bounded memory."""

import base64

import pytest

import processes
from waiting import wait_until

MAX_LOGS = 1 << 20
FLAGS = ["--max-output", "16M", "--max-output-file", "8M", "--max-instances", "1"]
# Far above what is needed, far below what was sent; the sanitizers' own memory is in it.
BOUND_MIB = 500


def check_memory(server, directors):
    assert processes.memory_mib(server.pid()) < BOUND_MIB
    for pid in directors:
        assert processes.memory_mib(pid) < BOUND_MIB


def test_100_mib_of_logs(api, server, is_sanitized):
    if is_sanitized:
        pytest.skip("the sanitizers' build falls behind the model server's events")
    made = api.create("faulty", {"mode": "logs", "size": 100})
    api.reaches(made, "processing")
    directors = processes.directors(server.data)
    ended = api.ended(made, timeout=140)
    assert ended["status"] == "succeeded" and ended["output"] == "logged"
    assert 1000 < len(ended["logs"]) <= MAX_LOGS + 1024
    check_memory(server, directors)


@pytest.mark.parametrize("size", [17, 1024])
def test_output_that_is_too_large(api, server, size, is_sanitized):
    size = min(size, 128) if is_sanitized else size
    made = api.create("faulty", {"mode": "text", "size": size})
    api.reaches(made, "processing")
    directors = processes.directors(server.data)
    ended = api.ended(made, timeout=140)
    assert ended["status"] == "failed" and ended["error_code"] == "OUTPUT_TOO_LARGE", ended["error"]
    assert ended["output"] is None
    check_memory(server, directors)
    assert api.run("faulty", {"mode": "ok"})["output"] == "ok"


def test_large_output_that_fits(api):
    ended = api.run("faulty", {"mode": "text", "size": 12})
    assert ended["status"] == "succeeded" and len(ended["output"]) == 12 << 20


def sized(mib):
    return "data:text/plain;base64," + base64.b64encode(b"x" * (mib << 20)).decode()


def test_output_file_that_is_too_large(api, server):
    ended = api.run("image", {"image": sized(9)})
    assert ended["status"] == "failed", ended["output"]
    assert ended["error_code"] in ("OUTPUT_TOO_LARGE", "OUTPUT_UPLOAD_FAILED")
    wait_until(lambda: server.spool_files() == [], what="the spool to be empty")
    ended = api.run("image", {"image": sized(7)})
    assert ended["status"] == "succeeded", ended
    reply = api.session.get(ended["output"], timeout=60)
    assert len(reply.content) == 7 << 20


def test_inline_output_file_that_is_too_large(api):
    ended = api.run("faulty", {"mode": "file", "size": 9})
    assert ended["status"] == "failed"


def test_full_queue(servers):
    api = servers("--max-queue", "3", "--max-instances", "1").api()
    busy = api.create("echo", {"delay": 600})
    api.reaches(busy, "processing")
    made = [api.create("echo", {"text": "q"}) for _ in range(3)]
    reply = api.post("/models/lab/echo/predictions", {"input": {}}, 429)
    assert "queue" in reply.json()["detail"]
    assert reply.headers["Retry-After"] == "1"
    api.cancel(busy)
    assert all(api.ended(p)["status"] == "succeeded" for p in made)
    assert len(api.get("/predictions").json()["results"]) == 4

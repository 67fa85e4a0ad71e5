"""The core thread and the HTTP workers do not stand still, on a slow disk and with many bytes."""

import hashlib
import os
import pathlib

import pytest
from shim import Shim

ROOT = pathlib.Path(__file__).resolve().parents[2]
MIB = 1024 * 1024
# What a release build may take, and how much slower the sanitizers are.
CORE_US, WORKER_US, SANITIZERS = 50_000, 200_000, 4
# One sync is longer than any bound: whoever waits for one is found.
SYNC_DELAY_S = 1.0


@pytest.fixture
def slow(servers, tmp_path):
    """A server that measures its turns, on a disk that is slow when told."""
    built = pathlib.Path(os.environ.get("VEND_TEST_BUILD") or ROOT / "build-test")
    shim = Shim(built / "tests" / "soak" / "vend-fault-shim.so", tmp_path, tmp_path / "server-0" / "data")
    flags = ("--max-output", "64M", "--max-body", "64M")
    server = servers(*flags, start=False, env={**shim.env, "VEND_TURNS": "1"})
    server.env["ASAN_OPTIONS"] += ":verify_asan_link_order=0"
    return server.start(), shim


def check_turns(api):
    turns = api.debug()["turns"]
    assert turns["core"]["longest_us"] < CORE_US * SANITIZERS, turns
    assert turns["http"]["longest_us"] < WORKER_US * SANITIZERS, turns


def test_uploads_and_commits_on_a_slow_disk(slow):
    server, shim = slow
    api = server.api()
    shim.set_sync_delay(SYNC_DELAY_S)
    file = api.upload(os.urandom(30 * MIB), "large.bin", "application/octet-stream")
    assert api.get(f"/files/{file['id']}").json()["size"] == 30 * MIB

    content = os.urandom(30 * MIB)
    body = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    made = api.post("/uploads", body, 201).json()
    sent = {"Content-Type": "application/octet-stream", "Upload-Offset": "0"}
    done = api.call("PATCH", f"/uploads/{made['id']}", 200, data=content, headers=sent).json()
    assert done["complete"] is True

    api.post("/models", {"owner": "lab", "name": "late", "visibility": "private", "hardware": "cpu"}, 201)
    assert api.get("/models/lab/late").json()["name"] == "late"
    api.post("/accounts", {"username": "late"}, 201)
    assert "late" in [row["username"] for row in api.get("/accounts").json()["results"]]
    api.call("DELETE", "/models/lab/late", 204)
    api.get("/usage")
    check_turns(api)


def test_large_outputs(slow):
    server, _ = slow
    api = server.api()
    made = api.create("faulty", {"mode": "text", "size": 20})
    ended = api.ended(made)
    assert ended["status"] == "succeeded" and len(ended["output"]) == 20 * MIB
    page = api.get("/predictions").json()["results"]
    assert page[0]["id"] == made["id"]
    check_turns(api)


def test_large_inputs(slow):
    server, _ = slow
    api = server.api()
    text = "x" * (8 * MIB)
    ended = api.ended(api.create("echo", {"text": text}))
    assert ended["status"] == "succeeded" and ended["input"]["text"] == text
    check_turns(api)


def test_long_build_logs(slow):
    server, _ = slow
    api = server.api()
    pushed = server.cli("push", ROOT / "tests" / "models" / "echo", "lab/again")
    assert pushed.returncode == 0, pushed.stderr
    logs = sorted((server.data / "builds").glob("*.log"), key=lambda path: path.stat().st_mtime)
    lines = b"".join(b"line %09d of the log\n" % i for i in range(16 * MIB // 26))
    logs[-1].write_bytes(lines)
    reply = api.call("GET", f"/builds/{logs[-1].stem}/log", 200)
    assert reply.content == lines[-len(reply.content) :] and len(reply.content) == 128 * 1024
    check_turns(api)

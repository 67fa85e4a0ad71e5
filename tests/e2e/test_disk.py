"""The disk is slow, or full."""

import contextlib
import hashlib
import os
import signal
import sqlite3
import threading

import processes
from receiver import Receiver
from waiting import wait_until

FREE_AGAIN_S = 3


@contextlib.contextmanager
def refusing(server, table, condition="1"):
    """Inserts into the table fail, as on a disk without room for them."""
    with sqlite3.connect(server.data / "vend.db", timeout=30) as database:
        database.execute(
            f"CREATE TRIGGER refuse BEFORE INSERT ON {table} WHEN {condition} "
            "BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    yield
    with sqlite3.connect(server.data / "vend.db", timeout=30) as database:
        database.execute("DROP TRIGGER refuse")


def says(server, message):
    return any(record.get("message") == message for record in server.log())


def begun(server, api, **inputs):
    """A prediction that runs, all of which is on disk."""
    made = api.create("echo", {"text": "on", **inputs})
    api.reaches(made, "processing")
    wait_until(lambda: api.debug()["writes_waiting"] == 0, what="a quiet disk")
    return made


def test_a_stop_does_not_outrun_the_disk(shimmed):
    """Its time is over while the end of a run is being written."""
    server, shim = shimmed("--drain-timeout", "1s")
    api = server.api()
    made = begun(server, api, delay=1)
    shim.set_sync_delay(4)
    wait_until(lambda: api.debug()["writes_waiting"] > 0, what="the end to be written")
    assert server.stop() == 0
    shim.set_sync_delay(0)
    server.start()
    assert server.api().ended(made)["status"] == "succeeded"


def test_callers_are_answered_while_an_end_finds_no_room(shimmed):
    """In bounded time, with the row as it is on disk."""
    server, shim = shimmed()
    api = server.api()
    made = begun(server, api, delay=1)
    held = []
    waiting = threading.Thread(
        target=lambda: held.append(api.create("echo", {"text": "held", "delay": 2}, None, "wait=4"))
    )
    waiting.start()
    wait_until(lambda: len(api.get("/predictions").json()["results"]) == 2, what="both rows")
    shim.set_full(True)
    wait_until(lambda: says(server, "cannot store a result, trying again"), what="an end without room")
    assert api.prediction(made)["status"] in ("starting", "processing")
    waiting.join(30)
    assert held[0]["status"] in ("starting", "processing") and held[0]["id"]
    assert api.cancel(made, None)["status"] in (503, 507)
    shim.set_full(False)
    assert api.ended(made)["output"] == "on"
    assert api.ended(held[0])["output"] == "held"


def test_a_result_that_finds_no_room_is_kept(shimmed):
    server, shim = shimmed()
    api = server.api()
    made = begun(server, api, delay=1)
    shim.set_full(True)
    wait_until(
        lambda: any(r.get("prediction") == made["id"] for r in server.log() if r["level"] == "error"),
        what="a write that fails",
    )
    reply = api.create("echo", {"text": "refused"}, expect=None)
    assert reply["status"] == 507 and reply["title"] == "Insufficient storage"
    server.kill()
    server.spawn()
    wait_until(lambda: server.process.poll() is not None or server._listening(), what="a start")
    shim.set_full(False)
    server.kill()
    server.start()
    ended = server.api().ended(made)
    assert ended["status"] == "succeeded" and ended["output"] == "on"
    assert server.cli("doctor", "--audit", "--data", server.data).returncode == 0


def test_what_was_lost_while_the_disk_was_full_is_known(shimmed):
    server, shim = shimmed()
    api = server.api()
    made = api.create("stream", {"count": 1000, "delay": 0.1})
    wait_until(lambda: api.prediction(made)["output"], what="output")
    shim.set_full(True)
    for pid in processes.directors(server.data):
        processes.kill(pid)
    wait_until(
        lambda: any(r["message"].startswith("cannot store a result") for r in server.log()),
        what="a write that fails",
    )
    shim.set_full(False)
    assert api.ended(made)["error_code"] == "INSTANCE_LOST"
    ran = server.cli("doctor", "--audit", "--data", server.data)
    assert ran.returncode == 0, ran.stdout


def test_a_stop_while_the_disk_is_full(shimmed):
    server, shim = shimmed("--drain-timeout", "1s")
    api = server.api()
    made = begun(server, api, delay=0.5)
    shim.set_full(True)
    wait_until(
        lambda: any(r.get("prediction") == made["id"] for r in server.log() if r["level"] == "error"),
        what="a write that fails",
    )
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    shim.set_full(False)
    server.start()
    assert server.api().ended(made)["status"] == "succeeded"
    assert len(processes.directors(server.data)) <= 1


def test_a_start_that_finds_no_room_is_told_later(servers):
    server = servers("--webhook-allow", "127.0.0.0/8")
    api = server.api()
    receiver = Receiver()
    wants = {"webhook_events_filter": ["start", "completed"]}
    try:
        with refusing(server, "webhook_deliveries", "NEW.event = 'start'"):
            long = api.create("echo", {"delay": 8}, webhook=f"{receiver.url}/long", **wants)
            wait_until(lambda: says(server, "cannot store a lease, trying again"), what="a failure")
        (start,) = receiver.wait_for(1, "/long")
        assert start.json["id"] == long["id"] and start.json["status"] == "processing"
        with refusing(server, "webhook_deliveries", "NEW.event = 'start'"):
            short = api.create("echo", {"delay": 0.5}, webhook=f"{receiver.url}/short", **wants)
            wait_until(
                lambda: says(server, "cannot store a result, trying again"), what="an end that fails"
            )
        told = [message.json["status"] for message in receiver.wait_for(2, "/short")]
        assert told == ["processing", "succeeded"]
        assert api.ended(short)["status"] == "succeeded"
        told = [message.json["status"] for message in receiver.wait_for(2, "/long")]
        assert told == ["processing", "succeeded"]
    finally:
        receiver.close()


def test_a_lost_attempt_that_finds_no_room_is_kept(servers):
    server = servers()
    api = server.api()
    made = api.create("echo", {"text": "again", "delay": 1})
    api.reaches(made, "processing")
    with refusing(server, "attempts"):
        for pid in processes.directors(server.data):
            processes.kill(pid)
        wait_until(
            lambda: says(server, "cannot store a lost attempt, trying again"), what="a failure"
        )
    assert api.ended(made)["output"] == "again"
    story = api.get(f"/predictions/{made['id']}/explanation").json()
    assert "lost" in str(story), story
    database = sqlite3.connect(server.data / "vend.db")
    query = "SELECT outcome FROM attempts WHERE prediction = ?"
    wait_until(lambda: database.execute(query, (made["id"],)).fetchall() == [("lost",)], what="it")
    database.close()


def blobs(server):
    return {path for path in server.data.glob("blobs/??/*")}


def is_unstored(server, made):
    message = "cannot store a result, trying again"
    return any(r.get("message") == message and r.get("prediction") == made["id"] for r in server.log())


def sources(server):
    return list(server.data.glob("instances/*/outputs/*"))


def test_a_file_whose_result_finds_no_room_is_kept(servers):
    """Nothing points to its bytes for a long time, and the server is started meanwhile."""
    server = servers()
    api = server.api()
    before = blobs(server)
    for round in range(3):
        with refusing(server, "outputs"):
            made = api.create("faulty", {"mode": "file", "size": round + 1})
            wait_until(lambda: is_unstored(server, made), what="a write that fails")
            (blob,) = blobs(server) - before
            os.utime(blob, (0, 0))
            server.kill()
            server.start()
            wait_until(lambda: is_unstored(server, made), what="the next one")
        api = server.api()
        ended = api.ended(made)
        assert ended["status"] == "succeeded", ended
        reply = api.session.get(ended["output"])
        assert reply.status_code == 200 and len(reply.content) == (round + 1) << 20
        before = blobs(server)
        wait_until(lambda: sources(server) == [], what="the director's file to go")


def test_a_file_that_finds_no_room_is_kept(shimmed):
    """It is not even in the file store."""
    server, shim = shimmed()
    api = server.api()
    made = api.create("faulty", {"mode": "late_file", "size": 2, "seconds": 1})
    api.reaches(made, "processing")
    wait_until(lambda: api.debug()["writes_waiting"] == 0, what="a quiet disk")
    server.signal(signal.SIGSTOP)
    wait_until(lambda: list(server.data.glob("instances/*/journal/*.json")), what="the journal")
    shim.set_full(True)
    server.signal(signal.SIGCONT)
    wait_until(lambda: is_unstored(server, made), what="a file that finds no room")
    shim.set_full(False)
    ended = api.ended(made)
    assert ended["status"] == "succeeded", ended
    assert len(api.session.get(ended["output"]).content) == 2 << 20
    wait_until(lambda: sources(server) == [], what="the director's file to go")


def send_piece(api, upload, offset, content):
    headers = {"Content-Type": "application/octet-stream", "Upload-Offset": str(offset)}
    return api.call("PATCH", f"/uploads/{upload['id']}", data=content, headers=headers)


def send_and_be_cut_off(server, upload, content):
    with contextlib.suppress(OSError):
        send_piece(server.api(), upload, 0, content)


def test_an_upload_is_complete_once_its_hash_was_checked(shimmed):
    """All bytes are there, wrong ones, and the server is killed before it looks at them."""
    server, shim = shimmed()
    api = server.api()
    content, wrong = os.urandom(50_000), os.urandom(50_000)
    sha256 = hashlib.sha256(content).hexdigest()
    announced = {"sha256": sha256, "size": len(content)}
    upload = api.post("/uploads", announced, 201).json()
    wanted = {"source_sha256": sha256, "upload": upload["id"]}
    shim.set_sync_delay(20)
    sender = threading.Thread(target=send_and_be_cut_off, args=(server, upload, wrong))
    sender.start()
    files = server.data / "uploads"
    wait_until(lambda: [p for p in files.iterdir() if p.stat().st_size == len(wrong)], what="it")
    api.post("/models/lab/echo/builds", wanted, 409)
    assert api.get(f"/uploads/{upload['id']}").json()["complete"] is False
    server.kill()
    sender.join()
    shim.set_sync_delay(0)
    server.start()
    api = server.api()
    api.post("/models/lab/echo/builds", wanted, 409)
    stands = api.post("/uploads", announced, 200).json()
    assert stands == {**upload, "offset": len(content) - 1}
    refused = send_piece(api, upload, stands["offset"], content[-1:])
    assert refused.status_code == 422 and "sha256" in refused.json()["detail"]
    assert not list(files.iterdir())
    again = api.post("/uploads", announced, 201).json()
    assert send_piece(api, again, 0, content).json()["complete"] is True

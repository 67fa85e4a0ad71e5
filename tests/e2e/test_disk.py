"""The disk is slow, or full."""

import signal

import processes
from waiting import wait_until

FREE_AGAIN_S = 3


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
    assert reply["status"] >= 500 and "id" not in reply
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

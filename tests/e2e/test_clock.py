"""The wall clock is set forward and back while work is under way."""

import sqlite3
from datetime import datetime

import pytest

import processes
from receiver import Receiver
from waiting import wait_until


@pytest.fixture
def shifted(shimmed):
    """A server whose clock, and that of its directors, can be set."""
    return shimmed("--webhook-allow", "127.0.0.0/8")


def seconds(prediction):
    times = [datetime.fromisoformat(prediction[f"{n}_at"]) for n in ("created", "started", "completed")]
    assert times == sorted(times), prediction
    return (times[2] - times[1]).total_seconds()


def check_books(server):
    ran = server.cli("doctor", "--audit", "--data", server.data)
    assert ran.returncode == 0, ran.stdout


def test_set_forward_while_it_runs(shifted):
    server, shim = shifted
    api = server.api()
    assert api.run("echo", {"text": "warm"})["status"] == "succeeded"
    directors = processes.directors(server.data)
    made = api.create("echo", {"text": "on", "delay": 2}, cancel_after="10m")
    api.reaches(made, "processing")
    shim.step_clock(7200)
    ended = api.ended(made)
    assert ended["status"] == "succeeded" and seconds(ended) < 600
    # Two hours are no reason to give anything up that is there.
    assert processes.directors(server.data) == directors
    check_books(server)


def test_set_back_while_it_runs(shifted):
    server, shim = shifted
    api = server.api()
    assert api.run("echo", {"text": "warm"})["status"] == "succeeded"
    made = api.create("echo", {"text": "on", "delay": 3})
    api.reaches(made, "processing")
    shim.step_clock(-7200)
    held = api.create("echo", {"text": "held"}, prefer="wait=1", expect=None)
    assert held["status"] in ("starting", "succeeded")
    assert api.ended(made)["status"] == "succeeded"
    assert seconds(api.prediction(made)) < 600
    canceled = api.create("echo", {"text": "c", "delay": 600}, cancel_after="5s")
    assert api.ended(canceled)["status"] in ("canceled", "aborted")
    # A lost attempt and the next one are told apart by their times, too.
    lost = api.create("echo", {"text": "lost", "delay": 3})
    api.reaches(lost, "processing")
    shim.step_clock(-60)
    for pid in processes.directors(server.data):
        processes.kill(pid)
    assert api.ended(lost)["status"] == "succeeded"
    seconds(api.prediction(lost))
    check_books(server)


def test_time_of_instances_goes_on_behind_a_clock_that_was_set_back(shifted):
    server, shim = shifted
    api = server.api()
    assert api.run("echo", {"text": "warm"})["status"] == "succeeded"
    shim.step_clock(-1800)
    assert api.run("echo", {"text": "on", "delay": 3})["status"] == "succeeded"
    api.get("/usage/statement")
    database = sqlite3.connect(server.data / "vend.db")
    active_us = database.execute("SELECT sum(active_us) FROM instance_usage").fetchone()[0]
    database.close()
    assert 3_000_000 <= active_us < 600_000_000
    check_books(server)


def test_webhooks_do_not_wait_for_a_clock_that_was_set_back(shifted):
    server, shim = shifted
    receiver = Receiver()
    receiver.answers("/w", 503, 200)
    try:
        shim.step_clock(7200)
        server.api().run(
            "echo", {}, webhook=f"{receiver.url}/w", webhook_events_filter=["completed"]
        )
        receiver.wait_for(1, "/w")
        shim.step_clock(-7200)
        receiver.wait_for(2, "/w")
    finally:
        receiver.close()


def test_usage_is_of_accepted_attempts_only(api, server):
    made = api.create("stream", {"count": 1000, "delay": 0.1})
    api.reaches(made, "processing")
    # It is not run again once it has returned something.
    wait_until(lambda: api.prediction(made)["output"], what="output")
    for pid in processes.directors(server.data):
        processes.kill(pid)
    assert api.ended(made)["error_code"] == "INSTANCE_LOST"
    database = sqlite3.connect(server.data / "vend.db")
    rows = database.execute("SELECT * FROM usage WHERE prediction = ?", (made["id"],)).fetchall()
    database.close()
    assert rows == []
    check_books(server)

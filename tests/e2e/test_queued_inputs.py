"""Inputs of predictions that wait do not stay in memory, and are there when they are needed."""

import sqlite3

import processes
import pytest
from receiver import Receiver
from waiting import wait_until

ONE_UNIT = ("--hardware-units", "1", "--max-instances", "1", "--starvation-bound", "0")
TEXT_BYTES = 2 << 20
N = 60


def text(n):
    return f"{n:03d} " + "x" * TEXT_BYTES


def occupy(api):
    blocker = api.create("echo", {"delay": 600})
    api.reaches(blocker, "processing")
    return blocker


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def memory(server):
    return processes.memory_mib(server.process.pid)


def test_a_long_queue_over_a_restart(servers):
    server = servers(*ONE_UNIT)
    server.kill()
    api = server.start().api()
    fresh = memory(server)
    blocker = occupy(api)
    queued = [api.create("echo", {"text": text(n)}) for n in range(N)]
    server.kill()
    api = server.start().api()
    wait_until(lambda: api.prediction(queued[-1]).get("queue"), what="the queue")
    assert memory(server) - fresh < N * TEXT_BYTES / 2 / (1 << 20)

    for n in (0, N - 1):
        shown = api.prediction(queued[n])
        assert shown["status"] == "starting" and shown["input"]["text"] == text(n)
    api.cancel(blocker)
    for n, one in enumerate(queued):
        done = api.ended(one, 300)
        assert (done["status"], done["output"], done["input"]["text"]) == ("succeeded", text(n), text(n))


def test_all_who_are_told_of_one_that_waits(servers, receiver):
    server = servers(*ONE_UNIT, "--webhook-allow", "127.0.0.0/8")
    api = server.api()
    blocker = occupy(api)
    # They take the room that there is for inputs.
    filler = [api.create("echo", {"text": "f" * (31 << 20)}) for _ in range(2)]
    hook = {"webhook": receiver.url, "webhook_events_filter": ["completed"]}
    canceled = api.create("echo", {"text": text(1)}, **hook)
    dated = api.create("echo", {"text": text(2)}, cancel_after="5s")
    held = api.create("echo", {"text": text(3)}, prefer="wait=1", expect=202)
    secret = api.create("types", {"text": "four", "count": 1, "tags": [text(4)], "key": "a-secret-key"})
    runs = api.create("echo", {"text": text(5)})
    assert held["input"]["text"] == text(3)
    assert api.prediction(held)["input"]["text"] == text(3)
    assert api.prediction(secret)["input"]["key"] == "**********"

    reply = api.cancel(canceled)
    assert (reply["status"], reply["input"]["text"]) == ("canceled", text(1))
    assert api.prediction(canceled)["input"]["text"] == text(1)
    wait_until(lambda: receiver.got(), what="the webhook")
    told = receiver.got()[0].json
    assert told["input"]["text"] == text(1)
    assert api.cancel(secret)["input"]["key"] == "**********"
    database = sqlite3.connect(f"file:{server.data}/vend.db?mode=ro", uri=True)
    stored = database.execute("SELECT input FROM predictions WHERE id = ?", (secret["id"],)).fetchone()
    database.close()
    assert "a-secret-key" not in stored[0] and text(4) in stored[0]

    ended = api.ended(dated)
    assert (ended["status"], ended["input"]["text"]) == ("aborted", text(2))
    for one in (*filler, held, blocker):
        api.cancel(one)
    assert api.ended(runs)["output"] == text(5)


def test_one_that_is_lost_runs_again(servers):
    server = servers(*ONE_UNIT)
    api = server.api()
    blocker = occupy(api)
    queued = api.create("echo", {"text": "again", "delay": 1})
    server.kill()
    api = server.start().api()
    api.cancel(blocker)
    api.reaches(queued, "processing")
    for pid in processes.directors(server.data):
        processes.kill(pid)
    done = api.ended(queued)
    assert (done["status"], done["output"]) == ("succeeded", "again")

"""Held requests, time limits, cancel."""

import threading
import time

import pytest

from waiting import wait_until


@pytest.mark.parametrize("prefer", ["wait", "wait=10", "wait=5000", "wait=2.5", "wait = 20", "respond-async, wait=30"])
def test_finished_in_time(api, prefer):
    reply = api.post(
        "/models/lab/echo/predictions", {"input": {"text": "now"}}, 201, headers={"Prefer": prefer}
    )
    body = reply.json()
    assert body["status"] == "succeeded" and body["output"] == "now" and body["completed_at"]
    assert reply.headers["Preference-Applied"].startswith("wait")
    assert reply.headers["Location"] == body["urls"]["get"]


def test_preference_is_repeated(api):
    for prefer in ("wait", "wait=10"):
        reply = api.post("/models/lab/echo/predictions", {"input": {}}, headers={"Prefer": prefer})
        assert reply.headers["Preference-Applied"] == prefer


@pytest.mark.parametrize("prefer", [None, "respond-async", "wait=x", "waiting", "wait=-5", "wait=nan"])
def test_not_held(api, prefer):
    headers = {"Prefer": prefer} if prefer else {}
    reply = api.post(
        "/models/lab/echo/predictions", {"input": {"delay": 1}}, 201, headers=headers
    )
    body = reply.json()
    assert body["status"] == "starting" and body["output"] is None
    assert "Preference-Applied" not in reply.headers
    assert reply.headers["Location"] == body["urls"]["get"]
    api.cancel(body)


@pytest.mark.parametrize("prefer", ["wait=1", "wait=0", "wait=0.2", "wait=1.5"])
def test_ran_out(api, prefer):
    """202 with starting and no output, whatever the model has done so far."""
    warm = api.run("stream", {"count": 1})
    assert warm["status"] == "succeeded"
    reply = api.post(
        "/models/lab/stream/predictions",
        {"input": {"count": 200, "delay": 0.05}},
        202,
        headers={"Prefer": prefer},
    )
    body = reply.json()
    assert body["status"] == "starting" and body["output"] is None
    assert body["completed_at"] is None and body["started_at"] is None
    now = api.reaches(body, "processing")
    wait_until(lambda: len(api.prediction(body)["output"] or []) > 2, what="chunks")
    assert now["output"] is None or now["output"][0] == "chunk 0"
    api.cancel(body)
    ended = api.ended(body)
    assert ended["status"] == "canceled" and ended["error"] is None


def test_failed_in_time(api):
    body = api.create("faulty", {"mode": "throw"}, 201, prefer="wait")
    assert body["status"] == "failed" and "boom" in body["error"] and "about to fail" in body["logs"]
    assert body["output"] is None


def test_a_client_that_leaves_cancels_nothing(api, server):
    import requests

    with pytest.raises(requests.exceptions.Timeout):
        api.post(
            "/models/lab/echo/predictions",
            {"input": {"text": "left", "delay": 1.5}},
            headers={"Prefer": "wait"},
            timeout=(5, 0.5),
        )
    found = wait_until(
        lambda: [
            p for p in api.get("/predictions").json()["results"] if p["input"].get("text") == "left"
        ]
    )
    assert api.ended(found[0])["status"] == "succeeded"


@pytest.mark.parametrize("value", ["4", "4s", "4.9", "0", "x", "", "-10", "5x", "1e400"])
def test_wrong_cancel_after(api, value):
    reply = api.post(
        "/models/lab/echo/predictions", {"input": {}}, 422, headers={"Cancel-After": value}
    )
    assert "Cancel-After" in reply.json()["detail"]


@pytest.mark.parametrize("value", ["5", "45s", "2m", "1h5m10s"])
def test_deadline_is_shown(api, value):
    body = api.create("echo", {}, cancel_after=value)
    assert body["deadline"] > body["created_at"]


def test_cancel_after_while_it_runs(api):
    body = api.create("echo", {"delay": 600}, cancel_after="5")
    assert api.reaches(body, "processing")["deadline"]
    ended = api.ended(body)
    assert ended["status"] == "canceled" and ended["started_at"]
    assert ended["metrics"]["total_time"] >= 4.9


def test_cancel_after_before_it_starts(servers):
    server = servers("--max-instances", "1")
    api = server.api()
    busy = api.create("echo", {"delay": 600})
    api.reaches(busy, "processing")
    waiting = api.create("echo", {"text": "late"}, cancel_after="5")
    ended = api.ended(waiting)
    assert ended["status"] == "aborted" and ended["started_at"] is None
    assert api.prediction(busy)["status"] == "processing"
    # A held request hears of it too.
    held = api.create("echo", {}, 201, prefer="wait", cancel_after="5")
    assert held["status"] == "aborted"

    queued = api.create("echo", {"text": "queued"})
    assert api.cancel(queued)["status"] == "canceled"
    assert api.prediction(queued)["started_at"] is None
    assert api.debug()["queued"] == 0

    assert api.cancel(busy)["status"] in ("processing", "canceled")
    ended = api.ended(busy)
    assert ended["status"] == "canceled" and ended["error"] is None
    # The instance lives on.
    starts = api.debug()["instance_starts"]
    assert api.run("echo", {"text": "next"})["output"] == "next"
    assert api.debug()["instance_starts"] == starts


def test_cancel_of_what_has_ended(api):
    for inputs in ({"mode": "ok"}, {"mode": "throw"}):
        ended = api.run("faulty", inputs)
        again = api.cancel(ended)
        assert again == ended and api.prediction(ended) == ended


def test_cancel_of_nothing(api):
    for name in ("nothing", "x" * 26, "a.b"):
        api.post(f"/predictions/{name}/cancel", expect=404)


def test_many_cancel_at_once(api, server):
    body = api.create("echo", {"delay": 600})
    api.reaches(body, "processing")
    statuses = []

    def cancel():
        statuses.append(server.api().cancel(body)["status"])

    threads = [threading.Thread(target=cancel) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {"processing", "canceled"}
    assert api.ended(body)["status"] == "canceled"


def test_a_held_request_hears_of_the_cancel(api, server):
    results = []

    def hold():
        results.append(
            server.api().create("echo", {"text": "hold me", "delay": 600}, 201, prefer="wait")
        )

    thread = threading.Thread(target=hold)
    thread.start()
    found = wait_until(
        lambda: [
            p
            for p in api.get("/predictions").json()["results"]
            if p["input"].get("text") == "hold me" and p["status"] == "processing"
        ]
    )
    began = time.monotonic()
    api.cancel(found[0])
    thread.join(30)
    assert results and results[0]["status"] == "canceled" and time.monotonic() - began < 30

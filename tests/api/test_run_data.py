"""Removing the data of a run at once, and sharing a run by a link."""

import json
import sqlite3

import pytest
import requests

PICTURE = "data:text/plain;base64,YWJj"


@pytest.fixture(scope="module")
def api(server):
    return server.api()


@pytest.fixture(scope="module")
def stranger(api, server):
    api.post("/accounts", {"username": "stranger"}, 201)
    body = {"name": "t", "scopes": ["read", "run"], "account": "stranger"}
    return server.api(api.post("/tokens", body, 201).json()["token"])


def shared(link, server):
    """What somebody without a token sees."""
    return requests.get(f"{server.url}/v1/shared/{link.rpartition('/')[2]}", timeout=60)


def test_data_go_at_once(api):
    made = api.run("image", {"image": PICTURE})
    url = made["output"]
    assert requests.get(url, timeout=60).status_code == 200
    api.delete(f"/predictions/{made['id']}", 204)
    left = api.prediction(made)
    assert left["data_removed"] and left["status"] == "succeeded"
    assert (left["input"], left["output"], left["logs"]) == ({}, None, "")
    assert left["metrics"]["total_time"] == made["metrics"]["total_time"]
    assert requests.get(url, timeout=60).status_code == 404
    api.delete(f"/predictions/{made['id']}", 204)


def test_a_run_that_goes_on_keeps_them(api):
    made = api.create("echo", {"text": "x", "delay": 600})
    refused = api.delete(f"/predictions/{made['id']}", 409)
    assert "cancel it first" in refused.json()["detail"]
    api.post(f"/predictions/{made['id']}/cancel", expect=200)
    assert api.ended(made)["status"] in ("canceled", "aborted")
    api.delete(f"/predictions/{made['id']}", 204)


def test_only_of_own_runs(api, stranger):
    made = api.run("echo", {"text": "mine"})
    stranger.delete(f"/predictions/{made['id']}", 404)
    stranger.call("PUT", f"/predictions/{made['id']}/share", 404)
    api.delete(f"/trainings/{made['id']}", 404)
    assert api.prediction(made)["output"] == "mine"


def test_an_example_keeps_its_own(api):
    made = api.run("image", {"image": PICTURE})
    api.post("/models/lab/image/examples", {"prediction": made["id"]}, 201)
    api.delete(f"/predictions/{made['id']}", 204)
    (example,) = [e for e in api.get("/models/lab/image/examples").json()["results"] if e["id"] == made["id"]]
    assert requests.get(example["output"], timeout=60).status_code == 200


def test_webhooks_that_wait_are_dropped(servers):
    server = servers("--webhook-allow", "127.0.0.0/8")
    api = server.api()
    closed = "http://127.0.0.1:9/hook"
    made = api.run("echo", {"text": "gone secret"}, webhook=closed, webhook_events_filter=["completed"])
    (waits,) = api.get("/webhooks/deliveries?state=pending").json()["results"]
    api.delete(f"/predictions/{made['id']}", 204)
    (dropped,) = api.get("/webhooks/deliveries?state=dropped").json()["results"]
    assert dropped["id"] == waits["id"] and "removed" in dropped["last_error"]
    assert api.get("/webhooks/deliveries?state=pending").json()["results"] == []
    api.post(f"/webhooks/deliveries/{waits['id']}/replay", expect=409)
    server.stop()
    with sqlite3.connect(server.data / "vend.db") as database:
        assert database.execute("SELECT body FROM webhook_deliveries").fetchall() == [("",)]
    database.close()


def test_a_link_shows_the_run_and_no_more(api, server):
    made = api.run("echo", {"text": "look"}, webhook="https://hooks.example/x")
    api.get(f"/predictions/{made['id']}/share", 404)
    share = api.call("PUT", f"/predictions/{made['id']}/share", 200).json()
    assert share == api.call("PUT", f"/predictions/{made['id']}/share", 200).json()
    assert share == api.get(f"/predictions/{made['id']}/share").json()
    seen = shared(share["url"], server).json()
    assert (seen["input"], seen["output"]) == ({"text": "look", **seen["input"]}, "look")
    assert not {"webhook", "deployment", "urls"} & set(seen)
    page = requests.get(share["url"], headers={"Accept": "text/html"}, timeout=60)
    assert page.headers["Content-Type"].startswith(("text/html", "text/plain"))


def test_a_link_can_be_taken_back(api, server):
    made = api.run("echo", {"text": "back"})
    first = api.call("PUT", f"/predictions/{made['id']}/share", 200).json()["url"]
    api.delete(f"/predictions/{made['id']}/share", 204)
    assert shared(first, server).status_code == 404
    second = api.call("PUT", f"/predictions/{made['id']}/share", 200).json()["url"]
    assert second != first and shared(first, server).status_code == 404
    api.delete(f"/predictions/{made['id']}", 204)
    assert shared(second, server).status_code == 404
    api.call("PUT", f"/predictions/{made['id']}/share", 409)


def test_secrets_stay_secret(api, server):
    made = api.run("types", {"text": "abc", "count": 1, "key": "hunter2"})
    share = api.call("PUT", f"/predictions/{made['id']}/share", 200).json()
    assert "hunter2" not in json.dumps(shared(share["url"], server).json()["input"])

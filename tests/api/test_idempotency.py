"""A create that is sent again returns the first prediction."""

from concurrent.futures import ThreadPoolExecutor

import pytest

ECHO = "/models/lab/echo/predictions"
KEY = "Idempotency-Key"
RESEND = "X-Stainless-Retry-Count"


def create(api, text="x", expect=201, path=ECHO, prefer=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if prefer:
        named["Prefer"] = prefer
    return api.post(path, {"input": {"text": text}}, expect, headers=named)


def test_same_key(api):
    first = create(api, Idempotency_Key="one")
    again = create(api, Idempotency_Key="one")
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotency-Replayed" not in first.headers
    assert create(api, Idempotency_Key="two").json()["id"] != first.json()["id"]
    assert create(api).json()["id"] != first.json()["id"]


def test_another_request_with_the_key(api):
    first = create(api, Idempotency_Key="taken").json()
    for reply in (
        create(api, "y", 422, Idempotency_Key="taken"),
        create(api, "x", 422, path="/models/lab/types/predictions", Idempotency_Key="taken"),
    ):
        assert reply.json()["detail"].startswith("Idempotency-Key: ")
    assert create(api, Idempotency_Key="taken").json()["id"] == first["id"]


def test_keys_belong_to_accounts(api, other):
    assert (
        create(api, Idempotency_Key="ours").json()["id"]
        != create(other, Idempotency_Key="ours").json()["id"]
    )


@pytest.mark.parametrize("key", ["", "k" * 256, "a\tb"])
def test_bad_keys(api, key):
    assert "Idempotency-Key" in create(api, expect=422, Idempotency_Key=key).json()["detail"]


def test_refused_creates_leave_no_key(api):
    api.post(ECHO, {"input": {"text": 5}}, 422, headers={KEY: "mended"})
    assert create(api, Idempotency_Key="mended").json()["status"] == "starting"


def test_held_repeat_gets_the_end(api):
    slow = ECHO
    body = {"input": {"text": "slow", "delay": 0.5}}
    first = api.post(slow, body, 201, headers={KEY: "held"}).json()
    held = api.post(slow, body, 201, headers={KEY: "held", "Prefer": "wait"}).json()
    assert held["id"] == first["id"] and held["status"] == "succeeded"
    late = api.post(slow, body, 201, headers={KEY: "held"}).json()
    assert late == api.prediction(first)
    late = api.post(slow, body, 201, headers={KEY: "held", "Prefer": "wait"}).json()
    assert late == api.prediction(first)


def test_hold_of_a_repeat_runs_out(api):
    slow = ECHO
    body = {"input": {"text": "slow", "delay": 100}}
    first = api.post(slow, body, 201, headers={KEY: "long"}).json()
    held = api.post(slow, body, 202, headers={KEY: "long", "Prefer": "wait=1"}).json()
    assert held["id"] == first["id"] and held["status"] == "starting"
    api.cancel(first)


@pytest.mark.parametrize("prefer", [None, "wait"])
def test_many_at_once(server, prefer):
    api = server.api()
    before = {p["id"] for p in api.get("/predictions").json()["results"]}
    key = f"race-{prefer}"
    with ThreadPoolExecutor(16) as pool:
        replies = list(
            pool.map(
                lambda _: create(server.api(), "race", prefer=prefer, Idempotency_Key=key),
                range(16),
            )
        )
    assert len({reply.json()["id"] for reply in replies}) == 1
    assert sum("Idempotency-Replayed" not in reply.headers for reply in replies) == 1
    after = {p["id"] for p in api.get("/predictions").json()["results"]}
    assert len(after - before) == 1
    if prefer:
        assert {reply.json()["status"] for reply in replies} == {"succeeded"}


def test_keys_outlive_the_server(servers):
    server = servers()
    first = create(server.api(), Idempotency_Key="kept").json()
    server.kill()
    server.start()
    again = create(server.api(), Idempotency_Key="kept")
    assert again.json()["id"] == first["id"]


def test_resend_of_a_generated_client(api):
    """First sends say 0, and the same body is meant to run again; re-sends count from 1."""
    first = create(api, "sdk", X_Stainless_Retry_Count="0").json()
    second = create(api, "sdk", X_Stainless_Retry_Count="0").json()
    assert second["id"] != first["id"]
    for count in ("1", "2"):
        again = create(api, "sdk", X_Stainless_Retry_Count=count)
        assert again.json()["id"] == second["id"]
        assert again.headers["Idempotency-Replayed"] == "true"


def test_resend_whose_first_never_came(api):
    first = create(api, "lost", X_Stainless_Retry_Count="1").json()
    assert create(api, "lost", X_Stainless_Retry_Count="2").json()["id"] == first["id"]
    assert create(api, "other", X_Stainless_Retry_Count="2").json()["id"] != first["id"]


def test_resends_belong_to_tokens(api, server):
    scopes = {"name": "second", "scopes": ["read", "run"]}
    second = server.api(api.post("/tokens", scopes, 201).json()["token"])
    first = create(api, "mine", X_Stainless_Retry_Count="0").json()
    assert create(second, "mine", X_Stainless_Retry_Count="1").json()["id"] != first["id"]

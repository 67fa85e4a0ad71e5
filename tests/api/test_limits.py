"""How often a token and an account may ask."""

from api import Api

import pytest


@pytest.fixture
def server(servers):
    return servers("--rate-limit-creates", "3", "--rate-limit-other", "20")


def throttled(reply):
    """The documented body and header."""
    assert reply.status_code == 429
    body = reply.json()
    wait = body["retry_after"]
    assert 0 < wait <= 60 and reply.headers["Retry-After"] == str(wait)
    assert body["detail"] == f"Request was throttled. Your rate limit resets in ~{wait}s."
    assert reply.headers["ratelimit-remaining"] == "0"
    return True


def new_token(admin, name):
    return admin.post("/tokens", {"name": name, "scopes": ["read", "run"]}, 201).json()["token"]


def test_creates(server):
    admin = Api(server)
    other = Api(server, new_token(admin, "second"))
    left = []
    for _ in range(3):
        reply = other.post("/models/lab/echo/predictions", {"input": {"text": "x"}}, 201)
        left.append(int(reply.headers["ratelimit-remaining"]))
        assert 0 < int(reply.headers["ratelimit-reset"]) <= 60
    assert left == [2, 1, 0]
    assert throttled(other.post("/models/lab/echo/predictions", {"input": {"text": "x"}}, None))
    assert throttled(other.post("/predictions", {"version": "lab/echo", "input": {}}, None))
    # The account is spent, whatever its token; a refused request starts nothing.
    assert throttled(admin.post("/models/lab/echo/predictions", {"input": {"text": "x"}}, None))
    assert len(admin.get("/predictions").json()["results"]) == 3


def test_other_requests_and_accounts(server):
    admin = Api(server)
    admin.post("/accounts", {"username": "calm"}, 201)
    token = admin.post(
        "/tokens", {"name": "calm", "scopes": ["read", "run"], "account": "calm"}, 201
    ).json()["token"]
    while (reply := admin.get("/account", None)).status_code == 200:
        pass
    assert throttled(reply)
    # Creates have a budget of their own, and so has the other account.
    calm = Api(server, token)
    assert calm.get("/account").headers["ratelimit-remaining"] == "19"
    ran = calm.post("/models/lab/echo/predictions", {"input": {"text": "x"}}, 201).json()
    # Looking at a prediction is ten times cheaper.
    for _ in range(60):
        calm.get(f"/predictions/{ran['id']}")


def test_strangers_spend_nothing(server):
    stranger = Api(server, "vend_wrong")
    for _ in range(30):
        stranger.get("/account", 401)
    # What needs no token has no budget.
    for _ in range(30):
        stranger.get("//-/healthz", token="")

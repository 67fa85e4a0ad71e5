"""The documented error bodies, as clients and their users read them."""

import contextlib
import types

import pytest
from api import Api
from checking_proxy import make_proxy
from client_worker import ClientError
from clients import COMMANDS, Client

FLAGS = ("--max-file", "1M")
VERSION = "The specified version does not exist (or perhaps you don't have permission to use it?)"
GONE = "The requested resource could not be found."


def test_401_wrong_token(proxied):
    body = proxied.get("/account", 401, token="vend_wrong").json()
    assert body["title"] == "Unauthenticated"
    assert body["detail"] == "You did not pass a valid authentication token"


def test_401_no_token(proxied):
    body = proxied.get("/account", 401, token="").json()
    assert body["title"] == "Unauthenticated"
    assert body["detail"] == "You did not pass an authentication token"


def test_403_a_token_without_the_scope(proxied):
    token = proxied.post("/tokens", {"name": "r", "scopes": ["read"]}, 201).json()["token"]
    body = proxied.post("/predictions", {"version": "lab/echo", "input": {}}, 403, token=token).json()
    assert set(body) >= {"title", "detail", "status"} and "run" in body["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/predictions/nothing",
        "/models/lab/nothing",
        "/models/lab/echo/versions/" + "0" * 64,
        "/deployments/lab/nothing",
        "/trainings/nothing",
        "/collections/nothing",
    ],
)
def test_404_no_such_thing(proxied, path):
    body = proxied.get(path, 404).json()
    assert (body["detail"], body["status"]) == (GONE, 404)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_404_files(proxied, method):
    body = proxied.call(method, "/files/nothing", 404).json()
    assert (body["detail"], body["status"]) == ("File not found", 404)


def test_404_downloads(proxied):
    query = "owner=lab&expiry=9999999999&signature=wrong"
    body = proxied.get(f"/files/nothing/download?{query}", 404, token="").json()
    assert body["detail"] == "File not found"


def test_404_training_destination(proxied):
    version = proxied.get("/models/lab/trainer").json()["latest_version"]["id"]
    path = f"/models/lab/trainer/versions/{version}/trainings"
    body = proxied.post(path, {"destination": "lab/nothing", "input": {"steps": 1}}, 404).json()
    assert body["detail"] == "The specified training destination does not exist"


@pytest.mark.parametrize("size", [(1 << 20) + 1, 2 << 20, 8 << 20])
def test_413_files(proxied, size):
    files = {"content": ("big", b"x" * size, "text/plain")}
    body = proxied.call("POST", "/files", 413, files=files).json()
    assert body["detail"] == "Files must be less than 1MB in size"


def test_422_inputs(proxied):
    path = "/models/lab/types/predictions"
    body = proxied.post(path, {"input": {"text": "hello", "count": "3"}}, 422).json()
    description = "Invalid type. Expected: integer, given: string"
    assert body == {
        "title": "Input validation failed",
        "detail": f"- input.count: {description}\n",
        "status": 422,
        "invalid_fields": [
            {"type": "invalid_type", "field": "input.count", "description": description}
        ],
    }


def test_422_versions(proxied):
    body = proxied.post("/predictions", {"version": "0" * 64, "input": {}}, 422).json()
    assert body["title"] == "Invalid version or not permitted" and body["detail"] == VERSION


def test_400_search(proxied):
    assert proxied.get("/search", 400).json()["detail"] == 'Query parameter "query" is required'


# 429, and what each client makes of it


@pytest.fixture
def throttled(servers):
    """An account that has one request left; one more comes each second."""
    server = servers("--rate-limit-creates", "20", "--rate-limit-other", "60")
    proxy = make_proxy(server)
    yield server, proxy
    proxy.close()


def spend(api, path, body=None):
    while True:
        reply = api.post(path, body) if body else api.get(path, None)
        if reply.status_code == 429:
            return reply


def test_429(throttled):
    server, proxy = throttled
    api = Api(types.SimpleNamespace(url=proxy.url, ca=None, token=server.token, binary=server.binary))
    reply = spend(api, "/account")
    wait = reply.json()["retry_after"]
    assert reply.json() == {
        "title": "Too many requests",
        "detail": f"Request was throttled. Your rate limit resets in ~{wait}s.",
        "status": 429,
        "retry_after": wait,
    }
    assert reply.headers["Retry-After"] == str(wait) and 0 < wait <= 2


def until_throttled(spend_all, proxy, method, path, ask):
    """Asks until a request came while none was left: on a busy machine one more may come in between."""
    for _ in range(20):
        spend_all()
        with contextlib.suppress(ClientError):
            ask()
        if 429 in [exchange.status for exchange in proxy.seen(method, path)]:
            return
    raise AssertionError("no request was throttled")


def ask_throttled(ask, waits):
    """A client that waits gets its answer; others say what they were told."""
    try:
        return ask()
    except ClientError as error:
        assert not waits and error.status == 429 and "Request was throttled" in str(error)
        raise


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_429_of_a_get(throttled, workers, name):
    """The Python clients wait as long as they are told to and then get it."""
    server, proxy = throttled
    client = Client(name, workers[name], proxy.url, server.token)
    waits = name != "javascript"

    def ask():
        assert ask_throttled(lambda: client("account"), waits)["username"] == "lab"

    ask()
    until_throttled(lambda: spend(server.api(), "/account"), proxy, "GET", "/account", ask)
    assert not proxy.take_faults()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_429_of_a_create(throttled, workers, name):
    """Only Python 2.x waits before it sends a create again."""
    server, proxy = throttled
    client = Client(name, workers[name], proxy.url, server.token)
    path = "/deployments/lab/paused/predictions"
    api = server.api()
    version = api.get("/models/lab/echo").json()["latest_version"]["id"]
    sizes = {"hardware": "cpu", "min_instances": 0, "max_instances": 0}
    api.post("/deployments", {"name": "paused", "model": "lab/echo", "version": version, **sizes}, 200)

    def ask():
        made = ask_throttled(lambda: client("create", model="lab/echo", input={}), name == "python2")
        assert made["id"]

    until_throttled(lambda: spend(api, path, {"input": {}}), proxy, "POST", "/predictions", ask)
    assert not proxy.take_faults()

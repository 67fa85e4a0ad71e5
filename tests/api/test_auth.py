"""Tokens, scopes, accounts, and what others may not see."""

import re
import socket
import urllib.parse

import pytest

from waiting import wait_until

SCOPED = [
    # method, path, scope that is needed
    ("GET", "/account", "read"),
    ("GET", "/hardware", "read"),
    ("GET", "/models", "read"),
    ("GET", "/models/lab/echo", "read"),
    ("GET", "/models/lab/echo/versions", "read"),
    ("GET", "/predictions", "read"),
    ("GET", "/files", "read"),
    ("GET", "/tokens", "read"),
    ("POST", "/models/lab/echo/predictions", "run"),
    ("POST", "/predictions", "run"),
    ("POST", "/files", "run"),
    ("POST", "/models", "push"),
    ("PATCH", "/models/lab/echo", "push"),
    ("POST", "/uploads", "push"),
    ("POST", "/models/lab/echo/builds", "push"),
    ("POST", "/tokens", "admin"),
    ("DELETE", "/tokens/x", "admin"),
    ("GET", "/accounts", "admin"),
    ("POST", "/accounts", "admin"),
    ("GET", "//-/debug", "admin"),
]


def body_for(method, path):
    if path == "/files":
        return {"files": {"content": ("a", b"x")}} if method == "POST" else {}
    return {"json": {}} if method != "GET" else {}


@pytest.fixture(scope="module")
def scoped(server):
    """A client for each single scope."""
    admin = server.api()
    made = {}
    for scope in ("read", "run", "push", "admin"):
        token = admin.post("/tokens", {"name": scope, "scopes": [scope]}, 201).json()["token"]
        made[scope] = server.api(token)
    return made


@pytest.mark.parametrize("method,path,scope", SCOPED)
def test_every_route_needs_its_scope(scoped, method, path, scope):
    for name, client in scoped.items():
        reply = client.call(method, path, **body_for(method, path))
        if name in (scope, "admin"):
            assert reply.status_code not in (401, 403), (name, reply.text)
        else:
            assert reply.status_code == 403, (name, reply.text)
            assert scope in reply.json()["detail"]


@pytest.mark.parametrize("method,path,scope", SCOPED)
def test_every_route_needs_a_token(api, method, path, scope):
    missing = api.call(method, path, 401, token="", **body_for(method, path))
    assert missing.json() == {
        **missing.json(),
        "title": "Unauthenticated",
        "detail": "You did not pass an authentication token",
        "status": 401,
    }
    body = body_for(method, path)
    wrong = api.call(method, path, 401, token="vend_no_such_token_at_all", **body)
    assert wrong.json()["detail"] == "You did not pass a valid authentication token"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Token", "token"])
def test_both_schemes_are_understood(api, scheme):
    headers = {"Authorization": f"{scheme} {api.token}"}
    account = api.get("/account", headers=headers, token="").json()
    assert account["username"] == "lab" and account["type"] and account["name"]


@pytest.mark.parametrize(
    "value", ["Basic bGFiOmxhYg==", "Bearer", "Bearer ", "x" * 5000, "Bearer a b"]
)
def test_other_authorization_is_refused(api, value):
    api.get("/account", 401, headers={"Authorization": value}, token="")


def test_a_revoked_token_stops_at_once(api, server):
    made = api.post("/tokens", {"name": "short", "scopes": ["read", "run"]}, 201).json()
    client = server.api(made["token"])
    client.get("/account")
    api.delete(f"/tokens/{made['id']}", 204)
    client.get("/account", 401)
    listed = {token["id"]: token for token in api.get("/tokens").json()["results"]}
    assert listed[made["id"]]["revoked_at"] is not None
    assert "token" not in listed[made["id"]]
    assert not any(made["token"] in str(token) for token in listed.values())


def operations(api):
    for path, methods in api.get("/openapi.json").json()["paths"].items():
        for method, operation in methods.items():
            plain = re.sub(r"\{\w+\}", "x", path)
            yield ("QUERY" if method == "x-query" else method.upper()), plain, operation


def test_no_operation_is_open_to_a_lesser_scope(scoped, api):
    """Each operation of the document, with each scope; nothing is sent that could be understood."""
    for method, path, operation in operations(api):
        need = operation.get("x-scope")
        if need is None:
            continue
        for name, client in scoped.items():
            if name in (need, "admin"):
                continue
            refused = client.call(method, "/" + path, 403, data=b"{")
            told = refused.json()
            sentence = told["error"]["message"] if "error" in told else told["detail"]
            assert f"scope '{need}'" in sentence, (method, path, name)


# What may be changed without a token's being known.
CHANGED_BY = {"POST", "PUT", "PATCH", "DELETE"}
# A link to the page has the rights of its token; tools of MCP that change something ask for more.
NO_CHANGES = {"/-/session/links", "/mcp", "/mcp/x/x"}


def test_reading_changes_nothing(api):
    """No operation that needs only `read` is one that changes things."""
    for method, path, operation in operations(api):
        if operation.get("x-scope") == "read":
            assert method not in CHANGED_BY or path in NO_CHANGES, path
        if path.startswith("/v1/tokens") and method in CHANGED_BY:
            assert operation["x-scope"] == "admin"


def test_tokens_of_another_account_are_an_admins(api, other, scoped):
    listed = api.get("/tokens?account=other").json()["results"]
    assert [token["name"] for token in listed] == ["t"]
    scoped["read"].get("/tokens?account=other", 403)
    made = api.post("/tokens", {"name": "u", "scopes": ["read"], "account": "other"}, 201).json()
    client = api.server.api(made["token"])
    assert client.get("/account").json()["username"] == "other"
    api.delete(f"/tokens/{made['id']}", 204)
    client.get("/account", 401)
    api.delete(f"/tokens/{made['id']}", 404)


@pytest.mark.parametrize(
    "body,field",
    [
        ({}, "name"),
        ({"name": "x"}, "scopes"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": ["everything"]}, "scopes"),
        ({"name": 1, "scopes": ["read"]}, "name"),
        ({"name": "x", "scopes": ["read"], "account": "nobody-here"}, "account"),
    ],
)
def test_wrong_token_requests_name_the_field(api, body, field):
    assert field in api.post("/tokens", body, 422).json()["detail"]


def test_accounts(api):
    made = api.post("/accounts", {"username": "crew", "name": "The crew", "type": "organization"}, 201)
    assert made.json()["username"] == "crew" and made.json()["type"] == "organization"
    api.post("/accounts", {"username": "crew"}, 409)
    assert "crew" in [a["username"] for a in api.get("/accounts").json()["results"]]
    for bad in ({}, {"username": "No Spaces"}, {"username": "a/b"}, {"username": "ok", "type": "robot"}):
        api.post("/accounts", bad, 422)


def test_other_peoples_things_are_not_there(api, other):
    api.post(
        "/models", {"owner": "lab", "name": "hidden", "visibility": "private", "hardware": "cpu"}, 201
    )
    for path in ("/models/lab/hidden", "/models/lab/hidden/versions", "/models/lab/hidden/readme"):
        missing = other.get(path, 404).json()
        assert missing["detail"] == "The requested resource could not be found."
    other.patch("/models/lab/hidden", {"description": "mine"}, 404)
    other.delete("/models/lab/hidden", 404)
    other.post("/models/lab/hidden/predictions", {"input": {}}, 404)
    assert "hidden" not in [m["name"] for m in other.get("/models").json()["results"]]

    ran = api.run("echo", {"text": "mine"})
    other.get(f"/predictions/{ran['id']}", 404)
    other.post(f"/predictions/{ran['id']}/cancel", expect=404)
    assert other.get("/predictions").json()["results"] == []

    file = api.upload(b"mine")
    other.get(f"/files/{file['id']}", 404)
    other.delete(f"/files/{file['id']}", 404)
    assert other.get("/files").json()["results"] == []
    token = api.get("/tokens").json()["results"][0]
    other.delete(f"/tokens/{token['id']}", 403)


def test_a_public_model_may_be_run_but_not_changed(other):
    other.get("/models/lab/echo")
    other.patch("/models/lab/echo", {"description": "mine"}, 403)
    other.delete("/models/lab/echo", 403)
    reply = other.post("/models/lab/echo/predictions", {"input": {"text": "hi"}}, 201)
    assert other.ended(reply.json())["output"] == "hi"


def test_a_file_of_somebody_else_is_no_input(api, other):
    file = api.upload(b"secret")
    body = {"input": {"image": file["urls"]["get"]}}
    reply = other.post("/models/lab/image/predictions", body)
    assert reply.status_code == 422 or other.ended(reply.json())["status"] == "failed", reply.text


def test_models_belong_to_the_caller(other):
    body = {"owner": "lab", "name": "new", "visibility": "private", "hardware": "cpu"}
    assert "owner" in other.post("/models", body, 403).json()["detail"]


def test_strangers_are_sent_away_before_their_body(server):
    address = urllib.parse.urlsplit(server.url)
    head = (
        f"POST /v1/files HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 50000000\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 401 ")
    wait_until(lambda: server.spool_files() == [], what="the spool to be empty")


def test_a_run_in_memory_is_its_accounts(servers):
    """What the scheduler knows of a run is told to nobody else, and not as another kind."""
    server = servers("--max-instances", "1", "--hardware-units", "1")
    api = server.api()
    running = api.create("echo", {"text": "long", "delay": 300})
    api.reaches(running, "processing")
    queued = api.create("echo", {"text": "queued"})
    api.post("/accounts", {"username": "stranger"}, 201)
    made = api.post("/tokens", {"name": "t", "scopes": ["read", "run"], "account": "stranger"}, 201)
    other = server.api(made.json()["token"])
    for run in (running, queued):
        assert api.prediction(run)["status"] in ("processing", "starting")
        other.get(f"/predictions/{run['id']}", 404)
        other.post(f"/predictions/{run['id']}/cancel", expect=404)
        api.get(f"/trainings/{run['id']}", 404)
    for run in (queued, running):
        api.cancel(run)
        assert api.ended(run)["status"] == "canceled"

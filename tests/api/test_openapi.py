"""The server's own description of its API. Every reply of these tests is checked against it."""

import json
import re

import openapi_spec_validator
import pytest

from rules import own_shapes
from shapes import FILE

TOKEN_FREE = {
    "/-/healthz",
    "/-/readyz",
    "/-/session",
    "/-/login/{code}",
    "/-/avatars/{file}",
    "/v1/files/{id}/download",
    "/v1/files/stream-{token}",
    "/v1/openapi.json",
    "/v1/covers/{token}/{name}",
    "/v1/outputs/{token}/{name}",
    "/v1/streams/{token}",
    "/v1/shared/{token}",
}


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_it_is_valid(api):
    document = api.get("//openapi.json", token="").json()
    openapi_spec_validator.validate(document)
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": api.server.url}]
    assert api.get("/openapi.json").json() == document


def test_every_operation_is_told(api):
    document = api.get("/openapi.json").json()
    seen = set()
    for path, method, operation in operations(document):
        assert operation["summary"] and operation["tags"], (path, method)
        assert operation["operationId"] not in seen, operation["operationId"]
        seen.add(operation["operationId"])
        assert ("security" in operation) == (path in TOKEN_FREE), path
        assert ("x-scope" in operation) != (path in TOKEN_FREE), path


def test_scopes_are_those_of_the_server(api):
    """A token with one scope gets 403 exactly where the document names another one."""
    document = api.get("/openapi.json").json()
    tokens = {
        scope: api.post("/tokens", {"name": scope, "scopes": [scope]}, 201).json()["token"]
        for scope in ("read", "run", "push")
    }
    for path, method, operation in operations(document):
        if method != "get" or "x-scope" not in operation:
            continue
        for scope, token in tokens.items():
            reply = api.call("GET", "/" + path.replace("{", "x").replace("}", "x"), token=token)
            assert (reply.status_code == 403) == (scope != operation["x-scope"]), (path, scope)


def test_published_operations_are_there(api):
    """Paths of the published document, whatever their parameters are called."""
    def plain(path):
        return re.sub(r"{[^}]*}", "{}", path)

    document = api.get("/openapi.json").json()
    own = {(plain(path), method.removeprefix("x-")) for path, method, _ in operations(document)}
    for path, item in json.loads(FILE.read_text())["paths"].items():
        for method in item:
            assert ("/v1" + plain(path), method) in own, (method, path)


def test_replies_are_really_checked(api):
    """A reply that is not as the document says fails the test it comes from."""
    good = api.get("/account").json()
    assert own_shapes(api.server).check("GET", "/v1/account", 200, good)
    assert own_shapes(api.server).check("GET", "/account", 200, good)
    with pytest.raises(AssertionError, match="username"):
        own_shapes(api.server).check("GET", "/v1/account", 200, {**good, "username": None})

"""What every revision asks of requests and replies, header by header."""

import base64

import pytest
from mcp_http import CAPABILITIES, LEGACY, MODERN, VERSION, Mcp

REVISIONS = [MODERN, *LEGACY]


def initialize(mcp, revision):
    params = {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "t"}}
    message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    return mcp.post(message)


@pytest.mark.parametrize("revision", LEGACY)
def test_initialize_takes_the_revision_of_the_client(mcp, revision):
    reply = initialize(mcp, revision)
    assert reply.status_code == 200
    result = reply.json()["result"]
    assert result["protocolVersion"] == revision
    assert result["serverInfo"]["name"] == "vend"
    assert result["capabilities"] == {"tools": {}, "resources": {}}
    assert "Mcp-Session-Id" not in reply.headers


@pytest.mark.parametrize("revision", ["2024-11-05", "2099-01-01", MODERN])
def test_initialize_with_another_revision_gets_the_newest_of_its_kind(mcp, revision):
    assert initialize(mcp, revision).json()["result"]["protocolVersion"] == LEGACY[0]


def test_initialize_without_a_revision(mcp):
    message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}
    assert mcp.post(message).json()["error"]["code"] == -32602


def test_discover(mcp):
    result = mcp.result("server/discover")
    assert result["supportedVersions"] == REVISIONS
    assert result["resultType"] == "complete"
    assert result["capabilities"]["extensions"] == {"io.modelcontextprotocol/tasks": {}}
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "vend"
    assert result["ttlMs"] > 0 and result["cacheScope"] == "public"


@pytest.mark.parametrize("revision", LEGACY)
def test_methods_of_one_era_are_not_of_the_other(server, mcp, revision):
    old = Mcp(server, revision)
    assert old.result("ping") == {}
    assert old.error("server/discover")["code"] == -32601
    assert old.error("tasks/get", {"taskId": "x"})["code"] == -32601
    reply = mcp.send("ping")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, -32601)


def test_an_unknown_method(any_mcp):
    reply = any_mcp.send("prompts/list")
    assert reply.status_code == (404 if any_mcp.revision == MODERN else 200)
    assert reply.json()["error"]["code"] == -32601
    assert reply.json()["id"] == any_mcp.last_id


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
@pytest.mark.parametrize("path", ["/mcp", "/mcp/lab/echo"])
def test_only_post(mcp, method, path):
    reply = mcp.but(path=path).post(None, {"Accept": "text/event-stream"}, method=method)
    assert reply.status_code == 405
    assert "POST" in reply.headers["Allow"]


def test_notifications_are_accepted(any_mcp):
    message = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    reply = any_mcp.post(message, {"MCP-Protocol-Version": any_mcp.revision})
    assert (reply.status_code, reply.content) == (202, b"")


def test_responses(any_mcp):
    message = {"jsonrpc": "2.0", "id": 7, "result": {}}
    reply = any_mcp.post(message, {"MCP-Protocol-Version": any_mcp.revision})
    assert reply.status_code == (400 if any_mcp.revision == MODERN else 202)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff", -32700),
        (b"[" * 600, -32700),
        (b"7", -32600),
        (b"{}", -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 7}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', -32600),
    ],
)
def test_what_is_no_message(mcp, body, code):
    reply = mcp.post(body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, code)


# ---- From 2026-07-28 on

GOOD = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "search_models"}


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("MCP-Protocol-Version", None),
        ("MCP-Protocol-Version", "2025-11-25"),
        ("MCP-Protocol-Version", "2099-01-01"),
        ("Mcp-Method", None),
        ("Mcp-Method", "Tools/Call"),
        ("Mcp-Method", "tools/list"),
        ("Mcp-Name", None),
        ("Mcp-Name", "get_model"),
        ("Mcp-Name", "SEARCH_MODELS"),
        ("Mcp-Name", "=?base64?eA==?="),
        ("Mcp-Name", "=?base64?/w==?="),
    ],
)
def test_headers_must_agree_with_the_body(mcp, header, value):
    params = {"name": "search_models", "arguments": {}}
    reply = mcp.send("tools/call", params, headers={**GOOD, header: value})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, -32020), reply.text
    assert reply.json()["id"] == mcp.last_id


@pytest.mark.parametrize("header", sorted(GOOD))
def test_a_header_that_is_there_twice(mcp, header):
    params = {"name": "search_models", "arguments": {}}
    twice = f"{GOOD[header]}, {GOOD[header]}"
    reply = mcp.send("tools/call", params, headers={**GOOD, header: twice})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, -32020)


def test_headers_may_be_encoded_and_have_blanks(mcp):
    params = {"name": "search_models", "arguments": {}}
    encoded = base64.b64encode(b"search_models").decode()
    for name in (f"=?base64?{encoded}?=", "search_models \t"):
        assert mcp.send("tools/call", params, headers={"Mcp-Name": name}).status_code == 200


def test_another_revision_is_refused_with_those_there_are(mcp):
    other = mcp.but(revision="2099-01-01")
    reply = other.send("tools/list")
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert error["code"] == -32022
    assert error["data"] == {"supported": REVISIONS, "requested": "2099-01-01"}


@pytest.mark.parametrize(
    "meta", [{}, {VERSION: MODERN}, {CAPABILITIES: {}}, {VERSION: MODERN, CAPABILITIES: 7}]
)
def test_meta_must_be_whole(mcp, meta):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/list"}
    reply = mcp.post(message, headers)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, -32602)


def test_sessions_are_ignored(mcp):
    reply = mcp.send("tools/list", headers={"Mcp-Session-Id": "x", "Last-Event-ID": "7"})
    assert reply.status_code == 200
    assert "Mcp-Session-Id" not in reply.headers


# ---- Before


def test_an_unknown_revision_of_a_session(mcp):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    reply = mcp.post(message, {"MCP-Protocol-Version": "2024-11-05"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, -32022)


def test_without_the_header_it_is_the_first_revision(mcp):
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    tools = mcp.post(message).json()["result"]["tools"]
    assert all("outputSchema" not in tool and "title" not in tool for tool in tools)


# ---- Batches, which only 2025-03-26 had


def batch(*messages):
    return [{"jsonrpc": "2.0", **message} for message in messages]


def test_a_batch_is_answered_by_a_batch(mcp):
    run = {"name": "run_model", "arguments": {"model": "lab/echo", "input": {"text": "b"}}}
    sent = batch(
        {"id": 1, "method": "ping"},
        {"method": "notifications/initialized"},
        {"id": "two", "method": "tools/call", "params": run},
        {"id": 3, "method": "nope"},
        {"id": 4, "method": "initialize"},
        {"id": 5.5, "method": "ping"},
    )
    reply = mcp.post(sent)
    assert reply.status_code == 200
    answers = reply.json()
    assert [answer.get("id") for answer in answers] == [1, "two", 3, 4, None]
    assert answers[0]["result"] == {}
    assert answers[1]["result"]["content"][0]["text"].endswith('"output":"b"}')
    assert [answer["error"]["code"] for answer in answers[2:]] == [-32601, -32600, -32600]


def test_a_batch_of_notifications(mcp):
    reply = mcp.post(batch({"method": "notifications/initialized"}, {"id": 1, "result": {}}))
    assert (reply.status_code, reply.content) == (202, b"")


@pytest.mark.parametrize("sent", [[], [7], batch(*[{"id": i, "method": "ping"} for i in range(51)])])
def test_what_is_no_batch(mcp, sent):
    reply = mcp.post(sent)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, -32600)


@pytest.mark.parametrize("revision", [MODERN, *LEGACY[:2]])
def test_later_revisions_have_no_batches(mcp, revision):
    reply = mcp.post(batch({"id": 1, "method": "ping"}), {"MCP-Protocol-Version": revision})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, -32600)


# ---- HTTP


def test_a_client_that_takes_json_alone(mcp):
    params = {"name": "run_model", "arguments": {"model": "lab/echo", "input": {"text": "j"}}}
    reply = mcp.send("tools/call", params, headers={"Accept": "application/json"})
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.json()["result"]["structuredContent"]["output"] == "j"


def test_a_client_that_takes_streams_alone(mcp):
    reply = mcp.send("tools/list", headers={"Accept": "text/event-stream"})
    assert reply.headers["Content-Type"] == "text/event-stream"
    assert reply.headers["X-Accel-Buffering"] == "no"
    assert reply.text.startswith("event: message\ndata: {") and reply.text.endswith("}\n\n")


def test_a_client_that_takes_neither(mcp):
    assert mcp.send("tools/list", headers={"Accept": "text/html"}).status_code == 406


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_bodies_are_json(mcp, content_type):
    assert mcp.send("tools/list", headers={"Content-Type": content_type}).status_code == 415


def test_a_body_that_is_too_large(servers):
    mcp = Mcp(servers("--max-body", "100k"))
    big = mcp.send("tools/call", {"name": "x" * 200_000}, headers={"Mcp-Name": None})
    assert big.status_code == 413

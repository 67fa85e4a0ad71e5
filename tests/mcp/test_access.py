"""Who may call, and how often."""

import pytest
from mcp_http import LEGACY, Mcp

ECHO = {"name": "run_model", "arguments": {"model": "lab/echo", "input": {"text": "a"}}}


@pytest.fixture(scope="module")
def reader(server):
    """A token that may only look."""
    made = server.api().post("/tokens", {"name": "r", "scopes": ["read"]}, 201)
    return Mcp(server, token=made.json()["token"])


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_a_token(mcp, token):
    reply = mcp.but(token=token).send("tools/list")
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_without_the_scope_read(server):
    made = server.api().post("/tokens", {"name": "p", "scopes": ["push"]}, 201)
    assert Mcp(server, token=made.json()["token"]).send("tools/list").status_code == 403


@pytest.mark.parametrize("tool", ["run_model", "cancel_prediction", "upload_file"])
def test_what_needs_the_scope_run(reader, tool):
    reply = reader.send("tools/call", {"name": tool, "arguments": {}})
    assert reply.status_code == 403
    assert 'error="insufficient_scope", scope="run"' in reply.headers["WWW-Authenticate"]
    assert "scope 'run'" in reply.json()["error"]["message"]


def test_a_typed_tool_needs_the_scope_run(reader):
    typed = reader.but(path="/mcp/lab/echo")
    assert typed.send("tools/call", {"name": "lab__echo", "arguments": {}}).status_code == 403


def test_what_the_scope_read_allows(reader):
    assert reader.call("search_models", query="echo")["structuredContent"]["models"]
    assert "predictions" in reader.call("list_predictions")["structuredContent"]
    assert reader.call("get_model", model="lab/echo")["structuredContent"]["model"] == "lab/echo"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost.evil.example"])
def test_pages_of_other_origins_may_not_call(any_mcp, origin):
    host = origin.removeprefix("http://")
    reply = any_mcp.send("tools/list", headers={"Origin": origin, "Host": host})
    assert reply.status_code == 403
    assert reply.json()["error"]["code"] == -32600
    assert "id" not in reply.json()


def test_pages_of_this_machine_may_call(mcp):
    for origin in ("http://localhost:6274", "http://127.0.0.1"):
        assert mcp.send("tools/list", headers={"Origin": origin}).status_code == 200


def test_pages_of_listed_origins_may_call(servers):
    mcp = Mcp(servers("--cors-origins", "https://app.example"))
    assert mcp.send("tools/list", headers={"Origin": "https://app.example"}).status_code == 200
    assert mcp.send("tools/list", headers={"Origin": "https://other.example"}).status_code == 403


def test_runs_count_as_creates(servers):
    server = servers("--rate-limit-creates", "2")
    mcp = Mcp(server)
    for _ in range(2):
        assert mcp.run("echo", text="a")["structuredContent"]["output"] == "a"
    reply = mcp.send("tools/call", ECHO)
    assert reply.status_code == 429
    assert int(reply.headers["Retry-After"]) > 0
    assert "throttled" in reply.json()["detail"]
    batched = mcp.post([{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": ECHO}])
    assert "too many creates" in batched.json()[0]["error"]["message"]
    assert mcp.result("tools/list")["tools"]
    assert len(server.api().get("/predictions").json()["results"]) == 2


def test_other_requests_count_too(servers):
    mcp = Mcp(servers("--rate-limit-other", "10"))
    assert any(mcp.send("tools/list").status_code == 429 for _ in range(12))


def test_other_accounts_see_nothing(server, mcp, other):
    own = mcp.run("echo", text="mine")["structuredContent"]["id"]
    strange = Mcp(server, token=other.token, capabilities={"extensions": {"io.modelcontextprotocol/tasks": {}}})
    for tool in ("get_prediction", "cancel_prediction"):
        result = strange.call(tool, id=own)
        assert result["isError"] and "there is no prediction" in result["content"][0]["text"]
    assert strange.error("resources/read", {"uri": f"vend://prediction/{own}"})["code"] == -32602
    assert strange.error("tasks/get", {"taskId": own})["code"] == -32602
    assert strange.call("list_predictions")["structuredContent"]["predictions"] == []


def test_private_models_of_others_are_not_there(server, other):
    server.api().post(
        "/models", {"owner": "lab", "name": "hidden", "visibility": "private", "hardware": "cpu"}, 201
    )
    strange = Mcp(server, token=other.token)
    assert strange.call("get_model", model="lab/hidden")["isError"]
    assert strange.error("resources/read", {"uri": "vend://model/lab/hidden"})["code"] == -32602
    assert strange.but(path="/mcp/lab/hidden").error("tools/list")["code"] == -32602
    uris = [r["uri"] for r in strange.result("resources/list")["resources"]]
    assert "vend://model/lab/hidden" not in uris and "vend://model/lab/echo" in uris
    old = strange.but(revision=LEGACY[0])
    assert old.error("resources/read", {"uri": "vend://model/lab/hidden"})["code"] == -32002

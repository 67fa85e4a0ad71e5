"""Runs that take their time: notes on the way, and clients that leave."""

import pytest
from gates import Held, held
from mcp_http import LEGACY, Mcp
from shared_file import SharedFile
from waiting import wait_until

FLAGS = ("--stream-keepalive", "200ms")
OPEN = ("starting", "processing")


@pytest.fixture
def gate(server):
    return SharedFile(server)


@pytest.fixture
def old(server):
    """Of the newest revision with sessions."""
    return Mcp(server, LEGACY[0])


@pytest.mark.parametrize("token", ["a", 7])
def test_progress(any_mcp, gate, token):
    call = Held(any_mcp, gate, token)
    gate.open_gate(0)
    assert call.answer()["content"][0]["text"].endswith('"output":["x"]}')
    assert {note["method"] for note in call.notes} == {"notifications/progress"}
    assert {note["params"]["progressToken"] for note in call.notes} == {token}
    values = [note["params"]["progress"] for note in call.notes]
    assert values == sorted(set(values)) and values[0] > 0
    assert all(note["params"]["message"] for note in call.notes)


@pytest.mark.parametrize("token", [None, 1.5, [1], True])
def test_no_progress_without_a_token(mcp, token):
    params = {"name": "run_model", "arguments": {"model": "lab/echo"}}
    assert len(mcp.heard("tools/call", params, progress=token)) == 1


def test_leaving_cancels(mcp, gate):
    call = Held(mcp, gate)
    assert call.row["status"] in OPEN
    call.leave()
    assert mcp.server.api().ended(call.row)["status"] == "canceled"


def test_leaving_cancels_nothing_before(old, gate):
    call = Held(old, gate)
    call.leave()
    gate.open_gate(0)
    assert old.server.api().ended(call.row)["status"] == "succeeded"


def test_a_notification_cancels_before(old, gate):
    call = Held(old, gate)
    cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
    headers = {"MCP-Protocol-Version": LEGACY[0]}
    for wrong in ("1", 999, None, [1]):
        sent = {**cancelled, "params": {"requestId": wrong}}
        assert old.post(sent, headers).status_code == 202
    assert old.server.api().prediction(call.row)["status"] in OPEN
    sent = {**cancelled, "params": {"requestId": old.last_id}}
    assert old.post(sent, headers).status_code == 202
    assert old.server.api().ended(call.row)["status"] == "canceled"
    answer = call.answer()
    assert answer["isError"] and answer["structuredContent"]["status"] == "canceled"


def test_a_notification_that_two_requests_fit_cancels_neither(server):
    gates = [SharedFile(server) for _ in range(2)]
    calls = [Held(Mcp(server, LEGACY[0]), gate) for gate in gates]
    sent = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    assert calls[0].mcp.post(sent, {"MCP-Protocol-Version": LEGACY[0]}).status_code == 202
    for gate, call in zip(gates, calls):
        gate.open_gate(0)
        assert call.answer()["structuredContent"]["output"] == ["x"]


def test_a_notification_of_another_token_cancels_nothing(old, gate):
    made = old.server.api().post("/tokens", {"name": "t", "scopes": ["read", "run"]}, 201)
    call = Held(old, gate)
    stranger = old.but(token=made.json()["token"])
    sent = {
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": {"requestId": old.last_id},
    }
    assert stranger.post(sent, {"MCP-Protocol-Version": LEGACY[0]}).status_code == 202
    gate.open_gate(0)
    assert call.answer()["structuredContent"]["output"] == ["x"]


def test_a_canceled_run(mcp, gate):
    call = Held(mcp, gate)
    result = mcp.call("cancel_prediction", id=call.row["id"])
    assert result["structuredContent"]["id"] == call.row["id"]
    answer = call.answer()
    assert answer["isError"] and answer["structuredContent"]["status"] == "canceled"


def test_a_server_that_stops_answers(servers):
    server = servers("--drain-timeout", "1s")
    gate = SharedFile(server)
    call = Held(Mcp(server), gate)
    server.process.terminate()
    assert call.row["id"] in call.answer()["structuredContent"]["message"]
    server.process.wait()
    gate.open_gate(0)
    server.start()
    assert server.api().ended(call.row)["status"] == "succeeded"


def test_a_full_queue_is_an_error_of_the_tool(servers):
    server = servers("--account-max-queued", "1", "--max-instances", "1")
    mcp = Mcp(server)
    gates = [SharedFile(server) for _ in range(2)]
    calls = [Held(mcp, gates[0])]
    runs = lambda: mcp.server.api().prediction(calls[0].row)["status"] == "processing"
    wait_until(runs, 60, "the first run to begin")
    calls.append(Held(mcp, gates[1]))
    refused = mcp.result("tools/call", held(gates[0]))
    assert refused["isError"] and "account-max-queued" in refused["content"][0]["text"]
    for gate, call in zip(gates, calls):
        gate.open_gate(0)
        assert call.answer()["structuredContent"]["output"] == ["x"]

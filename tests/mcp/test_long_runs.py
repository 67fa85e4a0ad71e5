"""Runs that take longer than clients wait: how to go on, and tasks."""

import json

import pytest
from gates import held
from mcp_http import TASKS, Mcp
from shared_file import SharedFile

FLAGS = ("--mcp-wait", "200ms")


@pytest.fixture
def gate(server):
    return SharedFile(server)


@pytest.fixture
def tasks(server):
    """A client that takes tasks."""
    return Mcp(server, capabilities=TASKS)


def test_it_is_answered_before_its_end(any_mcp, gate):
    result = any_mcp.result("tools/call", held(gate))
    shown = json.loads(result["content"][0]["text"])
    assert shown["status"] in ("starting", "processing")
    assert "output" not in shown and "isError" not in result
    assert f"get_prediction with the id {shown['id']}" in shown["message"]
    gate.open_gate(0)
    assert any_mcp.server.api().ended(shown["id"])["status"] == "succeeded"
    ended = any_mcp.call("get_prediction", id=shown["id"])
    assert json.loads(ended["content"][0]["text"])["output"] == ["x"]


def test_official_clients_go_on(client, gate):
    shown = client("call", **held(gate))["structuredContent"]
    assert "get_prediction" in shown["message"]
    gate.open_gate(0)
    client.server.api().ended(shown["id"])
    ended = client("call", name="get_prediction", arguments={"id": shown["id"]})
    assert ended["structuredContent"]["output"] == ["x"]


def test_it_is_a_task(tasks, gate):
    task = tasks.result("tools/call", held(gate))
    assert task["resultType"] == "task" and task["status"] == "working"
    assert task["ttlMs"] is None and task["pollIntervalMs"] > 0
    assert task["createdAt"] <= task["lastUpdatedAt"]
    got = tasks.result("tasks/get", {"taskId": task["taskId"]})
    assert got["resultType"] == "complete" and got["status"] == "working"
    assert "result" not in got
    assert tasks.server.api().prediction(task["taskId"])["model"] == "lab/pieces"
    answer = tasks.result("tasks/update", {"taskId": task["taskId"], "inputResponses": {}})
    assert set(answer) == {"resultType", "_meta"}
    gate.open_gate(0)
    tasks.server.api().ended(task["taskId"])
    ended = tasks.result("tasks/get", {"taskId": task["taskId"]})
    assert ended["status"] == "completed"
    assert ended["result"]["structuredContent"]["output"] == ["x"]


def test_a_task_is_canceled(tasks, gate):
    task = tasks.result("tools/call", held(gate))
    assert set(tasks.result("tasks/cancel", {"taskId": task["taskId"]})) == {"resultType", "_meta"}
    tasks.server.api().ended(task["taskId"])
    ended = tasks.result("tasks/get", {"taskId": task["taskId"]})
    assert ended["status"] == "cancelled" and "result" not in ended
    assert tasks.result("tasks/cancel", {"taskId": task["taskId"]})


def test_a_task_whose_model_fails_is_completed(tasks):
    made = tasks.server.api().run("faulty", {"mode": "throw"})
    task = tasks.result("tasks/get", {"taskId": made["id"]})
    assert task["status"] == "completed" and task["result"]["isError"]


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
def test_tasks_that_are_none(mcp, tasks, method):
    assert tasks.error(method, {"taskId": "x"})["code"] == -32602
    assert tasks.error(method, {"taskId": 7})["code"] == -32602
    reply = mcp.send(method, {"taskId": "x"})
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == -32021
    assert reply.json()["error"]["data"] == {"requiredCapabilities": TASKS}


@pytest.mark.parametrize("name", [None, "y"])
def test_the_name_of_a_task_is_in_its_header(tasks, name):
    reply = tasks.send("tasks/get", {"taskId": "x"}, headers={"Mcp-Name": name})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, -32020)


def test_canceling_a_task_needs_the_scope_run(tasks):
    made = tasks.server.api().post("/tokens", {"name": "r", "scopes": ["read"]}, 201)
    reply = tasks.but(token=made.json()["token"]).send("tasks/cancel", {"taskId": "x"})
    assert reply.status_code == 403


def test_a_server_that_is_killed_keeps_the_task(servers):
    server = servers(*FLAGS)
    gate = SharedFile(server)
    tasks = Mcp(server, capabilities=TASKS)
    task = tasks.result("tools/call", held(gate))
    server.process.kill()
    server.process.wait()
    server.start()
    gate.open_gate(0)
    server.api().ended(task["taskId"])
    ended = tasks.result("tasks/get", {"taskId": task["taskId"]})
    assert ended["result"]["structuredContent"]["output"] == ["x"]

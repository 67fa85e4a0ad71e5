"""Streams on which a client of the newest revision listens for changes."""

import contextlib
import signal
import uuid

import pytest
from gates import held
from mcp_http import LEGACY, MODERN, TASKS, Mcp, read_events
from shared_file import SharedFile
from waiting import wait_until

ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
FLAGS = ("--mcp-wait", "200ms")


@pytest.fixture
def gate(server):
    return SharedFile(server)


@pytest.fixture
def tasks(server):
    """A client that takes tasks."""
    return Mcp(server, capabilities=TASKS)


class Stream:
    """`honored` is what the server has agreed to tell."""

    def __init__(self, mcp, **notifications):
        self.reply = mcp.send("subscriptions/listen", {"notifications": notifications}, stream=True)
        assert self.reply.headers["Content-Type"] == "text/event-stream", self.reply.text
        self.id = mcp.last_id
        self.events = read_events(self.reply)
        first = self.next()
        assert first["method"] == ACKNOWLEDGED
        self.honored = first["params"]["notifications"]

    def next(self):
        event = next(self.events)
        shown = event["params"] if "method" in event else event["result"]
        assert shown["_meta"][SUBSCRIPTION] == self.id
        return event

    def until(self, method):
        while (event := self.next())["method"] != method:
            pass
        return event["params"]


@contextlib.contextmanager
def listening(mcp, **notifications):
    stream = Stream(mcp, **notifications)
    yield stream
    stream.reply.close()


def new_model(api):
    name = f"heard-{uuid.uuid4().hex[:12]}"
    api.post("/models", {"owner": "lab", "name": name, "visibility": "private", "hardware": "cpu"}, 201)
    return name


def test_it_is_announced(server, mcp):
    told = mcp.result("server/discover")["capabilities"]
    assert told["resources"] == {"listChanged": True, "subscribe": True} and told["tools"] == {}
    typed = Mcp(server, path="/mcp/lab/echo").result("server/discover")["capabilities"]
    assert typed["tools"] == {"listChanged": True}


def test_what_is_not_offered_is_not_acknowledged(server, mcp, tasks):
    asked = {
        "toolsListChanged": True,
        "promptsListChanged": True,
        "resourcesListChanged": False,
        "resourceSubscriptions": ["vend://model/lab/none", "vend://prediction/none", "file:///etc/passwd", "vend://model/lab/echo"],
    }
    with listening(mcp, **asked) as stream:
        assert stream.honored == {"resourceSubscriptions": ["vend://model/lab/echo"]}
    with listening(mcp.but(path="/mcp/lab/echo"), **asked) as stream:
        assert stream.honored["toolsListChanged"] is True
    with listening(tasks, taskIds=["none"]) as stream:
        assert stream.honored == {"taskIds": []}


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        7,
        {"toolsListChanged": 1},
        {"resourceSubscriptions": "vend://model/lab/echo"},
        {"resourceSubscriptions": [7]},
        {"taskIds": ["x"] * 101},
    ],
)
def test_refused(tasks, wrong):
    params = {} if wrong is None else {"notifications": wrong}
    assert tasks.error("subscriptions/listen", params)["code"] == -32602


def test_tasks_need_the_extension(mcp):
    error = mcp.error("subscriptions/listen", {"notifications": {"taskIds": []}})
    assert error["code"] == -32021 and error["data"] == {"requiredCapabilities": TASKS}


def test_a_client_that_takes_no_streams(mcp):
    params = {"notifications": {}}
    reply = mcp.send("subscriptions/listen", params, headers={"Accept": "application/json"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, -32600)


@pytest.mark.parametrize("revision", LEGACY)
def test_only_in_the_newest_revision(server, revision):
    assert Mcp(server, revision).error("subscriptions/listen", {"notifications": {}})["code"] == -32601


def test_the_end_of_a_task(tasks, gate):
    task = tasks.result("tools/call", held(gate))
    with listening(tasks, taskIds=[task["taskId"]]) as stream:
        assert stream.honored == {"taskIds": [task["taskId"]]}
        gate.open_gate(0)
        told = stream.until("notifications/tasks")
        while told["status"] == "working":
            told = stream.until("notifications/tasks")
        got = tasks.result("tasks/get", {"taskId": task["taskId"]})
        different = {"_meta", "resultType"}
        assert {k: v for k, v in told.items() if k not in different} == {k: v for k, v in got.items() if k not in different}
        assert told["result"]["structuredContent"]["output"] == ["x"]
    with listening(tasks, taskIds=[task["taskId"]]) as stream:
        assert stream.until("notifications/tasks")["status"] == "completed"


def test_a_prediction_of_another_account(server, tasks, gate):
    task = tasks.result("tools/call", held(gate))
    api = server.api()
    api.post("/accounts", {"username": "stranger"}, 201)
    made = api.post("/tokens", {"name": "s", "scopes": ["read"], "account": "stranger"}, 201).json()
    stranger = tasks.but(token=made["token"])
    names = {"taskIds": [task["taskId"]], "resourceSubscriptions": [f"vend://prediction/{task['taskId']}"]}
    with listening(stranger, **names) as stream:
        assert stream.honored == {"taskIds": [], "resourceSubscriptions": []}
    tasks.result("tasks/cancel", {"taskId": task["taskId"]})


def test_a_prediction_as_a_resource(mcp, gate):
    """Its output grows, and it ends."""
    run = mcp.server.api().create("pieces", {"chunks": '["x", "y"]', "gate": str(gate)})
    uri = f"vend://prediction/{run['id']}"
    with listening(mcp, resourceSubscriptions=[uri]) as stream:
        mcp.server.api().reaches(run, "processing")
        gate.open_gate(0)

        def shows_a_piece():
            assert stream.until("notifications/resources/updated")["uri"] == uri
            text = mcp.result("resources/read", {"uri": uri})["contents"][0]["text"]
            return '"x"' in text

        wait_until(shows_a_piece, what="the first piece")
        gate.open_gate(1)
        wait_until(
            lambda: stream.until("notifications/resources/updated")
            and '"succeeded"' in mcp.result("resources/read", {"uri": uri})["contents"][0]["text"],
            what="the end",
        )


def test_models_come_and_change(server, mcp):
    api = server.api()
    with listening(mcp, resourcesListChanged=True) as stream:
        name = new_model(api)
        stream.until("notifications/resources/list_changed")
    uri = f"vend://model/lab/{name}"
    with listening(mcp, resourceSubscriptions=[uri]) as stream:
        new_model(api)
        api.patch(f"/models/lab/{name}", {"description": "Says something else"}, 200)
        assert stream.next()["params"]["uri"] == uri
        api.delete(f"/models/lab/{name}", 204)
        assert stream.next()["params"]["uri"] == uri


def test_tools_change_with_their_model(server):
    api = server.api()
    api.patch("/models/lab/echo", {"description": "before"}, 200)
    with listening(Mcp(server, path="/mcp/lab/echo"), toolsListChanged=True, resourcesListChanged=False) as stream:
        api.patch("/models/lab/echo", {"description": "after"}, 200)
        assert stream.next()["method"] == "notifications/tools/list_changed"


def test_a_server_that_stops_ends_the_stream(servers):
    server = servers()
    with listening(Mcp(server), resourcesListChanged=True) as stream:
        server.signal(signal.SIGTERM)
        event = stream.next()
        assert event["id"] == stream.id and event["result"]["resultType"] == "complete"
        assert list(stream.events) == []
        assert server.wait() == 0


def test_the_header_of_the_revision_is_needed(mcp):
    reply = mcp.send("subscriptions/listen", {"notifications": {}}, headers={"MCP-Protocol-Version": None})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, -32020)
    assert mcp.revision == MODERN

"""The official clients, unmodified, against the real server."""

import pytest
from client_worker import ClientError
from gates import held
from shared_file import SharedFile

FLAGS = ("--stream-keepalive", "200ms")


def test_it_connects(client):
    revision = "2026-07-28" if client.is_modern else "2025-11-25"
    assert client("about") == {"revision": revision, "server": "vend"}


def test_it_lists(client):
    tools = client("list_tools")
    assert len(tools) == 7 and tools[2]["name"] == "run_model"
    typed = client("list_tools", "/mcp/lab/types")
    assert typed[0]["name"] == "lab__types"
    assert "vend://model/lab/echo" in [r["uri"] for r in client("list_resources")]


def test_it_searches_and_reads(client):
    found = client("call", name="search_models", arguments={"query": "echo"})
    assert found["structuredContent"]["models"][0]["model"] == "lab/echo"
    content = client("read", uri="vend://model/lab/echo")[0]
    assert content["text"].startswith("# lab/echo")


def run(client, model, **inputs):
    return client("call", name="run_model", arguments={"model": f"lab/{model}", "input": inputs})


def test_it_runs(client):
    result = run(client, "echo", text="hi")
    assert result["structuredContent"]["output"] == "hi"
    typed = client("call", "/mcp?models=lab/echo,lab/stream", name="lab__stream", arguments={"count": 2})
    assert typed["structuredContent"]["output"] == ["chunk 0", "chunk 1"]


def test_it_is_told_what_is_wrong(client):
    assert run(client, "faulty", mode="throw")["isError"]
    wrong = run(client, "echo", text=7)
    assert wrong["isError"] and "input.text" in wrong["content"][0]["text"]
    assert run(client, "none")["isError"]
    with pytest.raises(ClientError):
        client("call", name="nope")
    with pytest.raises(ClientError):
        client("about", token="wrong")


def test_it_hears_of_progress(client):
    gate = SharedFile(client.server)
    result = client("call", **held(gate), opens=f"{gate.path}.0")
    assert result["structuredContent"]["output"] == ["x"]
    assert result["notes"][0]["message"] and result["notes"][0]["progress"] > 0


def test_it_sends_and_gets_files(client):
    made = client("call", name="upload_file", arguments={"name": "a.txt", "text": "abc"})
    result = run(client, "image", image=made["structuredContent"]["url"])
    link = next(part for part in result["content"] if part["type"] == "resource_link")
    assert client("read", uri=link["uri"])[0]["text"] == "ABC"
    picture = run(client, "nested")["content"][-1]
    assert picture["type"] == "image" and picture["mimeType"] == "image/png"


def test_it_listens(client):
    if not client.is_modern:
        pytest.skip("of the newest revision alone")
    gate = SharedFile(client.server)
    made = client.server.api().create("pieces", {"chunks": '["x"]', "gate": str(gate)})
    uri = f"vend://prediction/{made['id']}"
    first, second = client("listen", resource=uri, opens=f"{gate.path}.0")
    assert first["params"]["notifications"] == {"resourceSubscriptions": [uri]}
    assert second["method"] == "notifications/resources/updated" and second["params"]["uri"] == uri


def test_it_gives_a_run_up(client):
    assert client("leave", **held(SharedFile(client.server)))
    made = client.server.api().get("/predictions").json()["results"][0]
    # Of the others the client says nothing to the server.
    if not client.is_modern:
        client("call", name="cancel_prediction", arguments={"id": made["id"]})
    assert client.server.api().ended(made)["status"] == "canceled"

"""What each tool does, and how it says what is wrong."""

import base64
import json

import jsonschema
import pytest
from mcp_http import LEGACY, MODERN, TASKS, Mcp

FIXED = [
    "search_models",
    "get_model",
    "run_model",
    "get_prediction",
    "cancel_prediction",
    "list_predictions",
    "upload_file",
]


def text_of(result):
    return result["content"][0]["text"]


def by_name(mcp):
    return {tool["name"]: tool for tool in mcp.result("tools/list")["tools"]}


def test_the_list(any_mcp):
    result = any_mcp.result("tools/list")
    assert [tool["name"] for tool in result["tools"]] == FIXED
    for tool in result["tools"]:
        jsonschema.Draft202012Validator.check_schema(tool["inputSchema"])
        assert tool["inputSchema"]["type"] == "object"
        assert ("outputSchema" in tool) == (any_mcp.revision >= "2025-06-18")
    assert ("ttlMs" in result) == (any_mcp.revision == MODERN)


def test_the_list_has_one_page(any_mcp):
    assert any_mcp.error("tools/list", {"cursor": "x"})["code"] == -32602


def test_search(mcp):
    found = mcp.call("search_models", query="echo")["structuredContent"]["models"]
    assert found[0]["model"] == "lab/echo"
    every = mcp.call("search_models", limit=2)["structuredContent"]["models"]
    assert len(every) == 2
    assert mcp.call("search_models", query="nothingatall")["structuredContent"]["models"] == []


def test_a_model(mcp):
    shown = mcp.call("get_model", model="lab/types")["structuredContent"]
    assert shown["input_schema"]["required"] == ["text", "count"]
    assert shown["input_schema"]["properties"]["color"]["enum"] == ["red", "green", "blue"]
    assert shown["output_schema"] == {"type": "string"}
    again = mcp.call("get_model", model=f"lab/types:{shown['version']}")["structuredContent"]
    assert again == shown


@pytest.mark.parametrize("model", ["lab/none", "nobody/echo", "echo", "lab/echo:" + "0" * 64])
def test_a_model_that_is_not_there(any_mcp, model):
    for tool in ("get_model", "run_model"):
        result = any_mcp.call(tool, model=model)
        assert result["isError"] and text_of(result)


def test_a_run(any_mcp):
    result = any_mcp.run("echo", text="hello")
    shown = json.loads(text_of(result))
    assert shown["status"] == "succeeded" and shown["output"] == "hello"
    assert "isError" not in result
    if any_mcp.revision >= "2025-06-18":
        assert result["structuredContent"] == shown
    else:
        assert "structuredContent" not in result
    row = any_mcp.server.api().prediction(shown["id"])
    assert row["input"] == {"text": "hello"} and row["source"] == "api"


def test_a_short_run_is_no_task(mcp):
    tasks = mcp.but(capabilities=TASKS)
    result = tasks.run("echo", text="s")
    assert result["resultType"] in ("complete", "task")
    mcp.server.api().ended(result["structuredContent"]["id"] if "content" in result else result["taskId"])
    assert tasks.run("echo", text="s")["structuredContent"]["output"] == "s"


def test_a_model_error_is_one_of_the_tool(any_mcp):
    result = any_mcp.run("faulty", mode="throw")
    assert result["isError"] is True
    shown = json.loads(text_of(result))
    assert shown["status"] == "failed" and "boom" in shown["error"]
    assert "about to fail" in shown["logs"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "model"),
        ({"model": 7}, "model"),
        ({"model": "lab/echo", "input": []}, "input"),
        ({"model": "lab/echo", "input": {"text": 7}}, "input.text"),
        ({"model": "lab/types", "input": {"text": "abc"}}, "input"),
        ({"model": "lab/image", "input": {"image": "data:nothing"}}, "input.image"),
        ({"model": "lab/image", "input": {"image": "/etc/passwd"}}, "input.image"),
    ],
)
def test_arguments_that_do_not_fit(any_mcp, arguments, field):
    """An error of the tool since 2025-11-25, before that one of the protocol."""
    answer = any_mcp.ask("tools/call", {"name": "run_model", "arguments": arguments})
    if any_mcp.revision >= "2025-11-25":
        assert answer["result"]["isError"]
        assert field in text_of(answer["result"])
    else:
        assert answer["error"]["code"] == -32602
        assert field in answer["error"]["message"]


@pytest.mark.parametrize(
    "params",
    [{}, {"name": 7}, {"name": "nope"}, {"name": "lab__echo"}, {"name": "run_model", "arguments": 7}],
)
def test_calls_that_are_none(any_mcp, params):
    assert any_mcp.error("tools/call", params)["code"] == -32602


def test_big_integers_are_no_names(mcp):
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":18446744073709551615}}'
    reply = mcp.post(body, {"MCP-Protocol-Version": LEGACY[0]})
    assert reply.json()["error"]["message"] == "name: expected a string"


def test_predictions(mcp):
    ids = [mcp.run("echo", text=str(i))["structuredContent"]["id"] for i in range(3)]
    first = mcp.call("list_predictions", limit=2)["structuredContent"]
    assert [row["id"] for row in first["predictions"]] == [ids[2], ids[1]]
    second = mcp.call("list_predictions", limit=1, cursor=first["next_cursor"])["structuredContent"]
    assert second["predictions"][0]["id"] == ids[0]
    assert mcp.call("list_predictions", cursor="?")["isError"]
    shown = mcp.call("get_prediction", id=ids[0])["structuredContent"]
    assert shown["output"] == "0" and shown["model"] == "lab/echo"
    assert mcp.call("get_prediction", id="none")["isError"]
    failed = mcp.run("faulty", mode="throw")["structuredContent"]["id"]
    looked = mcp.call("get_prediction", id=failed)
    assert "isError" not in looked and looked["structuredContent"]["status"] == "failed"


def test_text_in_chunks(mcp):
    chunks = json.dumps(["a", "b"])
    shown = mcp.run("pieces", chunks=chunks)["structuredContent"]
    assert shown["output"] == ["a", "b"]


# ---- Files


def test_an_uploaded_file_is_an_input(mcp):
    data = base64.b64encode(b"abc").decode()
    made = mcp.call("upload_file", name="a.txt", data=data, type="text/plain")["structuredContent"]
    assert made["size"] == 3 and made["type"] == "text/plain"
    shown = mcp.run("image", image=made["url"])
    url = shown["structuredContent"]["output"]
    link = shown["content"][1]
    assert link == {"type": "resource_link", "uri": url, "name": "out.txt", "mimeType": "text/plain", "size": 3}
    content = mcp.result("resources/read", {"uri": url})["contents"]
    assert content == [{"uri": url, "mimeType": "text/plain", "text": "ABC"}]


def test_an_uploaded_text(mcp):
    made = mcp.call("upload_file", name="é.txt", text="é")["structuredContent"]
    assert (made["name"], made["type"], made["size"]) == ("é.txt", "text/plain", 2)
    assert mcp.server.api().get(f"/files/{made['id']}").json()["name"] == "é.txt"


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "a"},
        {"name": "a", "data": "YQ==", "text": "a"},
        {"name": "a", "data": "Y"},
        {"name": "a", "data": "????"},
        {"name": "a", "data": "YQ==YQ=="},
        {"name": "", "text": "a"},
        {"name": "a", "text": "a", "type": "text/plain\r\nX: y"},
    ],
)
def test_uploads_that_are_refused(mcp, arguments):
    before = len(mcp.server.api().get("/files").json()["results"])
    assert mcp.call("upload_file", **arguments)["isError"]
    assert len(mcp.server.api().get("/files").json()["results"]) == before


def test_an_upload_that_is_too_large(servers):
    mcp = Mcp(servers("--max-file", "1k"))
    result = mcp.call("upload_file", name="a", text="x" * 2000)
    assert result["isError"] and "1024" in text_of(result)


def test_small_pictures_come_along(any_mcp):
    result = any_mcp.run("nested", label="dog")
    kinds = [part["type"] for part in result["content"]]
    if any_mcp.revision == "2025-03-26":
        assert kinds == ["text", "image"]
    else:
        assert kinds == ["text", "resource_link", "image"]
        assert result["structuredContent"]["output"]["label"] == "dog"
    picture = result["content"][-1]
    assert picture["mimeType"] == "image/png"
    assert base64.b64decode(picture["data"]) == b"\x89PNG dog"


def test_large_outputs_are_links(mcp):
    """The official client takes events of at most a megabyte."""
    chunks = json.dumps(["x" * 1000])
    arguments = {"model": "lab/pieces", "input": {"chunks": chunks, "repeat": 600}}
    reply = mcp.send("tools/call", {"name": "run_model", "arguments": arguments})
    assert len(reply.content) < 1 << 20
    shown = json.loads(reply.text.split("data: ")[1])["result"]["structuredContent"]
    assert "output" not in shown and f"/v1/predictions/{shown['id']}" in shown["message"]
    small = mcp.run("pieces", chunks=chunks, repeat=300)["structuredContent"]
    assert len(small["output"]) == 300


def test_large_pictures_are_links(mcp):
    typed = mcp.call("run_model", model="lab/nested", input={"label": "x" * 800_000})
    assert "output" not in typed["structuredContent"]
    assert [part["type"] for part in typed["content"]] == ["text", "resource_link"]
    uri = typed["content"][1]["uri"]
    assert "fetch its URL" in mcp.error("resources/read", {"uri": uri})["message"]


# ---- Tools of models


def test_a_tool_of_a_model(any_mcp):
    typed = any_mcp.but(path="/mcp/lab/types")
    tools = typed.result("tools/list")["tools"]
    assert [t["name"] for t in tools] == ["lab__types", "get_prediction", "cancel_prediction", "upload_file"]
    schema = tools[0]["inputSchema"]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert list(schema["properties"])[:3] == ["text", "count", "scale"]
    assert schema["required"] == ["text", "count"]
    assert "$ref" not in json.dumps(schema) and "x-order" not in json.dumps(schema)
    assert "URL or data: URI" in schema["properties"]["file"]["description"]
    result = typed.result("tools/call", {"name": "lab__types", "arguments": {"text": "abc", "count": 2}})
    assert json.loads(json.loads(text_of(result))["output"])["color"] == "red"
    if any_mcp.revision >= "2025-06-18":
        jsonschema.validate(result["structuredContent"], tools[0]["outputSchema"])


def test_tools_of_several_models(mcp):
    several = mcp.but(path="/mcp?models=lab/echo,lab/nested")
    tools = by_name(several)
    assert list(tools) == ["lab__echo", "lab__nested", "get_prediction", "cancel_prediction"]
    result = several.call("lab__nested", label="bird")
    jsonschema.validate(result["structuredContent"], tools["lab__nested"]["outputSchema"])
    assert [r["uri"] for r in several.result("resources/list")["resources"]] == [
        "vend://model/lab/echo",
        "vend://model/lab/nested",
    ]
    for name in ("run_model", "lab__types"):
        assert several.error("tools/call", {"name": name, "arguments": {}})["code"] == -32602


def test_a_typed_tool_takes_what_a_version_takes(mcp):
    typed = mcp.but(path="/mcp/lab/echo")
    assert "input.text" in text_of(typed.call("lab__echo", text=7))
    assert typed.call("lab__echo", text="t", upper=True)["structuredContent"]["output"] == "T"


@pytest.mark.parametrize("path", ["/mcp/lab/none", "/mcp?models=lab/echo,lab/none", "/mcp?models=echo"])
def test_endpoints_of_models_that_are_not_there(mcp, path):
    assert mcp.but(path=path).error("tools/list")["code"] == -32602


@pytest.mark.parametrize("models", ["", ",".join(f"lab/m{i}" for i in range(51))])
def test_how_many_models_an_endpoint_may_have(mcp, models):
    assert mcp.but(path=f"/mcp?models={models}").send("tools/list").status_code == 400


# ---- Resources


def test_resources(any_mcp):
    listed = any_mcp.result("resources/list")["resources"]
    assert {"vend://model/lab/echo", "vend://model/lab/types"} <= {r["uri"] for r in listed}
    templates = any_mcp.result("resources/templates/list")["resourceTemplates"]
    assert [t["uriTemplate"] for t in templates] == [
        "vend://model/{owner}/{name}",
        "vend://prediction/{id}",
    ]
    content = any_mcp.result("resources/read", {"uri": "vend://model/lab/echo"})["contents"][0]
    assert content["text"].startswith("# lab/echo") and content["mimeType"] == "text/markdown"
    made = json.loads(text_of(any_mcp.run("echo", text="r")))["id"]
    content = any_mcp.result("resources/read", {"uri": f"vend://prediction/{made}"})["contents"][0]
    assert json.loads(content["text"])["output"] == "r"


def test_resources_come_in_pages(mcp):
    assert mcp.error("resources/list", {"cursor": "?"})["code"] == -32602
    assert "nextCursor" not in mcp.result("resources/list")


@pytest.mark.parametrize(
    "uri", ["", "vend://", "vend://model/lab", "vend://model/lab/none", "vend://prediction/x", "file:///etc/passwd"]
)
def test_resources_that_are_not_there(any_mcp, uri):
    error = any_mcp.error("resources/read", {"uri": uri})
    assert error["code"] == (-32602 if any_mcp.revision == MODERN else -32002)
    assert error["data"] == {"uri": uri}


def test_a_picture_is_read_as_bytes(mcp):
    url = mcp.run("nested")["structuredContent"]["output"]["picture"]
    content = mcp.result("resources/read", {"uri": url})["contents"][0]
    assert base64.b64decode(content["blob"]) == b"\x89PNG cat"
    assert mcp.error("resources/read", {"uri": 7})["code"] == -32602

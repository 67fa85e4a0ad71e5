"""What is wrong is refused with a problem document that names it."""

import http.client
import json
import socket
import urllib.parse

import pytest

FLAGS = ["--max-body", "64K", "--max-file", "1M"]
CREATE = "/models/lab/types/predictions"


@pytest.mark.parametrize("text", ["{", "{'a': 1}", '{"a": NaN}', '{"a":1}}', "nonsense", '{"a":1.}'])
def test_malformed_json(api, text):
    headers = {"Content-Type": "application/json"}
    api.call("POST", CREATE, 400, data=text, headers=headers)


@pytest.mark.parametrize(
    "text, place",
    [
        ('{"version":18446744073709551615}', "version"),
        ('{"webhook":9223372036854775808}', "webhook"),
        ('{"input":{"text":"\\u0000"}}', "input.text"),
        ('{"input":{"a":[0,{"b":1E400}]}}', "input.a.1.b"),
        ('{"input":{"tags":["a","\\udc00"]}}', "input.tags.1"),
        ('{"input":{"n":18446744073709551616}}', "input.n"),
    ],
)
def test_json_that_cannot_be_passed_on_is_refused_by_place(api, text, place):
    headers = {"Content-Type": "application/json"}
    detail = api.call("POST", CREATE, 422, data=text, headers=headers).json()["detail"]
    assert detail.startswith(place + ": ")


@pytest.mark.parametrize("text", ["[]", '"text"', "5", "null"])
def test_json_that_is_no_object(api, text):
    headers = {"Content-Type": "application/json"}
    assert api.call("POST", CREATE, data=text, headers=headers).status_code in (400, 422)


@pytest.mark.parametrize("depth", [100, 30000])
def test_deep_json(api, depth):
    headers = {"Content-Type": "application/json"}
    text = '{"input":{"text":' + "[" * depth + "]" * depth + "}}"
    assert api.call("POST", CREATE, data=text, headers=headers).status_code in (400, 422)


@pytest.mark.parametrize("kind", ["text/html", "application/xml", "multipart/form-data; boundary=x"])
def test_wrong_content_type(api, kind):
    body = json.dumps({"input": {}})
    reply = api.call("POST", CREATE, 415, data=body, headers={"Content-Type": kind})
    assert "application/json" in reply.json()["detail"]


def test_empty_bodies_under_json_are_fine(api):
    ran = api.run("echo", {})
    api.call(
        "POST", f"/predictions/{ran['id']}/cancel", 200, headers={"Content-Type": "application/json"}
    )
    api.call("GET", "/account", 200, headers={"Content-Type": "application/json"})


def test_body_too_large_by_length(api):
    reply = api.post("/models/lab/echo/predictions", {"input": {"text": "x" * 100_000}}, 413)
    assert reply.json()["status"] == 413


def test_body_too_large_by_chunks(api):
    def chunks():
        yield b'{"input":{"text":"'
        for _ in range(200):
            yield b"x" * 1024
        yield b'"}}'

    headers = {"Content-Type": "application/json"}
    api.call("POST", "/models/lab/echo/predictions", 413, data=chunks(), headers=headers)
    # A small body in chunks is as good as any.
    made = api.call(
        "POST",
        "/models/lab/echo/predictions",
        201,
        data=iter([b'{"input":', b'{"text":"chunked"}}']),
        headers=headers,
    ).json()
    assert api.ended(made)["output"] == "chunked"


def test_unknown_paths_and_methods(api):
    for path in ("/nothing", "/models/lab", "/models/lab/echo/nothing", "//", "//-/nothing"):
        api.get(path, 404)
    for method, path in (("DELETE", "/predictions"), ("PUT", "/models/lab/echo"), ("GET", "/uploads")):
        assert api.call(method, path).status_code in (404, 405)


@pytest.mark.parametrize("model", ["lab/nothing", "nobody/echo", "lab/ECHO"])
def test_unknown_model(api, model):
    api.get(f"/models/{model}", 404)
    api.post(f"/models/{model}/predictions", {"input": {}}, 404)


@pytest.mark.parametrize(
    "version", ["0" * 64, "lab/nothing", "lab/echo:" + "0" * 64, "nobody/echo", "xyz", "a/b/c", "lab/"]
)
def test_unknown_version(api, version):
    body = api.post("/predictions", {"version": version, "input": {}}, 422).json()
    assert body["title"] == "Invalid version or not permitted"
    assert body["detail"].startswith("The specified version does not exist")


@pytest.mark.parametrize("version", [None, 5, ["x"], {}])
def test_version_is_text(api, version):
    body = {"input": {}} if version is None else {"version": version, "input": {}}
    assert "version" in api.post("/predictions", body, 422).json()["detail"]


def test_a_version_has_three_names(api):
    version = api.get("/models/lab/echo").json()["latest_version"]["id"]
    for name in (version, f"lab/echo:{version}", "lab/echo"):
        made = api.post("/predictions", {"version": name, "input": {"text": "hi"}}, 201).json()
        assert made["version"] == version and made["model"] == "lab/echo"


GOOD = {"text": "hello", "count": 3}
BAD = [
    # input, field, type
    ({"count": 3}, "text", "required"),
    ({**GOOD, "text": 5}, "text", "invalid_type"),
    ({**GOOD, "text": "x"}, "text", "string_gte"),
    ({**GOOD, "text": "x" * 11}, "text", "string_lte"),
    ({**GOOD, "count": "3"}, "count", "invalid_type"),
    ({**GOOD, "count": 0}, "count", "number_gte"),
    ({**GOOD, "count": 11}, "count", "number_lte"),
    ({**GOOD, "count": 1.5}, "count", "invalid_type"),
    ({**GOOD, "count": True}, "count", "invalid_type"),
    ({**GOOD, "scale": 1.01}, "scale", "number_lte"),
    ({**GOOD, "scale": "x"}, "scale", "invalid_type"),
    ({**GOOD, "flag": "yes"}, "flag", "invalid_type"),
    ({**GOOD, "color": "black"}, "color", "enum"),
    ({**GOOD, "size": 257}, "size", "enum"),
    ({**GOOD, "code": "1ab"}, "code", "pattern"),
    ({**GOOD, "tags": "a"}, "tags", "invalid_type"),
    ({**GOOD, "tags": ["a", 1]}, "tags", "invalid_type"),
    ({**GOOD, "numbers": [1, "2"]}, "numbers", "invalid_type"),
    ({**GOOD, "maybe": "x"}, "maybe", "invalid_type"),
    ({**GOOD, "file": 5}, "file", "invalid_type"),
]


@pytest.mark.parametrize("inputs,field,kind", BAD)
def test_wrong_input(api, inputs, field, kind):
    body = api.post(CREATE, {"input": inputs}, 422).json()
    assert body["title"] == "Input validation failed"
    assert len(body["invalid_fields"]) == 1, body
    problem = body["invalid_fields"][0]
    assert problem["type"] == kind and field in (problem["field"] + problem["description"])
    assert body["detail"] == f"- {problem['field']}: {problem['description']}\n"


def test_all_wrong_inputs_at_once(api):
    inputs = {"text": 5, "scale": 7, "color": "black", "tags": [1]}
    body = api.post(CREATE, {"input": inputs}, 422).json()
    told = " ".join(p["field"] + p["description"] for p in body["invalid_fields"])
    assert len(body["invalid_fields"]) == 5
    assert all(name in told for name in ("text", "count", "scale", "color", "tags"))
    assert body["detail"].count("\n") == 5


@pytest.mark.parametrize("value", [5, "x", [1], True])
def test_input_is_an_object(api, value):
    assert "input" in api.post(CREATE, {"input": value}, 422).json()["detail"]


def test_every_type_arrives(api):
    inputs = {
        "text": "hällo",
        "count": 10,
        "scale": 1,
        "flag": True,
        "color": "blue",
        "size": 512,
        "code": "xyz9",
        "tags": ["a", "b"],
        "numbers": [1, 2],
        "maybe": 7,
        "file": "data:text/plain;base64,aGk=",
        "key": "very-secret",
        "unknown": {"is": "ignored"},
    }
    ran = api.run("types", inputs)
    assert ran["status"] == "succeeded", ran
    expected = {**inputs, "file": "hi"}
    del expected["unknown"]
    assert json.loads(ran["output"]) == expected
    # A secret is shown to nobody; the rest is kept as it was sent.
    assert "very-secret" not in json.dumps(ran["input"])
    assert ran["input"]["unknown"] == {"is": "ignored"} and ran["input"]["text"] == "hällo"


def test_nulls_and_defaults(api):
    ran = api.run("types", {"text": "ab", "count": 1, "maybe": None, "key": None, "file": None})
    assert ran["status"] == "succeeded", ran
    output = json.loads(ran["output"])
    assert output["maybe"] is None and output["scale"] == 0.5 and output["color"] == "red"


@pytest.mark.parametrize(
    "more,field",
    [
        ({"webhook": "not a url"}, "webhook"),
        ({"webhook": 5}, "webhook"),
        ({"webhook": "ftp://example.com/"}, "webhook"),
        ({"webhook_events_filter": ["sometimes"]}, "webhook_events_filter"),
        ({"webhook_events_filter": "completed"}, "webhook_events_filter"),
    ],
)
def test_wrong_webhooks(api, more, field):
    body = {"input": {"text": "x"}, **more}
    assert field in api.post("/models/lab/echo/predictions", body, 422).json()["detail"]


def test_unknown_keys_are_ignored(api):
    body = {"input": {"text": "x"}, "stream": True, "signal": {}}
    api.post("/models/lab/echo/predictions", body, 201)


def raw(server, data):
    """Sends bytes that no client library would send; returns the status."""
    parts = urllib.parse.urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), 30) as connection:
        connection.sendall(data)
        connection.settimeout(30)
        reply = http.client.HTTPResponse(connection)
        reply.begin()
        return reply.status


@pytest.mark.parametrize(
    "data,status",
    [
        (b"GET /v1/models/%2e%2e/%2e%2e HTTP/1.1\r\nHost: x\r\n\r\n", (400, 401, 404)),
        (b"GET /v1/../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", (400, 404)),
        (b"GET /v1/models/a%00b/c HTTP/1.1\r\nHost: x\r\n\r\n", (400, 401, 404)),
        (b"GET /v1/account HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", (400,)),
        (b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", (400,)),
        (
            b"POST /v1/predictions HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            (400, 401),
        ),
    ],
)
def test_broken_requests(server, data, status):
    assert raw(server, data) in status
    server.api().get("//-/healthz")

"""The rules that decide whether clients work, one test each, numbered as in the notes on the API."""

import json
import re
import time
import types

import pytest
from api import Api
from checking_proxy import make_proxy
from client_worker import ClientError
from clients import COMMANDS, Client
from sse import Stream, parse

FLAGS = ("--stream-keepalive", "1s")


def one_client(name, workers, proxy, server):
    return Client(name, workers[name], proxy.url, server.token)


def latest(api, name):
    return api.get(f"/models/lab/{name}").json()["latest_version"]["id"]


def read_stream(api, made):
    """Head and text of a whole event stream."""
    reply = api.get(made["urls"]["stream"], token="")
    return reply.headers, reply.content.decode()


@pytest.mark.parametrize("prefix", ["", "/v1", "/v1/v1"])
def test_rule_01_three_prefixes(proxied, prefix):
    made = proxied.post(f"/{prefix}/predictions", {"version": "lab/echo", "input": {}}, 201).json()
    for path in ("/predictions", f"/predictions/{made['id']}", "/models/lab/echo", "/account"):
        proxied.get(f"/{prefix}{path}")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_rule_02_plain_http_leaves_texts(name, workers, proxy, server):
    """Over https the same run gives file objects: test_clients.py."""
    client = one_client(name, workers, proxy, server)
    inputs = {"image": {"$file": "plain"}}
    output = client("run", ref="lab/image", input=inputs)
    assert output.startswith(proxy.url + "/v1/outputs/")


def test_rule_03_a_hold_ends_with_starting_or_the_end(proxied):
    proxied.run("stream", {"count": 1})
    body = {"input": {"count": 100, "delay": 0.05}}
    path = "/models/lab/stream/predictions"
    held = proxied.post(path, body, 202, headers={"Prefer": "wait=1"}).json()
    assert (held["status"], held["output"]) == ("starting", None)
    assert proxied.prediction(held)["status"] == "processing"
    proxied.cancel(held)
    done = proxied.post(path, {"input": {"count": 2}}, 201, headers={"Prefer": "wait"}).json()
    assert (done["status"], done["output"]) == ("succeeded", ["chunk 0", "chunk 1"])


@pytest.mark.parametrize("seconds", [1, 2])
def test_rule_04_a_hold_ends_before_the_client_gives_up(proxied, seconds):
    began = time.monotonic()
    body = {"input": {"delay": 600}}
    headers = {"Prefer": f"wait={seconds}"}
    held = proxied.post("/models/lab/echo/predictions", body, 202, headers=headers).json()
    # Not to the tenth: the machine that runs this may be busy.
    assert seconds - 0.6 <= time.monotonic() - began < seconds + 5
    proxied.cancel(held)


def test_rule_05_urls_are_never_null(proxied):
    """The proxy looks at every reply; here are some of each kind."""
    made = [proxied.run("echo"), proxied.create("echo", {"delay": 600}), proxied.upload(b"x")]
    proxied.cancel(made[1])
    for path in ("/predictions", "/models", "/files", "/trainings", "/deployments"):
        made += proxied.get(path).json()["results"]
    shown = [item["urls"] for item in made if "urls" in item]
    assert len(shown) > 5 and all(isinstance(url, str) for urls in shown for url in urls.values())


def test_rule_06_logs_are_text(proxied):
    fresh = proxied.create("echo", {"delay": 600})
    assert fresh["logs"] == ""
    assert isinstance(proxied.cancel(fresh)["logs"], str)
    assert "about to fail" in proxied.run("faulty", {"mode": "throw"})["logs"]


def test_rule_07_aborted_only_where_it_was_asked_for(proxied, server):
    """`Cancel-After` is the only way to it, and only for what never started."""
    for made in (proxied.run("echo"), proxied.run("faulty", {"mode": "throw"})):
        assert made["status"] in ("succeeded", "failed")
    version = latest(proxied, "echo")
    body = {"name": "never", "model": "lab/echo", "version": version, "hardware": "cpu"}
    proxied.post("/deployments", {**body, "min_instances": 0, "max_instances": 0}, 200)
    limited = {"Cancel-After": "5s"}
    never = proxied.post("/deployments/lab/never/predictions", {"input": {}}, 201, headers=limited)
    running = proxied.create("echo", {"delay": 600}, cancel_after="5s")
    assert never.json()["deadline"] and running["deadline"]
    assert proxied.ended(running)["status"] == "canceled"
    assert proxied.ended(never.json())["status"] == "aborted"


@pytest.mark.parametrize("token", ["", None, "vend_wrong"])
def test_rule_08_streams_and_outputs_need_no_token(proxied, token):
    made = proxied.run("image", {"image": "data:text/plain;base64,aGk="})
    assert proxied.get(made["output"], token=token).content == b"HI"
    assert "event: done" in proxied.get(made["urls"]["stream"], token=token).text


def test_rule_09_events(proxied, server):
    made = proxied.create("stream", {"count": 3, "delay": 1.2})
    with Stream(made["urls"]["stream"]) as stream:
        stream.wait(lambda s: s.comments() >= 2, "a comment in each quiet second")
        events = stream.rest()
    assert b"\r" not in stream.body
    assert [event.event for event in events] == ["output"] * 3 + ["done"]
    assert all(event.id for event in events) and len({event.id for event in events}) == 4
    failed = proxied.create("stream", {"count": 3, "fail_at": 1})
    headers, text = read_stream(proxied, failed)
    assert headers["Content-Type"].startswith("text/event-stream")
    assert headers["Cache-Control"] == "no-store"
    events, _ = parse(text)
    assert [event.event for event in events] == ["output", "error", "done"]
    assert isinstance(json.loads(events[1].data)["detail"], str)


def test_rule_10_detail_is_text(proxied):
    """The proxy checks that of each of them."""
    proxied.get("/nothing", 404)
    proxied.get("/account", 401, token="")
    proxied.get("/search", 400)
    proxied.call("DELETE", "/account", 405)
    proxied.post("/predictions", {"version": 5}, 422)
    proxied.post("/models/lab/types/predictions", {"input": {"text": 5}}, 422)
    headers = {"Content-Type": "application/json"}
    proxied.call("POST", "/predictions", 400, data="{", headers=headers)
    proxied.call("POST", "/predictions", 415, data="x", headers={"Content-Type": "image/png"})


def test_rule_11_pages_are_absolute_and_have_a_cursor(proxied, proxy):
    version = latest(proxied, "echo")
    body = {"model": "lab/echo", "version": version, "hardware": "cpu"}
    sizes = {"min_instances": 0, "max_instances": 0}
    proxied.post("/deployments", {"name": "page", **body, **sizes}, 200)
    for _ in range(101):
        proxied.post("/deployments/lab/page/predictions", {"input": {}}, 201)
    first = proxied.get("/predictions?created_after=2020-01-01T00:00:00Z").json()
    assert len(first["results"]) == 100 and first["previous"] is None
    assert re.match(rf"{proxy.url}/v1/predictions\?.*\bcursor=[^&]+", first["next"])
    assert "created_after=" in first["next"]
    second = proxied.get(first["next"]).json()
    seen = {item["id"] for item in first["results"]}
    assert second["results"] and not seen & {item["id"] for item in second["results"]}


def test_rule_12_a_file_url_becomes_its_bytes(proxied):
    file = proxied.upload(b"bytes", "in.txt")
    own = file["urls"]["get"]
    for url in (own, own.replace("/v1/", "/v1/v1/"), own.replace("/v1/", "/")):
        ran = proxied.run("image", {"image": url})
        assert ran["status"] == "succeeded", ran
        assert proxied.get(ran["output"], token="").content == b"BYTES"
        assert ran["input"]["image"] == url


def test_rule_13_never_null_where_python_wants_a_value(proxied):
    account = proxied.get("/account").json()
    assert account["name"] and account["username"] and account["type"]
    file = proxied.upload(b"x", "")
    assert file["name"] and re.fullmatch("[0-9a-f]{32}", file["etag"])
    body = {"owner": "lab", "name": "bare", "visibility": "private", "hardware": "cpu"}
    model = proxied.post("/models", body, 201).json()
    assert model["run_count"] == 0 and model["visibility"] == "private" and model["url"]
    version = proxied.get("/models/lab/echo").json()["latest_version"]
    assert isinstance(version["cog_version"], str) and isinstance(version["openapi_schema"], dict)
    proxied.post("/collections", {"slug": "bare"}, 201)
    assert proxied.get("/collections/bare").json()["description"] is not None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_rule_14_urls_have_the_callers_origin(server, host):
    """A proxy that says which origin it has, beside one whose Host goes on as it is."""
    origin = server.url.replace("127.0.0.1", host)
    api = Api(types.SimpleNamespace(url=origin, ca=None, token=server.token, binary=server.binary))
    made = api.run("image", {"image": "data:text/plain;base64,aGk="})
    assert made["output"].startswith(origin + "/v1/outputs/")
    assert api.get("/models/lab/echo").json()["url"].startswith(origin + "/")


def test_rule_15_a_storm_of_retries_is_answered(servers, workers):
    """JavaScript sends six times without a pause, and reads no Retry-After."""
    server = servers("--rate-limit-creates", "2")
    proxy = make_proxy(server)
    try:
        client = one_client("javascript", workers, proxy, server)
        for _ in range(2):
            client("create", model="lab/echo", input={})
        with pytest.raises(ClientError, match="Request was throttled") as failed:
            client("create", model="lab/echo", input={"text": "storm"})
        assert failed.value.status == 429
        sent = proxy.seen("POST")
        assert [exchange.status for exchange in sent] == [201, 201] + [429] * 6
        assert len(server.api().get("/predictions").json()["results"]) == 2
        assert not proxy.take_faults()
    finally:
        proxy.close()


@pytest.mark.parametrize("path", ["/models/", "/predictions/", "/account/", "//v1", "//v1/", "//"])
def test_rule_16_nothing_redirects(proxied, path):
    assert proxied.call("GET", path).status_code in (200, 404)
    assert proxied.call("POST", path, json={}).status_code in (404, 405, 422)


def test_rule_17_accepted_only_for_holds_that_ran_out(proxied):
    """Of the documented operations two have a 202: a create whose hold ended, the end of a version.

    That others have none is part of the check of every reply."""
    made = proxied.post("/models/lab/echo/predictions", {"input": {}}, 201).json()
    body = {"input": {"delay": 600}}
    held = proxied.post("/models/lab/echo/predictions", body, 202, headers={"Prefer": "wait=1"})
    proxied.cancel(held.json())
    assert proxied.ended(made)["status"] == "succeeded"


@pytest.mark.parametrize(
    ("path", "method"),
    [("/predictions", "POST"), ("/models", "QUERY"), ("/files", "POST"), ("/models/a/b", "PATCH")],
)
def test_rule_18_browsers_may_call(proxied, path, method):
    asked = "authorization,content-type,prefer,cancel-after"
    headers = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": asked,
    }
    reply = proxied.call("OPTIONS", path, headers=headers, token="")
    assert reply.status_code in (200, 204)
    assert reply.headers["Access-Control-Allow-Origin"] in ("*", "https://app.example")
    allowed = reply.headers["Access-Control-Allow-Methods"].replace(" ", "").split(",")
    assert method in allowed
    shown = reply.headers["Access-Control-Allow-Headers"].lower().replace(" ", "").split(",")
    assert set(asked.split(",")) <= set(shown)


def test_rule_18_browsers_may_read_streams_and_files(proxied):
    made = proxied.run("image", {"image": "data:text/plain;base64,aGk="})
    for url in (made["urls"]["stream"], made["output"]):
        reply = proxied.get(url, token="", headers={"Origin": "https://app.example"})
        assert reply.headers["Access-Control-Allow-Origin"] in ("*", "https://app.example")

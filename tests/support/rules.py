"""What must hold for every reply of the API, whoever receives it: section by section of the API notes."""

import json
import re
import urllib.parse

import requests
from shapes import Shapes

STATUSES = {"starting", "processing", "succeeded", "failed", "canceled", "aborted"}
PREDICTION = {"id", "status", "input", "created_at"}
CREATES = re.compile(r"^(?:/v1)*/(?:predictions|(?:models|deployments)/[^/]+/[^/]+/predictions)$")
# Those of OpenAI beside the Replicate API, with and without its prefix.
OPENAI = re.compile(
    r"^(?:/openai/.*|(?:/v1)*/(?:chat/completions|completions|embeddings|responses|images/.*|audio/.*|videos.*))$"
)
TIMEOUT_S = 120
_shapes = Shapes()
_own_shapes = {}  # by binary


def own_shapes(server):
    """What the server's own document says of its replies."""
    if server.binary not in _own_shapes:
        reply = requests.get(
            server.url + "/openapi.json", timeout=TIMEOUT_S, verify=server.ca or True
        )
        assert reply.status_code == 200, reply.text
        _own_shapes[server.binary] = Shapes(reply.json())
    return _own_shapes[server.binary]


def check_problem(status, kind, body):
    """`detail` is text, `status` is the reply's own."""
    assert kind.startswith("application/problem+json"), f"an error as {kind!r}: {body[:300]!r}"
    problem = json.loads(body)
    assert isinstance(problem, dict), problem
    assert isinstance(problem["detail"], str) and problem["detail"], problem
    assert isinstance(problem.get("title", ""), str), problem
    assert problem["status"] == status, problem


def check_openai_error(kind, headers, body):
    """What the clients of these endpoints read of an error."""
    assert kind.startswith("application/json"), f"an error as {kind!r}: {body[:300]!r}"
    assert headers.get("x-request-id"), "no x-request-id"
    error = json.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code"}, error
    assert isinstance(error["message"], str) and error["message"] and isinstance(error["type"], str), error


def check_urls(value, origin):
    """No null inside `urls`; every URL has the caller's origin."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "urls":
                for url in item.values():
                    assert isinstance(url, str) and url.startswith(origin + "/"), value
            else:
                check_urls(item, origin)
    elif isinstance(value, list):
        for item in value:
            check_urls(item, origin)


def check_prediction(value):
    """What clients take for granted wherever a prediction or a training stands."""
    assert isinstance(value["logs"], str), value
    assert value["error"] is None or isinstance(value["error"], str), value
    assert value["error"] is None or value["status"] in ("failed", "canceled", "aborted"), value
    assert value["status"] in STATUSES, value
    assert isinstance(value["metrics"], dict) and isinstance(value["input"], dict), value
    assert {"get", "cancel", "web"} <= set(value["urls"]), value


def check_page(page, origin):
    for name in ("next", "previous"):
        link = page[name]
        assert link is None or (link.startswith(origin + "/") and "cursor=" in link), page[name]


def check_json(value, origin):
    """Models keep examples in `default_example`, lists keep theirs in `results`."""
    if not isinstance(value, dict):
        return
    if PREDICTION <= value.keys():
        check_prediction(value)
    if {"next", "previous", "results"} <= value.keys():
        check_page(value, origin)
    for item in [value.get("default_example"), *(value.get("results") or [])]:
        check_json(item, origin)


def check_reply(method, url, status, headers, body, origin, own=None):
    """Raises AssertionError. `headers` knows names in any case or in lower case; `body` is bytes;
    `own` is what the server's own document says."""
    kind = headers.get("content-type") or ""
    path = urllib.parse.urlsplit(url).path
    assert not 300 <= status < 400 or status == 304, f"{method} {path} redirects: {status}"
    if method == "HEAD":
        return
    if OPENAI.match(path):
        if status >= 400:
            check_openai_error(kind, headers, body)
        return
    if status >= 400:
        check_problem(status, kind, body)
        return
    _shapes.check_status(method, path, status)
    if not kind.startswith("application/json"):
        return
    value = json.loads(body)
    if path.endswith("/openapi.json"):  # which tells of URLs
        return
    _shapes.check(method, path, status, value)
    if own is not None:
        own.check_status(method, path, status)
        own.check(method, path, status, value)
    check_urls(value, origin)
    check_json(value, origin)
    if method == "POST" and CREATES.match(path):
        assert headers.get("location") == value["urls"]["get"], "Location is not urls.get"

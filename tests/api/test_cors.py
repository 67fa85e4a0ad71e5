"""Pages of other origins: what their browsers are told."""

import pytest

PAGE = "https://app.example"
ASKED = "authorization, content-type, prefer, cancel-after"


def ask(api, path, method, origin=PAGE):
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ASKED,
    }
    return api.call("OPTIONS", path, headers=headers, token="")


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/predictions", "POST"),
        ("/models", "GET"),
        ("/files", "POST"),
        ("/predictions/x/cancel", "POST"),
        ("/outputs/token/name.png", "GET"),
        ("//predictions", "POST"),
    ],
)
def test_preflight(api, path, method):
    reply = ask(api, path, method)
    assert reply.status_code == 204 and reply.content == b""
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert method in reply.headers["Access-Control-Allow-Methods"].split(", ")
    assert reply.headers["Access-Control-Allow-Headers"] == ASKED
    assert int(reply.headers["Access-Control-Max-Age"]) > 0
    assert "Access-Control-Allow-Credentials" not in reply.headers


def test_replies_can_be_read(api):
    headers = {"Origin": PAGE}
    for path, token, status in (("/account", None, 200), ("/account", "", 401), ("/nothing", None, 404)):
        reply = api.call("GET", path, status, headers=headers, token=token)
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        exposed = reply.headers["Access-Control-Expose-Headers"].split(", ")
        assert {"Location", "x-request-id", "x-should-retry", "x-vend-ignored"} <= set(exposed)


def test_plain_options_are_no_preflight(api):
    reply = api.call("OPTIONS", "/predictions", 405)
    assert "POST" in reply.headers["Allow"]
    assert ask(api, "/nothing", "GET").status_code == 404


def test_listed_origins(servers, api):
    server = servers("--cors-origins", "https://app.example, http://localhost:3000")
    mine = type(api)(server)
    reply = mine.get("/account", headers={"Origin": PAGE})
    assert reply.headers["Access-Control-Allow-Origin"] == PAGE
    assert reply.headers["Vary"] == "Origin"
    assert ask(mine, "/predictions", "POST", "http://localhost:3000").status_code == 204
    reply = mine.get("/account", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert ask(mine, "/predictions", "POST", "https://evil.example").status_code == 405


def test_no_origins(servers, api):
    mine = type(api)(servers("--cors-origins", ""))
    reply = mine.get("/account", headers={"Origin": PAGE})
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert ask(mine, "/predictions", "POST").status_code == 405


@pytest.mark.parametrize("bad", ["app.example", "https://app.example/path", "*,https://a.example"])
def test_bad_setting(servers, bad):
    server = servers("--cors-origins", bad, start=False)
    server.spawn()
    assert server.process.wait(60) == 2
    assert "origin" in server.log_path.read_text()

"""Where the API is found, and the origin of the URLs in its replies."""

import pytest
import requests


@pytest.mark.parametrize("prefix", ["/v1", "/v1/v1", ""])
def test_three_prefixes(api, prefix):
    assert api.get(f"/{prefix}/account").json()["username"] == "lab"
    made = api.post(f"/{prefix}/models/lab/echo/predictions", {"input": {"text": "hi"}}, 201).json()
    assert made["urls"]["get"].endswith(f"/v1/predictions/{made['id']}")
    assert api.get(f"/{prefix}/predictions/{made['id']}").json()["id"] == made["id"]
    version = api.get(f"/{prefix}/models/lab/echo").json()["latest_version"]["id"]
    api.get(f"/{prefix}/models/lab/echo/versions/{version}")
    api.get(f"/{prefix}/predictions")


def test_health_needs_no_token(api):
    assert api.get("//-/healthz", token="").json()["status"] == "ok"
    assert api.get("//-/readyz", token="").json() == {"status": "ready"}


def test_nothing_is_redirected(api):
    for path in ("/models/", "/account/", "//v1/"):
        assert api.call("GET", path).status_code in (200, 404)


def test_urls_have_the_callers_host(api, server):
    port = server.url.rpartition(":")[2]
    origin = f"http://localhost:{port}"
    made = api.post(
        "/models/lab/echo/predictions",
        {"input": {}},
        201,
        headers={"Host": f"localhost:{port}"},
        origin=origin,
    )
    assert made.headers["Location"] == made.json()["urls"]["get"]
    assert made.json()["urls"]["get"].startswith(origin + "/v1/")


FORWARDED = [
    ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "vend.example"}, "https://vend.example"),
    (
        {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "vend.example", "X-Forwarded-Port": "8443"},
        "https://vend.example:8443",
    ),
    ({"Forwarded": 'for=1.2.3.4;proto=https;host="vend.example"'}, "https://vend.example"),
]


@pytest.mark.parametrize("headers,origin", FORWARDED)
def test_strangers_cannot_set_the_origin(api, server, headers, origin):
    api.get("/models/lab/echo", headers=headers, origin=server.url)
    url = api.get("/models/lab/echo", headers=headers).json()["url"]
    assert url.startswith(server.url + "/")


@pytest.fixture(scope="module")
def behind_proxy(binary, template, tmp_path_factory):
    from servers import Servers

    made = Servers(binary, template, tmp_path_factory.mktemp("proxy"))
    yield made("--trusted-proxies", "127.0.0.0/8,::1/128")
    made.close()


@pytest.mark.parametrize("headers,origin", FORWARDED)
def test_a_trusted_proxy_sets_the_origin(behind_proxy, headers, origin):
    api = behind_proxy.api()
    made = api.post(
        "/models/lab/echo/predictions", {"input": {}}, 201, headers=headers, origin=origin
    )
    assert made.json()["urls"]["get"].startswith(origin + "/v1/predictions/")
    assert made.headers["Location"].startswith(origin)
    assert api.get("/models/lab/echo", headers=headers).json()["url"].startswith(origin + "/")


def test_public_url_wins(servers):
    server = servers("--public-url", "https://models.example/")
    api = server.api()
    made = api.post(
        "/models/lab/echo/predictions", {"input": {}}, 201, origin="https://models.example"
    )
    assert made.json()["urls"]["get"].startswith("https://models.example/v1/")


def test_connections_are_kept(api):
    with requests.Session() as session:
        for _ in range(3):
            reply = session.get(api.server.url + "/-/healthz", timeout=30)
            assert reply.ok and reply.headers.get("Connection", "").lower() != "close"

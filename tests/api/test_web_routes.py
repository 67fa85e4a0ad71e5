"""Which requests get the page, and which the API: by the Accept header, and by the route table."""

import re

import pytest
import requests

HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PAGES = [
    "/", "/explore", "/sign-in", "/collections/x", "/predictions", "/trainings", "/p/abc", "/deployments",
    "/deployments/lab/x", "/operate", "/operate/decisions", "/account", "/account/tokens", "/lab/echo",
    "/lab/echo/versions", "/lab/echo/versions/abc", "/models/llama-3.1",
]


def get(server, path, accept, **headers):
    return requests.get(server.url + path, headers={"Accept": accept, **headers}, timeout=60, allow_redirects=False)


def is_page(reply):
    return reply.headers.get("Content-Type", "").startswith("text/html") or "no web page" in reply.text


@pytest.fixture(scope="module")
def api_paths(server):
    paths = server.api().get("/openapi.json").json()["paths"]
    return [re.sub(r"\{\w+\*?\}", "x", path) for path, methods in paths.items() if "get" in methods]


@pytest.mark.parametrize("path", PAGES)
def test_browsers_get_pages(server, path):
    reply = get(server, path, HTML)
    assert reply.status_code == 200 and is_page(reply)
    assert requests.head(server.url + path, headers={"Accept": HTML}, timeout=60).status_code == 200


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("accept", ["application/json", "*/*"])
def test_clients_never_do(server, path, accept):
    assert not is_page(get(server, path, accept))


def test_a_token_means_the_api(server):
    reply = get(server, "/predictions", HTML, Authorization=f"Bearer {server.token}")
    assert reply.json()["results"] is not None


def test_no_route_of_the_api_is_hidden(server, api_paths):
    assert len(api_paths) > 40
    for path in api_paths:
        for accept in (HTML, "application/json"):
            reply = get(server, path, accept)
            assert not is_page(reply), (path, accept)
            short = path.removeprefix("/v1")
            assert not is_page(get(server, short, "application/json")), short


def test_files_of_the_api_are_no_pages_without_their_prefix(server):
    """Short addresses of the API that no page has."""
    for path in ("/outputs/abc/x.png", "/covers/abc/x.png", "/streams/abc", "/files/abc", "/openapi.json"):
        assert not is_page(get(server, path, HTML)), path


@pytest.mark.parametrize("path", ["/v1/nothing", "/-/nothing", "/assets/nothing.js", "/openai/v1/x", "/mcp/x"])
def test_what_is_missing_is_missing(server, path):
    reply = get(server, path, HTML)
    assert reply.status_code == 404 and not is_page(reply)

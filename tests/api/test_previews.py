"""What programs that preview links are told: nothing that a stranger may not see, and all of it as text."""

import re

import pytest
import requests
from servers import Servers

HTML = "text/html,*/*;q=0.8"
HOSTILE = """"'><script>alert(1)</script>&amp;"""


@pytest.fixture(scope="module")
def catalogue(template, binary, tmp_path_factory):
    made = Servers(binary, template, tmp_path_factory.mktemp("catalogue"))
    yield made("--public-catalogue", "true")
    made.close()


@pytest.fixture(scope="module", autouse=True)
def needs_the_page(catalogue):
    if "no web page" in requests.get(catalogue.url, headers={"Accept": HTML}, timeout=60).text:
        pytest.skip("this build has no web page")


def get(server, path, accept=HTML, **headers):
    return requests.get(server.url + path, headers={"Accept": accept, **headers}, timeout=60, allow_redirects=False)


def tags(text):
    return dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):[\w:]+|description)" content="([^"]*)" />', text))


def share(api, prediction):
    url = api.call("PUT", f"/predictions/{prediction['id']}/share", 200).json()["url"]
    return url, url.partition("/s/")[2]


def test_a_public_model(catalogue):
    about = {"owner": "lab", "name": "covered", "visibility": "public", "hardware": "cpu"}
    picture = "https://example.com/a.png"
    catalogue.api().post("/models", {**about, "description": HOSTILE, "cover_image_url": picture}, 201)
    for path in ("/lab/covered", "/lab/covered/versions"):
        reply = get(catalogue, path)
        told = tags(reply.text)
        assert told["og:title"] == "lab/covered" and "<script>alert" not in reply.text
        assert told["og:description"] == told["description"]
        assert told["og:description"] == "&quot;&apos;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;"
        assert told["og:url"] == catalogue.url + path and told["og:image"] == picture
        assert "script-src 'self'" in reply.headers["Content-Security-Policy"]
        assert get(catalogue, path, **{"If-None-Match": reply.headers["ETag"]}).status_code == 304
    catalogue.api().patch("/models/lab/covered", {"description": "x" * 1000}, 200)
    assert tags(get(catalogue, "/lab/covered").text)["og:description"] == "x" * 300 + "…"


def test_what_strangers_do_not_see(catalogue, server):
    api = catalogue.api()
    api.post("/models", {"owner": "lab", "name": "hidden", "visibility": "private", "hardware": "cpu"}, 201)
    api.patch("/models/lab/hidden", {"description": "secret words"}, 200)
    hidden, missing = get(catalogue, "/lab/hidden"), get(catalogue, "/lab/nothing")
    assert hidden.status_code == missing.status_code == 200 and hidden.text == missing.text
    assert tags(hidden.text) == {}
    # This server shows strangers no catalogue.
    assert tags(get(server, "/lab/echo").text) == {} == tags(get(server, "/explore").text)


def test_programs_that_accept_anything(catalogue, server):
    for headers in ({}, {"User-Agent": "previewer"}):
        reply = get(catalogue, "/lab/stream", "*/*", **headers)
        assert reply.status_code == 200 and tags(reply.text)["og:title"] == "lab/stream"
    for path in ("/lab/hidden", "/lab/nothing", "/s/nothing", "/nothing", "/v1/nothing", "/-/nothing", "/assets/a/b"):
        reply = get(catalogue, path, "*/*")
        assert reply.status_code == 404 and reply.json()["status"] == 404, path
    assert get(catalogue, "/lab/stream", "application/json").status_code == 404
    assert get(catalogue, "/lab/stream", "*/*", Authorization="Bearer x").status_code == 404
    assert get(server, "/lab/stream", "*/*").status_code == 404


def test_a_shared_prediction(server):
    api = server.api()
    made = api.run("echo", {"text": HOSTILE})
    before = get(server, f"/p/{made['id']}")
    assert tags(before.text) == {}
    url, token = share(api, made)
    for accept in (HTML, "*/*"):
        told = tags(get(server, f"/s/{token}", accept).text)
        assert told["og:title"] == "Prediction of lab/echo" and told["og:url"] == url
        assert told["og:description"].startswith("&quot;&apos;&gt;&lt;script&gt;") and "og:image" not in told
    api.delete(f"/predictions/{made['id']}/share", 204)
    assert tags(get(server, f"/s/{token}").text) == {}
    assert get(server, f"/s/{token}", "*/*").status_code == 404


def test_the_picture_of_a_shared_one(server):
    api = server.api()
    made = api.run("image", {"image": "data:text/plain;base64,YWJj", "name": "out.png"})
    _, token = share(api, made)
    told = tags(get(server, f"/s/{token}").text)
    assert told["og:image"] == made["output"] and told["twitter:card"] == "summary_large_image"
    assert "og:description" not in told

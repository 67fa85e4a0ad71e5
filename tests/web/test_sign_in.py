"""Signing in and out, and what the scopes of a token hide."""

import functools
import http.server
import threading

import pytest
from conftest import sign_in
from playwright.sync_api import expect


def test_by_a_token(context, server):
    page = context.new_page()
    page.goto("/predictions")
    expect(page.get_by_role("heading", name="Sign in to Vend")).to_be_visible()
    page.get_by_label("Token").fill("vend_nobody")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("valid authentication token")
    page.get_by_label("Token").fill(server.token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="lab", exact=True)).to_be_visible()
    assert page.url == f"{server.url}/predictions"
    cookie = context.cookies()[0]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    assert server.token not in page.evaluate("JSON.stringify(localStorage) + document.cookie")


def test_by_a_link_once(context, server):
    link = server.api().post("//-/session/links", expect=201).json()["url"]
    page = context.new_page()
    page.goto(link)
    expect(page.get_by_role("link", name="lab", exact=True)).to_be_visible()
    context.clear_cookies()
    page.goto(link)
    expect(page.get_by_text("used")).to_be_visible()


def test_signing_out(page, context):
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to Vend").or_(page.get_by_role("link", name="Sign in"))).to_be_visible()
    assert [cookie for cookie in context.cookies() if cookie["value"]] == []


def test_scopes_hide_what_a_person_may_not_do(context, server):
    token = server.api().post("/tokens", {"name": "reader", "scopes": ["read"]}, 201).json()["token"]
    page = sign_in(context, server, token)
    expect(page.get_by_role("link", name="Predictions")).to_be_visible()
    expect(page.get_by_role("link", name="Operate")).to_have_count(0)


@pytest.fixture
def elsewhere(tmp_path):
    """The address of a page on another port of the same host."""
    (tmp_path / "index.html").write_text("<h1>elsewhere</h1>")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{other.server_port}/"
        other.shutdown()
        thread.join()


def test_another_port_cannot_write(page, context, server, elsewhere):
    """A browser counts another port of the host as the same site, and sends it the cookies."""
    before = len(server.api().get("/predictions").json()["results"])
    other = context.new_page()
    other.goto(elsewhere)
    with other.expect_response(lambda reply: "/v1/" in reply.url) as written:
        other.evaluate(
            """(url) => fetch(url, {
              method: "POST", mode: "no-cors", credentials: "include",
              body: JSON.stringify({ input: { text: "stolen" } }),
            }).then(() => true)""",
            f"{server.url}/v1/models/lab/echo/predictions",
        )
    # Without the cookie this would be 401.
    assert written.value.status == 403
    assert len(server.api().get("/predictions").json()["results"]) == before

"""Sessions of the web page: signing in, what a session may do, and requests from elsewhere."""

import sqlite3

import pytest
import requests

OWN = {"Sec-Fetch-Site": "same-origin"}


class Browser:
    """Keeps cookies, and says as browsers do where a request comes from."""

    def __init__(self, server):
        self.server = server
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method, path, headers=None, **options):
        return self.session.request(
            method, self.server.url + path, headers=OWN if headers is None else headers,
            timeout=60, allow_redirects=False, **options,
        )

    def sign_in(self, token=None):
        return self.call("POST", "/-/session", json={"token": token or self.server.token})


def cookie_of(server):
    return f"vend_session_{server.url.rpartition(':')[2]}"


@pytest.fixture
def browser(server):
    return Browser(server)


def link(server, token=None):
    return server.api(token).post("//-/session/links", expect=201).json()["url"]


def follow(browser, url):
    return browser.call("GET", url.removeprefix(browser.server.url), headers={})


def test_a_token_signs_in(server, browser):
    assert browser.call("GET", "/-/session").status_code == 401
    reply = browser.sign_in()
    assert reply.status_code == 201
    cookie = reply.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert server.token not in cookie
    who = browser.call("GET", "/-/session").json()
    assert who["username"] == "lab" and who["scopes"] == ["read", "run", "push", "admin"]
    assert browser.call("GET", "/v1/account").json()["username"] == "lab"


def test_a_wrong_token_does_not(browser):
    reply = browser.sign_in("vend_nobody")
    assert reply.status_code == 401 and "Set-Cookie" not in reply.headers
    assert browser.call("POST", "/-/session", json={}).status_code == 422
    assert browser.call("POST", "/-/session", json={"token": "x" * 300}).status_code == 422


def test_a_session_has_the_scopes_of_its_token(server, browser):
    token = server.api().post("/tokens", {"name": "r", "scopes": ["read"]}, 201).json()["token"]
    assert browser.sign_in(token).json()["scopes"] == ["read"]
    assert browser.call("GET", "/v1/predictions").status_code == 200
    run = browser.call("POST", "/v1/models/lab/echo/predictions", json={"input": {"text": "x"}})
    assert run.status_code == 403 and "'run'" in run.json()["detail"]


def test_runs_of_the_page_are_web_runs(server, browser):
    browser.sign_in()
    made = browser.call("POST", "/v1/models/lab/echo/predictions", json={"input": {"text": "w"}}).json()
    assert made["source"] == "web"
    assert server.api().ended(made)["source"] == "web"
    page = browser.call("GET", "/v1/predictions?source=web").json()
    assert made["id"] in {p["id"] for p in page["results"]}
    assert server.api().run("echo", {"text": "a"})["source"] == "api"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {},
    ],
    ids=["cross-site", "other-port", "navigation", "other-origin", "null-origin", "nothing"],
)
def test_writes_of_other_pages_are_refused(server, browser, headers):
    browser.sign_in()
    body = {"input": {"text": "x"}}
    reply = browser.call("POST", "/v1/models/lab/echo/predictions", headers=headers, json=body)
    assert reply.status_code == 403, reply.text
    assert browser.call("POST", "/-/session", headers=headers, json={"token": server.token}).status_code == 403
    assert browser.call("DELETE", "/-/session", headers=headers).status_code == 403
    assert browser.call("GET", "/-/session").status_code == 200


def test_reads_of_other_pages_get_nothing(browser):
    browser.sign_in()
    reply = browser.call("GET", "/v1/account", headers={"Sec-Fetch-Site": "cross-site"})
    assert reply.status_code == 403
    assert "Access-Control-Allow-Credentials" not in reply.headers


def test_a_browser_without_fetch_metadata_writes_by_its_origin(server, browser):
    browser.sign_in()
    reply = browser.call("DELETE", "/-/session", headers={"Origin": server.url})
    assert reply.status_code == 204


def test_a_token_goes_before_the_session(server, browser):
    browser.sign_in()
    reply = browser.call("GET", "/v1/account", headers={**OWN, "Authorization": "Bearer nobody"})
    assert reply.status_code == 401


def test_signing_out_ends_the_session(server, browser):
    browser.sign_in()
    kept = browser.session.cookies.copy()
    assert browser.call("DELETE", "/-/session").status_code == 204
    assert browser.call("GET", "/-/session").status_code == 401
    browser.session.cookies = kept
    assert browser.call("GET", "/-/session").status_code == 401
    # Signing out twice is no error.
    assert browser.call("DELETE", "/-/session").status_code == 204


def test_signing_out_everywhere_ends_all_of_the_token(server):
    token = server.api().post("/tokens", {"name": "e", "scopes": ["read"]}, 201).json()["token"]
    one, two, other = Browser(server), Browser(server), Browser(server)
    one.sign_in(token)
    two.sign_in(token)
    other.sign_in()
    unused = link(server, token)
    assert one.call("DELETE", "/-/session?everywhere=true").status_code == 204
    assert two.call("GET", "/-/session").status_code == 401
    assert other.call("GET", "/-/session").status_code == 200
    assert follow(one, unused).headers["Location"] == "/sign-in?link=used"


def test_a_revoked_token_ends_its_sessions(server, browser):
    admin = server.api()
    made = admin.post("/tokens", {"name": "gone", "scopes": ["read"]}, 201).json()
    browser.sign_in(made["token"])
    assert browser.call("GET", "/-/session").status_code == 200
    admin.delete(f"/tokens/{made['id']}", 204)
    assert browser.call("GET", "/-/session").status_code == 401


def test_a_link_signs_in_once(server, browser):
    url = link(server)
    # Previews ask for the head.
    assert browser.call("HEAD", url.removeprefix(server.url), headers={}).status_code == 303
    reply = follow(browser, url)
    assert reply.status_code == 303 and reply.headers["Location"] == "/"
    assert reply.headers["Cache-Control"] == "no-store"
    assert browser.call("GET", "/-/session").json()["username"] == "lab"
    again = Browser(server)
    reply = follow(again, url)
    assert reply.headers["Location"] == "/sign-in?link=used" and "Set-Cookie" not in reply.headers
    assert again.call("GET", "/-/session").status_code == 401


def test_a_link_is_opened_as_a_page(server, browser):
    path = link(server).removeprefix(server.url)
    picture = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}
    assert browser.call("GET", path, headers=picture).status_code == 403
    page = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}
    assert browser.call("GET", path, headers=page).headers["Location"] == "/"


def test_the_command_prints_a_link(server, browser):
    done = server.cli("login")
    assert done.returncode == 0, done.stderr
    assert follow(browser, done.stdout.strip()).status_code == 303
    assert browser.call("GET", "/-/session").status_code == 200


def test_a_link_is_no_session_and_a_session_no_link(server, browser):
    secret = link(server).rpartition("/")[2]
    browser.session.cookies.set(cookie_of(server), secret)
    assert browser.call("GET", "/-/session").status_code == 401
    browser.session.cookies.set(cookie_of(server), server.token)
    assert browser.call("GET", "/-/session").status_code == 401
    browser.session.cookies.clear()
    browser.sign_in()
    own = browser.session.cookies[cookie_of(server)]
    assert follow(browser, f"{server.url}/-/login/{own}").headers["Location"] == "/sign-in?link=used"
    server.api(own).get("/account", 401)


def test_links_need_a_token(server, browser):
    assert browser.call("POST", "/-/session/links").status_code == 401


def test_what_is_too_old_is_refused(servers):
    server = servers()
    browser = Browser(server)
    browser.sign_in()
    url = link(server)
    server.stop()
    with sqlite3.connect(server.data / "vend.db") as database:
        database.execute("UPDATE sessions SET expires_us = 1")
    database.close()
    server.start()
    fresh = Browser(server)
    fresh.session.cookies = browser.session.cookies
    assert fresh.call("GET", "/-/session").status_code == 401
    path = url.partition("/-/")[2]
    assert fresh.call("GET", f"/-/{path}", headers={}).headers["Location"] == "/sign-in?link=used"


def test_sessions_survive_a_kill(servers):
    server = servers()
    browser = Browser(server)
    browser.sign_in()
    server.kill()
    server.start("--listen", server.url.removeprefix("http://"))
    browser.server = server
    assert browser.call("GET", "/-/session").status_code == 200
    # Nothing in the database signs anybody in.
    secret = browser.session.cookies[cookie_of(server)]
    assert secret.encode() not in (server.data / "vend.db").read_bytes()


def test_with_https_the_cookie_is_for_this_host_only(server, browser):
    headers = {**OWN, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "vend.example"}
    reply = browser.call("POST", "/-/session", headers=headers, json={"token": server.token})
    if reply.headers["Set-Cookie"].startswith("__Host-"):
        assert "Secure" in reply.headers["Set-Cookie"]


def test_servers_on_other_ports_of_a_host(server, servers):
    """Browsers share cookies between ports: each server has a name of its own."""
    second = servers()
    one, two = Browser(server), Browser(second)
    two.session.cookies = one.session.cookies
    assert one.sign_in().status_code == two.sign_in().status_code == 201
    assert one.call("GET", "/-/session").status_code == two.call("GET", "/-/session").status_code == 200
    assert two.call("DELETE", "/-/session").status_code == 204
    assert two.call("GET", "/-/session").status_code == 401
    assert one.call("GET", "/-/session").status_code == 200

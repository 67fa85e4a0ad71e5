"""The proxy itself: it finds what is wrong, and streams what it hands on."""

import http.server
import json
import threading

import pytest
import requests
from checking_proxy import CheckingProxy
from waiting import wait_until

PREDICTION = {
    "id": "a",
    "model": "lab/echo",
    "version": "b",
    "status": "starting",
    "input": {},
    "output": None,
    "logs": "",
    "error": None,
    "metrics": {},
    "source": "api",
    "data_removed": False,
    "created_at": "2026-01-05T10:00:00.120Z",
}


class Fake(http.server.ThreadingHTTPServer):
    """Answers with `status`, `headers` and `body`; an event stream waits for `more`."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), FakeHandler)
        self.status, self.headers, self.body = 200, {}, b""
        self.more = threading.Event()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self):
        self.more.set()
        self.shutdown()
        self.server_close()
        self.thread.join()


class FakeHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_GET(self):
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        if self.path.startswith("/v1/streams/"):
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"4\r\n: a\n\r\n")
            self.server.more.wait(60)
            self.wfile.write(b"4\r\n: b\n\r\n0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()


@pytest.fixture
def fake():
    made = Fake()
    yield made
    made.close()


@pytest.fixture
def between(fake):
    made = CheckingProxy("127.0.0.1", fake.server_port)
    yield made
    made.close()


def answer(fake, value, status=200, kind="application/json", **headers):
    fake.status, fake.body = status, json.dumps(value).encode()
    fake.headers = {"Content-Type": kind, **headers}


def prediction(proxy, **changes):
    url = f"{proxy.url}/v1/predictions/a"
    urls = {"get": url, "cancel": url + "/cancel", "web": proxy.url + "/p/a"}
    return {**PREDICTION, "urls": urls, **changes}


def fault(between, path="/v1/predictions/a", method="GET"):
    requests.request(method, between.url + path, json={}, allow_redirects=False, timeout=30)
    (found,) = between.take_faults()
    return found


def test_what_is_right_passes(fake, between):
    answer(fake, prediction(between))
    assert requests.get(between.url + "/v1/predictions/a", timeout=30).json() == json.loads(fake.body)
    assert not between.take_faults()


WRONG = [
    ({"logs": None}, "logs"),
    ({"status": "done"}, "status"),
    ({"error": {}}, "error"),
    ({"error": ""}, "error"),
    ({"metrics": None}, "metrics"),
    ({"id": None}, "id"),
    ({"urls": {"get": None}}, "urls"),
    ({"urls": {"get": "http://elsewhere/v1/predictions/a"}}, "elsewhere"),
    ({"urls": {"get": "/v1/predictions/a"}}, "urls"),
]


@pytest.mark.parametrize("changes,named", WRONG)
def test_wrong_predictions(fake, between, changes, named):
    answer(fake, prediction(between, **changes))
    assert named in fault(between)


def test_wrong_predictions_in_lists(fake, between):
    page = {"next": None, "previous": None, "results": [prediction(between, logs=None)]}
    answer(fake, page)
    assert "logs" in fault(between, "/v1/predictions")


@pytest.mark.parametrize("link", ["/v1/predictions?cursor=x", "http://elsewhere/?cursor=x", "PROXY/v1/x"])
def test_wrong_pages(fake, between, link):
    link = link.replace("PROXY", between.url)
    answer(fake, {"next": link, "previous": None, "results": []})
    assert fault(between, "/v1/predictions")


def test_urls_of_the_server_behind(fake, between):
    answer(fake, prediction(between, output=between.backend_url + "/v1/outputs/x/y"))
    assert "another origin" in fault(between)


@pytest.mark.parametrize(
    "problem",
    [
        {"detail": ["x"], "status": 404},
        {"detail": "", "status": 404},
        {"status": 404},
        {"detail": "x", "status": 400},
        ["x"],
    ],
)
def test_wrong_problems(fake, between, problem):
    answer(fake, problem, 404, "application/problem+json")
    assert fault(between)


def test_errors_that_are_no_problems(fake, between):
    answer(fake, {"detail": "x", "status": 404}, 404)
    assert "application/json" in fault(between)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects(fake, between, status):
    answer(fake, {}, status, Location=between.url + "/v1/elsewhere")
    assert "redirects" in fault(between)


@pytest.mark.parametrize("location", [None, "/v1/predictions/a"])
def test_creates_say_where(fake, between, location):
    more = {"Location": location} if location else {}
    answer(fake, prediction(between), 201, **more)
    assert "Location" in fault(between, "/v1/predictions", "POST")


def test_undocumented_status(fake, between):
    answer(fake, prediction(between), 202)
    assert "202" in fault(between)


def test_streams_are_not_kept_back(fake, between):
    with requests.get(between.url + "/v1/streams/x", stream=True, timeout=30) as reply:
        pieces = reply.iter_content(None)
        assert next(pieces) == b": a\n"
        fake.more.set()
        assert b"".join(pieces) == b": b\n"


def test_what_was_asked_is_kept(fake, between):
    answer(fake, prediction(between))
    headers = {"Authorization": "Bearer x"}
    requests.get(between.url + "/v1/predictions/a?b=c", headers=headers, timeout=30)
    (seen,) = between.wait_over("GET")
    assert (seen.path, seen.status, seen.reply["id"]) == ("/v1/predictions/a?b=c", 200, "a")
    assert seen.headers["authorization"] == "Bearer x"
    assert seen.headers["host"] == between.url.removeprefix("http://")


def test_a_client_that_leaves_is_seen(fake, between):
    reply = requests.get(between.url + "/v1/streams/x", stream=True, timeout=30)
    next(reply.iter_content(None))
    reply.close()
    fake.more.set()
    wait_until(lambda: all(exchange.over for exchange in between.seen()), what="the end")

"""Files into models, and files out of them."""

import base64
import http.server
import threading

import pytest
import requests

import processes
from waiting import wait_until


class Origin(http.server.ThreadingHTTPServer):
    """Serves a few files, and fails in a few ways."""

    daemon_threads = True

    def __init__(self, address="127.0.0.1"):
        super().__init__((address, 0), Handler)
        self.url = f"http://{address}:{self.server_port}"
        self.seen = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        if self.path.startswith(("/good", "/v1/files/", "/v1/outputs/")):
            self.reply(200, b"from afar")
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/good.txt")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", "http://" + self.path.removeprefix("/to/"))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/large":
            self.reply(200, b"x" * (2 << 20))
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x")
            self.close_connection = True
        else:
            self.reply(404, b"no such file")

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(body)


FLAGS = ["--max-input-file", "1M", "--input-allow", "127.0.0.1/32"]


@pytest.fixture(scope="module")
def origin():
    made = Origin()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()


def content(url):
    return requests.get(url, timeout=60).content


def test_input_from_a_url(api, origin):
    ran = api.run("image", {"image": origin.url + "/good.txt"})
    assert ran["status"] == "succeeded", ran
    assert content(ran["output"]) == b"FROM AFAR"
    assert ran["input"]["image"] == origin.url + "/good.txt"
    headers = origin.seen[-1][1]
    assert "Authorization" not in headers
    ran = api.run("image", {"image": origin.url + "/moved"})
    assert ran["status"] == "succeeded" and content(ran["output"]) == b"FROM AFAR"


@pytest.mark.parametrize("path", ["/missing", "/short", "/large"])
def test_input_that_cannot_be_had(api, origin, path):
    ran = api.run("image", {"image": origin.url + path})
    assert ran["status"] == "failed" and ran["error_code"] == "INPUT_DOWNLOAD_FAILED", ran
    assert "input.image: could not download" in ran["error"] and path in ran["error"]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x", "http://no-such-host.invalid/x"]
)
def test_input_of_nobody(api, url):
    ran = api.run("image", {"image": url})
    assert ran["status"] == "failed" and ran["error_code"] == "INPUT_DOWNLOAD_FAILED", ran


def refused(api, url, address):
    ran = api.run("image", {"image": url})
    assert ran["status"] == "failed" and ran["error_code"] == "INPUT_DOWNLOAD_FAILED", ran
    assert f"input.image: could not download {url}: {address} is not a public address" in ran["error"]
    assert "--input-allow" in ran["error"]


def test_input_from_addresses_that_are_not_allowed(api, origin):
    """127.0.0.1 is allowed here, its neighbour is not: not by address, nor by redirect."""
    other = Origin("127.0.0.2")
    threading.Thread(target=other.serve_forever, daemon=True).start()
    try:
        refused(api, other.url + "/good.txt", "127.0.0.2")
        refused(api, f"{origin.url}/to/127.0.0.2:{other.server_port}/good.txt", "127.0.0.2")
        refused(api, "http://169.254.169.254/latest/meta-data/", "169.254.169.254")
        refused(api, "http://[::ffff:10.0.0.1]/x", "10.0.0.1")
        assert other.seen == []
    finally:
        other.shutdown()


def test_input_cannot_reach_what_an_instance_listens_on(servers, origin):
    """The director and its model alone use it: nobody else, not even after a redirect."""
    server = servers("--input-allow", "127.0.0.2/32")
    api = server.api()
    other = Origin("127.0.0.2")
    threading.Thread(target=other.serve_forever, daemon=True).start()
    try:
        warm = api.run("image", {"image": other.url + "/good.txt"})
        assert warm["status"] == "succeeded", warm
        ports = set()
        for pid in processes.models(server.data) + processes.directors(server.data):
            ports |= processes.listening_ports(pid)
        assert ports
        for port in ports:
            refused(api, f"http://127.0.0.1:{port}/health-check", "127.0.0.1")
            refused(api, f"{other.url}/to/127.0.0.1:{port}/health-check", "127.0.0.1")
    finally:
        other.shutdown()


def test_input_of_local_files_is_refused(api):
    for url in ("file:///etc/passwd", "/etc/passwd", "gopher://127.0.0.1/x", "", "passwd", " http://x"):
        body = api.post("/models/lab/image/predictions", {"input": {"image": url}}, 422).json()
        assert body["invalid_fields"][0]["type"] == "format", url
        api.post("/models/lab/files/predictions", {"input": {"files": [url]}}, 422)


def test_input_as_data_uri(api):
    for uri, expected in (
        ("data:text/plain;base64," + base64.b64encode(b"hello").decode(), b"HELLO"),
        ("data:text/plain,hello%20you", b"HELLO YOU"),
        ("data:;base64,aGVsbG8=", b"HELLO"),
    ):
        ran = api.run("image", {"image": uri})
        assert ran["status"] == "succeeded", (uri, ran["error"])
        assert content(ran["output"]) == expected


def test_broken_uris_are_refused_at_once(api):
    for uri, why in (
        ("data:text/plain;base64,aGVsbG8", "padding"),
        ("data:text/plain;base64,hello!!!", "base64"),
        ("data:", "comma"),
        ("data:text/plain,a b", "blank"),
        ("data: text/plain,a", "media type"),
        ("data:base64,aGVsbG8=", "media type"),
        ("data:text/plain,%4", "%"),
        ("http://a b/", "format 'uri'"),
        ("http://x/a\n", "format 'uri'"),
        ("https://x/\u0001", "format 'uri'"),
        ("http://", "format 'uri'"),
        ("https:///path", "format 'uri'"),
        ("data:text/plain;base64," + "A" * (300 << 10) + "!", "base64"),
    ):
        body = api.post("/models/lab/image/predictions", {"input": {"image": uri}}, 422).json()
        assert body["title"] == "Input validation failed"
        (wrong,) = body["invalid_fields"]
        assert wrong["field"] == "input.image" and wrong["type"] == "format"
        assert why in wrong["description"], wrong
        files = ["data:,a", uri]
        body = api.post("/models/lab/files/predictions", {"input": {"files": files}}, 422).json()
        assert [one["field"] for one in body["invalid_fields"]] == ["input.files.1"]


@pytest.mark.parametrize(
    "uri",
    ["DATA:text/plain,hello", "Data:text/plain;BASE64,aGVsbG8=", "data:text/plain;base64,aGVs\r\nbG8=\n",
     "data:;base64,aGVs%62G8%3D"],
)
def test_unusual_data_uris(api, uri):
    ran = api.run("image", {"image": uri})
    assert ran["status"] == "succeeded", ran["error"]
    assert content(ran["output"]) == b"HELLO" and ".txt 5" in ran["logs"]


LARGE = bytes(range(97, 123)) * (400 << 10 >> 4)


def large(kind="image/png", text=LARGE):
    return f"data:{kind};base64," + base64.b64encode(text).decode()


def test_large_data_uris_become_files(api):
    other = LARGE[::-1]
    ran = api.run("image", {"image": large()})
    assert ran["status"] == "succeeded", ran["error"]
    assert content(ran["output"]) == LARGE.upper() and f"file.png {len(LARGE)}" in ran["logs"]
    url = ran["input"]["image"]
    assert url.startswith(api.server.url + "/v1/outputs/") and url.endswith("/file.png")
    got = requests.get(url, timeout=60)
    assert got.content == LARGE and got.headers["Content-Type"] == "image/png"
    assert len(api.get(f"/predictions/{ran['id']}").content) < 4000
    explained = api.get(f"/predictions/{ran['id']}/explanation").json()
    assert "file.png" not in str(explained)

    small = "data:text/plain,small"
    both = api.run("files", {"files": [large(), small, url, large("x/y;a=b", other)]})
    assert [content(made) for made in both["output"]] == [
        LARGE.upper(), b"SMALL", LARGE.upper(), other.upper()
    ]
    first, second, third, fourth = both["input"]["files"]
    assert second == small and third == url and content(first) == LARGE and content(fourth) == other
    assert requests.get(fourth, timeout=60).headers["Content-Type"] == "x/y;a=b"
    again = api.run("image", {"image": fourth})
    assert content(again["output"]) == other.upper()

    # Nobody's text becomes a URL.
    forged = "vend-input:0/" + url.split("/")[-2] + "/file.png"
    assert api.run("echo", {"text": forged})["input"]["text"] == forged


def test_large_data_uris_go_with_their_prediction(servers):
    server = servers()
    api = server.api()
    ran = api.run("image", {"image": large()})
    shown = api.run("image", {"image": large(text=LARGE[::-1])})
    api.post("/models/lab/image/examples", {"prediction": shown["id"]}, 201)
    server.restart("--retention", "1s")
    api = server.api()
    removed = wait_until(
        lambda: (now := api.prediction(ran))["data_removed"] and now, what="the data to be removed"
    )
    assert removed["input"] == {}
    path = ran["input"]["image"].partition("/v1/")[2]
    api.get(f"/{path}", 404)
    wait_until(lambda: api.prediction(shown)["data_removed"], what="the other data to be removed")
    (example,) = api.get("/models/lab/image/examples").json()["results"]
    assert content(example["input"]["image"]) == LARGE[::-1]
    assert content(example["output"]) == LARGE[::-1].upper()


def test_input_from_our_files(api):
    file = api.upload(b"mine", "mine.txt")
    ran = api.run("image", {"image": file["urls"]["get"]})
    assert content(ran["output"]) == b"MINE" and "mine.txt" in ran["logs"]
    assert ran["input"]["image"] == file["urls"]["get"]
    two = api.upload(b"two", "two.txt")
    ran = api.run("files", {"files": [file["urls"]["get"], two["urls"]["get"]]})
    assert [content(url) for url in ran["output"]] == [b"MINE", b"TWO"]
    api.delete(f"/files/{file['id']}", 204)
    reply = api.post("/models/lab/image/predictions", {"input": {"image": file["urls"]["get"]}})
    assert reply.status_code == 422 or api.ended(reply.json())["status"] == "failed"


def named(url, host):
    """The same URL with another host; the port stays."""
    return url.replace("127.0.0.1", host, 1)


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "127.0.0.2", "[::1]", "box", "vend.example.com"])
def test_our_files_are_known_under_every_name_of_the_server(api, host):
    file = api.upload(b"mine", "mine.txt")["urls"]["get"]
    first = api.run("image", {"image": named(file, host)})
    assert first["status"] == "succeeded", first
    assert content(first["output"]) == b"MINE" and "mine.txt" in first["logs"]
    assert first["input"]["image"] == named(file, host)
    upper = named(file, host).replace("http://", "HTTP://").replace("/v1/", "/")
    urls = [named(first["output"], host), upper, file.replace("http://", "https://")]
    second = api.run("files", {"files": urls})
    assert [content(url) for url in second["output"]] == [b"MINE"] * 3


def test_files_of_others_are_not_ours(api, other, origin):
    """The same paths on another host: theirs, unless they name what is really here and the caller's."""
    file = other.upload(b"theirs", "theirs.txt")
    path = f"/v1/files/{file['id']}"
    for url in (f"{origin.url}{path}", f"{origin.url}/v1/files/x", f"{origin.url}/v1/outputs/x/y.txt"):
        ran = api.run("image", {"image": url})
        assert ran["status"] == "succeeded" and content(ran["output"]) == b"FROM AFAR", ran
    for url in (f"{api.server.url}{path}", f"{api.server.url}/v1/outputs/{'a' * 32}/y.txt"):
        problem = api.post("/models/lab/image/predictions", {"input": {"image": url}}, 422).json()
        assert "input.image: " in problem["detail"] and "exist" in problem["detail"]


def test_output_of_one_prediction_is_input_of_the_next(api):
    first = api.run("image", {"image": "data:text/plain,abc"})
    second = api.run("image", {"image": first["output"], "name": "second.txt"})
    assert second["status"] == "succeeded", second
    assert content(second["output"]) == b"ABC"


def test_output_file(api):
    ran = api.run("image", {"image": "data:text/plain,hello%20world", "name": "the result.txt"})
    url = ran["output"]
    assert url.startswith(api.server.url + "/v1/outputs/") and url.endswith(".txt")
    whole = requests.get(url, timeout=60)
    assert whole.status_code == 200 and whole.content == b"HELLO WORLD"
    assert whole.headers["Content-Type"].startswith("text/plain")
    assert whole.headers["Content-Length"] == "11" and whole.headers["Accept-Ranges"] == "bytes"
    tagged = requests.get(url, headers={"Authorization": "Bearer whatever"}, timeout=60)
    assert tagged.status_code == 200

    head = requests.head(url, timeout=60)
    assert head.status_code == 200 and head.content == b""
    assert head.headers["Content-Length"] == "11" and head.headers["ETag"] == whole.headers["ETag"]

    for asked, status, body in (
        ("bytes=0-4", 206, b"HELLO"),
        ("bytes=6-", 206, b"WORLD"),
        ("bytes=-5", 206, b"WORLD"),
        ("bytes=0-999", 206, b"HELLO WORLD"),
        ("bytes=99-", 416, None),
        ("lines=1-2", 200, b"HELLO WORLD"),
    ):
        part = requests.get(url, headers={"Range": asked}, timeout=60)
        assert part.status_code == status, asked
        if body is not None:
            assert part.content == body
        if status == 206:
            assert part.headers["Content-Range"].endswith("/11")

    same = requests.get(url, headers={"If-None-Match": whole.headers["ETag"]}, timeout=60)
    assert same.status_code == 304 and same.content == b""
    other = requests.get(url, headers={"If-None-Match": '"other"'}, timeout=60)
    assert other.status_code == 200
    token, _, name = url.rpartition("/")
    assert requests.get(token + "/other.txt", timeout=60).status_code == 404
    assert requests.get(f"{api.server.url}/v1/outputs/{'a' * 40}/{name}", timeout=60).status_code == 404


def test_nested_output_file(api):
    ran = api.run("nested", {"label": "cat"})
    assert ran["status"] == "succeeded", ran
    assert ran["output"]["label"] == "cat"
    reply = requests.get(ran["output"]["picture"], timeout=60)
    assert reply.content == b"\x89PNG cat" and reply.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize("name", ["käse.txt", "a b.txt", "a?b#c%.txt", "..hidden", "x" * 200 + ".txt"])
def test_odd_names(api, name):
    ran = api.run("image", {"image": "data:text/plain,odd", "name": name})
    assert ran["status"] == "succeeded", ran
    assert requests.get(ran["output"], timeout=60).content == b"ODD", ran["output"]


def test_equal_names_do_not_collide(api):
    made = [
        api.create("image", {"image": f"data:text/plain,number{i}", "name": "same.txt"})
        for i in range(4)
    ]
    assert sorted(content(api.ended(p)["output"]) for p in made) == [
        f"NUMBER{i}".encode() for i in range(4)
    ]


def test_retention(servers):
    server = servers("--retention", "1s")
    api = server.api()
    ran = api.run("image", {"image": "data:text/plain,old"})
    assert content(ran["output"]) == b"OLD"
    removed = wait_until(
        lambda: (now := api.prediction(ran))["data_removed"] and now, what="the data to be removed"
    )
    assert removed["input"] == {} and removed["output"] is None and removed["logs"] == ""
    assert removed["status"] == "succeeded" and removed["metrics"]["total_time"] > 0
    assert requests.get(ran["output"], timeout=60).status_code == 404

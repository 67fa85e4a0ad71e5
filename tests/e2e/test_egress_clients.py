"""Real clients through the egress proxy: curl, urllib, requests and httpx, in plain and through tunnels."""

import hashlib
import http.server
import os
import pathlib
import ssl
import subprocess
import threading
import urllib.error
import urllib.request

import httpx
import pytest
import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOST = "127.0.0.2"
LARGE = os.urandom(1 << 20) * 8


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Seen", ",".join(sorted(self.headers)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        self.answer(LARGE if self.path == "/large" else b"hello")

    do_HEAD = do_GET

    def read_chunks(self):
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def do_POST(self):
        digest = hashlib.sha256()
        if self.headers["Transfer-Encoding"] == "chunked":
            for chunk in self.read_chunks():
                digest.update(chunk)
        else:
            digest.update(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(digest.hexdigest().encode())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
         "-addext", f"subjectAltName=IP:{HOST}", "-keyout", path, "-out", path.with_suffix(".crt")],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@pytest.fixture(scope="module")
def sites(certificate):
    """The same server in plain and under TLS."""
    made = {}
    for scheme in ("http", "https"):
        server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        if scheme == "https":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made[scheme] = server
    yield {scheme: f"{scheme}://{HOST}:{server.server_port}" for scheme, server in made.items()}
    for server in made.values():
        server.shutdown()
        server.server_close()


class Proxy:
    def __init__(self):
        built = pathlib.Path(os.environ.get("VEND_TEST_BUILD") or ROOT / "build-test")
        self.process = subprocess.Popen(
            [built / "tests" / "vend-egress-test", HOST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def end(self):
        """Its reports."""
        reports, _ = self.process.communicate()
        assert self.process.returncode == 0
        return reports.splitlines()


@pytest.fixture
def proxy():
    made = Proxy()
    yield made
    if made.process.returncode is None:
        made.end()


def with_curl(proxy, certificate, url, data=None):
    words = ["curl", "-sS", "--fail-with-body", "--noproxy", "", "-x", proxy.url, "--cacert", certificate.with_suffix(".crt"), url]
    if data is not None:
        words += ["--data-binary", "@-", "-H", "Transfer-Encoding: chunked"]
    return subprocess.run(words, input=data, capture_output=True, check=True, timeout=60).stdout


def with_urllib(proxy, certificate, url, data=None):
    context = ssl.create_default_context(cafile=certificate.with_suffix(".crt"))
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"http": proxy.url, "https": proxy.url}), urllib.request.HTTPSHandler(context=context)
    )
    with opener.open(url, data, timeout=60) as reply:
        return reply.read()


def with_requests(proxy, certificate, url, data=None):
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"http": proxy.url, "https": proxy.url}
        session.verify = str(certificate.with_suffix(".crt"))
        # A connection that the proxy ended is not used again.
        assert session.head(url, timeout=60).headers["Content-Length"] != "0"
        reply = session.request("GET" if data is None else "POST", url, data=data, timeout=60)
        reply.raise_for_status()
        return reply.content


def with_httpx(proxy, certificate, url, data=None):
    context = ssl.create_default_context(cafile=certificate.with_suffix(".crt"))
    with httpx.Client(proxy=proxy.url, verify=context, trust_env=False, timeout=60) as client:
        pieces = None if data is None else iter([data[:1000], data[1000:]])
        for _ in range(2 if data is None else 1):
            reply = client.request("GET" if data is None else "POST", url, content=pieces)
        return reply.raise_for_status().content


CLIENTS = [with_curl, with_urllib, with_requests, with_httpx]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("client", CLIENTS)
def test_clients(proxy, certificate, sites, client, scheme):
    url = sites[scheme]
    assert client(proxy, certificate, f"{url}/") == b"hello"
    assert client(proxy, certificate, f"{url}/large") == LARGE
    digest = hashlib.sha256(LARGE).hexdigest().encode()
    assert client(proxy, certificate, f"{url}/", LARGE) == digest
    reports = proxy.end()
    assert reports and all(line.startswith("passed 127.0.0.2 ") for line in reports)


def test_credentials_stay(proxy, sites):
    with_password = proxy.url.replace("//", "//user:password@")
    got = requests.get(sites["http"], proxies={"http": with_password}, timeout=60)
    seen = got.headers["Seen"].lower()
    assert got.content == b"hello" and "proxy" not in seen and "via" in seen


def test_what_is_refused_says_why(proxy, certificate):
    for url in ("http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]:1/", "http://169.254.169.254/", "http://0x7f.1/"):
        refused = requests.get(url, proxies={"http": proxy.url}, timeout=60)
        assert refused.status_code == 403 and refused.headers["X-Vend-Error"] == "refused", url
        assert "--egress-allow" in refused.text
    with pytest.raises(subprocess.CalledProcessError) as curl:
        with_curl(proxy, certificate, "https://10.0.0.1/")
    assert b"403" in curl.value.stderr
    with pytest.raises(urllib.error.HTTPError) as plain:
        with_urllib(proxy, certificate, f"http://{HOST}:1/")
    assert plain.value.code == 502
    assert any(line.startswith("refused 10.0.0.1 443 ") for line in proxy.end())

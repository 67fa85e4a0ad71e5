"""A reverse proxy that hands everything on as it comes, checks every reply and keeps what was asked."""

import contextlib
import http.client
import http.server
import json
import select
import socket
import ssl
import threading
import urllib.parse
from dataclasses import dataclass, field

from rules import check_reply, own_shapes
from waiting import wait_until

PIECE = 65536
TIMEOUT_S = 120
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"}


@dataclass
class Exchange:
    method: str
    path: str  # with its query
    headers: dict  # of the request, names in lower case
    body: bytes = b""  # of JSON requests
    status: int | None = None  # none while there is no reply
    reply_headers: dict = field(default_factory=dict)
    reply: object = None  # of JSON replies
    over: bool = False
    cut: bool = False  # the client went away first
    drop: bool = False  # the reply is thrown away and the connection closed

    def is_of(self, method, part):
        return method in (None, self.method) and part in self.path


class CheckingProxy(http.server.ThreadingHTTPServer):
    """Clients use `url`. What is wrong is kept in `faults`, `take_faults` empties it.

    `before(exchange)` may return (status, headers, body) to answer instead of the server, or set
    `drop`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host, port, certificate=None, ca=None, own=None):
        """`certificate`: (chain, key) to speak TLS on both sides; `ca` is what the server's is made by."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.own_shapes = own
        self.backend = (host, port)
        self.backend_tls = ssl.create_default_context(cafile=ca) if ca else None
        self.own_tls = None
        scheme = "http"
        if certificate:
            self.own_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.own_tls.load_cert_chain(*map(str, certificate))
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self.server_port}"
        self.backend_url = f"{scheme}://{host}:{port}"
        self.lock = threading.Lock()
        self.exchanges = []
        self.faults = []
        self.before = None
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def finish_request(self, request, client_address):
        """The handshake is made by the connection's own thread."""
        if self.own_tls:
            request.settimeout(TIMEOUT_S)
            request = self.own_tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request, client_address):
        """Clients that go away are no fault."""

    def close(self):
        self.shutdown()
        self.server_close()
        self.thread.join()

    def connect(self):
        if self.backend_tls:
            return http.client.HTTPSConnection(
                *self.backend, timeout=TIMEOUT_S, context=self.backend_tls
            )
        return http.client.HTTPConnection(*self.backend, timeout=TIMEOUT_S)

    # What was seen

    def add(self, exchange):
        with self.lock:
            self.exchanges.append(exchange)

    def blame(self, exchange, fault):
        with self.lock:
            self.faults.append(f"{exchange.method} {exchange.path}: {fault}")

    def forget(self):
        with self.lock:
            self.exchanges, self.faults = [], []

    def take_faults(self):
        with self.lock:
            faults, self.faults = self.faults, []
        return faults

    def seen(self, method=None, part=""):
        with self.lock:
            return [exchange for exchange in self.exchanges if exchange.is_of(method, part)]

    def wait_over(self, method=None, part=""):
        """Exchanges that are over, cut ones too: a client may be done before the proxy is."""
        return wait_until(
            lambda: (found := self.seen(method, part)) and all(e.over for e in found) and found,
            what=f"the end of {method} {part}",
        )


def make_proxy(server):
    """In front of a real server; speaks TLS with the server's own certificate where it does."""
    parts = urllib.parse.urlsplit(server.url)
    tls = server.data / "tls"
    certificate = (tls / "server.pem", tls / "server.key") if server.ca else None
    own = own_shapes(server)
    return CheckingProxy(parts.hostname, parts.port, certificate, server.ca, own)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *words):
        pass

    def answer(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        exchange = Exchange(self.command, self.path, headers)
        self.server.add(exchange)
        backend = self.server.connect()
        try:
            self.hand_on(exchange, backend)
        except OSError:
            exchange.cut = self.close_connection = True
        except AssertionError as fault:
            self.server.blame(exchange, fault)
            self.close_connection = True
        finally:
            backend.close()
            exchange.over = True

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = do_HEAD = do_OPTIONS = do_QUERY = answer

    def hand_on(self, exchange, backend):
        pieces = self.request_pieces(exchange)
        instead = self.server.before and self.server.before(exchange)
        if instead:
            for _ in pieces:
                pass
            self.reply_whole(exchange, *instead)
            return
        self.send_request(backend, pieces)
        self.wait_reply(backend)
        reply = backend.getresponse()
        exchange.reply_headers = {name.lower(): value for name, value in reply.getheaders()}
        exchange.status = reply.status
        if exchange.drop:
            reply.read()
            raise ConnectionError("thrown away")
        kind = exchange.reply_headers.get("content-type", "")
        if kind.partition(";")[0] in ("application/json", "application/problem+json"):
            self.reply_json(exchange, reply)
        else:
            self.check(exchange, b"")
            self.reply_pieces(exchange, reply)

    def request_pieces(self, exchange):
        keep = exchange.headers.get("content-type", "").startswith(("application/json", "text/"))
        for piece in self.read_request():
            if keep:
                exchange.body += piece
            yield piece

    def read_request(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            piece = self.rfile.read(min(left, PIECE))
            if not piece:
                raise ConnectionError("the client went away inside its body")
            left -= len(piece)
            yield piece

    def send_request(self, backend, pieces):
        """The client's own Host goes on, so that URLs in replies lead back here."""
        backend.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP_BY_HOP:
                backend.putheader(name, value)
        chunked = "Transfer-Encoding" in self.headers
        if chunked:
            backend.putheader("Transfer-Encoding", "chunked")
        backend.endheaders()
        for piece in pieces:
            backend.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            backend.send(b"0\r\n\r\n")

    def wait_reply(self, backend):
        """A client that goes away is felt by the server at once, as without a proxy."""
        if self.server.own_tls:
            return
        while True:
            ready, _, _ = select.select([self.connection, backend.sock], [], [], TIMEOUT_S)
            if not ready or backend.sock in ready:
                return
            if not self.connection.recv(1, socket.MSG_PEEK):
                raise ConnectionError("the client went away")
            return

    def check(self, exchange, body):
        url = self.server.url + exchange.path
        origin = self.server.url
        try:
            check_reply(
                self.command,
                url,
                exchange.status,
                exchange.reply_headers,
                body,
                origin,
                self.server.own_shapes,
            )
            assert self.server.backend_url.encode() not in body, "a URL of another origin"
        except (AssertionError, KeyError, ValueError, TypeError) as fault:
            self.server.blame(exchange, f"{exchange.status}: {fault!r}: {body[:500]!r}")

    def send_head(self, exchange):
        self.send_response_only(exchange.status)
        for name, value in exchange.reply_headers.items():
            if name not in HOP_BY_HOP:
                self.send_header(name, value)

    def reply_whole(self, exchange, status, headers, body):
        exchange.status, exchange.reply_headers = status, headers
        if self.command != "HEAD":
            headers["content-length"] = str(len(body))
        self.send_head(exchange)
        self.end_headers()
        self.wfile.write(body)

    def reply_json(self, exchange, reply):
        body = reply.read()
        self.check(exchange, body)
        if self.command != "HEAD":
            with contextlib.suppress(ValueError):
                exchange.reply = json.loads(body)
        self.reply_whole(exchange, exchange.status, exchange.reply_headers, body)

    def reply_pieces(self, exchange, reply):
        chunked = "content-length" not in exchange.reply_headers and reply.status not in (204, 304)
        self.send_head(exchange)
        if chunked and self.command != "HEAD":
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command == "HEAD":
            return
        while piece := reply.read1(PIECE):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

"""A proxy that adds a token, for programs that cannot send one: token_proxy.py URL TOKEN [OWNER].

With OWNER the tools of its models have the names of the models alone, for programs that call
tools by fixed names: `greet` for `owner__greet`.
"""

import http.client
import http.server
import json
import sys
import urllib.parse

DROPPED = {"connection", "transfer-encoding", "keep-alive"}


def call_by_owner(body, headers, prefix):
    """The body and headers of a call with the server's own name of the tool."""
    try:
        message = json.loads(body)
        name = message["params"]["name"] if message["method"] == "tools/call" else None
    except (ValueError, KeyError, TypeError):
        name = None
    if not isinstance(name, str):
        return body, headers
    message["params"]["name"] = prefix + name
    body = json.dumps(message).encode()
    changed = {"mcp-name": lambda value: prefix + value, "content-length": lambda value: str(len(body))}
    return body, [(key, changed.get(key.lower(), str)(value)) for key, value in headers]


def make_handler(target, token, owner=None):
    prefix = f"{owner}__" if owner else ""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self):
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size)
            # With the caller's own Host: the server checks it.
            headers = [(k, v) for k, v in self.headers.items() if k.lower() not in DROPPED]
            if prefix:
                body, headers = call_by_owner(body, headers, prefix)
            upstream = http.client.HTTPConnection(target.hostname, target.port, timeout=120)
            upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                upstream.putheader(name, value)
            if "authorization" not in {k.lower() for k, _ in headers}:
                upstream.putheader("Authorization", f"Bearer {token}")
            upstream.endheaders(body or None)
            self.answer(upstream.getresponse())
            upstream.close()

        def answer(self, reply):
            is_chunked = reply.getheader("Content-Length") is None
            whole = reply.read().replace(f'"{prefix}'.encode(), b'"') if prefix and not is_chunked else None
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in DROPPED | {"date", "server"}:
                    is_size = whole is not None and name.lower() == "content-length"
                    self.send_header(name, str(len(whole)) if is_size else value)
            if is_chunked:
                self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if whole is not None:
                self.wfile.write(whole)
                return
            while piece := reply.read1(65536):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if is_chunked else piece)
                self.wfile.flush()
            if is_chunked:
                self.wfile.write(b"0\r\n\r\n")

        do_GET = do_POST = do_DELETE = do_OPTIONS = forward

        def log_message(self, *args):
            pass

    return Handler


class Proxy(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A side that closes its connection is none."""


def make_proxy(url, token, owner=None):
    return Proxy(("127.0.0.1", 0), make_handler(urllib.parse.urlsplit(url), token, owner))


def main(url, token, owner=None):
    proxy = make_proxy(url, token, owner)
    print(f"http://127.0.0.1:{proxy.server_port}", flush=True)
    proxy.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])

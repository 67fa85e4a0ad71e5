"""A proxy that adds a token, for programs that cannot send one: token_proxy.py URL TOKEN."""

import http.client
import http.server
import sys
import urllib.parse

DROPPED = {"connection", "transfer-encoding", "keep-alive"}


def make_handler(target, token):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self):
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size)
            # With the caller's own Host: the server checks it.
            headers = [(k, v) for k, v in self.headers.items() if k.lower() not in DROPPED]
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
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in DROPPED | {"date", "server"}:
                    self.send_header(name, value)
            is_chunked = reply.getheader("Content-Length") is None
            if is_chunked:
                self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
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


def make_proxy(url, token):
    return Proxy(("127.0.0.1", 0), make_handler(urllib.parse.urlsplit(url), token))


def main(url, token):
    proxy = make_proxy(url, token)
    print(f"http://127.0.0.1:{proxy.server_port}", flush=True)
    proxy.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])

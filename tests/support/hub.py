"""A small model hub: the public file API, plain files beside it, and faults on request."""

import hashlib
import http.server
import json
import threading
import urllib.parse

CHUNK = 64 * 1024


def git_sha1(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Hub(http.server.ThreadingHTTPServer):
    """`repos` maps "owner/name" to {path: bytes}; `files` maps "/path" to bytes. `faults` maps a path of either to
    a list that is used up: "cut" (half of what is asked for comes), "hang" (half comes, and the rest when `go_on`
    is set), "wrong" (other bytes of the same length), or a status. Paths that end in `large` are told with their
    SHA-256. A URL as a fault redirects there."""

    daemon_threads = True

    def __init__(self, token=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.token = token
        self.repos = {}
        self.files = {}
        self.faults = {}
        self.large = (".safetensors", ".bin")
        self.asked = []  # (path, the Range header or None)
        self.shown = []  # Authorization headers, or None
        self.hanging = threading.Event()
        self.go_on = threading.Event()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def close(self):
        self.go_on.set()
        self.shutdown()
        self.server_close()
        self.thread.join()

    def handle_error(self, request, client_address):
        """Clients that are killed are part of the tests."""

    def commit(self, repo):
        text = json.dumps(sorted((p, git_sha1(c)) for p, c in self.repos[repo].items()))
        return hashlib.sha1(text.encode()).hexdigest()

    def listing(self, repo):
        siblings = []
        for path, content in sorted(self.repos[repo].items()):
            entry = {"rfilename": path, "size": len(content), "blobId": git_sha1(content)}
            if path.endswith(self.large):
                digest = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 134}
            siblings.append(entry)
        return {"id": repo, "sha": self.commit(repo), "siblings": siblings}

    def count(self, path):
        return sum(asked == path for asked, _ in self.asked)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        hub = self.server
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        hub.asked.append((path, self.headers.get("Range")))
        hub.shown.append(self.headers.get("Authorization"))
        parts = path.strip("/").split("/")
        if path in hub.files:
            self.send(path, hub.files[path])
        elif hub.token and self.headers.get("Authorization") != f"Bearer {hub.token}":
            self.refuse(401)
        elif parts[:2] == ["api", "models"] and len(parts) == 6 and "/".join(parts[2:4]) in hub.repos:
            repo = "/".join(parts[2:4])
            if parts[5] in ("main", hub.commit(repo)):
                self.send(path, json.dumps(hub.listing(repo)).encode())
            else:
                self.refuse(404)
        elif len(parts) > 4 and parts[2] == "resolve" and "/".join(parts[4:]) in hub.repos.get(
            "/".join(parts[:2]), {}
        ):
            content = hub.repos["/".join(parts[:2])]["/".join(parts[4:])]
            self.send("/".join(parts[4:]), content)
        else:
            self.refuse(404)

    def refuse(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send(self, name, content):
        hub = self.server
        plan = hub.faults.get(name, [])
        fault = plan.pop(0) if plan else None
        if isinstance(fault, int):
            self.refuse(fault)
            return
        if isinstance(fault, str) and fault.startswith("http"):
            self.send_response(302)
            self.send_header("Location", fault)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if fault == "wrong":
            content = bytes(byte ^ 1 for byte in content)
        first = 0
        asked = self.headers.get("Range")
        if asked:
            first = int(asked.removeprefix("bytes=").rstrip("-"))
            self.send_response(206 if first < len(content) else 416)
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        rest = content[first:]
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if fault in ("cut", "hang"):
            half = rest[: len(rest) // 2]
            self.wfile.write(half)
            self.wfile.flush()
            if fault == "hang":
                hub.hanging.set()
                hub.go_on.wait(60)
                self.wfile.write(rest[len(half) :])
                return
            self.close_connection = True
            self.connection.shutdown(2)
            return
        for at in range(0, len(rest), CHUNK):
            self.wfile.write(rest[at : at + CHUNK])

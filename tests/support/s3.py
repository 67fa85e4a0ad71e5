"""A real S3 server over a folder, and faults on the way to it."""

import os
import pathlib
import shutil
import socket
import socketserver
import subprocess
import threading

import requests

from waiting import wait_until

BUCKET = "vend-test"
KEY_ID, SECRET = "test-key-id", "test-secret-of-s3"
START_TIMEOUT_S = 30


def find_program():
    named = os.environ.get("VEND_TEST_S3")
    found = named or shutil.which("versitygw")
    assert found, "the tests need versitygw: ./test s3 installs it, or VEND_TEST_S3 names it"
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class S3Server:
    """Objects are files of its folder, so tests look at them, and change them, there."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.bucket = self.directory / "objects" / BUCKET
        self.bucket.mkdir(parents=True)
        self.port = free_port()
        self.process = None

    def start(self):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.directory), "ROOT_ACCESS_KEY": KEY_ID,
               "ROOT_SECRET_KEY": SECRET}  # fmt: skip
        with open(self.directory / "s3.log", "ab") as log:
            self.process = subprocess.Popen(
                [find_program(), "--port", f"127.0.0.1:{self.port}", "--quiet", "posix", str(self.bucket.parent)],
                stdout=log, stderr=log, env=env, cwd=self.directory,
            )  # fmt: skip
        wait_until(self.answers, START_TIMEOUT_S, "the S3 server to answer")
        return self

    def answers(self):
        assert self.process.poll() is None, (self.directory / "s3.log").read_text()
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/", timeout=5).status_code == 403
        except requests.ConnectionError:
            return False

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def objects(self, prefix=""):
        """Names and paths of the contents under the prefix."""
        folder = self.bucket / prefix
        return {path.name: path for path in folder.glob("??/*") if len(path.name) == 64}


class Fault:
    """What happens to requests that `matches` chooses, by method and target, `times` times."""

    def __init__(self, matches, act, times=1):
        self.matches, self.act, self.times = matches, act, times
        self.hits = 0


class FaultProxy(socketserver.ThreadingTCPServer):
    """Passes requests on to the S3 server, one a connection, and spoils some."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, target_port, port=0):
        super().__init__(("127.0.0.1", port), ProxyConnection)
        self.target_port = target_port
        self.port = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.faults = []
        self.seen = []  # "METHOD target" of all requests
        self.is_away = False  # connections are closed at once
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, address):
        pass  # lost connections are what this is for

    def add(self, fault):
        self.faults.append(fault)
        return fault

    def fault_for(self, method, target):
        with self.lock:
            self.seen.append(f"{method} {target}")
            for fault in self.faults:
                if fault.hits < fault.times and fault.matches(method, target):
                    fault.hits += 1
                    return fault
        return None

    def count(self, word):
        with self.lock:
            return sum(word in line for line in self.seen)


class ProxyConnection(socketserver.StreamRequestHandler):
    def handle(self):
        if self.server.is_away:
            return
        head = self.read_head(self.rfile)
        if not head:
            return
        method, target = head.split(b"\r\n", 1)[0].decode().split(" ")[:2]
        length = int(field(head, b"content-length") or 0)
        fault = self.server.fault_for(method, target)
        if fault is not None:
            fault.act(self, head, length)
        else:
            self.pass_on(head, length)

    @staticmethod
    def read_head(stream):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return b""
            head += line
        return head

    def pass_on(self, head, length, change_head=None, change_body=None, cut_after=None):
        """The exchange, closed afterwards; the answer may be changed or cut."""
        with socket.create_connection(("127.0.0.1", self.server.target_port)) as there:
            stream = there.makefile("rb")
            there.sendall(without(head, b"connection", b"expect"))
            if field(head, b"expect"):
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.copy(self.rfile, there.sendall, length)
            answer = self.read_head(stream)
            if change_head is not None:
                answer = change_head(answer)
            self.wfile.write(without(answer, b"connection")[:-2] + b"Connection: close\r\n\r\n")
            size = int(field(answer, b"content-length") or 0)
            if head.startswith(b"HEAD ") or answer.split(b" ")[1] in (b"204", b"304"):
                size = 0
            if change_body is not None:
                self.wfile.write(change_body(stream.read(size)))
            elif field(answer, b"transfer-encoding"):
                while piece := stream.read1(65536):
                    self.wfile.write(piece)
                    if piece.endswith(b"0\r\n\r\n"):
                        break
            else:
                self.copy(stream, self.wfile.write, size if cut_after is None else min(size, cut_after))

    @staticmethod
    def copy(stream, write, length):
        while length > 0:
            piece = stream.read(min(length, 65536))
            if not piece:
                return
            write(piece)
            length -= len(piece)


def field(head, name):
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name:
            return value.strip()
    return None


def without(head, *names):
    lines = head.split(b"\r\n")
    kept = [line for line in lines[1:-2] if line.partition(b":")[0].strip().lower() not in names]
    return b"\r\n".join([lines[0], *kept]) + b"\r\n\r\n"


# What may happen


def answer(status, code, text=b""):
    """The server says no, before it looks at the body."""

    def act(connection, head, length):
        body = text or f"<Error><Code>{code}</Code><Message>by the test</Message></Error>".encode()
        if not field(head, b"expect"):
            connection.copy(connection.rfile, lambda piece: None, length)
        connection.wfile.write(
            f"HTTP/1.1 {status} No\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n".encode() + body
        )

    return act


def cut_request(after):
    """The connection is lost in the middle of the body that is sent."""

    def act(connection, head, length):
        if field(head, b"expect"):
            connection.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.copy(connection.rfile, lambda piece: None, min(after, length))
        connection.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    return act


def cut_answer(after):
    """The connection is lost in the middle of the body that comes."""

    def act(connection, head, length):
        connection.pass_on(head, length, cut_after=after)

    return act


def lost_answer(connection, head, length):
    """The server does it, and nobody hears of that."""
    connection.pass_on(head, length, change_head=lambda text: b"", change_body=lambda body: b"")


def change_etag(connection, head, length):
    def change(text):
        lines = [b'ETag: "00000000000000000000000000000000"' if line.lower().startswith(b"etag:") else line
                 for line in text.split(b"\r\n")]  # fmt: skip
        return b"\r\n".join(lines)

    connection.pass_on(head, length, change_head=change)


def spoil_bytes(connection, head, length):
    def spoil(body):
        return bytes([body[0] ^ 1]) + body[1:] if body else body

    connection.pass_on(head, length, change_body=spoil)


def bytes_one_by_one(connection, head, length):
    """The body comes in pieces of one byte."""

    def drip(body):
        for i in range(len(body)):
            connection.wfile.write(body[i : i + 1])
        return b""

    connection.pass_on(head, length, change_body=drip)

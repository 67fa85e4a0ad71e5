"""A reader of server-sent events that follows the standard, byte by byte."""

import dataclasses
import socket
import urllib.parse

TIMEOUT_S = 60


@dataclasses.dataclass
class Event:
    event: str
    id: str
    data: str


def parse(text):
    """The events of a whole body; every line of it must be of a known kind."""
    events, comments = [], []
    assert "\r" not in text
    for block in text.split("\n\n"):
        lines = block.split("\n")
        if all(line.startswith(":") for line in lines):
            comments += lines
            continue
        if block == "":
            continue
        fields = [line.split(": ", 1) for line in lines]
        assert [name for name, _ in fields[:2]] == ["event", "id"], block
        assert all(name == "data" for name, _ in fields[2:]) and len(fields) > 2, block
        events.append(Event(fields[0][1], fields[1][1], "\n".join(f[1] for f in fields[2:])))
    return events, comments


class Stream:
    """One connection, read as far as a test wants."""

    def __init__(self, url, headers=None, receive_buffer=None):
        parts = urllib.parse.urlsplit(url)
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(TIMEOUT_S)
        self.socket.connect((parts.hostname, parts.port))
        head = [f"GET {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
        head += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.socket.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        self.raw = b""
        self.body = b""
        self.over = False
        self.complete = False
        self.head = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def receive(self):
        """Takes what is there; false at the end."""
        if self.over:
            return False
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self.over = True
            return False
        self.raw += data
        if self.head is None and b"\r\n\r\n" in self.raw:
            head, self.raw = self.raw.split(b"\r\n\r\n", 1)
            lines = head.decode().split("\r\n")
            self.status = int(lines[0].split()[1])
            self.head = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
        while self.head is not None and b"\r\n" in self.raw:
            size, rest = self.raw.split(b"\r\n", 1)
            n = int(size, 16)
            if len(rest) < n + 2:
                break
            self.body += rest[:n]
            self.raw = rest[n + 2 :]
            if n == 0:
                self.over = self.complete = True
                return False
        return True

    def wait_head(self):
        while self.head is None and self.receive():
            pass
        return self

    def events(self):
        end = self.body.rfind(b"\n\n") + 2
        return parse(self.body[: end if end > 1 else 0].decode())[0]

    def comments(self):
        return self.body.count(b": keep-alive\n\n")

    def wait(self, condition, what):
        while not condition(self):
            if not self.receive():
                assert condition(self), f"the stream ended before {what}: {self.body[-500:]!r}"
                return

    def wait_events(self, n):
        self.wait(lambda s: len(s.events()) >= n, f"{n} events")
        return self.events()

    def rest(self):
        while self.receive():
            pass
        return self.events()


def read(url, **options):
    """The head and all events, to the end."""
    with Stream(url, **options) as stream:
        events = stream.rest()
        return stream, events


def outputs(events):
    return [event.data for event in events if event.event == "output"]

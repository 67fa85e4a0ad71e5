"""A receiver of webhooks that misbehaves on request."""

import http.server
import json
import threading
import time
from dataclasses import dataclass

from waiting import wait_until


@dataclass
class Message:
    path: str
    headers: dict  # names in lower case
    body: bytes
    at: float

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def id(self):
        return self.headers["webhook-id"]


class Receiver(http.server.ThreadingHTTPServer):
    """Answers 200. `answers(path, …)` gives a path other answers, one a request, the last for ever: a
    status, "drop" to cut the connection, a URL to redirect to, or an event to wait for."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address="127.0.0.1"):
        super().__init__((address, 0), Handler)
        self.url = f"http://{address}:{self.server_port}"
        self.messages = []
        self.plans = {}
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def handle_error(self, request, client_address):
        """Connections that are cut are part of the tests."""

    def close(self):
        for plan in self.plans.values():
            for answer in plan:
                if isinstance(answer, threading.Event):
                    answer.set()
        self.shutdown()
        self.server_close()
        self.thread.join()

    def answers(self, path, *answers):
        with self.lock:
            self.plans[path] = list(answers)
        return self.url + path

    def next_answer(self, message):
        with self.lock:
            self.messages.append(message)
            plan = self.plans.get(message.path, [200])
            return plan.pop(0) if len(plan) > 1 else plan[0]

    def got(self, path=None, status=None):
        with self.lock:
            return [
                message
                for message in self.messages
                if (path is None or message.path == path)
                and (status is None or message.json["status"] == status)
            ]

    def wait_for(self, n, path=None, status=None, timeout=60):
        return wait_until(
            lambda: (found := self.got(path, status)) and len(found) >= n and found,
            timeout,
            f"{n} messages to {path}",
        )


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_GET(self):
        self.take(b"")

    def do_POST(self):
        self.take(self.rfile.read(int(self.headers["Content-Length"])))

    def take(self, body):
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.next_answer(Message(self.path, headers, body, time.monotonic()))
        if answer == "drop":
            self.close_connection = True
            return
        if isinstance(answer, threading.Event):
            answer.wait(60)
            answer = 200
        status = 302 if isinstance(answer, str) else answer
        self.send_response(status)
        if isinstance(answer, str):
            self.send_header("Location", answer)
        self.send_header("Content-Length", "0")
        self.end_headers()

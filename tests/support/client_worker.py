"""The other side of client_loop.py: one process of an official client, asked call by call."""

import json
import os
import select
import subprocess

TIMEOUT_S = 120


class ClientError(Exception):
    """What the client threw."""

    def __init__(self, error):
        super().__init__(f"{error['type']}: {error['message']}")
        self.type = error["type"]
        self.status = error["status"]
        self.message = error["message"]


class ClientWorker:
    def __init__(self, command, env=None):
        self.command = [str(word) for word in command]
        clean = {k: v for k, v in os.environ.items() if not k.startswith("REPLICATE_")}
        self.env = {**clean, "REPLICATE_POLL_INTERVAL": "0.1", **(env or {})}
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.env,
            bufsize=0,
        )

    def call(self, call, client, **arguments):
        """`client`: what its constructor gets, url and token at least."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        asked = {"call": call, "client": client, "arguments": arguments}
        self.process.stdin.write(json.dumps(asked).encode() + b"\n")
        answer = json.loads(self.read_line(call))
        if "error" in answer:
            raise ClientError(answer["error"])
        return answer.get("value")

    def read_line(self, call):
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], TIMEOUT_S)
            piece = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not piece:
                self.close()
                raise AssertionError(f"{self.command[-1]} {call}: no answer, {line[-500:]!r}")
            line += piece
        return line

    def close(self):
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process = None

#!/usr/bin/env python3
"""What a director adds to one prediction: its socket against a direct call of the model server.

Needs VEND_TEST_VENV (a Python with cog and coglet) and VEND_TEST_DIRECTOR (the binary)."""

import json
import platform
import shutil
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/director"))
from director_client import Director, new_id, write_model  # noqa: E402

RUNS = 1000
GOAL_ADDED_MS = 0.3
SOURCE = """
from cog import BasePredictor


class Predictor(BasePredictor):
    def predict(self, s: str = "") -> str:
        return s
"""


def direct(port):
    """Synchronous PUT with keep-alive, retried on 409."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = b'{"input": {"s": "x"}}'
        head = "Host: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        times = []
        for _ in range(RUNS):
            request = f"PUT /predictions/{new_id()} HTTP/1.1\r\n{head}".encode() + body
            begin = time.perf_counter()
            while True:
                connection.sendall(request)
                reply = connection.recv(65536)
                if b" 409 " not in reply[:20]:
                    break
            assert b'"succeeded"' in reply, reply
            times.append(time.perf_counter() - begin)
        return times


def through_director(link):
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        prediction = link.run(s="x")
        while True:
            frame = link.next()
            if frame["event"] == "completed":
                break
        times.append(time.perf_counter() - begin)
        assert frame["status"] == "succeeded", frame
        link.send(command="ack", prediction=prediction, attempt=1)
        link.frames.clear()
    return times


def main():
    folder = Path(tempfile.mkdtemp(prefix="vend-bench-"))
    inputs = {"s": {"type": "string", "default": ""}}
    model = write_model(folder / "m", SOURCE, inputs=inputs, output={"type": "string"})
    director = Director(folder / "d", model)
    rows = {"direct": [], "director": []}
    try:
        link = director.ready()
        environ = Path(f"/proc/{director.model_pid()}/environ").read_text().split("\0")
        port = int(next(item for item in environ if item.startswith("PORT="))[5:])
        for _ in range(2):
            rows["direct"] += direct(port)
            rows["director"] += through_director(link)
    finally:
        director.close()
        shutil.rmtree(folder)

    p50 = {name: statistics.median(times) * 1e3 for name, times in rows.items()}
    p99 = {name: sorted(times)[int(len(times) * 0.99)] * 1e3 for name, times in rows.items()}
    for name in rows:
        print(f"{name:9} p50 {p50[name]:.3f} ms   p99 {p99[name]:.3f} ms")
    added = p50["director"] - p50["direct"]
    print(f"added     p50 {added:.3f} ms, goal under {GOAL_ADDED_MS} ms")
    result = {"bench": "director-overhead", "added_ms": added, "goal_ms": GOAL_ADDED_MS, "p50_ms": p50,
              "p99_ms": p99, "runs": RUNS * 2, "machine": platform.platform()}
    print(json.dumps(result))
    return 0 if added < GOAL_ADDED_MS else 1


if __name__ == "__main__":
    sys.exit(main())

"""Whether a snapshot can be started from: a model server, and its worker from the snapshot, until the
server says that both are ready.

trial.py SECONDS PYTHON REPORT: descriptor 3 leads to the one who started this process and gets a line
with what came of it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

LINK = 3
PAUSE = 0.01  # between questions
CALL_SECONDS = 5
MAX_LOGS = 300


def tell(*words):
    os.write(LINK, (" ".join(words).replace("\n", " ") + "\n").encode(errors="replace"))


def find_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def ask(port):
    """The server's account of its health, or None while it does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CALL_SECONDS)
    try:
        connection.request("GET", "/health-check")
        return json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def wait_for_health(server, port, seconds):
    """Why it is not ready, or None."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        health = ask(port) or {}
        status = health.get("status", "UNKNOWN")
        if status == "READY":
            return None
        if status not in ("STARTING", "UNKNOWN"):
            logs = (health.get("setup") or {}).get("logs") or ""
            return f"its trial ended as {status}: {logs.strip()[-MAX_LOGS:]}"
        if server.poll() is not None:
            return f"the model server of its trial ended with {server.returncode}"
        time.sleep(PAUSE)
    return f"its trial was not ready after {seconds:.0f} s"


def find_miss(path):
    """Why the worker came from elsewhere, or None."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read().split("\n")
    except OSError:
        lines = []
    missed = [line.partition(" ")[2] for line in lines if line.startswith("missed ")]
    if "snapshot" in lines:
        return None
    return f"its trial did not start from it: {missed[0] if missed else 'no worker asked'}"


def main():
    seconds, python, report = sys.argv[1:4]
    os.set_inheritable(LINK, False)
    port = find_port()
    server = subprocess.Popen(
        [python, "-m", "cog.server.http", "--host", "127.0.0.1"],
        env={**os.environ, "PORT": str(port)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    why = wait_for_health(server, port, float(seconds))
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    why = why or find_miss(report)
    if why is None:
        tell("fit")
    else:
        tell("unfit", why)


main()

"""Whether a snapshot can be started from: a model server, and its worker from the snapshot, until the
server says that both are ready. In a sandbox the worker alone, which is told what a director tells it.

trial.py SECONDS PYTHON REPORT [SLOTS]: descriptor 3 leads to the one who started this process and gets a
line with what came of it. SLOTS is the folder for the worker's sockets, as it finds it."""

import http.client
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

LINK = 3
PAUSE = 0.01  # between questions
CALL_SECONDS = 5
MAX_LOGS = 300
WORKER = "import coglet; coglet.server._run_worker()"


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


# ---- The worker alone


def frame(message):
    text = json.dumps(message).encode()
    return struct.pack(">I", len(text)) + text


def listen_for_slots(folder, number):
    listeners = []
    for i in range(number):
        one = socket.socket(socket.AF_UNIX)
        one.bind(os.path.join(folder, f"slot-{i}.sock"))
        one.listen()
        listeners.append(one)
    return listeners


def read_messages(worker, seconds):
    """What it says, until its end or that of the time."""
    end = time.monotonic() + seconds
    text = b""
    while True:
        left = end - time.monotonic()
        if left <= 0 or not select.select([worker.stdout], [], [], left)[0]:
            return
        chunk = os.read(worker.stdout.fileno(), 1 << 16)
        if not chunk:
            return
        text += chunk
        while len(text) >= 4 and len(text) >= 4 + struct.unpack(">I", text[:4])[0]:
            size = 4 + struct.unpack(">I", text[:4])[0]
            yield json.loads(text[4:size])
            text = text[size:]


def wait_for_worker(worker, slots, number, seconds):
    """Why it is not ready, or None."""
    reference = os.environ.get("COG_PREDICT_TYPE_STUB", "")
    transport = {"NamedSockets": {"dir": slots, "num_slots": number}}
    init = {"type": "init", "predictor_ref": reference, "num_slots": number, "transport_info": transport}
    worker.stdin.write(frame({**init, "is_train": False, "is_async": False}))
    worker.stdin.flush()
    logs = ""
    for message in read_messages(worker, seconds):
        if message.get("type") == "ready":
            return None
        if message.get("type") == "failed":
            return f"its trial failed: {message.get('error')}: {logs.strip()[-MAX_LOGS:]}"
        if message.get("type") == "log":
            logs += str(message.get("data"))
    if worker.poll() is not None:
        return f"the worker of its trial ended with {worker.returncode}"
    return f"its trial was not ready after {seconds:.0f} s"


def try_worker(python, seconds, slots):
    number = int(os.environ.get("COG_MAX_CONCURRENCY", "1"))
    listeners = listen_for_slots(slots, number)
    worker = subprocess.Popen(
        [python, "-c", WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    why = wait_for_worker(worker, slots, number, seconds)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    for one in listeners:
        one.close()
    return why


# ---- A model server


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


def try_server(python, seconds):
    port = find_port()
    server = subprocess.Popen(
        [python, "-m", "cog.server.http", "--host", "127.0.0.1"],
        env={**os.environ, "PORT": str(port)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    why = wait_for_health(server, port, seconds)
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    return why


def main():
    seconds, python, report, *slots = sys.argv[1:]
    os.set_inheritable(LINK, False)
    why = try_worker(python, float(seconds), *slots) if slots else try_server(python, float(seconds))
    why = why or find_miss(report)
    if why is None:
        tell("fit")
    else:
        tell("unfit", why)


main()

"""Starts a real director with a real coglet and speaks frames to it."""

import json
import os
import secrets
import select
import signal
import socket
import string
import struct
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("VEND_TEST_DIRECTOR", ROOT / "build/tests/vend-director-test"))
VENV = Path(os.environ.get("VEND_TEST_VENV", ROOT / ".venv"))
WAIT_S = float(os.environ.get("VEND_TEST_WAIT", 60))


def new_id():
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(26))


def wait_until(condition, what, timeout=WAIT_S):
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"waited in vain for {what}")


def isolation(folder):
    """What VEND_TEST_ISOLATION asks for; none when it is not set."""
    kind = os.environ.get("VEND_TEST_ISOLATION", "none")
    user = 1_900_000_005 if kind == "sandbox" and os.geteuid() == 0 else 0
    return {"kind": kind, "network": os.environ.get("VEND_TEST_NETWORK", "host"), "user": user, "home": str(folder / "home")}


def write_model(folder, source, *, inputs, output=None, streaming=True, train=False):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "predict.py").write_text(source)
    operation = {"x-cog-streaming": True} if streaming else {}
    schemas = {
        "Input": {"type": "object", "title": "Input", "properties": inputs},
        "Output": output or {"title": "Output"},
    }
    if train:
        schemas["TrainingInput"] = schemas["Input"]
    (folder / ".cog").mkdir(exist_ok=True)
    (folder / ".cog/openapi_schema.json").write_text(
        json.dumps(
            {
                "openapi": "3.0.2",
                "info": {"title": "Cog", "version": "0.1.0"},
                "paths": {"/predictions": {"post": operation}},
                "components": {"schemas": schemas},
            }
        )
    )
    return folder


class Link:
    """One connection to a director."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        directory = os.open(Path(path).parent, os.O_PATH)
        try:
            self.socket.connect(f"/proc/self/fd/{directory}/{Path(path).name}")
        finally:
            os.close(directory)
        self.data = b""
        self.frames = []  # everything that came

    def send(self, **command):
        body = json.dumps(command).encode()
        self.socket.sendall(struct.pack(">I", len(body)) + body)

    def _take(self):
        if len(self.data) < 4:
            return None
        (length,) = struct.unpack(">I", self.data[:4])
        if len(self.data) < 4 + length:
            return None
        frame = json.loads(self.data[4 : 4 + length])
        self.data = self.data[4 + length :]
        self.frames.append(frame)
        return frame

    def next(self, timeout=WAIT_S):
        """The next frame; None when the other side closed."""
        deadline = time.monotonic() + timeout
        while (frame := self._take()) is None:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise AssertionError(f"no frame in {timeout} s; last: {self.frames[-3:]}")
            chunk = self.socket.recv(1 << 20)
            if not chunk:
                return None
            self.data += chunk
        return frame

    def until(self, timeout=WAIT_S, **members):
        """Reads until a frame with these members comes."""
        deadline = time.monotonic() + timeout
        while True:
            frame = self.next(max(0.01, deadline - time.monotonic()))
            assert frame is not None, f"closed while waiting for {members}"
            if all(frame.get(key) == value for key, value in members.items()):
                return frame

    def heard(self, **members):
        """A frame with these members that came already, or comes."""
        for frame in self.frames:
            if all(frame.get(key) == value for key, value in members.items()):
                return frame
        return self.until(**members)

    def ready(self, timeout=WAIT_S):
        hello = self.until(event="hello")
        if hello["state"] == "starting":
            return self.until(event="state", state="ready", timeout=timeout)
        assert hello["state"] == "ready", hello
        return hello

    def run(self, prediction=None, *, attempt=1, timeout_us=0, files=(), **values):
        prediction = prediction or new_id()
        self.send(
            command="run",
            prediction=prediction,
            attempt=attempt,
            input=values,
            timeout_us=timeout_us,
            files=list(files),
        )
        return prediction

    def completed(self, prediction, ack=True, timeout=WAIT_S):
        frame = self.until(event="completed", prediction=prediction, timeout=timeout)
        if ack:
            self.send(command="ack", prediction=prediction, attempt=frame["attempt"])
        return frame

    def predict(self, ack=True, **values):
        return self.completed(self.run(**values), ack=ack)

    def close(self):
        self.socket.close()


class Director:
    def __init__(self, folder, model, prefix=(), vmstat=None, **spec):
        self.dir = Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.spec = {
            "instance": new_id(),
            "version": "a" * 64,
            "mode": "predict",
            "argv": ["python", "-m", "cog.server.http"],
            "source": str(model),
            "env": {
                "PYTHONUNBUFFERED": "1",
                "PATH": f"{VENV}/bin:/usr/bin:/bin",
                "HOME": str(self.dir),
                "COG_PREDICT_TYPE_STUB": "predict.py:Predictor",
                **spec.pop("env", {}),
            },
            "slots": 1,
            "setup_timeout_us": 60_000_000,
            "cancel_grace_us": 1_000_000,
            "stop_grace_us": 5_000_000,
            "isolation": isolation(self.dir),
            **spec,
        }
        (self.dir / "spec.json").write_text(json.dumps(self.spec))
        # What other tests do to the machine's memory is not counted.
        quiet = self.dir / "vmstat"
        quiet.write_text("nr_free_pages 1\noom_kill 0\n")
        self.log = open(self.dir / "director.log", "ab")
        self.process = subprocess.Popen(
            [*prefix, BINARY, "--dir", str(self.dir)],
            stdin=subprocess.DEVNULL,
            stderr=self.log,
            env={**os.environ, "VEND_TEST_VMSTAT": vmstat or str(quiet)},
        )
        self.links = []

    def connect(self):
        path = self.dir / "director.sock"

        def attempt():
            assert self.process.poll() is None, (self.dir / "director.log").read_text()
            try:
                return Link(path)
            except (FileNotFoundError, ConnectionRefusedError):
                return None

        link = wait_until(attempt, "the director's socket")
        self.links.append(link)
        return link

    def ready(self):
        link = self.connect()
        link.ready()
        return link

    def log_text(self):
        return (self.dir / "director.log").read_text(errors="replace")

    def journal(self):
        return sorted(path.name for path in (self.dir / "journal").glob("*.json"))

    def model_pid(self):
        return int((self.dir / "model.pid").read_text().split()[0])

    def model_processes(self):
        mark = f"VEND_INSTANCE_DIR={self.dir.resolve()}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def stop(self, timeout=WAIT_S):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def close(self):
        for link in self.links:
            link.close()
        if self.process.poll() is None:
            try:
                self.stop(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        for pid in self.model_processes():
            os.kill(pid, signal.SIGKILL)
        log = (self.dir / "director.log").read_text(errors="replace")
        assert "Sanitizer" not in log and "runtime error" not in log, log[-8000:]

"""What is measured: a Vend server, a bare coglet, any other server; and the load put on them."""
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Iterator

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
BUILD = Path(os.environ.get("VEND_BENCH_BUILD", ROOT / "build-release"))
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vend-bench"
ACCOUNT = "bench"
TOKEN = "vend_bench_token_0123456789"
COG = ("cog==0.23.1", "coglet==0.23.1")
PYTHON = "3.11"
START_S = 60.0


class BenchError(Exception):
    """A subject does not start or answer."""


def build() -> None:
    """Release build, quiet unless it fails."""
    steps = [["ninja", "-C", str(BUILD)]]
    if not (BUILD / "build.ninja").exists():
        steps.insert(0, ["meson", "setup", str(BUILD), str(ROOT), "--buildtype=release"])
    for step in steps:
        done = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise BenchError(f"{' '.join(step)} failed:\n{done.stdout[-4000:]}")


def venv(name: str, packages: tuple[str, ...]) -> Path:
    """A virtual environment with these packages, made once."""
    path = CACHE / name
    stamp = path / "packages.txt"
    if stamp.exists() and stamp.read_text() == "\n".join(packages):
        return path
    shutil.rmtree(path, ignore_errors=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    for step in (["uv", "venv", "-q", "--python", PYTHON, str(path)],
                 ["uv", "pip", "install", "-q", "--python", str(path / "bin/python"), *packages]):
        done = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise BenchError(f"{packages[0]} does not install: {done.stdout.strip()[-300:]}")
    stamp.write_text("\n".join(packages))
    return path


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def http(port: int, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None,
         timeout: float = 30) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            text, status = reply.read(), reply.status
    except urllib.error.HTTPError as error:
        text, status = error.read(), error.code
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


def wait_until(what: str, ready: Any, seconds: float = START_S, process: Any = None) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if ready():
                return
        if process is not None and process.poll() is not None:
            raise BenchError(f"{what}: ended with status {process.returncode}")
        time.sleep(0.02)
    raise BenchError(f"{what}: not ready after {seconds:g} s")


def load(port: int, path: str, clients: int, seconds: float, *, body: Any = None,
         headers: dict[str, str] | None = None, expect: str | None = None, warm_up: float = 0.3,
         method: str = "POST") -> dict[str, Any]:
    """Puts `clients` connections on a server; the counts and latencies of its good replies."""
    command = [str(BUILD / "bench/bench-load"), "-p", str(port), "-u", path, "-X", method,
               "-c", str(clients), "-s", str(seconds), "-w", str(warm_up)]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    if body is not None:
        command += ["-b", json.dumps(body)]
    if expect is not None:
        command += ["-e", expect]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def static_schema(model_dir: Path) -> dict[str, Any]:
    train = ["--train", "train.py:train"] if (model_dir / "train.py").exists() else []
    out = subprocess.check_output([sys.executable, "-I", str(ROOT / "src/build/schema"),
                                   str(model_dir), "--predict", "predict.py:Predictor", *train])
    schema: dict[str, Any] = json.loads(out)["openapi"]
    return schema


def write_schema(source: Path, schema: dict[str, Any]) -> None:
    own = json.loads(json.dumps(schema))
    own["paths"]["/predictions"]["post"]["x-cog-streaming"] = True
    (source / ".cog").mkdir(exist_ok=True)
    (source / ".cog/openapi_schema.json").write_text(json.dumps(own))


def sync_s(directory: Path, count: int = 40) -> float:
    """What one durable append takes on this disk now, median: nothing durable is faster."""
    took = []
    with open(directory / "sync-probe", "wb", buffering=0) as file:
        for _ in range(count):
            file.write(b"x" * 4096)
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - begun)
    return sorted(took)[count // 2]


def cpu_of(pid: int) -> float:
    """Processor time of a process and all its threads so far, in steps of the scheduler."""
    total = 0
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


class Vend:
    """A server with its own data directory, removed at the end together with its instances."""

    def __init__(self, *, environment: dict[str, str] | None = None, **settings: Any) -> None:
        self.dir = Path(tempfile.mkdtemp(prefix="vend-bench-", dir=os.environ.get("VEND_BENCH_DIR")))
        self.data = self.dir / "data"
        self.environment = environment or {}
        self.settings = {"rate_limit_creates": 0, "rate_limit_other": 0,
                         "account_max_queued": 1000000, **settings}
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.start_s = 0.0
        self.auth = {"Authorization": f"Bearer {TOKEN}"}

    def __enter__(self) -> Vend:
        self.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self.stop()
        for pid_file in self.data.glob("instances/*/director.pid"):
            with contextlib.suppress(OSError, ValueError, IndexError):
                # Its model server dies with it.
                os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self) -> None:
        self.port = free_port()
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in self.settings.items()]
        environment = {**os.environ, "VEND_BOOTSTRAP_ACCOUNT": ACCOUNT,
                       "VEND_BOOTSTRAP_TOKEN": TOKEN, **self.environment}
        with open(self.dir / "log", "ab") as log:
            begun = time.monotonic()
            self.process = subprocess.Popen(
                [str(BUILD / "vend"), "serve", "--data", str(self.data),
                 "--listen", f"127.0.0.1:{self.port}", *flags],
                stdout=log, stderr=log, env=environment)
        end = begun + START_S
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise BenchError(f"vend serve does not start:\n{(self.dir / 'log').read_text()}")
            time.sleep(0.001)
        self.start_s = time.monotonic() - begun

    def is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as s:
                s.sendall(b"GET /-/readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return s.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        # The second one says: now. What is committed is safe.
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=10)

    def rss_bytes(self) -> int:
        assert self.process is not None
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def cpu_s(self) -> float:
        assert self.process is not None
        return cpu_of(self.process.pid)

    def pids(self) -> list[int]:
        """The server, its directors and the processes of models: who names the directory."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if str(self.dir).encode() in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
        return found

    def whole_cpu_s(self) -> float:
        return sum(cpu_of(pid) for pid in self.pids())

    def debug(self) -> Any:
        return http(self.port, "GET", "/-/debug", headers=self.auth)[1]

    def add_model(self, name: str, environment: Path | None = None, source_name: str | None = None,
                  env: dict[str, str] | None = None) -> Path:
        """Registers bench/models/SOURCE_NAME (NAME when there is none) as bench/NAME; the directory
        of its source."""
        environment = environment or venv("cog", COG)
        source_dir = BENCH / "models" / (source_name or name)
        schema = static_schema(source_dir)
        content = (source_dir / "predict.py").read_bytes()
        if source_name is not None:
            content += name.encode()
        version = hashlib.sha256(content).hexdigest()
        source = self.data / "versions" / version / "src"
        shutil.copytree(source_dir, source, dirs_exist_ok=True)
        write_schema(source, schema)
        (self.data / "venvs").mkdir(exist_ok=True)
        link = self.data / "venvs" / environment.name
        if not link.exists():
            link.symlink_to(environment)
        status, reply = http(self.port, "POST", "/v1/models", headers=self.auth,
                             body={"owner": ACCOUNT, "name": name, "visibility": "private",
                                   "hardware": "cpu"})
        if status != 201:
            raise BenchError(f"cannot create the model {name}: {reply}")
        train = "train.py:train" if (source / "train.py").exists() else None
        launch = {"venv": environment.name, "predict": "predict.py:Predictor", "train": train,
                  "env": env or {},
                  "concurrency": 1}
        self.add_version(name, version, json.dumps(schema), json.dumps(launch))
        return source

    def add_version(self, name: str, version: str, schema: str, launch: str) -> None:
        """Its row, as the latest version of bench/NAME."""
        now_us = int(time.time() * 1e6)
        with contextlib.closing(sqlite3.connect(self.data / "vend.db", timeout=10)) as db, db:
            (model_id,) = db.execute("SELECT id FROM models WHERE owner = ? AND name = ?",
                                     (ACCOUNT, name)).fetchone()
            db.execute("INSERT INTO versions (id, model_id, cog_version, openapi, launch, manifest,"
                       " source_sha256, created_us) VALUES (?, ?, '0.23.1', ?, ?, '{}', ?, ?)",
                       (version, model_id, schema, launch, version, now_us))
            db.execute("UPDATE models SET latest_version = ?, version_us = ? WHERE id = ?",
                       (version, now_us, model_id))

    def predict(self, name: str) -> Any:
        status, reply = http(self.port, "POST", f"/v1/models/{ACCOUNT}/{name}/predictions",
                             {"input": {"s": "x"}}, {**self.auth, "Prefer": "wait"}, timeout=90)
        if status != 201 or reply.get("status") != "succeeded":
            log = (self.dir / "log").read_text()[-2000:]
            raise BenchError(f"bench/{name} does not run: {status} {reply}\n{log}")
        return reply

    def load_wait(self, name: str, clients: int, seconds: float,
                  warm_up: float = 0.3) -> dict[str, Any]:
        return load(self.port, f"/v1/models/{ACCOUNT}/{name}/predictions", clients, seconds,
                    body={"input": {"s": "x"}}, headers={**self.auth, "Prefer": "wait"},
                    expect='"status":"succeeded"', warm_up=warm_up)

    def load_create(self, name: str, clients: int, seconds: float,
                    warm_up: float = 0.3) -> dict[str, Any]:
        return load(self.port, f"/v1/models/{ACCOUNT}/{name}/predictions", clients, seconds,
                    body={"input": {"s": "x"}}, headers=self.auth, expect='"status":"starting"',
                    warm_up=warm_up)


@contextlib.contextmanager
def child(what: str, argv: list[str], port: int, path: str, body: Any, *, cwd: Path | None = None,
          env: dict[str, str] | None = None, log: Path | None = None) -> Iterator[int]:
    """A server in a process group of its own; ready when it answers the request with 200."""
    with open(log or os.devnull, "wb") as out:
        process = subprocess.Popen(argv, cwd=cwd, stdout=out, stderr=out, start_new_session=True,
                                   env={**os.environ, **(env or {})})
    try:
        wait_until(what, lambda: http(port, "POST", path, body)[0] == 200, process=process)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def coglet(name: str, directory: Path, env: dict[str, str] | None = None) -> Iterator[int]:
    """The model server alone, started as Vend starts it, schema included."""
    source = directory / "src"
    shutil.copytree(BENCH / "models" / name, source)
    write_schema(source, static_schema(source))
    environment = venv("cog", COG)
    port = free_port()
    with child("coglet", [str(environment / "bin/python"), "-m", "cog.server.http"], port,
               "/predictions", {"input": {"s": "x"}}, cwd=source, log=directory / "coglet.log",
               env={"PORT": str(port), "COG_PREDICT_TYPE_STUB": "predict.py:Predictor",
                    "PATH": f"{environment}/bin:{os.environ['PATH']}", **(env or {})}) as ready:
        yield ready


@contextlib.contextmanager
def static_reply(threads: int = 4) -> Iterator[int]:
    process = subprocess.Popen([str(BUILD / "bench/bench-static-reply"), str(threads)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait()

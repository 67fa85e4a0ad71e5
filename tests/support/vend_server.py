"""The real server: one process, one data directory, any free port."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import postgres
import processes
from api import Api
from waiting import wait_until

ACCOUNT = "lab"
TOKEN = "vend_test_token_0123456789abcdef"
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 60
# What several servers may share; the rest of a data directory is copied.
SHARED = ("venvs", "cache")
# A URL with %s for the name of a database: servers of the tests have their store there.
ON_POSTGRES = "VEND_TEST_POSTGRES"
SANITIZER = ("AddressSanitizer", "LeakSanitizer", "runtime error:")


def copy_data(source, target):
    """A data directory with the same models; big immutable trees are linked."""
    target.mkdir(parents=True)
    target.chmod(0o700)
    for entry in source.iterdir():
        if entry.name in SHARED:
            subprocess.run(["cp", "-al", str(entry), str(target / entry.name)], check=True)
        elif entry.name in ("instances", "lock", "cli.json"):
            continue
        elif entry.name.startswith("vend.db") and ON_POSTGRES in os.environ:
            continue
        elif entry.is_dir():
            shutil.copytree(entry, target / entry.name, symlinks=True)
        else:
            shutil.copy2(entry, target / entry.name)


def make_template(binary, name, data):
    """A database with the rows of the SQLite file in `data`."""
    url = postgres.make_database(os.environ[ON_POSTGRES], name)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(binary, folder, store=url)
        server.start()
        assert server.stop() == 0
    postgres.run_sql(url, "TRUNCATE accounts CASCADE; UPDATE control_planes SET installation = 0")
    postgres.copy_rows(data / "vend.db", url)


def database_for(binary, directory, template):
    """A new one; with the rows of the template, when there is one."""
    form = os.environ[ON_POSTGRES]
    name = "vend_" + hashlib.sha256(str(directory).encode()).hexdigest()[:16]
    if template is None:
        return form % name if postgres.has_database(form, name) else postgres.make_database(form, name)
    rows = "rows_" + hashlib.sha256(str(template).encode()).hexdigest()[:16]
    if not postgres.has_database(form, rows):
        make_template(binary, rows, pathlib.Path(template))
    return postgres.make_database(form, name, rows)


class Server:
    def __init__(self, binary, directory, flags=(), env=None, template=None, store=None):
        """`store` is a URL, or "" for the file of SQLite whatever the other servers have."""
        self.binary = str(binary)
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.flags = list(flags)
        self.token = TOKEN
        self.url = None
        self.ca = None
        self.process = None
        self.starts = 0
        self.directory.mkdir(parents=True, exist_ok=True)
        self.store = database_for(binary, self.directory, template) if ON_POSTGRES in os.environ and store is None else store
        if template is not None:
            copy_data(pathlib.Path(template), self.data)
        reports = self.directory / "sanitizer"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "LANG": "C.UTF-8",
            "VEND_BOOTSTRAP_ACCOUNT": ACCOUNT,
            "VEND_BOOTSTRAP_TOKEN": TOKEN,
            # Tests ask more often than people.
            "VEND_RATE_LIMIT_CREATES": "0",
            "VEND_RATE_LIMIT_OTHER": "0",
            "ASAN_OPTIONS": f"log_path={reports}:quarantine_size_mb=16:malloc_context_size=12",
            "UBSAN_OPTIONS": f"log_path={reports}:print_stacktrace=1",
            **({"VEND_STORE": self.store} if self.store else {}),
            **(env or {}),
        }
        for name in ("UV_CACHE_DIR", "UV_INDEX_URL", "PIP_INDEX_URL", "SSL_CERT_FILE", "VEND_MODEL_SERVER", "VEND_ISOLATION",
            "VEND_NETWORK",
        ):  # fmt: skip
            if name in os.environ:
                self.env.setdefault(name, os.environ[name])

    # Life

    @property
    def log_path(self):
        return self.directory / f"serve-{self.starts}.log"

    def says(self, message):
        return any(record.get("message") == message for record in self.log())

    def log(self):
        records = []
        for line in self.log_path.read_text(errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                records.append(json.loads(line))
        return records

    def spawn(self, *more):
        self.starts += 1
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [
                    self.binary,
                    "serve",
                    "--data",
                    str(self.data),
                    "--listen",
                    "127.0.0.1:0",
                    "--log-format",
                    "json",
                    *self.flags,
                    *more,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.env,
                cwd=self.directory,
            )

    def start(self, *more):
        self.spawn(*more)
        return self.await_ready()

    def await_ready(self):
        record = wait_until(self._listening, START_TIMEOUT_S, "the server to listen")
        self.url = record["url"]
        ca = self.data / "tls" / "ca.pem"
        self.ca = self._ca() if self.url.startswith("https") else None
        assert self.ca is None or ca.exists() or pathlib.Path(self.ca).exists()
        wait_until(self._ready, START_TIMEOUT_S, "the server to be ready")
        return self

    def _listening(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended: {self.log_path.read_text()[-4000:]}")
        return next((r for r in self.log() if r.get("message") == "listening"), None)

    def _ca(self):
        return wait_until(
            lambda: next((r["ca"] for r in self.log() if "ca" in r), None), what="the CA's path"
        )

    def _ready(self):
        return self.api().session.get(
            self.url + "/-/readyz", timeout=10, verify=self.ca or True
        ).ok

    def api(self, token=None):
        return Api(self, token)

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=STOP_TIMEOUT_S):
        return self.process.wait(timeout)

    def stop(self):
        """SIGTERM; returns the exit status."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self, *more):
        assert self.stop() == 0
        return self.start(*more)

    def destroy(self):
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGTERM)
            try:
                self.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()
        for pid in processes.of_data_dir(self.directory):
            processes.kill(pid)
        # A standby has the directory of another server, which may have instances yet.
        if self.data.is_relative_to(self.directory):
            processes.remove_groups(self.data)

    def sanitizer_reports(self):
        # The leak check that met a thread in its last moment says so, and has not seen that thread's stack:
        # what it calls a leak then may be held there.
        reports = [path.read_text(errors="replace") for path in self.directory.glob("sanitizer.*")]
        unseen = re.compile(r"Unable to get registers from thread \d+")
        memory = ("ERROR: AddressSanitizer", "runtime error:")
        texts = [text for text in reports if not unseen.search(text) or any(word in text for word in memory)]
        for path in self.directory.glob("serve-*.log"):
            text = path.read_text(errors="replace")
            if any(word in text for word in SANITIZER):
                texts.append(text)
        return "\n".join(texts)

    # Looking inside

    def pid(self):
        return self.process.pid

    def instance_dirs(self):
        directory = self.data / "instances"
        return [path.name for path in directory.iterdir()] if directory.exists() else []

    def spool_files(self):
        return [p for p in (self.data / "blobs").rglob("*") if p.is_file() and "spool" in str(p)]

    # The command line against this server

    def cli(self, *words, timeout=300, env=None, cwd=None, input=None):
        return subprocess.run(
            [self.binary, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=cwd or self.directory,
            input=input,
            env=self._client_env(env),
        )

    def popen(self, *words):
        return subprocess.Popen(
            [self.binary, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.directory,
            env=self._client_env(None),
        )

    def _client_env(self, more):
        return {
            **self.env,
            "VEND_DATA": str(self.directory / "client"),
            "VEND_URL": self.url,
            "VEND_API_TOKEN": self.token,
            "NO_COLOR": "1",
            **({"VEND_CA": self.ca} if self.ca else {}),
            **(more or {}),
        }

"""Litestream beside a server. Building it takes minutes, so this runs only where VEND_TEST_LITESTREAM names it:

    GOBIN=$PWD/build-tools go install github.com/benbjohnson/litestream/cmd/litestream@v0.3.13
    VEND_TEST_LITESTREAM=$PWD/build-tools/litestream pytest tests/s3/test_litestream.py
"""

import os
import shutil
import signal
import subprocess
import threading
import time

import pytest

from s3 import BUCKET, KEY_ID, SECRET
from waiting import wait_until

PROGRAM = os.environ.get("VEND_TEST_LITESTREAM")
pytestmark = pytest.mark.skipif(not PROGRAM, reason="VEND_TEST_LITESTREAM names no program")
CONFIG = """
access-key-id: {key}
secret-access-key: {secret}
dbs:
  - path: {database}
    replicas:
      - type: s3
        bucket: {bucket}
        path: {name}
        region: us-east-1
        endpoint: http://127.0.0.1:{port}
        force-path-style: true
        sync-interval: 200ms
"""
LOAD_S = 15
# Litestream checkpoints at 1,000 pages of 4 KiB; a log that nobody writes to the file would pass this.
MOST_LOG = 64 << 20


class Litestream:
    def __init__(self, server, s3):
        self.database = server.data / "vend.db"
        self.config = server.directory / "litestream.yml"
        self.log = server.directory / "litestream.log"
        self.config.write_text(
            CONFIG.format(key=KEY_ID, secret=SECRET, database=self.database, bucket=BUCKET, name=server.directory.name, port=s3.port)
        )
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([PROGRAM, "replicate", "-config", self.config], stdout=log, stderr=log)

    def restore(self, to):
        to.unlink(missing_ok=True)
        ran = subprocess.run(
            [PROGRAM, "restore", "-config", self.config, "-o", to, self.database], capture_output=True, text=True
        )
        return ran.returncode == 0

    def kill(self):
        self.process.kill()
        self.process.wait()


def has(server, database, which):
    import sqlite3

    with sqlite3.connect(database) as file:
        return file.execute("SELECT 1 FROM predictions WHERE id = ? AND status = 2", (which,)).fetchone() is not None


def test_a_server_goes_on_from_its_replica(servers, s3, tmp_path):
    server = servers(env={"VEND_STORE_CHECKPOINTS": "false"})
    stream = Litestream(server, s3)
    created, sizes, stop = [], [], threading.Event()

    def load():
        api = server.api()
        while not stop.is_set():
            created.append(api.run("echo", {"text": "x" * 20_000})["id"])

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        until = time.monotonic() + LOAD_S
        while time.monotonic() < until:
            sizes.append((server.data / "vend.db-wal").stat().st_size)
            time.sleep(0.2)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert max(sizes) < MOST_LOG, max(sizes)
    copy = tmp_path / "copy.db"
    wait_until(lambda: stream.restore(copy) and has(server, copy, created[-1]), 60, "the last run in the replica")
    server.signal(signal.SIGKILL)
    server.wait()
    stream.kill()
    log = stream.log.read_text()
    assert log.count("generation") <= 4, "the replica began again and again: " + log

    # As on another machine: the replica, and a backup of the directory for files, versions and keys.
    other = servers(empty=True, start=False)
    shutil.copytree(server.data, other.data, symlinks=True, ignore=shutil.ignore_patterns("vend.db*", ".vend.db*", "instances", "zygotes", "lock", "running"))
    other.data.chmod(0o700)
    assert stream.restore(other.data / "vend.db")
    api = other.start().api()
    for which in created:
        assert api.prediction(which)["status"] == "succeeded"
    assert other.stop() == 0
    audit = other.cli("doctor", "--audit", "--deep", "--data", other.data)
    assert audit.returncode == 0, audit.stdout

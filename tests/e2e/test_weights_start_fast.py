"""Models with managed weights start as fast as others, and find their weights in memory."""

import os
import random

import pytest

from fast_starts import await_snapshot, await_zygote, use
from test_page_cache import PAGES, SIZE, drop, resident
from waiting import wait_until

COG = """build:
  python_version: "3.11"
predict: predict.py:Predictor
weights:
  - name: base
    target: weights
    source: file://files
"""
PREDICT = """
import time
from cog import BasePredictor


class Predictor(BasePredictor):
    def setup(self):
        time.sleep(0.8)
        self.size = len(open("weights/model.bin", "rb").read())

    def predict(self) -> str:
        return f"{self.size} {len(open('weights/model.bin', 'rb').read())}"
"""


def push(server, folder, content):
    folder.mkdir()
    (folder / "files").mkdir()
    (folder / "files" / "model.bin").write_bytes(content)
    (folder / "predict.py").write_text(PREDICT)
    (folder / "cog.yaml").write_text(COG)
    pushed = server.cli("push", folder, "lab/weighty", "--smoke")
    assert pushed.returncode == 0, pushed.stderr
    return pushed.stdout.splitlines()[-1].partition(":")[2]


@pytest.mark.skipif(os.geteuid() != 0, reason="only a server that runs as root has snapshots")
def test_snapshots(servers, tmp_path):
    server = servers("--max-instances", "1", "--idle-timeout", "600s", "--zygote-memory", "2G")
    api = server.api()
    push(server, tmp_path / "m", b"x" * 5000)
    assert api.run("weighty")["output"] == "5000 5000"
    instance, _ = use(api, "weighty")
    await_zygote(api, model="weighty")
    instance, ended = use(api, "weighty")
    assert instance["start"] == "fast" and ended["output"] == "5000 5000"
    use(api, "weighty")
    await_snapshot(api, "weighty")
    instance, ended = use(api, "weighty")
    assert instance["start"] == "snapshot" and ended["output"] == "5000 5000", instance


@pytest.mark.parametrize("how", ["copy"])
def test_working_copies_without_an_overlay(servers, tmp_path, how):
    server = servers("--working-copy", how)
    push(server, tmp_path / "m", b"x" * 5000)
    assert server.api().run("weighty")["output"] == "5000 5000"


def test_they_are_read_ahead(servers, tmp_path):
    """While the only unit of hardware is taken."""
    server = servers("--hardware-units", "1", "--max-instances", "1", "--idle-timeout", "1h")
    api = server.api()
    push(server, tmp_path / "m", random.Random(1).randbytes(SIZE))
    (folder,) = (p for p in (server.data / "blobs").iterdir() if len(p.name) == 2 and any(
        blob.stat().st_size == SIZE for blob in p.iterdir()))
    weights = next(blob for blob in folder.iterdir() if blob.stat().st_size == SIZE)
    busy = api.create("echo", {"delay": 600})
    api.reaches(busy, "processing")
    drop(weights)
    if resident(weights) > PAGES // 2:
        pytest.skip("this file system does not let go of a file's pages")
    waiting = api.create("weighty")
    wait_until(lambda: resident(weights) > PAGES * 0.9, what="the weights in memory")
    assert api.prediction(waiting)["status"] == "starting"

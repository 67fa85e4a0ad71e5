"""Weights that a model has read stay in the page cache when its instance has gone."""

import ctypes
import mmap
import os

import pytest
from waiting import wait_until

SIZE = 24 << 20
PAGES = SIZE // mmap.PAGESIZE
PREDICT = '''
from cog import BasePredictor


class Predictor(BasePredictor):
    def setup(self):
        with open("weights.bin", "rb") as file:
            self.size = len(file.read())

    def predict(self) -> int:
        return self.size
'''


def resident(path):
    """How many pages of the file are in memory; asking reads none of them."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        found = (ctypes.c_ubyte * PAGES)()
        first = (ctypes.c_char * SIZE).from_buffer(mapped)
        try:
            if libc.mincore(ctypes.byref(first), ctypes.c_size_t(SIZE), found) != 0:
                raise OSError(ctypes.get_errno(), "mincore")
        finally:
            del first
        return sum(page & 1 for page in found)


def drop(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def test_weights_stay_in_memory_between_boots(servers, tmp_path):
    source = tmp_path / "weighty"
    source.mkdir()
    (source / "predict.py").write_text(PREDICT)
    (source / "cog.yaml").write_text('build:\n  python_version: "3.11"\npredict: "predict.py:Predictor"\n')
    (source / "weights.bin").write_bytes(os.urandom(SIZE))
    server = servers("--idle-timeout", "1s", "--scale-down-delay", "1s")
    pushed = server.cli("push", source, "lab/weighty")
    assert pushed.returncode == 0, pushed.stderr
    api = server.api()
    version = api.get("/models/lab/weighty").json()["latest_version"]["id"]
    weights = server.data / "versions" / version / "src" / "weights.bin"

    drop(weights)
    if resident(weights) > PAGES // 2:
        pytest.skip("this file system does not let go of a file's pages")
    assert api.run("weighty")["output"] == SIZE
    wait_until(lambda: server.instance_dirs() == [], what="the end of the instance")
    # The kernel may take some for others.
    assert resident(weights) > PAGES * 0.9

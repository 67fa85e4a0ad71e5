"""Instances that are forked after setup()."""

import pytest

from fast_starts import await_snapshot, await_zygote, use

FLAGS = ("--max-instances", "1", "--idle-timeout", "600s")
COG = """build:
  python_version: "3.11"
predict: "predict.py:Predictor"
"""
SLOW = """
import os
import time

from cog import BasePredictor


class Predictor(BasePredictor):
    def setup(self):
        print("setting up")
        time.sleep(1)
        self.numbers = list(range(1000))

    def predict(self) -> str:
        return f"{sum(self.numbers)}"
"""


@pytest.fixture
def push(server, tmp_path):
    def push(name, source, cog=COG):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "predict.py").write_text(source)
        (folder / "cog.yaml").write_text(cog)
        pushed = server.cli("push", folder, f"lab/{name}", "--public")
        assert pushed.returncode == 0, pushed.stderr

    return push


def snapshot_of(api, model, inputs=None):
    """The run of a plain start, and the snapshot that the fast one after it leads to."""
    instance, ended = use(api, model, inputs)
    assert instance["start"] == "plain"
    await_zygote(api, model=model)
    instance, _ = use(api, model, inputs)
    assert instance["start"] == "fast", instance
    return ended, await_snapshot(api, model)


def test_third_start(api, push):
    push("slow", SLOW)
    plain, _ = snapshot_of(api, "slow")
    instance, ended = use(api, "slow")
    assert instance["start"] == "snapshot", instance
    assert ended["output"] == plain["output"]

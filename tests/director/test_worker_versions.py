"""The same behaviour with each version of coglet whose worker is used directly.

VEND_TEST_COGLETS names a folder with a virtual environment for each: `pip install cog==V coglet==V`."""

import os
from pathlib import Path

import pytest
from director_client import write_model

FOLDER = os.environ.get("VEND_TEST_COGLETS")
VENVS = sorted(path.parent.parent for path in Path(FOLDER).glob("*/bin/python")) if FOLDER else []

MODEL = '''
import os, subprocess, tempfile, time
from typing import Any, Optional
from cog import BasePredictor, Path, current_scope


class Predictor(BasePredictor):
    def setup(self):
        print("printed in setup")

    def predict(self, mode: str, extra: Optional[str] = None, file: Path = None) -> Any:
        return getattr(self, mode)(extra, file)

    def echo(self, extra, file):
        print("said")
        return extra

    def save(self, extra, file):
        path = Path(tempfile.mkdtemp()) / "100% a#b.txt"
        path.write_text(extra)
        return [path, "text"]

    def absent(self, extra, file):
        return Path("/nowhere/out.png")

    def child(self, extra, file):
        subprocess.run(["sh", "-c", "echo child"], check=True)

    def fail(self, extra, file):
        raise ValueError(extra)

    def wait(self, extra, file):
        while True:
            time.sleep(0.01)

    def metric(self, extra, file):
        current_scope().record_metric("tokens", 3, "increment")

    def large(self, extra, file):
        return "y" * 7_000_000

    def deep(self, extra, file):
        value = 1
        for _ in range(200):
            value = [value]
        return {"value": value}

    def read(self, extra, file):
        return file.read_text()

    def crash(self, extra, file):
        os._exit(3)
'''

INPUTS = {
    "mode": {"type": "string"},
    "extra": {"type": "string", "nullable": True},
    "file": {"type": "string", "format": "uri", "nullable": True},
}


@pytest.mark.ways("worker")
@pytest.mark.parametrize("venv", VENVS, ids=lambda path: path.name)
def test_behaviour(start, tmp_path, venv):
    env = {"PATH": f"{venv}/bin:/usr/bin:/bin"}
    director = start(write_model(tmp_path / "m", MODEL, inputs=INPUTS), env=env, model_server=None)
    link = director.connect()
    assert "printed in setup\n" in link.until(event="state", state="ready")["setup_logs"]
    assert '"model_server":"worker"' in director.log_text()

    done = link.predict(mode="echo", extra="x", unknown=1)
    assert (done["status"], done["output"], done["logs"]) == ("succeeded", "x", "said\n")
    assert link.predict(mode="echo")["output"] is None
    done = link.predict(mode="save", extra="content", ack=False)["output"]
    assert done[0]["$vend.file"]["name"] == "100% a#b.txt" and done[1] == "text"
    assert Path(done[0]["$vend.file"]["path"]).read_text() == "content"
    assert "'/nowhere/out.png' cannot be read" in link.predict(mode="absent")["error"]
    assert link.predict(mode="child")["logs"] == "child\n"
    assert link.predict(mode="fail", extra="boom")["error"].endswith("ValueError: boom")
    assert link.predict(mode="large")["output"] == "y" * 7_000_000
    assert len(link.predict(mode="echo", extra="y" * 7_000_000)["output"]) == 7_000_000
    assert "127 levels" in link.predict(mode="deep")["error"]
    assert link.predict(mode="read", file="data:text/plain;base64,aGVsbG8=")["output"] == "hello"

    prediction = link.run(mode="wait")
    link.until(event="start", prediction=prediction)
    link.send(command="cancel", prediction=prediction, attempt=1)
    assert link.completed(prediction)["status"] == "canceled"
    metrics = link.predict(mode="metric")
    if metrics["status"] == "succeeded":  # not before coglet knew them
        assert metrics["metrics"]["tokens"] == 3
    assert link.predict(mode="crash")["error_code"] == "INSTANCE_LOST"

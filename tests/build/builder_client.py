"""Runs the real builder on real projects, with real package indexes."""

import io
import json
import os
import subprocess
import tarfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("VEND_TEST_BUILDER", ROOT / "build/tests/vend-builder-test"))
WAIT_S = 300

HELLO = {
    "cog.yaml": """build:
  python_version: "3.11"
  python_packages:
    - six==1.16.0
predict: predict.py:Predictor
""",
    "predict.py": """from cog import BasePredictor, Input


class Predictor(BasePredictor):
    def predict(self, name: str = Input(description="whom", default="you")) -> str:
        return "hello " + name
""",
}


def pack(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in sorted(files.items()):
            content = text if isinstance(text, bytes) else text.encode()
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


class Build:
    """One build in its own staging folder; environments and cache belong to the place."""

    def __init__(self, place, files, name, env=None, **spec):
        self.place = place
        self.staging = place / name
        self.result_path = place / f"{name}.result"
        self.log_path = place / f"{name}.log"
        archive = place / f"{name}.tar.gz"
        archive.write_bytes(pack(files))
        self.staging.mkdir()
        document = {
            "archive": str(archive),
            "staging_dir": str(self.staging),
            "venvs_dir": str(place / "venvs"),
            "cache_dir": str(place / "cache"),
            "result": str(self.result_path),
            "blobs_dir": str(place / "blobs"),
            "weights_dir": str(place / f"{name}.weights"),
            "hub": "https://hub.invalid",
            "cog_version": "0.23.1",
            "coglet_version": "0.23.1",
            "allow_build_run": False,
            "smoke_start": False,
            "max_source_bytes": 10_000_000,
            "max_source_files": 1000,
        } | spec
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [BINARY], stdin=subprocess.PIPE, stdout=log, env={**os.environ, **(env or {})}
            )
        self.process.stdin.write(json.dumps(document).encode())
        self.process.stdin.close()

    @property
    def log(self):
        return self.log_path.read_text()

    @property
    def result(self):
        return json.loads(self.result_path.read_text())

    def wait(self):
        return self.process.wait(WAIT_S)

    def wait_good(self):
        assert self.wait() == 0, self.log
        return self.result

    def wait_failed(self):
        assert self.wait() == 1, self.log
        return self.result["error"]


def wait_until(condition, what):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.005)
    raise AssertionError(f"waited too long for {what}")

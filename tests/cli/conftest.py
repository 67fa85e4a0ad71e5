"""The command line against a server that misbehaves on request."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "fakes"))

from api_server import FakeServer  # noqa: E402

TIMEOUT = 60


def find_binary():
    named = os.environ.get("VEND_BINARY")
    binary = pathlib.Path(named) if named else ROOT / "build" / "vend"
    if not binary.is_file():
        pytest.exit(f"{binary} is not there: build it, or name it with VEND_BINARY", returncode=2)
    return binary.resolve()


@pytest.fixture(scope="session")
def binary():
    return find_binary()


@pytest.fixture
def server():
    with FakeServer() as running:
        yield running


class Vend:
    """Runs the binary in an empty directory, with nothing of this machine's settings."""

    def __init__(self, binary, server, directory):
        self.binary = str(binary)
        self.server = server
        self.cwd = directory / "work"
        self.cwd.mkdir()
        self.data = directory / "data"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(directory),
            "LANG": "C.UTF-8",
            "VEND_DATA": str(self.data),
            "VEND_URL": server.url,
            "VEND_API_TOKEN": server.token,
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def __call__(self, *words, **env):
        return subprocess.run(
            [self.binary, *map(str, words)],
            cwd=self.cwd,
            env=self.make_env(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )

    def start(self, *words, **env):
        return subprocess.Popen(
            [self.binary, *map(str, words)],
            cwd=self.cwd,
            env=self.make_env(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def make_env(self, changes):
        """`None` takes a variable away."""
        merged = {**self.env, **changes}
        return {name: str(value) for name, value in merged.items() if value is not None}


@pytest.fixture
def vend(binary, server, tmp_path):
    return Vend(binary, server, tmp_path)

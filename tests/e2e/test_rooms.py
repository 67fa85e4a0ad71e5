"""Zygotes in sandboxes: what is forked from them is locked in as after a plain start."""

import os
import pathlib

import pytest
from fast_starts import await_zygote, start_of, stop_instances

FLAGS = ("--max-instances", "1", "--idle-timeout", "600s", "--isolation", "auto")


@pytest.fixture
def place(servers):
    server = servers(*FLAGS)
    said = next(record for record in server.log() if record["message"] == "isolation of models")
    if not said["by"].startswith("bubblewrap"):
        pytest.skip(f"this machine makes no sandbox: {said['by']}")
    if os.geteuid() != 0:
        pytest.skip("only a server that runs as root has forks in sandboxes")
    return server


def test_a_start(place):
    api = place.api()
    assert api.run("echo", {"text": "a"})["output"] == "a"
    assert start_of(api, "echo") == ("plain", "its imports are not learned yet")
    await_zygote(api)
    stop_instances(api, "echo")
    assert api.run("echo", {"text": "b"})["output"] == "b"
    assert start_of(api, "echo") == ("fast", None)

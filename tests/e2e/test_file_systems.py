"""A data directory whose folders lie on several file systems."""

import os
import shutil
import subprocess

import pytest

from servers import MODELS
from waiting import wait_until

FOLDERS = ("blobs", "uploads", "versions")
# Not even a whole number of the pieces that are copied at once.
SIZE = (3 << 20) + 17


class Mounts:
    """A mount namespace that lives as long as this does; what is run in it sees the mounts."""

    def __init__(self, commands):
        script = " && ".join((*commands, "echo ready", "exec cat"))
        self.holder = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.is_ready = self.holder.stdout.readline() == b"ready\n"

    def wrap(self, binary, path):
        path.write_text(f'#!/bin/sh\nexec nsenter --mount=/proc/{self.holder.pid}/ns/mnt {binary} "$@"\n')
        path.chmod(0o755)
        return str(path)

    def run(self, *words):
        namespace = f"--mount=/proc/{self.holder.pid}/ns/mnt"
        subprocess.run(["nsenter", namespace, *map(str, words)], check=True)

    def close(self):
        self.holder.communicate()


def commands(kind, server, directory):
    for folder in FOLDERS:
        target = server.data / folder
        target.mkdir(mode=0o700, exist_ok=True)
        if kind == "tmpfs":
            yield f"mount -t tmpfs -o size=64m vend {target}"
            continue
        other = directory / f"disk-{folder}"
        other.mkdir(mode=0o700)
        yield f"mount --bind {other} {target}"


@pytest.fixture(params=["tmpfs", "bind"])
def spread(request, servers, tmp_path):
    """Not started yet. Two mounts of one file system are apart for the kernel, too."""
    if os.geteuid() != 0 or shutil.which("nsenter") is None:
        pytest.skip("mounts need root, and nsenter")
    server = servers("--retention", "1h", start=False)
    mounts = Mounts(commands(request.param, server, tmp_path))
    if not mounts.is_ready:
        mounts.close()
        pytest.skip("nothing can be mounted here")
    server.mounts = mounts
    server.binary = mounts.wrap(server.binary, tmp_path / "vend-in-mounts")
    yield server
    if server.process is not None and server.process.poll() is None:
        assert server.stop() == 0
    mounts.close()


def push(server, directory):
    """The source is another one each time, so that there is something to build."""
    source = directory / "source"
    shutil.copytree(MODELS / "files", source)
    (source / "stamp").write_bytes(os.urandom(2 << 20))
    pushed = server.cli("push", source, "lab/files")
    assert pushed.returncode == 0, pushed.stderr


def test_work_goes_on_across_file_systems(spread, tmp_path):
    spread.start()
    push(spread, tmp_path)
    api = spread.api()
    content = b"a" * SIZE
    url = api.upload(content)["urls"]["get"]
    for _ in range(2):  # the second time the content is there already
        ran = api.run("files", {"files": [url]})
        assert ran["status"] == "succeeded", ran
        assert api.session.get(ran["output"][0]).content == content.upper()
    spread.restart()
    api = spread.api()
    shown = api.prediction(ran)
    assert api.session.get(shown["output"][0]).content == content.upper()
    again = api.run("files", {"files": [url]})
    assert again["status"] == "succeeded", again
    checked = spread.cli("doctor", "--audit", "--data", spread.data)
    assert "outputs" in checked.stdout and "OUTPUT_STORE_FAILED" not in checked.stdout


def test_a_full_file_system_of_outputs_is_named(spread, tmp_path, request):
    """An output of more than it has room for; the run ends when there is room again."""
    if "tmpfs" not in request.node.callspec.id:
        pytest.skip("only a small file system is full soon")
    spread.start()
    push(spread, tmp_path)
    api = spread.api()
    url = api.upload(b"a" * (24 << 20))["urls"]["get"]
    api.upload(os.urandom(24 << 20))
    made = api.create("files", {"files": [url]})

    def told():
        texts = [str(record.get("error", "")) for record in spread.log()]
        return next((text for text in texts if "No space left on device" in text), None)

    text = wait_until(told, what="the full file system to be told")
    assert "into the file store" in text, text
    spread.mounts.run("mount", "-o", "remount,size=256m", spread.data / "blobs")
    assert api.ended(made)["status"] == "succeeded"

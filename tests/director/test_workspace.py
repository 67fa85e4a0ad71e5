"""Each instance runs in a copy of the source that is its own, and in a /tmp that is."""

import json
import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from director_client import Director, wait_until, write_model

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import copies  # noqa: E402

MODEL = '''
import hashlib, json, os, shutil, stat, sys
from cog import BasePredictor

def walk(folder):
    found = {}
    for parent, folders, files in os.walk(os.fsencode(folder)):
        for name in folders + files:
            path = os.path.join(parent, name)
            status = os.lstat(path)
            link = os.fsdecode(os.readlink(path)) if stat.S_ISLNK(status.st_mode) else None
            text = open(path, "rb").read().decode("latin-1") if stat.S_ISREG(status.st_mode) else None
            times = status.st_mtime_ns if not stat.S_ISDIR(status.st_mode) else None
            attribute = {n: os.getxattr(path, n).decode() for n in os.listxattr(path) if n == "user.own"} if text else {}
            found[os.fsdecode(os.path.relpath(path, os.fsencode(folder)))] = [status.st_mode, link, text, times, attribute]
    return found

class Predictor(BasePredictor):
    def predict(self, code: str = "", s: str = "") -> str:
        scope = {"walk": walk, "s": s}
        exec(code, globals() | scope, scope)
        return json.dumps(scope["out"])
'''
INPUTS = {"code": {"type": "string", "default": ""}, "s": {"type": "string", "default": ""}}
SPOIL = """
os.rename("folder", "renamed")
shutil.rmtree("renamed")
os.mkdir("folder")
os.remove("predict.py")
open("script", "a").write("more")
os.chmod("read-only", 0o600)
os.remove(".cog/openapi_schema.json")
open("../above", "w").write("x")
open("new", "w").write("x")
out = sorted(os.listdir("folder"))
"""

# In a namespace of its own: root there, and nothing outside; then not allowed to make one.
ROOTLESS = ["unshare", "-Ur"]
CONFINED = [
    "unshare", "-Ur", "sh", "-c",
    "echo 0 > /proc/sys/user/max_mnt_namespaces; echo 0 > /proc/sys/user/max_user_namespaces;"
    'exec "$@"', "sh",
]  # fmt: skip


def require(prefix):
    if prefix and subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
        pytest.skip("no user namespaces here")


def make_source(folder):
    """One of each thing that a source may hold, in a folder whose name has what separates options."""
    write_model(folder, MODEL, inputs=INPUTS)
    (folder / "folder/empty").mkdir(parents=True)
    (folder / "folder/deep").write_text("deep")
    (folder / "script").write_text("#!/bin/sh\n")
    (folder / "script").chmod(0o755)
    (folder / "read-only").write_text("as pushed")
    (folder / "read-only").chmod(0o444)
    os.utime(folder / "read-only", ns=(1_000_000_007, 2_000_000_011))
    os.setxattr(folder / "read-only", "user.own", b"attribute")
    os.link(folder / "read-only", folder / "folder/same")
    (folder / "link").symlink_to("folder/deep")
    (folder / "dangling").symlink_to("../nowhere")
    (folder / os.fsdecode(b"not-utf8-\xff")).write_text("named")
    return folder


@pytest.fixture
def source(tmp_path):
    return make_source(tmp_path / "a,b:c\\d e" / "src")


@pytest.fixture(params=copies.KINDS)
def kind(request, tmp_path):
    if not copies.is_possible(request.param, tmp_path):
        pytest.skip(f"no {request.param} here")
    return request.param


def ask(link, code, s=""):
    done = link.predict(code=code, s=s)
    assert done["status"] == "succeeded", done["error"]
    return json.loads(done["output"])


def walk(folder):
    scope = {}
    exec(MODEL.partition("class ")[0].replace("from cog import BasePredictor", ""), scope)
    return scope["walk"](folder)


def seen(director):
    found = ask(director.ready(), "out = walk('.')")
    return {name: what for name, what in found.items() if "__pycache__" not in name}


def test_a_copy_is_what_was_pushed(start, source, kind):
    before = walk(source)
    director = start(source, working_copy=kind)
    assert seen(director) == json.loads(json.dumps(before))
    link = director.links[0]
    assert ask(link, "out = [os.getcwd(), os.path.realpath(sys.path[0])]") == [str(director.dir / "work/src")] * 2
    assert f'"kind":"{kind}"' in director.log_text()
    if kind != "overlay":
        assert ask(link, "out = os.stat('read-only').st_ino == os.stat('folder/same').st_ino")
        assert (director.dir / "work/src/read-only").stat().st_ino != (source / "read-only").stat().st_ino


@pytest.mark.parametrize("prefix", [[], ROOTLESS], ids=["", "rootless"])
def test_what_a_model_spoils_is_its_own(start, source, kind, prefix):
    """Also where root is root of a container only."""
    require(prefix)
    before = walk(source)
    first, second = (start(source, working_copy=kind, prefix=prefix) for _ in range(2))
    if prefix:
        # A folder that was pushed can be renamed only with attributes that are not theirs to set.
        spoil = SPOIL.replace('os.rename("folder", "renamed")', 'shutil.move("folder", "renamed")')
    else:
        spoil = SPOIL
    assert ask(first.ready(), spoil) == []
    assert seen(second) == json.loads(json.dumps(before))
    assert seen(start(source, working_copy=kind)) == json.loads(json.dumps(before))
    assert walk(source) == before


def test_a_source_is_read_only_by_its_path(start, source):
    if not copies.has_mounts():
        pytest.skip("no mount namespaces here")
    link = start(source, read_only=[str(source.parent)]).ready()
    for code in ("open(s, 'a')", "os.remove(s)", "os.chmod(s, 0o777)", "os.rename(s, s + '.old')"):
        told = ask(link, f"try:\n    {code}; out = 'done'\nexcept OSError as e:\n    out = e.strerror", str(source / "script"))
        assert told == "Read-only file system", code
    ask(link, "out = open('script', 'a').write('mine')")


def test_without_mounts_a_copy_is_made(start, source):
    require(CONFINED)
    before = walk(source)
    director = start(source, prefix=CONFINED)
    assert ask(director.ready(), SPOIL) == []
    assert ask(director.links[0], "out = os.environ['TMPDIR']") == str(director.dir / "tmp")
    assert "cannot make a mount namespace" in director.log_text()
    assert walk(source) == before


def test_an_overlay_that_cannot_be_is_told(start, source):
    require(CONFINED)
    link = start(source, prefix=CONFINED, working_copy="overlay").connect()
    told = link.heard(event="hello")
    if told["state"] == "starting":
        told = link.until(event="state", state="failed")
    assert told["error"].startswith("no working copy as an overlay: cannot make a mount namespace")


@pytest.mark.ways("http")
def test_another_start_has_another_copy(start, tmp_path):
    """A server whose port was taken is started again; by then it may have written something."""
    source = write_model(
        tmp_path / "model",
        MODEL.replace(
            "    def predict",
            "    def setup(self):\n"
            "        with open('left.txt', 'x'):\n            pass\n"
            "        mark = os.environ['HOME'] + '/second'\n"
            "        if not os.path.exists(mark):\n"
            "            open(mark, 'w').close()\n"
            "            with open(f'/proc/{os.getppid()}/fd/2', 'w') as said:\n"
            "                said.write('Address already in use\\n')\n"
            "            os.kill(os.getppid(), 9)\n"
            "    def predict",
            1,
        ),
        inputs=INPUTS,
    )
    for kind in ("auto", "copy"):
        director = start(source, working_copy=kind)
        assert ask(director.ready(), "out = os.path.exists('left.txt')")
        assert (director.dir / "second").exists()


def outside_tmp(request):
    base = Path(__file__).parent / f".at-{secrets.token_hex(4)}"
    request.addfinalizer(lambda: shutil.rmtree(base))
    return base


@pytest.mark.parametrize("place", ["below /tmp", "elsewhere"])
def test_each_has_its_own_tmp(start, source, tmp_path, request, place):
    """What lies below /tmp of what it needs stays reachable; the rest of /tmp is not there."""
    if not copies.has_mounts():
        pytest.skip("no mount namespaces here")
    base = tmp_path if place == "below /tmp" else outside_tmp(request)
    if place == "below /tmp" and not str(base).startswith("/tmp/"):
        pytest.skip("temporary folders are not below /tmp")
    host = Path("/tmp") / f"vend-test-{secrets.token_hex(6)}"
    host.mkdir()
    request.addfinalizer(lambda: shutil.rmtree(host))
    model = shutil.copytree(source, base / "model", symlinks=True)
    directors = []
    for number in range(2):
        made = Director(base / f"own{number}", model, env={"CACHE": str(host)})
        request.addfinalizer(made.close)
        directors.append(made.ready())
    for number, link in enumerate(directors):
        found = ask(link, "import tempfile\nopen('/tmp/mine', 'x').write(s)\n"
                    "out = [tempfile.gettempdir(), os.path.exists(os.environ['CACHE'])]", str(number))
        assert found == ["/tmp", False]
    for number, link in enumerate(directors):
        assert ask(link, "out = open('/tmp/mine').read()") == str(number)
    assert (base / "own0/tmp/mine").read_text() == "0"
    assert not Path("/tmp/mine").exists()


def test_no_room_for_a_copy_fails_the_start(tmp_path, source, request):
    """And leaves nothing of it."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(small)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("nothing can be mounted here")
    request.addfinalizer(lambda: subprocess.run(["umount", "-l", str(small)], check=True))
    (source / "weights.bin").write_bytes(os.urandom(4 << 20))
    director = Director(small / "d", source, working_copy="copy")
    request.addfinalizer(director.close)
    link = director.connect()
    hello = link.until(event="hello")
    told = hello if hello["state"] == "failed" else link.until(event="state", state="failed")
    assert told["error"].startswith("no working copy of the model: copy 'weights.bin':")
    assert told["error"].endswith("No space left on device")
    assert not (director.dir / "work/src").exists()


def test_a_director_answers_while_it_copies(start, source):
    """Gigabytes take longer than a director may say nothing; a stop ends the copy."""
    with open(source / "weights.bin", "wb") as weights:
        weights.truncate(20 << 30)
    director = start(source, working_copy="copy")
    link = director.connect()
    assert link.until(event="hello")["state"] == "starting"
    wait_until((director.dir / "work/src").exists, "the copy to begin")
    link.send(command="ping")
    link.until(event="pong")
    link.send(command="stop")
    link.until(event="state", state="stopped")
    assert director.process.wait(30) == 0
    assert not any(frame.get("state") == "ready" for frame in link.frames)

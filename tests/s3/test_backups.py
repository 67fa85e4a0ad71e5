"""Backups in a bucket, and of servers that have their rows and files elsewhere."""

import hashlib
import json
import os
import subprocess
import time
import uuid

import pytest

from conftest import KEYS
from postgres import make_database
from s3 import BUCKET
from test_files import forget_copies, upload


class Backups:
    def __init__(self, s3):
        self.s3 = s3
        self.prefix = f"backups/{uuid.uuid4().hex}"
        self.place = f"s3://{BUCKET}/{self.prefix}"
        self.folder = s3.bucket / self.prefix
        self.env = {**KEYS, "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{s3.port}"}

    def call(self, server, *words, expect=0):
        ran = server.cli(*words, env=self.env)
        assert ran.returncode == expect, ran.stderr
        return ran

    def make(self, server, *more, expect=0, to=None):
        ran = self.call(server, "backup", to or self.place, "--data", server.data, "--json", *more, expect=expect)
        return json.loads(ran.stdout) if expect == 0 else ran.stderr

    def names(self, server):
        return [one["name"] for one in json.loads(self.call(server, "backup", "list", self.place, "--json").stdout)["results"]]

    def verify(self, server, *more, of=None, expect=0):
        ran = self.call(server, "backup", "verify", of or self.place, "--json", *more, expect=expect)
        assert expect != 0 or json.loads(ran.stdout)["ok"]
        return ran.stderr

    def restore(self, server, other, of=None):
        self.call(server, "restore", of or self.place, "--data", other.data)

    def objects(self):
        return {path.name: path for path in (self.folder / "objects").glob("??/*")}


@pytest.fixture
def backups(s3):
    return Backups(s3)


def test_into_a_bucket_and_back(servers, backups):
    server = servers()
    api = server.api()
    content = os.urandom((16 << 20) + 5)
    uploaded = api.upload(content)
    ended = api.run("echo", {"text": "before"})
    first = backups.make(server)
    assert first["added"] > len(content)
    for name, path in backups.objects().items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == name
    before = set(backups.objects())
    api.upload(b"a second one")
    second = backups.make(server)
    assert second["added"] < first["added"] and len(set(backups.objects()) - before) < 10
    assert backups.names(server) == [first["name"], second["name"]]
    backups.verify(server, "--name", first["name"])
    backups.make(server, "--keep", "1")
    assert len(backups.names(server)) == 1
    backups.verify(server)
    assert not (backups.folder / "lock").exists()

    other = servers(empty=True, start=False)
    backups.restore(server, other)
    api = other.start().api()
    assert api.prediction(ended["id"])["output"] == "before"
    assert api.get(f"/files/{uploaded['id']}").json()["checksums"] == uploaded["checksums"]
    assert api.run("echo", {"text": "after"})["output"] == "after"
    path = backups.objects()[uploaded["checksums"]["sha256"]]
    path.write_bytes(b"X" + content[1:])
    assert "damaged" in backups.verify(server, expect=1)


def test_one_writer_at_a_time(servers, backups):
    server = servers()
    backups.make(server)
    lock = backups.folder / "lock"
    lock.write_text("another one")
    assert "another backup writes" in backups.make(server, expect=1)
    assert lock.read_text() == "another one"
    # One that was killed does not renew it.
    old = time.time() - 11 * 60
    os.utime(lock, (old, old))
    backups.make(server)
    assert len(backups.names(server)) == 2 and not lock.exists()


def test_a_kill_leaves_the_backups_before(servers, backups):
    server = servers()
    first = backups.make(server)
    server.api().upload(os.urandom(3_000_000))
    env = {**server.env, **backups.env, "VEND_DATA": str(server.data)}
    for pause in (0.05, 1.1, 1.3):
        with subprocess.Popen([server.binary, "backup", backups.place], env=env, stderr=subprocess.DEVNULL) as process:
            time.sleep(pause)  # some moment of it; which one does not matter
            process.kill()
        (backups.folder / "lock").unlink(missing_ok=True)
        assert backups.names(server)[0] == first["name"]
    backups.make(server)
    backups.verify(server)
    backups.verify(server, "--name", first["name"])


def test_what_is_refused(servers, backups):
    server = servers()
    (backups.folder / "other").mkdir(parents=True)
    (backups.folder / "other" / "object").write_text("x")
    assert "neither empty nor" in backups.make(server, expect=2)
    assert "has no backups" in backups.verify(server, expect=2)
    ran = server.cli("backup", backups.place, "--data", server.data)
    assert ran.returncode == 2 and "AWS_ACCESS_KEY_ID" in ran.stderr


def reads_of(proxy):
    return sum(line.startswith("GET ") and len(line.rsplit("/", 1)[-1]) == 64 for line in proxy.seen)


@pytest.mark.parametrize("kind", ["folder", "bucket"])
def test_of_a_server_with_all_of_it_elsewhere(remote, servers, cluster, backups, proxy, tmp_path, kind):
    """What is restored has its rows in an SQLite file and its files on the disk."""
    url = make_database(cluster.url_form, f"backed_{uuid.uuid4().hex[:12]}")
    server = remote(empty=True, env={"VEND_STORE": url})
    api = server.api()
    contents = [os.urandom(200_000) for _ in range(4)]
    files = [upload(api, content) for content in contents]
    forget_copies(server)
    to = tmp_path / "kept" if kind == "folder" else None
    env = {"VEND_STORE": url, "VEND_FILES_ENDPOINT": server.flags[3]}
    backups.env.update(env)
    first = backups.make(server, to=to)
    assert first["added"] > 800_000
    reads = reads_of(proxy)
    second = backups.make(server, to=to)
    assert second["added"] < first["added"] and reads_of(proxy) == reads >= 4
    for name in env:
        backups.env.pop(name)
    backups.verify(server, of=to)
    other = servers(empty=True, start=False)
    backups.restore(server, other, of=to)
    assert (other.data / "store").read_text() == "sqlite\n" and not (other.data / "files").exists()
    for content in contents:
        name = hashlib.sha256(content).hexdigest()
        assert (other.data / "blobs" / name[:2] / name).read_bytes() == content
    api = other.start().api()
    for file, content in zip(files, contents):
        found = api.get(f"/files/{file['id']}").json()
        assert found["checksums"] == file["checksums"]
    audit = other.cli("doctor", "--audit", "--deep", "--data", other.data)
    assert audit.returncode == 0, audit.stdout
    assert other.stop() == 0
    other.env["VEND_STORE"] = url
    other.spawn()
    assert other.wait() != 0 and "its vend.db" in other.log_path.read_text()

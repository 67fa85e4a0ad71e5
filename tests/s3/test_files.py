"""Files on S3: in, out, again, and gone."""

import hashlib
import os
import time

import pytest
import requests

from s3 import SECRET
from waiting import wait_until

PART = 16 << 20


def upload(api, content, name="file.bin"):
    return api.call("POST", "/files", 201, files={"content": (name, content)}).json()


def forget_copies(server):
    """As on a machine that has none."""
    for path in (server.data / "blobs").glob("??/*"):
        path.unlink()


def copies(server):
    return {path.name for path in (server.data / "blobs").glob("??/*")}


@pytest.mark.parametrize("size", [0, 1, 100_000, PART, PART + 1, 2 * PART + 12345])
def test_upload_is_one_object(remote, s3, size):
    server = remote(empty=True)
    content = os.urandom(size)
    file = upload(server.api(), content)
    sha256 = hashlib.sha256(content).hexdigest()
    assert file["checksums"]["sha256"] == sha256
    stored = s3.objects(server.prefix)
    assert set(stored) == {sha256} and stored[sha256].read_bytes() == content


def test_files_into_models_and_out(remote, s3):
    server = remote()
    api = server.api()
    file = upload(api, b"some text", "in.txt")
    forget_copies(server)
    ran = api.run("files", {"files": [file["urls"]["get"]]})
    assert ran["status"] == "succeeded", ran
    (url,) = ran["output"]
    name = hashlib.sha256(b"SOME TEXT").hexdigest()
    assert name in s3.objects(server.prefix)
    forget_copies(server)
    reply = requests.get(url, timeout=60, allow_redirects=False)
    assert (reply.status_code, reply.content) == (200, b"SOME TEXT")
    part = requests.get(url, timeout=60, headers={"Range": "bytes=5-"})
    assert (part.status_code, part.content) == (206, b"TEXT")
    # An output as the input of the next run.
    again = api.run("files", {"files": [url]})
    assert again["status"] == "succeeded", again
    assert server.stop() == 0


def test_copy_is_fetched_once(remote, proxy):
    server = remote()
    api = server.api()
    file = upload(api, b"again and again", "in.txt")
    forget_copies(server)
    for _ in range(3):
        assert api.run("files", {"files": [file["urls"]["get"]]})["status"] == "succeeded"
    sha256 = file["checksums"]["sha256"]
    assert sum(line.startswith("GET ") and sha256 in line for line in proxy.seen) == 1


def test_part_of_a_large_file_is_all_that_is_fetched(remote, proxy, s3):
    server = remote()
    api = server.api()
    content = os.urandom(1000).hex().upper().encode() * 5000
    ran = api.run("files", {"files": [upload(api, content)["urls"]["get"]]})
    (url,) = ran["output"]
    forget_copies(server)
    head = requests.head(url, timeout=60)
    assert head.status_code == 200 and head.headers["Content-Length"] == str(len(content))
    part = requests.get(url, timeout=60, headers={"Range": "bytes=5000000-5000999"})
    assert (part.status_code, part.content) == (206, content[5_000_000:5_001_000])
    assert copies(server) == set() and server.spool_files() == []
    assert requests.get(url, timeout=60).content == content
    assert len(copies(server)) == 1


def test_cache_is_bounded(remote, s3):
    server = remote("--files-cache", "1M", empty=True)
    api = server.api()
    for _ in range(6):
        upload(api, os.urandom(400_000))
    kept = copies(server)
    assert 1 <= len(kept) <= 2
    assert len(s3.objects(server.prefix)) == 6


def test_removed_file_goes_from_the_bucket(remote, s3):
    server = remote("--retention", "1s", empty=True, env={"VEND_TEST_FULL_SWEEP_US": "1000000"})
    api = server.api()
    file, kept = upload(api, b"to be removed"), upload(api, b"to stay")
    stored = s3.objects(server.prefix)
    old = time.time() - 3600
    for path in stored.values():
        os.utime(path, (old, old))
    api.delete(f"/files/{file['id']}", 204)
    wait_until(lambda: len(s3.objects(server.prefix)) == 1, 30, "the object to go")
    assert set(s3.objects(server.prefix)) == copies(server) == {kept["checksums"]["sha256"]}


def test_no_secret_is_shown(remote):
    server = remote(empty=True)
    shown = server.cli("config", "list", "--json").stdout + server.log_path.read_text()
    environ = open(f"/proc/{server.pid()}/environ", "rb").read()
    assert SECRET not in shown and SECRET.encode() not in environ
    assert SECRET not in server.api().get("//-/debug?all=true").text


def test_copies_of_another_boot_are_not_believed(remote, proxy):
    """After a loss of power they may have any bytes; after a clean stop they are kept."""
    server = remote(empty=True)
    file = upload(server.api(), b"the right bytes")
    server.restart()
    assert copies(server) == {file["checksums"]["sha256"]}
    server.kill()
    server.start()
    assert copies(server) == {file["checksums"]["sha256"]}
    server.kill()
    (server.data / "blobs" / "boot-id").write_text("another boot")
    server.start()
    assert copies(server) == set()

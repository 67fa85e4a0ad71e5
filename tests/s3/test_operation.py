"""Settings, health, doctor and audit of a server with its files on S3."""

import hashlib
import json
import os
import subprocess
import time

import pytest
import requests

from conftest import KEYS
from s3 import BUCKET
from test_files import forget_copies, upload
from waiting import wait_until


def start_fails(server, *more):
    ran = subprocess.run(
        [server.binary, "serve", "--data", server.data, "--listen", "127.0.0.1:0", *server.flags, *more],
        capture_output=True, text=True, env=server.env, timeout=60,
    )  # fmt: skip
    return ran.returncode, ran.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "place, endpoint, said",
    [
        ("s3:/bucket", "", "files: 's3:/bucket' is not s3://bucket"),
        ("s3://", "", "files: 's3://' is not s3://bucket"),
        ("s3://bucket/../x", "", "is not s3://bucket"),
        ("s3://bucket/a?b", "", "is not s3://bucket"),
        ("/srv/files", "", "files: '/srv/files' is not s3://bucket"),
        (f"s3://{BUCKET}/x", "127.0.0.1:9000", "files-endpoint: expected http"),
        (f"s3://{BUCKET}/x", "http://user:secret-word@host", "files-endpoint: expected http"),
        (f"s3://{BUCKET}/x", "http://host/path", "files-endpoint: expected http"),
    ],
)
def test_wrong_settings(remote, place, endpoint, said):
    server = remote(start=False, empty=True)
    code, line = start_fails(server, "--files", place, *(["--files-endpoint", endpoint] if endpoint else []))
    assert code == 2 and said in line and "secret-word" not in line, line
    assert not (server.data / "files").exists()


def test_missing_keys(remote):
    server = remote(start=False, empty=True)
    del server.env["AWS_SECRET_ACCESS_KEY"]
    code, line = start_fails(server)
    assert code == 2 and "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in line, line


def test_wrong_key_and_bucket(remote):
    server = remote(start=False, empty=True)
    code, line = start_fails(server, "--files", "s3://no-such-bucket/x")
    assert code == 1 and "NoSuchBucket" in line, line
    server.env["AWS_SECRET_ACCESS_KEY"] = "another-secret"
    code, line = start_fails(server)
    assert code == 1 and "403" in line and "another-secret" not in line, line
    assert not (server.data / "files").exists()


def test_prefix_of_another_directory(remote):
    first = remote(empty=True)
    second = remote(start=False, empty=True, prefix=first.prefix)
    code, line = start_fails(second)
    assert code == 2 and "belongs to another data directory" in line, line


def test_files_that_are_elsewhere(remote, servers, s3):
    """A start with another setting would lose files, and is refused."""
    server = remote(empty=True)
    upload(server.api(), b"here")
    assert server.stop() == 0
    code, line = start_fails(server, "--files", "")
    assert code == 2 and f"in s3://{BUCKET}/{server.prefix}" in line, line
    code, line = start_fails(server, "--files", f"s3://{BUCKET}/other")
    assert code == 2 and f"in s3://{BUCKET}/{server.prefix}" in line, line
    assert not (s3.bucket / "other").exists()
    local = servers(empty=True)
    upload(local.api(), b"there")
    assert local.stop() == 0
    local.env.update(KEYS)
    code, line = start_fails(local, *server.flags)
    assert code == 2 and "in the directory itself" in line, line


def test_start_while_s3_is_away(remote, proxy):
    """A server that has used the place before starts, and is not ready."""
    server = remote(empty=True)
    assert server.stop() == 0
    proxy.is_away = True
    server._ready = lambda: True
    server.start()
    assert server.api().call("GET", "//-/readyz", 503).json()["part"] == "files"
    proxy.is_away = False


def doctor(server, *more):
    env = {**KEYS, "VEND_FILES_ENDPOINT": server.flags[3]}
    ran = server.cli("doctor", "--json", *more, env=env)
    return json.loads(ran.stdout)


def test_doctor_tries_the_bucket(remote, proxy, s3):
    server = remote(empty=True)
    upload(server.api(), b"one")
    env = {**KEYS, "VEND_FILES_ENDPOINT": proxy.url, "VEND_DATA": str(server.data)}
    report = json.loads(server.cli("doctor", "--json", env=env).stdout)
    (files,) = [check for check in report["checks"] if check["check"] == "files"]
    assert files["status"] == "ok", files
    assert not list((s3.bucket / server.prefix).glob("probe-*"))
    proxy.is_away = True
    # What the server found a moment ago still counts.
    wait_until(lambda: requests.get(f"{server.url}/-/readyz", timeout=60).status_code == 503)
    report = json.loads(server.cli("doctor", "--json", env=env).stdout)
    found = {check["check"]: check for check in report["checks"]}
    assert found["files"]["status"] == found["ready"]["status"] == "fail", found


def test_audit_compares_rows_with_objects(remote, s3):
    server = remote(empty=True)
    api = server.api()
    kept, lost, spoiled = (upload(api, text)["checksums"]["sha256"] for text in (b"kept", b"lost", b"spoiled"))
    assert doctor(server, "--audit", "--deep", "--data", server.data)["ok"]
    stored = s3.objects(server.prefix)
    stored[lost].unlink()
    stored[spoiled].write_bytes(b"other!!")
    stray = s3.bucket / server.prefix / "aa" / ("a" * 64)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"nobody's")
    old = time.time() - 24 * 3600
    os.utime(stray, (old, old))
    report = doctor(server, "--audit", "--deep", "--data", server.data)
    found = {check["check"]: check["rows"] for check in report["checks"] if check["rows"]}
    said = {row["subject"]: row["detail"] for rows in found.values() for row in rows}
    assert set(said) == {lost, spoiled, "a" * 64}, said
    assert "nothing points to" in said["a" * 64] and "its bytes are those of" in said[spoiled]
    assert kept not in said
    forget_copies(server)


def test_pulls_are_sent_to_the_bucket(remote, s3):
    server = remote("--files-redirect", "true")
    api = server.api()
    layer = os.urandom(1000)
    digest = "sha256:" + hashlib.sha256(layer).hexdigest()
    api.call(
        "POST", f"//v2/lab/files/blobs/uploads/?digest={digest}", 201, data=layer,
        headers={"Content-Type": "application/octet-stream"},
    )  # fmt: skip
    url, token = f"{server.url}/v2/lab/files/blobs/{digest}", {"Authorization": f"Bearer {server.token}"}
    reply = requests.get(url, headers=token, allow_redirects=False, timeout=60)
    assert reply.status_code == 307
    link = reply.headers["Location"]
    assert reply.headers["Docker-Content-Digest"] == digest and KEYS["AWS_SECRET_ACCESS_KEY"] not in link
    followed = requests.get(link, timeout=60)
    assert followed.status_code == 200 and followed.content == layer
    part = requests.get(link, timeout=60, headers={"Range": "bytes=10-19"})
    assert part.status_code == 206 and part.content == layer[10:20]
    assert requests.get(link.replace("X-Amz-Signature=", "X-Amz-Signature=0"), timeout=60).status_code == 403
    assert api.call("HEAD", f"//v2/lab/files/blobs/{digest}", 200).headers["Content-Length"] == "1000"

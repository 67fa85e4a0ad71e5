"""Files that people upload."""

import base64
import hashlib
import hmac
import json
import socket
import sqlite3
import time
import urllib.parse
import uuid

import pytest
import requests

from waiting import wait_until

FLAGS = ["--max-file", "1M"]


def test_life_of_a_file(api):
    made = api.upload(b"hello", "cat.png", "image/png")
    assert made["name"] == "cat.png" and made["content_type"] == "image/png" and made["size"] == 5
    assert made["checksums"]["md5"] == made["etag"] == hashlib.md5(b"hello").hexdigest()
    assert made["checksums"]["sha256"] == hashlib.sha256(b"hello").hexdigest()
    assert made["metadata"] == {} and made["expires_at"] > made["created_at"]
    assert api.get(f"/files/{made['id']}").json() == made
    assert api.get(made["urls"]["get"]).json() == made
    assert made["id"] in [f["id"] for f in api.get("/files").json()["results"]]
    assert api.delete(f"/files/{made['id']}", 204).content == b""
    api.delete(f"/files/{made['id']}", 404)
    api.get(f"/files/{made['id']}", 404)
    assert made["id"] not in [f["id"] for f in api.get("/files").json()["results"]]


METADATA = {
    "text part": {"metadata": (None, json.dumps({"a": 1, "b": "x"}))},
    "typed text part": {"metadata": (None, json.dumps({"a": 1, "b": "x"}), "application/json")},
    "file part": {"metadata": ("blob", json.dumps({"a": 1, "b": "x"}), "application/json")},
    "fields": {"metadata[a]": (None, "1"), "metadata[b]": (None, "x")},
}


@pytest.mark.parametrize("form", METADATA)
def test_forms_of_metadata(api, form):
    made = api.upload(b"hello", **METADATA[form])
    assert made["metadata"]["b"] == "x" and str(made["metadata"]["a"]) == "1"
    assert api.get(f"/files/{made['id']}").json()["metadata"] == made["metadata"]


@pytest.mark.parametrize("text", ["[]", "5", "{", '"x"'])
def test_wrong_metadata(api, text):
    files = {"content": ("a.txt", b"x", "text/plain"), "metadata": (None, text)}
    assert api.call("POST", "/files", files=files).status_code in (400, 422)


def test_name_and_type_fields_win(api):
    made = api.upload(b"x", "a.txt", "text/plain", filename=(None, "b.bin"), type=(None, "image/gif"))
    assert made["name"] == "b.bin" and made["content_type"] == "image/gif"


def test_names(api):
    assert api.upload(b"x", "käse.txt")["name"] == "käse.txt"
    assert api.upload(b"x", "x", filename=(None, "n" * 255))["name"] == "n" * 255
    files = {"content": ("a", b"x", "text/plain"), "filename": (None, "n" * 256)}
    assert "filename" in api.call("POST", "/files", 422, files=files).json()["detail"]


def test_default_type(api):
    made = api.call("POST", "/files", 201, files={"content": ("a.bin", b"x")}).json()
    assert made["content_type"] == "application/octet-stream"


def test_empty_file(api):
    made = api.upload(b"", "empty.txt")
    assert made["size"] == 0


def test_too_large(api, server):
    files = {"content": ("big", b"x" * (1 << 20), "text/plain")}
    api.call("POST", "/files", 201, files=files)
    for size in ((1 << 20) + 1, 5 << 20):
        files = {"content": ("big", b"x" * size, "text/plain")}
        reply = api.call("POST", "/files", 413, files=files)
        assert "Files must be less than 1MB in size" in reply.json()["detail"]
    wait_until(lambda: server.spool_files() == [], what="the spool to be empty")


@pytest.mark.parametrize(
    "options",
    [
        {"files": {"other": ("a", b"x")}},
        {"data": b"x", "headers": {"Content-Type": "application/octet-stream"}},
        {"json": {"content": "x"}},
        {"data": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        {"data": b"", "headers": {"Content-Type": "multipart/form-data"}},
        {},
    ],
)
def test_wrong_forms(api, server, options):
    assert api.call("POST", "/files", **options).status_code in (400, 415, 422)
    wait_until(lambda: server.spool_files() == [], what="the spool to be empty")


def test_an_upload_that_breaks_off_leaves_nothing(api, server):
    boundary = uuid.uuid4().hex
    address = urllib.parse.urlsplit(server.url)
    body = f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="a"\r\n\r\n'
    head = (
        f"POST /v1/files HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {server.token}\r\nContent-Length: 1000000\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall((head + body).encode() + b"x" * 100_000)
        wait_until(lambda: server.spool_files() != [], what="the upload to begin")
    wait_until(lambda: server.spool_files() == [], what="the spool to be empty")


def test_pages_of_files(servers):
    api = servers(empty=True).api()
    made = [api.upload(str(i).encode())["id"] for i in range(103)]
    first = api.get("/files").json()
    second = api.get(first["next"]).json()
    assert second["next"] is None and len(first["results"]) == 100
    assert [f["id"] for f in first["results"] + second["results"]] == made[::-1]


def test_expired_files_are_gone(servers):
    server = servers(empty=True)
    api = server.api()
    made = api.upload(b"old", "old.txt")
    path = server.data / "blobs"
    assert [p for p in path.rglob(made["checksums"]["sha256"] + "*")]
    assert server.stop() == 0
    with sqlite3.connect(server.data / "vend.db") as database:
        database.execute("update files set expires_us = 1")
    server.start()
    api = server.api()
    api.get(f"/files/{made['id']}", 404)
    assert api.get("/files").json()["results"] == []


def test_two_files_of_one_content(api):
    one, two = api.upload(b"same", "one"), api.upload(b"same", "two")
    api.delete(f"/files/{one['id']}", 204)
    ran = api.run("image", {"image": two["urls"]["get"]})
    assert ran["status"] == "succeeded", ran


def signed(api, file, owner="lab", seconds=60, secret=None):
    """The query of a download, as the API's document describes it."""
    secret = secret or api.get("/files/default/secret").json()["key"]
    expiry = int(time.time()) + seconds
    text = f"{owner} {file['id']} {expiry}".encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), text, "sha256")).decode()
    return {"owner": owner, "expiry": expiry, "signature": signature}


def download(api, file, query, expect=200, **options):
    return api.get(f"/files/{file['id']}/download", expect, params=query, token="", **options)


def test_signed_download(api):
    file = api.upload(b"hello", "page.html", "text/html")
    query = signed(api, file)
    reply = download(api, file, query)
    assert reply.content == b"hello" and reply.headers["Content-Type"] == "text/html"
    assert "sandbox" in reply.headers["Content-Security-Policy"]
    part = download(api, file, query, 206, headers={"Range": "bytes=1-2"})
    assert part.content == b"el"
    assert api.get(f"/files/{file['id']}/download", params=query).content == b"hello"
    api.delete(f"/files/{file['id']}", 204)
    download(api, file, query, 404)


def test_wrong_downloads(api, other):
    file = api.upload(b"hello", "a.txt")
    good = signed(api, file)
    for change in (
        {"signature": good["signature"][:-1]},
        {"signature": ""},
        {"signature": None},
        {"expiry": good["expiry"] + 1},
        {"expiry": "soon"},
        {"expiry": "9" * 30},
        {"expiry": None},
        {"owner": "other"},
        {"owner": "nobody"},
        {"owner": None},
    ):
        download(api, file, {**good, **change}, 404)
    download(api, file, signed(api, file, seconds=-1), 404)
    download(api, {"id": "x" * 48}, signed(api, {"id": "x" * 48}), 404)
    theirs = other.get("/files/default/secret").json()["key"]
    assert theirs != api.get("/files/default/secret").json()["key"]
    download(api, file, signed(api, file, secret=theirs), 404)
    download(api, file, signed(api, file, owner="other", secret=theirs), 404)
    download(api, file, good)


def test_signing_secret_needs_a_scope(api, server):
    token = api.post("/tokens", {"name": "r", "scopes": ["read"]}, 201).json()["token"]
    server.api(token).get("/files/default/secret", 403)

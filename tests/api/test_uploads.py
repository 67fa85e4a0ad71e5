"""Uploads of packed sources: in pieces, resumable, checked."""

import hashlib
import os
import threading

import pytest


def begin(api, content, **more):
    body = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), **more}
    return api.post("/uploads", body)


def piece(api, upload, offset, content, expect=None, headers=None):
    sent = {"Content-Type": "application/octet-stream", "Upload-Offset": str(offset)}
    sent.update(headers or {})
    return api.call("PATCH", f"/uploads/{upload['id']}", expect, data=content, headers=sent)


def test_in_pieces(api):
    content = os.urandom(100_000)
    made = begin(api, content)
    assert made.status_code == 201
    upload = made.json()
    assert (upload["offset"], upload["size"], upload["complete"]) == (0, 100_000, False)
    assert piece(api, upload, 0, content[:60_000], 200).json()["offset"] == 60_000

    # Somebody who has lost his place asks, or begins again, and goes on.
    assert api.get(f"/uploads/{upload['id']}").json()["offset"] == 60_000
    again = begin(api, content)
    assert again.status_code == 200 and again.json()["id"] == upload["id"]
    for wrong in (0, 59_999, 60_001):
        reply = piece(api, upload, wrong, content[60_000:70_000], 409).json()
        assert reply["offset"] == 60_000
    done = piece(api, upload, 60_000, content[60_000:], 200).json()
    assert done["complete"] is True and done["offset"] == 100_000
    assert piece(api, upload, 100_000, b"x").status_code == 413


def test_wrong_hash_is_removed(api, server):
    content = os.urandom(1000)
    upload = begin(api, content).json()
    reply = piece(api, upload, 0, b"\0" * 1000, 422).json()
    assert hashlib.sha256(b"\0" * 1000).hexdigest() in reply["detail"]
    api.get(f"/uploads/{upload['id']}", 404)
    assert not list((server.data / "uploads").glob(f"{upload['id']}*"))
    assert begin(api, content).status_code == 201


@pytest.mark.parametrize(
    "body,status,field",
    [
        ({}, 422, "sha256"),
        ({"sha256": "xyz", "size": 1}, 422, "sha256"),
        ({"sha256": "A" * 64, "size": 1}, 422, "sha256"),
        ({"sha256": "a" * 64}, 422, "size"),
        ({"sha256": "a" * 64, "size": 0}, 422, "size"),
        ({"sha256": "a" * 64, "size": -1}, 422, "size"),
        ({"sha256": "a" * 64, "size": "5"}, 422, "size"),
        ({"sha256": "a" * 64, "size": 1 << 40}, 413, "size"),
    ],
)
def test_wrong_announcements(api, body, status, field):
    assert field in api.post("/uploads", body, status).json()["detail"]


@pytest.mark.parametrize("offset", [None, "", "-1", "x", "1.5", "9" * 30])
def test_wrong_offsets(api, offset):
    content = os.urandom(50)
    upload = begin(api, content).json()
    headers = {"Content-Type": "application/octet-stream"}
    if offset is not None:
        headers["Upload-Offset"] = offset
    api.call("PATCH", f"/uploads/{upload['id']}", 400, data=content, headers=headers)
    assert api.get(f"/uploads/{upload['id']}").json()["offset"] == 0


def test_more_than_announced(api, server):
    upload = begin(api, b"x" * 10).json()
    piece(api, upload, 0, b"x" * 11, 413)
    assert api.get(f"/uploads/{upload['id']}").json()["offset"] == 0


def test_two_writers_at_the_same_place(api, server):
    """One of them is told where the upload stands; the content stays whole."""
    content = os.urandom(4 << 20)
    half = len(content) // 2
    for _ in range(5):
        content = os.urandom(16) + content[16:]
        upload = begin(api, content).json()
        replies = []

        def send():
            client = server.api()
            replies.append(piece(client, upload, 0, content[:half]).status_code)

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(replies) == [200, 409, 409, 409]
        assert piece(api, upload, half, content[half:], 200).json()["complete"] is True


def test_uploads_are_private(api, other):
    upload = begin(api, os.urandom(10)).json()
    other.get(f"/uploads/{upload['id']}", 404)
    piece(other, upload, 0, b"x", 404)


def test_a_build_needs_its_upload(api):
    content = os.urandom(100)
    sha256 = hashlib.sha256(content).hexdigest()
    path = "/models/lab/echo/builds"
    api.post(path, {"source_sha256": sha256}, 404)
    assert "upload" in api.post(path, {"source_sha256": sha256, "upload": "none"}, 422).json()["detail"]
    upload = begin(api, content).json()
    api.post(path, {"source_sha256": sha256, "upload": upload["id"]}, 409)
    piece(api, upload, 0, content, 200)
    wrong = {"source_sha256": "0" * 64, "upload": upload["id"]}
    assert "source_sha256" in api.post(path, wrong, 422).json()["detail"]
    for bad in ({}, {"source_sha256": 5}, {"source_sha256": "zz"}):
        assert "source_sha256" in api.post(path, bad, 422).json()["detail"]
    api.get("/builds/nothing", 404)
    api.get("/builds/nothing/log", 404)

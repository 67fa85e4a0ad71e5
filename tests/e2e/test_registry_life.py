"""The registry beside the rest of the server: crashes, the limit of an account, sweeps, audits, memory."""

import hashlib
import json
import os
import socket
import sqlite3
import threading
import time


from registry import Registry, cog_labels, digest_of
from waiting import wait_until

DAY_S = 24 * 3600


def new_repo(server, name="images"):
    server.api().post("/models", {"owner": "lab", "name": name, "visibility": "private", "hardware": "cpu"}, 201)
    return Registry(server, f"lab/{name}")


def audit(server):
    ran = server.cli("doctor", "--audit", "--deep", "--json", "--data", server.data)
    return {c["check"]: c["rows"] for c in json.loads(ran.stdout)["checks"] if c["rows"]}


def change(server, sql, *values):
    database = sqlite3.connect(server.data / "vend.db", timeout=30)
    with database:
        changed = database.execute(sql, values).rowcount
    database.close()
    assert changed != 0, sql


def stored(server):
    return server.api().get("/account").json()["stored_bytes"]


def blob_file(server, content):
    sha256 = hashlib.sha256(content).hexdigest()
    return server.data / "blobs" / sha256[:2] / sha256


# ---- Crashes


def test_a_kill_in_the_middle_of_a_blob(servers):
    server = servers()
    repo = new_repo(server)
    content = os.urandom(1_000_000)
    location = repo.begin()
    repo.piece(location, content[:300_000], 0)
    raw = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=60)
    raw.sendall(
        f"PATCH {location} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {repo.token}\r\n"
        f"Content-Length: 700000\r\n\r\n".encode()
        + content[300_000:500_000]
    )
    wait_until(lambda: repo.standing(location) > 300_000, 60, "some more bytes")
    server.kill()
    server.start()
    there = repo.standing(location)
    assert 300_000 < there <= 500_000
    repo.piece(location, content[there:900_000], there)
    repo.finish(location, digest_of(content), content[900_000:])
    assert repo.call("GET", f"blobs/{digest_of(content)}", 200).content == content
    # Changed on disk while nobody looked: the digest tells.
    location = repo.begin()
    repo.piece(location, content[:1000])
    server.kill()
    path = server.data / "blobs" / "uploads" / location.rpartition("/")[2]
    path.write_bytes(b"\0" * 1000)
    server.start()
    repo.refused("PUT", f"{location}?digest={digest_of(content[:1000])}", 400, "DIGEST_INVALID")
    assert audit(server) == {}


def test_kills_in_the_middle_of_pushes(servers):
    """Whatever was answered is there; manifest, tag and version come together or not at all."""
    server = servers()
    repo = new_repo(server)
    answered, lock = {}, threading.Lock()

    def push(number):
        one = Registry(server, repo.name)
        try:
            manifest = one.image(cog_labels(), {"n": str(number).encode() * 1000})
            one.put(f"t{number}", manifest)
            with lock:
                answered[f"t{number}"] = manifest
        except Exception:  # noqa: BLE001 - the server is gone
            pass

    number = 0
    for _ in range(3):
        already = len(answered)
        threads = [threading.Thread(target=push, args=(number + i,)) for i in range(12)]
        number += len(threads)
        for thread in threads:
            thread.start()
        wait_until(lambda: len(answered) > already, 60, "an answer")
        server.kill()
        for thread in threads:
            thread.join()
        server.start()
        tags = repo.tags("?n=1000")
        assert set(answered) <= set(tags)
        versions = {v["id"] for v in server.api().get(f"/models/{repo.name}/versions").json()["results"]}
        for tag in tags:
            manifest = repo.call("GET", f"manifests/{tag}", 200).content
            assert manifest == answered.get(tag, manifest)
            assert hashlib.sha256(manifest).hexdigest() in versions
            for part in [json.loads(manifest)["config"], *json.loads(manifest)["layers"]]:
                assert digest_of(repo.call("GET", f"blobs/{part['digest']}", 200).content) == part["digest"]
        assert len(versions) == len(tags)
        assert audit(server) == {}


# ---- The limit


def test_the_limit_of_an_account(servers):
    server = servers("--account-max-stored", "100000")
    repo = new_repo(server)
    before = stored(server)
    digest = repo.push_blob(b"x" * 60_000)
    assert stored(server) == before + 60_000
    repo.push_blob(b"x" * 60_000)
    assert stored(server) == before + 60_000
    too_much = os.urandom(60_000)
    # With a length at once, without one when it is passed, and at the latest with the row.
    message = repo.refused("POST", f"blobs/uploads/?digest={digest_of(too_much)}", 413, "DENIED", data=too_much)
    assert "account-max-stored" in message
    location = repo.begin()
    reply = repo.call("PATCH", location, data=iter([too_much[:30_000], too_much[30_000:]]))
    assert reply.status_code == 413
    locations = [repo.begin() for _ in range(2)]
    pieces = [os.urandom(30_000) for _ in range(2)]
    for where, piece in zip(locations, pieces):
        repo.piece(where, piece)
    repo.finish(locations[0], digest_of(pieces[0]))
    repo.refused("PUT", f"{locations[1]}?digest={digest_of(pieces[1])}", 413, "DENIED")
    second = new_repo(server, "second")
    second.refused("POST", f"blobs/uploads/?mount={digest}&from={repo.name}", 413, "DENIED")
    repo.call("DELETE", f"blobs/{digest}", 202)
    assert stored(server) == before + 30_000
    repo.push_blob(too_much)
    assert audit(server) == {}


def test_the_largest_layer(servers):
    server = servers("--max-layer", "2000")
    repo = new_repo(server)
    repo.push_blob(b"x" * 2000)
    repo.refused("POST", f"blobs/uploads/?digest={digest_of(b'x' * 2001)}", 413, "SIZE_INVALID", data=b"x" * 2001)
    location = repo.begin()
    repo.piece(location, b"x" * 1500)
    repo.refused("PATCH", location, 413, "SIZE_INVALID", data=iter([b"x" * 300, b"x" * 300]))


# ---- What nothing keeps


def test_sweeps(servers):
    server = servers(env={"VEND_TEST_FULL_SWEEP_US": "200000"})
    repo = new_repo(server)
    kept = repo.image(cog_labels())
    repo.put("v1", kept)
    lonely, loose = os.urandom(1000), repo.image(None, {"x": b"loose"})
    repo.push_blob(lonely)
    repo.put(digest_of(loose), loose)
    young, old = repo.begin(), repo.begin()
    for location in (young, old):
        repo.piece(location, b"half")
    uploads = server.data / "blobs" / "uploads"
    name = old.rpartition("/")[2]
    (uploads / "orphan").write_bytes(b"left by a crash")
    long_ago = time.time() - 2 * DAY_S
    for path in (uploads / name, uploads / "orphan"):
        os.utime(path, (long_ago, long_ago))
    for content in (lonely, loose, kept):
        os.utime(blob_file(server, content), (long_ago, long_ago))
    database_time = int(long_ago * 1_000_000)
    change(server, "UPDATE registry_uploads SET created_us = ?", database_time)
    change(server, "UPDATE registry_blobs SET used_us = ?", database_time)
    change(server, "UPDATE registry_manifests SET used_us = ?", database_time)
    wait_until(lambda: not blob_file(server, loose).exists(), 60, "the manifest that nothing keeps")
    wait_until(lambda: not blob_file(server, lonely).exists(), 60, "the blob that nothing keeps")
    wait_until(lambda: sorted(p.name for p in uploads.iterdir()) == [young.rpartition("/")[2]], 60, "old uploads")
    repo.refused("GET", old, 404, "BLOB_UPLOAD_UNKNOWN")
    assert repo.standing(young) == 4
    assert repo.call("GET", "manifests/v1", 200).content == kept
    assert audit(server) == {}


def test_an_audit_names_what_is_missing(servers):
    server = servers()
    repo = new_repo(server)
    manifest = repo.image(cog_labels())
    repo.put("v1", manifest)
    assert audit(server) == {}
    layer = json.loads(manifest)["layers"][0]["digest"]
    assert server.stop() == 0
    change(server, "DELETE FROM registry_blobs WHERE digest = ?", layer)
    assert [row["subject"] for row in audit(server)["registry"]] == [digest_of(manifest)]
    change(server, "DELETE FROM registry_manifests WHERE digest = ?", digest_of(manifest))
    found = audit(server)
    assert {"v1", hashlib.sha256(manifest).hexdigest()} <= {row["subject"] for row in found["registry"]}
    server.start()
    repo.piece(repo.begin(), b"kept by its row")
    left = server.data / "blobs" / "uploads" / "left"

    def found():
        left.write_bytes(b"x")
        os.utime(left, (time.time() - 2 * DAY_S,) * 2)
        return [row["subject"] for row in audit(server).get("uploads", [])] == ["left"]

    # The sweep of the start may be under way still.
    wait_until(found, 60, "the file that has no row")


# ---- Size


def test_memory_does_not_grow_with_a_blob(servers, is_sanitized):
    server = servers()
    repo = new_repo(server)
    piece = os.urandom(1 << 20)
    count = 48 if is_sanitized else 256

    def peak_kb():
        text = open(f"/proc/{server.pid()}/status").read()
        return int(text.split("VmHWM:")[1].split()[0])

    repo.push_blob(piece)
    before = peak_kb()
    hashed = hashlib.sha256()
    for _ in range(count):
        hashed.update(piece)
    location = repo.begin()
    repo.piece(location, (piece for _ in range(count)))
    repo.finish(location, f"sha256:{hashed.hexdigest()}")
    with repo.session.get(
        f"{server.url}/v2/{repo.name}/blobs/sha256:{hashed.hexdigest()}",
        headers={"Authorization": f"Bearer {repo.token}"},
        stream=True,
        timeout=120,
    ) as reply:
        assert sum(len(part) for part in reply.iter_content(1 << 16)) == count << 20
    assert peak_kb() - before < 24 * 1024



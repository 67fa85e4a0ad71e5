"""The registry over plain HTTP: blobs, uploads, tags, referrers, errors, accounts."""

import hashlib
import json
import os
import socket

import pytest
import requests

from registry import INDEX, LAYER, MANIFEST, Registry, descriptor, digest_of

SHA256_OF_NOTHING = "sha256:" + hashlib.sha256(b"").hexdigest()
GOOD = "sha256:" + "a" * 64


@pytest.fixture(scope="module")
def repo(server):
    for name in ("images", "second"):
        server.api().post(
            "/models", {"owner": "lab", "name": name, "visibility": "private", "hardware": "cpu"}, 201
        )
    return Registry(server, "lab/images")


@pytest.fixture(scope="module")
def second(server, repo):
    return Registry(server, "lab/second")


def simple(repo, layer=b"a layer", **more):
    """An artifact without a runnable config."""
    for blob in (b"{}", layer):
        repo.push_blob(blob)
    return {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(b"{}", "application/vnd.example.empty+json"),
        "layers": [descriptor(layer, LAYER)],
        **more,
    }


# ---- Who may


def test_it_asks_for_a_token(server, repo):
    nobody = Registry(server, "lab/images", token="")
    for path in ("/v2/", "tags/list", "manifests/x", f"blobs/{GOOD}"):
        reply = nobody.call("GET", path, 401)
        assert reply.headers["WWW-Authenticate"] == 'Basic realm="vend"'
        assert "authentication required" in reply.json()["errors"][0]["message"]
    assert repo.call("GET", "/v2/", 200).json() == {}


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic eA==",  # no colon
        "Basic eDo=",  # no password
        "Basic eDp3cm9uZw==",
        "Basic " + "e" * 4000,
        "Bearer",
        "Digest x",
    ],
)
def test_other_credentials(server, repo, authorization):
    nobody = Registry(server, "lab/images", token="")
    message = nobody.refused("GET", "/v2/", 401, "UNAUTHORIZED", headers={"Authorization": authorization})
    assert "any user name and a token" in message


def test_any_user_name_with_a_token(server, repo):
    nobody = Registry(server, "lab/images", token="")
    for user in ("x", "lab", "", "with:colon"[:4]):
        nobody.call("GET", "/v2/", 200, auth=(user, server.token))
    assert nobody.call("GET", "tags/list", 200, auth=("x", server.token)).json()["name"] == "lab/images"


def test_foreign_credentials_are_not_logged(server, repo):
    secret = "r8_ForeignToken0123456789"
    nobody = Registry(server, "lab/images", token="")
    nobody.call("POST", "blobs/uploads/", 401, auth=("someone", secret))
    nobody.call("GET", "/v2/", 401, headers={"Authorization": f"Bearer {secret}"})
    log = server.log_path.read_text()
    import base64

    assert secret not in log and base64.b64encode(f"someone:{secret}".encode()).decode() not in log


def test_scopes(server, repo, api):
    tokens = {
        scope: api.post("/tokens", {"name": scope, "scopes": [scope]}, 201).json()["token"]
        for scope in ("read", "run", "push")
    }
    digest = repo.push_blob(b"for scopes")
    for scope, token in tokens.items():
        one = Registry(server, "lab/images", token)
        one.call("GET", "/v2/", 200)
        assert one.call("HEAD", f"blobs/{digest}").status_code == (200 if scope == "read" else 403)
        assert one.call("POST", "blobs/uploads/").status_code == (202 if scope == "push" else 403)
    reader = Registry(server, "lab/images", tokens["read"])
    assert "'push'" in reader.refused("DELETE", f"blobs/{digest}", 403, "DENIED")


def test_other_accounts(server, repo, other, api):
    stranger = Registry(server, "lab/images", other.token)
    digest = repo.push_blob(b"private")
    for method, path in (
        ("GET", f"blobs/{digest}"),
        ("GET", "tags/list"),
        ("POST", "blobs/uploads/"),
        ("PUT", "manifests/x"),
    ):
        message = stranger.refused(method, path, 404, "NAME_UNKNOWN")
        assert "begin with other/" in message
    api.post("/models", {"owner": "lab", "name": "seen", "visibility": "public", "hardware": "cpu"}, 201)
    public = Registry(server, "lab/seen", other.token)
    public.refused("GET", "tags/list", 403, "DENIED")
    # Nor by a mount.
    other.post("/models", {"owner": "other", "name": "own", "visibility": "private", "hardware": "cpu"}, 201)
    own = Registry(server, "other/own", other.token)
    for query in (f"?mount={digest}&from=lab/images", f"?mount={digest}"):
        own.call("POST", f"blobs/uploads/{query}", 202)
    own.refused("GET", f"blobs/{digest}", 404, "BLOB_UNKNOWN")
    # An upload is one of its repository.
    location = repo.begin()
    elsewhere = location.replace("lab/images", "other/own")
    own.refused("PATCH", elsewhere, 404, "BLOB_UPLOAD_UNKNOWN", data=b"x")
    own.refused("DELETE", elsewhere, 404, "BLOB_UPLOAD_UNKNOWN")


def test_a_model_must_be_there(server, repo):
    message = Registry(server, "lab/none").refused("POST", "blobs/uploads/", 404, "NAME_UNKNOWN")
    assert "vend models create lab/none" in message


# ---- Names and digests


@pytest.mark.parametrize(
    "name", ["images", "lab/Images", "lab/a..b", "lab/-a", "lab/a.", "lab/a___b", "lab//a", "a/" * 8 + "b"]
)
def test_wrong_names(server, repo, name):
    Registry(server, name).refused("GET", "tags/list", 400, "NAME_INVALID")


WRONG_DIGESTS = [
    "sha256:" + "a" * 63,
    "sha256:" + "a" * 65,
    "sha256:" + "A" * 64,
    "sha256:" + "g" * 64,
    "sha512:" + "a" * 64,
    "sha1:" + "a" * 40,
    "md5:" + "a" * 32,
    "sha256:",
    "sha256:" + "a" * 63 + "%00",
    "sha256:..%2F" + "a" * 61,
    "a" * 64,
]


@pytest.mark.parametrize("digest", WRONG_DIGESTS)
def test_wrong_digests(repo, digest):
    reply = repo.session.get(
        f"{repo.server.url}/v2/lab/images/blobs/{digest}", headers={"Authorization": f"Bearer {repo.token}"}, timeout=60
    )
    assert reply.status_code in (400, 404)
    location = repo.begin()
    if "%" not in digest:
        repo.refused("PUT", f"{location}?digest={digest}", 400, "DIGEST_INVALID", data=b"x")
        repo.refused("POST", f"blobs/uploads/?digest={digest}", 400, "DIGEST_INVALID", data=b"x")
        repo.refused("POST", f"blobs/uploads/?mount={digest}", 400, "DIGEST_INVALID")


@pytest.mark.parametrize("path", ["blobs/../../../etc/passwd", "blobs/%2e%2e/x", "manifests/..%2F..%2Fx", "manifests/a/b", "x", "tags/other"])
def test_no_way_out(repo, path):
    raw = socket.create_connection(("127.0.0.1", int(repo.server.url.rpartition(":")[2])), timeout=60)
    raw.sendall(
        f"GET /v2/lab/images/{path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
        f"Authorization: Bearer {repo.token}\r\n\r\n".encode()
    )
    reply = b""
    while piece := raw.recv(65536):
        reply += piece
    assert reply.split()[1] in (b"400", b"404") and b"root:" not in reply


# ---- Blobs


def test_a_blob(repo):
    content = os.urandom(100_000)
    digest = repo.push_blob(content)
    assert digest == digest_of(content)
    head = repo.call("HEAD", f"blobs/{digest}", 200)
    assert head.headers["Content-Length"] == "100000" and head.headers["Docker-Content-Digest"] == digest
    got = repo.call("GET", f"blobs/{digest}", 200)
    assert got.content == content and got.headers["Content-Type"] == "application/octet-stream"
    part = repo.call("GET", f"blobs/{digest}", 206, headers={"Range": "bytes=10-19"})
    assert part.content == content[10:20] and part.headers["Content-Range"] == "bytes 10-19/100000"
    repo.call("GET", f"blobs/{digest}", 416, headers={"Range": "bytes=100000-"})
    repo.call("DELETE", f"blobs/{digest}", 202)
    repo.refused("GET", f"blobs/{digest}", 404, "BLOB_UNKNOWN")
    repo.refused("DELETE", f"blobs/{digest}", 404, "BLOB_UNKNOWN")


def test_in_one_request(repo):
    content = os.urandom(5000)
    reply = repo.call("POST", f"blobs/uploads/?digest={digest_of(content)}", 201, data=content)
    assert repo.call("GET", reply.headers["Location"], 200).content == content
    wrong = digest_of(b"something else")
    message = repo.refused("POST", f"blobs/uploads/?digest={wrong}", 400, "DIGEST_INVALID", data=content)
    assert digest_of(content) in message
    # Without bytes it begins an upload, unless that is the content.
    repo.call("POST", f"blobs/uploads/?digest={digest_of(content)}", 202)
    repo.call("POST", f"blobs/uploads/?digest={SHA256_OF_NOTHING}", 201)


def test_in_pieces(repo):
    content = os.urandom(30_000)
    location = repo.begin()
    assert repo.call("GET", location, 204).headers["Range"] == "0-0"
    reply = repo.piece(location, content[:10_000], 0)
    assert reply.headers["Range"] == "0-9999" and reply.headers["Location"] == location
    for first, size in ((0, 10_000), (9_999, 10), (10_001, 10), (20_000, 10_000)):
        reply = repo.call(
            "PATCH",
            location,
            416,
            headers={"Content-Range": f"{first}-{first + size - 1}"},
            data=content[first : first + size],
        )
        assert reply.headers["Range"] == "0-9999" and reply.headers["Location"] == location
        assert reply.json()["errors"][0]["code"] == "BLOB_UPLOAD_INVALID"
    repo.piece(location, content[10_000:20_000])  # without Content-Range: goes on
    reply = repo.call(
        "PUT", f"{location}?digest={digest_of(content)}", 416, headers={"Content-Range": "0-9999"}, data=content[:10_000]
    )
    assert reply.headers["Range"] == "0-19999"
    repo.finish(location, digest_of(content), content[20_000:], headers={"Content-Range": "20000-29999"})
    assert repo.call("GET", f"blobs/{digest_of(content)}", 200).content == content
    repo.refused("GET", location, 404, "BLOB_UPLOAD_UNKNOWN")


def test_a_stream_of_chunks(repo):
    content = os.urandom(300_000)
    location = repo.begin()
    pieces = (content[i : i + 7_000] for i in range(0, len(content), 7_000))
    repo.piece(location, pieces)
    repo.finish(location, digest_of(content))
    assert repo.call("GET", f"blobs/{digest_of(content)}", 200).content == content


@pytest.mark.parametrize("announced", [True, False])
def test_sha512(repo, announced):
    """Announced, it is made while the bytes come; else at the end."""
    content = os.urandom(50_000)
    digest = digest_of(content, "sha512")
    location = repo.begin("?digest-algorithm=sha512" if announced else "")
    assert ("digest-algorithm=sha512" in location) == announced
    location = repo.piece(location, content[:20_000]).headers["Location"]
    repo.piece(location, content[20_000:])
    reply = repo.finish(location, digest)
    assert reply.headers["Docker-Content-Digest"] == digest
    assert repo.call("GET", f"blobs/{digest}", 200).content == content
    repo.refused("GET", f"blobs/{digest_of(content)}", 404, "BLOB_UNKNOWN")
    repo.refused("POST", "blobs/uploads/?digest-algorithm=md5", 400, "DIGEST_INVALID")


@pytest.mark.parametrize("text", ["", "x", "0", "-1", "0-", "5-4", "bytes 0-4", "0-4/5", "0-99999999999999999999"])
def test_wrong_ranges(repo, text):
    location = repo.begin()
    message = repo.refused(
        "PATCH", location, 400, "BLOB_UPLOAD_INVALID", headers={"Content-Range": text}, data=b"hello"
    )
    assert "FIRST-LAST" in message and repo.standing(location) == 0


def test_range_and_length_must_fit(repo):
    location = repo.begin()
    repo.refused("PATCH", location, 400, "SIZE_INVALID", headers={"Content-Range": "0-99"}, data=b"hello")
    assert repo.standing(location) == 0


def test_a_wrong_digest_ends_the_upload(repo):
    location = repo.begin()
    repo.piece(location, b"some bytes")
    message = repo.refused("PUT", f"{location}?digest={GOOD}", 400, "DIGEST_INVALID")
    assert digest_of(b"some bytes") in message
    repo.refused("GET", location, 404, "BLOB_UPLOAD_UNKNOWN")
    assert not list((repo.server.data / "blobs" / "uploads").glob(location.rpartition("/")[2]))
    repo.refused("PUT", repo.begin(), 400, "DIGEST_INVALID")


def test_cancel(repo):
    location = repo.begin()
    repo.piece(location, b"x" * 1000)
    repo.call("DELETE", location, 204)
    for method in ("GET", "PATCH", "DELETE"):
        repo.refused(method, location, 404, "BLOB_UPLOAD_UNKNOWN")
    repo.refused("GET", "blobs/uploads/" + "a" * 26, 404, "BLOB_UPLOAD_UNKNOWN")
    repo.refused("GET", "blobs/uploads/..x", 404, "BLOB_UPLOAD_UNKNOWN")


def test_mount(repo, second, server):
    content = os.urandom(2000)
    digest = repo.push_blob(content)
    second.refused("GET", f"blobs/{digest}", 404, "BLOB_UNKNOWN")
    reply = second.call("POST", f"blobs/uploads/?mount={digest}&from=lab/images", 201)
    assert second.call("GET", reply.headers["Location"], 200).content == content
    repo.call("DELETE", f"blobs/{digest}", 202)
    assert second.call("GET", f"blobs/{digest}", 200).content == content
    # From wherever it is, and an upload when it is nowhere.
    repo.call("POST", f"blobs/uploads/?mount={digest}", 201)
    for query in (f"?mount={GOOD}&from=lab/second", f"?mount={GOOD}", f"?mount={digest}&from=lab/none", f"?mount={digest}&from=x"):
        location = repo.call("POST", f"blobs/uploads/{query}", 202).headers["Location"]
        repo.call("GET", location, 204)
    # One file for all.
    blobs = [p for p in (server.data / "blobs").rglob(digest.removeprefix("sha256:"))]
    assert len(blobs) == 1


def test_a_cut_off_piece_is_continued(repo):
    content = os.urandom(200_000)
    location = repo.begin()
    raw = socket.create_connection(("127.0.0.1", int(repo.server.url.rpartition(":")[2])), timeout=60)
    raw.sendall(
        f"PATCH {location} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {repo.token}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n".encode()
        + content[:120_000]
    )
    from waiting import wait_until

    wait_until(lambda: repo.standing(location) == 120_000, 60, "the bytes")
    raw.close()
    # Also while the server has not noticed.
    repo.piece(location, content[120_000:150_000], 120_000)
    repo.finish(location, digest_of(content), content[150_000:])
    assert repo.call("GET", f"blobs/{digest_of(content)}", 200).content == content


def test_a_newer_request_takes_over(repo):
    content = os.urandom(60_000)
    location = repo.begin()
    raw = socket.create_connection(("127.0.0.1", int(repo.server.url.rpartition(":")[2])), timeout=60)
    head = f"PATCH {location} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {repo.token}\r\nContent-Length: 60000\r\n\r\n"
    raw.sendall(head.encode() + content[:20_000])
    from waiting import wait_until

    wait_until(lambda: repo.standing(location) == 20_000, 60, "the bytes")
    repo.piece(location, content[20_000:40_000], 20_000)
    raw.sendall(b"z" * 40_000)
    reply = raw.recv(65536)
    assert reply.startswith(b"HTTP/1.1 409") and b"another request" in reply
    repo.finish(location, digest_of(content), content[40_000:])


# ---- Manifests and tags


def test_a_manifest(repo):
    manifest = json.dumps(simple(repo, b"layer of a manifest"), indent=3).encode()
    digest = digest_of(manifest)
    reply = repo.put("v1", manifest)
    assert reply.headers["Docker-Content-Digest"] == digest
    assert reply.headers["Location"] == f"/v2/lab/images/manifests/{digest}"
    assert "Vend-Version" not in reply.headers
    for reference in ("v1", digest):
        head = repo.call("HEAD", f"manifests/{reference}", 200)
        got = repo.call("GET", f"manifests/{reference}", 200)
        assert got.content == manifest
        for one in (head, got):
            assert one.headers["Docker-Content-Digest"] == digest and one.headers["Content-Type"] == MANIFEST
            assert one.headers["Content-Length"] == str(len(manifest))
    layer = json.loads(manifest)["layers"][0]["digest"]
    message = repo.refused("DELETE", f"blobs/{layer}", 409, "BLOB_UNKNOWN")
    assert digest in message
    repo.call("DELETE", "manifests/v1", 202)
    repo.refused("GET", "manifests/v1", 404, "MANIFEST_UNKNOWN")
    repo.call("GET", f"manifests/{digest}", 200)
    repo.put("v2", manifest)
    repo.call("DELETE", f"manifests/{digest}", 202)
    for reference in ("v2", digest):
        repo.refused("GET", f"manifests/{reference}", 404, "MANIFEST_UNKNOWN")
        repo.refused("DELETE", f"manifests/{reference}", 404, "MANIFEST_UNKNOWN")
    repo.call("DELETE", f"blobs/{layer}", 202)


def test_manifests_are_checked(repo):
    good = simple(repo, b"checked")
    missing = descriptor(b"never pushed", LAYER)

    def refused(manifest, status=400, code="MANIFEST_INVALID", media_type=MANIFEST, reference="bad"):
        text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        return repo.refused(
            "PUT", f"manifests/{reference}", status, code, data=text, headers={"Content-Type": media_type}
        )

    refused(b"")
    refused(b"{")
    refused(b"[]")
    refused(b"[" * 100_000)
    assert "schemaVersion" in refused({**good, "schemaVersion": 1})
    assert "mediaType" in refused({**good, "mediaType": INDEX})
    assert "mediaType" in refused(good | {"mediaType": "text/plain"}, media_type="text/plain")
    docker1 = "application/vnd.docker.distribution.manifest.v1+json"
    assert "mediaType" in refused({"schemaVersion": 2}, media_type=docker1)
    assert "config" in refused({k: v for k, v in good.items() if k != "config"})
    assert "layers" in refused({k: v for k, v in good.items() if k != "layers"})
    assert "layers.0.digest" in refused({**good, "layers": [{**missing, "digest": "sha256:x"}]})
    assert "layers.0.size" in refused({**good, "layers": [{**missing, "size": -1}]})
    assert "bytes" in refused({**good, "layers": [{**good["layers"][0], "size": 1}]})
    assert "subject.digest" in refused({**good, "subject": {"digest": "../x", "size": 1}})
    assert "annotations" in refused({**good, "annotations": []})
    assert missing["digest"] in refused({**good, "layers": [missing]}, 404, "MANIFEST_BLOB_UNKNOWN")
    assert "digest" in refused(good, 400, "DIGEST_INVALID", reference=GOOD)
    assert "tag" in refused(good, reference="-bad")
    refused({"schemaVersion": 2, "manifests": [descriptor(b"x", MANIFEST)]}, 404, "MANIFEST_BLOB_UNKNOWN", INDEX)
    refused(b" " * (4 << 20) + b"1", 413, "SIZE_INVALID")
    repo.refused("GET", "manifests/bad", 404, "MANIFEST_UNKNOWN")
    # Types of Docker, no type at all, members that nobody knows, layers that lie elsewhere.
    docker = "application/vnd.docker.distribution.manifest.v2+json"
    repo.put("docker", {**good, "mediaType": docker})
    assert repo.call("GET", "manifests/docker", 200).headers["Content-Type"] == docker
    bare = {k: v for k, v in good.items() if k != "mediaType"}
    repo.call("PUT", "manifests/bare", 201, data=json.dumps(bare))
    repo.call("PUT", "manifests/bare", 201, data=json.dumps(bare), headers={"Content-Type": f"{MANIFEST}; a=b"})
    repo.put("more", {**good, "org.example": {"x": 1}})
    foreign = {**missing, "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar", "urls": ["https://x"]}
    repo.put("foreign", {**good, "layers": [foreign]})


def test_tags(server, api, repo):
    api.post("/models", {"owner": "lab", "name": "tags", "visibility": "private", "hardware": "cpu"}, 201)
    one = Registry(server, "lab/tags")
    assert one.tags() == []
    manifest = simple(one)
    names = ["a", "A", "10", "2", "_x", "b.c-d"]
    for name in names:
        one.put(name, manifest)
    assert one.tags() == sorted(names)
    reply = one.call("GET", "tags/list?n=2", 200)
    assert reply.json() == {"name": "lab/tags", "tags": ["10", "2"]}
    assert reply.headers["Link"] == '</v2/lab/tags/tags/list?n=2&last=2>; rel="next"'
    seen, path = [], "/v2/lab/tags/tags/list?n=4"
    while path:
        reply = one.call("GET", path, 200)
        seen += reply.json()["tags"]
        path = requests.utils.parse_header_links(reply.headers.get("Link", ""))
        path = path[0]["url"] if path else None
    assert seen == sorted(names)
    assert one.tags("?last=_x") == ["a", "b.c-d"] and one.tags("?last=zzz") == []
    reply = one.call("GET", "tags/list?n=0", 200)
    assert reply.json()["tags"] == [] and "Link" not in reply.headers
    for n in ("x", "-1", "", "1.5"):
        one.call("GET", f"tags/list?n={n}", 400)
    # A deeper name is a repository of its own, of the same model.
    deeper = Registry(server, "lab/tags/weights/base")
    assert deeper.tags() == []
    deeper.put("w", simple(deeper))
    assert deeper.tags() == ["w"] and "w" not in one.tags()
    # By digest, with tags.
    text = json.dumps(manifest).encode()
    reply = one.call("PUT", f"manifests/{digest_of(text)}?tag=p&tag=q", 201, data=text, headers={"Content-Type": MANIFEST})
    assert reply.headers["OCI-Tag"] == "p, q" and {"p", "q"} <= set(one.tags())
    one.refused("PUT", f"manifests/{digest_of(text)}?tag=-", 400, "MANIFEST_INVALID", data=text)


def test_referrers(repo):
    subject = json.dumps(simple(repo, b"subject")).encode()
    assert repo.call("GET", f"referrers/{digest_of(subject)}", 200).json()["manifests"] == []
    notes = {"org.example.note": "yes"}
    about = {"mediaType": MANIFEST, "digest": digest_of(subject), "size": len(subject)}
    first = json.dumps(simple(repo, subject=about, artifactType="application/vnd.a", annotations=notes)).encode()
    second_one = json.dumps(simple(repo, b"other", subject=about)).encode()
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "subject": about}).encode()
    for text in (first, second_one, index):
        reply = repo.put(digest_of(text), text)
        assert reply.headers["OCI-Subject"] == digest_of(subject)
    repo.put(digest_of(subject), subject)
    reply = repo.call("GET", f"referrers/{digest_of(subject)}", 200)
    assert reply.headers["Content-Type"] == INDEX
    listed = {one["digest"]: one for one in reply.json()["manifests"]}
    assert set(listed) == {digest_of(text) for text in (first, second_one, index)}
    assert listed[digest_of(first)] == {
        "mediaType": MANIFEST,
        "size": len(first),
        "digest": digest_of(first),
        "artifactType": "application/vnd.a",
        "annotations": notes,
    }
    assert listed[digest_of(second_one)]["artifactType"] == "application/vnd.example.empty+json"
    assert "artifactType" not in listed[digest_of(index)]
    reply = repo.call("GET", f"referrers/{digest_of(subject)}?artifactType=application/vnd.a", 200)
    assert [one["digest"] for one in reply.json()["manifests"]] == [digest_of(first)]
    assert reply.headers["OCI-Filters-Applied"] == "artifactType"
    repo.refused("GET", "referrers/sha256:x", 400, "DIGEST_INVALID")


def test_methods(repo):
    for method, path in (
        ("POST", "manifests/x"),
        ("PATCH", "blobs/uploads/"),
        ("PUT", f"blobs/{GOOD}"),
        ("DELETE", "tags/list"),
        ("GET", "blobs/uploads/"),
        ("DELETE", "blobs/uploads/"),
    ):
        repo.refused(method, path, 405, "UNSUPPORTED")


def test_a_client_that_begins_tls_is_told_at_once(server):
    raw = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=20)
    raw.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 200)
    assert raw.recv(65536).startswith(b"HTTP/1.1 400")



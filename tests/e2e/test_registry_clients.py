"""A real client of registries pushes, lists, pulls and deletes: what comes out is what went in."""

import json
import subprocess

import pytest

from layouts import image, write_layout
from registry import INDEX, MANIFEST, Registry, cog_labels, descriptor, digest_of


def skopeo(*words, expect=0):
    ran = subprocess.run(["skopeo", *map(str, words)], capture_output=True, text=True, timeout=120)
    assert ran.returncode == expect, ran.stdout + ran.stderr
    return ran.stdout if expect == 0 else ran.stderr


@pytest.fixture
def layout(tmp_path):
    blobs, manifest = image(cog_labels(), 1)
    others, other = image({}, 2)
    index = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [
                descriptor(manifest, MANIFEST, platform={"os": "linux", "architecture": "amd64"}),
                descriptor(other, MANIFEST, platform={"os": "linux", "architecture": "arm64"}),
            ],
        }
    ).encode()
    write_layout(tmp_path / "in", {"v1": manifest, "all": index}, [*blobs, *others, manifest, other, index])
    return tmp_path / "in", blobs, manifest, index


@pytest.mark.parametrize("flags", [(), ("--tls-auto",)])
def test_skopeo(servers, layout, tmp_path, flags):
    server = servers(*flags)
    api = server.api()
    api.post("/models", {"owner": "lab", "name": "pushed", "visibility": "private", "hardware": "cpu"}, 201)
    folder, blobs, manifest, index = layout
    address = server.url.partition("://")[2]
    remote = f"docker://{address}/lab/pushed"
    creds = f"anybody:{server.token}"
    secure = ["--cert-dir", tmp_path / "certs"] if flags else ["--tls-verify=false"]
    if flags:
        (tmp_path / "certs").mkdir()
        (tmp_path / "certs" / "ca.crt").write_bytes(open(server.ca, "rb").read())

    def side(name):
        return [f"--{name}-{secure[0].removeprefix('--')}", *secure[1:], f"--{name}-creds={creds}"]

    skopeo("copy", *side("dest"), f"oci:{folder}:v1", f"{remote}:v1")
    (version,) = api.get("/models/lab/pushed/versions").json()["results"]
    assert version["id"] == digest_of(manifest).removeprefix("sha256:") and version["runner"] == "image"

    # Out again, by tag and by digest.
    for i, reference in enumerate((":v1", f"@{digest_of(manifest)}")):
        out = tmp_path / f"out{i}"
        skopeo("copy", *side("src"), remote + reference, f"dir:{out}")
        assert (out / "manifest.json").read_bytes() == manifest
        for blob in blobs:
            assert (out / digest_of(blob).removeprefix("sha256:")).read_bytes() == blob

    # The index, whose image is there already: nothing is sent twice.
    skopeo("copy", "--all", *side("dest"), f"oci:{folder}:all", f"{remote}:all")
    skopeo("copy", "--all", *side("src"), f"{remote}:all", f"dir:{tmp_path / 'all'}")
    assert (tmp_path / "all" / "manifest.json").read_bytes() == index
    assert len(api.get("/models/lab/pushed/versions").json()["results"]) == 1

    listed = json.loads(skopeo("list-tags", *secure, f"--creds={creds}", remote))
    assert listed["Tags"] == ["all", "v1"]
    shown = json.loads(skopeo("inspect", *secure, f"--creds={creds}", f"{remote}:v1"))
    assert shown["Digest"] == digest_of(manifest) and shown["Labels"]["run.cog.version"] == "0.16.0"

    # Another form of the same image, and what is refused.
    skopeo("copy", "--format", "v2s2", *side("dest"), f"oci:{folder}:v1", f"{remote}:docker")
    assert len(api.get("/models/lab/pushed/versions").json()["results"]) == 2
    wrong = skopeo("inspect", *secure, "--creds=x:r8_NotOurs", f"{remote}:v1", expect=1)
    assert "authentication required" in wrong
    none = skopeo("copy", *side("dest"), f"oci:{folder}:v1", f"docker://{address}/lab/none:v1", expect=1)
    assert "vend models create lab/none" in none or "NAME_UNKNOWN" in none.upper() or "name unknown" in none
    skopeo("delete", *secure, f"--creds={creds}", f"{remote}:docker")
    if not flags:
        assert Registry(server, "lab/pushed").tags() == ["all", "v1"]

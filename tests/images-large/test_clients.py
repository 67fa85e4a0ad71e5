"""podman and crane push an image that Cog could have made, and pull it again."""

import json
import os
import pathlib
import subprocess

import pytest

from layouts import image, write_layout
from registry import Registry, cog_labels, digest_of

# The newest that Debian's Go compiles.
CRANE = "github.com/google/go-containerregistry/cmd/crane@v0.14.0"


def run(*words, **options):
    ran = subprocess.run([*map(str, words)], capture_output=True, text=True, timeout=900, **options)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture
def pushed(servers, tmp_path):
    """A server with a model, and an image as a layout."""
    server = servers(empty=True)
    server.api().post("/models", {"owner": "lab", "name": "pushed", "visibility": "private", "hardware": "cpu"}, 201)
    blobs, manifest = image(cog_labels(), 1)
    write_layout(tmp_path / "in", {"v1": manifest}, [*blobs, manifest])
    return server, tmp_path / "in", manifest


def versions(server):
    return [v["id"] for v in server.api().get("/models/lab/pushed/versions").json()["results"]]


@pytest.fixture(scope="session")
def crane(tmp_path_factory):
    folder = tmp_path_factory.mktemp("go")
    run("go", "install", CRANE, env={**os.environ, "GOPATH": str(folder), "GOFLAGS": "-modcacherw"})
    return folder / "bin" / "crane"


def test_crane(pushed, crane, tmp_path):
    server, folder, manifest = pushed
    where = server.url.removeprefix("http://")
    env = {**os.environ, "DOCKER_CONFIG": str(tmp_path / "config"), "HOME": str(tmp_path)}
    run(crane, "auth", "login", where, "-u", "anybody", "-p", server.token, env=env)
    run(crane, "push", folder, f"{where}/lab/pushed:v1", env=env)
    assert versions(server) == [digest_of(manifest).removeprefix("sha256:")]
    assert run(crane, "ls", f"{where}/lab/pushed", env=env).split() == ["v1"]
    assert run(crane, "digest", f"{where}/lab/pushed:v1", env=env).strip() == digest_of(manifest)
    assert run(crane, "manifest", f"{where}/lab/pushed:v1", env=env).encode() == manifest
    run(crane, "validate", "--remote", f"{where}/lab/pushed:v1", env=env)
    run(crane, "copy", f"{where}/lab/pushed:v1", f"{where}/lab/pushed:v2", env=env)
    run(crane, "delete", f"{where}/lab/pushed:v2", env=env)
    run(crane, "push", folder, f"{where}/lab/pushed:v3", env=env)
    assert Registry(server, "lab/pushed").tags() == ["v1", "v3"]
    wrong = subprocess.run(
        [crane, "digest", f"{where}/lab/none:v1"], env=env, capture_output=True, text=True, timeout=60
    )
    assert wrong.returncode == 1 and "NAME_UNKNOWN" in wrong.stderr


def test_podman(pushed, tmp_path):
    server, folder, manifest = pushed
    where = server.url.removeprefix("http://")
    store = ["--root", tmp_path / "storage", "--runroot", tmp_path / "run", "--storage-driver", "vfs"]
    access = ["--tls-verify=false", "--creds", f"anybody:{server.token}"]
    name = run("podman", *store, "pull", "--quiet", f"oci:{folder}:v1").split()[-1]
    run("podman", *store, "push", *access, name, f"docker://{where}/lab/pushed:v1")
    (version,) = versions(server)
    run("podman", *store, "rmi", "--force", name)
    pulled = run("podman", *store, "pull", "--quiet", *access, f"{where}/lab/pushed:v1").split()[-1]
    (shown,) = json.loads(run("podman", *store, "image", "inspect", pulled))
    assert shown["Digest"] == f"sha256:{version}"
    assert shown["Labels"]["run.cog.version"] == "0.16.0"
    assert pathlib.Path(tmp_path / "storage").is_dir()

"""What layers may hold: how they lie over each other, and what is refused with nothing left."""

import gzip
import io
import json
import os
import stat
import subprocess
import tarfile

import pytest
from registry import CONFIG, INDEX, LAYER, MANIFEST, Registry, cog_labels, descriptor, digest_of
from waiting import wait_until

LIMITS = ("--image-max-unpacked", "8M", "--image-max-files", "2000")


def tar_of(*entries):
    """Entries are (name, content), or (name, {members of TarInfo})."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, what in entries:
            info = tarfile.TarInfo(name)
            content = what if isinstance(what, bytes) else b""
            info.size = len(content)
            if isinstance(what, dict):
                for key, value in what.items():
                    setattr(info, key, value)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def link(to):
    return {"type": tarfile.SYMTYPE, "linkname": to}


def hard(to):
    return {"type": tarfile.LNKTYPE, "linkname": to}


def folder(mode=0o755):
    return {"type": tarfile.DIRTYPE, "mode": mode}


def push(server, name, *layers, **config):
    """The id of the version. Layers are sent as they are."""
    api = server.api()
    api.post("/models", {"owner": "lab", "name": name, "visibility": "private", "hardware": "cpu"}, 201)
    repo = Registry(server, f"lab/{name}")
    started = {"Cmd": ["/nothing"], "WorkingDir": "/src", **config, "Labels": cog_labels()}
    text = json.dumps({"architecture": "amd64", "os": "linux", "config": started}).encode()
    for blob in (*layers, text):
        repo.push_blob(blob)
    parts = [descriptor(layer, LAYER) for layer in layers]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(text, CONFIG), "layers": parts}
    manifest = json.dumps(manifest).encode()
    repo.put("v1", manifest)
    return digest_of(manifest).removeprefix("sha256:")


@pytest.fixture(scope="module")
def server(binary, template, tmp_path_factory):
    from servers import Servers

    servers = Servers(binary, template, tmp_path_factory.mktemp("layers"))
    server = servers(*LIMITS)
    if any(r["message"] == "images do not run here" for r in server.log()):
        servers.close()
        pytest.skip("this machine makes no sandbox")
    yield server
    servers.close()


def unpacked(server, name, version):
    """The root, after a call that fails, since nothing in it can be started."""
    done = server.api().run(name, {})
    assert done["status"] == "failed", done
    return server.data / "images" / version / "src"


def below(root):
    return {str(path.relative_to(root)) for path in root.rglob("*")}


def test_layers_lie_over_each_other(server):
    lower = tar_of(
        ("./", folder()),
        ("a/kept", b"kept"),
        ("a/gone", b"gone"),
        ("b/old", b"old"),
        ("b/inner/old", b"old"),
        ("c/file", b"first"),
        ("d", b"a file"),
        ("usr/bin/tool", {"mode": 0o6755}),
        ("bin", link("usr/bin")),
        ("closed", folder(0o000)),
        ("secret", {"mode": 0o000}),
        ("dev/null", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3}),
    )
    upper = tar_of(
        ("a/.wh.gone", b""),
        ("b/new", b"new"),
        ("b/inner/new", b"new"),
        ("b/.wh..wh..opq", b""),
        ("c/file", b"second"),
        ("c/again", hard("c/file")),
        ("c/below", hard("./a/kept")),
        ("d", folder()),
        ("d/inside", b"in a folder"),
        ("bin/other", b"through the link"),
        ("away", link("/etc/shadow")),
        ("proc", link("/oldroot")),
        ("sys/devices", link("/oldroot/tmp")),
        ("etc/hosts", link("../../../../../../../../tmp/hosts")),
    )
    version = push(server, "layers", gzip.compress(lower), subprocess.run(["zstd"], input=upper, capture_output=True, check=True).stdout)
    root = unpacked(server, "layers", version)
    assert (root / "a" / "kept").read_bytes() == b"kept" and not (root / "a" / "gone").exists()
    assert below(root / "b") == {"new", "inner", "inner/new"}
    assert (root / "c" / "file").read_bytes() == b"second"
    assert (root / "c" / "again").stat().st_ino == (root / "c" / "file").stat().st_ino
    assert (root / "c" / "below").stat().st_ino == (root / "a" / "kept").stat().st_ino
    assert (root / "d" / "inside").read_bytes() == b"in a folder"
    assert (root / "usr" / "bin" / "other").read_bytes() == b"through the link" and (root / "bin").is_symlink()
    assert os.readlink(root / "away") == "/etc/shadow"
    # Neither rights nor places of the machine come from an image.
    assert stat.S_IMODE((root / "usr" / "bin" / "tool").stat().st_mode) == 0o755
    assert stat.S_IMODE((root / "closed").stat().st_mode) == 0o700
    assert stat.S_IMODE((root / "secret").stat().st_mode) == 0o600
    assert not below(root / "dev") and not below(root / "sys")
    for name in ("proc", "sys", "dev", "tmp", "src"):
        assert (root / name).is_dir() and not (root / name).is_symlink(), name
    for name in ("etc/hosts", "etc/resolv.conf"):
        assert (root / name).is_file() and not (root / name).is_symlink(), name
    # It counts as stored, and goes from the count with the version.
    bytes_of = lambda: server.api().get("/account").json()["stored_bytes"]  # noqa: E731
    before = bytes_of()
    server.api().delete(f"/models/lab/layers/versions/{version}", 202)
    files = sum(path.stat().st_size for path in root.rglob("*") if not path.is_symlink() and path.is_file() and path.name not in ("again", "below"))
    assert before - bytes_of() >= files > 0


def test_managed_weights(server):
    """An index with weights beside the image: they lie at their target in the root that it runs in."""
    api = server.api()
    api.post("/models", {"owner": "lab", "name": "weighty", "visibility": "private", "hardware": "cpu"}, 201)
    repo = Registry(server, "lab/weighty")
    image = repo.image(cog_labels(), {"src/predict.py": b"# none"})
    config = b'{"files": []}'
    layers = [gzip.compress(tar_of(("model.bin", b"w" * 1000))), tar_of(("sub/more.bin", b"more"))]
    for blob in (config, *layers):
        repo.push_blob(blob)
    weight = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.cog.weight.v1",
        "config": descriptor(config, "application/vnd.cog.weight.config.v1+json"),
        "layers": [descriptor(layer, LAYER) for layer in layers],
        "annotations": {"run.cog.weight.name": "base", "run.cog.weight.target": "/src/weights"},
    }
    weight = json.dumps(weight).encode()
    for manifest in (image, weight):
        repo.put(digest_of(manifest), manifest)
    entries = [descriptor(image, MANIFEST, platform={"os": "linux", "architecture": "amd64"}), descriptor(weight, MANIFEST)]
    repo.put("v1", json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode())
    root = server.data / "images" / digest_of(image).removeprefix("sha256:") / "src"
    assert api.run("weighty", {})["status"] == "failed", "it has no command"
    assert not root.exists()
    # The same with one.
    started = {"config": {"Labels": cog_labels(), "Cmd": ["/nothing"]}}
    image = repo.image(None, {"src/predict.py": b"# none"}, **started)
    repo.put(digest_of(image), image)
    entries[0] = descriptor(image, MANIFEST, platform={"os": "linux", "architecture": "amd64"})
    repo.put("v2", json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode())
    root = unpacked(server, "weighty", digest_of(image).removeprefix("sha256:"))
    assert (root / "src" / "weights" / "model.bin").read_bytes() == b"w" * 1000
    assert (root / "src" / "weights" / "sub" / "more.bin").read_bytes() == b"more"
    assert (root / "src" / "weights" / ".cog" / "ready").exists()
    assert (root / "src" / "predict.py").exists()


REFUSED = {
    "bomb": ([gzip.compress(tar_of(("zeros", b"\0" * (16 << 20))))], "image-max-unpacked"),
    "many-files": ([tar_of(*((f"f{i}", b"") for i in range(2100)))], "image-max-files"),
    "many-folders": ([tar_of(*((f"{i}/{i}/{i}", b"") for i in range(800)))], "image-max-files"),
    "many-links": ([tar_of(("a", b""), *((f"l{i}", hard("a")) for i in range(2100)))], "image-max-files"),
    "upwards": ([tar_of(("../../outside", b"x"))], "leads out with '..'"),
    "upwards-inside": ([tar_of(("a/../../outside", b"x"))], "leads out with '..'"),
    "hard-link-out": ([tar_of(("a", hard("../../../../etc/passwd")))], "leads out with '..'"),
    "hard-link-to-nothing": ([tar_of(("a", hard("/etc/passwd")))], "no file of the image"),
    "hard-link-by-link": ([tar_of(("e", link("/etc")), ("a", hard("e/passwd")))], "no file of the image"),
    "hard-link-to-folder": ([tar_of(("f", folder()), ("a", hard("f")))], "no file of the image"),
    "device": ([tar_of(("disk", {"type": tarfile.BLKTYPE, "devmajor": 8}))], "a device, a pipe or a socket"),
    "pipe": ([tar_of(("pipe", {"type": tarfile.FIFOTYPE}))], "a device, a pipe or a socket"),
    "device-by-link": (
        [tar_of(("dev", folder()), ("x", link("dev")), ("x/sda", {"type": tarfile.BLKTYPE, "devmajor": 8}))],
        "a device, a pipe or a socket",
    ),
    "root-is-a-file": ([tar_of((".", b"x"))], "takes the place of the root"),
    "file-as-folder": ([tar_of(("a", b""), ("a/b", b""))], "is no folder"),
    "link-to-itself": ([tar_of(("a", link("a")), ("a/b", b""))], "is no folder"),
    "link-to-nothing": ([tar_of(("a", link("nowhere")), ("a/b", b""))], "is no folder"),
    "whiteout-of-parent": ([tar_of(("a/.wh...", b""))], "the whiteout names no file"),
    "long-name": ([tar_of(("n" * 300, b""))], "longer than 255 bytes"),
    "not-a-tar": ([b"this is text, and no archive " * 50], "tar"),
    "cut-off": ([gzip.compress(tar_of(("a", os.urandom(200_000))))[:100_000]], "damaged"),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_it_is_refused(server, name, tmp_path):
    layers, words = REFUSED[name]
    before = set(os.listdir(server.data)), set(os.listdir("/tmp"))
    version = push(server, name, *layers)
    done = server.api().run(name, {})
    assert done["status"] == "failed" and words in done["error"], done["error"]
    assert f"layer {digest_of(layers[0])}" in done["error"]
    assert not (server.data / "images" / version).exists()
    assert not list((server.data / "images").glob(".*"))
    assert set(os.listdir(server.data)) == before[0]


@pytest.mark.parametrize(
    "config,words",
    [
        ({"Cmd": None}, "neither an entry point nor a command"),
        ({"Cmd": "text"}, "config.Cmd"),
        ({"Env": ["NOTHING"]}, "config.Env"),
        ({"WorkingDir": "src"}, "config.WorkingDir"),
        ({"WorkingDir": "/../.."}, "config.WorkingDir"),
        ({"User": "nobody-knows"}, "config.User"),
        ({"User": "root:nobody-knows"}, "config.User"),
    ],
)
def test_a_config_is_refused(server, config, words):
    name = "config-" + digest_of(json.dumps(config).encode())[-12:]
    version = push(server, name, tar_of(("a", b"x")), **config)
    done = server.api().run(name, {})
    assert done["status"] == "failed" and words in done["error"], done["error"]
    assert not (server.data / "images" / version).exists()
    assert not list((server.data / "images").glob(".*"))


def test_a_kill_leaves_nothing(servers):
    """The next start removes what there is, and the next call unpacks all of it."""
    server = servers()
    if any(r["message"] == "images do not run here" for r in server.log()):
        pytest.skip("this machine makes no sandbox")
    layer = gzip.compress(tar_of(*((f"zeros{i}", b"\0" * (4 << 20)) for i in range(100))), 1)
    version = push(server, "killed", layer)
    server.api().post("/models/lab/killed/predictions", {"input": {}}, 201)
    images = server.data / "images"
    wait_until(lambda: list(images.glob(".*/src/zeros*")), what="the first files")
    server.kill()
    server.start()
    # The prediction is in the queue again, so it is unpacked anew beside the removal.
    root = server.data / "images" / version / "src"
    wait_until(root.exists, what="the root")
    assert len([path for path in root.iterdir() if path.name.startswith("zeros")]) == 100
    wait_until(lambda: not list(images.glob(".*")), what="the removal of the rest")

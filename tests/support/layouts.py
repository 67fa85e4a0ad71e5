"""Images as files: what clients of registries send."""

import gzip
import json

from registry import MANIFEST, descriptor, digest_of, layer_of


def image(labels, number):
    """Blobs and manifest of an image, compressed, so that nobody does it on the way."""
    plain = layer_of({"src/predict.py": b"# %d\n" % number})
    layer = gzip.compress(plain, mtime=0)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": labels, "WorkingDir": "/src", "Cmd": ["python", "-m", "cog.server.http"]},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(plain)]},
            "history": [{"created_by": "COPY"}],
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(config, "application/vnd.oci.image.config.v1+json"),
            "layers": [descriptor(layer, "application/vnd.oci.image.layer.v1.tar+gzip")],
        }
    ).encode()
    return [layer, config], manifest


def write_layout(folder, named, blobs):
    """An OCI image layout: what `skopeo copy oci:` reads."""
    (folder / "blobs" / "sha256").mkdir(parents=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    for blob in blobs:
        (folder / "blobs" / "sha256" / digest_of(blob).removeprefix("sha256:")).write_bytes(blob)
    entries = [
        descriptor(text, json.loads(text)["mediaType"], annotations={"org.opencontainers.image.ref.name": tag})
        for tag, text in named.items()
    ]
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": entries}))

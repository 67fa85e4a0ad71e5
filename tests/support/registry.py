"""A plain client of the registry, and images for it."""

import hashlib
import io
import json
import tarfile

import requests

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
SCHEMA = {
    "openapi": "3.0.2",
    "info": {"title": "Cog", "version": "0.1.0"},
    "paths": {},
    "components": {
        "schemas": {
            "Input": {"type": "object", "properties": {"prompt": {"type": "string", "x-order": 0}}},
            "Output": {"type": "string"},
        }
    },
}


def digest_of(content, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


def cog_labels(**more):
    labels = {
        "run.cog.version": "0.16.0",
        "run.cog.openapi_schema": json.dumps(SCHEMA),
        "run.cog.config": json.dumps({"build": {"python_version": "3.11"}, "predict": "predict.py:Predictor"}),
        "run.cog.pip_freeze": "numpy==2.1.0\nrequests==2.32.0\n",
        **more,
    }
    return {name: value for name, value in labels.items() if value is not None}


def layer_of(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def descriptor(content, media_type, **more):
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content), **more}


class Registry:
    """One repository, with a token."""

    def __init__(self, server, name, token=None):
        self.server = server
        self.name = name
        self.token = server.token if token is None else token
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method, path, expect=None, headers=None, **options):
        url = path if path.startswith("http") else self.server.url + (path if path[0] == "/" else f"/v2/{self.name}/{path}")
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent.update(headers or {})
        reply = self.session.request(method, url, headers=sent, timeout=120, allow_redirects=False, **options)
        if expect is not None:
            assert reply.status_code == expect, f"{reply.status_code}: {reply.text[:1000]}"
        assert reply.headers["Docker-Distribution-API-Version"] == "registry/2.0"
        return reply

    def refused(self, method, path, status, code, **options):
        """The message of a refusal, which must be of the specification's form."""
        reply = self.call(method, path, status, **options)
        assert reply.headers["Content-Type"] == "application/json"
        (error,) = reply.json()["errors"]
        assert error["code"] == code, error
        return error["message"]

    # Blobs

    def begin(self, query=""):
        return self.call("POST", f"blobs/uploads/{query}", 202).headers["Location"]

    def piece(self, location, content, first=None, expect=202, **options):
        headers = {"Content-Type": "application/octet-stream"}
        if first is not None:
            headers["Content-Range"] = f"{first}-{first + len(content) - 1}"
        return self.call("PATCH", location, expect, headers=headers, data=content, **options)

    def finish(self, location, digest, content=b"", expect=201, headers=None):
        mark = "&" if "?" in location else "?"
        return self.call("PUT", f"{location}{mark}digest={digest}", expect, headers=headers, data=content)

    def push_blob(self, content):
        digest = digest_of(content)
        self.finish(self.begin(), digest, content)
        return digest

    def standing(self, location):
        """How many bytes an upload has."""
        last = int(self.call("GET", location, 204).headers["Range"].removeprefix("0-"))
        return last + 1 if last else 0

    # Manifests

    def put(self, reference, manifest, expect=201, media_type=None):
        text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        kind = media_type or json.loads(text)["mediaType"]
        return self.call("PUT", f"manifests/{reference}", expect, headers={"Content-Type": kind}, data=text)

    def image(self, labels=None, files=None, **config):
        """Pushes the parts of an image; returns its manifest as bytes."""
        layer = layer_of(files or {"src/predict.py": b"# nothing\n"})
        text = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Labels": labels} if labels is not None else {},
                "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
                **config,
            }
        ).encode()
        for blob in (layer, text):
            self.push_blob(blob)
        return json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": descriptor(text, CONFIG),
                "layers": [descriptor(layer, LAYER)],
            }
        ).encode()

    def tags(self, query=""):
        return self.call("GET", f"tags/list{query}", 200).json()["tags"]

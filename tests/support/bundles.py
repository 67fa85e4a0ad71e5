"""Archives of `vend export`: made, taken apart, changed; servers that reach no network."""

import hashlib
import io
import json
import subprocess
import tarfile

from waiting import wait_until

NOWHERE = "http://127.0.0.1:9"
# Nothing listens there, and every installer asks there first.
CUT_OFF = {
    **{name: f"{NOWHERE}/simple" for name in ("UV_INDEX_URL", "UV_DEFAULT_INDEX", "PIP_INDEX_URL")},
    **{name: NOWHERE for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")},
    "no_proxy": "127.0.0.1,localhost",
    "NO_PROXY": "127.0.0.1,localhost",
    "UV_HTTP_RETRIES": "0",
    "PIP_RETRIES": "0",
}


def export(server, reference, path):
    done = server.cli("export", reference, path)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def bring_in(server, path, *words):
    done = server.cli("import", path, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def _zstd(data, *words):
    return subprocess.run(["zstd", "-q", "-c", *words], input=data, capture_output=True, check=True).stdout


class Bundle:
    """An archive in memory: entries in order, [TarInfo, bytes]."""

    def __init__(self, path):
        with tarfile.open(fileobj=io.BytesIO(_zstd(path.read_bytes(), "-d"))) as tar:
            self.entries = [[info, tar.extractfile(info).read() if info.isfile() else b""] for info in tar]

    @property
    def manifest(self):
        return json.loads(self.entries[0][1])

    @manifest.setter
    def manifest(self, document):
        self.entries[0][1] = json.dumps(document).encode()

    def names(self):
        return [info.name for info, _ in self.entries]

    def find(self, name):
        return next(entry for entry in self.entries if entry[0].name == name)

    def set(self, name, data):
        """A file with other bytes, which the manifest knows."""
        self.find(name)[1] = data
        document = self.manifest
        file = next(f for f in document["files"] if f["path"] == name)
        file.update(size=len(data), sha256=hashlib.sha256(data).hexdigest())
        self.manifest = document

    def add(self, name, data=b"", kind=tarfile.REGTYPE, target=""):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        self.entries.append([info, data])

    def write(self, path):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for info, data in self.entries:
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        path.write_bytes(_zstd(out.getvalue(), "-1"))
        return path


def build_of(server, path, model, **options):
    """The build of an archive as it ended, without the checks of the command line."""
    api = server.api()
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    upload = api.post("/uploads", {"sha256": sha256, "size": len(data), "import": True}).json()["id"]
    headers = {"Upload-Offset": "0", "Content-Type": "application/octet-stream"}
    api.call("PATCH", f"/uploads/{upload}", 200, data=data, headers=headers)
    body = {"upload": upload, "source_sha256": sha256, "import": True, **options}
    build = api.post(f"/models/lab/{model}/builds", body, 201).json()
    return ended(api, build)


def ended(api, build):
    def look():
        now = api.get(f"/builds/{build['id']}").json()
        return now if now["completed_at"] else None

    return wait_until(look, 120, f"the end of build {build['id']}")

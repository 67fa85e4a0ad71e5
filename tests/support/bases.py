"""A small base for images: the Python of the tests with pip and Cog, and a shell, without a network."""

import gzip
import hashlib
import importlib.metadata
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile

from registry import CONFIG, MANIFEST

GZIP_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
JUNK = {"test", "tests", "idlelib", "lib2to3", "tkinter", "turtledemo", "ensurepip", "__pycache__", "site-packages"}


def libraries_of(paths):
    """The shared objects that these need, with the loader."""
    listed = subprocess.run(["ldd", *map(str, paths)], capture_output=True, text=True).stdout
    found = re.findall(r"=> (/\S+) \(|^\s+(/\S+) \(", listed, re.MULTILINE)
    return {pathlib.Path(one or other) for one, other in found}


def closure(*names):
    """Distributions that these need, in the environment of the tests."""
    found, todo = {}, list(names)
    while todo:
        name = re.split(r"[^A-Za-z0-9._-]", todo.pop(), maxsplit=1)[0].lower().replace("_", "-")
        if name in found:
            continue
        try:
            found[name] = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # wanted for other platforms only
        todo += [line for line in found[name].requires or [] if "extra ==" not in line]
    return found.values()


class Layer:
    def __init__(self, path):
        self.plain = hashlib.sha256()
        self.file = gzip.open(path, "wb", compresslevel=1)
        self.tar = tarfile.open(fileobj=self, mode="w|")
        self.seen = set()

    def write(self, data):
        self.plain.update(data)
        return self.file.write(data)

    def add(self, path, name=None):
        """Links are followed: what they name may not be there."""
        name = str(name or path).lstrip("/")
        if name in self.seen:
            return
        self.seen.add(name)
        info = self.tar.gettarinfo(os.path.realpath(path), name)
        info.uid = info.gid = info.mtime = 0
        info.uname = info.gname = "root"
        info.type, info.linkname = tarfile.REGTYPE, ""
        info.size = os.path.getsize(path)
        with open(path, "rb") as content:
            self.tar.addfile(info, content)

    def special(self, name, kind, mode=0o755, target=""):
        info = tarfile.TarInfo(name)
        info.type, info.mode, info.linkname = kind, mode, target
        self.tar.addfile(info)

    def close(self):
        self.tar.close()
        self.file.close()


def add_python(layer):
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    prefix = pathlib.Path(sys.base_prefix)
    program = prefix / "bin" / version
    stdlib = prefix / "lib" / version
    layer.add(program)
    objects = {program}
    for folder, folders, files in os.walk(stdlib):
        folders[:] = [name for name in folders if name not in JUNK and not name.startswith("config-")]
        for name in files:
            path = pathlib.Path(folder) / name
            layer.add(path)
            if path.suffix == ".so":
                objects.add(path)
    site = stdlib / "site-packages"
    if not site.is_dir():  # Debian's own
        site = prefix / "local/lib" / version / "dist-packages"
    for distribution in closure("pip", "cog", "coglet"):
        for file in distribution.files or []:
            path = pathlib.Path(distribution.locate_file(file)).resolve()
            if path.is_file() and "__pycache__" not in file.parts and ".." not in file.parts:
                layer.add(path, site / file)
                if path.suffix == ".so":
                    objects.add(path)
    layer.special("usr/local/bin/python3", tarfile.SYMTYPE, target=str(program))
    return objects


def make_base(folder):
    """An image layout in `folder`."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    layer = Layer(folder / "layer")
    for name, mode in (("tmp", 0o1777), ("var/tmp", 0o1777), ("proc", 0o755), ("sys", 0o755), ("root", 0o700)):
        layer.special(name, tarfile.DIRTYPE, mode)
    objects = add_python(layer)
    tools = [pathlib.Path(f"/usr/bin/{name}") for name in ("dash", "cat", "ls", "sleep", "rm", "chmod", "dd", "id")]
    for tool in tools:
        layer.add(tool)
        objects.add(tool)
    layer.add("/usr/bin/dash", "/bin/sh")
    for library in libraries_of(objects):
        layer.add(library)
    layer.close()
    return finish(folder, layer, blobs)


def finish(folder, layer, blobs):
    def put(content):
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"digest": f"sha256:{digest}", "size": len(content)}

    path = folder / "layer"
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    size = path.stat().st_size
    path.rename(blobs / digest)
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "COLOR=green"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.plain.hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, **put(json.dumps(config).encode())},
        "layers": [{"mediaType": GZIP_LAYER, "digest": f"sha256:{digest}", "size": size}],
    }
    index = {"schemaVersion": 2, "manifests": [{"mediaType": MANIFEST, **put(json.dumps(manifest).encode())}]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return folder

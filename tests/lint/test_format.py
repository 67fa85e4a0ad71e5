"""C code is what clang-format makes of it; the settings are in .clang-format."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sources import ROOT, list_files

VERSION = "18.1.8"


def find_program():
    beside = Path(sys.executable).parent / "clang-format"
    return str(beside) if beside.exists() else shutil.which("clang-format")


@pytest.fixture(scope="session")
def program():
    found = find_program()
    if found is None:
        pytest.fail(f"clang-format {VERSION} is not installed")
    shown = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if VERSION not in shown:
        pytest.fail(f"{shown.strip()}: {VERSION} is needed, others format otherwise")
    return found


@pytest.mark.parametrize("folder", ["src", "tests"])
def test_format(program, folder):
    files = [str(name) for name in list_files(".c", ".h", under=folder)]
    done = subprocess.run(
        [program, "--dry-run", "-Werror", *files], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr

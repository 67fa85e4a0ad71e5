"""Each header compiles alone, twice in one file."""

import os
import pathlib
import shlex
import subprocess

import pytest
from sources import ROOT, list_files, read

BUILD = pathlib.Path(os.environ.get("VEND_TEST_BUILD", ROOT / "build-test"))
MODULES = "glib-2.0 gio-unix-2.0 jansson sqlite3 libpq libmicrohttpd gnutls libcurl libarchive libfyaml libcrypto"


@pytest.fixture(scope="session")
def compiler():
    if not (BUILD / "src/store/sql.h").exists() and not (BUILD / "src/sql.h").exists():
        pytest.fail(f"{BUILD} is not built: its generated headers are needed")
    flags = subprocess.run(
        ["pkg-config", "--cflags", *MODULES.split()], capture_output=True, text=True, check=True
    ).stdout
    folders = [ROOT / "src", BUILD / "src", BUILD / "src/store", ROOT / "tests/unit"]
    return [
        *["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Werror", "-fsyntax-only"],
        *[f"-I{folder}" for folder in folders],
        *shlex.split(flags),
        *["-x", "c", "-"],
    ]


@pytest.mark.parametrize("header", [str(name) for name in list_files(".h")])
def test_header_compiles_alone(compiler, header):
    if "#pragma once" not in read(header):
        pytest.fail("no '#pragma once'")
    line = f'#include "{ROOT / header}"\n'
    done = subprocess.run(compiler, input=line * 2, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

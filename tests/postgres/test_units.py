"""The C tests that open a store, with their databases on a PostgreSQL server."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("VEND_TEST_BUILD") or ROOT / "build-test")
LIST = (ROOT / "tests/unit/meson.build").read_text()
NAMES = re.findall(r"\['(\w+)', '([\w-]+)'\]", LIST[LIST.index("store_tests = [") : LIST.index("foreach t :")])


@pytest.mark.parametrize("folder,name", NAMES + [("sched", "core"), ("sched", "core-restart")])
def test_unit(folder, name):
    program = BUILD / "tests" / "unit" / f"test-{folder}-{name}"
    env = {**os.environ, "G_DEBUG": "fatal-criticals"}
    done = subprocess.run([program, "--tap"], env=env, cwd=BUILD, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert re.search(r"^ok ", done.stdout, re.M) and not re.search(r"^not ok", done.stdout, re.M), done.stdout

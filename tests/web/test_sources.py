"""The sources of the page: types, tests of its logic, and the description of the API that it was written for."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Where web/build.py has put the sources and the packages.
BUILT = pathlib.Path(os.environ.get("VEND_TEST_BUILD") or ROOT / "build-test") / "src" / "web" / "page"
NODE = os.environ.get("VEND_NODE") or shutil.which("node")
FIRST_LOAD_BYTES = 150 * 1024


def run(*words):
    done = subprocess.run([NODE, *words], cwd=BUILT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_types():
    run("node_modules/typescript/bin/tsc", "--noEmit")


def test_logic():
    run("node_modules/vitest/vitest.mjs", "run", "--passWithNoTests")


def test_the_description_of_the_api_is_current(server, tmp_path):
    """A reply that changes breaks the types of the page."""
    document = server.api().get("/openapi.json").json()
    del document["servers"]
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    made = tmp_path / "schema.d.ts"
    run("node_modules/openapi-typescript/bin/cli.js", str(tmp_path / "openapi.json"), "-o", str(made))
    assert made.read_text() == (ROOT / "web/src/api/schema.d.ts").read_text(), (
        "write it anew: npx openapi-typescript http://ADDRESS/openapi.json -o src/api/schema.d.ts"
    )


def test_the_first_load_is_small(server):
    """All that the front page asks for, compressed."""
    dist = BUILT / "dist"
    first = [path for path in dist.glob("assets/index-*") if path.suffix == ".gz"]
    first += [dist / "index.html.gz", dist / "theme.js"]
    first += [path for path in dist.glob("assets/explore-*") if path.suffix in (".js", ".css")]
    sizes = {path.name: path.stat().st_size for path in first}
    assert sum(sizes.values()) < FIRST_LOAD_BYTES, sizes


@pytest.mark.parametrize("name", ["index.html", "theme.js"])
def test_nothing_of_other_hosts(name):
    text = (BUILT / "dist" / name).read_text()
    assert "https://" not in text and "http://" not in text

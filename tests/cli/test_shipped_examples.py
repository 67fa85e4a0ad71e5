"""`vend examples`: the models that Vend ships."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from api_server import VERSION

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
COG = 'build:\n  python_version: "3.11"\nrun: "run.py:Runner"\n'


@pytest.fixture
def shelf(vend):
    """Two examples, one of which asks for something."""
    for name, card in (
        ("free", "description: takes all\nlicenses: {code: MIT, weights: Apache-2.0}\ndownload: 280 MB\n"),
        ("asks", "accept: Its weights are for research only.\n"),
    ):
        folder = vend.cwd / "shelf" / name
        folder.mkdir(parents=True)
        (folder / "cog.yaml").write_text(COG)
        (folder / "run.py").write_text("")
        (folder / "vend.yaml").write_text(card)
        (folder / "README.md").write_text(f"# {name}\n")
    (vend.cwd / "shelf" / "no-model").mkdir()
    return vend.cwd / "shelf"


def test_list(vend, server, shelf):
    lines = vend("examples", "list", "--dir", "shelf").stdout.splitlines()
    assert lines[0].split() == ["NAME", "CODE", "WEIGHTS", "DOWNLOAD", "ACCEPT", "DESCRIPTION"]
    assert lines[1].split() == ["asks", "-", "-", "-", "yes"]
    assert " ".join(lines[2].split()) == "free MIT Apache-2.0 280.0 MB no takes all"
    assert len(lines) == 3
    asks, free = json.loads(vend("examples", "--dir", "shelf", "--json").stdout)["results"]
    assert free == {
        "name": "free",
        "description": "takes all",
        "licenses": {"code": "MIT", "weights": "Apache-2.0"},
        "download": 280_000_000,
        "accept": None,
        "path": "shelf/free",
    }
    assert asks["accept"] == "Its weights are for research only." and asks["download"] is None
    assert server.requests == []


def test_list_warns_of_a_wrong_card(vend, shelf):
    (shelf / "free/vend.yaml").write_text("licence: MIT\n")
    done = vend("examples", "--dir", "shelf")
    assert done.returncode == 0 and "asks" in done.stdout
    assert "free: vend.yaml:1: licence: unknown key" in done.stderr
    assert vend("examples", "push", "free", "--dir", "shelf").returncode == 2


def test_show(vend, shelf):
    assert vend("examples", "show", "free", "--dir", "shelf").stdout == "# free\n"
    assert json.loads(vend("examples", "show", "free", "--dir", "shelf", "--json").stdout)["readme"] == "# free\n"
    (shelf / "free/README.md").unlink()
    assert vend("examples", "show", "free", "--dir", "shelf").returncode == 1


def test_the_examples_beside_the_program(vend):
    done = vend("examples", "show", "hello")
    assert done.stdout == (EXAMPLES / "hello/README.md").read_text()


def test_push(vend, server, shelf):
    done = vend("examples", "push", "--all", "--accept-license", "asks", "--dir", "shelf")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"lab/asks:{VERSION}\nlab/free:{VERSION}\n"
    assert server.models["lab/asks"]["visibility"] == "private"
    named = vend("examples", "push", "free", "free", "--dir", "shelf", "--public", "--smoke")
    assert named.stdout == f"lab/free:{VERSION}\n"
    assert server.find("POST", "/v1/models/lab/free/builds")[-1].json["smoke_start"] is True


@pytest.mark.parametrize(
    "words, told",
    [
        ([], "NAME…' or 'vend examples push --all'"),
        (["--all", "free"], "NAME…' or 'vend examples push --all'"),
        (["nope"], "expected one of: asks, free"),
        (["free", "--accept-license", "nope"], "--accept-license: there is no example 'nope'"),
        (["free", "asks"], "asks: Its weights are for research only. Accept with '--accept-license asks'"),
        (["--all"], "--accept-license asks"),
        (["free", "--public", "--private"], "exclude each other"),
    ],
)
def test_wrong_pushes(vend, server, shelf, words, told):
    done = vend("examples", "push", *words, "--dir", "shelf")
    assert done.returncode == 2 and told in done.stderr and done.stdout == "", done.stderr
    assert server.requests == []


def test_folders_without_examples(vend):
    done = vend("examples", "--dir", ".")
    assert done.returncode == 2 and "--dir" in done.stderr


def test_a_push_that_fails_names_its_example(vend, server, shelf):
    server.build_result = {"status": "failed", "version": None, "error": "no such package"}
    done = vend("examples", "push", "free", "--dir", "shelf")
    assert done.returncode == 1 and "free: the build failed: no such package" in done.stderr


def test_installed_examples_have_no_leftovers(tmp_path):
    source = tmp_path / "source"
    model = source / "model"
    for name in ("cog.yaml", "sub/weights.bin", ".dockerignore"):
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_text(name)
    for name in ("__pycache__/x.pyc", "sub/y.pyc", ".cog/openapi_schema.json", ".venv/bin/python", "notes~"):
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_text(name)
    (source / "tool").mkdir()
    (source / "tool" / "x").write_text("")
    script = source / "install.py"
    script.write_text((EXAMPLES / "install.py").read_text())
    target = tmp_path / "prefix/share/vend/examples"
    (target / "model").mkdir(parents=True)
    (target / "model" / "old").write_text("")
    env = {**os.environ, "MESON_INSTALL_DESTDIR_PREFIX": str(tmp_path / "prefix")}
    subprocess.run([sys.executable, script, "share/vend/examples"], env=env, check=True, stdout=subprocess.DEVNULL)
    found = sorted(str(p.relative_to(target)) for p in target.rglob("*") if p.is_file())
    assert found == ["model/.dockerignore", "model/cog.yaml", "model/sub/weights.bin"]

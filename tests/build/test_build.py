"""Builds, end to end: what a good project becomes, and what a wrong one is told."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from builder_client import HELLO, Build, wait_until


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("builds")


@pytest.fixture
def build(place, request):
    made = []

    def start(files, **options):
        name = f"{request.node.name}-{len(made)}"
        one = Build(options.pop("place", place), files, name, **options)
        made.append(one)
        return one

    yield start
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()


def with_yaml(text):
    return HELLO | {"cog.yaml": text}


def test_hello_and_its_reuse(build, place):
    first = build(HELLO, smoke_start=True)
    result = first.wait_good()
    assert set(result) == {"version_id", "manifest", "openapi", "launch", "card"}
    assert len(result["version_id"]) == 64
    launch = result["launch"]
    assert launch["predict"] == "predict.py:Predictor"
    assert launch["train"] is None and launch["concurrency"] == 1 and launch["env"] == {}
    assert launch["python_version"].startswith("3.11.")
    content = result["manifest"]["content"]
    assert "six==1.16.0" in content["packages"] and "cog==0.23.1" in content["packages"]
    assert "coglet==0.23.1" in content["packages"]
    assert "six==1.16.0" in result["manifest"]["facts"]["pip_freeze"]

    assert sorted(p.name for p in first.staging.iterdir()) == ["source.list", "src", "version.json"]
    assert json.loads((first.staging / "version.json").read_text())["id"] == result["version_id"]
    shown = json.loads((first.staging / "src/.cog/openapi_schema.json").read_text())
    assert shown["paths"]["/predictions"]["post"].pop("x-cog-streaming") is True
    assert shown == result["openapi"]
    for title in ("Unpacking", "Reading cog.yaml", "Resolving", "Installing", "Starting the model"):
        assert f"==> {title}" in first.log

    second = build(HELLO)
    again = second.wait_good()
    assert again["version_id"] == result["version_id"]
    assert again["launch"]["venv"] == launch["venv"]
    assert "using the existing environment" in second.log
    python = place / "venvs" / launch["venv"] / "bin/python"
    code = "import six, cog; print(six.__version__)"
    assert subprocess.check_output([python, "-c", code], text=True).strip() == "1.16.0"

    other = build(HELLO | {"note.txt": "more"}).wait_good()
    assert other["version_id"] != result["version_id"]
    assert other["launch"]["venv"] == launch["venv"]


def test_two_at_once_make_one_environment(build, tmp_path):
    files = HELLO | {"requirements.txt": "cog\nsix==1.15.0\n"}
    files["cog.yaml"] = "build:\n  python_requirements: requirements.txt\npredict: predict.py:Predictor\n"
    both = [build(files, place=tmp_path), build(files, place=tmp_path)]
    results = [one.wait_good() for one in both]
    assert results[0]["version_id"] == results[1]["version_id"]
    assert sum("using the existing environment" in one.log for one in both) == 1
    assert "'cog' is left out" in both[0].log


def test_a_missing_system_package_is_named(build):
    yaml = "build:\n  system_packages: [bash, no-such-package-a, no-such-package-b]\npredict: predict.py:Predictor\n"
    error = build(with_yaml(yaml)).wait_failed()
    assert "sudo apt-get install -y no-such-package-a no-such-package-b" in error["message"]
    assert " bash" not in error["message"]


def test_requirements_that_contradict(build):
    yaml = "build:\n  python_packages: [six==1.16.0, six==1.15.0]\npredict: predict.py:Predictor\n"
    one = build(with_yaml(yaml))
    assert "uv pip compile exited with status 1" in one.wait_failed()["message"]
    assert "six==1.15.0" in one.log and "unsatisfiable" in one.log


def test_all_mistakes_of_cog_yaml_are_shown(build):
    yaml = "build:\n  gpu: maybe\n  python_version: [3]\n  nonsense: 1\npredict: predict.py:Predictor\n"
    one = build(with_yaml(yaml))
    lines = one.wait_failed()["message"].split("\n")
    assert any("cog.yaml:2:" in line for line in lines)
    assert any("cog.yaml:3:" in line for line in lines)
    for line in lines:
        assert f"error: {line}\n" in one.log


def test_a_source_without_a_schema(build):
    source = HELLO["predict.py"].replace("name: str = Input", "name: frozenset = Input")
    one = build(HELLO | {"predict.py": source})
    error = one.wait_failed()
    assert error["message"].startswith("predict.py:5: 'frozenset'")
    assert f"error: {error['message']}\n" in one.log
    assert not (one.staging / "version.json").exists()


def test_commands_need_leave(build):
    yaml = "build:\n  run:\n    - echo made > made.txt && python -c 'import cog; print(cog.__name__)'\npredict: predict.py:Predictor\n"
    error = build(with_yaml(yaml)).wait_failed()
    assert "--allow-build-run" in error["message"]
    one = build(with_yaml(yaml), allow_build_run=True)
    one.wait_good()
    assert (one.staging / "src/made.txt").read_text() == "made\n"
    assert "\ncog\n" in one.log


def test_a_model_that_does_not_start(build):
    source = HELLO["predict.py"] + "\n    def setup(self) -> None:\n        raise RuntimeError('no weights')\n"
    one = build(HELLO | {"predict.py": source}, smoke_start=True)
    assert "did not start" in one.wait_failed()["message"]
    assert "no weights" in one.log


def test_an_evil_archive(build):
    error = build(HELLO | {"../evil.txt": "x"}).wait_failed()
    assert "'../evil.txt'" in error["message"]


def test_local_packages(build):
    files = HELLO | {
        "lib/setup.py": "from setuptools import setup\nsetup(name='vend-local', version='1', py_modules=['vend_local'])\n",
        "lib/vend_local.py": "x = 1\n",
        "requirements.txt": "-e ./lib\n",
        "cog.yaml": "build:\n  python_requirements: requirements.txt\npredict: predict.py:Predictor\n",
    }
    first, second = build(files).wait_good(), build(files).wait_good()
    assert first["version_id"] == second["version_id"]
    assert first["launch"]["venv"] == second["launch"]["venv"]
    other = build(files | {"lib/vend_local.py": "x = 2\n"}).wait_good()
    assert other["launch"]["venv"] != first["launch"]["venv"]


@pytest.mark.parametrize("marker", ["pyvenv.cfg", "lib/python3.11/site-packages/six.py"], ids=["venv", "install"])
def test_killed_in_the_middle_then_again(build, tmp_path, marker):
    venvs = tmp_path / "venvs"
    one = build(HELLO, place=tmp_path)
    wait_until(lambda: list(venvs.glob(f"*/{marker}")) or one.process.poll() is not None, marker)
    one.process.kill()
    one.process.wait()
    assert not one.result_path.exists()
    assert not list(venvs.glob("*/.complete"))
    again = build(HELLO, place=tmp_path)
    result = again.wait_good()
    python = venvs / result["launch"]["venv"] / "bin/python"
    assert (python.parent.parent / ".complete").exists()
    subprocess.check_call([python, "-c", "import six, cog, coglet"])


def path_without_uv(folder):
    """A PATH with what a build needs but uv."""
    folder.mkdir()
    python = subprocess.check_output(["python3.11", "-c", "import sys; print(sys._base_executable)"], text=True)
    (folder / "python3").symlink_to(python.strip())
    return f"{folder}:/usr/bin:/bin"


def test_without_uv(build, tmp_path):
    path = path_without_uv(tmp_path / "bin")
    if any((Path(d) / "uv").exists() for d in path.split(os.pathsep)):
        pytest.skip("uv is a system package here")
    one = build(HELLO, place=tmp_path, env={"PATH": path})
    result = one.wait_good()
    assert "uv is not installed" in one.log
    assert "six==1.16.0" in result["manifest"]["content"]["packages"]

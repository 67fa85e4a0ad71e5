"""What every example has beside its code."""

import ast
import pathlib

import pytest
import yaml
from PIL import Image

from shelf import EXAMPLES

NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/cog.yaml"))
TESTS = pathlib.Path(__file__).resolve().parents[1]
KEYS = {"description", "license_url", "github_url", "cover", "licenses", "download", "accept", "examples", "openai"}
COVER_BYTES = 150_000
SAMPLE_BYTES = 200_000


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_explained(name):
    text = (EXAMPLES / name / "README.md").read_text()
    assert text.startswith(f"# {name}\n")
    assert f"vend push examples/{name} you/{name}" in text
    assert f"[{name}](examples/{name}/)" in (TESTS.parent / "README.md").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_tested(name):
    tests = [path.read_text() for path in TESTS.glob("*/test_*.py") if path != pathlib.Path(__file__).resolve()]
    assert any(f'"{name}"' in text for text in tests)


def files_in(value):
    """A text that begins with @ is a file of the project."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [path for part in value for path in files_in(part)]
    return [value[1:]] if isinstance(value, str) and value.startswith("@") else []


def inputs_of(name):
    for node in ast.walk(ast.parse((EXAMPLES / name / "predict.py").read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == "run":
            return {argument.arg for argument in node.args.args} - {"self"}
    raise AssertionError(f"{name} has no run()")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_on_the_shelf_is_there_and_small(name):
    shown = yaml.safe_load((EXAMPLES / name / "vend.yaml").read_text())
    assert set(shown) <= KEYS
    assert shown["description"] and shown["licenses"]["code"] and shown["examples"]
    for path in files_in(shown["examples"]):
        assert (EXAMPLES / name / path).stat().st_size <= SAMPLE_BYTES, path
    if "cover" in shown:
        cover = EXAMPLES / name / shown["cover"]
        assert cover.stat().st_size <= COVER_BYTES
        with Image.open(cover) as picture:
            assert picture.width >= 256


@pytest.mark.parametrize("name", NAMES)
def test_saved_runs_fit_the_model(name):
    for run in yaml.safe_load((EXAMPLES / name / "vend.yaml").read_text())["examples"]:
        assert set(run) == {"input", "output", "metrics"}
        assert set(run["input"]) <= inputs_of(name)
        assert run["metrics"]["predict_time"] > 0


@pytest.mark.parametrize("name", [name for name in NAMES if "seed" in inputs_of(name)])
def test_an_example_with_a_seed_is_run_twice(name):
    page = f"test_{name.replace('-', '_')}.py"
    text = next(path.read_text() for path in TESTS.glob(f"*/{page}"))
    assert "def test_the_same_seed_" in text


@pytest.mark.parametrize("name", NAMES)
def test_requirements_are_pinned(name):
    for line in (EXAMPLES / name / "requirements.txt").read_text().splitlines():
        assert not line or line.startswith(("#", "./")) or "==" in line, line

"""What a model computes when it is imported: the program with a real cog beside it."""
from __future__ import annotations

import json
import os
import subprocess
import sys
import zipapp
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parent.parent.parent / "src" / "build" / "schema"
# The source does not tell what computed() returns.
COMPUTED = "def computed(value):\n    for item in [value]:\n        return item\n"
HEAD = "import os\nfrom cog import BaseRunner, BaseModel, Input, Path, ConcatenateIterator\n" + COMPUTED


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program") / "schema.pyz"
    zipapp.create_archive(PROGRAM, path)
    return path


class Project:
    def __init__(self, root: Path, program: Path) -> None:
        self.root, self.program = root, program
        self.arguments = ["--predict", "run.py:Runner"]

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-s", str(self.program), *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, **(env or {})},
        )
        assert done.stdout, done.stderr
        reply: dict[str, Any] = json.loads(done.stdout)
        return reply

    def static(self) -> dict[str, Any]:
        return self.run(str(self.root), *self.arguments)

    def imported(self, env: dict[str, str] | None = None) -> dict[str, Any]:
        return self.run("--import", str(self.root), *self.arguments, env=env)

    def both(self, env: dict[str, str] | None = None) -> dict[str, Any]:
        """As the builder asks: the import counts only when the source leaves something open."""
        static = self.static()
        assert static.get("computed"), static
        answer = self.imported(env)
        assert "failed" not in answer, answer
        path = self.root.parent / "imported.json"
        path.write_text(json.dumps(answer))
        return self.run(str(self.root), *self.arguments, "--imported", str(path))


@pytest.fixture
def project(tmp_path: Path, program: Path) -> Project:
    root = tmp_path / "project"
    root.mkdir()
    return Project(root, program)


def schemas(reply: dict[str, Any]) -> dict[str, Any]:
    assert "errors" not in reply, reply
    found: dict[str, Any] = reply["openapi"]["components"]["schemas"]
    return found


def runner(signature: str, returns: str = "str", before: str = "") -> str:
    return f"{HEAD}{before}\nclass Runner(BaseRunner):\n    def run(self, {signature}) -> {returns}:\n        return ''\n"


@pytest.mark.parametrize(
    ("before", "choices"),
    [
        ("def found():\n    return sorted(['b', 'a'])\n", "found()"),
        ("S = {}\nfor n in ('a', 'b'):\n    S[n] = n\n", "list(S.keys())"),
        ("import library\n", "library.NAMES"),
        ("import string\n", "list(string.ascii_lowercase[:2])"),
        ("import enum\nE = enum.Enum('E', {'x': 'a', 'y': 'b'})\n", "[e.value for e in E]"),
        ("class S:\n    names = property(lambda self: ('a', 'b'))\n", "S().names"),
        ("", "[n for n in os.environ['NAMES'].split(',')]"),
    ],
    ids="function loop library standard enum object environment".split(),
)
def test_choices(project: Project, before: str, choices: str) -> None:
    project.write({"run.py": runner(f"kind: str = Input(choices={choices}, default='a')", before=before)})
    # A package that is installed is not in the project.
    library = project.root.parent / "library"
    library.mkdir()
    (library / "library.py").write_text("NAMES = ['a', 'b']\n")
    reply = project.both({"NAMES": "a,b", "PYTHONPATH": str(library)})
    assert schemas(reply)["kind"]["enum"] == ["a", "b"]
    assert schemas(reply)["Input"]["properties"]["kind"]["default"] == "a"


def test_the_rest_stays_as_the_source_says(project: Project) -> None:
    """All of a signature, once written out and once with one computed value: the same document."""
    text = (
        "prompt: str = Input(description='what'), image: Path = Input(description='from'), "
        "other: Path = Input(default=None), steps: int = Input(default=%s, ge=1, le=50), "
        "scale: float = Input(default=7.5, ge=0, le=20), on: bool = Input(default=True), "
        "seed: int | None = Input(default=None), names: list[str] = Input(default=['a']), "
        "plain: str = 'x', size: int = Input(choices=[1, 2], default=1), "
        "word: str = Input(min_length=1, max_length=9, regex='^a', deprecated=True), "
        "file: Path = Input(accept='image/*')"
    )
    model = "class Item(BaseModel):\n    name: str\n    parts: list[str]\n    score: float | None = None\n"
    project.write({"run.py": runner(text % "20", "list[Item]", model)})
    static = project.static()
    assert "computed" not in static, static
    project.write({"run.py": runner(text % "computed(20)", "list[Item]", model)})
    computed = project.both()
    assert computed["openapi"] == static["openapi"]
    assert (computed["async"], computed["streaming"]) == (static["async"], static["streaming"])


@pytest.mark.parametrize("returns", ["ConcatenateIterator[str]", "dict", "'Path'", "list[Path]", "dict[str, int]"])
def test_outputs_are_the_same(project: Project, returns: str) -> None:
    project.write({"run.py": runner("n: int = 1", returns)})
    static = project.static()
    project.write({"run.py": runner("n: int = computed(1)", returns)})
    assert project.both()["openapi"] == static["openapi"]


def test_a_streaming_coroutine(project: Project) -> None:
    text = (
        "from typing import AsyncIterator\nfrom cog import Input, concurrent, streaming\n" + COMPUTED +
        "class Runner:\n    @streaming\n    @concurrent(max=computed(4))\n"
        "    async def run(self, text: str) -> AsyncIterator[str]:\n        yield text\n"
    )
    project.write({"run.py": text})
    reply = project.both()
    assert (reply["async"], reply["streaming"], reply["concurrency"]) == (True, True, 4)
    assert schemas(reply)["Input"]["required"] == ["text"]


@pytest.mark.parametrize(
    "text",
    [
        "from library import Base\nclass Runner(Base):\n    pass\n",
        "from library import Base as Runner\n",
        "import library\nRunner = library.make()\n",
        "import os\nfrom library import Base\nif os.name:\n    class Runner(Base):\n        pass\n",
        "from library import *\nRunner = Base\n",
    ],
    ids="subclass import made conditional star".split(),
)
def test_a_model_of_a_library(project: Project, text: str) -> None:
    library = project.root.parent / "library"
    library.mkdir()
    (library / "library.py").write_text(
        "from cog import BaseRunner, Input\nclass Base(BaseRunner):\n"
        "    def run(self, a: str, b: int = Input(default=2, le=9)) -> str:\n        return a\n"
        "def make():\n    return Base\n"
    )
    project.write({"run.py": text})
    found = schemas(project.both({"PYTHONPATH": str(library)}))["Input"]
    assert found["required"] == ["a"] and found["properties"]["b"]["maximum"] == 9


def test_types_of_a_library(project: Project) -> None:
    library = project.root.parent / "library"
    library.mkdir()
    (library / "library.py").write_text(
        "from enum import Enum\nfrom dataclasses import dataclass\n"
        "class Size(str, Enum):\n    small = 's'\n    large = 'l'\n"
        "@dataclass\nclass Row:\n    name: str\n    size: Size\n"
    )
    project.write({"run.py": "from library import Row, Size\n" + runner("size: Size = 's'", "Row")})
    found = schemas(project.both({"PYTHONPATH": str(library)}))
    assert found["size"]["enum"] == ["s", "l"]
    assert set(found["Output"]["properties"]) == {"name", "size"}


def test_training_beside_running(project: Project) -> None:
    project.arguments += ["--train", "run.py:train"]
    text = runner("n: int = computed(3)") + "\ndef train(steps: int = computed(4)) -> str:\n    return ''\n"
    project.write({"run.py": text})
    found = schemas(project.both())
    assert found["Input"]["properties"]["n"]["default"] == 3
    assert found["TrainingInput"]["properties"]["steps"]["default"] == 4


def test_sets_are_the_same_each_time(project: Project) -> None:
    before = "def found():\n    return {str(n) for n in range(50)}\n"
    project.write({"run.py": runner("kind: str = Input(choices=found(), default='1')", before=before)})
    first = project.both({"PYTHONHASHSEED": "1"})
    assert first == project.both({"PYTHONHASHSEED": "2"})


def test_what_a_model_prints_is_no_answer(project: Project) -> None:
    before = "import subprocess\nprint('{}')\nsubprocess.run(['echo', '{}'])\nos.write(1, b'{}')\n"
    project.write({"run.py": runner("n: int = computed(3)", before=before)})
    assert schemas(project.both())["Input"]["properties"]["n"]["default"] == 3


def test_modules_with_the_names_of_ours(project: Project) -> None:
    names = ("importing", "rendering", "names", "inputs", "errors")
    project.write({f"{name}.py": "value = 3\n" for name in names})
    before = f"import {', '.join(names)}\n"
    total = " + ".join(f"{name}.value" for name in names)
    project.write({"run.py": runner(f"n: int = computed({total})", before=before)})
    assert schemas(project.both())["Input"]["properties"]["n"]["default"] == 15


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ("import no_such_library\n", "No module named 'no_such_library'"),
        ("raise RuntimeError('no weights')\n", "RuntimeError: no weights"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3"),
    ],
    ids="module error exit".split(),
)
def test_an_import_that_fails(project: Project, before: str, told: str) -> None:
    project.write({"run.py": runner("kind: str = Input(choices=os.listdir())", before=before)})
    assert told in project.imported()["failed"]
    computed = project.static()["computed"]
    assert computed[0]["what"] == "the choices 'os.listdir()' of 'kind' are"
    assert computed[0]["file"] == "run.py" and computed[0]["line"] > 0


def test_mistakes_are_told_without_an_import(project: Project) -> None:
    project.write({"run.py": runner("a: frozenset, kind: str = Input(choices=os.listdir())")})
    reply = project.static()
    assert "computed" not in reply and len(reply["errors"]) == 2


def test_what_no_json_can_hold(project: Project) -> None:
    project.write({"run.py": runner("a: str = Input(default=object()), b: int = Input(default=computed(2))")})
    found = schemas(project.both())["Input"]["properties"]
    assert "default" not in found["a"] and found["b"]["default"] == 2

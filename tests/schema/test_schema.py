"""The static schema program against the stored answers of Cog's generator, and its own limits."""
from __future__ import annotations

import json
import os
import subprocess
import sys
import zipapp
from pathlib import Path
from typing import Any

import pytest

from differences import (
    DIFFERENCES,
    EXTRA_WARNINGS,
    ROWS,
    Accept,
    ByVersion,
    Refuse,
    SameAs,
)

HERE = Path(__file__).parent
PROGRAM = HERE.parent.parent / "src" / "build" / "schema"
PYTHON = os.environ.get("SCHEMA_PYTHON", sys.executable)
FIXTURE = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in FIXTURE["cases"]}
OWN_PATHS = {"/", "/health-check"}

# Runs many projects in one interpreter: starting one for each would take half a minute.
MANY = """
import json, sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from generate import generate
replies = [generate(*arguments) for arguments in json.load(sys.stdin)]
json.dump({"replies": replies, "version": sys.version_info[:2]}, sys.stdout)
"""

PLAIN = "class Runner:\n    def run(self, n: int = 1) -> str:\n        return ''\n"


def write_files(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))


@pytest.fixture(scope="session")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("cases")
    arguments = []
    for name, case in CASES.items():
        write_files(root / name, case["files"])
        arguments.append([str(root / name), case.get("predict"), case.get("train")])
    done = subprocess.run(
        [PYTHON, "-I", "-c", MANY, str(PROGRAM)],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout)
    return {"version": tuple(result["version"]), **dict(zip(CASES, result["replies"]))}


def comparable(value: Any) -> Any:
    """JSON with `required` as a set: sorted."""
    if isinstance(value, dict):
        return {
            key: sorted(item) if key == "required" and isinstance(item, list) else comparable(item)
            for key, item in value.items()
        }
    return [comparable(item) for item in value] if isinstance(value, list) else value


def own_schemas(reply: dict[str, Any]) -> dict[str, Any]:
    schemas = reply["openapi"]["components"]["schemas"]
    return {key: value for key, value in schemas.items() if key not in FIXTURE["fixed_schemas"]}


def assert_sentences(problems: list[dict[str, Any]]) -> None:
    for problem in problems:
        assert set(problem) == {"kind", "file", "line", "message"}
        assert len(problem["message"]) > 20
        assert ";" in problem["message"] or "write" in problem["message"]


def assert_order(schemas: dict[str, Any]) -> None:
    for name in ("Input", "TrainingInput"):
        properties = schemas.get(name, {}).get("properties", {})
        orders = [item["x-order"] for item in properties.values()]
        assert orders == sorted(orders)


def assert_messages(reply: dict[str, Any], parts: list[str]) -> None:
    messages = [warning["message"] for warning in reply["warnings"]]
    assert len(messages) == len(parts), messages
    for message, part in zip(messages, parts):
        assert part in message


def assert_as_generated(case: dict[str, Any], reply: dict[str, Any], warnings: list[str]) -> None:
    if "error" in case:
        kinds = [problem["kind"] for problem in reply["errors"]]
        assert kinds == [case["error"]["kind"]], reply
        assert_sentences(reply["errors"])
        return
    expect = case["expect"]
    assert "errors" not in reply, reply
    assert "document_invalid" not in expect
    schemas = own_schemas(reply)
    assert comparable(schemas) == comparable(expect["schemas"])
    assert_order(schemas)
    paths = reply["openapi"]["paths"]
    assert sorted(set(paths) - OWN_PATHS) == sorted(expect["paths"])
    streaming = paths.get("/predictions", {}).get("post", {}).get("x-cog-streaming", False)
    assert streaming == expect.get("streaming", False) == reply["streaming"]
    assert reply["async"] == expect.get("async", False)
    assert reply["concurrency"] == expect.get("concurrency")
    assert_messages(reply, expect.get("warnings", []) + warnings)


def assert_difference(difference: Accept | Refuse, reply: dict[str, Any]) -> None:
    if isinstance(difference, Refuse):
        assert "errors" in reply, reply
        assert {problem["kind"] for problem in reply["errors"]} == {difference.kind}
        assert reply["errors"][0]["line"] == difference.line
        for part in difference.parts:
            assert part in reply["errors"][0]["message"]
        assert_sentences(reply["errors"])
        return
    assert "errors" not in reply, reply
    schemas = own_schemas(reply)
    assert comparable(schemas) == comparable(difference.schemas)
    assert_order(schemas)
    assert_messages(reply, list(difference.warnings))
    assert reply["async"] == difference.is_async
    assert (reply["streaming"], reply["concurrency"]) == (False, None)


@pytest.mark.parametrize("name", list(CASES))
def test_case(name: str, answers: dict[str, Any]) -> None:
    difference = DIFFERENCES.get(name)
    if isinstance(difference, ByVersion):
        difference = difference.before if answers["version"] < (3, 12) else difference.since
    if isinstance(difference, SameAs):
        assert CASES[name]["vend_same_as"] == difference.case
        assert_as_generated(CASES[difference.case], answers[name], [])
    elif difference is not None:
        assert_difference(difference, answers[name])
    else:
        assert_as_generated(CASES[name], answers[name], list(EXTRA_WARNINGS.get(name, ())))


@pytest.mark.parametrize("name", list(DIFFERENCES))
def test_difference_is_one(name: str, answers: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, KeyError)):
        assert_as_generated(CASES[name], answers[name], [])


def test_differences_are_complete() -> None:
    assert set(DIFFERENCES) <= set(CASES)
    assert set(EXTRA_WARNINGS) <= set(CASES) - set(DIFFERENCES)
    assert {difference.row for difference in DIFFERENCES.values()} == set(ROWS)
    same_as = {name for name, case in CASES.items() if "vend_same_as" in case}
    assert same_as == {name for name, d in DIFFERENCES.items() if isinstance(d, SameAs)}


def run_program(
    root: Path, *arguments: str, program: Path = PROGRAM
) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [PYTHON, "-I", str(program), str(root), *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    assert done.stderr == "" or done.returncode == 2, done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else {}


def refuse(root: Path, *arguments: str) -> dict[str, Any]:
    """The first error of a project that is refused."""
    code, reply = run_program(root, *(arguments or ("--predict", "run.py:Runner")))
    assert code == 1 and set(reply) - {"computed"} == {"errors"}
    assert_sentences(reply["errors"])
    return reply["errors"][0]


def accept(root: Path, *arguments: str) -> dict[str, Any]:
    code, reply = run_program(root, *(arguments or ("--predict", "run.py:Runner")))
    assert code == 0, reply
    return reply


def method(parameters: str, before: str = "", returned: str = "str") -> str:
    return (
        "from enum import Enum\nfrom typing import Annotated, ClassVar, Generic, Literal, Optional,"
        f" TypeVar\nfrom cog import BaseModel, BaseRunner, Input, Path\n{before}\n"
        "class Runner(BaseRunner):\n"
        f"    def run(self, {parameters}) -> {returned}:\n        ...\n"
    )


def input_of(root: Path, source: str) -> dict[str, Any]:
    write_files(root, {"run.py": source})
    return accept(root)["openapi"]["components"]["schemas"]["Input"]


def output_of(root: Path, source: str) -> dict[str, Any]:
    write_files(root, {"run.py": source})
    return accept(root)["openapi"]["components"]["schemas"]["Output"]


@pytest.mark.parametrize("role", ["predict", "train"])
def test_whole_document(tmp_path: Path, role: str) -> None:
    write_files(tmp_path, {"run.py": "def go() -> str:\n    return ''\n"})
    reply = accept(tmp_path, f"--{role}", "run.py:go")
    assert comparable(reply["openapi"]) == comparable(FIXTURE["whole_document_example"][role])


def test_both_roles_hold_all_fixed_schemas(tmp_path: Path) -> None:
    write_files(tmp_path, {"run.py": "def go() -> str:\n    return ''\n"})
    reply = accept(tmp_path, "--predict", "run.py:go", "--train", "run.py:go")
    schemas = reply["openapi"]["components"]["schemas"]
    for role in ("predict", "train"):
        example = FIXTURE["whole_document_example"][role]["components"]["schemas"]
        for name, schema in example.items():
            assert comparable(schemas[name]) == comparable(schema)


def test_runs_as_zip(tmp_path: Path) -> None:
    write_files(tmp_path / "model", {"run.py": PLAIN})
    archive = tmp_path / "schema.pyz"
    zipapp.create_archive(PROGRAM, archive, filter=lambda path: path.suffix == ".py")
    arguments = ("--predict", "run.py:Runner")
    from_zip = run_program(tmp_path / "model", *arguments, program=archive)
    assert from_zip == run_program(tmp_path / "model", *arguments)
    assert from_zip[0] == 0


def test_leaves_no_files(tmp_path: Path) -> None:
    write_files(tmp_path, {"run.py": PLAIN, ".cog/openapi_schema.json": "not json"})
    before = sorted(path.name for path in PROGRAM.iterdir())
    assert accept(tmp_path)["async"] is False
    assert sorted(path.name for path in PROGRAM.iterdir()) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".cog", "run.py"]


def test_never_runs_the_source(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    source = f"open({str(marker)!r}, 'w')\n{PLAIN}"
    write_files(tmp_path, {"run.py": source, "json.py": source, "argparse.py": source})
    accept(tmp_path)
    assert not marker.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--bogus"],
        ["--predict"],
        ["--concurrency", "x", "--predict", "run.py:Runner"],
        ["--concurrency", "0", "--predict", "run.py:Runner"],
        ["extra", "--predict", "run.py:Runner"],
    ],
)
def test_bad_usage(tmp_path: Path, arguments: list[str]) -> None:
    write_files(tmp_path, {"run.py": PLAIN})
    assert run_program(tmp_path, *arguments) == (2, {})
    assert run_program(tmp_path / "none", "--predict", "run.py:Runner") == (2, {})


def test_concurrency_argument(tmp_path: Path) -> None:
    write_files(tmp_path, {"run.py": PLAIN, "fast.py": PLAIN.replace("def", "async def")})
    assert accept(tmp_path, "--predict", "fast.py:Runner", "--concurrency", "5")["concurrency"] == 5
    assert accept(tmp_path, "--predict", "run.py:Runner", "--concurrency", "1")["concurrency"] == 1
    problem = refuse(tmp_path, "--predict", "run.py:Runner", "--concurrency", "5")
    assert problem["file"] == "cog.yaml" and "async def" in problem["message"]


def test_reference_in_subdirectory(tmp_path: Path) -> None:
    source = "from lib.types import Out\nclass Predictor:\n    def run(self) -> Out:\n        ...\n"
    types = "from cog import BaseModel\n\n\nclass Out(BaseModel):\n    a: int\n"
    write_files(tmp_path, {"src/predict.py": source, "lib/types.py": types})
    reply = accept(tmp_path, "--predict", "src/predict.py:Predictor")
    output = reply["openapi"]["components"]["schemas"]["Output"]
    assert output["properties"] == {"a": {"type": "integer", "title": "A"}}


def test_reports_many_errors_at_once(tmp_path: Path) -> None:
    source = method(
        "a: bytes, b: str = Input(choices=NOPE), c: int = Input(default='x'), *d",
        returned="Optional[str]",
    )
    write_files(tmp_path, {"run.py": source})
    code, reply = run_program(tmp_path, "--predict", "run.py:Runner", "--train", "gone.py:train")
    assert code == 1
    assert sorted(problem["kind"] for problem in reply["errors"]) == [
        "choices_not_resolvable",
        "document_invalid",
        "file_or_usage",
        "optional_output",
        "parse",
        "unsupported_type",
    ]
    assert {problem["line"] for problem in reply["errors"]} == {0, 6}


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0",
        b"class Runner:\n    x = '\xff'\n",
        b"# coding: no-such-codec\nx = 1\n",
        b"def f(:\n",
        b"return 1\n",
        b"x = (((((\n",
    ],
)
def test_broken_source(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "run.py").write_bytes(data)
    problem = refuse(tmp_path)
    assert problem["kind"] == "parse" and problem["file"] == "run.py"


def test_broken_imported_module(tmp_path: Path) -> None:
    source = "from parts import Out\n\n\nclass Runner:\n    def run(self) -> Out:\n        ...\n"
    write_files(tmp_path, {"run.py": source, "parts.py": "x = 1\nclass Out(:\n"})
    problem = refuse(tmp_path)
    assert (problem["kind"], problem["file"], problem["line"]) == ("parse", "parts.py", 2)


def test_file_size_limit(tmp_path: Path) -> None:
    padding = "#" * (4 * 1024 * 1024 - len(PLAIN))
    write_files(tmp_path, {"run.py": PLAIN + padding})
    accept(tmp_path)
    write_files(tmp_path, {"run.py": PLAIN + padding + "#"})
    problem = refuse(tmp_path)
    assert problem["kind"] == "file_or_usage" and "4 MiB" in problem["message"]


def test_symlink_out_of_the_project(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    root = tmp_path / "model"
    importing = "from parts.types import Out\nclass Runner:\n    def run(self) -> Out: ...\n"
    types = "from cog import BaseModel\nclass Out(BaseModel):\n    secret: str\n"
    write_files(outside, {"run.py": PLAIN, "types.py": types})
    write_files(root, {"use.py": importing})
    (root / "run.py").symlink_to(outside / "run.py")
    (root / "parts").symlink_to(outside)
    problem = refuse(root)
    assert problem["kind"] == "file_or_usage" and "outside the project" in problem["message"]
    problem = refuse(root, "--predict", "use.py:Runner")
    assert "secret" not in json.dumps(problem) and "outside the project" in problem["message"]
    problem = refuse(root, "--predict", "parts/run.py:Runner")
    assert "outside the project" in problem["message"]


def test_symlink_inside_the_project(tmp_path: Path) -> None:
    write_files(tmp_path, {"src/real.py": PLAIN})
    (tmp_path / "run.py").symlink_to("src/real.py")
    accept(tmp_path)


def test_special_files_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "run.py")
    assert refuse(tmp_path)["kind"] == "file_or_usage"
    (tmp_path / "loop.py").symlink_to("loop.py")
    assert refuse(tmp_path, "--predict", "loop.py:Runner")["kind"] == "file_or_usage"


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "-" * 100_000 + "1\n",
        "x = " + "+".join(["1"] * 50_000) + "\n",
        "x = a" + ".b" * 50_000 + "\n",
        "x = " + "(" * 50_000 + "\n",
        method("a: " + "list[" * 150 + "int" + "]" * 150),
        method("a: " + "Optional[" * 60 + "int" + "]" * 60),
        method("a: Annotated"),
        method("a: int", returned="Annotated"),
        "from run import staticmethod\n"
        "class Runner:\n    @staticmethod\n    def run(a) -> str: ...\n",
        method("a: A", "A = B\nB = A"),
        method("a: A", "A = list[A]"),
        method("a: int", "class A(B): pass\nclass B(A): pass", returned="A"),
    ],
)
def test_deep_nesting_and_cycles(tmp_path: Path, source: str) -> None:
    write_files(tmp_path, {"run.py": source})
    kind = refuse(tmp_path)["kind"]
    assert kind in ("too_complex", "parse", "unsupported_type", "unresolvable_type")


def test_import_cycle(tmp_path: Path) -> None:
    source = "from a import Out\nclass Runner:\n    def run(self) -> Out:\n        ...\n"
    write_files(tmp_path, {"run.py": source, "a.py": "from b import *", "b.py": "from a import *"})
    assert refuse(tmp_path)["kind"] == "unresolvable_type"
    write_files(tmp_path, {"a.py": "from b import Out", "b.py": "from a import Out"})
    assert refuse(tmp_path)["kind"] == "unresolvable_type"


@pytest.mark.parametrize(
    "value",
    [
        "'a' * 10**9",
        "10 ** 10 ** 9",
        "1 << 10**9",
        "list(range(10**9))",
        "'%999999999d' % 1",
        "'%*d' % (999999999, 1)",
        "'{:999999999}'.format(1)",
        "'{:{}}'.format(1, 999999999)",
        "f'{1:999999999}'",
        "'ab'.replace('', 'x' * 60000)",
        "('x' * 60000).join(['a'] * 9000)",
        "[i for i in range(9999) for j in range(9999)]",
        "int('9' * 60000)",
    ],
)
def test_constants_are_bounded(tmp_path: Path, value: str) -> None:
    write_files(tmp_path, {"run.py": method(f"a: str = Input(default={value})")})
    code, reply = run_program(tmp_path, "--predict", "run.py:Runner")
    if code == 0:
        properties = reply["openapi"]["components"]["schemas"]["Input"]["properties"]
        assert properties["a"] == {"title": "A", "type": "string", "x-order": 0}
        assert "is not shown" in reply["warnings"][0]["message"]
    else:
        assert reply["errors"][0]["kind"] == "too_complex"


def test_output_size_is_bounded(tmp_path: Path) -> None:
    lines = ["class C0(BaseModel):\n    x: int"]
    lines += [f"class C{i}(BaseModel):\n    a: C{i - 1}\n    b: C{i - 1}" for i in range(1, 30)]
    write_files(tmp_path, {"run.py": method("", "\n".join(lines), "C29")})
    assert refuse(tmp_path)["kind"] == "too_complex"


def test_choices_changed_later_are_refused(tmp_path: Path) -> None:
    for change in ("M.append('c')", "if True:\n    M.extend(['c'])", "M[0] = 'c'", "del M[0]"):
        source = method("m: str = Input(choices=M)", f"M = ['a']\n{change}")
        write_files(tmp_path, {"run.py": source})
        problem = refuse(tmp_path)
        assert problem["kind"] == "choices_not_resolvable" and "changes it" in problem["message"]
    source = method("m: str = Input(choices=M)", "M = ['a']\nM += ['b']")
    write_files(tmp_path, {"run.py": source})
    assert accept(tmp_path)["openapi"]["components"]["schemas"]["m"]["enum"] == ["a", "b"]


def test_values_that_json_readers_refuse(tmp_path: Path) -> None:
    properties = input_of(tmp_path, method(r"a: str = '\ud800', b: str = 'x\0'"))["properties"]
    assert "default" not in properties["a"] and "default" not in properties["b"]


def test_types_in_combination(tmp_path: Path) -> None:
    before = "class Mode(str, Enum):\n    A = 'a'\n    B = 'b'\nSize = Literal[1, 2]\n"
    source = method(
        "a: list[Mode], b: Size | None, c: Optional[Mode] = None, d: list[Literal['x']] = ['x'],"
        " e: Literal['x', None] = None, f: Mode = Mode('b')",
        before,
    )
    write_files(tmp_path, {"run.py": source})
    schemas = accept(tmp_path)["openapi"]["components"]["schemas"]
    properties = schemas["Input"]["properties"]
    assert properties["a"]["items"] == {"$ref": "#/components/schemas/a"}
    assert schemas["a"]["enum"] == ["a", "b"]
    assert properties["b"] == {
        "allOf": [{"$ref": "#/components/schemas/b"}], "nullable": True, "x-order": 1
    }
    assert schemas["b"] == {
        "title": "b", "description": "An enumeration.", "enum": [1, 2], "type": "integer"
    }
    assert properties["c"]["default"] is None and properties["c"]["nullable"] is True
    assert properties["d"]["default"] == ["x"]
    assert properties["e"]["default"] is None and schemas["e"]["enum"] == ["x"]
    assert "default" not in properties["f"]
    assert schemas["Input"]["required"] == ["a"]


def test_defaults_are_checked(tmp_path: Path) -> None:
    bad = {
        "int = Input(default=1, ge=2)": "ge=2",
        "float = Input(default=3.5, le=3)": "le=3",
        "str = Input(default='abc', max_length=2)": "max_length=2",
        "str = Input(default='abc', regex='^x')": "regex",
        "list[int] = ['x']": "whole number",
        "list[Literal['a']] = ['b']": "choices",
        "bool = Input(default=1)": "True or False",
        "int | str = [1]": "union",
        "dict = 'x'": "dict",
        "int = Input(default='x', choices=['x'])": "whole number",
    }
    for annotation, part in bad.items():
        write_files(tmp_path, {"run.py": method(f"a: {annotation}")})
        problem = refuse(tmp_path)
        assert problem["kind"] == "document_invalid" and problem["line"] == 6
        assert "'a'" in problem["message"] and part in problem["message"]
    limited = "c: int | None = Input(default=None, ge=1)"
    input_of(tmp_path, method(f"a: float = 1, b: int = 2.0, {limited}, d: str = Input('x')"))


def test_one_choice_as_default_of_a_list(tmp_path: Path) -> None:
    source = method("a: list[str] = Input(default='x', choices=['x', 'y'])")
    properties = input_of(tmp_path, source)["properties"]
    assert "default" not in properties["a"]


def test_undefined_name_as_default(tmp_path: Path) -> None:
    write_files(tmp_path, {"run.py": method("a: str = NOWHERE")})
    assert refuse(tmp_path)["kind"] == "default_not_resolvable"
    sometimes = "for SOMETIMES in []: pass"
    properties = input_of(tmp_path, method("a: str = SOMETIMES", sometimes))["properties"]
    assert "default" not in properties["a"]


def test_model_fields(tmp_path: Path) -> None:
    before = (
        "from dataclasses import dataclass, field\nfrom datetime import date\n"
        "@dataclass\nclass A:\n    x: int\n    LIMIT: ClassVar[int] = 3\n"
        "@dataclass\nclass B(A):\n    y: 'list[A]' = field(default_factory=list)\n"
        "    x: Annotated[str, 'text'] = ''\n"
        "class G(BaseModel, Generic[TypeVar('T')]):\n    g: int\n"
        "class H(G[int]):\n    b: B\n"
    )
    output = output_of(tmp_path, method("", before, "H"))
    assert list(output["properties"]) == ["g", "b"]
    inner = output["properties"]["b"]
    assert inner["properties"]["x"] == {"type": "string", "title": "X"}
    items = inner["properties"]["y"]["items"]
    assert items["properties"] == {"x": {"type": "integer", "title": "X"}}
    assert inner["required"] == ["y"]


def test_field_named_like_its_type(tmp_path: Path) -> None:
    output = output_of(tmp_path, method("", "class A(BaseModel):\n    Path: Path = None\n", "A"))
    assert output["properties"]["Path"]["format"] == "uri"


def test_class_level_constants(tmp_path: Path) -> None:
    source = (
        "from cog import BaseRunner, Input\nclass Runner(BaseRunner):\n    SIZES = (1, 2)\n"
        "    def run(self, n: int = Input(default=SIZES[0], choices=SIZES)) -> str:\n        ...\n"
    )
    write_files(tmp_path, {"run.py": source})
    reply = accept(tmp_path)
    assert reply["openapi"]["components"]["schemas"]["n"]["enum"] == [1, 2]


def test_library_next_to_data_folder(tmp_path: Path) -> None:
    source = "import torch\nclass Runner:\n    def run(self) -> torch.Tensor:\n        ...\n"
    write_files(tmp_path, {"run.py": source, "torch/weights.bin": ""})
    problem = refuse(tmp_path)
    assert problem["kind"] == "unresolvable_type" and "'torch'" in problem["message"]


def test_paths_of_an_image_are_told(tmp_path: Path) -> None:
    write_files(tmp_path, {"run.py": "CACHE = '/src/cache'\nOTHER = '/srcs/x'\n" + PLAIN})
    (warning,) = accept(tmp_path)["warnings"]
    assert warning["line"] == 1 and "'/src/cache'" in warning["message"]

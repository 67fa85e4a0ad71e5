"""Imports a model and writes its signature down as source, for what its own source cannot tell.

Runs the model's code: in a process of its own, limited, with nothing secret in its environment.
Usage: python3 -s SCHEMA --import PROJECT_DIR [--predict REF] [--train REF]
"""
from __future__ import annotations

import argparse
import functools
import importlib.util
import inspect
import json
import os
import resource
import sys
import traceback
from typing import Any, Callable, NoReturn

from rendering import Renderer

GIB = 1 << 30
# Far above what importing libraries takes; the builder has a limit of its own for the time.
LIMITS = (
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_CPU, 300),
    (resource.RLIMIT_FSIZE, GIB),
    (resource.RLIMIT_DATA, 16 * GIB),
)
MAX_TRACEBACK_LINES = 8
OWN_MODULES = ("importing", "rendering")


class Marked:
    """What is written in the source of a model and not to be seen in what it makes."""

    def __init__(self) -> None:
        self.without_default: dict[int, Any] = {}

    def install(self) -> None:
        import cog
        import cog.input

        plain_input = cog.Input

        @functools.wraps(plain_input)
        def marked_input(*arguments: Any, **named: Any) -> Any:
            info = plain_input(*arguments, **named)
            if not arguments and "default" not in named:
                self.without_default[id(info)] = info
            return info

        def streaming(function: Any = None) -> Any:
            if function is None:
                return streaming
            function.__vend_streaming__ = True
            return function

        cog.Input = cog.input.Input = marked_input  # type: ignore[assignment]
        cog.streaming = streaming

    def has_default(self, info: Any) -> bool:
        return id(info) not in self.without_default


def _limit() -> None:
    for kind, wanted in LIMITS:
        hard = resource.getrlimit(kind)[1]
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (limit, limit))


def _private_output() -> int:
    """What the model prints goes to the log; the answer has a descriptor that it does not know."""
    answer = os.dup(1)
    os.dup2(2, 1)
    return answer


def _forget_own_modules() -> None:
    """The model may have modules with these names, and must not find ours."""
    sys.path[0] = ""
    for name in OWN_MODULES:
        sys.modules.pop(name, None)


def _load(path: str) -> Any:
    """As the model server loads it: a plain file, known by its base name."""
    name = os.path.basename(path).replace(".py", "")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load '{path}'")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _methods(role: str, owner: Any) -> list[tuple[str, Callable[..., Any], bool]]:
    """Name and function of each, and whether its first parameter is self."""
    if not inspect.isclass(owner):
        return [("", owner, False)]
    names = ("train",) if role == "train" else ("run", "predict")
    found = []
    for name in names:
        method = inspect.getattr_static(owner, name, None)
        function = getattr(owner, name, None)
        if method is None or not callable(function):
            continue
        if getattr(function, "__module__", "") == "cog.predictor":
            continue
        has_self = not inspect.ismethod(function) and not isinstance(method, staticmethod)
        found.append((name, function, has_self))
    return found


def _entry(role: str, path: str, name: str, module: Any, renderer: Renderer) -> dict[str, Any]:
    owner = getattr(module, name)
    is_class = inspect.isclass(owner)
    parts = []
    line = 0
    for method, function, has_self in _methods(role, owner):
        plain = inspect.unwrap(function)
        code = getattr(plain, "__code__", None)
        if code is not None and os.path.abspath(code.co_filename) == os.path.abspath(path):
            line = code.co_firstlineno
        parts.append(renderer.function(method or name, function, is_class, has_self))
    body = "\n".join(parts) or "    pass"
    text = f"class {name}:\n{body}" if is_class else body
    return {"file": path, "line": line, "text": text}


def _answer(arguments: argparse.Namespace, marked: Marked) -> dict[str, Any]:
    renderer = Renderer(marked.has_default)
    modules: dict[str, Any] = {}
    entries = []
    for role in ("predict", "train"):
        reference = getattr(arguments, role)
        if not reference:
            continue
        path, _, name = reference.partition(":")
        path = os.path.normpath(path)
        if path not in modules:
            modules[path] = _load(path)
        entries.append(_entry(role, path, name, modules[path], renderer))
    return {"head": renderer.head(), "entries": entries}


def _tail(problem: BaseException) -> str:
    """The end of the traceback without what lies between us and the model; paths as it has them."""
    where = problem.__traceback__
    own = os.path.dirname(__file__)
    while where is not None and where.tb_frame.f_code.co_filename.startswith((own, "<frozen imp")):
        where = where.tb_next
    lines = "".join(traceback.format_exception(type(problem), problem, where))
    lines = lines.replace(os.getcwd() + os.sep, "")
    return "\n".join(lines.rstrip().split("\n")[-MAX_TRACEBACK_LINES:])


def main(argv: list[str]) -> NoReturn:
    parser = argparse.ArgumentParser(prog="schema --import", allow_abbrev=False)
    parser.add_argument("project_dir", metavar="PROJECT_DIR")
    parser.add_argument("--predict", metavar="REF")
    parser.add_argument("--train", metavar="REF")
    arguments = parser.parse_args(argv)
    answer = _private_output()
    _limit()
    os.chdir(arguments.project_dir)
    _forget_own_modules()
    marked = Marked()
    try:
        marked.install()
        reply = _answer(arguments, marked)
    # A model may well call sys.exit() when it is imported.
    except BaseException as problem:  # noqa: BLE001
        traceback.print_exc()
        reply = {"failed": _tail(problem)}
    sys.stdout.flush()
    sys.stderr.flush()
    with open(answer, "w", encoding="utf-8", errors="replace") as stream:
        json.dump(reply, stream)
    # Threads of the model would hold the process.
    os._exit(1 if "failed" in reply else 0)

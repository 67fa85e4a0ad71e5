"""The project directory: reads and parses its Python files, and nothing outside it."""
from __future__ import annotations

import ast
import os
import stat
import sys
import warnings
from dataclasses import dataclass, field
from typing import Any

from errors import Place, Report, SchemaError

MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_TOTAL_BYTES = 64 * 1024 * 1024
MAX_FILES = 1000

# Loaded before the model's own code, or known here by meaning: a project file cannot replace them.
NEVER_IN_PROJECT = frozenset(
    "__future__ abc builtins cog coglet collections dataclasses enum os pathlib pydantic sys"
    " textwrap typing typing_extensions".split()
)


@dataclass
class SourceFile:
    """One parsed file. A folder without __init__.py is a file with an empty tree."""

    path: str
    tree: ast.Module
    package_dir: str | None = None
    cache: dict[str, object] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        return os.path.dirname(self.path)

    def place(self, node: ast.AST) -> Place:
        return Place(self.path, getattr(node, "lineno", 0))


class Project:
    def __init__(self, root: str, report: Report) -> None:
        self.root = os.path.realpath(root)
        self.report = report
        self.import_dirs = [""]
        self._files: dict[str, SourceFile] = {}
        self._bytes_read = 0

    def replace(self, head: str, entries: list[dict[str, Any]]) -> None:
        """Files as an import saw them, in place of their source, on the line of the entry."""
        for entry in entries:
            path, line = str(entry["file"]), int(entry["line"])
            tree = parse(f"{head}\n{entry['text']}\n".encode(), path)
            for node in ast.walk(tree):
                if hasattr(node, "lineno"):
                    node.lineno = line
            known = self._files.get(path)
            if known is None:
                self._files[path] = SourceFile(path, tree)
            else:
                known.tree.body.extend(tree.body)

    def load(self, path: str) -> SourceFile:
        """Parses the file at `path`, relative to the root; raises SchemaError when it cannot."""
        known = self._files.get(path)
        if known is not None:
            return known
        if len(self._files) >= MAX_FILES:
            raise SchemaError(
                "too_complex",
                Place(path),
                f"the model imports more than {MAX_FILES} project files; import fewer of them",
            )
        package_dir = os.path.dirname(path) if os.path.basename(path) == "__init__.py" else None
        loaded = SourceFile(path, parse(self._read(path), path), package_dir)
        self._files[path] = loaded
        return loaded

    def find_module(self, dotted: str, folders: list[str] | None = None) -> SourceFile | None:
        """The project file that `import dotted` loads, or None when there is none."""
        parts = [part for part in dotted.split(".") if part]
        if folders is None:
            if not parts or parts[0] in NEVER_IN_PROJECT:
                return None
            folders = self.import_dirs
        for position, folder in enumerate(folders):
            found = self._find_below(folder, parts)
            if found is not None:
                if position > 0:
                    self._warn_not_in_root(dotted, found)
                return found
        return None

    def _warn_not_in_root(self, dotted: str, found: SourceFile) -> None:
        self.report.warn(
            Place(found.path),
            f"'import {dotted}' finds this file only beside the model, and the model server starts"
            f" in the project root; import it as '{found.path[:-3].replace('/', '.')}'",
        )

    def _find_below(self, folder: str, parts: list[str]) -> SourceFile | None:
        path = "/".join([part for part in [folder] if part] + parts)
        # The same order as Python's own path finder: package, module, folder without __init__.py.
        candidates = [f"{path}/__init__.py" if path else "__init__.py"]
        if parts:
            candidates.append(f"{path}.py")
        for candidate in candidates:
            if self._is_file(candidate):
                return self.load(candidate)
        full = os.path.join(self.root, path)
        if parts and os.path.isdir(full) and self._is_inside(os.path.realpath(full)):
            return SourceFile(path, ast.Module(body=[], type_ignores=[]), package_dir=path)
        return None

    def _is_file(self, path: str) -> bool:
        return os.path.isfile(os.path.join(self.root, path))

    def _is_inside(self, real: str) -> bool:
        return real == self.root or real.startswith(self.root + os.sep)

    def _read(self, path: str) -> bytes:
        place = Place(path)
        real = os.path.realpath(os.path.join(self.root, path))
        if not self._is_inside(real):
            raise SchemaError(
                "file_or_usage",
                place,
                f"'{path}' is outside the project; put the file itself into the project",
            )
        try:
            data = read_regular(real)
        except FileNotFoundError:
            raise SchemaError(
                "file_or_usage",
                place,
                f"there is no file '{path}' in the project; name a Python file such as 'run.py'",
            ) from None
        except OSError as problem:
            reason = (problem.strerror or str(problem)).lower()
            raise SchemaError(
                "file_or_usage",
                place,
                f"'{path}' cannot be read: {reason}; name a Python file such as 'run.py'",
            ) from None
        if len(data) > MAX_FILE_BYTES:
            raise SchemaError(
                "file_or_usage",
                place,
                f"'{path}' is larger than {MAX_FILE_BYTES >> 20} MiB; move its data elsewhere",
            )
        self._bytes_read += len(data)
        if self._bytes_read > MAX_TOTAL_BYTES:
            raise SchemaError(
                "too_complex",
                place,
                f"the model's sources are larger than {MAX_TOTAL_BYTES >> 20} MiB together;"
                " move data out of them",
            )
        return data


def read_regular(path: str) -> bytes:
    """At most MAX_FILE_BYTES + 1 bytes of a regular file; never waits on a pipe or a device."""
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(fd, "rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(0, "it is a directory")
        if not stat.S_ISREG(mode):
            raise OSError(0, "it is not a regular file")
        return stream.read(MAX_FILE_BYTES + 1)


def parse(data: bytes, path: str) -> ast.Module:
    """Parses and compiles, but never runs: compiling finds what parsing alone lets through."""
    version = f"python {sys.version_info.major}.{sys.version_info.minor}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data, path)
            compile(tree, path, "exec", dont_inherit=True)
        return tree
    except SyntaxError as problem:
        reason = problem.msg or "invalid syntax"
        raise SchemaError(
            "parse",
            Place(path, problem.lineno or 0),
            f"{version} cannot read this file: {reason}; correct the syntax",
        ) from None
    except ValueError as problem:
        raise SchemaError(
            "parse", Place(path), f"{version} cannot read this file: {problem}; save it as UTF-8"
        ) from None
    except (RecursionError, MemoryError):
        raise SchemaError(
            "too_complex", Place(path), "the source is nested too deeply; split long expressions"
        ) from None

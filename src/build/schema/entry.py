"""Finds the class or function that a reference such as run.py:Runner names, and its method."""
from __future__ import annotations

import ast
import posixpath
from dataclasses import dataclass

from bindings import FunctionNode, Scope
from errors import Place, Report, SchemaError
from names import Class, External, Names, Unbound
from project import SourceFile


@dataclass(frozen=True, eq=False)
class Entry:
    """`scope` is where the names of the signature are looked up."""

    node: FunctionNode
    scope: Scope
    owner: Class | None

    @property
    def place(self) -> Place:
        return self.scope.file.place(self.node)


def split_reference(role: str, reference: str) -> tuple[str, str]:
    path, colon, name = reference.partition(":")
    if not colon or not path or not name:
        raise SchemaError(
            "invalid_ref",
            Place("cog.yaml"),
            f"the {role} reference '{reference}' is not complete; write it as 'run.py:Runner'",
        )
    clean = posixpath.normpath(path)
    if "\0" in path or posixpath.isabs(clean) or clean == ".." or clean.startswith("../"):
        raise SchemaError(
            "file_or_usage",
            Place("cog.yaml"),
            f"the {role} reference '{reference}' leads outside the project; name a file in it,"
            " such as 'run.py:Runner'",
        )
    return clean, name


def find_entry(names: Names, report: Report, role: str, reference: str) -> Entry:
    path, name = split_reference(role, reference)
    file = names.project.load(path)
    if file.folder and file.folder not in names.project.import_dirs:
        names.project.import_dirs.append(file.folder)
    scope = names.module_scope(file)
    found = scope.names.get(name) if name in scope.direct else None
    if isinstance(found, ast.ClassDef):
        owner = Class(found, scope)
        return _find_method(names, report, role, owner)
    if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return Entry(found, scope, None)
    raise _not_found(file, scope, role, name)


def _not_found(file: SourceFile, scope: Scope, role: str, name: str) -> SchemaError:
    available = [
        key
        for key, value in scope.names.items()
        if key in scope.direct
        and isinstance(value, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    if available:
        advice = f"it has: {', '.join(available[:20])}"
    else:
        advice = "it defines no class and no function; define one there with 'class' or 'def'"
    return SchemaError(
        "entry_not_found",
        Place(file.path),
        f"'{file.path}' defines no class or function '{name}' at its top level for {role};"
        f" {advice}",
        f"'{name}' is" if name in scope.names or scope.star_imports else "",
    )


def _find_method(names: Names, report: Report, role: str, owner: Class) -> Entry:
    wanted = ("train",) if role == "train" else ("run", "predict")
    found = {name: _method(names, owner, name) for name in wanted}
    entries = {name: entry for name, entry in found.items() if entry is not None}
    if len(entries) > 1:
        raise SchemaError(
            "ambiguous_method",
            entries["predict"].place,
            f"'{owner.name}' has both run() and predict(), its own or inherited, and the model"
            " server refuses that; keep run()",
        )
    if not entries:
        raise _method_missing(names, role, owner)
    if "predict" in entries:
        report.warn(
            entries["predict"].place, f"{owner.name}.predict() is deprecated; use run() instead"
        )
    return next(iter(entries.values()))


def _method(names: Names, owner: Class, name: str) -> Entry | None:
    for candidate in names.ancestry(owner):
        scope = names.class_scope(candidate)
        node = scope.names.get(name)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and name in scope.direct:
            return Entry(node, scope, candidate)
    return None


def _method_missing(names: Names, role: str, owner: Class) -> SchemaError:
    wanted = "train()" if role == "train" else "run()"
    unknown = [
        base.name
        for item in names.ancestry(owner)
        for base in names.bases(item)
        if isinstance(base, (External, Unbound)) and not _is_known_base(base)
    ]
    reason = f"'{owner.name}' has no method {wanted}"
    if unknown:
        reason += f", and its base class '{unknown[0]}' is not in the project"
    is_computed = bool(unknown) or any(
        name in names.class_scope(item).names
        for item in names.ancestry(owner)
        for name in ("run", "predict", "train")
    )
    return SchemaError(
        "method_not_found",
        owner.place,
        f"{reason}; define it with 'def {wanted[:-1]}self, ...)' in the class",
        f"{wanted} of '{owner.name}' is" if is_computed else "",
    )


def _is_known_base(base: External | Unbound) -> bool:
    return isinstance(base, External) and base.module in ("cog", "builtins", "typing", "abc")


def decorator_named(names: Names, entry: Entry, name: str) -> ast.expr | None:
    """The decorator that is cog's `name`, as written, or None."""
    for decorator in entry.node.decorator_list:
        function = decorator.func if isinstance(decorator, ast.Call) else decorator
        symbol = names.resolve(entry.scope, function)
        if symbol == External("cog", name):
            return decorator
    return None


def is_plain_decorator(names: Names, entry: Entry, name: str) -> bool:
    """True when the method carries a built-in decorator such as staticmethod."""
    for decorator in entry.node.decorator_list:
        if names.resolve(entry.scope, decorator) == External("builtins", name):
            return True
    return False


def concurrency_of(names: Names, entry: Entry) -> int | None:
    """The number in @concurrent(max=N); 1 without an argument, None without the decorator."""
    decorator = decorator_named(names, entry, "concurrent")
    if decorator is None:
        return None
    place = entry.scope.file.place(decorator)
    if not isinstance(decorator, ast.Call) or not (decorator.args or decorator.keywords):
        return 1
    keywords = decorator.keywords
    if decorator.args or len(keywords) != 1 or keywords[0].arg != "max":
        raise SchemaError(
            "unsupported_type", place, "@concurrent takes only max; write @concurrent(max=4)"
        )
    return _concurrency_number(keywords[0].value, place)


def _concurrency_number(value: ast.expr, place: Place) -> int:
    written = value.value if isinstance(value, ast.Constant) else None
    negative = isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub)
    number = written if isinstance(written, int) and not isinstance(written, bool) else None
    if number is None and not negative:
        raise SchemaError(
            "unsupported_type",
            place,
            f"max in @concurrent is '{ast.unparse(value)[:60]}', which is not a whole number"
            " written out; write @concurrent(max=4)",
            "" if isinstance(value, ast.Constant) else "max in @concurrent is",
        )
    if number is None or number < 1:
        raise SchemaError(
            "unsupported_type", place, "max in @concurrent is below 1; write at least 1"
        )
    if number > 2**31 - 1:
        raise SchemaError("unsupported_type", place, "max in @concurrent is too large; lower it")
    return number

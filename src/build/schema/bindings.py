"""What each name of a module or class body is bound to, read from its statements in order."""
from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any, Iterable, Union

from project import SourceFile

FunctionNode = Union[ast.FunctionDef, ast.AsyncFunctionDef]

MUTATING_METHODS = frozenset(
    "append extend insert remove pop clear update setdefault popitem sort reverse add discard"
    .split()
)


@dataclass(frozen=True, eq=False)
class ImportBinding:
    module: str
    level: int
    attribute: str | None
    line: int


@dataclass(frozen=True, eq=False)
class ValueBinding:
    """`changed_line` is where a statement changes the value in a way that is not followed."""

    node: ast.expr
    changed_line: int = 0


Binding = Union[ImportBinding, ValueBinding, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef]


@dataclass(eq=False)
class Scope:
    """The names of one module, or of one class body inside `outer`."""

    file: SourceFile
    outer: "Scope | None" = None
    names: dict[str, Binding] = field(default_factory=dict)
    star_imports: list[ImportBinding] = field(default_factory=list)
    # The names bound by plain statements of the body, not inside `if`, `try` or `with`.
    direct: set[str] = field(default_factory=set)

    def bind(self, name: str, binding: Binding, direct: bool) -> None:
        if direct:
            self.names[name] = binding
            self.direct.add(name)
        else:
            self.names.setdefault(name, binding)


def read_scope(file: SourceFile, body: Iterable[ast.stmt], outer: Scope | None = None) -> Scope:
    scope = Scope(file, outer)
    _read_body(scope, body, direct=True)
    return scope


def _read_body(scope: Scope, body: Iterable[ast.stmt], direct: bool) -> None:
    for statement in body:
        _read_statement(scope, statement, direct)


def _read_statement(scope: Scope, node: ast.stmt, direct: bool) -> None:
    if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        scope.bind(node.name, node, direct)
    elif isinstance(node, ast.Import):
        _read_import(scope, node, direct)
    elif isinstance(node, ast.ImportFrom):
        _read_import_from(scope, node, direct)
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            _read_target(scope, target, node.value, direct)
    elif isinstance(node, ast.AnnAssign):
        if node.value is not None:
            _read_target(scope, node.target, node.value, direct)
    elif isinstance(node, ast.AugAssign):
        _read_augmented(scope, node, direct)
    elif isinstance(node, ast.Delete):
        for target in node.targets:
            _mark_changed(scope, target, node.lineno)
    elif isinstance(node, ast.Expr):
        _read_call(scope, node.value)
    elif type(node).__name__ == "TypeAlias":
        # `type Name = ...`, which the ast module knows from Python 3.12 on.
        alias: Any = node
        scope.bind(alias.name.id, ValueBinding(alias.value), direct)
    else:
        for block in _inner_blocks(node):
            _read_body(scope, block, direct=False)


def _inner_blocks(node: ast.stmt) -> list[list[ast.stmt]]:
    blocks = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
    blocks.extend(handler.body for handler in getattr(node, "handlers", []))
    blocks.extend(case.body for case in getattr(node, "cases", []))
    return blocks


def _read_import(scope: Scope, node: ast.Import, direct: bool) -> None:
    for alias in node.names:
        if alias.asname:
            binding = ImportBinding(alias.name, 0, None, node.lineno)
            scope.bind(alias.asname, binding, direct)
        else:
            first = alias.name.split(".")[0]
            scope.bind(first, ImportBinding(first, 0, None, node.lineno), direct)


def _read_import_from(scope: Scope, node: ast.ImportFrom, direct: bool) -> None:
    for alias in node.names:
        binding = ImportBinding(node.module or "", node.level, alias.name, node.lineno)
        if alias.name == "*":
            scope.star_imports.append(binding)
        else:
            scope.bind(alias.asname or alias.name, binding, direct)


def _read_target(scope: Scope, target: ast.expr, value: ast.expr, direct: bool) -> None:
    if isinstance(target, ast.Name):
        # A value set inside `if` or `try` may or may not be the one: it is not read.
        if direct:
            scope.bind(target.id, ValueBinding(value), direct)
    elif isinstance(target, (ast.Tuple, ast.List)):
        values: list[ast.expr | None] = [None] * len(target.elts)
        if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
            values = list(value.elts)
        for part, part_value in zip(target.elts, values):
            if part_value is not None:
                _read_target(scope, part, part_value, direct)
            else:
                _mark_changed(scope, part, target.lineno)
    else:
        _mark_changed(scope, target, target.lineno)


def _read_augmented(scope: Scope, node: ast.AugAssign, direct: bool) -> None:
    target = node.target
    before = scope.names.get(target.id) if isinstance(target, ast.Name) else None
    if direct and isinstance(target, ast.Name) and isinstance(before, ValueBinding):
        joined = ast.copy_location(ast.BinOp(before.node, node.op, node.value), node)
        scope.bind(target.id, ValueBinding(joined, before.changed_line), direct)
    else:
        _mark_changed(scope, target, node.lineno)


def _read_call(scope: Scope, node: ast.expr) -> None:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr in MUTATING_METHODS:
            _mark_changed(scope, node.func.value, node.lineno)


def _mark_changed(scope: Scope, target: ast.expr, line: int) -> None:
    while isinstance(target, (ast.Subscript, ast.Attribute, ast.Starred)):
        target = target.value
    if isinstance(target, ast.Name):
        before = scope.names.get(target.id)
        if isinstance(before, ValueBinding):
            scope.names[target.id] = ValueBinding(before.node, line)


def argument_defaults(node: FunctionNode) -> list[tuple[ast.arg, ast.expr | None]]:
    """Each named parameter with its default, in the order of the signature."""
    positional = [*node.args.posonlyargs, *node.args.args]
    missing: list[ast.expr | None] = [None] * (len(positional) - len(node.args.defaults))
    pairs = list(zip(positional, [*missing, *node.args.defaults]))
    pairs.extend(zip(node.args.kwonlyargs, node.args.kw_defaults))
    return pairs

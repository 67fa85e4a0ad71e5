"""Finds what a dotted name stands for: a class, function or value of the project or a library."""
from __future__ import annotations

import ast
import builtins
import os
from dataclasses import dataclass
from typing import Union

from bindings import Binding, FunctionNode, ImportBinding, Scope, ValueBinding, read_scope
from errors import Place, SchemaError
from project import Project, SourceFile

MAX_HOPS = 60
BUILTIN_NAMES = frozenset(dir(builtins))
COG_NAMES = frozenset(
    "AsyncConcatenateIterator BaseModel BasePredictor BaseRunner ConcatenateIterator File Input"
    " Opaque Path Secret concurrent streaming".split()
)


@dataclass(frozen=True)
class External:
    """Something outside the project; `name` is empty for the module itself."""

    module: str
    name: str

    @property
    def last(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class Unbound:
    """A name that nothing in the file binds; it may come from a star import."""

    name: str

    @property
    def last(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, eq=False)
class Module:
    file: SourceFile
    dotted: str


@dataclass(frozen=True, eq=False)
class Class:
    node: ast.ClassDef
    scope: Scope

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def file(self) -> SourceFile:
        return self.scope.file

    @property
    def place(self) -> Place:
        return self.file.place(self.node)


@dataclass(frozen=True, eq=False)
class Function:
    node: FunctionNode
    scope: Scope


@dataclass(frozen=True, eq=False)
class Value:
    node: ast.expr
    scope: Scope
    changed_line: int = 0


Symbol = Union[External, Unbound, Module, Class, Function, Value]


class Names:
    def __init__(self, project: Project) -> None:
        self.project = project

    def module_scope(self, file: SourceFile) -> Scope:
        scope = file.cache.get("scope")
        if not isinstance(scope, Scope):
            scope = file.cache["scope"] = read_scope(file, file.tree.body)
        return scope

    def class_scope(self, symbol: Class) -> Scope:
        key = f"class {id(symbol.node)}"
        scope = symbol.file.cache.get(key)
        if not isinstance(scope, Scope):
            scope = read_scope(symbol.file, symbol.node.body, symbol.scope)
            symbol.file.cache[key] = scope
        return scope

    def lookup(self, scope: Scope, name: str, hops: int = 0) -> Symbol:
        """The symbol behind a plain name, seen from `scope` outwards."""
        current: Scope | None = scope
        while current is not None:
            if name in current.names:
                return self._symbol(current, current.names[name], hops)
            found = self._from_star_imports(current, name, hops)
            if found is not None:
                return found
            current = current.outer
        return External("builtins", name) if name in BUILTIN_NAMES else Unbound(name)

    def resolve(self, scope: Scope, node: ast.expr, hops: int = 0) -> Symbol | None:
        """The symbol behind `a` or `a.b.c`; None when the expression is not a dotted name."""
        if isinstance(node, ast.Name):
            return self.lookup(scope, node.id, hops)
        if not isinstance(node, ast.Attribute):
            return None
        base = self.resolve(scope, node.value, hops)
        if base is None:
            return None
        return self.attribute(self.follow(base, hops), node.attr, hops)

    def follow(self, symbol: Symbol, hops: int = 0) -> Symbol:
        """Goes through plain aliases such as `Base = BaseModel`."""
        while isinstance(symbol, Value) and isinstance(symbol.node, (ast.Name, ast.Attribute)):
            hops += 1
            if hops > MAX_HOPS:
                raise SchemaError(
                    "unresolvable_type",
                    symbol.scope.file.place(symbol.node),
                    f"the name '{ast.unparse(symbol.node)}' leads back to itself;"
                    " give it a value of its own",
                )
            target = self.resolve(symbol.scope, symbol.node, hops)
            if target is None:
                return symbol
            symbol = target
        return symbol

    def attribute(self, base: Symbol, name: str, hops: int = 0) -> Symbol | None:
        if isinstance(base, External):
            return External(base.module, f"{base.name}.{name}" if base.name else name)
        if isinstance(base, Unbound):
            return Unbound(f"{base.name}.{name}")
        if isinstance(base, Module):
            return self._module_member(base.file, base.dotted, name, hops)
        if isinstance(base, Class):
            for owner in self.ancestry(base):
                scope = self.class_scope(owner)
                if name in scope.names:
                    return self._symbol(scope, scope.names[name], hops)
        return None

    def bases(self, symbol: Class) -> list[Symbol]:
        found = []
        for base in symbol.node.bases:
            resolved = self._base(symbol, base)
            if resolved is not None:
                found.append(resolved)
        return found

    def ancestry(self, symbol: Class) -> list[Class]:
        """The project classes in the order in which Python looks for an attribute."""
        order: list[Class] = []
        self._collect_ancestry(symbol, order, 0)
        last_position = {id(item.node): index for index, item in enumerate(order)}
        return [item for index, item in enumerate(order) if last_position[id(item.node)] == index]

    def _collect_ancestry(self, symbol: Class, order: list[Class], depth: int) -> None:
        if depth > MAX_HOPS or len(order) > 1000:
            raise SchemaError(
                "too_complex",
                symbol.place,
                f"class '{symbol.name}' has too many base classes, or is its own base class;"
                " make the class tree smaller",
            )
        order.append(symbol)
        for base in self.bases(symbol):
            if isinstance(base, Class):
                self._collect_ancestry(base, order, depth + 1)

    def _base(self, symbol: Class, node: ast.expr) -> Symbol | None:
        if isinstance(node, ast.Subscript):
            resolved = self._base(symbol, node.value)
            if isinstance(resolved, Class) and not self._is_generic(resolved):
                return None
            return resolved
        resolved = self.resolve(symbol.scope, node)
        followed = self.follow(resolved) if resolved is not None else None
        return None if isinstance(followed, Class) and followed.node is symbol.node else followed

    def _is_generic(self, symbol: Class) -> bool:
        if getattr(symbol.node, "type_params", None):
            return True
        return any(isinstance(base, ast.Subscript) for base in symbol.node.bases)

    def _symbol(self, scope: Scope, binding: Binding, hops: int) -> Symbol:
        if isinstance(binding, ast.ClassDef):
            return Class(binding, scope)
        if isinstance(binding, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return Function(binding, scope)
        if isinstance(binding, ValueBinding):
            return Value(binding.node, scope, binding.changed_line)
        return self._imported(scope.file, binding, hops + 1)

    def _imported(self, file: SourceFile, binding: ImportBinding, hops: int) -> Symbol:
        if hops > MAX_HOPS:
            raise SchemaError(
                "unresolvable_type",
                Place(file.path, binding.line),
                f"the import of '{binding.attribute or binding.module}' leads back to itself;"
                " import it from the file that defines it",
            )
        folders = relative_folders(file, binding.level)
        outside = "." * binding.level + binding.module
        found = self.project.find_module(binding.module, folders)
        if binding.attribute is None:
            return Module(found, outside) if found is not None else External(outside, "")
        if found is not None:
            member = self._module_member(found, binding.module, binding.attribute, hops)
            if not isinstance(member, External) or member.module != binding.module:
                return member
        return External(outside, binding.attribute)

    def _module_member(self, file: SourceFile, dotted: str, name: str, hops: int) -> Symbol:
        scope = self.module_scope(file)
        if name in scope.names:
            return self._symbol(scope, scope.names[name], hops + 1)
        found = self._from_star_imports(scope, name, hops)
        if found is not None:
            return found
        if file.package_dir is not None:
            below = self.project.find_module(name, [file.package_dir])
            if below is not None:
                return Module(below, f"{dotted}.{name}")
        return External(dotted, name)

    def _from_star_imports(self, scope: Scope, name: str, hops: int) -> Symbol | None:
        if name.startswith("_") or hops > MAX_HOPS:
            return None
        for binding in reversed(scope.star_imports):
            if binding.module == "cog" and name in COG_NAMES:
                return External("cog", name)
            folders = relative_folders(scope.file, binding.level)
            found = self.project.find_module(binding.module, folders)
            if found is None or found is scope.file:
                continue
            inner = self.module_scope(found)
            if name in inner.names:
                return self._symbol(inner, inner.names[name], hops + 1)
            deeper = self._from_star_imports(inner, name, hops + 1)
            if deeper is not None:
                return deeper
        return None


def relative_folders(file: SourceFile, level: int) -> list[str] | None:
    """Where a relative import starts; None for an absolute one."""
    if level == 0:
        return None
    folder = file.package_dir if file.package_dir is not None else file.folder
    for _ in range(level - 1):
        folder = os.path.dirname(folder)
    return [folder]

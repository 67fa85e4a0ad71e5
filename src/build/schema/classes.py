"""Sorts the project's classes by what the runtime makes of them, and reads their fields."""
from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from annotations import Annotations, TypeRef
from bindings import Scope
from names import Class, External, Names, Symbol, Unbound, Value

SKIPPED_WRAPPERS = ("ClassVar", "InitVar", "KW_ONLY")
SKIPPED_FIELDS = ("model_config",)


@dataclass(frozen=True, eq=False)
class Field:
    name: str
    ref: TypeRef
    # None: required unless the type is Optional or there is a literal default.
    key_required: bool | None
    has_default: bool


class Classes:
    def __init__(self, names: Names, annotations: Annotations) -> None:
        self.names = names
        self.annotations = annotations

    def _library_bases(self, symbol: Class) -> set[str]:
        found = set()
        for owner in self.names.ancestry(symbol):
            for base in self.names.bases(owner):
                if isinstance(base, (External, Unbound)):
                    found.add(base.last)
                elif isinstance(base, Class) and base.name == "BaseModel":
                    found.add("BaseModel")
        return found

    def is_base_model(self, symbol: Class) -> bool:
        return "BaseModel" in self._library_bases(symbol)

    def is_typed_dict(self, symbol: Class) -> bool:
        return "TypedDict" in self._library_bases(symbol)

    def is_named_tuple(self, symbol: Class) -> bool:
        return "NamedTuple" in self._library_bases(symbol)

    def is_dataclass(self, symbol: Class) -> bool:
        return any(self._has_dataclass_decorator(owner) for owner in self.names.ancestry(symbol))

    def _has_dataclass_decorator(self, symbol: Class) -> bool:
        for decorator in symbol.node.decorator_list:
            function = decorator.func if isinstance(decorator, ast.Call) else decorator
            resolved = self.names.resolve(symbol.scope, function)
            if isinstance(resolved, (External, Unbound)) and resolved.last == "dataclass":
                return True
        return False

    def is_typed_dict_call(self, symbol: Symbol | None) -> bool:
        """True for `Row = TypedDict("Row", {...})`."""
        if not isinstance(symbol, Value) or not isinstance(symbol.node, ast.Call):
            return False
        function = self.names.resolve(symbol.scope, symbol.node.func)
        return isinstance(function, (External, Unbound)) and function.last == "TypedDict"

    def fields(self, symbol: Class) -> list[Field]:
        """The fields with those of the base classes first, a redefined one in its first place."""
        merged: dict[str, Field] = {}
        typed_dict = self.is_typed_dict(symbol)
        only_decorated = not typed_dict and not self.is_base_model(symbol)
        only_decorated = only_decorated and not self.is_named_tuple(symbol)
        for owner in reversed(self.names.ancestry(symbol)):
            if only_decorated and not self._has_dataclass_decorator(owner):
                continue
            for item in self._own_fields(owner, typed_dict):
                merged[item.name] = item
        return list(merged.values())

    def _own_fields(self, symbol: Class, typed_dict: bool) -> list[Field]:
        scope = self.names.class_scope(symbol)
        total = _is_total(symbol)
        found = []
        for statement in symbol.node.body:
            if not isinstance(statement, ast.AnnAssign):
                continue
            if not isinstance(statement.target, ast.Name):
                continue
            name = statement.target.id
            ref = self.annotations.read(statement.annotation, _field_scope(scope, name))
            if ref.name in SKIPPED_WRAPPERS or name in SKIPPED_FIELDS:
                continue
            found.append(self._field(name, ref, statement.value, typed_dict, total))
        return found

    def _field(
        self, name: str, ref: TypeRef, value: ast.expr | None, typed_dict: bool, total: bool
    ) -> Field:
        required: bool | None = total if typed_dict else None
        wrappers = ("Required", "NotRequired", "ReadOnly") if typed_dict else ("Final",)
        while ref.name in wrappers and len(ref.args) == 1:
            if ref.name in ("Required", "NotRequired"):
                required = ref.name == "Required"
            ref = ref.args[0]
        return Field(name, ref, required, value is not None and is_literal(value))

    def typed_dict_call_fields(self, symbol: Value) -> list[Field]:
        """The fields of a TypedDict made by a call; empty when they are not written out."""
        call = symbol.node
        if not isinstance(call, ast.Call) or len(call.args) != 2:
            return []
        body = call.args[1]
        if not isinstance(body, ast.Dict):
            return []
        total = not any(k.arg == "total" and _is_false(k.value) for k in call.keywords)
        found = []
        for key, value in zip(body.keys, body.values):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                ref = self.annotations.read(value, symbol.scope)
                found.append(self._field(key.value, ref, None, True, total))
        return found


def _field_scope(scope: Scope, name: str) -> Scope:
    """A field may be named like its type, `date: date = None`: the type is the outer one."""
    if name not in scope.names:
        return scope
    others = {key: value for key, value in scope.names.items() if key != name}
    return replace(scope, names=others)


def _is_total(symbol: Class) -> bool:
    return not any(k.arg == "total" and _is_false(k.value) for k in symbol.node.keywords)


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def is_literal(node: ast.expr) -> bool:
    """A default that is written out; a computed one leaves the field in every output anyway."""
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True

"""Reads the members of an Enum class from its source."""
from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from bindings import ValueBinding
from names import Class, External, Names, Unbound
from values import EnumClass, EnumMember, Unreadable

if TYPE_CHECKING:
    from constants import Constants

ENUM_BASES = frozenset("Enum IntEnum StrEnum Flag IntFlag ReprEnum".split())


def enum_bases(names: Names, symbol: Class) -> set[str]:
    """The library enum classes that the class derives from; empty when it is no enum."""
    found = set()
    for owner in names.ancestry(symbol):
        for base in names.bases(owner):
            if isinstance(base, (External, Unbound)) and base.last in ENUM_BASES:
                found.add(base.last)
    return found


def read_enum(names: Names, constants: "Constants", symbol: Class) -> EnumClass | None:
    """The members with their values, or None when the class is not an enum."""
    bases = enum_bases(names, symbol)
    if not bases:
        return None
    key = f"enum {id(symbol.node)}"
    known = symbol.file.cache.get(key)
    if known is None:
        known = symbol.file.cache[key] = _read_members(names, constants, symbol, bases)
    return known if isinstance(known, EnumClass) else None


def _read_members(
    names: Names, constants: "Constants", symbol: Class, bases: set[str]
) -> EnumClass:
    scope = names.class_scope(symbol)
    for method in ("__new__", "__init__"):
        if method in scope.names:
            raise Unreadable(symbol.node, f"the enum '{symbol.name}' sets its values in {method}()")
    members: list[EnumMember] = []
    local: dict[str, Any] = {}
    for name, binding in scope.names.items():
        if name.startswith("_") or not isinstance(binding, ValueBinding):
            continue
        if _is_auto(names, binding.node, scope):
            value = _auto_value(symbol, name, members, bases)
        else:
            value = constants.evaluate(binding.node, scope, local)
        local[name] = value
        members.append(EnumMember(symbol.name, name, value))
    return EnumClass(symbol.name, tuple(members))


def _is_auto(names: Names, node: ast.expr, scope: Any) -> bool:
    if not isinstance(node, ast.Call) or node.args or node.keywords:
        return False
    function = names.resolve(scope, node.func)
    return isinstance(function, External) and (function.module, function.last) == ("enum", "auto")


def _auto_value(symbol: Class, name: str, members: list[EnumMember], bases: set[str]) -> Any:
    if "StrEnum" in bases:
        return name.lower()
    numbers = [member.value for member in members]
    if bases & {"Flag", "IntFlag"} or not all(type(number) is int for number in numbers):
        raise Unreadable(symbol.node, f"auto() gives '{symbol.name}.{name}' its value at run time")
    if any(isinstance(base, ast.Name) and base.id == "str" for base in symbol.node.bases):
        raise Unreadable(symbol.node, f"auto() gives '{symbol.name}.{name}' its value at run time")
    return max(numbers, default=0) + 1

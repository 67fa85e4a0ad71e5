"""The operators, functions and methods that constants may use, each with a bound on its work."""
from __future__ import annotations

import ast
import operator
import re
import textwrap
from typing import Any, Callable, Iterable

from names import External
from values import (
    MAX_INT_BITS,
    MAX_ITEMS,
    MAX_TEXT,
    EnumClass,
    Opaque,
    SetValue,
    Unreadable,
    check_size,
)

RUN_TIME_ONLY = "it is known only when the code runs"

NUMBER_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
    ast.BitXor: operator.xor,
}

TEXT_METHODS = frozenset(
    "capitalize endswith lower lstrip removeprefix removesuffix rstrip split splitlines startswith"
    " strip swapcase title upper".split()
)

PLAIN_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "bool": bool,
    "float": float,
    "int": int,
    "len": len,
    "max": max,
    "min": min,
    "round": round,
    "sum": sum,
}


def iterate(node: ast.AST, value: Any) -> Iterable[Any]:
    if isinstance(value, EnumClass):
        return value.members
    if isinstance(value, (list, tuple, dict, str)):
        return value
    raise Unreadable(node, "it cannot be gone through")


def as_dict(node: ast.AST, value: Any) -> dict[Any, Any]:
    if isinstance(value, dict):
        return value
    raise Unreadable(node, "it is not a dict")


def plain(node: ast.AST, value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise Unreadable(node, RUN_TIME_ONLY)


def without_repeats(items: Iterable[Any]) -> list[Any]:
    kept: list[Any] = []
    for item in items:
        if item not in kept:
            kept.append(item)
    return kept


def binary(node: ast.AST, op: ast.operator, left: Any, right: Any) -> Any:
    if _is_number(left) and _is_number(right):
        return _number_result(node, op, left, right)
    if isinstance(op, ast.Add) and type(left) is type(right) and type(left) in (str, list, tuple):
        return check_size(node, left + right)
    if isinstance(op, ast.Mod) and isinstance(left, str):
        return _percent_format(node, left, right)
    if isinstance(op, ast.Mult):
        return _repeat(node, left, right)
    if isinstance(op, ast.BitOr) and isinstance(left, dict) and isinstance(right, dict):
        return {**left, **right}
    if isinstance(left, SetValue) and isinstance(right, SetValue):
        if isinstance(op, ast.BitOr):
            return SetValue(without_repeats([*left, *right]))
        if isinstance(op, ast.Sub):
            return SetValue([item for item in left if item not in right])
    raise Unreadable(node, RUN_TIME_ONLY)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _number_result(node: ast.AST, op: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(op, ast.Pow) and isinstance(left, int) and isinstance(right, int):
        if right > 0 and left.bit_length() * right > MAX_INT_BITS:
            raise Unreadable(node, "the number is too large")
    if isinstance(op, ast.LShift) and right > MAX_INT_BITS:
        raise Unreadable(node, "the number is too large")
    result = NUMBER_OPERATORS[type(op)](left, right)
    return plain(node, result)


def _repeat(node: ast.AST, left: Any, right: Any) -> Any:
    if isinstance(left, int):
        left, right = right, left
    if not isinstance(right, int) or type(left) not in (str, list, tuple):
        raise Unreadable(node, RUN_TIME_ONLY)
    limit = MAX_TEXT if isinstance(left, str) else MAX_ITEMS
    if len(left) * max(right, 0) > limit:
        raise Unreadable(node, "it is too long")
    return left * right


def check_format(node: ast.AST, spec: str) -> None:
    """Refuses widths that would make a huge text out of a short one."""
    if re.search(r"\d{4}", spec):
        raise Unreadable(node, "the width in the format is too large")


def _percent_format(node: ast.AST, template: str, values: Any) -> str:
    for spec in re.findall(r"%[^%a-zA-Z]*", template):
        check_format(node, spec)
        if "*" in spec:
            raise Unreadable(node, RUN_TIME_ONLY)
    items = values if isinstance(values, tuple) else (values,)
    return template % tuple(plain(node, item) for item in items)


def _brace_format(
    node: ast.AST, template: str, positional: list[Any], named: dict[str, Any]
) -> str:
    fields = re.findall(r"\{[^{}]*\}", template)
    if re.search(r"\{[^{}]*\{[^{}]*\}", template.replace("{{", "")) or "__" in "".join(fields):
        raise Unreadable(node, RUN_TIME_ONLY)
    for spec in fields:
        check_format(node, spec)
    for value in [*positional, *named.values()]:
        plain(node, value)
    return template.format(*positional, **named)


def method_call(
    node: ast.Call, owner: Any, name: str, positional: list[Any], named: dict[str, Any]
) -> Any:
    if isinstance(owner, dict):
        return _dict_method(node, owner, name, positional)
    if isinstance(owner, str):
        if name == "join" and len(positional) == 1:
            return _join(node, owner, positional[0])
        if name == "format":
            return _brace_format(node, owner, positional, named)
        if name == "replace" and len(positional) == 2 and not named:
            return _replace(node, owner, *positional)
        if name in TEXT_METHODS:
            return getattr(owner, name)(*positional, **named)
    if isinstance(owner, (list, tuple)) and name in ("copy", "index", "count"):
        return list(owner) if name == "copy" else getattr(owner, name)(*positional)
    raise Unreadable(node, RUN_TIME_ONLY)


def _dict_method(node: ast.Call, owner: dict[Any, Any], name: str, positional: list[Any]) -> Any:
    if name in ("keys", "values", "items") and not positional:
        return list(getattr(owner, name)())
    if name == "copy":
        return dict(owner)
    if name == "get" and positional:
        found = owner.get(*positional[:2])
        if isinstance(found, Opaque):
            raise found.cause
        return found
    raise Unreadable(node, RUN_TIME_ONLY)


def _join(node: ast.AST, separator: str, items: Any) -> str:
    parts = list(iterate(node, items))
    if isinstance(items, SetValue):
        raise Unreadable(node, "a set has no order")
    if sum(len(plain(node, part)) + len(separator) for part in parts) > MAX_TEXT:
        raise Unreadable(node, "the text is too long")
    return separator.join(parts)


def _replace(node: ast.AST, text: str, old: str, new: str) -> str:
    if len(text) + text.count(old) * len(new) > MAX_TEXT:
        raise Unreadable(node, "the text is too long")
    return text.replace(old, new)


def library_call(
    node: ast.Call, function: External, positional: list[Any], named: dict[str, Any]
) -> Any:
    if function.module == "builtins":
        return _builtin_call(node, function.name, positional, named)
    known = {("textwrap", "dedent"): textwrap.dedent}
    text_function = known.get((function.module, function.name))
    if text_function is not None and len(positional) == 1 and not named:
        return text_function(plain(node, positional[0]))
    raise Unreadable(node, RUN_TIME_ONLY)


def _builtin_call(
    node: ast.Call, name: str, positional: list[Any], named: dict[str, Any]
) -> Any:
    if name == "dict":
        return _make_dict(node, positional, named)
    if name == "sorted" and len(positional) == 1 and set(named) <= {"reverse"}:
        return sorted(iterate(node, positional[0]), reverse=bool(named.get("reverse")))
    if named:
        raise Unreadable(node, RUN_TIME_ONLY)
    if name in ("list", "tuple", "set", "frozenset") and len(positional) <= 1:
        return _make_sequence(node, name, positional)
    if name == "range":
        return _make_range(node, positional)
    if name == "str" and len(positional) == 1:
        return str(plain(node, positional[0]))
    if name == "dict.fromkeys" and positional:
        return dict.fromkeys(iterate(node, positional[0]), *positional[1:2])
    if name in PLAIN_FUNCTIONS:
        return PLAIN_FUNCTIONS[name](*positional)
    raise Unreadable(node, RUN_TIME_ONLY)


def _make_dict(node: ast.Call, positional: list[Any], named: dict[str, Any]) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for item in positional:
        pairs = item.items() if isinstance(item, dict) else iterate(node, item)
        result.update(pairs)
    result.update(named)
    return result


def _make_sequence(node: ast.Call, name: str, positional: list[Any]) -> Any:
    source = positional[0] if positional else []
    items = list(iterate(node, source))
    if name in ("set", "frozenset"):
        return SetValue(without_repeats(items))
    if isinstance(source, SetValue):
        return SetValue(items)
    return items if name == "list" else tuple(items)


def _make_range(node: ast.Call, positional: list[Any]) -> list[int]:
    numbers = range(*positional)
    if len(numbers) > MAX_ITEMS:
        raise Unreadable(node, f"it has more than {MAX_ITEMS} items")
    return list(numbers)

"""Values read from source, the limits on them, and how they look in JSON."""
from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from typing import Any

MAX_ITEMS = 10_000
MAX_TEXT = 64 * 1024
MAX_INT_BITS = 4096
# What a model server carries exactly.
INTEGER_MIN, INTEGER_MAX = -(2**63), 2**64 - 1


class Unreadable(Exception):
    """An expression whose value cannot be known without running the model's code."""

    def __init__(self, node: ast.AST | None, reason: str) -> None:
        super().__init__(reason)
        self.node = node
        self.reason = reason


class Opaque:
    """Stands for one unreadable value inside a dict whose other parts are known."""

    def __init__(self, cause: Unreadable) -> None:
        self.cause = cause


class SetValue(list[Any]):
    """A set, in source order; its order at run time is not known."""


@dataclass(frozen=True)
class EnumMember:
    owner: str
    name: str
    value: Any


@dataclass(frozen=True)
class EnumClass:
    name: str
    members: tuple[EnumMember, ...]


def check_size(node: ast.AST | None, value: Any) -> Any:
    """Refuses values that are larger than any sensible default, choice or description."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise Unreadable(node, f"the text is longer than {MAX_TEXT} characters")
    if isinstance(value, (list, tuple, dict)) and len(value) > MAX_ITEMS:
        raise Unreadable(node, f"it has more than {MAX_ITEMS} items")
    if isinstance(value, int) and value.bit_length() > MAX_INT_BITS:
        raise Unreadable(node, "the number is too large")
    return value


def to_json(value: Any, node: ast.AST | None = None, depth: int = 0) -> Any:
    """The value as JSON data; raises Unreadable for what JSON or its readers cannot hold."""
    if depth > 50:
        raise Unreadable(node, "it is nested too deeply")
    if isinstance(value, EnumMember):
        return to_json(value.value, node, depth + 1)
    if isinstance(value, Opaque):
        raise value.cause
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise Unreadable(node, "the number does not fit in 64 bits")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unreadable(node, f"{value} is not a JSON number")
        return value
    if isinstance(value, str):
        return _text_to_json(value, node)
    if isinstance(value, (list, tuple)):
        return [to_json(item, node, depth + 1) for item in value]
    if isinstance(value, dict):
        return {
            _key_to_json(key, node): to_json(item, node, depth + 1) for key, item in value.items()
        }
    raise Unreadable(node, "it is not a plain value")


def _text_to_json(value: str, node: ast.AST | None) -> str:
    if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise Unreadable(node, "the text has a character that JSON readers refuse")
    return value


def _key_to_json(key: Any, node: ast.AST | None) -> str:
    plain = to_json(key, node)
    if isinstance(plain, str):
        return plain
    if isinstance(plain, (int, float)) and not isinstance(plain, bool):
        return str(plain)
    raise Unreadable(node, "a key is neither a string nor a number")

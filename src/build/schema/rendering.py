"""Writes values and types of a running model down as the source that they could have come from."""
from __future__ import annotations

import collections.abc
import dataclasses
import enum
import inspect
import math
import os
import types
import typing
from typing import Any, Callable

TYPING = "Any Annotated AsyncIterator Iterator Literal NamedTuple Optional TypedDict Union".split()
COG = (
    "AsyncConcatenateIterator BaseModel ConcatenateIterator File Input Opaque Path Secret"
    " concurrent streaming"
).split()
BUILTINS = (str, int, float, bool, dict, list, tuple, set, frozenset, bytes, object)
INPUT_FIELDS = (
    "description",
    "ge",
    "le",
    "min_length",
    "max_length",
    "regex",
    "choices",
    "deprecated",
    "accept",
)
# A name that nothing defines: the reader then says that the value cannot be shown.
NOT_A_VALUE = "known_only_when_it_runs"
MAX_DEPTH = 20


class NoLiteral(Exception):
    pass


def literal(value: object, depth: int = 0) -> str:
    """`value` as Python source; NoLiteral when it is nothing that JSON could hold."""
    if depth > MAX_DEPTH:
        raise NoLiteral
    if isinstance(value, enum.Enum):
        return literal(value.value, depth + 1)
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, int):
        return repr(int(value))
    if isinstance(value, float) and math.isfinite(value):
        return repr(float(value))
    if isinstance(value, str):
        return repr(str(value))
    if isinstance(value, os.PathLike):
        return repr(str(value))
    if isinstance(value, collections.abc.Mapping):
        items = [f"{literal(k, depth + 1)}: {literal(v, depth + 1)}" for k, v in value.items()]
        return "{" + ", ".join(items) + "}"
    if isinstance(value, (set, frozenset)):
        # Their order differs from run to run.
        return "[" + ", ".join(sorted(literal(item, depth + 1) for item in value)) + "]"
    if isinstance(value, type) and issubclass(value, enum.Enum):
        return "[" + ", ".join(literal(item, depth + 1) for item in value) + "]"
    if isinstance(value, (list, tuple, range, type({}.keys()), type({}.values()))):
        return "[" + ", ".join(literal(item, depth + 1) for item in value) + "]"
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "shape", None) == ():
        return literal(item(), depth + 1)
    raise NoLiteral


class Renderer:
    def __init__(self, has_default: Callable[[Any], bool]) -> None:
        self.has_default = has_default
        self._classes: dict[int, str] = {}
        self._kept: list[type] = []
        self._taken = {*TYPING, *COG, "Enum", "dataclass", "AnyOther"}
        self._imports: list[str] = []
        self._definitions: list[str] = []

    def head(self) -> str:
        """What the functions need before them."""
        return "\n".join(
            [
                "from dataclasses import dataclass",
                "from enum import Enum",
                f"from typing import {', '.join(TYPING)}",
                f"from cog import {', '.join(COG)}",
                *self._imports,
                *self._definitions,
            ]
        )

    def function(
        self, name: str, function: Callable[..., Any], is_method: bool, has_self: bool
    ) -> str:
        plain = inspect.unwrap(function)
        hints = self._hints(plain)
        indent = "    " if is_method else ""
        lines = []
        if getattr(function, "__vend_streaming__", False):
            lines.append(f"{indent}@streaming")
        concurrency = getattr(function, "__cog_concurrent_max__", None)
        if isinstance(concurrency, int):
            lines.append(f"{indent}@concurrent(max={concurrency})")
        parameters = list(inspect.signature(function).parameters.values())
        written = ["self"] if is_method else []
        written += [self._parameter(item, hints) for item in parameters[1 if has_self else 0 :]]
        is_async = inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain)
        returns = f" -> {self.hint(hints['return'])}" if "return" in hints else ""
        word = "async def" if is_async else "def"
        return "\n".join(
            [*lines, f"{indent}{word} {name}({', '.join(written)}){returns}:", f"{indent}    ..."]
        )

    def _hints(self, function: Callable[..., Any]) -> dict[str, Any]:
        try:
            return typing.get_type_hints(function, include_extras=True)
        except Exception:
            return dict(getattr(function, "__annotations__", {}))

    def _parameter(self, parameter: inspect.Parameter, hints: dict[str, Any]) -> str:
        if parameter.kind is parameter.VAR_POSITIONAL:
            return f"*{parameter.name}"
        if parameter.kind is parameter.VAR_KEYWORD:
            return f"**{parameter.name}"
        text = parameter.name
        if parameter.name in hints:
            text += f": {self.hint(hints[parameter.name])}"
        if parameter.default is not parameter.empty:
            return f"{text} = {self._default(parameter.default)}"
        # Input() alone says nothing, and may stand behind parameters with a default.
        return f"{text} = Input()"

    def _default(self, value: Any) -> str:
        if type(value).__name__ != "FieldInfo" or not dataclasses.is_dataclass(value):
            return _literal_or_name(value)
        arguments = []
        if self.has_default(value):
            arguments.append(f"default={_literal_or_name(getattr(value, 'default', None))}")
        for field in INPUT_FIELDS:
            given = getattr(value, field, None)
            if given is not None:
                arguments.append(f"{field}={_literal_or_name(given)}")
        return f"Input({', '.join(arguments)})"

    def hint(self, hint: Any, depth: int = 0) -> str:
        if depth > MAX_DEPTH:
            return "AnyOther"
        if hint is None or hint is type(None):
            return "None"
        if isinstance(hint, str):
            return repr(hint)
        if isinstance(hint, typing.ForwardRef):
            return repr(hint.__forward_arg__)
        if hint is Any:
            return "Any"
        if isinstance(hint, typing.NewType):
            return self.hint(hint.__supertype__, depth + 1)
        origin = typing.get_origin(hint)
        if origin is not None:
            return self._generic(hint, origin, depth + 1)
        return self._class(hint) if isinstance(hint, type) else "AnyOther"

    def _generic(self, hint: Any, origin: Any, depth: int) -> str:
        arguments = typing.get_args(hint)
        if origin is typing.Literal:
            return f"Literal[{', '.join(_literal_or_name(item) for item in arguments)}]"
        if origin is typing.Annotated:
            inner = self.hint(arguments[0], depth)
            opaque = any(type(item).__name__ == "_OpaqueMarker" for item in arguments[1:])
            return f"Annotated[{inner}, Opaque]" if opaque else inner
        inside = ", ".join("..." if item is ... else self.hint(item, depth) for item in arguments)
        if origin is typing.Union or origin is types.UnionType:
            return f"Union[{inside}]"
        return f"{self._class(origin)}[{inside}]"

    def _class(self, found: type) -> str:
        if found in BUILTINS:
            return found.__name__
        module, name = found.__module__, found.__name__
        if module.partition(".")[0] == "cog" and name in COG:
            return name
        if found is collections.abc.Iterator or found is collections.abc.AsyncIterator:
            return name
        known = self._classes.get(id(found))
        if known is not None:
            return known
        known = self._free_name(name)
        self._classes[id(found)] = known
        self._kept.append(found)
        definition = self._definition(found, known)
        if definition is not None:
            self._definitions.append(definition)
        elif name.isidentifier():
            self._imports.append(f"from {module} import {name} as {known}")
        return known

    def _free_name(self, name: str) -> str:
        wanted, number = name, 2
        while wanted in self._taken:
            wanted, number = f"{name}_{number}", number + 1
        self._taken.add(wanted)
        return wanted

    def _definition(self, found: type, name: str) -> str | None:
        """The class written out when its parts can be shown to callers, else None."""
        if issubclass(found, enum.Enum):
            base = "str, " if issubclass(found, str) else "int, " if issubclass(found, int) else ""
            members = [f"    {item.name} = {_literal_or_name(item.value)}" for item in found]
            return "\n".join([f"class {name}({base}Enum):", *(members or ["    pass"])])
        if any(base.__name__ == "BaseModel" for base in found.__mro__):
            return self._fields(f"class {name}(BaseModel):", found)
        if dataclasses.is_dataclass(found):
            return self._fields(f"@dataclass\nclass {name}:", found)
        if typing.is_typeddict(found):
            total = getattr(found, "__total__", True)
            return self._fields(f"class {name}(TypedDict, total={total}):", found)
        if issubclass(found, tuple) and hasattr(found, "_fields"):
            return self._fields(f"class {name}(NamedTuple):", found)
        return None

    def _fields(self, head: str, found: type) -> str:
        lines = []
        for name, hint in self._hints(found).items():
            if name.startswith("_") or typing.get_origin(hint) is typing.ClassVar:
                continue
            line = f"    {name}: {self.hint(hint)}"
            default = getattr(found, name, None)
            fields = getattr(found, "model_fields", {})
            if name in fields and not fields[name].is_required():
                default = fields[name].default
            if default is not None and not inspect.ismemberdescriptor(default):
                try:
                    line += f" = {literal(default)}"
                except NoLiteral:
                    pass
            lines.append(line)
        return "\n".join([head, *(lines or ["    pass"])])


def _literal_or_name(value: object) -> str:
    try:
        return literal(value)
    except NoLiteral:
        return NOT_A_VALUE

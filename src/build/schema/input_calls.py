"""Reads the default of a parameter: a plain value, or what Input(...) says about it."""
from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from bindings import FunctionNode, Scope, argument_defaults
from constants import Constants
from errors import Place, Report, SchemaError, quoted, source_text
from names import External, Function, Names, Unbound, Value
from project import SourceFile
from values import EnumClass, Opaque, SetValue, Unreadable, to_json

MAX_HELPER_DEPTH = 10
SCALAR_ARGUMENTS: dict[str, tuple[tuple[type, ...], str]] = {
    "description": ((str,), "text"),
    "ge": ((int, float), "a number"),
    "le": ((int, float), "a number"),
    "min_length": ((int,), "a whole number"),
    "max_length": ((int,), "a whole number"),
    "regex": ((str,), "text"),
    "deprecated": ((bool,), "True or False"),
    "accept": ((str,), "text"),
}
KNOWN_ARGUMENTS = frozenset(SCALAR_ARGUMENTS) | {"default", "default_factory", "choices"}


@dataclass
class InputInfo:
    """What is known of one default. `default` counts only when `default_state` is "value"."""

    place: Place
    default_state: str = "absent"  # absent, value or unreadable
    default: Any = None
    scalars: dict[str, Any] = field(default_factory=dict)
    choices: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class _Argument:
    """One argument of Input: an expression with its scope, or a value taken from a dict."""

    node: ast.expr
    scope: Scope
    local: dict[str, Any]
    value: Any = None
    is_value: bool = False


class InputCalls:
    def __init__(self, names: Names, constants: Constants, report: Report) -> None:
        self.names = names
        self.constants = constants
        self.report = report

    def read(self, parameter: str, node: ast.expr, scope: Scope) -> InputInfo:
        """`node` is the default as written; it may be Input(...), a helper or a plain value."""
        info = self._input(parameter, node, scope, {}, 0)
        if info is not None:
            return info
        self._refuse_undefined(parameter, node, scope)
        info = InputInfo(scope.file.place(node))
        self._set_default(parameter, info, _Argument(node, scope, {}))
        return info

    def _refuse_undefined(self, parameter: str, node: ast.expr, scope: Scope) -> None:
        """A plain default with a name that nothing in the file can bind fails on import."""
        module = self.names.module_scope(scope.file)
        if module.star_imports or scope.star_imports:
            return
        for part in ast.walk(node):
            if not isinstance(part, ast.Name) or part.id in _stored_names(scope.file):
                continue
            if isinstance(self.names.lookup(scope, part.id), Unbound):
                raise SchemaError(
                    "default_not_resolvable",
                    scope.file.place(part),
                    f"the default of '{parameter}' uses '{part.id}', which the file does not"
                    " define or import; write the value itself",
                )

    def is_input_call(self, node: ast.expr, scope: Scope) -> bool:
        if not isinstance(node, ast.Call):
            return False
        symbol = self.names.resolve(scope, node.func)
        symbol = self.names.follow(symbol) if symbol is not None else None
        if isinstance(symbol, (External, Unbound)):
            return "Input" in (symbol.last, source_text(node.func))
        return False

    def _input(
        self, parameter: str, node: ast.expr, scope: Scope, local: dict[str, Any], depth: int
    ) -> InputInfo | None:
        if depth > MAX_HELPER_DEPTH:
            return None
        if isinstance(node, ast.Call):
            if self.is_input_call(node, scope):
                return self._input_call(parameter, node, scope, local)
            return self._helper_call(parameter, node, scope, local, depth)
        symbol = self.names.resolve(scope, node)
        if not isinstance(symbol, Value):
            return None
        if isinstance(symbol.node, (ast.Call, ast.Name, ast.Attribute)):
            return self._input(parameter, symbol.node, symbol.scope, {}, depth + 1)
        return None

    def _helper_call(
        self, parameter: str, node: ast.Call, scope: Scope, local: dict[str, Any], depth: int
    ) -> InputInfo | None:
        """A project function whose one `return` is Input(...), with the call's arguments put in."""
        function = self.names.resolve(scope, node.func)
        if not isinstance(function, Function) or not self._is_static(function):
            return None
        returned = _only_return(function.node)
        if returned is None:
            return None
        bound = self._bind(function, node, scope, local)
        return self._input(parameter, returned, function.scope, bound, depth + 1)

    def _is_static(self, function: Function) -> bool:
        names = [source_text(item) for item in function.node.decorator_list]
        return all(name in ("staticmethod", "classmethod") for name in names)

    def _bind(
        self, function: Function, call: ast.Call, scope: Scope, local: dict[str, Any]
    ) -> dict[str, Any]:
        arguments = function.node.args
        positional = [item.arg for item in [*arguments.posonlyargs, *arguments.args]]
        bound: dict[str, Any] = {}
        for part in ast.walk(function.node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                bound[part.id] = Opaque(Unreadable(call, f"the function sets '{part.id}' itself"))
        for argument, default in argument_defaults(function.node):
            if default is not None:
                bound[argument.arg] = self._value_or_opaque(default, function.scope, {})
        passed = [name for name in positional if name not in ("self", "cls")]
        for name, value in zip(passed, call.args):
            bound[name] = self._value_or_opaque(value, scope, local)
        for keyword in call.keywords:
            if keyword.arg is not None:
                bound[keyword.arg] = self._value_or_opaque(keyword.value, scope, local)
        for name in passed + [item.arg for item in arguments.kwonlyargs]:
            bound.setdefault(name, Opaque(Unreadable(call, f"'{name}' is not given")))
        return bound

    def _value_or_opaque(self, node: ast.expr, scope: Scope, local: dict[str, Any]) -> Any:
        try:
            return self.constants.evaluate(node, scope, local)
        except Unreadable as cause:
            return Opaque(cause)

    def _input_call(
        self, parameter: str, node: ast.Call, scope: Scope, local: dict[str, Any]
    ) -> InputInfo:
        info = InputInfo(scope.file.place(node))
        arguments = self._arguments(parameter, node, scope, local, info)
        for name, argument in arguments.items():
            self._apply(parameter, info, name, argument)
        return info

    def _arguments(
        self,
        parameter: str,
        node: ast.Call,
        scope: Scope,
        local: dict[str, Any],
        info: InputInfo,
    ) -> dict[str, _Argument]:
        found: dict[str, _Argument] = {}
        for position, value in enumerate(node.args):
            if position == 0 and not isinstance(value, ast.Starred):
                found["default"] = _Argument(value, scope, local)
            else:
                self._warn(
                    info.place,
                    f"Input() of '{parameter}' takes one value without a name, its default, so the"
                    " model will not start; name the others, as in description=...",
                )
        for keyword in node.keywords:
            if keyword.arg is not None:
                found[keyword.arg] = _Argument(keyword.value, scope, local)
                continue
            spread = self._value_or_opaque(keyword.value, scope, local)
            if isinstance(spread, dict):
                for name, value in spread.items():
                    found[str(name)] = _Argument(keyword.value, scope, local, value, True)
            else:
                info.default_state = "unreadable"
                self._warn(
                    info.place,
                    f"'**{source_text(keyword.value)}' in the Input of '{parameter}' cannot be read"
                    " from the source, so what it sets is not shown; write the arguments out",
                    f"'**{source_text(keyword.value)}' of '{parameter}' is",
                )
        return found

    def _apply(self, parameter: str, info: InputInfo, name: str, argument: _Argument) -> None:
        if name == "default":
            self._set_default(parameter, info, argument)
        elif name == "default_factory":
            self._refuse_factory(parameter, info, argument)
        elif name == "choices":
            self._set_choices(parameter, info, argument)
        elif name in SCALAR_ARGUMENTS:
            self._set_scalar(parameter, info, name, argument)
        else:
            hint = {"gt": "use ge", "lt": "use le"}.get(name, "remove it")
            self._warn(
                info.place,
                f"Input() has no argument '{name}', so the model will not start; {hint}"
                f" in the Input of '{parameter}'",
            )

    def _value(self, argument: _Argument) -> Any:
        if argument.is_value:
            if isinstance(argument.value, Opaque):
                raise argument.value.cause
            return argument.value
        return self.constants.evaluate(argument.node, argument.scope, argument.local)

    def _set_default(self, parameter: str, info: InputInfo, argument: _Argument) -> None:
        try:
            value = to_json(self._value(argument), argument.node)
        except Unreadable as cause:
            info.default_state = "unreadable"
            self._warn(
                argument.scope.file.place(argument.node),
                f"the default '{source_text(argument.node)}' of '{parameter}' is not shown, because"
                f" {cause.reason}; give a plain value to show it",
                f"the default '{source_text(argument.node)}' of '{parameter}' is",
            )
        else:
            info.default_state, info.default = "value", value

    def _refuse_factory(self, parameter: str, info: InputInfo, argument: _Argument) -> None:
        if isinstance(argument.node, ast.Constant) and argument.node.value is None:
            return
        raise SchemaError(
            "default_factory",
            info.place,
            f"Input of '{parameter}' has default_factory, which Cog refuses; write"
            " Input(default=...) with the value itself, or None and make the value in the method",
        )

    def _set_scalar(self, parameter: str, info: InputInfo, name: str, argument: _Argument) -> None:
        place = argument.scope.file.place(argument.node)
        types, wanted = SCALAR_ARGUMENTS[name]
        try:
            value = to_json(self._value(argument), argument.node)
        except Unreadable as cause:
            self._warn(
                place,
                f"{name}='{source_text(argument.node)}' of '{parameter}' is not used, because"
                f" {cause.reason}; write the value out",
                f"{name}='{source_text(argument.node)}' of '{parameter}' is",
            )
            return
        if value is None:
            return
        as_whole = isinstance(value, float) and types == (int,) and value.is_integer()
        value = int(value) if as_whole else value
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            self._warn(
                place,
                f"{name}={quoted(value)} of '{parameter}' is not used, because it is not {wanted};"
                f" give {wanted}",
            )
            return
        info.scalars[name] = value

    def _set_choices(self, parameter: str, info: InputInfo, argument: _Argument) -> None:
        place = argument.scope.file.place(argument.node)
        text = source_text(argument.node)
        computed = f"the choices '{text}' of '{parameter}' are"
        try:
            value = self._value(argument)
            computed = ""
            if isinstance(value, SetValue):
                raise Unreadable(argument.node, "a set has no order")
            if isinstance(value, dict):
                value = list(value)
            elif isinstance(value, EnumClass):
                value = list(value.members)
            plain = to_json(value, argument.node)
            if plain is not None and not isinstance(plain, list):
                raise Unreadable(argument.node, "it is not a list")
        except Unreadable as cause:
            raise SchemaError(
                "choices_not_resolvable",
                place,
                f"the choices '{text}' of '{parameter}' cannot be read from"
                f' the source: {cause.reason}; write a list such as choices=["a", "b"]',
                computed,
            ) from None
        info.choices = plain or []

    def _warn(self, place: Place, message: str, computed: str = "") -> None:
        self.report.warn(place, message, computed)


def _stored_names(file: SourceFile) -> set[str]:
    """Every name that any statement of the file sets, whether or not it is followed."""
    known = file.cache.get("stored names")
    if not isinstance(known, set):
        nodes = (part for part in ast.walk(file.tree) if isinstance(part, ast.Name))
        known = {part.id for part in nodes if isinstance(part.ctx, ast.Store)}
        file.cache["stored names"] = known
    return known


def _only_return(node: FunctionNode) -> ast.expr | None:
    """The value of the single return statement, when it stands directly in the body."""
    if isinstance(node, ast.AsyncFunctionDef):
        return None
    returns = [item for item in ast.walk(node) if isinstance(item, ast.Return)]
    if len(returns) != 1 or returns[0] not in node.body:
        return None
    return returns[0].value

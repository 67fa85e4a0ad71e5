"""Works out the value of an expression from the source alone; nothing of the model is run."""
from __future__ import annotations

import ast
import operator
from typing import Any, Callable, Iterator

import calls
from bindings import Scope
from enums import read_enum
from errors import Place, SchemaError
from names import Class, External, Names, Unbound, Value
from values import EnumClass, EnumMember, Opaque, SetValue, Unreadable, check_size

MAX_STEPS = 200_000
MAX_DEPTH = 150

COMPARISONS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, group: item in group,
    ast.NotIn: lambda item, group: item not in group,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


class Constants:
    def __init__(self, names: Names) -> None:
        self.names = names
        self._steps = 0

    def evaluate(self, node: ast.expr, scope: Scope, local: dict[str, Any] | None = None) -> Any:
        """The value of `node` seen from `scope`; raises Unreadable when the source has none."""
        try:
            return _Evaluation(self, scope, local or {}, 0).value(node)
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as problem:
            raise Unreadable(node, f"python would refuse it: {problem}") from None

    def step(self, place: Place) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise SchemaError(
                "too_complex",
                place,
                "the constants of the model take too long to work out; write their values out",
            )


class _Evaluation:
    """One expression tree in one scope; `local` holds comprehension and helper variables."""

    def __init__(
        self, constants: Constants, scope: Scope, local: dict[str, Any], depth: int
    ) -> None:
        self.constants = constants
        self.names = constants.names
        self.scope = scope
        self.local = local
        self.depth = depth

    def value(self, node: ast.expr) -> Any:
        self.constants.step(self.scope.file.place(node))
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable(node, "it is nested too deeply")
        try:
            name = f"_{type(node).__name__.lower()}"
            method: Callable[[ast.expr], Any] | None = getattr(self, name, None)
            if method is None:
                raise Unreadable(node, "it is known only when the code runs")
            return check_size(node, method(node))
        finally:
            self.depth -= 1

    def _constant(self, node: ast.Constant) -> Any:
        if node.value is None or isinstance(node.value, (bool, int, float, str)):
            return node.value
        raise Unreadable(node, "only text, numbers, booleans and None can be written in JSON")

    def _name(self, node: ast.Name) -> Any:
        if node.id in self.local:
            value = self.local[node.id]
            if isinstance(value, Opaque):
                raise value.cause
            return value
        return self._symbol_value(node, self.names.lookup(self.scope, node.id))

    def _attribute(self, node: ast.Attribute) -> Any:
        symbol = None
        root = _root_name(node)
        if root is None or root not in self.local:
            symbol = self.names.resolve(self.scope, node)
        if symbol is not None:
            owner = self.names.resolve(self.scope, node.value)
            owner = self.names.follow(owner) if owner is not None else None
            if isinstance(owner, Class):
                enum = read_enum(self.names, self.constants, owner)
                if enum is not None:
                    return _enum_attribute(node, enum)
            return self._symbol_value(node, symbol)
        base = self.value(node.value)
        if isinstance(base, EnumMember) and node.attr in ("value", "name"):
            return base.value if node.attr == "value" else base.name
        if isinstance(base, EnumClass):
            return _enum_attribute(node, base)
        raise Unreadable(node, "it is known only when the code runs")

    def _symbol_value(self, node: ast.expr, symbol: object) -> Any:
        if isinstance(symbol, Value):
            if symbol.changed_line:
                raise Unreadable(node, f"line {symbol.changed_line} changes it")
            inner = _Evaluation(self.constants, symbol.scope, {}, self.depth)
            return inner.value(symbol.node)
        if isinstance(symbol, Class):
            enum = read_enum(self.names, self.constants, symbol)
            if enum is not None:
                return enum
        if isinstance(symbol, External) and symbol.module != "builtins":
            raise Unreadable(node, f"it comes from '{symbol.module}', which is not in the project")
        if isinstance(symbol, Unbound):
            reason = f"the name '{symbol.name}' is not given a value at the top level"
            raise Unreadable(node, reason)
        raise Unreadable(node, "it is known only when the code runs")

    def _list(self, node: ast.List) -> list[Any]:
        return list(self._items(node.elts))

    def _tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self._items(node.elts))

    def _set(self, node: ast.Set) -> SetValue:
        return SetValue(calls.without_repeats(self._items(node.elts)))

    def _items(self, nodes: list[ast.expr]) -> Iterator[Any]:
        for node in nodes:
            if isinstance(node, ast.Starred):
                yield from calls.iterate(node, self.value(node.value))
            else:
                yield self.value(node)

    def _dict(self, node: ast.Dict) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values):
            if key is None:
                result.update(calls.as_dict(value, self.value(value)))
            else:
                result[self.value(key)] = self.value_or_opaque(value)
        return result

    def value_or_opaque(self, node: ast.expr) -> Any:
        try:
            return self.value(node)
        except Unreadable as cause:
            return Opaque(cause)

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return not value
        if isinstance(node.op, ast.USub):
            return -value
        return +value if isinstance(node.op, ast.UAdd) else ~value

    def _binop(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        return calls.binary(node, node.op, left, right)

    def _boolop(self, node: ast.BoolOp) -> Any:
        value = None
        for part in node.values:
            value = self.value(part)
            if bool(value) is isinstance(node.op, ast.Or):
                return value
        return value

    def _compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for op, part in zip(node.ops, node.comparators):
            right = self.value(part)
            if not COMPARISONS[type(op)](left, right):
                return False
            left = right
        return True

    def _ifexp(self, node: ast.IfExp) -> Any:
        return self.value(node.body if self.value(node.test) else node.orelse)

    def _subscript(self, node: ast.Subscript) -> Any:
        base = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            parts = (node.slice.lower, node.slice.upper, node.slice.step)
            index: Any = slice(*[None if part is None else self.value(part) for part in parts])
        else:
            index = self.value(node.slice)
        if isinstance(base, EnumClass):
            return _enum_member(node, base, index)
        if isinstance(base, SetValue):
            raise Unreadable(node, "a set has no order")
        found = base[index]
        if isinstance(found, Opaque):
            raise found.cause
        return found

    def _joinedstr(self, node: ast.JoinedStr) -> str:
        return "".join(self.value(part) for part in node.values)

    def _formattedvalue(self, node: ast.FormattedValue) -> str:
        value = calls.plain(node, self.value(node.value))
        spec = self.value(node.format_spec) if node.format_spec is not None else ""
        calls.check_format(node, spec)
        conversions: dict[int, Callable[[object], str]] = {115: str, 114: repr, 97: ascii}
        if node.conversion in conversions:
            value = conversions[node.conversion](value)
        return format(value, spec)

    def _listcomp(self, node: ast.ListComp) -> list[Any]:
        return [self.value(node.elt) for _ in self._loops(node, node.generators)]

    def _generatorexp(self, node: ast.GeneratorExp) -> list[Any]:
        return [self.value(node.elt) for _ in self._loops(node, node.generators)]

    def _setcomp(self, node: ast.SetComp) -> SetValue:
        items = (self.value(node.elt) for _ in self._loops(node, node.generators))
        return SetValue(calls.without_repeats(items))

    def _dictcomp(self, node: ast.DictComp) -> dict[Any, Any]:
        loops = self._loops(node, node.generators)
        return {self.value(node.key): self.value_or_opaque(node.value) for _ in loops}

    def _loops(self, node: ast.AST, generators: list[ast.comprehension]) -> Iterator[None]:
        outer = dict(self.local)
        yield from self._loop(node, generators)
        self.local = outer

    def _loop(self, node: ast.AST, generators: list[ast.comprehension]) -> Iterator[None]:
        if not generators:
            yield None
            return
        first, rest = generators[0], generators[1:]
        for item in calls.iterate(node, self.value(first.iter)):
            self.constants.step(self.scope.file.place(first.target))
            self._assign(first.target, item)
            if all(self.value(test) for test in first.ifs):
                yield from self._loop(node, rest)

    def _assign(self, target: ast.expr, item: Any) -> None:
        if isinstance(target, ast.Name):
            self.local[target.id] = item
            return
        if not isinstance(target, (ast.Tuple, ast.List)):
            raise Unreadable(target, "it is known only when the code runs")
        items = list(calls.iterate(target, item))
        if len(items) != len(target.elts):
            raise Unreadable(target, "python would refuse it: the numbers of values differ")
        for part, value in zip(target.elts, items):
            self._assign(part, value)

    def _call(self, node: ast.Call) -> Any:
        positional = list(self._items(node.args))
        named: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                named.update(calls.as_dict(node, self.value(keyword.value)))
            else:
                named[keyword.arg] = self.value_or_opaque(keyword.value)
        symbol = self.names.resolve(self.scope, node.func)
        if isinstance(symbol, External):
            return calls.library_call(node, symbol, positional, named)
        if isinstance(node.func, ast.Attribute):
            owner = self.value(node.func.value)
            return calls.method_call(node, owner, node.func.attr, positional, named)
        raise Unreadable(node, "it is known only when the code runs")


def _root_name(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _enum_attribute(node: ast.Attribute, enum: EnumClass) -> Any:
    if node.attr == "__members__":
        return {member.name: member for member in enum.members}
    return _enum_member(node, enum, node.attr)


def _enum_member(node: ast.AST, enum: EnumClass, name: object) -> EnumMember:
    for member in enum.members:
        if member.name == name:
            return member
    raise Unreadable(node, f"the enum '{enum.name}' has no member {name!r}")


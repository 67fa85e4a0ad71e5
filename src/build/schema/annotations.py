"""Reads a type annotation into a small tree of type references, through aliases and strings."""
from __future__ import annotations

import ast
from dataclasses import dataclass

from bindings import Scope
from errors import Place, SchemaError, source_text
from names import Class, External, Function, Names, Symbol, Unbound, Value

MAX_DEPTH = 40
KNOWN_ORIGINS = frozenset("builtins cog collections collections.abc pathlib typing".split()) | {
    "",
    "typing_extensions",
}


@dataclass(frozen=True, eq=False)
class TypeRef:
    """`name` is the library spelling ("Optional", "str", "union" for `|`), or empty for a class.

    `origin` is the module that a library name comes from; empty when nothing imports it.
    """

    place: Place
    text: str
    name: str = ""
    origin: str = ""
    args: tuple["TypeRef", ...] = ()
    # The arguments as written: Literal values and Annotated metadata are no types.
    raw_args: tuple[ast.expr, ...] = ()
    scope: Scope | None = None
    symbol: Symbol | None = None
    subscripted: bool = False

    @property
    def project_class(self) -> Class | None:
        return self.symbol if isinstance(self.symbol, Class) else None

    def is_none(self) -> bool:
        return self.name == "None"

    def is_union(self) -> bool:
        return self.name == "union" or (self.name == "Union" and self.subscripted)

    def is_list(self) -> bool:
        return self.name in ("list", "List")

    def is_typing_list(self) -> bool:
        """A list of Python itself; an input may also be some other library's List."""
        return self.is_list() and self.origin in ("", "builtins", "typing", "typing_extensions")

    def computed(self) -> str:
        """For errors: a class of some library may be one whose parts can be shown."""
        is_library = isinstance(self.symbol, External) and self.origin not in KNOWN_ORIGINS
        return f"the type '{self.text}' is" if is_library else ""

    def is_dict(self) -> bool:
        return self.name in ("dict", "Dict")


class Annotations:
    def __init__(self, names: Names) -> None:
        self.names = names

    def read(self, node: ast.expr, scope: Scope, depth: int = 0) -> TypeRef:
        place = scope.file.place(node)
        text = source_text(node)
        if depth > MAX_DEPTH:
            raise SchemaError(
                "unresolvable_type",
                place,
                f"the type '{text}' is nested too deeply or leads back to itself;"
                " write a simpler type",
            )
        if isinstance(node, ast.Constant):
            return self._constant(node, scope, depth)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return self._pipe(node, scope, depth)
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self._named(node, scope, depth)
        if isinstance(node, ast.Subscript):
            return self._subscript(node, scope, depth)
        raise SchemaError(
            "unsupported_type",
            place,
            f"'{text}' is not a type that can be read from the source; name a type such as str,"
            " int, float, bool, Path or a class of the project",
        )

    def _constant(self, node: ast.Constant, scope: Scope, depth: int) -> TypeRef:
        place = scope.file.place(node)
        if node.value is None:
            return TypeRef(place, "None", name="None", origin="builtins")
        if isinstance(node.value, str):
            return self.read(parse_string(node, scope), scope, depth + 1)
        raise SchemaError(
            "unsupported_type",
            place,
            f"'{source_text(node)}' is not a type; name a type such as str, int or Path",
        )

    def _pipe(self, node: ast.BinOp, scope: Scope, depth: int) -> TypeRef:
        members: list[TypeRef] = []
        for side in (node.left, node.right):
            member = self.read(side, scope, depth + 1)
            members.extend(member.args if member.name == "union" else [member])
        place = scope.file.place(node)
        return TypeRef(place, source_text(node), name="union", args=tuple(members))

    def _named(self, node: ast.expr, scope: Scope, depth: int) -> TypeRef:
        symbol = self.names.resolve(scope, node)
        place, text = scope.file.place(node), source_text(node)
        symbol = self.names.follow(symbol) if symbol is not None else None
        if isinstance(symbol, Value):
            return self._alias(symbol, place, text, depth)
        if isinstance(symbol, (External, Unbound)):
            origin = symbol.module if isinstance(symbol, External) else ""
            return TypeRef(place, text, name=symbol.last, origin=origin, symbol=symbol)
        if isinstance(symbol, (Class, Function)):
            return TypeRef(place, text, symbol=symbol)
        return TypeRef(place, text)

    def _alias(self, symbol: Value, place: Place, text: str, depth: int) -> TypeRef:
        node = symbol.node
        if isinstance(node, ast.Call):
            function = self.names.resolve(symbol.scope, node.func)
            if isinstance(function, External) and function.last == "NewType":
                if len(node.args) == 2:
                    return self.read(node.args[1], symbol.scope, depth + 1)
            return TypeRef(place, text, symbol=symbol)
        if isinstance(node, (ast.Subscript, ast.BinOp, ast.Constant)):
            return self.read(node, symbol.scope, depth + 1)
        return TypeRef(place, text, symbol=symbol)

    def _subscript(self, node: ast.Subscript, scope: Scope, depth: int) -> TypeRef:
        base = self.read(node.value, scope, depth + 1)
        inside = node.slice
        raw = tuple(inside.elts) if isinstance(inside, ast.Tuple) else (inside,)
        if base.name == "Literal":
            args: tuple[TypeRef, ...] = ()
        elif base.name == "Annotated":
            args = (self.read(raw[0], scope, depth + 1),) if raw else ()
        elif base.is_dict():
            # A dict input is an object whatever it holds: only outputs look into the arguments.
            args = ()
        else:
            args = tuple(self.read(part, scope, depth + 1) for part in raw)
        return TypeRef(
            scope.file.place(node),
            source_text(node),
            name=base.name,
            origin=base.origin,
            args=args,
            raw_args=raw,
            scope=scope,
            symbol=base.symbol,
            subscripted=True,
        )

    def is_opaque(self, ref: TypeRef) -> bool:
        """True for Annotated[T, Opaque] with cog's own marker."""
        if ref.name != "Annotated" or ref.scope is None or not ref.args:
            return False
        for metadata in ref.raw_args[1:]:
            symbol = self.names.resolve(ref.scope, metadata)
            if isinstance(symbol, External) and symbol.last == "Opaque":
                return symbol.module == "cog"
        return False


def parse_string(node: ast.Constant, scope: Scope) -> ast.expr:
    """The expression inside a quoted annotation, with the line of the quotes."""
    text = str(node.value)
    place = scope.file.place(node)
    try:
        inner = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise SchemaError(
            "unsupported_type",
            place,
            f"the quoted type {text[:60]!r} is not a type; write it without the quotes",
        ) from None
    for part in ast.walk(inner):
        if hasattr(part, "lineno"):
            part.lineno = node.lineno
    return inner


def unwrap_annotated(ref: TypeRef) -> TypeRef:
    """The type inside Annotated[...]; its metadata means nothing to the document."""
    while ref.name == "Annotated" and ref.args:
        ref = ref.args[0]
    return ref


def split_optional(ref: TypeRef) -> TypeRef | None:
    """The type inside Optional[X] or X | None with exactly one other member, else None."""
    if ref.name == "Optional" and len(ref.args) == 1:
        return ref.args[0]
    if ref.is_union() and len(ref.args) == 2:
        others = [arg for arg in ref.args if not arg.is_none()]
        return others[0] if len(others) == 1 else None
    return None

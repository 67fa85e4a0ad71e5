"""Turns the annotation of a parameter into the type that the Input schema shows."""
from __future__ import annotations

import ast
import copy
from dataclasses import dataclass, replace
from typing import Any

from annotations import Annotations, TypeRef, unwrap_annotated
from classes import Classes
from constants import Constants
from enums import read_enum
from errors import SchemaError
from names import Class, External
from values import Unreadable, to_json

PRIMITIVES: dict[str, dict[str, Any]] = {
    "bool": {"type": "boolean"},
    "float": {"type": "number"},
    "int": {"type": "integer"},
    "str": {"type": "string"},
    "Path": {"type": "string", "format": "uri"},
    "File": {"type": "string", "format": "uri"},
    "Secret": {
        "type": "string",
        "format": "password",
        "writeOnly": True,
        "x-cog-secret": True,
    },
    "Any": {"type": "object"},
}
FILE_TYPES = ("Path", "File")
NOT_IN_UNIONS = ("Path", "File", "Secret")
INPUT_TYPES_HINT = (
    "use str, int, float, bool, Path, Secret, dict, a list or Optional of one of these,"
    " or Literal for fixed choices"
)


@dataclass(frozen=True)
class InputType:
    """`kind` is primitive, object, anything, array, choice or union."""

    kind: str
    primitive: str = ""
    item: "InputType | None" = None
    variants: tuple["InputType", ...] = ()
    choices: tuple[Any, ...] = ()
    nullable: bool = False

    @property
    def scalar(self) -> "InputType":
        """The type of one value: the item of an array, otherwise the type itself."""
        return self.item if self.kind == "array" and self.item is not None else self

    def schema(self) -> dict[str, Any]:
        result = self._schema()
        if self.nullable:
            result["nullable"] = True
        return result

    def _schema(self) -> dict[str, Any]:
        if self.kind == "primitive":
            return copy.deepcopy(PRIMITIVES[self.primitive])
        if self.kind == "anything":
            return {}
        if self.kind == "array":
            return {"type": "array", "items": self.item.schema() if self.item else {}}
        if self.kind == "choice":
            return enum_schema(list(self.choices))
        if self.kind == "union":
            parts = [replace(part, nullable=self.nullable).schema() for part in self.variants]
            return {"anyOf": parts}
        return {"type": "object"}

    def json_type(self) -> str:
        """The JSON type name of one value, as the component of its choices shows it."""
        if self.kind == "primitive":
            return str(PRIMITIVES[self.primitive]["type"])
        if self.kind == "choice":
            return json_type_of(list(self.choices)) or ""
        return "object" if self.kind == "object" else ""


def json_type_of(values: list[Any]) -> str | None:
    """The JSON type that all values share, or None."""
    kinds = {type(value) for value in values}
    if kinds == {int, float}:
        return "number"
    names = {str: "string", bool: "boolean", int: "integer", float: "number"}
    return names.get(kinds.pop()) if len(kinds) == 1 else None


def enum_schema(values: list[Any]) -> dict[str, Any]:
    shared = json_type_of(values)
    return {"enum": values, **({"type": shared} if shared else {})}


class InputTypes:
    def __init__(self, annotations: Annotations, constants: Constants, classes: Classes) -> None:
        self.annotations = annotations
        self.constants = constants
        self.classes = classes

    def resolve(self, ref: TypeRef) -> InputType:
        if ref.name == "Annotated" and ref.args:
            if self.annotations.is_opaque(ref):
                return self._opaque(ref.args[0])
            return self.resolve(unwrap_annotated(ref))
        if ref.project_class is not None:
            return self._project_class(ref, ref.project_class)
        if ref.subscripted:
            return self._generic(ref)
        return self._simple(ref)

    def _simple(self, ref: TypeRef) -> InputType:
        if ref.name in PRIMITIVES:
            return InputType("primitive", ref.name)
        if ref.is_dict() or self.classes.is_typed_dict_call(ref.symbol):
            return InputType("object")
        if ref.is_list():
            return InputType("array")
        if ref.name == "union":
            return self._union(ref)
        raise self._unknown(ref)

    def _unknown(self, ref: TypeRef) -> SchemaError:
        imported = isinstance(ref.symbol, External) or ref.is_none()
        plain_builtin = ref.origin == "builtins" and ref.name not in ("set", "None")
        source = f" from '{ref.origin}'" if imported and ref.origin else ""
        return SchemaError(
            "unresolvable_type" if imported and not plain_builtin else "unsupported_type",
            ref.place,
            f"'{ref.text}'{source} cannot be an input type; {INPUT_TYPES_HINT},"
            " or mark a JSON-shaped type with Annotated[..., Opaque]",
            ref.computed(),
        )

    def _generic(self, ref: TypeRef) -> InputType:
        if ref.is_dict():
            return InputType("object")
        if ref.name == "Optional":
            if len(ref.args) != 1:
                raise self._unsupported(ref, "takes exactly one type; write Optional[str]")
            return replace(self.resolve(ref.args[0]), nullable=True)
        if ref.is_union():
            return self._union(ref)
        if ref.is_list():
            return self._list(ref)
        if ref.name == "Literal":
            return self._literal(ref)
        raise self._unsupported(ref, f"is not a supported input type; {INPUT_TYPES_HINT}")

    def _unsupported(self, ref: TypeRef, message: str, computed: str = "") -> SchemaError:
        return SchemaError("unsupported_type", ref.place, f"'{ref.text}' {message}", computed)

    def _list(self, ref: TypeRef) -> InputType:
        if len(ref.args) != 1:
            raise self._unsupported(ref, "takes exactly one type; write list[str]")
        item = self.resolve(ref.args[0])
        if item.nullable or item.kind in ("array", "union"):
            raise self._unsupported(
                ref,
                "nests lists, unions or Optional in a list; use a list of one plain type or dict",
            )
        return InputType("array", item=item)

    def _union(self, ref: TypeRef) -> InputType:
        variants: list[InputType] = []
        nullable = False
        for arg in ref.args:
            if arg.is_none():
                nullable = True
                continue
            if arg.is_union():
                raise self._unsupported(ref, "nests a union in a union; write one flat union")
            variants.append(self.resolve(arg))
        if not variants:
            raise self._unsupported(ref, "has no type besides None; name one, such as str | None")
        if len(variants) == 1:
            return replace(variants[0], nullable=variants[0].nullable or nullable)
        for variant in variants:
            self._check_variant(ref, variant)
        return InputType("union", variants=tuple(variants), nullable=nullable)

    def _check_variant(self, ref: TypeRef, variant: InputType) -> None:
        if variant.nullable or variant.kind == "union":
            raise self._unsupported(
                ref, "nests Optional in a union; put None beside the other types"
            )
        if variant.scalar.primitive in NOT_IN_UNIONS:
            raise self._unsupported(
                ref,
                f"has {variant.scalar.primitive} in a union, which cannot be told from text;"
                " make two optional parameters of it",
            )

    def _opaque(self, ref: TypeRef) -> InputType:
        """An opaque type keeps only its outer list or Optional."""
        if self.annotations.is_opaque(ref):
            return self._opaque(ref.args[0])
        if ref.is_typing_list():
            return InputType("array", item=InputType("object"))
        others = [arg for arg in ref.args if not arg.is_none()]
        optional_union = ref.is_union() and len(ref.args) == 2 and len(others) == 1
        if optional_union or (ref.name == "Optional" and len(others) == 1):
            return replace(self._opaque(others[0]), nullable=True)
        return InputType("object")

    def _literal(self, ref: TypeRef) -> InputType:
        values: list[Any] = []
        for node in ref.raw_args:
            value = self._literal_value(ref, node)
            if not any(value == known and type(value) is type(known) for known in values):
                values.append(value)
        nullable = None in values
        choices = tuple(value for value in values if value is not None)
        if not choices:
            raise self._unsupported(
                ref, "has no value besides None; list the values to choose from"
            )
        return InputType("choice", choices=choices, nullable=nullable)

    def _literal_value(self, ref: TypeRef, node: ast.expr) -> Any:
        assert ref.scope is not None
        try:
            value = to_json(self.constants.evaluate(node, ref.scope), node)
        except Unreadable as cause:
            reason = cause.reason
        else:
            if value is None or isinstance(value, (str, int, bool)):
                return value
            reason = "Literal takes text, whole numbers and booleans"
        raise self._unsupported(ref, f"has a value that cannot be used: {reason}; write it out")

    def _project_class(self, ref: TypeRef, symbol: Class) -> InputType:
        if self.classes.is_typed_dict(symbol):
            return InputType("object")
        try:
            enum = read_enum(self.annotations.names, self.constants, symbol)
            values = [] if enum is None else to_json([m.value for m in enum.members], symbol.node)
        except Unreadable as cause:
            raise self._unsupported(
                ref,
                f"is an enum with a value that cannot be read from the source: {cause.reason};"
                " write the value of each member out",
                f"the enum '{symbol.name}' is",
            ) from None
        if values:
            choices: list[Any] = []
            for value in values:
                if value not in choices:
                    choices.append(value)
            return InputType("choice", choices=tuple(choices))
        raise SchemaError(
            "unsupported_type",
            ref.place,
            f"the class '{symbol.name}' cannot be an input type; take a dict, or a TypedDict when"
            " its keys matter, and make the object in the method",
        )

"""Turns a return annotation into the Output schema, with models written out in place."""
from __future__ import annotations

from typing import Any

from annotations import Annotations, TypeRef, split_optional, unwrap_annotated
from classes import Classes, Field
from constants import Constants
from enums import read_enum
from errors import Place, SchemaError
from input_types import PRIMITIVES, enum_schema
from names import Class, External, Value
from values import Unreadable, to_json

MAX_SCHEMA_NODES = 5000
ITERATORS = ("Iterator", "AsyncIterator")
CONCATENATE_ITERATORS = ("ConcatenateIterator", "AsyncConcatenateIterator")
OUTPUT_HINT = (
    "return str, int, float, bool, Path, dict, a list of these, Iterator[...],"
    " ConcatenateIterator[str], or a BaseModel or dataclass with such fields"
)


def title_case(name: str) -> str:
    """snake_case as the words of a title; only ASCII letters are raised, as in Cog."""
    words = name.split("_")
    return " ".join(word[:1].upper() + word[1:] if word[:1].isascii() else word for word in words)


class Outputs:
    def __init__(self, annotations: Annotations, constants: Constants, classes: Classes) -> None:
        self.annotations = annotations
        self.constants = constants
        self.classes = classes
        self._nodes = 0

    def schema(self, ref: TypeRef) -> dict[str, Any]:
        result = self._resolve(ref, ())
        result["title"] = "Output"
        return result

    def streams(self, schema: dict[str, Any]) -> bool:
        return schema.get("x-cog-array-type") == "iterator"

    def _resolve(self, ref: TypeRef, open_classes: tuple[object, ...]) -> dict[str, Any]:
        self._count(ref.place)
        if ref.name == "Annotated" and ref.args:
            if self.annotations.is_opaque(ref):
                return self._opaque(ref, ref.args[0])
            return self._resolve(unwrap_annotated(ref), open_classes)
        if ref.project_class is not None:
            return self._project_class(ref, ref.project_class, open_classes)
        if ref.is_union() or ref.name == "Optional":
            raise self._union_error(ref)
        if ref.is_typing_list():
            return self._list(ref, open_classes)
        if ref.is_dict():
            return self._dict(ref, open_classes)
        if ref.subscripted:
            return self._generic(ref, open_classes)
        if ref.name in PRIMITIVES:
            return dict(PRIMITIVES[ref.name])
        if isinstance(ref.symbol, Value) and self.classes.is_typed_dict_call(ref.symbol):
            return self._object(self.classes.typed_dict_call_fields(ref.symbol), open_classes)
        raise self._unknown(ref)

    def _count(self, place: Place) -> None:
        self._nodes += 1
        if self._nodes > MAX_SCHEMA_NODES:
            raise SchemaError(
                "too_complex",
                place,
                "the output type is too large when its classes are written out; return a dict"
                " for its inner parts",
            )

    def _unknown(self, ref: TypeRef) -> SchemaError:
        if ref.is_none():
            message = f"the method says that it returns None; {OUTPUT_HINT}"
        elif ref.name in ITERATORS + CONCATENATE_ITERATORS:
            message = f"'{ref.text}' does not say of what; write {ref.text}[str]"
        else:
            imported = isinstance(ref.symbol, External) and ref.origin not in ("", "builtins")
            source = f" from '{ref.origin}'" if imported else ""
            message = (
                f"what '{ref.text}'{source} becomes in JSON is not known; {OUTPUT_HINT},"
                " or mark a JSON-shaped type with Annotated[..., Opaque]"
            )
        return SchemaError("unresolvable_type", ref.place, message, ref.computed())

    def _union_error(self, ref: TypeRef) -> SchemaError:
        if ref.name == "Optional" or split_optional(ref) is not None:
            return SchemaError(
                "optional_output",
                ref.place,
                f"the output '{ref.text}' may be None, which is not allowed; return the type"
                " itself and raise an exception when there is no result",
            )
        return SchemaError(
            "unsupported_type",
            ref.place,
            f"the output '{ref.text}' is a union, which is not allowed; return one type, or a"
            " BaseModel with an Optional field for each case",
        )

    def _unsupported(self, ref: TypeRef, message: str) -> SchemaError:
        return SchemaError("unsupported_type", ref.place, f"'{ref.text}' {message}")

    def _opaque(self, ref: TypeRef, inner: TypeRef) -> dict[str, Any]:
        if split_optional(inner) is not None:
            raise self._union_error(inner)
        if inner.is_typing_list() and len(inner.args) <= 1:
            return {"type": "array", "items": {"type": "object"}}
        return {"type": "object"}

    def _list(self, ref: TypeRef, open_classes: tuple[object, ...]) -> dict[str, Any]:
        if not ref.subscripted:
            return {"type": "array", "items": {"type": "object"}}
        if len(ref.args) != 1:
            raise self._unsupported(ref, "takes exactly one type; write list[str]")
        return {"type": "array", "items": self._resolve(ref.args[0], open_classes)}

    def _dict(self, ref: TypeRef, open_classes: tuple[object, ...]) -> dict[str, Any]:
        if not ref.subscripted:
            return {"type": "object"}
        if len(ref.raw_args) != 2 or ref.scope is None:
            raise self._unsupported(ref, "takes two types; write dict[str, int]")
        value = self.annotations.read(ref.raw_args[1], ref.scope)
        return {"type": "object", "additionalProperties": self._resolve(value, open_classes)}

    def _generic(self, ref: TypeRef, open_classes: tuple[object, ...]) -> dict[str, Any]:
        if ref.name in ITERATORS:
            if len(ref.args) != 1:
                raise self._unsupported(ref, f"takes exactly one type; write {ref.name}[str]")
            items = self._resolve(ref.args[0], open_classes)
            return {"type": "array", "items": items, "x-cog-array-type": "iterator"}
        if ref.name in CONCATENATE_ITERATORS:
            return self._concatenate(ref)
        hints = {
            "Generator": "write Iterator of the yielded type",
            "AsyncGenerator": "write AsyncIterator of the yielded type",
            "Iterable": "write Iterator or list",
            "tuple": "return a list, or a BaseModel with a name for each part",
            "set": "return a list",
        }
        hint = hints.get(ref.name, OUTPUT_HINT)
        raise self._unsupported(ref, f"is not a supported output type; {hint}")

    def _concatenate(self, ref: TypeRef) -> dict[str, Any]:
        if len(ref.args) != 1 or ref.args[0].subscripted or ref.args[0].is_union():
            raise self._unsupported(ref, f"takes one plain type; write {ref.name}[str]")
        item = ref.args[0]
        if item.name != "str":
            raise SchemaError(
                "concat_iterator_not_str",
                ref.place,
                f"{ref.name} joins text, so it cannot yield {item.text};"
                f" write {ref.name}[str], or Iterator[{item.text}]",
            )
        return {
            "type": "array",
            "items": {"type": "string"},
            "x-cog-array-type": "iterator",
            "x-cog-array-display": "concatenate",
        }

    def _project_class(
        self, ref: TypeRef, symbol: Class, open_classes: tuple[object, ...]
    ) -> dict[str, Any]:
        if symbol.node in open_classes:
            return {"type": "object"}
        inside = open_classes + (symbol.node,)
        classes = self.classes
        if classes.is_base_model(symbol) or classes.is_typed_dict(symbol):
            return self._object(classes.fields(symbol), inside)
        enum = self._enum(ref, symbol)
        if enum is not None:
            return enum
        if classes.is_dataclass(symbol):
            return self._object(classes.fields(symbol), inside)
        if classes.is_named_tuple(symbol):
            return self._named_tuple(classes.fields(symbol), inside)
        raise SchemaError(
            "unresolvable_type",
            ref.place,
            f"the class '{symbol.name}' cannot be written as JSON; derive it from cog.BaseModel or"
            " make it a dataclass",
        )

    def _enum(self, ref: TypeRef, symbol: Class) -> dict[str, Any] | None:
        try:
            enum = read_enum(self.annotations.names, self.constants, symbol)
            if enum is None:
                return None
            values = to_json([member.value for member in enum.members], symbol.node)
        except Unreadable as cause:
            raise SchemaError(
                "unresolvable_type",
                ref.place,
                f"the enum '{symbol.name}' has a value that cannot be read from the source:"
                f" {cause.reason}; write the value of each member out",
                f"the enum '{symbol.name}' is",
            ) from None
        distinct: list[Any] = []
        for value in values:
            if value not in distinct:
                distinct.append(value)
        return enum_schema(distinct) if distinct else {"type": "object"}

    def _object(self, fields: list[Field], open_classes: tuple[object, ...]) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        required: list[str] = []
        for item in fields:
            schema, is_required = self._field(item, open_classes)
            schema["title"] = title_case(item.name)
            properties[item.name] = schema
            if is_required:
                required.append(item.name)
        result: dict[str, Any] = {"type": "object", "properties": properties}
        if required:
            result["required"] = required
        return result

    def _field(self, item: Field, open_classes: tuple[object, ...]) -> tuple[dict[str, Any], bool]:
        try:
            schema, required = self._field_type(item.ref, open_classes)
        except SchemaError as error:
            problem = error.problem
            raise SchemaError(
                problem.kind, problem.place, f"field '{item.name}': {problem.message}"
            ) from None
        if item.key_required is not None:
            required = item.key_required
        return schema, required and not item.has_default

    def _field_type(
        self, ref: TypeRef, open_classes: tuple[object, ...]
    ) -> tuple[dict[str, Any], bool]:
        opaque = self.annotations.is_opaque(ref)
        ref = ref.args[0] if opaque else unwrap_annotated(ref)
        inner = split_optional(ref)
        kept = ref if inner is None else inner
        schema = self._opaque(kept, kept) if opaque else self._resolve(kept, open_classes)
        if inner is not None:
            schema["nullable"] = True
        return schema, inner is None

    def _named_tuple(self, fields: list[Field], open_classes: tuple[object, ...]) -> dict[str, Any]:
        """The runtime writes a named tuple as an array; the names of its fields are lost."""
        items: list[dict[str, Any]] = []
        for item in fields:
            schema, _ = self._field_type(item.ref, open_classes)
            if schema not in items:
                items.append(schema)
        one_type = items[0] if len(items) == 1 else {"anyOf": items} if items else {}
        return {
            "type": "array",
            "items": one_type,
            "minItems": len(fields),
            "maxItems": len(fields),
        }

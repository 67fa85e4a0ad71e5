"""Turns the parameters of the method into the Input schema and the components of its choices."""
from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from annotations import Annotations, TypeRef
from bindings import argument_defaults
from entry import Entry, is_plain_decorator
from errors import Place, Report, SchemaError, quoted
from input_calls import InputCalls, InputInfo
from input_types import FILE_TYPES, InputType, InputTypes
from names import Class, Names
from outputs import title_case

UNION_LIMITS = ("ge", "le", "min_length", "max_length", "regex")
SCHEMA_KEYS = {
    "description": "description",
    "ge": "minimum",
    "le": "maximum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "regex": "pattern",
}


@dataclass
class Parameter:
    """One property of the Input schema; `choices` become a component of their own."""

    name: str
    place: Place
    order: int
    type: InputType
    info: InputInfo
    choices: list[Any] = field(default_factory=list)

    @property
    def optional(self) -> bool:
        if self.info.default_state != "absent":
            return True
        return self.type.nullable and self.type.kind != "union"

    @property
    def is_list(self) -> bool:
        return self.type.kind == "array"

    @property
    def nullable(self) -> bool:
        null_default = self.info.default_state == "value" and self.info.default is None
        return self.type.nullable or null_default

    def choices_schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = {
            "title": self.name,
            "description": "An enumeration.",
            "enum": self.choices,
        }
        json_type = self.type.scalar.json_type()
        if json_type:
            schema["type"] = json_type
        return schema

    def schema(self, component: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        reference = {"$ref": f"#/components/schemas/{component}"}
        if self.choices and self.is_list:
            result = {"title": title_case(self.name), "type": "array", "items": reference}
        elif self.choices:
            result = {"allOf": [reference]}
        else:
            result = {"title": title_case(self.name), **self._type_schema()}
        if self.info.default_state == "value":
            result["default"] = self.info.default
        if self.nullable:
            result["nullable"] = True
        for key, schema_key in SCHEMA_KEYS.items():
            if key in self.info.scalars:
                result[schema_key] = self.info.scalars[key]
        if self.info.scalars.get("deprecated"):
            result["deprecated"] = True
        if "accept" in self.info.scalars:
            result["x-cog-accept"] = self.info.scalars["accept"]
        result["x-order"] = self.order
        return result

    def _type_schema(self) -> dict[str, Any]:
        schema = self.type.schema()
        if self.nullable and self.type.kind == "union":
            for part in schema["anyOf"]:
                part["nullable"] = True
        return schema


class Inputs:
    def __init__(
        self,
        names: Names,
        annotations: Annotations,
        types: InputTypes,
        calls: InputCalls,
        report: Report,
    ) -> None:
        self.names = names
        self.annotations = annotations
        self.types = types
        self.calls = calls
        self.report = report

    def read(self, entry: Entry) -> list[Parameter]:
        """All parameters that could be read; what is wrong with the others is in the report."""
        self._refuse_variadic(entry)
        found: list[Parameter] = []
        for order, (argument, default) in enumerate(self._arguments(entry)):
            try:
                found.append(self._parameter(entry, order, argument, default))
            except SchemaError as error:
                self.report.error(error.problem)
        return found

    def _refuse_variadic(self, entry: Entry) -> None:
        for argument, stars in ((entry.node.args.vararg, "*"), (entry.node.args.kwarg, "**")):
            if argument is not None:
                self.report.error(
                    SchemaError(
                        "parse",
                        entry.scope.file.place(argument),
                        f"'{stars}{argument.arg}' of {entry.node.name}() cannot be an input; write"
                        " a parameter with a name and a type for each input",
                    ).problem
                )

    def _arguments(self, entry: Entry) -> list[tuple[ast.arg, ast.expr | None]]:
        pairs = argument_defaults(entry.node)
        if not pairs or is_plain_decorator(self.names, entry, "staticmethod"):
            return pairs
        first = pairs[0][0]
        if entry.owner is None:
            return self._function_arguments(entry, pairs)
        positional = [*entry.node.args.posonlyargs, *entry.node.args.args]
        if first in positional and self._is_self(entry, first):
            return pairs[1:]
        self.report.warn(
            entry.scope.file.place(first),
            f"{entry.node.name}() of '{entry.owner.name}' has no self, so calls will fail; write"
            f" 'def {entry.node.name}(self, ...)'",
        )
        return pairs

    def _function_arguments(
        self, entry: Entry, pairs: list[tuple[ast.arg, ast.expr | None]]
    ) -> list[tuple[ast.arg, ast.expr | None]]:
        first = pairs[0][0]
        if first.arg != "self" or first.annotation is not None:
            return pairs
        self.report.warn(
            entry.scope.file.place(first),
            f"{entry.node.name}() is a function but takes self, so calls will fail; remove self",
        )
        return pairs[1:]

    def _is_self(self, entry: Entry, argument: ast.arg) -> bool:
        if argument.annotation is None or argument.arg in ("self", "cls"):
            return True
        try:
            ref = self.annotations.read(argument.annotation, entry.scope)
        except SchemaError:
            return False
        owner: Class | None = ref.project_class
        return owner is not None and entry.owner is not None and owner.node is entry.owner.node

    def _parameter(
        self, entry: Entry, order: int, argument: ast.arg, default: ast.expr | None
    ) -> Parameter:
        place = entry.scope.file.place(argument)
        input_type = self._type(entry, argument, place)
        if default is None:
            info = InputInfo(place)
        else:
            info = self.calls.read(argument.arg, default, entry.scope)
        parameter = Parameter(argument.arg, place, order, input_type, info)
        parameter.choices = info.choices or list(input_type.scalar.choices)
        self._check(parameter)
        return parameter

    def _type(self, entry: Entry, argument: ast.arg, place: Place) -> InputType:
        if argument.annotation is None:
            self.report.warn(
                place,
                f"the parameter '{argument.arg}' of {entry.node.name}() has no type, so any value"
                f" is passed to it; write a type, as in '{argument.arg}: str'",
            )
            return InputType("anything")
        ref = self.annotations.read(argument.annotation, entry.scope)
        self._warn_about_input_metadata(ref, argument, entry)
        return self.types.resolve(ref)

    def _warn_about_input_metadata(self, ref: TypeRef, argument: ast.arg, entry: Entry) -> None:
        if ref.name != "Annotated" or ref.scope is None:
            return
        for metadata in ref.raw_args[1:]:
            if self.calls.is_input_call(metadata, ref.scope):
                self.report.warn(
                    entry.scope.file.place(metadata),
                    "Cog ignores Input() inside Annotated, so nothing of it is used for"
                    f" '{argument.arg}'; write '{argument.arg}: ... = Input(...)'",
                )

    def _check(self, parameter: Parameter) -> None:
        info, name = parameter.info, parameter.name
        if "accept" in info.scalars and parameter.type.scalar.primitive not in FILE_TYPES:
            raise SchemaError(
                "accept_on_non_file",
                info.place,
                f"accept of '{name}' only works on Path and File; make '{name}' a Path or remove"
                " accept",
            )
        if parameter.type.kind == "union":
            if info.choices or any(key in info.scalars for key in UNION_LIMITS):
                raise SchemaError(
                    "unsupported_type",
                    info.place,
                    f"'{name}' is a union, which cannot have limits or choices; give it one type,"
                    " or check the value in the method",
                )
        self._warn_about_odd_choices(parameter)

    def _warn_about_odd_choices(self, parameter: Parameter) -> None:
        python_types: dict[str, tuple[type, ...]] = {
            "string": (str,),
            "integer": (int,),
            "number": (int, float),
            "boolean": (bool,),
        }
        expected = python_types.get(parameter.type.scalar.json_type())
        if expected is None or not parameter.info.choices:
            return
        odd = [
            value
            for value in parameter.choices
            if not (value is None and parameter.nullable)
            and (
                not isinstance(value, expected)
                or (isinstance(value, bool) and bool not in expected)
            )
        ]
        if odd:
            self.report.warn(
                parameter.info.place,
                f"the choice {quoted(odd[0])} of '{parameter.name}' does not have the type of the"
                " parameter, so nobody can choose it; change the choice or the type",
            )


def input_schema(
    parameters: list[Parameter], components: dict[str, str], title: str
) -> dict[str, Any]:
    """The schema of all parameters; `components` names the component of each one's choices."""
    schema: dict[str, Any] = {
        "title": title,
        "type": "object",
        "properties": {
            item.name: item.schema(components.get(item.name, item.name)) for item in parameters
        },
    }
    required = [item.name for item in parameters if not item.optional]
    if required:
        schema["required"] = required
    return schema

"""Checks that each default fits the schema that is shown for it, as the build of Cog does."""
from __future__ import annotations

import re
from typing import Any

from errors import Problem, Report, quoted
from inputs import Parameter

Json = dict[str, Any]


def check_defaults(parameters: list[Parameter], report: Report) -> None:
    for parameter in parameters:
        _check_pattern(parameter, report)
        _hide_single_default(parameter, report)
        if parameter.info.default_state != "value" or parameter.info.default is None:
            continue
        reason = _mismatch(parameter)
        if reason is not None:
            report.error(
                Problem(
                    "document_invalid",
                    parameter.info.place,
                    f"the default {quoted(parameter.info.default)} of '{parameter.name}' {reason};"
                    " change the default, or the type and limits of the parameter",
                )
            )


def _hide_single_default(parameter: Parameter, report: Report) -> None:
    """Cog shows one choice as the default of a list; the list itself cannot have it."""
    info = parameter.info
    if not parameter.is_list or not parameter.choices or info.default_state != "value":
        return
    if isinstance(info.default, list) or info.default not in parameter.choices:
        return
    report.warn(
        info.place,
        f"the default {quoted(info.default)} of '{parameter.name}' is not shown, because it is not"
        f" a list; write [{quoted(info.default)}]",
    )
    info.default_state = "unreadable"


def _check_pattern(parameter: Parameter, report: Report) -> None:
    pattern = parameter.info.scalars.get("regex")
    if pattern is None:
        return
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as problem:
        report.warn(
            parameter.info.place,
            f"the regex {quoted(pattern)} of '{parameter.name}' is not valid in Python: {problem};"
            " correct it",
        )


def _mismatch(parameter: Parameter) -> str | None:
    value = parameter.info.default
    if not parameter.choices:
        return mismatch(value, parameter.schema(parameter.name))
    one = parameter.choices_schema()
    return mismatch(value, {"type": "array", "items": one} if parameter.is_list else one)


def _outside_choices(value: Any, choices: list[Any]) -> str | None:
    if any(_same(value, choice) for choice in choices):
        return None
    return f"is not one of the choices {quoted(choices)}"


def _same(left: Any, right: Any) -> bool:
    """Equal as JSON: 1 and 1.0 are, 1 and true are not."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def mismatch(value: Any, schema: Json) -> str | None:
    """Why the value does not fit, as the end of a sentence, or None when it fits."""
    if value is None and schema.get("nullable"):
        return None
    if "anyOf" in schema:
        fits = any(mismatch(value, part) is None for part in schema["anyOf"])
        return None if fits else "has none of the types of the union"
    outside = _outside_choices(value, schema["enum"]) if "enum" in schema else None
    wrong_type = outside or _wrong_type(value, schema.get("type"))
    if wrong_type is not None:
        return wrong_type
    if isinstance(value, list):
        for item in value:
            inner = mismatch(item, schema.get("items", {}))
            if inner is not None:
                return f"has the item {quoted(item)}, which {inner}"
    return _outside_limits(value, schema)


def _wrong_type(value: Any, wanted: str | None) -> str | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = {
        None: True,
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "number": number,
        "integer": number and float(value).is_integer(),
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
    }
    names = {
        "string": "text",
        "boolean": "True or False",
        "number": "a number",
        "integer": "a whole number",
        "array": "a list",
        "object": "a dict",
    }
    return None if fits[wanted] else f"is not {names[str(wanted)]}"


def _outside_limits(value: Any, schema: Json) -> str | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if "minimum" in schema and value < schema["minimum"]:
            return f"is below ge={schema['minimum']}"
        if "maximum" in schema and value > schema["maximum"]:
            return f"is above le={schema['maximum']}"
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            return f"is shorter than min_length={schema['minLength']}"
        if "maxLength" in schema and len(value) > schema["maxLength"]:
            return f"is longer than max_length={schema['maxLength']}"
        return _outside_pattern(value, schema.get("pattern"))
    return None


def _outside_pattern(value: str, pattern: str | None) -> str | None:
    if pattern is None:
        return None
    try:
        found = re.search(pattern, value)
    except (re.error, OverflowError, RecursionError):
        return None
    return None if found else f"does not match regex={quoted(pattern)}"

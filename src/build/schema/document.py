"""Puts the OpenAPI document together: the constant parts, the inputs, the outputs, the choices."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from inputs import Parameter, input_schema

Json = dict[str, Any]


@dataclass
class Signature:
    """All that the document needs to know of one method."""

    parameters: list[Parameter]
    output: Json
    streaming: bool
    is_async: bool
    concurrency: int | None


@dataclass(frozen=True)
class Role:
    """The names that differ between predictions and trainings."""

    prefix: str
    noun: str
    endpoint: str
    summary: str
    identifier: str

    @property
    def input(self) -> str:
        return "Input" if self.noun == "prediction" else "TrainingInput"

    @property
    def output(self) -> str:
        return "Output" if self.noun == "prediction" else "TrainingOutput"


PREDICT = Role("Prediction", "prediction", "/predictions", "Predict", "predict_predictions_post")
TRAIN = Role("Training", "training", "/trainings", "Train", "train_trainings_post")


def _titled(title: str, json_type: str = "string", **more: Any) -> Json:
    return {"title": title, "type": json_type, **more}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _content(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _responses(success: Json) -> Json:
    return {
        "200": {"description": "Successful Response", "content": _content(success)},
        "422": {
            "description": "Validation Error",
            "content": _content(_reference("HTTPValidationError")),
        },
    }


def _constant_components() -> Json:
    return {
        "Status": {
            "title": "Status",
            "description": "An enumeration.",
            "enum": ["starting", "processing", "succeeded", "canceled", "failed"],
            "type": "string",
        },
        "HTTPValidationError": {
            "title": "HTTPValidationError",
            "type": "object",
            "properties": {
                "detail": _titled("Detail", "array", items=_reference("ValidationError"))
            },
        },
        "ValidationError": {
            "title": "ValidationError",
            "required": ["loc", "msg", "type"],
            "type": "object",
            "properties": {
                "loc": _titled(
                    "Location", "array", items={"anyOf": [{"type": "string"}, {"type": "integer"}]}
                ),
                "msg": _titled("Message"),
                "type": _titled("Error Type"),
            },
        },
    }


def _role_components(role: Role) -> Json:
    moment = {"format": "date-time"}
    return {
        f"{role.prefix}Request": {
            "title": f"{role.prefix}Request",
            "type": "object",
            "properties": {"id": _titled("Id"), "input": _reference(role.input)},
        },
        f"{role.prefix}Response": {
            "title": f"{role.prefix}Response",
            "type": "object",
            "properties": {
                "input": _reference(role.input),
                "output": _reference(role.output),
                "id": _titled("Id"),
                "version": _titled("Version"),
                "created_at": _titled("Created At", **moment),
                "started_at": _titled("Started At", **moment),
                "completed_at": _titled("Completed At", **moment),
                "status": _titled("Status"),
                "error": _titled("Error"),
                "logs": _titled("Logs"),
                "metrics": _titled("Metrics", "object"),
            },
        },
    }


def _plain_get(summary: str, identifier: str) -> Json:
    success = {"description": "Successful Response", "content": _content({})}
    return {
        "get": {"summary": summary, "operationId": identifier, "responses": {"200": success}}
    }


def _role_paths(role: Role, streaming: bool) -> Json:
    operation: Json = {
        "summary": role.summary,
        "description": f"Run a single {role.noun} on the model",
        "operationId": role.identifier,
        "requestBody": {"content": _content(_reference(f"{role.prefix}Request"))},
        "responses": _responses(_reference(f"{role.prefix}Response")),
    }
    if streaming:
        operation["x-cog-streaming"] = True
    identifier = f"{role.noun}_id"
    cancel = {
        "summary": "Cancel",
        "operationId": f"cancel_{role.noun}s__{identifier}__cancel_post",
        "parameters": [
            {
                "required": True,
                "schema": _titled(f"{role.prefix} Id"),
                "name": identifier,
                "in": "path",
            }
        ],
        "responses": _responses({}),
    }
    return {
        role.endpoint: {"post": operation},
        f"{role.endpoint}/{{{identifier}}}/cancel": {"post": cancel},
    }


def build_document(signatures: dict[Role, Signature]) -> Json:
    paths: Json = {
        "/": _plain_get("Root", "root__get"),
        "/health-check": _plain_get("Healthcheck", "healthcheck_health_check_get"),
    }
    fixed = _constant_components()
    for role, signature in signatures.items():
        paths.update(_role_paths(role, signature.streaming and role is PREDICT))
        fixed.update(_role_components(role))
    taken = set(fixed) | {role.input for role in signatures} | {role.output for role in signatures}
    components: Json = {}
    choices: Json = {}
    for role, signature in signatures.items():
        names = _name_choices(signature.parameters, choices, taken)
        components[role.input] = input_schema(signature.parameters, names, role.input)
        components[role.output] = signature.output
    components.update(choices)
    components.update(fixed)
    return {
        "openapi": "3.0.2",
        "info": {"title": "Cog", "version": "*"},
        "paths": paths,
        "components": {"schemas": components},
    }


def _name_choices(parameters: list[Parameter], choices: Json, taken: set[str]) -> dict[str, str]:
    """Gives each list of choices a component name; its own when that is free or says the same."""
    names: dict[str, str] = {}
    with_choices = [item for item in parameters if item.choices]
    clashing = []
    for item in with_choices:
        schema = item.choices_schema()
        if item.name in taken or choices.get(item.name, schema) != schema:
            clashing.append(item)
        else:
            names[item.name] = item.name
            choices[item.name] = schema
    for item in clashing:
        name = f"{item.name}_choices"
        number = 2
        while name in taken or name in choices:
            name = f"{item.name}_choices_{number}"
            number += 1
        names[item.name] = name
        choices[name] = item.choices_schema()
    return names

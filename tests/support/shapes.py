"""Checks JSON replies against the published shapes of the API."""

import json
import pathlib
import re

import jsonschema

# The published schemas know no null, the service sends it for what is not there; but never for these.
NEVER_NULL = {
    "checksums",
    "cog_version",
    "configuration",
    "created_at",
    "etag",
    "get",
    "cancel",
    "web",
    "stream",
    "id",
    "input",
    "logs",
    "metadata",
    "model",
    "name",
    "openapi_schema",
    "owner",
    "results",
    "run_count",
    "status",
    "url",
    "urls",
    "username",
    "version",
    "visibility",
}

FILE = pathlib.Path(__file__).resolve().parents[1] / "api" / "replicate-shapes.json"


def path_pattern(path):
    parts = [
        "[^/]+" if part.startswith("{") else re.escape(part)
        for part in path.removeprefix("/v1").split("/")
        if part
    ]
    return re.compile("^(?:/v1)*/" + "/".join(parts) + "$")


def _literals(path):
    return sum(not part.startswith("{") for part in path.split("/"))


class Shapes:
    def __init__(self, document=None):
        """The published shapes, or those of a document that says exactly what may be null."""
        self.is_exact = document is not None
        self.document = document or json.loads(FILE.read_text())
        paths = sorted(self.document["paths"], key=_literals, reverse=True)
        self.operations = [(path_pattern(path), self.document["paths"][path]) for path in paths]
        self.validators = {}

    def check_status(self, method, path, status):
        """A success has a documented status, such as 202 only where it is one."""
        if "/files/stream-" in path or status in (206, 304):
            return
        for pattern, operations in self.operations:
            if pattern.match(path) and method.lower() in operations:
                documented = operations[method.lower()]["responses"]
                assert str(status) in documented, f"{method} {path}: {status}"
                return

    def _schema(self, method, path, status):
        for pattern, operations in self.operations:
            if pattern.match(path):
                reply = operations.get(method.lower(), {}).get("responses", {}).get(str(status))
                content = (reply or {}).get("content", {})
                return (content.get("application/json") or {}).get("schema")
        return None

    def check(self, method, path, status, body):
        """Raises if the reply does not have the shape; says whether there is one."""
        schema = self._schema(method, path, status)
        if schema is None:
            return False
        key = json.dumps(schema)
        if key not in self.validators:
            whole = {"components": self.document["components"], "allOf": [schema]}
            self.validators[key] = jsonschema.Draft202012Validator(whole)
        problems = [
            problem
            for problem in sorted(self.validators[key].iter_errors(body), key=str)
            if self.is_exact
            or problem.instance is not None
            or problem.absolute_path[-1] in NEVER_NULL
        ]
        assert not problems, f"{method} {path} {status}: " + "\n".join(
            f"{list(problem.absolute_path)}: {problem.message[:300]}" for problem in problems
        )
        return True

"""What can be wrong with a model's source, and where: errors, warnings, and their report."""
from __future__ import annotations

import ast
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """A line of a project file; line 0 means the file or the project as a whole."""

    file: str
    line: int = 0


@dataclass(frozen=True)
class Problem:
    kind: str
    place: Place
    message: str
    # What the source names but does not tell, as in "the choices of 'size'"; only running it does.
    computed: str = ""

    def to_json(self) -> dict[str, object]:
        return {
            "kind": self.kind,
            "file": self.place.file,
            "line": self.place.line,
            "message": self.message,
        }


class SchemaError(Exception):
    """One problem that ends the reading of one part: a parameter, the output, a reference."""

    def __init__(self, kind: str, place: Place, message: str, computed: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(kind, place, message, computed)


@dataclass
class Report:
    """Everything found so far; errors end in a refusal, warnings travel with the document."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def error(self, problem: Problem) -> None:
        if problem not in self.errors:
            self.errors.append(problem)

    def warn(self, place: Place, message: str, computed: str = "") -> None:
        warning = Problem("warning", place, message, computed)
        if warning not in self.warnings:
            self.warnings.append(warning)

    def computed_json(self) -> list[dict[str, object]]:
        """What importing the model would tell; empty when there are mistakes beside it."""
        if not all(problem.computed for problem in self.errors):
            return []
        return [
            {"file": problem.place.file, "line": problem.place.line, "what": problem.computed}
            for problem in [*self.errors, *self.warnings]
            if problem.computed
        ]

    def errors_json(self) -> list[dict[str, object]]:
        return [problem.to_json() for problem in self.errors]

    def warnings_json(self) -> list[dict[str, object]]:
        return [
            {"file": w.place.file, "line": w.place.line, "message": w.message}
            for w in self.warnings
        ]


def quoted(value: object, limit: int = 60) -> str:
    """A value as a reader would write it, cut so that one line stays one line."""
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def source_text(node: ast.AST, limit: int = 60) -> str:
    """An expression as source on one line."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= limit else text[: limit - 3] + "..."

"""Reads one project and answers with its document, or with everything that is wrong in it."""
from __future__ import annotations

import ast
from typing import Any, Callable, TypeVar

from annotations import Annotations
from check import check_defaults
from classes import Classes
from constants import Constants
from document import PREDICT, TRAIN, Role, Signature, build_document
from entry import Entry, concurrency_of, decorator_named, find_entry
from errors import Place, Problem, Report, SchemaError, quoted
from input_calls import InputCalls
from input_types import InputTypes
from inputs import Inputs
from names import Names
from outputs import OUTPUT_HINT, Outputs
from project import Project, SourceFile

Result = TypeVar("Result")


class Reader:
    """Reads the method behind each reference of one project."""

    def __init__(
        self, project_dir: str, report: Report, imported: dict[str, Any] | None = None
    ) -> None:
        self.report = report
        self.is_in_image = project_dir == "/src"
        project = Project(project_dir, report)
        if imported is not None:
            project.replace(imported["head"], imported["entries"])
        self.names = Names(project)
        self.annotations = Annotations(self.names)
        constants = Constants(self.names)
        classes = Classes(self.names, self.annotations)
        self.outputs = Outputs(self.annotations, constants, classes)
        self.inputs = Inputs(
            self.names,
            self.annotations,
            InputTypes(self.annotations, constants, classes),
            InputCalls(self.names, constants, report),
            report,
        )

    def signature(self, role: str, reference: str) -> Signature | None:
        """None when some part cannot be read; the report says which and why."""
        entry = self._attempt(lambda: find_entry(self.names, self.report, role, reference))
        if entry is None:
            return None
        self._warn_about_relative_imports(entry.scope.file)
        self._warn_about_image_paths(entry.scope.file)
        is_async = isinstance(entry.node, ast.AsyncFunctionDef)
        parameters = self._attempt(lambda: self.inputs.read(entry))
        check_defaults(parameters or [], self.report)
        output = self._attempt(lambda: self._output(entry))
        streaming = output is not None and self._attempt(lambda: self._streaming(entry, output))
        concurrency = self._attempt(lambda: self._concurrency(entry, is_async))
        if parameters is None or output is None:
            return None
        return Signature(parameters, output, bool(streaming), is_async, concurrency)

    def _attempt(self, read: Callable[[], Result]) -> Result | None:
        """One part of the work; its error goes to the report, so that the others are read too."""
        try:
            return read()
        except SchemaError as error:
            self.report.error(error.problem)
            return None

    def _output(self, entry: Entry) -> dict[str, Any]:
        if entry.node.returns is None:
            raise SchemaError(
                "missing_return_type",
                entry.place,
                f"{entry.node.name}() does not say what it returns; write"
                f" 'def {entry.node.name}(...) -> str:' with the type; {OUTPUT_HINT}",
            )
        return self.outputs.schema(self.annotations.read(entry.node.returns, entry.scope))

    def _streaming(self, entry: Entry, output: dict[str, Any]) -> bool:
        decorator = decorator_named(self.names, entry, "streaming")
        if decorator is None:
            return False
        if not self.outputs.streams(output):
            raise SchemaError(
                "unsupported_type",
                entry.scope.file.place(decorator),
                f"{entry.node.name}() has @streaming but does not return an iterator; return"
                " Iterator[...], AsyncIterator[...], ConcatenateIterator[str] or"
                " AsyncConcatenateIterator[str], or remove @streaming",
            )
        return True

    def _concurrency(self, entry: Entry, is_async: bool) -> int | None:
        number = concurrency_of(self.names, entry)
        if number is not None and number > 1 and not is_async:
            raise SchemaError(
                "unsupported_type",
                entry.place,
                f"@concurrent with max above 1 needs an async method; write"
                f" 'async def {entry.node.name}' or @concurrent(max=1)",
            )
        return number

    def _warn_about_relative_imports(self, file: SourceFile) -> None:
        for statement in file.tree.body:
            if isinstance(statement, ast.ImportFrom) and statement.level > 0:
                self.report.warn(
                    file.place(statement),
                    f"'{ast.unparse(statement)[:80]}' will not work: the model server loads"
                    f" '{file.path}' as a plain file, not as part of a package; import it by its"
                    " name from the project root",
                )

    def _warn_about_image_paths(self, file: SourceFile) -> None:
        """In an image of Cog the project is /src; here it is the working directory alone."""
        if self.is_in_image:
            return
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if node.value.startswith("/src/"):
                    self.report.warn(
                        file.place(node),
                        f"{quoted(node.value)} is there in an image, but not on this server, where"
                        " the project is the working directory; write the path relative to it",
                    )


def generate(
    project_dir: str,
    predict: str | None,
    train: str | None,
    concurrency: int | None = None,
    imported: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The reply of the program: a document with what belongs to it, or {"errors": [...]}.

    "computed" is there when importing the model would tell more; `imported` is what that told.
    """
    report = Report()
    reader = Reader(project_dir, report, imported)
    if not predict and not train:
        report.error(
            Problem(
                "file_or_usage",
                Place("cog.yaml"),
                "there is neither a run nor a train reference; write 'run: run.py:Runner' in"
                " cog.yaml",
            )
        )
    signatures: dict[Role, Signature] = {}
    for role, name, reference in ((PREDICT, "predict", predict), (TRAIN, "train", train)):
        signature = reader.signature(name, reference) if reference else None
        if signature is not None:
            signatures[role] = signature
    _check_concurrency(signatures.get(PREDICT), concurrency, report)
    computed = report.computed_json() if imported is None else []
    more: dict[str, Any] = {"computed": computed} if computed else {}
    if report.errors:
        return {"errors": report.errors_json(), **more}
    main = signatures.get(PREDICT) or signatures[TRAIN]
    return {
        "openapi": build_document(signatures),
        "async": main.is_async,
        "streaming": main.streaming and PREDICT in signatures,
        "concurrency": main.concurrency if concurrency is None else concurrency,
        "warnings": report.warnings_json(),
        **more,
    }


def _check_concurrency(
    signature: Signature | None, concurrency: int | None, report: Report
) -> None:
    if signature is None or concurrency is None or concurrency <= 1 or signature.is_async:
        return
    report.error(
        Problem(
            "unsupported_type",
            Place("cog.yaml"),
            f"concurrency.max is {concurrency}, which needs an async method; write 'async def run'"
            " or set concurrency.max to 1",
        )
    )

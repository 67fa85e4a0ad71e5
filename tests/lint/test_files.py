"""Files and functions stay small enough to be read at once."""

import ast
import re

from sources import list_files, read, show

AIM_LINES = 400
MOST_LINES = 1200
MOST_FUNCTION_LINES = 100

# File: the reason why it may be longer.
ALLOWED = {"web/src/api/schema.d.ts": "generated from the API's own description"}

SOURCES = list_files(".c", ".h", ".py", ".sql", ".ts", ".tsx", ".css", ".sh")
C_FUNCTION = re.compile(r"\)\s*$")


def find_c_functions(text):
    """(first line of the body, lines of it). In GNU style a body's braces stand in column one."""
    before, start = "", None
    for at, line in enumerate(text.splitlines(), 1):
        if line == "{" and C_FUNCTION.search(before):
            start = at
        elif line == "}" and start is not None:
            yield start, at - start + 1
            start = None
        before = line


def find_python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1


def test_no_file_is_too_long():
    long = {str(name): read(name).count("\n") for name in SOURCES}
    faults = [
        f"{name}: {lines} lines, at most {MOST_LINES} (aim at {AIM_LINES})"
        for name, lines in long.items()
        if lines > MOST_LINES and name not in ALLOWED
    ]
    assert not faults, show(faults)
    assert set(ALLOWED) <= {name for name, lines in long.items() if lines > MOST_LINES}


def test_no_function_is_too_long():
    finders = {".c": find_c_functions, ".h": find_c_functions, ".py": find_python_functions}
    faults = [
        f"{name}:{at}: {lines} lines, at most {MOST_FUNCTION_LINES}"
        for name in SOURCES
        if name.suffix in finders
        for at, lines in finders[name.suffix](read(name))
        if lines > MOST_FUNCTION_LINES
    ]
    assert not faults, show(faults)


def test_function_finder():
    text = "static int\nf (int a,\n   int b)\n{\n  return 1;\n}\n\nstatic T t[] =\n{\n  1,\n};\n"
    assert list(find_c_functions(text)) == [(4, 3)]

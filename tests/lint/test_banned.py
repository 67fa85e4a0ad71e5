"""Calls, names and texts that have no place here."""

import re

import pytest
from sources import find_lines, list_files, read, show, strip_comments

C_FILES = list_files(".c", ".h")
PROGRAM_FILES = [name for name in C_FILES if name.parts[0] == "src"]

CALLS = {
    "sprintf": "g_snprintf or g_strdup_printf",
    "vsprintf": "g_vsnprintf",
    "strcpy": "g_strlcpy",
    "strcat": "g_string_append",
    "gets": "a reader with a limit",
    "system": "an argument list and g_spawn",
    "popen": "an argument list and g_spawn",
    "atoi": "g_ascii_string_to_signed",
    "atol": "g_ascii_string_to_signed",
    "atof": "g_ascii_strtod",
    "alloca": "the heap",
}

# Standard output belongs to the command line and to the programs inside the binary.
PRINTERS = re.compile(r"^src/(cli/.*|main\.c|director/director\.c|build/builder\.c)$")
PRINT = r"\b(v?printf|puts|putchar)\s*\("

SQL = r'"\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|CREATE\s+TABLE\s)'

DRAWERS = {"utils", "util", "misc", "common", "helpers", "helper"}

TEXTS = {
    r"(?i)\bissues? #?\d+": "says a number instead of a reason",
    r"(?<![\w.}])/work\b/": "is a path of one machine",
    r"(?<![\w.}])/root\b/": "is a path of one machine",
    r"(?<![\w.}])/home\b/(?!user\b|you\b|vend\b)\w": "is a path of one machine",
}
# Data, and the licence as its authors wrote it.
NOT_TEXT = {".json", ".lock", ".png", ".jpg", ".svg", ".woff2"}


def find_in(files, pattern, prepare):
    return [
        f"{name}:{at}" for name in files for at in find_lines(pattern, prepare(read(name)))
    ]


@pytest.mark.parametrize("call", sorted(CALLS))
def test_call_is_not_used(call):
    found = find_in(C_FILES, rf"\b{call}\s*\(", strip_comments)
    assert not found, show(found) + f"\nuse {CALLS[call]}"


def test_nobody_uses_goto():
    found = find_in(C_FILES, r"\bgoto\b", strip_comments)
    assert not found, show(found)


# Their own sequences, help, and lines that were made of plain words before.
RAW_PRINTERS = re.compile(
    r"^src/cli/(terminal/(terminal|table|screen)|arguments/(options|serve-options)|commands/cmd-doctor)\.c$"
)
RAW_PRINT = r"\b(printf|puts|putchar|fputs|fputc|fwrite|fprintf|vfprintf)\s*\("


def test_commands_print_through_the_terminal():
    """What others wrote must not reach a terminal as it is: vend_terminal_print, _write."""
    files = [
        name
        for name in PROGRAM_FILES
        if str(name).startswith("src/cli/") and not RAW_PRINTERS.match(str(name))
    ]
    found = find_in(files, RAW_PRINT, strip_comments)
    assert not found, show(found)


def test_only_the_command_line_prints():
    files = [name for name in PROGRAM_FILES if not PRINTERS.match(name.as_posix())]
    found = find_in(files, PRINT, strip_comments)
    assert not found, show(found)


def test_one_reader_and_one_writer_of_json():
    """jansson's own know no integers of 64 bits, and write 0.1 in 19 bytes."""
    # The digest of a version is made of this text; no number of a user is in it.
    files = [name for name in PROGRAM_FILES if name.as_posix() != "src/build/manifest.c"]
    found = find_in(files, r"\bjson_(dump|load)\w*\s*\(", strip_comments)
    assert not found, show(found) + "\nuse vend_json_parse and vend_json_text"


def keep_strings(text):
    return strip_comments(text, strings=False)


def test_sql_stands_in_sql_files():
    files = [name for name in PROGRAM_FILES if name.parts[1] != "store"]
    found = find_in(files, SQL, keep_strings)
    assert not found, show(found)


def test_sql_is_not_put_together():
    found = find_in(PROGRAM_FILES, SQL + r'[^"]*%', keep_strings)
    assert not found, show(found)


def test_no_drawer_for_everything():
    found = [
        str(name)
        for name in list_files()
        if DRAWERS & {re.split(r"[._]", part)[0].lower() for part in name.parts}
    ]
    assert not found, show(found)


@pytest.mark.parametrize("pattern", list(TEXTS))
def test_text_does_not_occur(pattern):
    files = [name for name in list_files() if name.suffix not in NOT_TEXT]
    found = []
    for name in files:
        try:
            found += find_in([name], pattern, str)
        except UnicodeDecodeError:
            continue
    assert not found, show(found) + f"\n{TEXTS[pattern]}"

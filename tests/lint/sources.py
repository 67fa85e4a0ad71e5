"""The files of the repository, and C code without its comments and strings."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]

TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<text>"(?:\\.|[^"\\\n])*")|(?P<char>'(?:\\.|[^'\\\n])*')""",
    re.DOTALL,
)


def list_files(*suffixes, under=""):
    """Tracked files and new ones that are not ignored, relative to the root."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", under or "."],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = sorted({pathlib.Path(name) for name in done.stdout.decode().split("\0") if name})
    return [
        name
        for name in names
        if (not suffixes or name.suffix in suffixes) and (ROOT / name).is_file()
    ]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def strip_comments(text, strings=True):
    """Same lines, but comments (and strings) are empty."""

    def replace(match):
        if match["comment"]:
            return "\n" * match[0].count("\n")
        if not strings:
            return match[0]
        return '""' if match["text"] else "' '"

    return TOKEN.sub(replace, text)


def find_lines(pattern, text):
    """Numbers of the lines that match."""
    expression = re.compile(pattern)
    return [at for at, line in enumerate(text.splitlines(), 1) if expression.search(line)]


def show(found):
    return "\n" + "\n".join(found)

"""Tables of the documentation say what the sources say."""

import re

import pytest
from sources import ROOT, list_files, read, show

ROW = re.compile(
    r'\[VEND_ERROR_(?P<code>\w+)\] = \{ "(?P<id>[^"]+)", (?P<status>\d+), "(?P<title>[^"]+)" \}'
)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def test_errors_are_documented():
    rows = [
        f"| `{row['id']}` | {row['status']} | {row['title']} |"
        for row in ROW.finditer(read("src/base/error.c"))
    ]
    assert rows
    documented = [
        "|".join(line.split("|")[:4]) + "|"
        for line in read("docs/errors.md").splitlines()
        if re.match(r"\| `[a-z-]+` \|", line)
    ]
    assert documented == rows


def test_failure_codes_are_documented():
    codes = re.findall(r'^#define VEND_FAILURE_(\w+) "\1"$', read("src/model/failure.h"), re.M)
    assert codes
    assert re.findall(r"^\| `([A-Z_]+)` \|", read("docs/errors.md"), re.M) == codes


def test_dependencies_are_documented():
    named = re.findall(r"^\w+ = (?:dependency|find_program)\('([^']+)'", read("meson.build"), re.M)
    named += [line.split("==")[0] for line in read("tests/requirements.txt").splitlines() if "==" in line]
    page = read("docs/architecture/dependencies.md")
    missing = [name for name in named if f"`{name}`" not in page]
    assert not missing, show(missing)


@pytest.mark.parametrize("page", [str(name) for name in list_files(".md")])
def test_links_lead_somewhere(page):
    folder = (ROOT / page).parent
    missing = [link for link in LINK.findall(read(page)) if not (folder / link).exists()]
    assert not missing, show(missing)


def test_inputs_of_vend_run_have_no_option():
    """`-i name=value` is how Cog's own command line takes them."""
    lines = [
        f"{page}: {line}"
        for page in list_files(".md")
        for line in read(page).splitlines()
        if re.search(r"\bvend (run|train) .*\s-i\s", line)
    ]
    assert not lines, show(lines)


def test_where_is_leads_to_functions():
    table = read("docs/architecture/overview.md").split("## Where is …")[1].split("\n## ")[0]
    rows = re.findall(r"\| `([\w/-]+\.c)` \| `(\w+)` \|", table)
    assert len(rows) >= 20
    missing = [f"{file}: {name}" for file, name in rows if not re.search(rf"^{name} \(", read(f"src/{file}"), re.M)]
    assert not missing, show(missing)

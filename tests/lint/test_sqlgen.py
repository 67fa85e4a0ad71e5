"""The generator of the SQL catalogue: lists of columns stand once and are counted by it."""

import subprocess
import sys

import pytest
from sources import ROOT

TOOL = ROOT / "src/store/sqlgen.py"


def generate(folder, text):
    source = folder / "sql" / "x.sql"
    source.parent.mkdir()
    source.write_text(text)
    done = subprocess.run(
        [sys.executable, TOOL, folder / "sql.h", folder / "sql.c", source], capture_output=True, text=True
    )
    if done.returncode != 0:
        return done.stderr.strip(), ""
    return (folder / "sql.h").read_text(), (folder / "sql.c").read_text()


CATALOGUE = """-- columns: new_file
name, size
-- columns: file
id, {new_file}, COALESCE((SELECT n FROM uses), 0) AS uses
-- columns: plain
a, b
-- name: file_insert
INSERT INTO files (id, {new_file}) SELECT {new_file.end}, {new_file.values} WHERE {new_file.size} > 0;
-- name: file_get
SELECT {file} FROM files;
-- name: pair
SELECT {plain:x}, {plain:y} FROM p AS x, p AS y;
"""


def test_lists_are_filled_in_and_counted(tmp_path):
    header, source = generate(tmp_path, CATALOGUE)
    assert "INSERT INTO files (id, name, size) SELECT $3, $1, $2 WHERE $2 > 0" in source
    assert "SELECT id, name, size, COALESCE((SELECT n FROM uses), 0) AS uses FROM files" in source
    assert "SELECT x.a, x.b, y.a, y.b FROM p AS x" in source
    columns = [line.strip(" ,") for line in header.splitlines() if "VEND_COL_FILE_" in line]
    assert columns == [f"VEND_COL_FILE_{word}" for word in ("ID", "NAME", "SIZE", "USES", "N")]
    assert "VEND_ARG_NEW_FILE_0,\n  VEND_ARG_NEW_FILE_NAME,\n  VEND_ARG_NEW_FILE_SIZE,\n  VEND_ARG_NEW_FILE_END" in header
    assert "VEND_ARG_FILE_" not in header


BAD = {
    "-- name: a\nSELECT {gone};\n": "a: there is no list of columns gone",
    "-- columns: x\na\n-- name: q\nSELECT 1;\n": "nobody uses the columns x",
    "-- columns: x\na\n-- columns: x\nb\n-- name: q\nSELECT {x};\n": "two lists of columns with the name x",
    "-- columns: x\na\n-- name: q\nSELECT {x.b};\n": "q: x has no column b",
    "-- columns: x\nCOUNT(a) AS a\n-- name: q\nSELECT {x:t};\n": "q: x has more than plain names",
    "-- name: q\nSELECT 1;\n-- name: q\nSELECT 2;\n": "statements with the same name: q",
    "SELECT 1;\n": "text before the first",
}


@pytest.mark.parametrize("text", BAD)
def test_mistakes_are_named(tmp_path, text):
    assert BAD[text] in generate(tmp_path, text)[0]

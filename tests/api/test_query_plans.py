"""Lists and look-ups use an index: the plan of each statement, from the catalogue of the store."""

import pathlib
import re
import sqlite3

import pytest

SQL = pathlib.Path(__file__).resolve().parents[2] / "src" / "store" / "sql"
FILES = ("collections", "decisions", "deployments", "examples", "search", "usage")
MORE = {
    "predictions": ("prediction_page", "prediction_page_web", "attempt_list"),
    "webhooks": ("delivery_of",),
}
# Once at the start, for all of them.
SCANS = {"deployment_all"}


def statements():
    for name in (*FILES, *MORE):
        parts = re.split(r"^-- name: (\w+)\s*$", (SQL / f"{name}.sql").read_text(), flags=re.M)
        for word, text in zip(parts[1::2], parts[2::2]):
            if name not in MORE or word in MORE[name]:
                yield word, re.sub(r"\$(\d+)", r"?\1", text)


@pytest.fixture(scope="module")
def database(template):
    connection = sqlite3.connect(f"file:{template / 'vend.db'}?mode=ro", uri=True)
    yield connection
    connection.close()


@pytest.mark.parametrize("name,text", list(statements()), ids=lambda value: value.split()[0])
def test_no_statement_scans_a_table(database, name, text):
    n = max((int(number) for number in re.findall(r"\?(\d+)", text)), default=0)
    plan = [row[3] for row in database.execute("EXPLAIN QUERY PLAN " + text, [1] * n)]
    scans = [
        step
        for step in plan
        if step.startswith("SCAN") and "INDEX" not in step and "CONSTANT ROW" not in step
        # The rows of a subquery.
        and step.replace("SCAN", "CO-ROUTINE") not in plan
    ]
    assert name in SCANS or not scans, plan
    if name.endswith(("_page", "_page_web")):
        assert not any("TEMP B-TREE" in step for step in plan), plan

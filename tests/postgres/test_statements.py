"""The catalogue of statements and the migrations on a real server."""

import pathlib
import re
import sys

import pytest

from postgres import connect_sqlite, run_sql

STORE = pathlib.Path(__file__).resolve().parents[2] / "src" / "store"
sys.path.insert(0, str(STORE))

import sqlgen  # noqa: E402

# A value of another type would be refused when it is too large for that type.
TYPES = {"bigint", "text"}
# By the id of a row; what has not ended or is not sent is in partial indexes that these must not walk through.
BY_ID = {
    "prediction_lease": "predictions_pkey",
    "prediction_complete": "predictions_pkey",
    "prediction_cancel_request": "predictions_pkey",
    "audit_is_open": "predictions_pkey",
    "delivery_tried": "webhook_deliveries_pkey",
    "delivery_body": "webhook_deliveries_pkey",
    "delivery_replay": "webhook_deliveries_pkey",
    "delivery_supersede": "webhook_deliveries_of_prediction",
}
OPEN_ROWS = """
INSERT INTO predictions (id, kind, account_id, model_id, model, version, status, from_web, input, logs, created_us,
  started_us, completed_us, deadline_us, cancel_requested, attempt, data_removed)
SELECT 'p' || i, 0, 1, 1, 'lab/m', 'v', 0, 0, '{}', '', i, 0, CASE WHEN i % 2 = 0 THEN i ELSE 0 END, 0, 0, 0, 0
FROM generate_series(1, 4000) AS i;
INSERT INTO webhook_deliveries (id, account_id, prediction, event, url, lane, state, tries, last_status, size, created_us,
  since_us, due_us, ended_us, body)
SELECT 'm' || i, 1, 'p' || i, 'output', 'u', 'l', i % 2 * 2, 0, 0, 0, i, i, i, 0, '' FROM generate_series(1, 4000) AS i;
ANALYZE;
"""


def read():
    lists, catalogue = sqlgen.read_catalogue(sorted((STORE / "sql").glob("*.sql")))
    overlay = sqlgen.read_overlay(sorted((STORE / "sql/postgres").glob("*.sql")), lists, catalogue)
    migrations = sqlgen.read_migrations(
        sorted((STORE / "migrations").glob("*.sql")), sorted((STORE / "migrations/postgres").glob("*.sql"))
    )
    return catalogue, overlay, migrations


CATALOGUE, OVERLAY, MIGRATIONS = read()
CATALOGUE += [statement for table in sqlgen.read_tables(MIGRATIONS) for statement in table.statements()]
TABLE = dict(CATALOGUE)["migration_table"]
PREPARED = [(name, OVERLAY.get(name, text)) for name, text in CATALOGUE if name != "migration_table"]


@pytest.fixture
def migrated(database):
    run_sql(database, "\n".join([TABLE + ";", *(f"BEGIN;\n{text}\nCOMMIT;" for _, _, text in MIGRATIONS)]))
    return database


def test_all_statements_prepare_on_both(migrated):
    text = "\n".join(f"PREPARE {name} AS {text};" for name, text in PREPARED)
    rows = run_sql(migrated, text + "\nSELECT name, parameter_types FROM pg_prepared_statements")
    assert len(rows) == len(PREPARED)
    others = {name: types for name, types in rows if set(re.findall(r"[a-z ]+", types)) - TYPES}
    assert not others, "CAST these parameters"

    file = connect_sqlite(":memory:")
    for text in [TABLE, *(text for _, text, _ in MIGRATIONS)]:
        file.executescript(text)
    for name, text in CATALOGUE:
        n = max(map(int, re.findall(r"\$(\d+)", text)), default=0)
        file.execute("EXPLAIN " + re.sub(r"\$(\d+)", r"?\1", text), [None] * n)


def test_both_have_the_same_tables(migrated):
    """But for words, which SQLite has in tables of their own."""
    columns = run_sql(
        migrated,
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND is_generated = 'NEVER' AND table_name <> 'control_planes'",
    )
    file = connect_sqlite(":memory:")
    for text in [TABLE, *(text for _, text, _ in MIGRATIONS)]:
        file.executescript(text)
    own = file.execute(
        "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c"
        " WHERE m.type = 'table' AND m.name NOT GLOB '*_search*' AND m.name NOT GLOB 'sqlite_*'"
    )
    assert sorted(map(tuple, columns)) == sorted(own.fetchall())


@pytest.mark.parametrize("is_full", [False, True])
def test_updates_by_id_do_not_walk_through_what_is_open(migrated, is_full):
    if is_full:
        run_sql(migrated, OPEN_ROWS)
    for name, index in BY_ID.items():
        statement = dict(PREPARED)[name]
        n = max(map(int, re.findall(r"\$(\d+)", statement)), default=0)
        values = ", ".join(["NULL"] * n)
        plan = run_sql(
            migrated,
            f"SET plan_cache_mode = force_generic_plan; PREPARE s AS {statement};"
            f"EXPLAIN (FORMAT JSON) EXECUTE s ({values})",
        )
        used = set(re.findall(r'"Index Name": "(\w+)"', str(plan)))
        assert used == {index}, (name, plan)

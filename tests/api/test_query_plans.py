"""Lists and look-ups use an index: the plan of each statement, from the catalogue of the store."""

import pathlib
import re
import sqlite3
import sys

import pytest

STORE = pathlib.Path(__file__).resolve().parents[2] / "src" / "store"
sys.path.insert(0, str(STORE))

import sqlgen  # noqa: E402

# Those that need all rows, and how many that can be.
SCANS = {
    "account_list": "for an administrator; accounts are few",
    "budget_all": "once at the start; one an account",
    "build_open": "once at the start; what has not ended",
    "deployment_all": "once an hour",
    "machine_list": "machines are few",
    "model_building": "when a model is deleted; what has not ended",
    "prediction_open": "once at the start; what has not ended",
    "prediction_open_of": "when a version is deleted; what has not ended",
    "registry_repositories": "once an hour; one a model that has images",
    "registry_manifests_unused": "once an hour, of one repository; reads the list that it makes",
    "scaling_all": "once at the start; models with settings of their own",
    "upload_expired": "once an hour; uploads of a day",
    "version_venvs": "once at the start",
    "weight_files_forget": "when a version with managed weights is deleted",
    "weight_sets_all": "once an hour, and after weights came; sets are few",
    "weight_sets_forget": "when a version with managed weights is deleted; sets are few",
    "weight_sets_of_urls": "of a build; sets are few",
}
# An audit reads everything, on purpose and in a process of its own.
SCANS |= {name: "of an audit" for name in (
    "audit_attempts", "audit_metering", "audit_contents", "audit_ends", "audit_inputs", "audit_stored", "audit_outputs", "audit_overlaps",
    "audit_results", "audit_shown", "audit_times", "audit_usage", "audit_versions", "audit_webhooks", "audit_weights",
    "audit_open", "audit_registry", "audit_secrets", "secret_all",
)}
# A move of the storage reads everything, and a start looks for one that has not ended.
SCANS |= {name: "of a move" for name in ("rows_database_is_made", "rows_database_tables", "rows_accounts", "rows_moves", "rows_contents")}
# An index of words is asked, not read through.
WORDS = ("model_search", "collection_search")


def statements():
    _, catalogue = sqlgen.read_catalogue(sorted((STORE / "sql").glob("*.sql")))
    for word, text in catalogue:
        if not text.startswith(("CREATE", "PRAGMA")):
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
        if step.startswith("SCAN") and "CONSTANT ROW" not in step and step.split()[1] not in WORDS
        # The rows of a subquery.
        and step.replace("SCAN", "CO-ROUTINE") not in plan
    ]
    assert not scans or name in SCANS, plan
    if "_page" in name:
        assert not any("TEMP B-TREE" in step for step in plan), plan


@pytest.mark.parametrize(
    "name,index",
    [
        ("prediction_page", "predictions_of_account"),
        ("prediction_page_web", "predictions_of_web"),
        ("prediction_page_model", "predictions_of_model"),
        ("prediction_page_deployment", "predictions_of_deployment_by_creation"),
        ("prediction_page_open", "predictions_open"),
        ("prediction_page_unsuccessful", "predictions_unsuccessful"),
    ],
)
def test_lists_of_runs_have_an_index_each(database, name, index):
    text = dict(statements())[name]
    plan = [row[3] for row in database.execute("EXPLAIN QUERY PLAN " + text, [1] * 11)]
    assert len(plan) == 1 and f"USING INDEX {index} (" in plan[0], plan

"""What was metered, as it is on disk, and what must always hold of it."""

import collections
import sqlite3

PHASES = ("setup_us", "idle_us", "active_us")
HOUR_US = 3600 * 10**6


def read(server, query, *values):
    """Rows as dictionaries. The server may run."""
    connection = sqlite3.connect(server.data / "vend.db", timeout=30)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(query, values)]
    finally:
        connection.close()


def pieces(server):
    """{instance: its pieces in the order of time}, each checked."""
    found = collections.defaultdict(list)
    for row in read(server, "SELECT * FROM instance_usage ORDER BY instance, began_us"):
        found[row["instance"]].append(row)
        assert row["began_us"] < row["ended_us"], row
        assert all(row[phase] >= 0 for phase in PHASES), row
        assert sum(row[phase] for phase in PHASES) == row["ended_us"] - row["began_us"], row
        assert row["began_us"] // HOUR_US == (row["ended_us"] - 1) // HOUR_US, row
    for rows in found.values():
        for before, after in zip(rows, rows[1:]):
            assert before["ended_us"] == after["began_us"], (before, after)
            assert after["setup_us"] == 0 or before["idle_us"] + before["active_us"] == 0
        assert len({(r["account_id"], r["billed"], r["hardware"]) for r in rows}) == 1
    return found


def total(rows, phase=None):
    return sum(sum(row[p] for p in PHASES) if phase is None else row[phase] for row in rows)


def check(server):
    """The books balance: each instance was counted once, and each accepted run."""
    found = pieces(server)
    runs = read(
        server,
        "SELECT p.id, p.instance, p.attempt, p.started_us, p.completed_us, p.error_code, p.status,"
        " u.run_us, u.attempt AS paid, u.billed, u.ended_us, p.deployment = u.deployment OR u.deployment IS NULL AS same"
        " FROM predictions p LEFT JOIN usage u ON u.account_id = p.account_id"
        " AND u.ended_us = p.completed_us AND u.prediction = p.id WHERE p.completed_us > 0",
    )
    (n,) = read(server, "SELECT COUNT(*) AS n FROM usage")
    assert n["n"] == sum(run["run_us"] is not None for run in runs), "a run is there twice, or without its end"
    for run in runs:
        lost = run["error_code"] == "INSTANCE_LOST"
        assert (run["run_us"] is not None) == (run["started_us"] > 0 and not lost), run
        if run["run_us"] is None:
            continue
        assert run["paid"] == run["attempt"] and run["same"], run
        assert run["run_us"] == max(run["completed_us"] - run["started_us"], 0), run
        # Its time is billed once: itself, or within that of its instance.
        if run["instance"] in found:
            assert run["billed"] == 1 - found[run["instance"]][0]["billed"], run
    return found

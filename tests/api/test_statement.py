"""The statement: exactly the rows, cut exactly where the time is cut; who owes what."""

import csv
import io
import random
import sqlite3
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

PRICE = {"cpu": Decimal("0.0001"), "gpu-x": Decimal("0.000550001")}
FLAGS = [
    "--hardware",
    "cpu=CPU,gpu-x=X,free=F",
    "--hardware-price",
    ",".join(f"{sku}={price}" for sku, price in PRICE.items()),
]
START = datetime(2026, 1, 1, tzinfo=timezone.utc)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
US = timedelta(microseconds=1)
HOUR_US = 3600 * 10**6
DAYS = 40
PHASES = ("setup_us", "idle_us", "active_us")
TIMES = ("predictions", "run_us", *PHASES, "billed_us")


def iso(us):
    return (EPOCH + us * US).isoformat().replace("+00:00", "Z")


def us_of(moment):
    return (moment - EPOCH) // US


def pieces_of(rng, number):
    """The life of an instance, in pieces within hours."""
    at = us_of(START) + rng.choice([0, rng.randrange(DAYS * 24) * HOUR_US, rng.randrange(DAYS * 24 * HOUR_US)])
    end = at + rng.choice([1, 999, rng.randrange(1, HOUR_US), rng.randrange(1, 30 * HOUR_US)])
    setup = rng.choice([0, 1, rng.randrange(2 * HOUR_US)])
    while at < end:
        until = min(end, (at // HOUR_US + 1) * HOUR_US, at + rng.randrange(1, 2 * HOUR_US))
        first = min(setup, until - at)
        active = rng.choice([0, until - at - first, rng.randrange(until - at - first + 1)])
        yield at, until, first, until - at - first - active, active
        setup -= first
        at = until


@pytest.fixture(scope="module")
def rows(server):
    """Random rows, as dictionaries with the columns of both tables."""
    server.api().post("/accounts", {"username": "second"}, 201)
    server.kill()
    rng = random.Random(11)
    made = []
    with sqlite3.connect(server.data / "vend.db") as connection:
        accounts = dict(connection.execute("SELECT username, id FROM accounts"))
        models = dict(connection.execute("SELECT owner || '/' || name, id FROM models"))
        models[None] = 10**9  # deleted since
        choice = list(models)[:3] + [None]
        for i in range(120):
            about = {
                "account": rng.choice(["lab", "second"]),
                "model": rng.choice(choice),
                "deployment": rng.choice([None, None, "lab/a", "lab/b"]),
                "hardware": rng.choice(list(PRICE)),
                "price": rng.choice([None, None, 7, 250_000_000]),
                "billed": rng.randrange(2),
            }
            for began, ended, setup, idle, active in pieces_of(rng, i):
                made.append({**about, "began": began, "ended": ended, "phases": (setup, idle, active)})
                connection.execute(
                    "INSERT INTO instance_usage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (accounts[about["account"]], began, f"i{i:025}", ended, models[about["model"]],
                     about["deployment"], about["hardware"], about["price"], about["billed"], setup, idle, active),
                )
        for i in range(2000):
            ended = us_of(START) + rng.randrange(DAYS * 24) * HOUR_US + rng.choice([0, -1, 1, rng.randrange(HOUR_US)])
            row = {
                "account": rng.choice(["lab", "second"]),
                "model": rng.choice(choice),
                "deployment": rng.choice([None, None, "lab/a", "lab/b"]),
                "hardware": rng.choice(list(PRICE)),
                "price": rng.choice([None, None, 7, 250_000_000]),
                "billed": rng.randrange(2),
                "ended": ended,
                "run": rng.choice([0, 1, 999_999, rng.randrange(10**11)]),
            }
            made.append(row)
            connection.execute(
                "INSERT INTO usage (account_id, ended_us, prediction, attempt, model_id, hardware, run_us,"
                " deployment, price, billed) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?)",
                (accounts[row["account"]], ended, f"p{i:025}", models[row["model"]], row["hardware"], row["run"],
                 row["deployment"], row["price"], row["billed"]),
            )
    server.start()
    return made


def price_of(row):
    return PRICE[row["hardware"]] if row["price"] is None else Decimal(row["price"]) / 10**9


def past(row, at):
    """What of a piece is over: setup first, the rest evenly."""
    setup, idle, active = row["phases"]
    time = max(0, min(at, row["ended"]) - row["began"])
    first = min(time, setup)
    busy = active * (time - first) // (idle + active) if idle + active else 0
    return first, time - first - busy, busy


def expected(rows, account, start, end):
    lines = {}
    for row in rows:
        if row["account"] != account:
            continue
        if "run" in row:
            if not start <= row["ended"] < end:
                continue
            add = [1, row["run"], 0, 0, 0, row["run"] * row["billed"]]
        else:
            if row["ended"] <= start or row["began"] >= end:
                continue
            parts = [b - a for a, b in zip(past(row, start), past(row, end))]
            assert min(parts) >= 0
            add = [0, 0, *parts, sum(parts) * row["billed"]]
        key = (row["model"], row["deployment"], row["hardware"], price_of(row))
        lines[key] = [a + b for a, b in zip(lines.get(key, [0] * 6), add)]
    return lines


def statement(api, start, end, account="lab"):
    return api.get(f"/usage/statement?from={iso(start)}&to={iso(end)}&account={account}").json()


def found_lines(shown):
    return {
        (x["model"], x["deployment"], x["hardware"], Decimal(x["price"])): [x[time] for time in TIMES]
        for x in shown["lines"]
    }


def random_period(rng):
    a, b = sorted(us_of(START) + rng.randrange(DAYS * 24 * HOUR_US) for _ in range(2))
    unit = rng.choice([1, 1, HOUR_US, 24 * HOUR_US])
    return a // unit * unit, b // unit * unit


@pytest.mark.parametrize("account", ["lab", "second"])
def test_a_period_is_its_rows(server, rows, account):
    api = server.api()
    rng = random.Random(account)
    for _ in range(25):
        start, end = random_period(rng)
        if rng.random() < 0.2:
            end = start + rng.randrange(HOUR_US)
        shown = statement(api, start, end, account)
        wanted = expected(rows, account, start, end)
        found = found_lines(shown)
        assert len(found) == len(shown["lines"])
        assert found == wanted
        for line in shown["lines"]:
            assert Decimal(line["amount"]) == Decimal(line["price"]) * line["billed_us"] / 10**6
        for i, time in enumerate(TIMES):
            assert shown["total"][time] == sum(line[i] for line in wanted.values())
        assert Decimal(shown["total"]["amount"]) == sum(Decimal(line["amount"]) for line in shown["lines"])


def test_parts_add_up(server, rows):
    """A time cut anywhere, into any number of pieces."""
    api = server.api()
    rng = random.Random(3)
    for _ in range(6):
        start, end = random_period(rng)
        cuts = sorted([start, end, *(rng.randrange(start, end + 1) for _ in range(rng.randrange(1, 9)))])
        whole = statement(api, start, end)
        parts = [statement(api, a, b) for a, b in zip(cuts, cuts[1:])]
        sums = {}
        for part in parts:
            for key, times in found_lines(part).items():
                sums[key] = [a + b for a, b in zip(sums.get(key, [0] * 6), times)]
        assert sums == found_lines(whole)
        assert sum(Decimal(part["total"]["amount"]) for part in parts) == Decimal(whole["total"]["amount"])


def test_months_add_up(server, rows):
    api = server.api()
    months = [api.get(f"/usage/statement?month=2026-{n:02}").json() for n in (1, 2, 3)]
    assert [m["month"] for m in months] == ["2026-01", "2026-02", "2026-03"]
    assert months[1]["from"] == "2026-02-01T00:00:00.000000Z" and months[1]["to"] == months[2]["from"]
    whole = api.get("/usage/statement?from=2026-01-01&to=2026-04-01").json()
    assert whole["month"] is None
    for time in TIMES:
        assert sum(m["total"][time] for m in months) == whole["total"][time]


def test_csv_has_the_same_lines(server, rows):
    api = server.api()
    shown = api.get("/usage/statement?month=2026-01").json()
    reply = api.get("/usage/statement?month=2026-01&format=csv")
    assert reply.headers["content-type"].startswith("text/csv")
    assert reply.text == api.get("/usage/statement?month=2026-01", headers={"Accept": "text/csv"}).text
    assert reply.text.count("\r\n") == reply.text.count("\n") == len(shown["lines"]) + 1
    lines = list(csv.DictReader(io.StringIO(reply.text, newline="")))
    assert len(lines) == len(shown["lines"])
    for line, told in zip(lines, shown["lines"]):
        assert line["model"] == (told["model"] or "(deleted)") and line["deployment"] == (told["deployment"] or "")
        assert line["hardware"] == told["hardware"] and line["price"] == told["price"]
        assert line["amount"] == told["amount"] and int(line["predictions"]) == told["predictions"]
        for name in ("run", "setup", "idle", "active", "billed"):
            assert Decimal(line[f"{name}_seconds"]) * 10**6 == told[f"{name}_us"]


def test_command_line(server, rows):
    api = server.api()
    table = server.cli("usage", "--month", "2026-01").stdout.splitlines()
    assert table[0].split() == "MODEL OR DEPLOYMENT HARDWARE PREDICTIONS RUN s SETUP s IDLE s ACTIVE s BILLED s PRICE/s AMOUNT".split()
    shown = api.get("/usage/statement?month=2026-01").json()
    assert len(table) == len(shown["lines"]) + 2
    assert table[-1].split()[0] == "total" and table[-1].split()[-1] == shown["total"]["amount"]
    done = server.cli("usage", "--month", "2026-01", "--csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout.replace("\r\n", "\n") == api.get("/usage/statement?month=2026-01&format=csv").text.replace("\r\n", "\n")
    assert server.cli("usage", "--month", "2026-01", "--json").stdout.count('"model"') == len(shown["lines"])
    for wrong in (["--month", "2026-13"], ["--month", "26-1"], ["--csv", "--json"]):
        done = server.cli("usage", *wrong)
        assert done.returncode == 2 and "expected" in done.stderr


@pytest.mark.parametrize(
    "query,word",
    [
        ("month=2026-13", "month"),
        ("month=2026-1", "month"),
        ("month=+026-01", "month"),
        ("month=2026-01&from=2026-01-01", "month"),
        ("from=2026-02-01&to=2026-01-01", "to"),
        ("format=xml", "format"),
        ("account=nobody", "account"),
    ],
)
def test_wrong_questions(api, query, word):
    assert api.get(f"/usage/statement?{query}", 400).json()["detail"].startswith(word + ":")


def test_whose_statement(api, other):
    assert other.get("/usage/statement").json()["account"] == "other"
    assert "admin" in other.get("/usage/statement?account=lab", 403).json()["detail"]
    api.get("/usage/statement", 401, token="")

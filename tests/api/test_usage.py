"""Usage: sums are exactly those of the rows, whatever the period and the grouping."""

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
DAYS = 60
US = timedelta(microseconds=1)


def iso(moment):
    return moment.isoformat().replace("+00:00", "Z")


@pytest.fixture(scope="module")
def rows(server):
    """Random rows of two accounts: (account, ended, model, hardware, run_us)."""
    server.api().post("/accounts", {"username": "second"}, 201)
    server.kill()
    rng = random.Random(7)
    with sqlite3.connect(server.data / "vend.db") as connection:
        accounts = dict(connection.execute("SELECT username, id FROM accounts"))
        models = dict(connection.execute("SELECT owner || '/' || name, id FROM models"))
        models[None] = 10**9  # deleted since
        made = []
        for i in range(3000):
            # On and around the borders of days as well.
            day = START + timedelta(days=rng.randrange(DAYS))
            ended = day + rng.choice([timedelta(0), -US, US, US * rng.randrange(86_400_000_000)])
            row = (
                rng.choice(["lab", "second"]),
                ended,
                rng.choice([*list(models)[:4], None]),
                rng.choice([*PRICE, "cpu"]),
                rng.choice([0, 1, 999_999, rng.randrange(10**7), rng.randrange(10**11)]),
            )
            made.append(row)
            connection.execute(
                "INSERT INTO usage (account_id, ended_us, prediction, attempt, model_id, hardware, run_us)"
                " VALUES (?, ?, ?, 1, ?, ?, ?)",
                (accounts[row[0]], (ended - datetime(1970, 1, 1, tzinfo=timezone.utc)) // US,
                 f"p{i:025}", models[row[2]], row[3], row[4]),
            )
    server.start()
    return made


def expected(rows, account, start, end, key):
    groups = {}
    for name, ended, model, hardware, run_us in rows:
        if name == account and start <= ended < end:
            group = groups.setdefault((key(model, ended), hardware), [0, 0])
            group[0] += 1
            group[1] += run_us
    return groups


def check_sum(found, n, run_us, amount):
    assert found["predictions"] == n and found["run_us"] == run_us
    assert Decimal(found["seconds"]) == Decimal(run_us) / 10**6
    assert Decimal(found["amount"]) == amount
    for text in (found["seconds"], found["amount"]):
        assert "e" not in text.lower() and (text == "0" or not text.endswith(".0"))


def cost(hardware, run_us):
    return PRICE[hardware] * run_us / 10**6


@pytest.mark.parametrize("account", ["lab", "second"])
@pytest.mark.parametrize("group", [None, "model", "day"])
def test_sums_are_those_of_the_rows(server, rows, group, account):
    api = server.api()
    rng = random.Random(f"{group}{account}")
    key = {"model": lambda m, e: m, "day": lambda m, e: e.strftime("%Y-%m-%d")}.get(group, lambda m, e: None)
    for _ in range(20):
        a, b = sorted(rng.randrange(DAYS * 86_400_000_000 + 1) for _ in range(2))
        if rng.random() < 0.5:
            a, b = (x // 86_400_000_000 * 86_400_000_000 for x in (a, b))
        start, end = START + US * a, START + US * b
        path = f"/usage?from={iso(start)}&to={iso(end)}&account={account}" + (f"&group_by={group}" if group else "")
        found = api.get(path).json()
        assert found["account"] == account
        wanted = expected(rows, account, start, end, key)
        got = {(r.get(group) if group else None, r["hardware"]): r for r in found["results"]}
        assert got.keys() == wanted.keys() and len(got) == len(found["results"])
        for (name, hardware), (n, run_us) in wanted.items():
            check_sum(got[name, hardware], n, run_us, cost(hardware, run_us))
        check_sum(
            found["total"],
            sum(n for n, _ in wanted.values()),
            sum(us for _, us in wanted.values()),
            sum((cost(h, us) for (_, h), (_, us) in wanted.items()), Decimal(0)),
        )


def test_neighbouring_times_share_no_row(server, rows):
    """What is cut into pieces adds up to the whole."""
    api = server.api()
    whole = api.get("/usage?from=2026-01-01&to=2026-03-01").json()["total"]
    parts = [
        api.get(f"/usage?from={iso(START + timedelta(days=d))}&to={iso(START + timedelta(days=d + 1))}").json()["total"]
        for d in range(59)
    ]
    assert sum(p["run_us"] for p in parts) == whole["run_us"]
    assert sum(p["predictions"] for p in parts) == whole["predictions"]
    assert sum(Decimal(p["amount"]) for p in parts) == Decimal(whole["amount"])


def test_a_run_is_metered(server, rows):
    api = server.api()
    before = api.get("/usage").json()["total"]
    made = api.run("echo", {"text": "x", "delay": 0.3})
    api.create("echo", {"text": "x"})
    after = api.get("/usage?group_by=model").json()
    (own,) = [r for r in after["results"] if r["model"] == "lab/echo"]
    assert own["run_us"] > before["run_us"] + 290_000 and Decimal(own["amount"]) > 0
    assert made["status"] == "succeeded"
    explained = api.get(f"/predictions/{made['id']}/explanation").json()["entries"]
    (end,) = [e for e in explained if e["what"] == "completed"]
    assert Decimal(end["details"]["metered"]["seconds"]) >= Decimal("0.3")


def test_hardware_without_a_price(servers):
    api = servers("--hardware", "cpu=CPU,x=X", "--hardware-price", "x=1").api()
    api.run("echo", {"text": "x"})
    found = api.get("/usage").json()
    assert found["results"][0]["amount"] is None and found["total"]["amount"] is None
    assert found["total"]["predictions"] == 1
    nothing = api.get("/usage?from=2001-01-01&to=2001-01-01").json()
    assert nothing["results"] == []
    assert nothing["total"] == {"predictions": 0, "run_us": 0, "billed_us": 0, "seconds": "0", "amount": "0"}


@pytest.mark.parametrize(
    "query,word",
    [
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("from=2026-02-30", "from"),
        ("from=2026-02-01&to=2026-01-01", "to"),
        ("from=2024-01-01&to=2026-01-01", "from"),
        ("group_by=hour", "group_by"),
        ("account=nobody", "account"),
    ],
)
def test_wrong_questions(api, query, word):
    assert api.get(f"/usage?{query}", 400).json()["detail"].startswith(word + ":")


def test_whose_usage(api, other):
    assert other.get("/usage").json()["account"] == "other"
    assert other.get("/usage?account=other").json()["account"] == "other"
    assert "admin" in other.get("/usage?account=lab", 403).json()["detail"]
    api.get("/usage", 401, token="")


@pytest.mark.parametrize(
    "price",
    ["cpu", "cpu=", "cpu=1e-3", "cpu=-1", "cpu=.5", "cpu=1.", "cpu=0.0000000001", "gpu=1", "cpu=1,cpu=2", "cpu=1234567"],
)
def test_wrong_prices_stop_the_start(servers, price):
    server = servers("--hardware-price", price, start=False)
    server.spawn()
    assert server.wait() == 2
    assert "hardware-price: " in server.log_path.read_text()


def test_command_line(server, rows):
    done = server.cli("usage", "--month", "2026-01", "--by", "model", "--csv")
    assert done.returncode == 0, done.stderr
    lines = [line.split(",") for line in done.stdout.splitlines()]
    assert lines[0] == ["model", "hardware", "predictions", "seconds", "amount"]
    end = datetime(2026, 2, 1, tzinfo=timezone.utc)
    wanted = expected(rows, "lab", START, end, lambda m, e: m or "")
    assert {(m, h): [int(n), Decimal(s), Decimal(a)] for m, h, n, s, a in lines[1:]} == {
        (m, h): [n, Decimal(us) / 10**6, cost(h, us)] for (m, h), (n, us) in wanted.items()
    }
    table = server.cli("usage", "--month", "2026-01", "--by", "day").stdout.splitlines()
    assert table[0].split() == ["DAY", "HARDWARE", "PREDICTIONS", "SECONDS", "AMOUNT"]
    assert table[1].startswith("2026-01-01") and table[-1].startswith("total")
    for wrong in (["--month", "2026-13"], ["--month", "26-1"], ["--by", "hour"], ["--csv", "--json"]):
        done = server.cli("usage", *wrong)
        assert done.returncode == 2 and "expected" in done.stderr

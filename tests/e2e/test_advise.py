"""`vend advise`: on planted history the right answer is known, and the numbers can be reckoned by hand."""

import json
import sqlite3
import time

import pytest

FLAGS = ("--hardware-price", "cpu=0.001", "--max-instances", "1", "--hardware-units", "10")
DAYS = 10
LOAD_S = 60
RUN_S = 10
DAY_S = 86400
US = 10**6
MONTH_S = 730.5 * 3600


def insert(connection, account, model, deployment, number, created_us, run_s, wait_s=0, status=3):
    started = created_us + int(wait_s * US)
    row = {
        "id": f"planted{number:019}",
        "kind": 0,
        "account_id": account,
        "model_id": model[0],
        "model": model[1],
        "version": "0" * 64,
        "deployment": deployment,
        "status": status,
        "from_web": 0,
        "input": "{}",
        "logs": "",
        "created_us": created_us,
        "started_us": started,
        "completed_us": started + int(run_s * US),
        "deadline_us": 0,
        "cancel_requested": 0,
        "attempt": 1,
        "data_removed": 1,
    }
    connection.execute(
        f"INSERT INTO predictions ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
        list(row.values()),
    )


def plant(server):
    """A steady, a rare and a bursty one."""
    now_us = int(time.time() * US)
    start_us = now_us - DAYS * DAY_S * US
    number = 0
    with sqlite3.connect(server.data / "vend.db") as connection:
        (account,) = connection.execute("SELECT id FROM accounts WHERE username = 'lab'").fetchone()
        models = dict(connection.execute("SELECT name, id FROM models WHERE owner = 'lab'"))
        connection.execute("UPDATE models SET is_private = 1 WHERE name = 'echo'")

        def add(name, deployment, at_s, run_s, wait_s=0):
            nonlocal number
            number += 1
            model = (models[name], f"lab/{name}")
            insert(connection, account, model, deployment, number, start_us + int(at_s * US), run_s, wait_s)

        for i in range(DAYS * 144):
            add("echo", None, i * 600, RUN_S, wait_s=5)
        for i in range(DAYS * 2):
            add("echo", "lab/rare", i * DAY_S / 2, RUN_S)
        for i in range(DAYS * 24):
            for _ in range(12):
                add("stream", None, i * 3600, 30)
        # Long before the others, with a deployment that is not there any more.
        add("echo", "lab/gone", -40 * DAY_S, RUN_S)
        # One that never began, and one of another time.
        insert(connection, account, (models["echo"], "lab/echo"), None, 10**6, now_us - US, 0)
        connection.execute("UPDATE predictions SET started_us = 0 WHERE id LIKE 'planted%1000000'")
        insert(connection, account, (models["echo"], "lab/echo"), None, 10**6 + 1, start_us - 90 * DAY_S * US, 1)
        for name, deployment, seconds in (("echo", None, LOAD_S), ("echo", "lab/rare", LOAD_S), ("stream", None, 10)):
            for i in range(20):
                # Later than whatever boots now.
                connection.execute(
                    "INSERT INTO decisions (id, at_us, kind, model, version, deployment, sentence, inputs)"
                    " VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM decisions), ?, 'ready', ?, 'v', ?, '', ?)",
                    (now_us + DAY_S * US + i, f"lab/{name}", deployment, json.dumps({"boot_seconds": seconds})),
                )


@pytest.fixture(scope="module")
def planted(server):
    api = server.api()
    body = {
        "name": "rare",
        "model": "lab/echo",
        "version": api.get("/models/lab/echo").json()["latest_version"]["id"],
        "hardware": "cpu",
        "min_instances": 1,
        "max_instances": 2,
    }
    api.post("/deployments", body, 200)
    server.kill()
    plant(server)
    server.start()
    return server


def advise(server, *words):
    done = server.cli("advise", *words, "--days", "20", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def variants(result):
    return {
        (v["min_instances"], v["max_instances"], v["idle_timeout_seconds"]): v
        for v in result["variants"]
    }


def chosen(result):
    (best,) = [v for v in result["variants"] if v["is_best"]]
    (now,) = [v for v in result["variants"] if v["is_now"]]
    return now, best


def one(server, name):
    (result,) = advise(server, name)["results"][:1]
    assert result["name"] == name
    return result


def test_steady_requests_keep_one_warm(planted):
    """Every ten minutes; a load takes one: 100 s of an instance and 60 s of waiting, or 600 s."""
    results = {r["name"]: r for r in advise(planted, "lab/echo")["results"]}
    result = results["lab/echo"]
    n = DAYS * 144
    assert result["requests"] == n and result["hours"] == pytest.approx(DAYS * 24, rel=0.01)
    assert result["load_seconds"] == LOAD_S and result["load_is_measured"]
    assert result["run_seconds"] == RUN_S and result["pause_seconds"] == 600
    assert result["measured_wait_seconds"] == 5 and result["most_at_once"] == 1
    now, best = chosen(result)
    assert (now["min_instances"], now["max_instances"], now["idle_timeout_seconds"]) == (0, 1, 300)
    assert now["loads"] == n and now["wait_seconds"]["mean"] == LOAD_S
    assert now["loading_hours"] * 3600 == pytest.approx(n * LOAD_S)
    assert now["busy_hours"] * 3600 == pytest.approx(n * RUN_S)
    assert now["idle_hours"] * 3600 == pytest.approx(n * 300, rel=0.01)
    # 370 s of each 600 s, at 0.001 a second.
    assert now["cost_a_month"] == pytest.approx(MONTH_S * 370 / 600 * 0.001, rel=0.01)
    assert (best["min_instances"], best["loads"], best["wait_seconds"]["max"]) == (1, 1, 0)
    assert best["cost_a_month"] == pytest.approx(MONTH_S * 0.001, rel=0.01)
    assert best["score"] == pytest.approx(n * 600, rel=0.01)
    short = variants(result)[0, 1, 30]
    assert short["score"] == pytest.approx(n * (100 + 10 * LOAD_S), rel=0.01)
    said = result["recommendation"]
    assert said[0] == "Keep 1 instance warm: a minimum of 1 (now 0)."
    assert any("requests are 10 min apart (median) and a load takes 60 s" in s for s in said)
    assert said[-1] == "vend models scaling lab/echo --min 1 --max 1"


def test_what_waiting_is_worth_decides(planted):
    """With 5 instead of 10 the same requests are not worth a warm instance: 100 + 300 < 600."""
    results = advise(planted, "lab/echo", "--wait-weight", "5")["results"]
    now, best = chosen(next(r for r in results if r["name"] == "lab/echo"))
    assert (best["min_instances"], best["idle_timeout_seconds"]) == (0, 30)


def test_two_a_day_scale_to_zero(planted):
    result = one(planted, "lab/rare")
    assert (result["kind"], result["requests"]) == ("deployment", DAYS * 2)
    now, best = chosen(result)
    assert now["min_instances"] == 1 and now["wait_seconds"]["mean"] == 0
    assert now["cost_a_month"] == pytest.approx(MONTH_S * 0.001, rel=0.06)
    assert (best["min_instances"], best["idle_timeout_seconds"]) == (0, 30)
    assert best["loads"] == DAYS * 2 and best["wait_seconds"]["mean"] == LOAD_S
    # 100 s, twice a day.
    seconds = best["loading_hours"] + best["busy_hours"] + best["idle_hours"]
    assert seconds * 3600 == pytest.approx(DAYS * 2 * 100)
    said = result["recommendation"]
    assert said[0] == "Scale to zero: a minimum of 0 (now 1) and an idle timeout of 30 s."
    most = best["max_instances"]
    assert said[-1] == f"vend deployments update lab/rare --min 0 --max {most} --idle-timeout 30s"


def test_bursts_get_more_instances(planted):
    """Twelve at once, each half a minute: one after the other they wait 10 + 5.5 × 30 s on average."""
    result = one(planted, "lab/stream")
    now, best = chosen(result)
    assert result["most_at_once"] == 12
    assert now["max_instances"] == 1 and now["wait_seconds"]["mean"] == pytest.approx(175, rel=0.01)
    # The hardware holds no more.
    assert best["max_instances"] == 10 and best["wait_seconds"]["mean"] < 60
    assert any("the hardware has room for 10 instances" in s for s in result["recommendation"])
    assert best["min_instances"] == 0 and best["idle_timeout_seconds"] == 30
    assert any(s.startswith(f"Allow at most {best['max_instances']}") for s in result["recommendation"])
    # It is public: its runs are paid.
    assert now["billed_seconds_a_month"] == pytest.approx(best["billed_seconds_a_month"])
    assert now["cost_a_month"] == pytest.approx(12 * 30 * 730.5 * 0.001, rel=0.01)


def test_own_hardware(planted):
    price = ["lab/rare", "--price", "0.001"]
    own = advise(planted, *price, "--own-price-per-hour", "0.1")["own"]
    assert own["cost_a_month"] == pytest.approx(73.05)
    assert own["break_even_seconds_a_month"] == pytest.approx(73050)
    assert own["billed_seconds_a_month"] == pytest.approx(200 * 730.5 / 24, rel=0.06)
    assert any("renting is cheaper" in s for s in own["recommendation"])
    # Loaded once, and never in the way.
    assert own["wait_seconds"]["max"] == LOAD_S and own["wait_seconds"]["mean"] == LOAD_S / (DAYS * 2)
    cost = ["--hardware-cost", "36000", "--months", "36", "--power-watts", "500", "--kwh-price", "0.2"]
    own = advise(planted, "lab/echo", "--price", "0.001", *cost)["own"]
    assert own["cost_a_month"] == pytest.approx(1000 + 0.5 * 730.5 * 0.2)
    assert own["break_even_seconds_a_month"] == pytest.approx((1000 + 73.05) / 0.001)
    assert any("own hardware is cheaper" in s for s in own["recommendation"])
    never = advise(planted, "lab/echo", "--price", "0.0001", *cost)["own"]
    assert any("never cheaper" in s for s in never["recommendation"])


def test_tables(planted):
    done = planted.cli("advise", "--days", "20")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[:4] == ["MODEL", "OR", "DEPLOYMENT", "REQUESTS"]
    assert [line.split()[0] for line in lines[1:4]] == ["lab/stream", "lab/echo", "lab/rare"]
    done = planted.cli("advise", "lab/stream", "--days", "20", "--own-price-per-hour", "1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("lab/stream on cpu: 2880 requests in ")
    assert sum(line.startswith("now ") for line in lines) == 1
    assert sum(line.startswith("best ") for line in lines) == 1
    assert any(line.startswith("1 unit of own hardware costs 730.50 a month") for line in lines)


def test_what_was_deleted_has_no_settings(planted):
    done = planted.cli("advise", "lab/gone", "--days", "60")
    assert done.returncode == 1 and "lab/gone: all models and deployments that ran in the last 60 days were deleted" in done.stderr


def test_history(planted):
    api = planted.api()
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 20 * DAY_S))
    reply = api.get(f"/history?since={since}").json()
    assert reply["complete"] and reply["account"] == "lab"
    assert {(d["name"], d["kind"], d["requests"], d["load_seconds"]) for d in reply["targets"]} == {
        ("lab/echo", "model", 1440, 60),
        ("lab/rare", "deployment", 20, 60),
        ("lab/stream", "model", 2880, 10),
    }
    columns = reply["requests"]
    assert {len(column) for column in columns.values()} == {1440 + 20 + 2880}
    assert columns["at_us"] == sorted(columns["at_us"])
    lines = api.get(f"/history?since={since}&model=lab/rare&format=trace").text.splitlines()
    assert lines[0] == "time_s,model,run_s,load_s" and len(lines) == 21
    assert lines[1].split(",")[1:] == ["lab/rare (deployment)", "10.000000", "60.000000"]
    trace = planted.directory / "trace.csv"
    trace.write_text("\n".join(lines))
    shown = json.loads(planted.cli("simulate", trace, "--hardware", "1", "--json").stdout)
    assert shown["requests"] == 20 and shown["results"][0]["cold_starts"] == 1


@pytest.mark.parametrize(
    "query,word",
    [
        ("since=yesterday", "since"),
        ("until=x", "until"),
        ("since=2020-01-01T00:00:00Z", "since"),
        ("format=xml", "format"),
        ("model=nonsense", "model"),
        ("account=nobody", "account"),
    ],
)
def test_wrong_questions(api, query, word):
    assert api.get(f"/history?{query}", 400).json()["detail"].startswith(word + ":")


def test_whose_history(planted, other):
    assert other.get("/history").json()["targets"] == []
    assert "admin" in other.get("/history?account=lab", 403).json()["detail"]
    mine = planted.api().get("/history?account=other").json()
    assert mine["account"] == "other" and mine["requests"]["at_us"] == []
    done = planted.cli("advise", env={"VEND_API_TOKEN": other.token})
    assert done.returncode == 1 and "no prediction ran" in done.stderr
    assert "vend run" in done.stderr


def test_a_few_minutes_tell_nothing_of_a_month(server, api):
    assert api.run("pieces", {})["status"] == "succeeded"
    done = server.cli("advise", "lab/pieces")
    assert done.returncode == 1 and "shorter than an hour" in done.stderr, done.stderr
    assert "lab/pieces" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["lab"],
        ["lab/echo:" + "0" * 64],
        ["--days", "0"],
        ["--price", "-2", "--days", "x"],
        ["--wait-weight", "-1"],
        ["--months", "0"],
        ["--own-units", "0", "--own-price-per-hour", "1"],
        ["--own-price-per-hour", "1", "--hardware-cost", "1"],
        ["--hardware-cost", "100", "--power-watts", "10"],
    ],
)
def test_wrong_words(server, words):
    done = server.cli("advise", *words)
    assert done.returncode == 2 and "expected" in done.stderr or "--help" in done.stderr

"""The time of instances: counted once, whatever is killed, and billed by the rules."""

import json
import os
import random
import sqlite3
import threading

import books
import processes
from waiting import wait_until


def deploy(api, name, **more):
    version = api.get("/models/lab/echo").json()["latest_version"]["id"]
    body = {
        "name": name,
        "model": "lab/echo",
        "version": version,
        "hardware": "cpu",
        "min_instances": 0,
        "max_instances": 1,
        **more,
    }
    return api.post("/deployments", body, 200).json()


def run_on(api, name, **inputs):
    made = api.post(f"/deployments/lab/{name}/predictions", {"input": inputs}, 201).json()
    return api.ended(made)


def start_on(api, name, **inputs):
    made = api.post(f"/deployments/lab/{name}/predictions", {"input": inputs}, 201).json()
    return api.reaches(made, "processing")


def test_what_is_billed(servers):
    server = servers("--hardware-price", "cpu=0.5")
    api = server.api()
    deploy(api, "own")
    assert run_on(api, "own", delay=0.5)["status"] == "succeeded"
    assert api.run("echo", {"delay": 0.5})["status"] == "succeeded"
    assert server.stop() == 0
    found = books.check(server)
    by_deployment = {rows[0]["deployment"]: rows for rows in found.values()}
    assert by_deployment.keys() == {None, "lab/own"}
    for name, rows in by_deployment.items():
        assert rows[0]["billed"] == (name is not None) and rows[0]["price"] == 500_000_000
        assert books.total(rows, "setup_us") > 0
        assert 500_000 <= books.total(rows, "active_us") < books.total(rows)
    paid = books.read(server, "SELECT deployment, billed, price FROM usage ORDER BY billed")
    assert [(p["deployment"], p["billed"]) for p in paid] == [("lab/own", 0), (None, 1)]


def test_a_statement_has_all_until_now(servers):
    """Also what is not written by itself yet."""
    server = servers("--hardware-price", "cpu=0.5")
    api = server.api()
    deploy(api, "own")

    def line():
        lines = api.get("/usage/statement").json()["lines"]
        return next(line for line in lines if line["deployment"] == "lab/own")

    def whole(line):
        return sum(line[phase] for phase in books.PHASES)

    assert run_on(api, "own", delay=0.5)["status"] == "succeeded"
    first = line()
    assert first["setup_us"] > 0 and first["active_us"] >= 500_000
    second = line()
    assert whole(second) > whole(first) and second["active_us"] == first["active_us"]
    assert server.stop() == 0
    (rows,) = books.check(server).values()
    assert books.total(rows) >= whole(second)


def test_goes_on_after_a_crash(servers):
    """The time in which nobody was there is counted too, and what ran in it is active."""
    server = servers()
    api = server.api()
    deploy(api, "own")
    run_on(api, "own")
    wait_until(lambda: books.pieces(server), what="some of its time on disk")
    made = start_on(api, "own", delay=1)
    (instance,) = server.instance_dirs()
    journal = server.data / "instances" / instance / "journal"
    server.kill()
    wait_until(lambda: list(journal.glob("*.json")), what="the run to end while nobody is there")
    server.start()
    assert server.api().ended(made)["status"] == "succeeded"
    assert server.stop() == 0
    (rows,) = books.check(server).values()
    (life,) = books.read(server, "SELECT MIN(at_us) AS began FROM decisions WHERE kind = 'start'")
    assert rows[0]["began_us"] <= life["began"]
    assert books.total(rows, "active_us") >= 1_000_000
    assert len(rows) >= 2


def test_a_director_that_dies_alone_is_counted_to_its_last_sign(servers):
    server = servers()
    api = server.api()
    deploy(api, "own")
    run_on(api, "own")
    start_on(api, "own", delay=0.2)
    (instance,) = server.instance_dirs()
    journal = server.data / "instances" / instance / "journal"
    server.kill()
    wait_until(lambda: list(journal.glob("*.json")), what="the result on disk")
    for pid in processes.directors(server.data):
        processes.kill(pid)
    server.start()
    wait_until(lambda: not server.instance_dirs(), what="the burial")
    assert server.stop() == 0
    (rows,) = books.check(server).values()
    (last,) = books.read(server, "SELECT MAX(completed_us) AS us FROM predictions")
    assert rows[-1]["ended_us"] == last["us"]


def test_private_models_pay_for_their_instances(servers):
    server = servers("--hardware-price", "cpu=0.5")
    api = server.api()
    api.patch("/models/lab/echo", {"visibility": "private"}, 200)
    assert api.run("echo", {"delay": 0.2})["status"] == "succeeded"
    # What is there stays of its kind; what is started from now on is of the other one.
    api.patch("/models/lab/echo", {"visibility": "public"}, 200)
    assert api.run("echo", {"delay": 0.2})["status"] == "succeeded"
    assert server.stop() == 0
    server.start()
    assert server.api().run("echo", {"delay": 0.2})["status"] == "succeeded"
    assert server.stop() == 0
    lives = sorted(books.check(server).values(), key=lambda rows: rows[0]["began_us"])
    assert [rows[0]["billed"] for rows in lives] == [1, 0]
    paid = books.read(server, "SELECT billed FROM usage ORDER BY ended_us")
    assert [run["billed"] for run in paid] == [0, 0, 1]


def test_a_failed_setup_is_setup_alone(servers):
    server = servers()
    api = server.api()
    assert api.run("setup-fails")["status"] == "failed"
    assert server.stop() == 0
    for rows in books.check(server).values():
        assert books.total(rows) == books.total(rows, "setup_us") > 0
    assert books.read(server, "SELECT * FROM usage") == []


def test_instances_of_an_older_vend_stay_as_they_were(servers):
    """Runs were billed then, also those of a deployment: its instance is not, or they were paid for twice."""
    server = servers()
    api = server.api()
    deploy(api, "own")
    made = start_on(api, "own", delay=0.5)
    (instance,) = server.instance_dirs()
    server.kill()
    path = server.data / "instances" / instance / "spec.json"
    spec = json.loads(path.read_text())
    del spec["target"]["account_id"], spec["target"]["billed"]
    path.write_text(json.dumps(spec))
    server.start()
    assert server.api().ended(made)["status"] == "succeeded"
    assert server.stop() == 0
    assert books.check(server) == {}
    assert [run["billed"] for run in books.read(server, "SELECT billed FROM usage")] == [1]


def test_a_write_that_fails_is_repeated(servers):
    """Also when the instance is gone by then; what is spent counts once."""
    server = servers("--hardware-price", "cpu=0.5")
    api = server.api()
    api.call("PUT", "/accounts/lab/budget", 200, json={"hard": "1000000"})
    deploy(api, "own")
    refuse = "CREATE TRIGGER refuse BEFORE INSERT ON instance_usage BEGIN SELECT RAISE(ABORT, 'no'); END"
    with sqlite3.connect(server.data / "vend.db", timeout=30) as database:
        database.execute(refuse)
    run_on(api, "own")
    failed = "cannot store the time of an instance, trying again"
    wait_until(lambda: any(r.get("message") == failed for r in server.log()), what="a write that fails")
    api.patch("/deployments/lab/own", {"max_instances": 0}, 200)
    wait_until(lambda: not server.instance_dirs(), what="the end of the instance")
    assert books.pieces(server) == {}
    with sqlite3.connect(server.data / "vend.db", timeout=30) as database:
        database.execute("DROP TRIGGER refuse")
    wait_until(
        lambda: api.debug()["budgets"][0]["spent"] == api.get("/usage/statement").json()["total"]["amount"] != "0",
        what="all of it",
    )
    (rows,) = books.check(server).values()
    assert books.total(rows, "setup_us") > 0 and books.total(rows, "idle_us") > 0


SEED = int(os.environ.get("VEND_CRASH_SEED", "8363"))
ROUNDS = int(os.environ.get("VEND_CRASH_ROUNDS", "6"))


def test_books_balance_whatever_is_killed(servers):
    """Server, directors and models are killed at random moments while a deployment and a model run."""
    chance = random.Random(SEED)
    server = servers("--hardware-price", "cpu=0.5", "--cancel-grace", "2s")
    api = server.api()
    deploy(api, "own", min_instances=1, max_instances=2)
    for _ in range(ROUNDS):
        api = server.api()
        for _ in range(6):
            delay = {"input": {"delay": chance.choice([0, 0.05, 0.4])}}
            path = chance.choice(["deployments/lab/own", "models/lab/echo"])
            api.post(f"/{path}/predictions", delay, 201)
            # Its sum is read while results are on their way to the disk.
            api.call("PUT", "/accounts/lab/budget", 200, json={"hard": "1000000"})
        threading.Event().wait(chance.uniform(0.05, 1))  # the random moment is the test
        if chance.random() < 0.7:
            found = sorted(processes.directors(server.data)) or [0]
            processes.kill(chance.choice(found) or server.pid())
        if server.process.poll() is None and chance.random() < 0.7:
            server.kill()
        if chance.random() < 0.3:
            for pid in processes.directors(server.data):
                processes.kill(pid)
        if server.process.poll() is None:
            continue
        server.start()
    api = server.api()
    wait_until(lambda: api.debug()["live"] == 0, timeout=120, what="everything to end")

    def is_kept():
        owed = api.get("/usage/statement").json()["total"]["amount"]
        return api.debug()["budgets"][0]["spent"] == owed

    # An instance may stop or be ready between the two.
    wait_until(is_kept, what="the sum of the rows")
    assert server.stop() == 0
    assert books.check(server)
    server.start()
    api = server.api()
    wait_until(is_kept, what="the sum of the rows after a start")

"""The time of instances: counted once, whatever is killed, and billed by the rules."""

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

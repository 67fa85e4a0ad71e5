"""Budgets: exact sums, a warning once a month, and nothing new when they are spent."""

from decimal import Decimal

import pytest

import books
from waiting import wait_until

FLAGS = ["--hardware-price", "cpu=1"]


def set_budget(api, name, expect=200, **limits):
    return api.call("PUT", f"/accounts/{name}/budget", expect, json=limits).json()


def spent(api, name="lab"):
    return Decimal(api.get(f"/accounts/{name}/budget").json()["spent"])


def kept(api, name="lab"):
    """What the server thinks, beside what the rows say."""
    return [Decimal(b["spent"]) for b in api.debug()["budgets"]]


def warnings(server, message="an account has reached its soft budget"):
    return [r for r in server.log() if r.get("message") == message]


def deploy(api, name, **more):
    version = api.get("/models/lab/echo").json()["latest_version"]["id"]
    body = {"name": name, "model": "lab/echo", "version": version, "hardware": "cpu", "min_instances": 0, "max_instances": 1}
    return api.post("/deployments", {**body, **more}, 200).json()


@pytest.fixture(autouse=True)
def without_budget(server):
    yield
    set_budget(server.api(), "lab")


def test_sums_are_those_of_the_rows(server):
    api = server.api()
    assert api.get("/accounts/lab/budget").json()["hard"] is None
    api.run("echo", {"delay": 0.2})
    shown = set_budget(api, "lab", soft="100.50", hard="1000")
    assert shown["soft"] == "100.5" and shown["hard"] == "1000" and shown["reached"] is None
    assert Decimal(shown["spent"]) > Decimal("0.1")
    for _ in range(3):
        api.run("echo", {"delay": 0.05})
    deploy(api, "mine")
    made = api.post("/deployments/lab/mine/predictions", {"input": {"delay": 0.1}}, 201).json()
    assert api.ended(made)["status"] == "succeeded"
    wait_until(lambda: any(r[0]["billed"] for r in books.pieces(server).values()), what="time of the deployment")
    api.patch("/deployments/lab/mine", {"max_instances": 0}, 200)
    wait_until(lambda: not [i for i in api.debug()["instances"] if i["deployment"]], what="its end")
    total = Decimal(api.get("/usage/statement").json()["total"]["amount"])
    assert kept(api) == [total] == [spent(api)]
    server.restart()
    api = server.api()
    assert kept(api) == [Decimal(api.get("/usage/statement").json()["total"]["amount"])] == [spent(api)]
    assert Decimal(api.get("/usage/statement").json()["budget"]["hard"]) == 1000


def test_soft_warns_once(server):
    api = server.api()
    set_budget(api, "lab", soft="0.000001", hard="1000")
    api.run("echo", {})
    api.run("echo", {})
    assert api.get("/usage/statement").json()["budget"]["reached"] == "soft"
    assert len(warnings(server)) == 1
    server.restart()
    server.api().run("echo", {})
    assert warnings(server) == []
    done = server.cli("usage")
    assert "soft budget of 0.000001 is reached" in done.stderr and done.returncode == 0


def test_hard_stops_creates(server, other):
    api = server.api()
    deploy(api, "stopped")
    running = api.create("echo", {"delay": 0.5})
    api.reaches(running, "processing")
    set_budget(api, "lab", hard="0")
    for create in (
        lambda: api.post("/models/lab/echo/predictions", {"input": {}}, 402),
        lambda: api.post("/deployments/lab/stopped/predictions", {"input": {}}, 402),
        lambda: api.post(
            "/predictions", {"input": {}, "version": api.get("/models/lab/echo").json()["latest_version"]["id"]}, 402
        ),
    ):
        problem = create().json()
        assert problem["title"] == "Insufficient credit" and problem["status"] == 402
        assert "budget" in problem["detail"] and "of 0)" in problem["detail"]
    before = len(api.get("/predictions").json()["results"])
    done = server.cli("run", "lab/echo", "text=x")
    assert done.returncode == 1 and "budget" in done.stderr
    assert len(api.get("/predictions").json()["results"]) == before
    # What runs is not touched, and nor is anybody else.
    assert api.ended(running)["status"] == "succeeded"
    made = other.create("echo", {})
    assert other.ended(made)["status"] == "succeeded"
    set_budget(api, "lab", hard=str(spent(api) + 1))
    assert api.run("echo", {})["status"] == "succeeded"


def test_reached_while_it_runs(server):
    api = server.api()
    set_budget(api, "lab", hard=str(spent(api) + Decimal("0.1")))
    assert api.run("echo", {"delay": 0.2})["status"] == "succeeded"
    api.post("/models/lab/echo/predictions", {"input": {}}, 402)
    assert len(warnings(server, "an account has spent its budget")) == 1


def test_trainings_too(server):
    api = server.api()
    set_budget(api, "lab", hard="0")
    version = api.get("/models/lab/trainer").json()["latest_version"]["id"]
    body = {"destination": "lab/echo", "input": {"steps": 1}}
    api.post(f"/models/lab/trainer/versions/{version}/trainings", body, 402)
    assert api.get("/trainings").json()["results"] == []


def test_nothing_is_kept_warm(server):
    api = server.api()

    def ready():
        return [i for i in api.debug()["instances"] if i["deployment"] == "lab/warm" and i["state"] == "ready"]

    deploy(api, "warm", min_instances=1)
    wait_until(ready, what="the minimum")
    set_budget(api, "lab", hard="0")
    wait_until(lambda: not [i for i in api.debug()["instances"] if i["deployment"] == "lab/warm"], what="its end")
    set_budget(api, "lab", hard="1000000")
    wait_until(ready, what="the minimum again")
    api.patch("/deployments/lab/warm", {"min_instances": 0, "max_instances": 0}, 200)


@pytest.mark.parametrize(
    "body,word",
    [
        ({"hard": 10}, "hard"),
        ({"hard": "-1"}, "hard"),
        ({"hard": "1e3"}, "hard"),
        ({"soft": "1.0000000001"}, "soft"),
        ({"soft": "1234567890123"}, "soft"),
        ({"soft": ""}, "soft"),
        ({"soft": "2", "hard": "1"}, "soft"),
    ],
)
def test_wrong_budgets(api, body, word):
    set_budget(api, "lab", hard="1000000")
    assert set_budget(api, "lab", 422, **body)["detail"].startswith(word + ":")
    now = api.get("/accounts/lab/budget").json()
    assert (now["soft"], now["hard"]) == (None, "1000000")


def test_who_may(api, other):
    assert other.get("/accounts/other/budget").json()["account"] == "other"
    other.get("/accounts/lab/budget", 404)
    api.get("/accounts/nobody/budget", 404)
    set_budget(other, "other", 403, hard="1")
    set_budget(api, "nobody", 404, hard="1")
    api.get("/accounts/lab/budget", 401, token="")
    assert set_budget(api, "other", hard="5")["account"] == "other"
    assert set_budget(api, "other")["hard"] is None


def test_command_line(server):
    done = server.cli("budget", "set", "lab", "--soft", "10000", "--hard", "20000.5")
    assert done.returncode == 0, done.stderr
    lines = server.cli("budget").stdout.splitlines()
    assert lines[0].split() == ["ACCOUNT", "MONTH", "SPENT", "SOFT", "HARD", "REACHED"]
    assert lines[1].split()[0] == "lab" and lines[1].split()[3:] == ["10000", "20000.5"]
    assert server.cli("budget", "show", "lab").stdout.splitlines()[1].split()[3:] == ["10000", "20000.5"]
    assert '"hard": null' in server.cli("budget", "clear", "lab", "--json").stdout
    for wrong in (["set", "lab"], ["set", "lab", "--hard", "x"], ["set"], ["set", "a/b", "--hard", "1"]):
        done = server.cli("budget", *wrong)
        assert done.returncode == 2 and "expected" in done.stderr

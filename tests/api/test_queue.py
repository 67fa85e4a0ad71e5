"""What waits: its place, its time, and how much of it an account may have."""

import pytest
from waiting import wait_until


def blocked(servers, *flags):
    """A server whose only instance is busy."""
    server = servers("--max-instances", "1", "--hardware-units", "1", *flags)
    api = server.api()
    running = api.create("echo", {"text": "long", "delay": 300})
    api.reaches(running, "processing")
    return server, api, running


def stranger(server, api, name):
    api.post("/accounts", {"username": name}, 201)
    made = api.post(
        "/tokens", {"name": name, "scopes": ["read", "run"], "account": name}, 201
    )
    return server.api(made.json()["token"])


def positions(*pairs):
    return [api.prediction(which)["queue"]["position"] for api, which in pairs]


def test_position_and_eta(servers):
    server, api, running = blocked(servers)
    other = stranger(server, api, "second")
    mine = [api.create("echo", {"text": str(i)}) for i in range(3)]
    theirs = other.create("echo", {"text": "theirs"})
    assert "queue" not in api.prediction(running)
    # Accounts take turns, so one of theirs goes before the second of ours.
    waiting = [(api, which) for which in mine] + [(other, theirs)]
    assert positions(*waiting) == [1, 3, 4, 2]
    etas = [who.prediction(which)["queue"]["eta_seconds"] for who, which in waiting]
    assert etas[0] < etas[3] < etas[1] < etas[2] and etas[0] >= 0

    held = api.create("echo", {"text": "held"}, expect=202, prefer="wait=1")
    assert held["status"] == "starting" and held["queue"]["position"] == 5
    api.cancel(mine[0])
    assert positions((api, mine[1]), (other, theirs)) == [1, 2]
    api.cancel(running)
    assert "queue" not in api.ended(mine[2])


def test_eta_behind_a_run_that_is_over_its_time(servers):
    """Nobody is told for minutes that it begins in a moment."""
    api = servers("--max-instances", "1").api()
    for i in range(3):
        api.run("echo", {"text": str(i)})
    long = api.create("echo", {"delay": 300})
    api.reaches(long, "processing")
    behind = api.create("echo", {"text": "behind"})
    wait_until(lambda: api.prediction(behind).get("queue", {}).get("eta_seconds", 0) > 2, what="an estimate")
    for prediction in (behind, long):
        api.cancel(prediction)


def test_queue_of_a_model_that_boots(servers):
    api = servers("--max-instances", "1").api()
    first = api.create("setup-hangs", {})
    look = api.prediction(first)
    assert look["status"] == "starting" and look["queue"]["position"] == 1
    # Nothing is measured yet; a boot is taken for 10 s.
    assert 0 <= look["queue"]["eta_seconds"] <= 10
    api.cancel(first)


def test_no_eta_while_nothing_may_start(servers):
    api = servers().api()
    api.patch("/models/lab/echo/scaling", {"max_instances": 0}, 200)
    made = api.create("echo", {"text": "paused"})
    assert api.prediction(made)["queue"] == {"position": 1, "eta_seconds": None}
    entries = api.get(f"/predictions/{made['id']}/explanation").json()["entries"]
    assert "max_instances is 0" in entries[-1]["sentence"]
    api.patch("/models/lab/echo/scaling", {"max_instances": None}, 200)
    assert api.ended(made)["output"] == "paused"


def test_eta_counts_the_backoff_of_boots(servers):
    api = servers().api()
    made = api.create("setup-fails", {})
    wait_until(lambda: api.debug()["targets"][0]["boot_failures"] == 2, 60, "two failed boots")
    assert api.prediction(made)["queue"]["eta_seconds"] > 1
    api.cancel(made)


def test_account_may_queue_so_many(servers):
    server, api, running = blocked(servers, "--account-max-queued", "2")
    other = stranger(server, api, "second")
    waiting = [api.create("echo", {"text": str(i)}) for i in range(2)]
    reply = api.post("/models/lab/echo/predictions", {"input": {"text": "x"}}, 429)
    assert "account-max-queued" in reply.json()["detail"] and int(reply.headers["Retry-After"]) > 0
    other.create("echo", {"text": "theirs"})
    api.cancel(waiting[0])
    api.create("echo", {"text": "fits"})
    assert len(api.get("/predictions").json()["results"]) == 4
    api.cancel(running)


@pytest.mark.parametrize("model", ["concurrent"])
def test_account_may_run_so_many(servers, model):
    """The model has room for many; the account may use one, in whatever queue the rest waits."""
    server = servers("--account-max-running", "1")
    api = server.api()
    other = stranger(server, api, "second")
    first = api.create(model, {"together": 2, "timeout": 300})
    api.reaches(first, "processing")
    second = api.create(model, {"together": 1})
    elsewhere = api.create("echo", {"text": "elsewhere"})
    theirs = other.create("echo", {"text": "theirs"})
    assert other.ended(theirs)["status"] == "succeeded"
    assert [api.prediction(p)["status"] for p in (second, elsewhere)] == ["starting"] * 2
    api.cancel(first)
    for which in (second, elsewhere):
        assert api.ended(which)["status"] == "succeeded"
    wait_until(lambda: api.debug()["queued"] == 0, 10, "an empty queue")

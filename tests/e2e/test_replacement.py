"""What serves is replaced before it is missed: another one is ready before it stops."""

from waiting import wait_until


def decisions(api, deployment):
    """The oldest first, of one deployment."""
    found = api.get("/decisions?model=lab/faulty").json()["results"]
    return [d for d in reversed(found) if d["deployment"] == deployment]


def test_an_instance_that_fails_again_and_again(servers):
    server = servers("--idle-timeout", "600s", "--max-instances", "1", "--hardware-units", "4")
    api = server.api()
    version = api.get("/models/lab/faulty").json()["latest_version"]["id"]
    made = {"name": "worn", "model": "lab/faulty", "version": version, "hardware": "cpu"}
    api.post("/deployments", {**made, "min_instances": 1, "max_instances": 1}, 200)

    def ready():
        return [
            i["id"]
            for i in api.debug()["instances"]
            if i["deployment"] == "lab/worn" and i["state"] == "ready"
        ]

    def run(mode):
        body = {"input": {"mode": mode}}
        return api.ended(api.post("/deployments/lab/worn/predictions", body, 201).json())

    first = wait_until(ready, what="the warm instance")
    # A run that is good begins the count anew; five in a row are not enough.
    for mode in ["throw"] * 5 + ["ok"] + ["throw"] * 5:
        assert run(mode)["status"] == ("succeeded" if mode == "ok" else "failed")
    assert ready() == first and api.debug()["instance_starts"] == 1
    assert run("throw")["status"] == "failed"
    # At every moment one is ready.
    second = wait_until(
        lambda: [i for i in (ready() or ["none"]) if i not in first], what="the other one"
    )
    assert "none" not in second
    assert run("ok")["status"] == "succeeded"
    wait_until(lambda: ready() == second, what="the end of the first")

    told = [(d["kind"], [*first, *second].index(d["instance"])) for d in decisions(api, "lab/worn")]
    assert told == [("start", 0), ("ready", 0), ("start", 1), ("ready", 1), ("stop", 0)]
    assert api.debug()["instance_starts"] == 2
    assert "fails too often" in decisions(api, "lab/worn")[-1]["sentence"]


def test_a_busy_one_ends_what_it_runs(servers):
    """It serves beside the other one's boot, then takes no more, and stops after its last run."""
    server = servers("--idle-timeout", "600s", "--hardware-units", "4")
    api = server.api()
    for _ in range(5):
        assert api.run("faulty", {"mode": "throw"})["status"] == "failed"
    last = api.create("faulty", {"mode": "throw"})
    long = api.create("faulty", {"mode": "sleep", "seconds": 600})
    assert api.ended(last)["status"] == "failed"
    api.reaches(long, "processing")

    def told():
        return [d["sentence"].split()[0] for d in decisions(api, None) if d["kind"] != "ready"]

    wait_until(lambda: told() == ["Starting", "Starting", "Draining"], what="that it drains")
    assert api.run("faulty", {"mode": "ok"})["status"] == "succeeded"
    assert api.prediction(long)["status"] == "processing"
    api.cancel(long)
    assert api.ended(long)["status"] == "canceled"
    wait_until(lambda: told() == ["Starting", "Starting", "Draining", "Stopping"], what="its stop")
    assert api.debug()["instance_starts"] == 2

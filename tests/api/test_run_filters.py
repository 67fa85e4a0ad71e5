"""Lists of predictions and trainings by model, version, deployment and status."""

import pytest

UNKNOWN = "0" * 64


def ids(api, query):
    """Of all pages."""
    found, path = [], query
    while path:
        page = api.get(path).json()
        found += [run["id"] for run in page["results"]]
        path = page["next"] and page["next"].partition("/v1")[2]
    return found


@pytest.fixture(scope="module")
def runs(server):
    """Newest first, as lists are."""
    api = server.api()
    version = api.get("/models/lab/echo").json()["latest_version"]["id"]
    body = {"name": "filtered", "model": "lab/echo", "version": version, "hardware": "cpu"}
    api.post("/deployments", {**body, "min_instances": 0, "max_instances": 1}, 200)
    made = []
    for n in range(3):
        made.append(api.run("echo", {"text": str(n)}))
        made.append(api.run("faulty", {"mode": "raise"}))
        through = api.post("/deployments/lab/filtered/predictions", {"input": {"text": str(n)}}, 201).json()
        made.append(api.ended(through))
    return made[::-1]


def known(runs, found):
    """Without those of other tests."""
    return [id for id in found if any(run["id"] == id for run in runs)]


def chosen(runs, **wanted):
    return [run["id"] for run in runs if all(run.get(name) == value for name, value in wanted.items())]


def test_each_filter(server, runs):
    api = server.api()
    echo = runs[-1]["version"]
    assert known(runs, ids(api, "/predictions?model=lab/echo")) == chosen(runs, model="lab/echo") != []
    assert known(runs, ids(api, "/predictions?status=failed")) == chosen(runs, status="failed") != []
    assert known(runs, ids(api, "/predictions?status=succeeded")) == chosen(runs, status="succeeded") != []
    assert known(runs, ids(api, f"/predictions?version={echo}")) == chosen(runs, version=echo) != []
    assert known(runs, ids(api, "/predictions?deployment=lab/filtered")) == chosen(runs, deployment="lab/filtered") != []
    for nothing in ("model=lab/trainer", f"version={UNKNOWN}", "deployment=lab/other", "status=aborted", "status=processing"):
        assert known(runs, ids(api, f"/predictions?{nothing}")) == []


def test_filters_together(server, runs):
    api = server.api()
    echo = runs[-1]["version"]
    assert known(runs, ids(api, "/predictions?model=lab/echo&status=failed")) == []
    assert known(runs, ids(api, "/predictions?model=lab/faulty&status=failed")) == chosen(runs, status="failed")
    assert known(runs, ids(api, f"/predictions?model=lab/faulty&version={echo}")) == []
    through = chosen(runs, deployment="lab/filtered")
    assert known(runs, ids(api, f"/predictions?model=lab/echo&version={echo}&deployment=lab/filtered&status=succeeded")) == through
    assert known(runs, ids(api, "/predictions?status=failed&deployment=lab/filtered")) == []
    assert known(runs, ids(api, "/predictions?model=lab/echo&source=web")) == []
    middle = runs[4]["created_at"]
    later = [run["id"] for run in runs if run["created_at"] >= middle and run["model"] == "lab/echo"]
    assert known(runs, ids(api, f"/predictions?model=lab/echo&created_after={middle}")) == later


def test_pages_keep_the_filter(server, api):
    failed = [api.create("faulty", {"mode": "raise"})["id"] for _ in range(101)]
    between = [api.create("echo", {"text": "between"})["id"] for _ in range(2)]
    for id in failed + between:
        api.ended(id)
    page = api.get("/predictions?model=lab/faulty&status=failed").json()
    assert len(page["results"]) == 100 and "model=lab%2Ffaulty" in page["next"] and "status=failed" in page["next"]
    assert ids(api, "/predictions?model=lab/faulty&status=failed")[:101] == failed[::-1]


def test_runs_that_have_not_ended(servers):
    server = servers("--hardware-units", "1", "--max-instances", "1", "--starvation-bound", "0")
    api = server.api()
    live = api.create("echo", {"delay": 600})
    api.reaches(live, "processing")
    waiting = [api.create("echo", {"text": str(n)})["id"] for n in range(3)]
    assert ids(api, "/predictions?status=starting&model=lab/echo") == waiting[::-1]
    assert live["id"] not in ids(api, "/predictions?status=starting")
    assert ids(api, "/predictions?status=processing") == [live["id"]]


def test_trainings(server):
    api = server.api()
    version = api.get("/models/lab/trainer").json()["latest_version"]["id"]
    body = {"destination": "lab/trainer", "input": {"steps": 1}}
    training = api.post(f"/models/lab/trainer/versions/{version}/trainings", body, 201).json()
    assert ids(api, f"/trainings?model=lab/trainer&version={version}") == [training["id"]]
    assert ids(api, "/trainings?model=lab/echo") == []
    assert ids(api, f"/trainings?created_after={training['created_at']}") == [training["id"]]
    assert ids(api, "/trainings?source=web") == []


def test_filters_of_others_find_nothing(other, runs):
    for query in ("model=lab/echo", "status=failed", "deployment=lab/filtered", f"version={runs[0]['version']}"):
        assert ids(other, f"/predictions?{query}") == []


@pytest.mark.parametrize(
    "query,names",
    [
        ("model=echo", "model: expected owner/name, got 'echo'"),
        (f"model=lab/echo:{UNKNOWN}", "model: expected owner/name"),
        ("deployment=", "deployment: expected owner/name"),
        ("version=abc", "version: expected the id of a version"),
        ("status=done", "status: expected starting, processing, succeeded, failed, canceled or aborted, got 'done'"),
        ("source=api", "source: expected web"),
    ],
)
@pytest.mark.parametrize("list", ["predictions", "trainings"])
def test_wrong_filters(api, list, query, names):
    assert names in api.get(f"/{list}?{query}", 400).json()["detail"]

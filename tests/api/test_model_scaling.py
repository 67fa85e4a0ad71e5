"""How instances come and go, set per model and per deployment: shapes, changes, every refusal."""

import pytest

PATH = "/models/lab/echo/scaling"
UNSET = dict.fromkeys(
    (
        "min_instances",
        "max_instances",
        "idle_timeout",
        "scale_down_delay",
        "on_demand",
        "concurrency",
        "target",
        "fast_start",
        "snapshot",
        "retry_safe",
        "network",
    )
)
WRONG = [
    ({"idle_timeout": "5m"}, "idle_timeout"),
    ({"idle_timeout": -1}, "idle_timeout"),
    ({"scale_down_delay": 86401}, "scale_down_delay"),
    ({"on_demand": 1}, "on_demand"),
    ({"concurrency": 0}, "concurrency"),
    ({"target": 101}, "target"),
    ({"fast_start": "off"}, "fast_start"),
    ({"snapshot": 1}, "snapshot"),
    ({"retry_safe": "no"}, "retry_safe"),
    ({"network": "bridge"}, "network"),
    ({"network": 1}, "network"),
    ({"network": "host"}, "network"),
]
FLAGS = ("--max-instances", "3", "--idle-timeout", "200s")


def fields(reply):
    return [problem["field"] for problem in reply.json()["invalid_fields"]]


def test_a_model_follows_the_server_until_it_says_otherwise(api):
    first = api.get(PATH).json()
    effective = first.pop("effective")
    assert first == UNSET
    assert effective["max_instances"] == 3 and effective["idle_timeout"] == 200
    changed = api.patch(PATH, {"idle_timeout": 2.5, "on_demand": True}, 200).json()
    assert changed.pop("effective") == {**effective, "idle_timeout": 2.5, "on_demand": True}
    assert changed == {**UNSET, "idle_timeout": 2.5, "on_demand": True}
    back = api.patch(PATH, {"idle_timeout": None, "on_demand": None}, 200).json()
    assert back.pop("effective") == effective and back == UNSET
    assert api.patch(PATH, {}, 200).json() == {**UNSET, "effective": effective}
    # It is nothing that others see.
    assert "idle_timeout" not in api.get("/models/lab/echo").json()


def test_what_holds_of_concurrency_is_what_the_latest_version_allows(api):
    path = "/models/lab/concurrent/scaling"

    def both(reply):
        return reply.json()["concurrency"], reply.json()["effective"]["concurrency"]

    assert both(api.get(PATH)) == (None, 1)
    assert both(api.get(path)) == (None, 4)
    assert both(api.patch(path, {"concurrency": 2}, 200)) == (2, 2)
    assert both(api.patch(path, {"concurrency": 9}, 200)) == (9, 4)
    assert both(api.patch(path, {"concurrency": None}, 200)) == (None, 4)
    # Nothing bounds it before the first version.
    body = {"owner": "lab", "name": "empty", "visibility": "private", "hardware": "cpu"}
    api.post("/models", body, 201)
    assert both(api.patch("/models/lab/empty/scaling", {"concurrency": 9}, 200)) == (9, 9)


@pytest.mark.parametrize("body,field", WRONG + [({"min_instances": 4}, "min_instances")])
def test_what_is_wrong_is_named_and_changes_nothing(api, body, field):
    assert fields(api.patch(PATH, body, 422)) == [field]
    assert api.get(PATH).json()["effective"]["idle_timeout"] == 200


def test_a_network(api):
    """One that is wider than the server allows is refused; without sandboxes it is the host's, whatever is set."""
    told = api.patch(PATH, {"network": "host"}, 422).json()["invalid_fields"]
    words = "'host' is wider than this server allows (its setting max-network): choose 'outbound' or a narrower one"
    assert (told[0]["field"], told[0]["description"]) == ("network", words)
    assert api.patch(PATH, {"network": "none"}, 200).json()["network"] == "none"
    assert api.get(PATH).json()["effective"]["network"] in ("host", "none")
    assert api.patch(PATH, {"network": "outbound"}, 200).json()["network"] == "outbound"
    assert api.patch(PATH, {"network": None}, 200).json()["network"] is None


def test_only_the_owner(api, other):
    other.get(PATH, 403)
    other.patch(PATH, {"target": 50}, 403)
    api.get("/models/lab/nothing/scaling", 404)
    for method in ("GET", "PATCH"):
        api.call(method, PATH, 401, token="nonsense")
    reader = api.post("/tokens", {"name": "r", "scopes": ["read"]}, 201).json()["token"]
    api.call("PATCH", PATH, 403, token=reader, json={})
    api.call("PATCH", PATH, 413, json={"x": "x" * (33 * 1024 * 1024)})


def test_a_deployment_has_its_own(api):
    body = {
        "name": "tuned",
        "model": "lab/echo",
        "version": api.get("/models/lab/echo").json()["latest_version"]["id"],
        "hardware": "cpu",
        "min_instances": 0,
        "max_instances": 1,
    }
    for wrong, field in WRONG:
        assert fields(api.post("/deployments", {**body, **wrong}, 422)) == [field]
    made = api.post("/deployments", {**body, "idle_timeout": 5, "retry_safe": False}, 200).json()
    base = {"hardware": "cpu", "min_instances": 0, "max_instances": 1}
    assert made["current_release"]["configuration"] == {
        **base,
        "idle_timeout": 5,
        "retry_safe": False,
    }
    path = "/deployments/lab/tuned"
    for wrong, field in WRONG:
        assert fields(api.patch(path, wrong, 422)) == [field]
    same = api.patch(path, {"idle_timeout": 5, "target": None}, 200).json()
    assert same == made
    changed = api.patch(path, {"idle_timeout": None, "target": 50}, 200).json()
    assert changed["current_release"]["number"] == 2
    assert changed["current_release"]["configuration"] == {
        **base,
        "retry_safe": False,
        "target": 50,
    }
    assert api.get(path).json() == changed
    assert api.get("/deployments").json()["results"][0] == changed

"""Deployments: shapes, releases, every refusal, pages."""

import pytest
from test_models import TIME, all_pages

FLAGS = ("--hardware", "cpu=CPU, gpu-x=Some GPU")


@pytest.fixture(scope="module")
def versions(server):
    api = server.api()
    return {
        name: api.get(f"/models/lab/{name}").json()["latest_version"]["id"]
        for name in ("echo", "stream")
    }


@pytest.fixture
def new(versions):
    def body(name, **more):
        return {
            "name": name,
            "model": "lab/echo",
            "version": versions["echo"],
            "hardware": "cpu",
            "min_instances": 0,
            "max_instances": 1,
            **more,
        }

    return body


def test_life_of_a_deployment(api, new, versions):
    made = api.post("/deployments", new("life"), 200).json()
    assert made["owner"] == "lab" and made["name"] == "life"
    release = made["current_release"]
    assert release["number"] == 1 and release["model"] == "lab/echo"
    assert release["version"] == versions["echo"] and TIME.match(release["created_at"])
    assert release["configuration"] == {
        "hardware": "cpu",
        "min_instances": 0,
        "max_instances": 1,
    }
    assert release["created_by"]["username"] == "lab" and release["created_by"]["name"]
    assert api.get("/deployments/lab/life").json() == made
    assert made in all_pages(api, "/deployments")[1]

    changed = api.patch("/deployments/lab/life", {"max_instances": 3}, 200).json()
    assert changed["current_release"]["number"] == 2
    assert changed["current_release"]["configuration"]["max_instances"] == 3
    same = api.patch("/deployments/lab/life", {"max_instances": 3, "hardware": "cpu"}, 200)
    assert same.json() == changed
    assert api.patch("/deployments/lab/life", {}, 200).json() == changed
    both = api.patch(
        "/deployments/lab/life", {"hardware": "gpu-x", "model": "lab/echo"}, 200
    ).json()
    assert both["current_release"]["number"] == 3
    assert both["current_release"]["configuration"]["hardware"] == "gpu-x"

    assert api.delete("/deployments/lab/life", 204).content == b""
    api.get("/deployments/lab/life", 404)
    api.delete("/deployments/lab/life", 404)
    assert api.post("/deployments", new("life"), 200).json()["current_release"]["number"] == 1


def test_the_owner_in_a_name_is_taken_off(api, new):
    assert api.post("/deployments", new("lab/prefixed"), 200).json()["name"] == "prefixed"
    api.get("/deployments/lab/prefixed")
    assert "name" in api.post("/deployments", new("somebody/else"), 422).json()["detail"]


def test_a_name_is_taken_once(api, new):
    api.post("/deployments", new("twice"), 200)
    assert "lab/twice" in api.post("/deployments", new("twice"), 409).json()["detail"]


@pytest.mark.parametrize(
    "more,field",
    [
        ({"name": "Upper Case"}, "name"),
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"model": "lab/nothing"}, "model"),
        ({"model": "nonsense"}, "model"),
        ({"version": "latest"}, "version"),
        ({"version": "0" * 64}, "version"),
        ({"hardware": "gpu-nothing"}, "hardware"),
        ({"min_instances": -1}, "min_instances"),
        ({"min_instances": 6, "max_instances": 20}, "min_instances"),
        ({"min_instances": 2}, "min_instances"),
        ({"min_instances": 1.5}, "min_instances"),
        ({"max_instances": 21}, "max_instances"),
        ({"max_instances": "1"}, "max_instances"),
        ({"max_instances": None}, "max_instances"),
    ],
)
def test_wrong_fields_are_named(api, new, more, field):
    reply = api.post("/deployments", {**new("wrong"), **more}, 422).json()
    assert [problem["field"] for problem in reply["invalid_fields"]] == [field]
    assert reply["detail"].startswith(f"- {field}: ")
    assert f"{field}: {field}:" not in reply["detail"]
    api.get("/deployments/lab/wrong", 404)


def test_all_wrong_fields_at_once(api, versions):
    reply = api.post("/deployments", {}, 422).json()
    assert {problem["field"] for problem in reply["invalid_fields"]} == {
        "name",
        "model",
        "version",
        "hardware",
        "min_instances",
        "max_instances",
    }
    api.call("POST", "/deployments", 400, data="{", headers={"Content-Type": "application/json"})
    assert "object" in api.post("/deployments", [], 422).json()["detail"]


def test_a_version_of_another_model(api, new, versions):
    reply = api.post("/deployments", new("mixed", version=versions["stream"]), 422).json()
    assert reply["invalid_fields"][0]["field"] == "version"


def test_wrong_changes_change_nothing(api, new, versions):
    before = api.post("/deployments", new("steady"), 200).json()
    path = "/deployments/lab/steady"
    for body, field in (
        ({"version": versions["stream"]}, "version"),
        ({"version": "0" * 64}, "version"),
        ({"model": "lab/stream"}, "model"),
        ({"hardware": "tpu"}, "hardware"),
        ({"min_instances": 2}, "min_instances"),
        ({"max_instances": True}, "max_instances"),
    ):
        reply = api.patch(path, body, 422).json()
        assert [problem["field"] for problem in reply["invalid_fields"]] == [field]
    assert api.get(path).json() == before
    api.patch("/deployments/lab/nothing", {"max_instances": 2}, 404)


def test_others_see_nothing(api, other, new, server):
    api.post("/deployments", new("mine"), 200)
    path = "/deployments/lab/mine"
    other.get(path, 404)
    other.patch(path, {"max_instances": 2}, 404)
    other.delete(path, 404)
    other.post(path + "/predictions", {"input": {}}, 404)
    assert other.get("/deployments").json()["results"] == []
    for method, where in (("GET", path), ("GET", "/deployments"), ("POST", "/deployments")):
        api.call(method, where, 401, token="nonsense")
    reader = api.post("/tokens", {"name": "r", "scopes": ["read"]}, 201).json()["token"]
    api.call("POST", "/deployments", 403, token=reader, json=new("x"))
    api.call("POST", path + "/predictions", 403, token=reader, json={})


def test_anybodys_public_model_can_be_deployed(api, other, new):
    made = other.post("/deployments", new("echo"), 200).json()
    assert made["owner"] == "other" and made["current_release"]["model"] == "lab/echo"
    api.patch("/models/lab/echo", {"visibility": "private"}, 200)
    try:
        other.post("/deployments/other/echo/predictions", {"input": {}}, 403)
        reply = other.post("/deployments", new("second"), 422).json()
        assert reply["invalid_fields"][0]["field"] == "model"
    finally:
        api.patch("/models/lab/echo", {"visibility": "public"}, 200)


def test_pages(other, new):
    names = [f"page-{i:03}" for i in range(120)]
    for name in names:
        other.post("/deployments", new(name), 200)
    pages, items = all_pages(other, "/deployments")
    assert pages == 2
    assert [d["name"] for d in items if d["name"].startswith("page-")] == names[::-1]
    for query in ("cursor=x", "cursor=MS54"):
        other.get(f"/deployments?{query}", 400)


def test_predictions_of_a_deployment(api, new):
    api.post("/deployments", new("runs"), 200)
    made = api.post("/deployments/lab/runs/predictions", {"input": {"text": "hi"}}, 201)
    assert made.json()["deployment"] == "lab/runs"
    assert made.json()["model"] == "lab/echo"
    assert made.headers["Location"] == made.json()["urls"]["get"]
    done = api.ended(made.json())
    assert done["output"] == "hi" and done["deployment"] == "lab/runs"
    held = api.post(
        "/deployments/lab/runs/predictions",
        {"input": {"text": "held"}},
        201,
        headers={"Prefer": "wait"},
    ).json()
    assert held["output"] == "held" and held["status"] == "succeeded"
    reply = api.post("/deployments/lab/runs/predictions", {"input": {"delay": "x"}}, 422).json()
    assert reply["invalid_fields"][0]["field"] == "input.delay"
    # Its instances are not those of the model.
    assert {(i["model"], i["deployment"]) for i in api.debug()["instances"]} == {
        ("lab/echo", "lab/runs")
    }
    reply = api.delete("/deployments/lab/runs", 409).json()
    assert "900 s (setting deployment-delete-idle)" in reply["detail"]


def test_delete_waits_for_what_runs(servers, versions, new):
    api = servers("--deployment-delete-idle", "0").api()
    api.post("/deployments", new("busy"), 200)
    running = api.post("/deployments/lab/busy/predictions", {"input": {"delay": 600}}, 201).json()
    assert "not ended" in api.delete("/deployments/lab/busy", 409).json()["detail"]
    api.cancel(running)
    api.ended(running)
    api.patch("/deployments/lab/busy", {"min_instances": 1}, 200)
    assert "min_instances" in api.delete("/deployments/lab/busy", 409).json()["detail"]
    api.patch("/deployments/lab/busy", {"min_instances": 0}, 200)
    api.delete("/deployments/lab/busy", 204)
    # What ran of it stays readable.
    assert api.prediction(running)["deployment"] == "lab/busy"


def test_a_deployed_version_cannot_be_deleted(servers, versions, new):
    api = servers().api()
    path = f"/models/lab/echo/versions/{versions['echo']}"
    api.post("/deployments", new("keeps"), 200)
    assert "deployment" in api.delete(path, 409).json()["detail"]
    api.delete("/deployments/lab/keeps", 204)
    api.delete(path, 202)


def test_hardware_comes_from_the_setting(api, binary):
    assert api.get("/hardware").json() == [
        {"sku": "cpu", "name": "CPU"},
        {"sku": "gpu-x", "name": "Some GPU"},
    ]
    body = {"owner": "lab", "name": "on-gpu", "visibility": "private", "hardware": "gpu-x"}
    api.post("/models", body, 201)
    reply = api.post("/models", {**body, "name": "on-tpu", "hardware": "tpu"}, 422).json()
    assert "cpu, gpu-x" in reply["detail"]


@pytest.mark.parametrize("value", ["cpu,cpu", "cpu=", "no spaces", "A"])
def test_wrong_hardware_settings(servers, value):
    server = servers("--hardware", value, start=False)
    server.spawn()
    assert server.wait(60) == 2
    assert "hardware" in server.log_path.read_text()


def test_bodies_have_a_limit(api, new):
    api.post("/deployments", new("large"), 200)
    body = {"name": "x" * (33 * 1024 * 1024)}
    for method, path in (
        ("POST", "/deployments"),
        ("PATCH", "/deployments/lab/large"),
        ("POST", "/deployments/lab/large/predictions"),
        ("POST", "/collections"),
        ("POST", "/models/lab/echo/examples"),
        ("POST", f"/models/lab/echo/versions/{'0' * 64}/trainings"),
    ):
        api.call(method, path, 413, json=body)


def test_history_of_releases(api, other, new, versions, server):
    api.post("/deployments", new("told"), 200)
    token = api.post("/tokens", {"name": "by hand", "scopes": ["read", "push"]}, 201).json()
    by_hand = server.api(token["token"])
    by_hand.patch("/deployments/lab/told", {"max_instances": 2, "hardware": "gpu-x"}, 200)
    api.delete(f"/tokens/{token['id']}", 204)
    api.patch("/deployments/lab/told", {"max_instances": 2}, 200)
    api.patch("/deployments/lab/told", {"idle_timeout": 5}, 200)
    pages, releases = all_pages(api, "/deployments/lab/told/releases")
    assert pages == 1 and [release["number"] for release in releases] == [3, 2, 1]
    assert [release["token"] for release in releases][1] == "by hand"
    assert releases[0]["token"] == releases[2]["token"] != "by hand"
    assert releases[0]["configuration"]["idle_timeout"] == 5
    assert [r["configuration"]["max_instances"] for r in releases] == [2, 2, 1]
    assert {**api.get("/deployments/lab/told").json()["current_release"], "token": releases[0]["token"]} == releases[0]
    other.get("/deployments/lab/told/releases", 404)
    api.get("/deployments/lab/nothing/releases", 404)
    api.get("/deployments/lab/told/releases?cursor=x", 400)


def test_pages_of_the_history(api, new):
    api.post("/deployments", new("often"), 200)
    for n in range(101):
        api.patch("/deployments/lab/often", {"max_instances": 2 + n % 2}, 200)
    pages, releases = all_pages(api, "/deployments/lab/often/releases")
    assert pages == 2 and [release["number"] for release in releases] == list(range(102, 0, -1))

"""Models and versions: shapes, status codes, pages."""

import re
import sqlite3

import pytest

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z$")


def new(name, **more):
    return {"owner": "lab", "name": name, "visibility": "private", "hardware": "cpu", **more}


def all_pages(api, path):
    pages, items = 0, []
    while path:
        page = api.get(path).json()
        assert set(page) >= {"next", "previous", "results"}
        assert len(page["results"]) <= 100
        pages += 1
        items += page["results"]
        if page["next"] is not None:
            assert page["next"].startswith(api.server.url + "/v1/")
            assert "cursor=" in page["next"]
        path = page["next"]
    return pages, items


def test_life_of_a_model(api):
    made = api.post("/models", new("life", description="first"), 201).json()
    assert made["latest_version"] is None and made["default_example"] is None
    assert made["run_count"] == 0 and made["visibility"] == "private"
    assert made["url"].endswith("/lab/life") and TIME.match(made["created_at"])
    assert api.get("/models/lab/life").json() == made
    api.post("/models", new("life"), 409)

    changed = api.patch(
        "/models/lab/life",
        {"description": "second", "readme": "# Life\n", "github_url": "https://example.com/g"},
        200,
    ).json()
    assert changed["description"] == "second" and changed["github_url"] == "https://example.com/g"
    readme = api.get("/models/lab/life/readme")
    assert readme.text == "# Life\n" and readme.headers["Content-Type"].startswith("text/plain")

    assert api.get("/models/lab/life/versions").json()["results"] == []
    assert "version" in api.post("/models/lab/life/predictions", {"input": {}}, 422).json()["detail"]
    assert api.delete("/models/lab/life", 204).content == b""
    api.get("/models/lab/life", 404)
    api.post("/models", new("life"), 201)
    api.get("/models/lab/life/readme", 404)


@pytest.mark.parametrize(
    "body,field",
    [
        ({}, "owner"),
        (new(""), "name"),
        (new("Upper Case"), "name"),
        (new("a/b"), "name"),
        (new("x" * 300), "name"),
        (new("ok", visibility="secret"), "visibility"),
        (new("ok", hardware="gpu-nothing"), "hardware"),
        (new("ok", description=5), "description"),
        (new("ok", github_url="javascript:alert(1)"), "github_url"),
        (new("ok", cover_image_url=["x"]), "cover_image_url"),
    ],
)
def test_wrong_models_name_the_field(api, body, field):
    assert field in api.post("/models", body, 422).json()["detail"]
    api.get("/models/lab/ok", 404)


@pytest.mark.parametrize("body", [{"readme": 1}, {"visibility": "x"}, {"weights_url": "ftp://x"}])
def test_wrong_changes_change_nothing(api, body):
    before = api.get("/models/lab/echo").json()
    api.patch("/models/lab/echo", body, 422)
    assert api.get("/models/lab/echo").json() == before


def test_versions(api):
    model = api.get("/models/lab/echo").json()
    latest = model["latest_version"]
    assert re.fullmatch("[0-9a-f]{64}", latest["id"])
    assert isinstance(latest["cog_version"], str) and TIME.match(latest["created_at"])
    schemas = latest["openapi_schema"]["components"]["schemas"]
    assert set(schemas["Input"]["properties"]) == {"text", "delay", "record", "upper"}
    listed = api.get("/models/lab/echo/versions").json()
    assert [v["id"] for v in listed["results"]] == [latest["id"]]
    assert api.get(f"/models/lab/echo/versions/{latest['id']}").json() == latest
    api.get(f"/models/lab/echo/versions/{'0' * 64}", 404)
    api.get("/models/lab/echo/versions/not-an-id", 404)
    # The version of another model is not one of this one.
    api.get(f"/models/lab/stream/versions/{latest['id']}", 404)


def test_delete_a_version(servers):
    api = servers().api()
    version = api.get("/models/lab/echo").json()["latest_version"]["id"]
    path = f"/models/lab/echo/versions/{version}"
    running = api.create("echo", {"delay": 600})
    api.reaches(running, "processing")
    assert "cancel" in api.delete(path, 409).json()["detail"]
    api.cancel(running)
    api.ended(running)
    api.delete("/models/lab/echo", 409)
    api.patch("/models/lab/echo", {"visibility": "private"}, 200)
    refused = api.delete("/models/lab/echo", 409).json()["detail"]
    assert "still has versions" in refused and "'vend versions lab/echo delete ID'" in refused
    assert api.delete(path, 202).content == b""
    api.delete(path, 404)
    api.get(path, 404)
    assert api.get("/models/lab/echo").json()["latest_version"] is None
    reply = api.post("/predictions", {"version": version, "input": {}}, 422)
    assert reply.json()["title"] == "Invalid version or not permitted"
    api.patch("/models/lab/echo", {"visibility": "private"}, 200)
    api.delete("/models/lab/echo", 204)
    # What ran of it stays readable.
    assert api.prediction(running)["status"] == "canceled"


def test_pages_of_models(api):
    names = [f"page-{i:03}" for i in range(120)]
    for name in names:
        api.post("/models", new(name), 201)
    pages, items = all_pages(api, "/models?sort_by=model_created_at&sort_direction=asc")
    assert pages == 2
    assert [m["name"] for m in items if m["name"].startswith("page-")] == names
    pages, items = all_pages(api, "/models?sort_by=model_created_at")
    assert [m["name"] for m in items if m["name"].startswith("page-")] == names[::-1]
    pages, by_version = all_pages(api, "/models")
    assert sorted(m["name"] for m in by_version) == sorted(m["name"] for m in items)


@pytest.mark.parametrize(
    "query", ["cursor=nonsense", "cursor=%00", "cursor=" + "a" * 1000, "sort_by=x", "sort_direction=x"]
)
def test_wrong_queries(api, query):
    api.get(f"/models?{query}", 400)


def test_pages_of_predictions(servers, template):
    server = servers(start=False)
    database = sqlite3.connect(server.data / "vend.db")
    columns = [row[1] for row in database.execute("pragma table_info(predictions)")]
    database.close()
    assert "created_us" in columns
    api = server.start().api()
    made = [api.create("echo", {"text": str(i)})["id"] for i in range(105)]
    pages, items = all_pages(api, "/predictions")
    assert pages == 2 and [p["id"] for p in items] == made[::-1]
    for prediction in items:
        assert prediction["model"] == "lab/echo" and isinstance(prediction["logs"], str)
        assert set(prediction["urls"]) >= {"get", "cancel", "web"}
    middle = api.ended(made[50])
    after = all_pages(api, f"/predictions?created_after={middle['created_at']}")[1]
    before = all_pages(api, f"/predictions?created_before={middle['created_at']}")[1]
    assert len(after) in (54, 55) and len(before) in (50, 51)
    assert api.get("/predictions?source=web").json()["results"] == []
    for query in ("source=api", "created_after=yesterday", "cursor=x"):
        api.get(f"/predictions?{query}", 400)


def test_hardware_is_a_bare_list(api):
    assert api.get("/hardware").json() == [{"sku": "cpu", "name": "CPU"}]


def test_a_change_shows_what_is_stored(api):
    change = {"description": "changed", "cover_image_url": "https://example.com/x.png"}
    changed = api.patch("/models/lab/nested", change, 200).json()
    assert changed["description"] == "changed"
    assert api.get("/models/lab/nested").json() == changed
    api.patch("/models/lab/nested", {"description": None}, 200)

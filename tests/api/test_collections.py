"""Collections: anybody reads, admins write."""

import pytest
from test_models import all_pages


def test_life_of_a_collection(api, other):
    body = {
        "slug": "life",
        "name": "Life",
        "description": "Short",
        "full_description": "# Long",
        "models": ["lab/stream", "lab/echo"],
    }
    made = api.post("/collections", body, 201).json()
    assert [m["name"] for m in made["models"]] == ["stream", "echo"]
    assert made["full_description"] == "# Long"
    assert api.get("/collections/life").json() == made == other.get("/collections/life").json()
    assert made["models"][1] == api.get("/models/lab/echo").json()
    listed = {c["slug"]: c for c in all_pages(other, "/collections")[1]}
    assert listed["life"] == {"slug": "life", "name": "Life", "description": "Short"}
    assert "life" in api.post("/collections", body, 409).json()["detail"]

    changed = api.patch("/collections/life", {"models": ["lab/echo"], "name": "Living"}, 200).json()
    assert [m["name"] for m in changed["models"]] == ["echo"]
    assert changed["name"] == "Living" and changed["description"] == "Short"
    found = api.get("/search?query=living").json()["collections"]
    assert found == [
        {"slug": "life", "name": "Living", "description": "Short", "models": ["lab/echo"]}
    ]
    assert api.delete("/collections/life", 204).content == b""
    api.get("/collections/life", 404)
    api.delete("/collections/life", 404)
    api.patch("/collections/life", {}, 404)
    assert api.get("/search?query=living").json()["collections"] == []


def test_what_the_clients_need_is_never_null(api):
    made = api.post("/collections", {"slug": "bare"}, 201).json()
    assert made == {
        "slug": "bare",
        "name": "bare",
        "description": "",
        "full_description": None,
        "models": [],
    }


@pytest.mark.parametrize(
    "body,word",
    [
        ({}, "slug"),
        ({"slug": "Not A Slug"}, "slug"),
        ({"slug": "wrong", "name": 5}, "name"),
        ({"slug": "wrong", "description": []}, "description"),
        ({"slug": "wrong", "models": "lab/echo"}, "models"),
        ({"slug": "wrong", "models": ["lab/nothing"]}, "models[0]"),
        ({"slug": "wrong", "models": ["lab/echo", 5]}, "models[1]"),
        ({"slug": "wrong", "models": ["lab/echo", "lab/echo"]}, "models[1]"),
    ],
)
def test_wrong_bodies(api, body, word):
    assert word in api.post("/collections", body, 422).json()["detail"]
    api.get("/collections/wrong", 404)


def test_models_that_one_may_not_see_are_left_out(api, other):
    body = {"owner": "lab", "name": "secret", "visibility": "private", "hardware": "cpu"}
    api.post("/models", body, 201)
    api.post("/collections", {"slug": "mixed", "models": ["lab/secret", "lab/echo"]}, 201)
    assert [m["name"] for m in api.get("/collections/mixed").json()["models"]] == ["secret", "echo"]
    assert [m["name"] for m in other.get("/collections/mixed").json()["models"]] == ["echo"]
    api.delete("/models/lab/secret", 204)
    assert [m["name"] for m in api.get("/collections/mixed").json()["models"]] == ["echo"]


def test_who_may(api, other):
    api.post("/collections", {"slug": "guarded"}, 201)
    other.post("/collections", {"slug": "x"}, 403)
    other.patch("/collections/guarded", {}, 403)
    other.delete("/collections/guarded", 403)
    api.call("GET", "/collections", 401, token="nonsense")


def test_pages(api):
    slugs = [f"page-{i:03}" for i in range(120)]
    for slug in slugs:
        api.post("/collections", {"slug": slug}, 201)
    pages, items = all_pages(api, "/collections")
    assert pages == 2
    assert [c["slug"] for c in items if c["slug"].startswith("page-")] == slugs[::-1]
    api.get("/collections?cursor=x", 400)

"""Secrets of models and deployments over the API: set, listed by name, removed; every refusal."""

import pytest

MODEL = "/models/lab/echo/secrets"
WRONG_NAMES = ["PATH", "ld_preload", "PYTHONPATH", "VEND_X", "COG_X", "HTTPS_PROXY", "1A", "A-B", "A%20B", "A" * 65]
WRONG_VALUES = [
    ({}, "value is required"),
    ({"value": None}, "value: expected a string"),
    ({"value": 5}, "value: expected a string"),
    ({"value": ""}, "value: expected 1 to 32768 bytes"),
    ({"value": "x" * 32769}, "value: expected 1 to 32768 bytes"),
    ({"value": "a\0b"}, "value"),
]


def put(api, path, expect=200, **body):
    return api.call("PUT", path, expect, json=body)


def names(api, path=MODEL):
    return [secret["name"] for secret in api.get(path).json()["results"]]


@pytest.fixture(scope="module")
def deployment(server):
    api = server.api()
    version = api.get("/models/lab/echo").json()["latest_version"]["id"]
    body = {"name": "kept", "model": "lab/echo", "version": version, "hardware": "cpu"}
    api.post("/deployments", {**body, "min_instances": 0, "max_instances": 1}, 200)
    return "/deployments/lab/kept/secrets"


@pytest.fixture(params=["model", "deployment"])
def path(request, deployment):
    return MODEL if request.param == "model" else deployment


def test_a_value_goes_in_and_never_out(api, server, path):
    made = put(api, f"{path}/HF_TOKEN", value="hf_never-shown-value").json()
    assert made["name"] == "HF_TOKEN" and set(made) == {"name", "set_at"}
    put(api, f"{path}/ANOTHER", value="x")
    listed = api.get(path)
    assert [secret["name"] for secret in listed.json()["results"]] == ["ANOTHER", "HF_TOKEN"]
    assert listed.json()["results"][1] == made
    again = put(api, f"{path}/HF_TOKEN", value="hf_never-shown-value").json()
    assert again["set_at"] > made["set_at"]
    for shown in (listed, api.get(path.rpartition("/")[0]), api.get("//-/debug")):
        assert "never-shown" not in shown.text
    assert "never-shown" not in str(server.log())
    for name in ("HF_TOKEN", "ANOTHER"):
        api.delete(f"{path}/{name}", 204)
    assert names(api, path) == []
    api.delete(f"{path}/HF_TOKEN", 404)


@pytest.mark.parametrize("name", WRONG_NAMES)
def test_names_that_are_none(api, path, name):
    refused = put(api, f"{path}/{name}", 422, value="x").json()
    assert refused["detail"].startswith("name '"), refused
    assert names(api, path) == []


@pytest.mark.parametrize("body, sentence", WRONG_VALUES)
def test_values_that_are_none(api, path, body, sentence):
    assert sentence in put(api, f"{path}/A", 422, **body).json()["detail"]
    assert names(api, path) == []


def test_there_are_limits(api, deployment):
    for n in range(4):
        put(api, f"{deployment}/A{n}", value="x" * 32768)
    assert "131072 bytes" in put(api, f"{deployment}/A4", 422, value="x").json()["detail"]
    for n in range(4):
        api.delete(f"{deployment}/A{n}", 204)
    for n in range(64):
        put(api, f"{deployment}/A{n}", value="x")
    assert "64 secrets" in put(api, f"{deployment}/B", 422, value="x").json()["detail"]
    put(api, f"{deployment}/A0", value="y")
    for n in range(64):
        api.delete(f"{deployment}/A{n}", 204)


def test_only_the_owner_sees_and_sets(api, other, deployment):
    put(api, f"{MODEL}/HF_TOKEN", value="x")
    other.get(MODEL, 403)
    put(other, f"{MODEL}/HF_TOKEN", 403, value="y")
    other.delete(f"{MODEL}/HF_TOKEN", 403)
    other.get(deployment, 404)
    put(other, f"{deployment}/HF_TOKEN", 404, value="y")
    other.delete(f"{deployment}/HF_TOKEN", 404)
    put(api, "/models/lab/nothing/secrets/A", 404, value="y")
    put(api, "/deployments/lab/nothing/secrets/A", 404, value="y")
    api.delete(f"{MODEL}/HF_TOKEN", 204)


def test_they_go_with_what_they_belong_to(api):
    body = {"owner": "lab", "name": "short-lived", "visibility": "private", "hardware": "cpu"}
    for _ in range(2):
        api.post("/models", body, 201)
        path = "/models/lab/short-lived/secrets"
        assert names(api, path) == []
        put(api, f"{path}/A", value="x")
        api.delete("/models/lab/short-lived", 204)
        api.get(path, 404)

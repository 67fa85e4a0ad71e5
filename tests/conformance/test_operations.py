"""Each operation of the published document, once the way it is meant to be used."""

import base64
import hmac
import json
import time

import pytest
from shapes import FILE, path_pattern

FLAGS = ("--deployment-delete-idle", "0")
PATHS = json.loads(FILE.read_text())["paths"]
PUBLISHED = {
    operation["operationId"]: (method.upper(), path)
    for path, operations in PATHS.items()
    for method, operation in operations.items()
}
TESTS = {}


def covers(operation):
    """The function is the test of the operation."""

    def add(function):
        assert operation not in TESTS, operation
        TESTS[operation] = function
        return function

    return add


@pytest.mark.parametrize("operation", sorted(PUBLISHED))
def test_operation(operation, proxied, proxy):
    method, path = PUBLISHED[operation]
    assert operation in TESTS, f"{method} {path} has no test"
    TESTS[operation](proxied)
    pattern = path_pattern(path)
    done = [
        exchange
        for exchange in proxy.seen(method)
        if pattern.match(exchange.path.partition("?")[0]) and exchange.status < 300
    ]
    assert done, f"{method} {path} was not called with success"


def test_nothing_else_is_covered():
    assert set(TESTS) <= set(PUBLISHED)


def results(api, path):
    return api.get(path).json()["results"]


def create_model(api, name):
    body = {"owner": "lab", "name": name, "visibility": "private", "hardware": "cpu"}
    return api.post("/models", body, 201).json()


def latest(api, name):
    return api.get(f"/models/lab/{name}").json()["latest_version"]["id"]


# Account, hardware, collections, search


@covers("account.get")
def account(api):
    body = api.get("/account").json()
    assert (body["username"], body["type"]) == ("lab", "user")


@covers("hardware.list")
def hardware(api):
    assert api.get("/hardware").json() == [{"sku": "cpu", "name": "CPU"}]


@covers("collections.list")
def list_collections(api):
    api.post("/collections", {"slug": "listed", "description": "L", "models": []}, 201)
    assert "listed" in [item["slug"] for item in results(api, "/collections")]


@covers("collections.get")
def get_collection(api):
    api.post("/collections", {"slug": "one", "models": ["lab/echo"]}, 201)
    body = api.get("/collections/one").json()
    assert [model["name"] for model in body["models"]] == ["echo"]
    assert isinstance(body["description"], str) and "full_description" in body


@covers("search")
def search(api):
    body = api.get("/search?query=echo&limit=1").json()
    assert body["query"] == "echo" and body["models"][0]["model"]["name"] == "echo"
    assert len(body["models"]) == 1 and {"collections", "pages"} <= set(body)


@covers("webhooks.default.secret.get")
def secret(api):
    assert api.get("/webhooks/default/secret").json()["key"].startswith("whsec_")


# Models


@covers("models.list")
def list_models(api):
    create_model(api, "newest")
    query = "/models?sort_by=model_created_at&sort_direction="
    assert results(api, query + "desc")[0]["name"] == "newest"
    assert results(api, query + "asc")[-1]["name"] == "newest"


@covers("models.search")
def query_models(api):
    reply = api.call("QUERY", "/models", 200, data="echo", headers={"Content-Type": "text/plain"})
    assert reply.json()["results"][0]["name"] == "echo"


@covers("models.create")
def create(api):
    body = create_model(api, "created")
    assert (body["owner"], body["run_count"], body["latest_version"]) == ("lab", 0, None)


@covers("models.get")
def get_model(api):
    body = api.get("/models/lab/echo").json()
    assert body["latest_version"]["openapi_schema"]["openapi"].startswith("3.")


@covers("models.update")
def update_model(api):
    create_model(api, "updated")
    changes = {
        "description": "d",
        "readme": "# R",
        "github_url": "https://example.com/g",
        "paper_url": "https://example.com/p",
        "weights_url": "https://example.com/w",
        "license_url": "https://example.com/l",
    }
    body = api.patch("/models/lab/updated", changes, 200).json()
    shown = {key: value for key, value in changes.items() if key not in ("readme", "weights_url")}
    assert {key: body[key] for key in shown} == shown


@covers("models.delete")
def delete_model(api):
    create_model(api, "deleted")
    assert api.delete("/models/lab/deleted", 204).content == b""
    api.get("/models/lab/deleted", 404)


@covers("models.examples.list")
def list_examples(api):
    run = api.run("echo", {"text": "example"})
    api.post("/models/lab/echo/examples", {"prediction": run["id"]}, 201)
    assert run["id"] in [item["id"] for item in results(api, "/models/lab/echo/examples")]


@covers("models.readme.get")
def readme(api):
    create_model(api, "readable")
    api.get("/models/lab/readable/readme", 404)
    api.patch("/models/lab/readable", {"readme": "# Täst"}, 200)
    reply = api.get("/models/lab/readable/readme")
    assert reply.content.decode() == "# Täst"
    assert reply.headers["Content-Type"].startswith("text/plain")


@covers("models.versions.list")
def list_versions(api):
    assert results(api, "/models/lab/echo/versions")[0]["id"] == latest(api, "echo")


@covers("models.versions.get")
def get_version(api):
    id = latest(api, "types")
    body = api.get(f"/models/lab/types/versions/{id}").json()
    assert body["id"] == id and body["cog_version"]
    properties = body["openapi_schema"]["components"]["schemas"]["Input"]["properties"]
    assert properties["text"]["x-order"] == 0


@covers("models.versions.delete")
def delete_version(api):
    path = f"/models/lab/concurrent/versions/{latest(api, 'concurrent')}"
    assert api.delete(path, 202).content == b""
    api.get(path, 404)


# Predictions


@covers("predictions.create")
def create_prediction(api):
    body = {"version": latest(api, "echo"), "input": {"text": "by version"}}
    made = api.post("/predictions", body, 201).json()
    assert api.ended(made)["output"] == "by version"
    late = {**body, "input": {"delay": 600}}
    held = api.post("/predictions", late, 202, headers={"Prefer": "wait=1"})
    assert held.json()["status"] == "starting"
    api.cancel(held.json())


@covers("models.predictions.create")
def create_by_model(api):
    assert api.run("echo", {"text": "by model"})["output"] == "by model"


@covers("predictions.get")
def get_prediction(api):
    made = api.create("echo", {"text": "got"})
    assert api.prediction(made)["input"] == {"text": "got"}


@covers("predictions.list")
def list_predictions(api):
    made = api.create("echo", {"text": "listed"})
    assert results(api, "/predictions")[0]["id"] == made["id"]
    at = made["created_at"]
    assert made["id"] in [p["id"] for p in results(api, f"/predictions?created_after={at}")]
    assert made["id"] not in [p["id"] for p in results(api, f"/predictions?created_before={at}")]
    assert results(api, "/predictions?source=web") == []


@covers("predictions.cancel")
def cancel_prediction(api):
    made = api.create("echo", {"delay": 600})
    api.cancel(made)
    assert api.ended(made)["status"] == "canceled"
    assert api.cancel(made)["status"] == "canceled"


# Deployments


def deploy(api, name):
    body = {
        "name": name,
        "model": "lab/echo",
        "version": latest(api, "echo"),
        "hardware": "cpu",
        "min_instances": 0,
        "max_instances": 1,
    }
    return api.post("/deployments", body, 200).json()


@covers("deployments.create")
def create_deployment(api):
    release = deploy(api, "created")["current_release"]
    assert (release["number"], release["model"]) == (1, "lab/echo")
    assert release["configuration"] == {"hardware": "cpu", "min_instances": 0, "max_instances": 1}


@covers("deployments.list")
def list_deployments(api):
    deploy(api, "listed")
    assert "listed" in [item["name"] for item in results(api, "/deployments")]


@covers("deployments.get")
def get_deployment(api):
    assert deploy(api, "got") == api.get("/deployments/lab/got").json()


@covers("deployments.update")
def update_deployment(api):
    deploy(api, "updated")
    body = api.patch("/deployments/lab/updated", {"max_instances": 2}, 200).json()
    assert body["current_release"]["number"] == 2


@covers("deployments.delete")
def delete_deployment(api):
    deploy(api, "deleted")
    assert api.delete("/deployments/lab/deleted", 204).content == b""
    api.get("/deployments/lab/deleted", 404)


@covers("deployments.predictions.create")
def run_deployment(api):
    deploy(api, "run")
    path = "/deployments/lab/run/predictions"
    made = api.post(path, {"input": {"text": "deployed"}}, 201).json()
    assert made["deployment"] == "lab/run"
    assert api.ended(made)["output"] == "deployed"


# Files


@covers("files.create")
def create_file(api):
    body = api.upload(b"hello", metadata=(None, '{"a": 1}'))
    assert body["metadata"] == {"a": 1} and body["etag"] == body["checksums"]["md5"]


@covers("files.list")
def list_files(api):
    assert api.upload(b"listed")["id"] == results(api, "/files")[0]["id"]


@covers("files.get")
def get_file(api):
    made = api.upload(b"got")
    assert api.get(made["urls"]["get"]).json() == made


@covers("files.delete")
def delete_file(api):
    made = api.upload(b"gone")
    assert api.delete(f"/files/{made['id']}", 204).content == b""
    api.get(f"/files/{made['id']}", 404)


@covers("files.download")
def download_file(api):
    made = api.upload(b"fetched", "f.txt", "text/plain")
    key = api.get("/files/default/secret").json()["key"]
    expiry = int(time.time()) + 60
    mac = hmac.digest(key.encode(), f"lab {made['id']} {expiry}".encode(), "sha256")
    query = {"owner": "lab", "expiry": expiry, "signature": base64.b64encode(mac).decode()}
    reply = api.get(f"/files/{made['id']}/download", params=query, token="")
    assert reply.content == b"fetched" and reply.headers["Content-Type"] == "text/plain"


# Trainings


def train(api, name, **inputs):
    create_model(api, name)
    path = f"/models/lab/trainer/versions/{latest(api, 'trainer')}/trainings"
    body = {"destination": f"lab/{name}", "input": {"steps": 1, **inputs}}
    return api.post(path, body, 201).json()


@covers("trainings.create")
def create_training(api):
    body = train(api, "trained")
    assert body["status"] == "starting" and body["model"] == "lab/trainer"


@covers("trainings.get")
def get_training(api):
    made = train(api, "looked-at")
    assert api.get(f"/trainings/{made['id']}").json()["id"] == made["id"]


@covers("trainings.list")
def list_trainings(api):
    assert train(api, "listed-training")["id"] in [t["id"] for t in results(api, "/trainings")]


@covers("trainings.cancel")
def cancel_training(api):
    made = train(api, "canceled", steps=100, delay=10)
    canceled = api.post(f"/trainings/{made['id']}/cancel", expect=200).json()
    assert canceled["id"] == made["id"]

"""Which models have instances now, for all who see them."""

import requests
from waiting import wait_until


def warm(api):
    return api.get("/warm").json()["models"]


def test_models_with_instances(servers):
    server = servers("--public-catalogue", "true", "--idle-timeout", "600s")
    api = server.api()
    api.post("/models", {"owner": "lab", "name": "hidden", "visibility": "private", "hardware": "cpu"}, 201)
    assert api.get("/warm").json() == {"models": {}, "complete": True}
    api.run("echo", {"text": "x"})
    assert warm(api) == {"lab/echo": "warm"}
    assert requests.get(f"{server.url}/v1/warm", timeout=60).json()["models"] == {"lab/echo": "warm"}

    admin = server.api()
    admin.post("/accounts", {"username": "other"}, 201)
    token = admin.post("/tokens", {"name": "t", "scopes": ["read"], "account": "other"}, 201).json()["token"]
    assert warm(server.api(token)) == {"lab/echo": "warm"}
    api.patch("/models/lab/echo", {"visibility": "private"}, 200)
    assert warm(server.api(token)) == {} and warm(api) == {"lab/echo": "warm"}
    assert requests.get(f"{server.url}/v1/warm", timeout=60).json()["models"] == {}


def test_instances_of_deployments_are_not_the_models(server):
    api = server.api()
    version = api.get("/models/lab/echo").json()["latest_version"]["id"]
    body = {"name": "apart", "model": "lab/echo", "version": version, "hardware": "cpu"}
    api.post("/deployments", {**body, "min_instances": 1, "max_instances": 1}, 200)
    wait_until(lambda: any(i["state"] == "ready" for i in api.get("/status").json()["instances"]))
    assert warm(api) == {}
    requests_without = requests.get(f"{server.url}/v1/warm", timeout=60)
    assert requests_without.status_code == 401

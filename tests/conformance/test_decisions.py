"""Rows of docs/compatibility.md that no other test holds against the server."""

import pytest
import requests
from waiting import wait_until

FLAGS = ("--webhook-allow", "127.0.0.0/8")
ENDS = ("succeeded", "failed", "canceled")


@pytest.fixture
def version(proxied):
    return proxied.get("/models/lab/echo").json()["latest_version"]["id"]


@pytest.fixture
def deployment(proxied, version, request):
    name = request.node.name.replace("_", "-").replace("[", "-").replace("]", "")[:60]
    body = {"name": name, "model": "lab/echo", "version": version, "hardware": "cpu"}
    body |= {"min_instances": 0, "max_instances": 1}
    made = proxied.post("/deployments", body, 200).json()
    return f"/deployments/lab/{made['name']}", made


@pytest.fixture
def training(proxied):
    body = {"owner": "lab", "name": "tuned", "visibility": "private", "hardware": "cpu"}
    assert proxied.post("/models", body).status_code in (201, 409)
    base = proxied.get("/models/lab/trainer").json()["latest_version"]["id"]
    path = f"/models/lab/trainer/versions/{base}/trainings"
    return path, {"destination": "lab/tuned", "input": {"steps": 2, "delay": 1}}


def test_an_empty_filter_is_no_filter(proxied):
    made = proxied.create(
        "echo", webhook="http://127.0.0.1:9/closed", webhook_events_filter=[]
    )
    proxied.ended(made)
    events = wait_until(
        lambda: {
            item["event"]
            for item in proxied.get("/webhooks/deliveries").json()["results"]
            if item["prediction"] == made["id"]
        },
        what="deliveries",
    )
    assert events <= {"output", "completed"}


def test_a_password_in_a_webhook_is_refused(proxied):
    body = {"input": {}, "webhook": "https://user:secret@example.com/"}
    assert "webhook" in proxied.post("/models/lab/echo/predictions", body, 422).json()["detail"]


def test_webhook_completed_beside_webhook_is_ignored(proxied):
    made = proxied.create(
        "echo", webhook="http://127.0.0.1:9/a", webhook_completed="http://127.0.0.1:9/b"
    )
    assert made["webhook"] == "http://127.0.0.1:9/a"


def test_a_patch_without_a_change_is_no_release(proxied, deployment, version):
    path, made = deployment
    for change in ({}, {"min_instances": 0}, {"version": version}, {"model": "lab/echo"}):
        assert proxied.patch(path, change, 200).json() == made


def test_another_model_in_a_patch_is_refused(proxied, deployment):
    path, made = deployment
    assert "model" in proxied.patch(path, {"model": "lab/stream"}, 422).json()["detail"]
    assert proxied.get(path).json() == made


def test_a_deployment_that_ran_lately_stays(proxied, deployment):
    path, _ = deployment
    run = proxied.post(path + "/predictions", {"input": {}}, 201).json()
    proxied.ended(run)
    assert "900 s" in proxied.delete(path, 409).json()["detail"]


def test_created_by_has_urls(deployment):
    by = deployment[1]["current_release"]["created_by"]
    picture = requests.get(by["avatar_url"], timeout=60)
    assert picture.headers["Content-Type"] == "image/svg+xml" and "<svg" in picture.text
    page = requests.get(by["github_url"], headers={"Accept": "text/html"}, timeout=60)
    assert page.status_code == 200


def test_no_hold_on_trainings(proxied, training):
    path, body = training
    reply = proxied.post(path, body, 201, headers={"Prefer": "wait"})
    assert reply.json()["status"] == "starting" and "Preference-Applied" not in reply.headers
    assert reply.json()["data_removed"] is False
    assert reply.json()["urls"]["get"].endswith(f"/v1/trainings/{reply.json()['id']}")


@pytest.mark.parametrize("text", [b"echo", b'"echo"'])
@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_both_bodies_of_query(proxied, text, kind):
    reply = proxied.call("QUERY", "/models", 200, data=text, headers={"Content-Type": kind})
    assert reply.json()["results"][0]["name"] == "echo"
    assert reply.json()["next"] is reply.json()["previous"] is None


def test_a_search_has_what_clients_look_for(proxied):
    body = proxied.get("/search?query=echo").json()
    assert body["pages"] == []
    assert body["models"][0]["metadata"]["generated_description"] is None
    assert body["models"][0]["metadata"]["tags"] == []


def test_no_examples_are_an_empty_page(proxied):
    body = proxied.get("/models/lab/files/examples").json()
    assert body == {"next": None, "previous": None, "results": []}


def test_pages_lead_forward_only(proxied):
    for i in range(101):
        body = {"owner": "lab", "name": f"page-{i}", "visibility": "private", "hardware": "cpu"}
        proxied.post("/models", body, 201)
    first = proxied.get("/models").json()
    second = proxied.get(first["next"]).json()
    assert first["previous"] is second["previous"] is None and second["results"]


@pytest.mark.parametrize("prefer", ["wait=5000", "wait=2.5", "respond-async, wait=30", "wait = 9"])
def test_odd_preferences_are_taken(proxied, prefer):
    headers = {"Prefer": prefer}
    reply = proxied.post("/models/lab/echo/predictions", {"input": {}}, 201, headers=headers)
    assert reply.json()["status"] == "succeeded"


def test_unknown_members_are_ignored(proxied):
    body = {"input": {"text": "x", "stream": True}, "signal": {}, "fetch": None}
    made = proxied.post("/models/lab/echo/predictions", body, 201).json()
    assert made["input"]["stream"] is True
    assert proxied.ended(made)["status"] == "succeeded"


@pytest.mark.parametrize("scheme", ["Bearer", "Token"])
def test_both_schemes(proxied, scheme):
    headers = {"Authorization": f"{scheme} {proxied.token}"}
    proxied.get("/account", token="", headers=headers)


def test_errors_have_a_type(proxied):
    assert proxied.get("/models/lab/no", 404).json()["type"] == "urn:vend:error:not-found"


def test_a_missing_input_is_a_fault_of_the_whole(proxied):
    body = proxied.post("/models/lab/image/predictions", {"input": {}}, 422).json()
    assert body["invalid_fields"] == [
        {"type": "required", "field": "input", "description": "image is required"}
    ]

"""Examples: what a model shows, and that its data outlive the retention time."""

import pytest
from waiting import wait_until


def add(api, model, which, expect=201, **more):
    return api.post(f"/models/lab/{model}/examples", {"prediction": which["id"], **more}, expect)


def examples(api, model):
    return api.get(f"/models/lab/{model}/examples").json()["results"]


def test_life_of_examples(api, other):
    one, two = api.run("echo", {"text": "one"}), api.run("echo", {"text": "two"})
    assert examples(api, "echo") == []
    made = add(api, "echo", one).json()
    assert made["output"] == "one" and made["id"] == one["id"]
    add(api, "echo", two)
    assert [e["id"] for e in examples(other, "echo")] == [one["id"], two["id"]]
    model = other.get("/models/lab/echo").json()
    assert model["default_example"] == made
    assert next(m for m in other.get("/models").json()["results"] if m["name"] == "echo") == model
    assert "already" in add(api, "echo", one, 409).json()["detail"]

    assert api.delete(f"/models/lab/echo/examples/{one['id']}", 204).content == b""
    api.delete(f"/models/lab/echo/examples/{one['id']}", 404)
    assert api.get("/models/lab/echo").json()["default_example"]["id"] == two["id"]
    add(api, "echo", one, default=True)
    assert [e["id"] for e in examples(api, "echo")] == [one["id"], two["id"]]
    assert api.get("/models/lab/echo").json()["default_example"]["id"] == one["id"]
    for which in (one, two):
        api.delete(f"/models/lab/echo/examples/{which['id']}", 204)
    assert api.get("/models/lab/echo").json()["default_example"] is None


def test_the_default_is_moved(api, other):
    runs = [api.run("stream", {"count": n}) for n in (1, 2, 3)]
    for run in runs:
        add(api, "stream", run)
    path = f"/models/lab/stream/examples/{runs[2]['id']}"
    assert api.patch(path, {"default": True}, 200).json()["id"] == runs[2]["id"]
    order = [runs[n]["id"] for n in (2, 0, 1)]
    assert [e["id"] for e in examples(api, "stream")] == order
    assert api.get("/models/lab/stream").json()["default_example"]["id"] == runs[2]["id"]
    api.patch(path, {"default": True}, 200)
    assert [e["id"] for e in examples(api, "stream")] == order
    for body in ({}, {"default": False}, {"default": "yes"}):
        assert "default: expected true" in api.patch(path, body, 422).json()["detail"]
    api.patch(f"/models/lab/echo/examples/{runs[2]['id']}", {"default": True}, 404)
    api.patch("/models/lab/stream/examples/nothing", {"default": True}, 404)
    other.patch(path, {"default": True}, 403)
    assert [e["id"] for e in examples(api, "stream")] == order
    for run in runs:
        api.delete(f"/models/lab/stream/examples/{run['id']}", 204)


def test_wrong_examples(api, other):
    running = api.create("echo", {"delay": 600})
    assert "succeeded" in add(api, "echo", running, 422).json()["detail"]
    api.cancel(running)
    assert api.ended(running)["status"] == "canceled"
    assert "canceled" in add(api, "echo", running, 422).json()["detail"]
    good = api.run("stream", {"count": 1})
    assert "lab/stream" in add(api, "echo", good, 422).json()["detail"]
    theirs = other.run("echo", {"text": "x"})
    for body in ({}, {"prediction": 5}, {"prediction": "nothing"}, {"prediction": theirs["id"]}):
        assert "prediction" in api.post("/models/lab/echo/examples", body, 422).json()["detail"]
    assert "default" in add(api, "stream", good, 422, default="yes").json()["detail"]
    other.post("/models/lab/echo/examples", {"prediction": theirs["id"]}, 403)
    other.delete("/models/lab/echo/examples/x", 403)
    api.get("/models/lab/nothing/examples", 404)
    api.post("/models/lab/nothing/examples", {"prediction": good["id"]}, 404)
    api.call("GET", "/models/lab/echo/examples", 401, token="nonsense")
    api.get("/models/lab/echo/examples?cursor=x", 400)


def test_examples_of_private_models_are_private(api, other):
    made = api.run("echo", {"text": "x"})
    add(api, "echo", made)
    api.patch("/models/lab/echo", {"visibility": "private"}, 200)
    try:
        other.get("/models/lab/echo/examples", 404)
    finally:
        api.patch("/models/lab/echo", {"visibility": "public"}, 200)


def test_what_is_the_accounts_own_is_left_out(api):
    made = api.run("echo", {"text": "x"}, webhook="https://example.com/secret", cancel_after="1h")
    shown = add(api, "echo", made).json()
    assert not {"webhook", "webhook_events_filter", "deadline"} & set(shown)
    api.delete(f"/models/lab/echo/examples/{made['id']}", 204)


@pytest.mark.parametrize("restart", [False, True])
def test_data_and_files_outlive_retention(servers, restart):
    server = servers("--retention", "2s")
    api = server.api()
    made = api.run("image", {"image": "data:text/plain;base64,aGVsbG8="})
    plain = api.run("image", {"image": "data:text/plain;base64,aGVsbG8="})
    assert made["status"] == "succeeded", made
    example = add(api, "image", made).json()
    url = example["output"] if isinstance(example["output"], str) else example["output"][0]
    content = api.call("GET", url, 200, token="").content
    for which in (made, plain):
        wait_until(lambda w=which: api.prediction(w)["data_removed"], what="the retention sweep")
    if restart:
        path = url[len(server.url) :]
        server.restart()
        api = server.api()
        url = server.url + path
    now = examples(api, "image")[0]
    assert now["input"] == example["input"] and not now["data_removed"] and now["output"]
    assert api.call("GET", url, 200, token="").content == content
    # With the example go its files.
    api.delete(f"/models/lab/image/examples/{made['id']}", 204)
    api.call("GET", url, 404, token="")
    assert "removed" in add(api, "image", made, 422).json()["detail"]

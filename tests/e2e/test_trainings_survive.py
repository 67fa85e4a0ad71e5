"""Trainings go on under their director while the server is away."""

import pytest
from waiting import wait_until

ENDS = ("succeeded", "failed", "canceled")


@pytest.fixture
def train(servers):
    server = servers()
    api = server.api()
    version = api.get("/models/lab/trainer").json()["latest_version"]["id"]
    body = {"owner": "lab", "name": "tuned", "visibility": "private", "hardware": "cpu"}
    api.post("/models", body, 201)

    def create(**inputs):
        path = f"/models/lab/trainer/versions/{version}/trainings"
        return api.post(path, {"destination": "lab/tuned", "input": inputs}, 201).json()

    return server, create


def training(server, which):
    return server.api().get(f"/trainings/{which['id']}").json()


def ended(server, which):
    def look():
        now = training(server, which)
        return now if now["status"] in ENDS else None

    return wait_until(look, 60, f"the end of {which}")


@pytest.mark.parametrize("way", ["kill", "stop"])
def test_a_training_survives_the_server(train, way):
    server, create = train
    made = create(steps=4, delay=0.5)
    wait_until(lambda: training(server, made)["status"] == "processing", what="its start")
    if way == "kill":
        server.kill()
    else:
        server.stop()
    server.start()
    done = ended(server, made)
    assert done["status"] == "succeeded", done
    assert done["logs"] == "".join(f"step {i}\n" for i in range(1, 5))


def test_what_waits_survives_too(train):
    server, create = train
    first, second = create(steps=2, delay=0.5), create(steps=1)
    wait_until(lambda: training(server, first)["status"] == "processing", what="its start")
    server.kill()
    server.start()
    assert [ended(server, made)["status"] for made in (first, second)] == ["succeeded"] * 2


def test_training_time_has_a_limit_of_its_own(servers):
    server = servers("--train-timeout", "1s", "--predict-timeout", "600s")
    api = server.api()
    version = api.get("/models/lab/trainer").json()["latest_version"]["id"]
    api.post(
        "/models", {"owner": "lab", "name": "t", "visibility": "private", "hardware": "cpu"}, 201
    )
    made = api.post(
        f"/models/lab/trainer/versions/{version}/trainings",
        {"destination": "lab/t", "input": {"steps": 100, "delay": 1}},
        201,
    ).json()
    done = ended(server, made)
    assert done["status"] == "failed" and done["error_code"] == "PREDICT_TIMEOUT", done

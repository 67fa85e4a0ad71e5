"""The official Python client, unmodified, on deployments, trainings, search, collections, hardware."""

import pytest
import replicate
from replicate.exceptions import ReplicateError
from waiting import wait_until

FLAGS = ("--deployment-delete-idle", "0")


pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture(scope="module")
def client(server, module_proxy):
    return replicate.Client(api_token=server.token, base_url=module_proxy.url)


@pytest.fixture(scope="module")
def version(client):
    return client.models.get("lab/echo").latest_version.id


def test_deployments(client, version):
    made = client.deployments.create(
        name="lab/client",
        model="lab/echo",
        version=version,
        hardware="cpu",
        min_instances=0,
        max_instances=1,
    )
    assert (made.owner, made.name, made.current_release.number) == ("lab", "client", 1)
    assert made.current_release.created_by.username == "lab"
    assert client.deployments.get("lab/client") == made
    assert made in list(client.deployments.list())

    prediction = made.predictions.create(input={"text": "deployed"})
    prediction.wait()
    assert prediction.output == "deployed" and prediction.version == version
    also = client.deployments.predictions.create("lab/client", input={"text": "again"})
    also.wait()
    assert also.output == "again"

    changed = client.deployments.update("lab", "client", min_instances=0, max_instances=2)
    assert changed.current_release.number == 2
    assert changed.current_release.configuration.max_instances == 2
    assert client.deployments.delete("lab", "client") is True
    with pytest.raises(ReplicateError) as failed:
        client.deployments.get("lab/client")
    assert failed.value.status == 404


def test_wrong_deployments_are_explained(client, version):
    with pytest.raises(ReplicateError) as failed:
        client.deployments.create(
            name="wrong",
            model="lab/echo",
            version=version,
            hardware="tpu",
            min_instances=3,
            max_instances=1,
        )
    assert failed.value.status == 422
    assert "hardware" in failed.value.detail and "min_instances" in failed.value.detail


def test_trainings(client):
    trainer = client.models.get("lab/trainer").latest_version.id
    client.models.create(owner="lab", name="tuned", visibility="private", hardware="cpu")
    made = client.trainings.create(
        version=f"lab/trainer:{trainer}", input={"steps": 2}, destination="lab/tuned"
    )
    assert made.status == "starting" and made.model == "lab/trainer"
    first = wait_until(lambda: _ended(client.trainings.get(made.id)), what="the training")
    assert first.status == "succeeded" and first.output["weights"].startswith("http")
    assert client.run(first.output["version"], input={"text": "it"}) == "it knows 2 steps, nothing"
    listed = client.trainings.list()
    assert made.id in [training.id for training in listed]
    long = client.trainings.create(
        model="lab/trainer",
        version=trainer,
        input={"steps": 100, "delay": 10},
        destination="lab/tuned",
    )
    client.trainings.cancel(long.id)
    done = wait_until(lambda: _ended(client.trainings.get(long.id)), what="the cancel")
    assert done.status == "canceled"
    with pytest.raises(ReplicateError) as failed:
        client.trainings.create(
            version=f"lab/trainer:{trainer}", input={"steps": 1}, destination="lab/nothing"
        )
    assert failed.value.status == 404
    assert failed.value.detail == "The specified training destination does not exist"


def _ended(training):
    return training if training.status in ("succeeded", "failed", "canceled") else None


def test_search_and_examples(client, server):
    assert client.models.search("echo")[0].name == "echo"
    run = client.predictions.create(model="lab/echo", input={"text": "shown"})
    run.wait()
    server.api().post("/models/lab/echo/examples", {"prediction": run.id}, 201)
    model = client.models.get("lab/echo")
    assert model.default_example.id == run.id and model.default_example.output == "shown"


def test_collections(client, server):
    server.api().post("/collections", {"slug": "tests", "models": ["lab/echo"]}, 201)
    assert [c.slug for c in client.collections.list()] == ["tests"]
    assert [m.name for m in client.collections.get("tests").models] == ["echo"]


def test_hardware(client):
    assert [(h.sku, h.name) for h in client.hardware.list()] == [("cpu", "CPU")]

"""A training makes a version of its destination: the base with weights of its own."""

import hashlib
import re

import pytest

import processes
from receiver import Receiver
from waiting import wait_until

ENDS = ("succeeded", "failed", "canceled")
REFERENCE = re.compile(r"lab/tuned:[0-9a-f]{64}")


class Trainer:
    """Trains lab/trainer, or a version of it, into lab/tuned."""

    def __init__(self, server):
        self.server = server
        self.base = self.api.get("/models/lab/trainer").json()["latest_version"]["id"]
        self.make_destination()

    @property
    def api(self):
        return self.server.api()

    def make_destination(self, name="tuned"):
        body = {"owner": "lab", "name": name, "visibility": "private", "hardware": "cpu"}
        self.api.post("/models", body, 201)

    def start(self, base=None, destination="lab/tuned", **inputs):
        owner_name, version = base.split(":") if base else ("lab/trainer", self.base)
        path = f"/models/{owner_name}/versions/{version}/trainings"
        body = {"destination": destination, "input": {"steps": 1, **inputs}}
        return self.api.post(path, body, 201).json()

    def now(self, training):
        return self.api.get(f"/trainings/{training['id']}").json()

    def reaches(self, training, *statuses):
        def look():
            now = self.now(training)
            return now if now["status"] in statuses else None

        return wait_until(look, 60, f"{statuses} of {training['id']}")

    def train(self, **inputs):
        """The reference of the version that was made."""
        done = self.reaches(self.start(**inputs), *ENDS)
        assert done["status"] == "succeeded", done
        assert REFERENCE.fullmatch(done["output"]["version"]), done["output"]
        return done["output"]["version"]

    def answer(self, reference, **inputs):
        body = {"version": reference, "input": inputs}
        done = self.api.ended(self.api.post("/predictions", body, 201).json())
        assert done["status"] == "succeeded", done
        return done["output"]

    def versions(self, model="tuned"):
        return [v["id"] for v in self.api.get(f"/models/lab/{model}/versions").json()["results"]]

    def latest(self):
        return self.api.get("/models/lab/tuned").json()["latest_version"]["id"]

    def stored(self):
        return self.api.get("/account").json()["stored_bytes"]

    def audit(self):
        found = self.server.cli("doctor", "--audit", "--data", self.server.data)
        assert found.returncode == 0, found.stdout + found.stderr

    def links(self):
        """Of weights, by their names as models see them."""
        return {p.name for p in (self.server.data / "blobs" / "weights").glob("*/*")}


@pytest.fixture
def trainer(servers):
    return Trainer(servers())


def test_a_version_is_made_and_knows_what_its_base_does_not(trainer):
    file = trainer.api.upload(b"the sea")
    made = trainer.start(steps=2, data=file["urls"]["get"], returns="file")
    done = trainer.reaches(made, *ENDS)
    assert done["status"] == "succeeded", done
    assert set(done["output"]) == {"version", "weights"}
    assert done["version"] == trainer.base and done["model"] == "lab/trainer"
    weights = trainer.api.call("GET", done["output"]["weights"], 200, token="")
    assert weights.text == "2 steps, the sea" and done["output"]["weights"].endswith("/weights.txt")

    reference = done["output"]["version"]
    id = reference.split(":")[1]
    assert trainer.versions() == [id] and trainer.latest() == id
    checksum = hashlib.sha256(weights.content).hexdigest()
    content = f'{{"base":"{trainer.base}","format":1,"weights":"{checksum}"}}'
    assert id == hashlib.sha256(content.encode()).hexdigest()
    version = trainer.api.get(f"/models/lab/tuned/versions/{id}").json()
    base = trainer.api.get(f"/models/lab/trainer/versions/{trainer.base}").json()
    assert set(version) == set(base) and version["openapi_schema"] == base["openapi_schema"]

    assert trainer.answer(reference, text="it") == "it knows 2 steps, the sea"
    assert trainer.answer(f"lab/trainer:{trainer.base}", text="it") == "it"
    assert trainer.links() == {"weights.txt"}
    trainer.audit()


def test_weights_are_shared_and_read_only(trainer):
    reference = trainer.train(returns="file")
    assert trainer.answer(reference, overwrite=True) in (
        "weights.txt: Read-only file system",
        "weights.txt: Permission denied",
    )
    (shown,) = (trainer.server.data / "blobs" / "weights").glob("*/weights.txt")
    content = trainer.server.data / "blobs" / shown.parent.name[:2] / shown.parent.name
    assert shown.samefile(content) and shown.read_text() == "1 steps, nothing"
    assert trainer.answer(reference, text="it") == "it knows 1 steps, nothing"


def test_the_same_weights_are_the_same_version_and_the_latest_again(trainer):
    first, second = trainer.train(steps=1), trainer.train(steps=2)
    assert first != second and trainer.latest() == second.split(":")[1]
    stored = trainer.stored()
    assert trainer.train(steps=1) == first
    assert trainer.latest() == first.split(":")[1] and len(trainer.versions()) == 2
    # The output of the training counts, and no second copy of what the version holds.
    assert trainer.stored() - stored == len("1 steps, nothing")
    trainer.audit()


def test_a_trained_version_can_be_trained(trainer):
    first = trainer.train(steps=1)
    second = trainer.train(base=first, steps=2)
    assert trainer.answer(second, text="it") == "it knows 1 steps, nothing; 2 steps, nothing"
    assert trainer.answer(first, text="it") == "it knows 1 steps, nothing"
    trainer.audit()


def test_versions_of_one_base_share_its_source_and_environment(trainer):
    data = trainer.server.data
    before = {folder: sorted(p.name for p in (data / folder).iterdir()) for folder in ("versions", "venvs")}
    references = [trainer.train(steps=steps) for steps in (1, 2, 3)]
    assert [trainer.answer(r, text="it") for r in references] == [
        f"it knows {steps} steps, nothing" for steps in (1, 2, 3)
    ]
    for folder, names in before.items():
        assert sorted(p.name for p in (data / folder).iterdir()) == names
    # Each counts as an output of its training and as weights of its version.
    assert trainer.stored() == 2 * 3 * len("1 steps, nothing")
    trainer.audit()


def test_the_base_may_go_and_its_versions_stay(trainer):
    reference = trainer.train()
    trainer.api.delete(f"/models/lab/trainer/versions/{trainer.base}", 202)
    trainer.server.restart()
    assert trainer.answer(reference, text="it") == "it knows 1 steps, nothing"
    trainer.audit()
    # With the last version goes what the base has left.
    trainer.api.delete(f"/models/lab/tuned/versions/{reference.split(':')[1]}", 202)
    trainer.server.restart()
    assert trainer.base not in {p.name for p in (trainer.server.data / "versions").iterdir()}
    trainer.audit()


@pytest.mark.parametrize("way", ["worker", "http"])
def test_both_ways_to_the_model(servers, way):
    trainer = Trainer(servers(env={"VEND_MODEL_SERVER": way}))
    for returns in ("object", "file"):
        reference = trainer.train(steps=2, returns=returns)
        assert trainer.answer(reference, text="it") == "it knows 2 steps, nothing"


def test_weights_outlive_the_data_of_their_training(shimmed):
    server, shim = shimmed()
    trainer = Trainer(server)
    made = trainer.start(steps=1)
    reference = trainer.reaches(made, "succeeded")["output"]["version"]
    assert trainer.answer(reference, text="it") == "it knows 1 steps, nothing"
    links = server.data / "blobs" / "weights"
    (content,) = [server.data / "blobs" / p.name[:2] / p.name for p in links.iterdir()]

    def next_sweep():
        """Hours later; a content that nothing points to has gone with it."""
        file = trainer.api.upload(b"unused")
        trainer.api.delete(f"/files/{file['id']}", 204)
        sha256 = hashlib.sha256(b"unused").hexdigest()
        server.stop()
        shim.step_clock(3 * 3600)
        server.start()
        unused = server.data / "blobs" / sha256[:2] / sha256
        wait_until(lambda: not unused.exists(), 60, "the sweep")

    next_sweep()
    assert trainer.now(made)["data_removed"] and trainer.now(made)["output"] is None
    assert trainer.answer(reference, text="it") == "it knows 1 steps, nothing"
    assert trainer.stored() == content.stat().st_size
    trainer.api.delete(f"/models/lab/tuned/versions/{reference.split(':')[1]}", 202)
    next_sweep()
    wait_until(lambda: not content.exists(), 60, "the end of the content")
    assert list(links.iterdir()) == [] and trainer.stored() == 0
    trainer.audit()


def test_weights_go_with_their_version(trainer):
    reference = trainer.train()
    stored = trainer.stored()
    trainer.api.delete(f"/models/lab/tuned/versions/{reference.split(':')[1]}", 202)
    assert trainer.versions() == []
    assert stored - trainer.stored() == len("1 steps, nothing")
    trainer.audit()


@pytest.mark.parametrize("returns", ["text", "forged"])
def test_without_weights_there_is_no_version(trainer, returns):
    done = trainer.reaches(trainer.start(returns=returns), *ENDS)
    assert done["status"] == "failed" and "'weights' is a file" in done["error"]
    assert trainer.versions() == []
    trainer.audit()


def test_weights_inside_an_object_have_a_limit(servers):
    trainer = Trainer(servers("--max-output", "64K"))
    file = trainer.api.upload(b"x" * 100_000)
    inputs = {"data": file["urls"]["get"]}
    done = trainer.reaches(trainer.start(returns="object", **inputs), *ENDS)
    assert done["status"] == "failed" and done["error_code"] == "OUTPUT_TOO_LARGE"
    assert "the path of the weights alone" in done["error"]
    reference = trainer.train(returns="file", **inputs)
    path = f"/models/lab/tuned/versions/{reference.split(':')[1]}/provenance"
    assert trainer.api.get(path).json()["weights"][0]["size"] > 100_000


def test_a_training_that_fails_makes_no_version(trainer):
    done = trainer.reaches(trainer.start(fail=True), *ENDS)
    assert (done["status"], done["error"]) == ("failed", "RuntimeError: nothing was learned")
    assert trainer.versions() == [] and trainer.stored() == 0
    trainer.audit()


def test_a_canceled_training_makes_no_version_and_frees_its_instance(trainer):
    made = trainer.start(steps=100, delay=1)
    trainer.reaches(made, "processing")
    trainer.api.post(f"/trainings/{made['id']}/cancel", expect=200)
    trainer.reaches(made, "canceled")
    assert trainer.versions() == [] and trainer.stored() == 0
    wait_until(lambda: not trainer.server.instance_dirs(), 60, "the end of its instance")
    trainer.audit()


def test_each_training_has_an_instance_of_its_own(trainer):
    first = trainer.start(steps=1)
    trainer.reaches(first, "succeeded")
    second = trainer.start(steps=2)
    trainer.reaches(second, "succeeded")
    starts = [line for line in trainer.server.log() if line["message"] == "starting an instance"]
    assert len(starts) == 2


def test_the_destination_is_deleted_meanwhile(trainer):
    made = trainer.start(steps=1, delay=3)
    trainer.reaches(made, "processing")
    trainer.api.delete("/models/lab/tuned", 204)
    # Its number may go to another model.
    trainer.make_destination("another")
    done = trainer.reaches(made, *ENDS)
    assert done["status"] == "failed"
    assert "the destination was deleted" in done["error"]
    assert trainer.versions("another") == []
    assert trainer.api.call("GET", done["output"]["weights"], 200, token="").text == "1 steps, nothing"
    trainer.audit()


def test_two_trainings_to_one_destination(servers):
    trainer = Trainer(servers("--hardware-units", "4"))
    made = [trainer.start(steps=steps, delay=0.2) for steps in (1, 2)]
    done = [trainer.reaches(training, *ENDS) for training in made]
    references = [training["output"]["version"] for training in done]
    assert sorted(r.split(":")[1] for r in references) == sorted(trainer.versions())
    assert trainer.latest() in trainer.versions()
    assert [trainer.answer(r, text="it") for r in references] == [
        "it knows 1 steps, nothing",
        "it knows 2 steps, nothing",
    ]
    trainer.audit()


def test_webhooks_tell_of_the_version(servers):
    receiver = Receiver()
    try:
        trainer = Trainer(servers("--webhook-allow", "127.0.0.0/8"))
        path = f"/models/lab/trainer/versions/{trainer.base}/trainings"
        hook = {"webhook": receiver.url, "webhook_events_filter": ["completed"]}
        body = {"destination": "lab/tuned", "input": {"steps": 1}, **hook}
        done = trainer.reaches(trainer.api.post(path, body, 201).json(), *ENDS)
        (told,) = receiver.wait_for(1)
        assert told.json["output"] == done["output"] and told.json["status"] == "succeeded"
        assert REFERENCE.fullmatch(told.json["output"]["version"])
    finally:
        receiver.close()


# ---- Kills


@pytest.mark.parametrize("what", ["directors", "models"])
def test_a_lost_training_is_not_repeated(trainer, what):
    made = trainer.start(steps=100, delay=1)
    trainer.reaches(made, "processing")
    for pid in sorted(getattr(processes, what)(trainer.server.data)):
        processes.kill(pid)
    done = trainer.reaches(made, *ENDS)
    assert done["status"] == "failed" and "it is a training" in done["error"], done
    assert trainer.versions() == [] and trainer.stored() == 0
    trainer.audit()


def test_server_and_director_are_killed_at_the_end_of_the_model(shimmed):
    """Whatever is on disk by then, there is a version exactly when its training has succeeded."""
    server, shim = shimmed()
    trainer = Trainer(server)
    made = trainer.start(steps=1, delay=0.5)
    trainer.reaches(made, "processing")
    shim.set_sync_delay(2)
    wait_until(lambda: list((server.data / "instances").glob("*/outputs/*")), 60, "the end of the model")
    server.kill()
    for pid in sorted(processes.directors(server.data)):
        processes.kill(pid)
    shim.set_sync_delay(0)
    server.start()
    done = trainer.reaches(made, "succeeded", "failed")
    made_versions = [done["output"]["version"].split(":")[1]] if done["status"] == "succeeded" else []
    assert trainer.versions() == made_versions, done
    assert done["status"] == "succeeded" or "it is a training" in done["error"]
    trainer.audit()


def test_the_server_is_killed_between_the_end_and_the_version(shimmed):
    server, shim = shimmed()
    trainer = Trainer(server)
    made = trainer.start(steps=1, delay=0.5)
    trainer.reaches(made, "processing")
    shim.set_sync_delay(2)
    # The model has ended, and the commit takes its time.
    wait_until(lambda: list((server.data / "instances").glob("*/outputs/*")), 60, "the end of the model")
    server.kill()
    shim.set_sync_delay(0)
    server.start()
    done = trainer.reaches(made, *ENDS)
    assert done["status"] == "succeeded", done
    assert trainer.versions() == [done["output"]["version"].split(":")[1]]
    assert trainer.answer(done["output"]["version"], text="it") == "it knows 1 steps, nothing"
    trainer.audit()

"""What versions share on disk: an environment, a source, and bytes that are there once."""

import shutil

from servers import MODELS
from waiting import wait_until

MANY = 20
# Folders, links, and the checksums beside a source.
SMALL = 256 * 1024


def used(folder):
    """Bytes on disk; what has several names counts once."""
    seen = {}
    for entry in folder.rglob("*"):
        info = entry.lstat()
        seen[info.st_dev, info.st_ino] = info.st_blocks * 512
    return sum(seen.values())


def names(folder):
    return {entry.name for entry in folder.iterdir()}


def test_models_of_the_same_packages_share_an_environment(servers, tmp_path):
    server = servers("--hardware-units", "3")
    api = server.api()
    environments = names(server.data / "venvs")
    before = used(server.data / "venvs")
    models = ["one", "two", "three"]
    for model in models:
        source = tmp_path / model
        shutil.copytree(MODELS / "echo", source)
        text = (source / "predict.py").read_text()
        (source / "predict.py").write_text(text.replace("return text.upper()", f"return '{model} ' + text.upper()"))
        pushed = server.cli("push", source, f"lab/{model}")
        assert pushed.returncode == 0, pushed.stderr
    made = [api.create(model, {"text": "x", "upper": True}) for model in models]
    assert [api.ended(run)["output"] for run in made] == [f"{model} X" for model in models]
    assert len({i["model"] for i in api.debug()["instances"]} & {f"lab/{m}" for m in models}) == len(models)
    assert names(server.data / "venvs") == environments
    assert used(server.data / "venvs") - before < SMALL


def test_versions_of_one_base_hold_their_weights_alone(servers):
    server = servers("--hardware-units", "2")
    api = server.api()
    base = api.get("/models/lab/trainer").json()["latest_version"]["id"]
    api.post("/models", {"owner": "lab", "name": "many", "visibility": "private", "hardware": "cpu"}, 201)
    data = server.data
    before = (names(data / "venvs"), names(data / "versions"), used(data / "venvs") + used(data / "versions"))
    path = f"/models/lab/trainer/versions/{base}/trainings"
    made = [
        api.post(path, {"destination": "lab/many", "input": {"steps": steps, "returns": "file"}}, 201).json()
        for steps in range(1, MANY + 1)
    ]

    def ended():
        now = [api.get(f"/trainings/{training['id']}").json() for training in made]
        return now if all(training["status"] not in ("starting", "processing") for training in now) else None

    for training in wait_until(ended, 120, "the trainings"):
        assert training["status"] == "succeeded", training
    versions = api.get("/models/lab/many/versions").json()["results"]
    assert len(versions) == MANY
    assert (names(data / "venvs"), names(data / "versions")) == before[:2]
    assert used(data / "venvs") + used(data / "versions") - before[2] < SMALL
    weights = [file for file in (data / "blobs" / "weights").glob("*/*") if file.is_file()]
    for file in weights:
        assert file.stat().st_nlink > 1, "a name of a content, not a copy"
    for version in (versions[0], versions[-1]):
        run = api.post("/predictions", {"version": version["id"], "input": {"text": "it"}}, 201).json()
        assert api.ended(run)["output"].startswith("it knows ")

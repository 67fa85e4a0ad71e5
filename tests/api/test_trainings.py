"""Trainings: the endpoints, their objects, and that they are no predictions."""

import hashlib
import json
import re

import pytest
from servers import MODELS
from test_models import all_pages

MISSING = "The specified training destination does not exist"


@pytest.fixture(scope="module")
def path(server):
    version = server.api().get("/models/lab/trainer").json()["latest_version"]
    schemas = version["openapi_schema"]["components"]["schemas"]
    assert {"TrainingInput", "TrainingOutput", "Input"} <= set(schemas)
    return f"/models/lab/trainer/versions/{version['id']}/trainings"


@pytest.fixture
def tuned(api):
    body = {"owner": "lab", "name": "tuned", "visibility": "private", "hardware": "cpu"}
    assert api.post("/models", body).status_code in (201, 409)
    return "lab/tuned"


def training(api, which):
    return api.get(f"/trainings/{which['id']}").json()


def reaches(api, which, *statuses):
    from waiting import wait_until

    def look():
        now = training(api, which)
        return now if now["status"] in statuses else None

    return wait_until(look, 60, f"{statuses} of {which}")


def test_life_of_a_training(api, path, tuned):
    made = api.post(path, {"destination": tuned, "input": {"steps": 2}}, 201)
    assert made.headers["Location"] == made.json()["urls"]["get"]
    assert "/v1/trainings/" in made.json()["urls"]["get"]
    assert made.json()["urls"]["cancel"] == made.json()["urls"]["get"] + "/cancel"
    assert made.json()["status"] == "starting" and made.json()["model"] == "lab/trainer"
    assert "destination" not in made.json()
    done = reaches(api, made.json(), "succeeded", "failed", "canceled")
    assert done["status"] == "succeeded", done
    assert done["logs"] == "step 1\nstep 2\n"
    assert set(done["output"]) == {"version", "weights"}
    assert done["output"]["version"].startswith(tuned + ":")
    weights = api.call("GET", done["output"]["weights"], 200, token="")
    assert weights.text == "2 steps, nothing"
    assert done["metrics"]["predict_time"] >= 0 and done["metrics"]["total_time"] > 0


def test_the_command_line_finds_trainings(server, api, path, tuned):
    def started(*inputs):
        words = ("train", "lab/trainer", "--destination", tuned, *inputs, "--no-wait")
        return server.cli(*words).stdout.strip()

    made = started("steps=2")
    assert server.cli("logs", "-f", made).stdout == "step 1\nstep 2\n"
    assert "succeeded" in server.cli("predictions", "get", made).stdout
    assert made in server.cli("predictions", "list", "--trainings").stdout
    assert made not in server.cli("predictions", "list").stdout
    slow = started("steps=1", "delay=600")
    reaches(api, {"id": slow}, "processing")
    asked = server.cli("cancel", slow)
    assert asked.returncode == 0 and slow in asked.stdout, asked.stderr
    reaches(api, {"id": slow}, "canceled")


def test_neither_is_the_other(api, path, tuned):
    trained = api.post(path, {"destination": tuned, "input": {"steps": 1}}, 201).json()
    reaches(api, trained, "succeeded")
    predicted = api.run("echo", {"text": "x"})
    api.get(f"/predictions/{trained['id']}", 404)
    api.post(f"/predictions/{trained['id']}/cancel", expect=404)
    api.get(f"/trainings/{predicted['id']}", 404)
    api.post(f"/trainings/{predicted['id']}/cancel", expect=404)
    assert trained["id"] not in [p["id"] for p in all_pages(api, "/predictions")[1]]
    listed = [t["id"] for t in all_pages(api, "/trainings")[1]]
    assert trained["id"] in listed and predicted["id"] not in listed


def test_cancel(api, path, tuned):
    made = api.post(path, {"destination": tuned, "input": {"steps": 100, "delay": 10}}, 201).json()
    reaches(api, made, "processing")
    reply = api.post(f"/trainings/{made['id']}/cancel", expect=200).json()
    assert reply["id"] == made["id"]
    assert reaches(api, made, "canceled")["output"] is None
    again = api.post(f"/trainings/{made['id']}/cancel", expect=200).json()
    assert again["status"] == "canceled"


def test_a_file_as_input(api, path, tuned):
    file = api.upload(b"facts")
    made = api.post(
        path, {"destination": tuned, "input": {"steps": 1, "data": file["urls"]["get"]}}, 201
    ).json()
    done = reaches(api, made, "succeeded", "failed")
    assert done["status"] == "succeeded", done
    assert api.call("GET", done["output"]["weights"], 200, token="").text == "1 steps, facts"


@pytest.mark.parametrize("destination", ["lab/nothing", "somebody/else", "other/theirs"])
def test_destinations_must_be_the_callers(api, other, path, destination):
    body = {"owner": "other", "name": "theirs", "visibility": "public", "hardware": "cpu"}
    assert other.post("/models", body).status_code in (201, 409)
    reply = api.post(path, {"destination": destination, "input": {"steps": 1}}, 404).json()
    assert reply["detail"] == MISSING


@pytest.mark.parametrize(
    "body,word",
    [
        ({}, "destination"),
        ({"destination": 5}, "destination"),
        ({"destination": "nonsense"}, "destination"),
        ({"destination": "lab/tuned:" + "0" * 64}, "destination"),
        ({"destination": "lab/tuned"}, "input is required"),
        ({"destination": "lab/tuned", "input": None}, "input"),
        ({"destination": "lab/tuned", "input": {}}, "steps"),
        ({"destination": "lab/tuned", "input": {"steps": 0}}, "input.steps"),
        ({"destination": "lab/tuned", "input": {"steps": "many"}}, "input.steps"),
        ({"destination": "lab/tuned", "input": []}, "input"),
        ({"destination": "lab/tuned", "input": {"steps": 1}, "webhook": "x"}, "webhook"),
    ],
)
def test_wrong_bodies(api, path, tuned, body, word):
    before = len(all_pages(api, "/trainings")[1])
    assert word in api.post(path, body, 422).json()["detail"]
    assert len(all_pages(api, "/trainings")[1]) == before


def test_versions_that_cannot_be_trained(api, tuned):
    version = api.get("/models/lab/echo").json()["latest_version"]["id"]
    body = {"destination": tuned, "input": {}}
    reply = api.post(f"/models/lab/echo/versions/{version}/trainings", body, 422).json()
    assert "train" in reply["detail"]
    api.post(f"/models/lab/trainer/versions/{version}/trainings", body, 404)
    api.post(f"/models/lab/nothing/versions/{version}/trainings", body, 404)


def test_others(api, other, path, tuned):
    made = api.post(path, {"destination": tuned, "input": {"steps": 1}}, 201).json()
    other.get(f"/trainings/{made['id']}", 404)
    other.post(f"/trainings/{made['id']}/cancel", expect=404)
    assert other.get("/trainings").json()["results"] == []
    for method, where in (("GET", "/trainings"), ("POST", path)):
        api.call(method, where, 401, token="nonsense")
    reader = api.post("/tokens", {"name": "r", "scopes": ["read"]}, 201).json()["token"]
    api.call("POST", path, 403, token=reader, json={"destination": tuned})


@pytest.fixture(scope="module")
def trained(server, path):
    """A version in a model of its own, and its training."""
    api = server.api()
    body = {"owner": "lab", "name": "lineage", "visibility": "private", "hardware": "cpu"}
    api.post("/models", body, 201)
    file = api.upload(b"facts", "facts.txt")
    inputs = {"steps": 1, "data": file["urls"]["get"]}
    made = api.post(path, {"destination": "lab/lineage", "input": inputs}, 201).json()
    return reaches(api, made, "succeeded", "failed")


def test_provenance(api, path, trained):
    id = trained["output"]["version"].split(":")[1]
    base = path.split("/")[5]
    found = api.get(f"/models/lab/lineage/versions/{id}/provenance").json()
    assert found["base"] == f"lab/trainer:{base}" and found["training"] == trained["id"]
    assert found["inputs"]["steps"] == 1
    sums = [hashlib.sha256(text).hexdigest() for text in (b"facts", b"1 steps, facts")]
    (file,) = found["input_files"]
    assert (file["at"], file["sha256"]) == (["data"], sums[0])
    (weights,) = found["weights"]
    assert (weights["size"], weights["sha256"]) == (len("1 steps, facts"), sums[1])
    pushed = api.get(f"/models/lab/trainer/versions/{base}/provenance").json()
    assert pushed["base"] is None and pushed["training"] is None and pushed["weights"] == []
    for name in ("cog", "python", "packages", "config", "source"):
        assert pushed[name] and found[name] == pushed[name]
    (origin,) = api.get("/models/lab/lineage/provenance").json()["results"]
    assert origin == {name: found[name] for name in ("id", "created_at", "base", "training")}


def test_source_of_a_version(api, path, trained):
    base = path.split("/")[5]
    id = trained["output"]["version"].split(":")[1]
    files = api.get(f"/models/lab/trainer/versions/{base}/source").json()["files"]
    assert [file["path"] for file in files] == ["cog.yaml", "predict.py", "train.py"]
    text = (MODELS / "trainer" / "train.py").read_bytes()
    assert files[2]["size"] == len(text) and files[2]["sha256"] == hashlib.sha256(text).hexdigest()
    assert api.get(f"/models/lab/lineage/versions/{id}/source").json()["files"] == files


def test_provenance_is_the_owners(api, other, path, trained):
    base = path.split("/")[5]
    id = trained["output"]["version"].split(":")[1]
    for what in (f"versions/{base}/provenance", f"versions/{base}/source", "provenance"):
        other.get(f"/models/lab/trainer/{what}", 403)
        api.call("GET", f"/models/lab/trainer/{what}", 401, token="nonsense")
        other.get(f"/models/lab/lineage/{what.replace(base, id)}", 404)
    for what in ("provenance", "source"):
        api.get(f"/models/lab/trainer/versions/{'0' * 64}/{what}", 404)


def test_who_trains_does_not_see_the_source_of_others(server, other, path):
    """Neither in what was trained nor in what was trained from that."""
    other.post("/models", {"owner": "other", "name": "of-others", "visibility": "private", "hardware": "cpu"}, 201)
    where = path
    for steps in (1, 2):
        made = other.post(where, {"destination": "other/of-others", "input": {"steps": steps}}, 201).json()
        done = reaches(other, made, "succeeded", "failed")
        assert done["status"] == "succeeded", done
        version = f"/models/other/of-others/versions/{done['output']['version'].split(':')[1]}"
        found = other.get(f"{version}/provenance").json()
        assert found["training"] == made["id"] and found["inputs"]["steps"] == steps
        assert found["cog"] and found["python"]
        assert [found[name] for name in ("packages", "config", "source")] == [None] * 3
        assert "belongs to" in other.get(f"{version}/source", 403).json()["detail"]
        where = f"{version}/trainings"
    env = {"VEND_API_TOKEN": other.token}
    shown = server.cli("versions", "other/of-others", "show", version.split("/")[-1], env=env)
    assert shown.returncode == 0, shown.stderr
    versions = [v["id"] for v in other.get("/models/other/of-others/versions").json()["results"]]
    compared = server.cli("versions", "diff", *(f"other/of-others:{id}" for id in versions), env=env)
    assert compared.returncode == 0 and "weights" in compared.stdout, compared.stderr


def test_the_command_line_trains_and_compares(server, api, path, trained, tmp_path):
    base = path.split("/")[5]
    words = ("train", "lab/trainer", "--destination", "lab/lineage", "steps=3")
    done = server.cli(*words, "-o", tmp_path / "w.txt")
    assert done.returncode == 0, done.stderr
    reference = done.stdout.splitlines()[-1]
    assert re.fullmatch(r"lab/lineage:[0-9a-f]{64}", reference)
    assert (tmp_path / "w.txt").read_text() == "3 steps, nothing"
    id = reference.split(":")[1]
    listed = server.cli("versions", "lab/lineage").stdout
    assert "BASE" in listed and listed.count(f"lab/trainer:{base}") == 2 and trained["id"] in listed
    assert "BASE" not in server.cli("versions", "lab/trainer").stdout
    shown = server.cli("versions", "lab/lineage", "show", id[:12]).stdout
    assert f"base         lab/trainer:{base}" in shown and "16 bytes" in shown

    compared = server.cli("versions", "diff", f"lab/trainer:{base}", reference)
    assert compared.returncode == 0, compared.stderr
    rows = [line.split()[0] for line in compared.stdout.splitlines()[1:]]
    assert rows == ["base", "weights"]
    as_json = json.loads(server.cli("versions", "diff", "lab/lineage", "lab/echo", "--json").stdout)
    names = {(item["what"], item["name"]) for item in as_json}
    assert ("file", "train.py") in names and ("training input", "steps") in names
    same = server.cli("versions", "diff", reference, f"lab/lineage:{id[:10]}")
    assert same.stdout == "" and "do not differ" in same.stderr


@pytest.mark.parametrize(
    "words,problem",
    [
        (("lab/trainer",), "diff"),
        (("lab/trainer", "nonsense"), "nonsense"),
        (("lab/trainer", "lab/trainer:12"), "at least the first 8"),
        (("lab/trainer", "lab/trainer:" + "f" * 12), "there is no version"),
    ],
)
def test_wrong_comparisons(server, words, problem):
    done = server.cli("versions", "diff", *words)
    assert done.returncode in (1, 2) and problem in done.stderr

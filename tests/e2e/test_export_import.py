"""A version leaves one server as a file, and is the same version on another one without a network."""

import hashlib
import json

import pytest

from bundles import CUT_OFF, Bundle, bring_in, build_of, export
from hub import Hub
from servers import MODELS, Servers
from test_trainings_make_versions import Trainer
from waiting import wait_until

PREDICT = """import pathlib

from cog import BasePredictor, Path


class Predictor(BasePredictor):
    def predict(self, picture: Path = None) -> str:
        made = pathlib.Path("made/words.txt")
        return made.read_text() if made.exists() else "nothing was made"
"""
CONTENT = bytes(range(256)) * 400
YAML = 'build:\n  python_version: "3.11"\npredict: "predict.py:Predictor"\n'
CARD = """description: Shows what it is given
github_url: https://example.com/lab/page
cover: cover.png
examples:
  - input: {picture: "@cat.png"}
    output: nothing was made
    logs: looked
    metrics: {predict_time: 0.5}
"""


@pytest.fixture(scope="module")
def cut_off(binary, tmp_path_factory):
    """Another server, with nothing on it and no way out."""
    made = Servers(binary, None, tmp_path_factory.mktemp("cut-off"))
    yield made(empty=True, env=CUT_OFF)
    made.close()


def id_of(reference):
    return reference.partition(":")[2]


def write_project(directory, yaml=YAML, **files):
    directory.mkdir()
    (directory / "cog.yaml").write_text(yaml)
    (directory / "predict.py").write_text(PREDICT)
    for name, content in files.items():
        (directory / name.replace("_", ".")).write_bytes(content)
    return directory


def audit(server):
    found = server.cli("doctor", "--audit", "--data", server.data)
    assert found.returncode == 0, found.stdout + found.stderr


def names(server, folder):
    return sorted(p.name for p in (server.data / folder).iterdir() if not p.name.endswith(".lock"))


def test_a_version_travels_without_a_network(server, cut_off, tmp_path):
    archive = tmp_path / "echo.tar.zst"
    exported = export(server, "lab/echo", archive)
    assert bring_in(cut_off, archive) == exported
    run = cut_off.api().run("echo", {"text": "hello"})
    assert run["output"] == "hello" and run["version"] == id_of(exported)
    for which in (server, cut_off):
        assert not list((which.data / "builds").glob("*.archive"))
        assert not list((which.data / "uploads").iterdir())
        audit(which)

    # It is really cut off: what needs an index does not work there.
    refused = cut_off.cli("push", write_project(tmp_path / "m"), "lab/pushed")
    assert refused.returncode == 1 and "uv pip" in refused.stderr, refused.stderr

    # The same again changes nothing; another name is another model with the same version.
    folders, environments = names(cut_off, "versions"), names(cut_off, "venvs")
    assert bring_in(cut_off, archive) == exported
    assert bring_in(cut_off, archive, "lab/other", "--public") == exported.replace("echo", "other")
    assert cut_off.api().get("/models/lab/other").json()["visibility"] == "public"
    assert (names(cut_off, "versions"), names(cut_off, "venvs")) == (folders, environments)

    # From there it travels on, as the same file.
    onward = tmp_path / "onward.tar.zst"
    assert export(cut_off, exported, onward) == exported
    assert Bundle(onward).manifest == Bundle(archive).manifest
    assert onward.read_bytes() == archive.read_bytes()


def test_pushed_and_imported_are_one_version(server, tmp_path):
    archive = tmp_path / "echo.tar.zst"
    version = id_of(export(server, "lab/echo", archive))
    push = ("push", MODELS / "echo")
    orders = {"first": [push, ("import", archive)], "second": [("import", archive), push, push]}
    for name, commands in orders.items():
        for words in commands:
            done = server.cli(*words, f"lab/{name}")
            assert done.returncode == 0, done.stderr
            assert id_of(done.stdout.splitlines()[-1]) == version
        assert [v["id"] for v in server.api().get(f"/models/lab/{name}/versions").json()["results"]] == [version]
        assert server.api().run(name, {"text": "hello"})["output"] == "hello"
    audit(server)


def test_the_page_of_the_model_travels(server, cut_off, tmp_path):
    project = write_project(
        tmp_path / "page", vend_yaml=CARD.encode(), cover_png=b"\x89PNG cover", cat_png=b"\x89PNG cat"
    )
    (project / "README.md").write_text("# From the source\n")
    pushed = server.cli("push", project, "lab/page")
    assert pushed.returncode == 0, pushed.stderr
    api = server.api()
    run = api.run("page", {})
    api.post("/models/lab/page/examples", {"prediction": run["id"]}, 201)
    stated = {"inputs": {"image": "picture"}}
    api.patch("/models/lab/page", {"readme": "# Changed since\n", "openai": stated}, 200)

    archive = tmp_path / "page.tar.zst"
    exported = export(server, "lab/page", archive)
    assert bring_in(cut_off, archive) == exported
    there = cut_off.api()
    for field in ("description", "github_url", "paper_url", "license_url"):
        assert there.get("/models/lab/page").json()[field] == api.get("/models/lab/page").json()[field]
    assert there.get("/models/lab/page/readme").text == "# Changed since\n"
    assert there.get("/models/lab/page").json()["openai"]["stated"] == stated
    cover = there.get("/models/lab/page").json()["cover_image_url"]
    assert there.get(cover).content == b"\x89PNG cover"
    first, second = there.get("/models/lab/page/examples").json()["results"]
    assert first["output"] == second["output"] == "nothing was made"
    assert first["logs"] == "looked" and first["metrics"]["predict_time"] == 0.5
    assert first["version"] == second["version"] == id_of(exported)
    assert there.get(first["input"]["picture"]).content == b"\x89PNG cat"
    audit(cut_off)


def test_what_commands_made_travels(servers, cut_off, tmp_path):
    server = servers("--allow-build-run", empty=True)
    yaml = YAML.replace("predict:", '  run:\n    - "mkdir made && echo words > made/words.txt"\npredict:')
    pushed = server.cli("push", write_project(tmp_path / "made", yaml), "lab/made")
    assert pushed.returncode == 0, pushed.stderr
    archive = tmp_path / "made.tar.zst"
    exported = export(server, "lab/made", archive)
    assert "made/made/words.txt" in Bundle(archive).names()
    # That server runs no commands, and need not.
    assert bring_in(cut_off, archive) == exported
    assert cut_off.api().run("made", {})["output"] == "words\n"


def test_a_trained_version_travels(servers, cut_off, tmp_path):
    server = servers()
    trainer = Trainer(server)
    data = trainer.api.upload(b"the sea")
    once = trainer.train(steps=2, data=data["urls"]["get"])
    again = trainer.reaches(trainer.start(once, steps=1), "succeeded")["output"]["version"]
    base = f"lab/trainer:{trainer.base}"
    for number, reference in enumerate((once, again, base)):
        archive = tmp_path / f"{number}.tar.zst"
        assert export(server, reference, archive) == reference
        assert bring_in(cut_off, archive) == reference

    there = Trainer.__new__(Trainer)
    there.server, there.base = cut_off, trainer.base
    assert there.answer(once, text="it") == "it knows 2 steps, the sea"
    assert there.answer(again, text="it") == trainer.answer(again, text="it")
    assert there.answer(base, text="it") == "it"
    for reference in (once, again):
        path = f"/models/lab/tuned/versions/{id_of(reference)}/provenance"
        assert there.api.get(path).json() | {"created_at": None} == (
            trainer.api.get(path).json() | {"created_at": None}
        )
    # All three share source and environment.
    sources = {v["source"] for v in launches(cut_off, trainer.base, id_of(once), id_of(again))}
    assert len(sources) == 1
    # What arrived is trained like any other.
    more = there.train(steps=3)
    assert there.answer(more) == " knows 3 steps, nothing"
    assert id_of(more) == id_of(trainer.train(steps=3))
    audit(cut_off)


HOLDS = """import hashlib

from cog import BasePredictor, Path


def digest():
    return hashlib.sha256(open("weights/sub/model.bin", "rb").read()).hexdigest()


class Predictor(BasePredictor):
    def predict(self) -> str:
        return digest()


def train(text: str = "x") -> Path:
    Path("/tmp/w.txt").write_text(text + digest())
    return Path("/tmp/w.txt")
"""
HOLDS_YAML = (
    YAML
    + """train: "predict.py:train"
weights:
  - {name: base, target: /src/weights, source: "%s/main"}
  - {name: words, target: more/words, source: "hf://lab/words@main"}
"""
)


def test_managed_weights_travel(servers, cut_off, tmp_path):
    hub = Hub()
    try:
        hub.repos["lab/words"] = {"words.txt": b"some words"}
        server = servers(empty=True, env={"HF_ENDPOINT": hub.url})
        files = tmp_path / "main" / "sub"
        files.mkdir(parents=True)
        (files / "model.bin").write_bytes(CONTENT)
        (files / "same.bin").write_bytes(CONTENT)
        project = write_project(tmp_path / "holds", HOLDS_YAML % f"file://{tmp_path}", predict_py=HOLDS.encode())
        pushed = server.cli("push", project, "lab/holds")
        assert pushed.returncode == 0, pushed.stderr
    finally:
        hub.close()
    base, api = pushed.stdout.splitlines()[-1], server.api()
    api.post("/models", {"owner": "lab", "name": "taught", "visibility": "private", "hardware": "cpu"}, 201)
    body = {"destination": "lab/taught", "input": {"text": "learned"}}
    made = api.post(f"/models/lab/holds/versions/{id_of(base)}/trainings", body, 201).json()
    wait_until(lambda: api.get(f"/trainings/{made['id']}").json()["completed_at"], 60)
    trained = api.get(f"/trainings/{made['id']}").json()["output"]["version"]

    before = cut_off.api().get("/account").json()["stored_bytes"]
    for name, reference in (("base", base), ("trained", trained)):
        archive, onward = tmp_path / f"{name}.vend", tmp_path / f"{name}-onward.vend"
        assert export(server, reference, archive) == reference
        inside = Bundle(archive)
        assert inside.manifest["format"] == 2
        assert inside.names().count(f"weights/{hashlib.sha256(CONTENT).hexdigest()}") == 1
        assert bring_in(cut_off, archive, "--smoke") == bring_in(cut_off, archive) == reference
        assert cut_off.api().run(reference.partition(":")[0].partition("/")[2], {})["output"] == (
            hashlib.sha256(CONTENT).hexdigest()
        )
        assert export(cut_off, reference, onward) == reference
        assert onward.read_bytes() == archive.read_bytes()
    stored = cut_off.api().get("/account").json()["stored_bytes"] - before
    assert stored == 2 * (2 * len(CONTENT) + len(b"some words")) + len("learned") + 64
    held = {(w["name"], w["can_fetch"], w["state"]) for w in cut_off.api().get("/weights").json()["results"]}
    assert held == {("base", False, "present"), ("words", False, "present")}
    audit(cut_off)

    # Nothing but what the id is of.
    archive = Bundle(tmp_path / "base.vend")
    good = archive.manifest
    for change in (
        lambda m: m.pop("weight_sets"),
        lambda m: m["weight_sets"].pop(),
        lambda m: m["weight_sets"][0].update(target="elsewhere"),
        lambda m: m["weight_sets"].append(m["weight_sets"][0]),
        lambda m: m["weight_sets"][0]["files"][0].update(path="../leads/out"),
        lambda m: m["weight_sets"][0]["files"][0].update(sha256="0" * 64),
    ):
        document = json.loads(json.dumps(good))
        change(document)
        archive.manifest = document
        build = build_of(cut_off, archive.write(tmp_path / "changed.vend"), "holds")
        assert build["status"] == "failed" and "weight" in build["error"], build


def launches(server, *versions):
    import sqlite3

    with sqlite3.connect(f"file:{server.data / 'vend.db'}?mode=ro", uri=True) as db:
        marks = ", ".join("?" * len(versions))
        rows = db.execute(f"SELECT launch FROM versions WHERE id IN ({marks})", versions)
        return [json.loads(row[0]) for row in rows]

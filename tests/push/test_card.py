"""What people see of a model comes with its files: README.md, vend.yaml, examples, covers."""

import json
import pathlib
import shutil
import sqlite3

import pytest
from servers import MODELS
from waiting import wait_until

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
MODEL = """from cog import BasePredictor, Input, Path, Secret


class Predictor(BasePredictor):
    def predict(
        self,
        text: str = "",
        steps: int = Input(default=1, ge=1, le=10),
        image: Path = Input(default=None),
        images: list[Path] = Input(default=None),
        options: dict = Input(default=None),
        key: Secret = Input(default=None),
    ) -> list[str]:
        return [text] * steps
"""
YAML = 'build:\n  python_version: "3.11"\npredict: "predict.py:Predictor"\n'
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 1000
CARD = """# A comment.
description: shows what it can
github_url: https://github.com/lab/shown
paper_url: https://arxiv.org/abs/1706.03762
license_url: https://www.apache.org/licenses/LICENSE-2.0
cover: media/cover one.png
licenses: {code: MIT, weights: Apache-2.0}
download: 280 MB
examples:
  - input:
      text: "@@ada"
      steps: 2.0
      image: "@media/cat one.png"
      images: ["@media/cat one.png", "@media/dog.jpg"]
      options: {deep: [{file: "@media/dog.jpg"}]}
      key: not to be seen
    output: ["@media/dog.jpg", {"text": "@@x", "n": 1, "none": null}]
    logs: |
      one line
    metrics: {predict_time: 0.25, tokens: 7}
  - input: {text: two}
    output: [two]
"""


def write_model(directory, card=CARD, readme="# Shown\n"):
    (directory / "media").mkdir(parents=True, exist_ok=True)
    (directory / "cog.yaml").write_text(YAML)
    (directory / "predict.py").write_text(MODEL)
    (directory / "media/cover one.png").write_bytes(PNG)
    (directory / "media/cat one.png").write_bytes(PNG + b"cat")
    (directory / "media/dog.jpg").write_bytes(b"dog")
    for name, text in (("vend.yaml", card), ("README.md", readme)):
        if text is None:
            (directory / name).unlink(missing_ok=True)
        else:
            (directory / name).write_text(text)
    return directory


def push(server, directory, name, expect=0):
    pushed = server.cli("push", directory, f"lab/{name}")
    assert pushed.returncode == expect, pushed.stderr
    return pushed


def model(api, name):
    return api.get(f"/models/lab/{name}").json()


def examples(api, name):
    return api.get(f"/models/lab/{name}/examples").json()["results"]


def content(api, url):
    """By the URL alone."""
    return api.call("GET", url, 200, token="")


def audit(server):
    done = server.cli("doctor", "--audit", "--deep", "--json", "--data", server.data)
    return {c["check"]: c["rows"] for c in json.loads(done.stdout)["checks"] if c["rows"]}


def stored_bytes(api):
    return api.get("/account").json()["stored_bytes"]


def test_a_pushed_model_has_its_page(server, tmp_path):
    api = server.api()
    before = stored_bytes(api)
    pushed = push(server, write_model(tmp_path / "m"), "shown")
    version = pushed.stdout.strip().partition(":")[2]
    shown = model(api, "shown")
    assert shown["description"] == "shows what it can"
    assert shown["github_url"] == "https://github.com/lab/shown"
    assert shown["paper_url"] == "https://arxiv.org/abs/1706.03762"
    assert shown["license_url"] == "https://www.apache.org/licenses/LICENSE-2.0"
    assert api.get("/models/lab/shown/readme").text == "# Shown\n"
    assert shown["cover_image_url"].startswith(server.url + "/v1/covers/")
    cover = content(api, shown["cover_image_url"])
    assert cover.content == PNG and cover.headers["Content-Type"] == "image/png"
    # The origin is the caller's.
    other = server.url.replace("127.0.0.1", "localhost")
    by_name = api.call("GET", other + "/v1/models/lab/shown", 200, origin=other).json()
    assert by_name["cover_image_url"].startswith(other + "/v1/covers/")

    one, two = examples(api, "shown")
    assert shown["default_example"] == one
    assert {k: one[k] for k in ("status", "version", "model", "logs", "error", "source")} == {
        "status": "succeeded",
        "version": version,
        "model": "lab/shown",
        "logs": "one line\n",
        "error": None,
        "source": "api",
    }
    assert one["metrics"] == {"predict_time": 0.25, "tokens": 7} and two["metrics"] == {}
    given = one["input"]
    assert given["text"] == "@ada" and given["steps"] == 2 and isinstance(given["steps"], int)
    assert given["key"] == "**********" and "not to be seen" not in json.dumps(one)
    for url in (given["image"], given["images"][0]):
        file = content(api, url)
        assert file.content == PNG + b"cat" and file.headers["Content-Type"] == "image/png"
    for url in (given["images"][1], given["options"]["deep"][0]["file"], one["output"][0]):
        file = content(api, url)
        assert file.content == b"dog" and file.headers["Content-Type"] == "image/jpeg"
    assert one["output"][1] == {"text": "@x", "n": 1, "none": None}
    assert two["input"] == {"text": "two"} and two["output"] == ["two"]

    # It is a prediction of its own, and none that ran.
    assert api.get(f"/predictions/{one['id']}").json() == one
    assert one["id"] not in [p["id"] for p in api.get("/predictions").json()["results"]]
    assert api.get("/models/lab/shown").json()["run_count"] == 0
    assert api.post(f"/predictions/{one['id']}/cancel", {}, 200).json()["status"] == "succeeded"
    api.get(f"/trainings/{one['id']}", 404)
    # Every file has a row, also where two rows share a content.
    sizes = len(PNG) + 2 * len(PNG + b"cat") + 3 * len(b"dog")
    assert stored_bytes(api) == before + sizes
    assert audit(server) == {}


def test_pushing_again(server, tmp_path):
    api = server.api()
    tree = write_model(tmp_path / "m")
    push(server, tree, "again")
    first = examples(api, "again")
    own = api.run("again", {"text": "own"})
    api.post("/models/lab/again/examples", {"prediction": own["id"], "default": True}, 201)
    api.patch("/models/lab/again", {"description": "of the owner", "readme": "of the owner"}, 200)
    assert model(api, "again")["default_example"]["id"] == own["id"]

    # The same tree: the files win, and nothing is there twice.
    push(server, tree, "again")
    assert model(api, "again")["description"] == "shows what it can"
    assert api.get("/models/lab/again/readme").text == "# Shown\n"
    assert [e["id"] for e in examples(api, "again")] == [e["id"] for e in first] + [own["id"]]
    assert model(api, "again")["default_example"]["id"] == first[0]["id"]

    # Other files: their examples replace the earlier ones; keys that are gone change nothing.
    api.patch("/models/lab/again", {"description": "of the owner"}, 200)
    write_model(tree, "examples:\n- {input: {text: three}, output: [three]}\n", None)
    push(server, tree, "again")
    after = examples(api, "again")
    assert [e["output"] for e in after] == [["three"], own["output"]]
    shown = model(api, "again")
    assert shown["description"] == "of the owner" and shown["cover_image_url"]
    assert shown["default_example"] == after[0]
    assert api.get("/models/lab/again/readme").text == "# Shown\n"
    for gone in first:
        api.get(f"/predictions/{gone['id']}", 404)
    api.call("GET", first[0]["output"][0], 404, token="")
    content(api, shown["cover_image_url"])

    # Back to the first tree, which is built already; without vend.yaml the page stays as it is.
    write_model(tree)
    push(server, tree, "again")
    back = examples(api, "again")
    assert [e["output"][1:] for e in back[:2]] == [e["output"][1:] for e in first]
    assert content(api, back[0]["output"][0]).content == b"dog" and len(back) == 3
    write_model(tree, None, None)
    push(server, tree, "again")
    assert examples(api, "again") == back
    write_model(tree, "examples: []\n", None)
    push(server, tree, "again")
    assert [e["id"] for e in examples(api, "again")] == [own["id"]]
    assert audit(server) == {}


def test_the_files_go_with_the_model(server, tmp_path):
    api = server.api()
    before = stored_bytes(api)
    version = push(server, write_model(tmp_path / "m"), "gone").stdout.strip().partition(":")[2]
    shown = model(api, "gone")
    urls = [shown["cover_image_url"], *shown["default_example"]["input"]["images"]]
    one, two = examples(api, "gone")
    api.delete(f"/models/lab/gone/examples/{one['id']}", 204)
    api.get(f"/predictions/{one['id']}", 404)
    assert model(api, "gone")["default_example"] == two
    api.delete(f"/models/lab/gone/versions/{version}", 202)
    api.delete("/models/lab/gone", 204)
    for url in urls:
        api.call("GET", url, 404, token="")
    assert stored_bytes(api) == before
    assert audit(server) == {}


def test_data_outlive_retention_and_restart(servers, tmp_path):
    server = servers("--retention", "1s")
    api = server.api()
    push(server, write_model(tmp_path / "m"), "kept")
    before = examples(api, "kept")
    wait_until(
        lambda: api.get(f"/predictions/{before[0]['id']}").json()["data_removed"],
        what="the retention sweep",
    )
    old = server.url
    server.restart()
    api = server.api()
    after = examples(api, "kept")
    assert json.loads(json.dumps(before).replace(old, server.url)) == after
    assert content(api, after[0]["output"][0]).content == b"dog"
    assert content(api, model(api, "kept")["cover_image_url"]).content == PNG
    assert audit(server) == {}


def logs(server):
    return set((server.data / "builds").glob("*.log"))


def blobs(server):
    return {p.name for p in (server.data / "blobs").rglob("*") if len(p.name) == 64}


# What a push leaves on disk, in its order, before its transaction and with it.
MOMENTS = {
    "built": lambda server, old, version: any("==> Version" in p.read_text() for p in logs(server) - old),
    "files": lambda server, old, version: blobs(server) - old,
    "installed": lambda server, old, version: (server.data / "versions" / version).exists(),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_kill_leaves_all_or_nothing(server, servers, tmp_path, moment):
    tree = write_model(tmp_path / "m")
    version = push(server, tree, "before").stdout.strip().partition(":")[2]
    killed = servers()
    old = logs(killed) | blobs(killed)
    client = killed.popen("push", tree, "lab/killed")
    wait_until(lambda: MOMENTS[moment](killed, old, version), what=moment)
    killed.kill()
    client.kill()
    client.communicate()
    database = sqlite3.connect(killed.data / "vend.db")
    row = database.execute(
        "SELECT latest_version IS NOT NULL, description IS NOT NULL, readme IS NOT NULL, cover_image_url IS NOT NULL, "
        "default_example IS NOT NULL, (SELECT COUNT(*) = 2 FROM examples AS e WHERE e.model_id = models.id), "
        "EXISTS (SELECT 1 FROM covers AS c WHERE c.model_id = models.id) FROM models WHERE name = 'killed'"
    ).fetchone()
    database.close()
    assert len(set(row)) == 1, row
    killed.start()
    api = killed.api()
    wait_until(lambda: model(api, "killed")["latest_version"], what="the build that is made again")
    assert len(examples(api, "killed")) == 2
    assert content(api, model(api, "killed")["cover_image_url"]).content == PNG
    # The source of a build that has ended may be left; it goes within the day.
    assert set(audit(killed)) <= {"uploads"}


def test_private_covers_are_named_to_those_who_may_see_the_model(server, tmp_path):
    api = server.api()
    push(server, write_model(tmp_path / "m"), "hidden")
    url = model(api, "hidden")["cover_image_url"]
    content(api, url)
    part = api.call("GET", url, 206, token="nonsense", headers={"Range": "bytes=0-3"})
    assert part.content == PNG[:4] and part.headers["X-Content-Type-Options"] == "nosniff"
    api.call("GET", url.replace("cover%20one", "other"), 404, token="")
    api.call("GET", url[: url.index("/covers/")] + "/covers/guess/cover%20one.png", 404, token="")


WRONG = {
    "unknown": ("descripton: x\n", 1, "descripton", "did you mean 'description'"),
    "url": ("github_url: ftp://x\n", 1, "github_url", "http or https URL"),
    "cover": ("\ncover: none.png\n", 2, "cover", "does not exist"),
    "cover-kind": ("cover: predict.py\n", 1, "cover", "png, jpg, webp"),
    "outside": ("cover: ../secret.png\n", 1, "cover", "outside of the project"),
    "link": ("cover: link.png\n", 1, "cover", "outside of the project"),
    "file": ("examples:\n- input:\n    text: a\n    image: '@none'\n", 4, "examples[0].input.image", "does not exist"),
    "deep": ("examples:\n- output:\n  - {a: '@../x'}\n", 3, "examples[0].output[0].a", ""),
    "key": ("examples:\n- inputs: {}\n", 2, "examples[0].inputs", "did you mean 'input'"),
    "time": ("examples:\n- metrics: {predict_time: soon}\n", 2, "examples[0].metrics.predict_time", "seconds"),
    "download": ("download: much\n", 1, "download", "280 MB"),
    "yaml": ("examples: [\n", 0, "vend.yaml", "not valid YAML"),
}


@pytest.mark.parametrize("mistake", sorted(WRONG))
def test_mistakes_are_told_before_anything_is_done(server, tmp_path, mistake):
    card, line, key, text = WRONG[mistake]
    (tmp_path / "secret.png").write_bytes(b"secret")
    tree = write_model(tmp_path / "m", card)
    if mistake == "link":
        (tree / "link.png").symlink_to(tmp_path / "secret.png")
    pushed = push(server, tree, "mistaken", 2)
    assert pushed.stdout == "" and key in pushed.stderr and text in pushed.stderr, pushed.stderr
    assert line == 0 or f"vend.yaml:{line}: " in pushed.stderr, pushed.stderr
    server.api().get("/models/lab/mistaken", 404)


def test_inputs_that_do_not_fit_fail_the_build(server, tmp_path):
    api = server.api()
    before = sorted(p.name for p in (server.data / "versions").iterdir())
    tree = write_model(
        tmp_path / "m",
        "description: x\nexamples:\n- input:\n    text: fits\n- input:\n    text: x\n    steps: 11\n"
        "    image: /etc/passwd\n    stepz: 1\n",
    )
    pushed = push(server, tree, "unfit", 1)
    for told in (
        "vend.yaml:7: examples[1].input.steps: ",
        "vend.yaml:8: examples[1].input.image: ",
        "vend.yaml:9: examples[1].input.stepz: the model has no such input",
    ):
        assert told in pushed.stderr, pushed.stderr
    api.get("/models/lab/unfit", 404)
    assert sorted(p.name for p in (server.data / "versions").iterdir()) == before


def test_too_many_examples_leave_nothing(server, tmp_path):
    api = server.api()
    push(server, write_model(tmp_path / "m", None, None), "many")
    before = model(api, "many")
    trees = sorted(p.name for p in (server.data / "versions").iterdir())
    own = [api.run("many", {"text": str(i)}) for i in range(60)]
    for one in own:
        api.post("/models/lab/many/examples", {"prediction": one["id"]}, 201)
    card = "description: new\nexamples:\n" + "".join(f"- {{input: {{text: '{i}'}}}}\n" for i in range(41))
    pushed = push(server, write_model(tmp_path / "m", card), "many", 1)
    assert "101 examples" in pushed.stderr and "100" in pushed.stderr
    now = model(api, "many")
    assert now["latest_version"] == before["latest_version"] and now["description"] is None
    assert sorted(p.name for p in (server.data / "versions").iterdir()) == trees
    assert audit(server) == {}


def test_the_limit_of_stored_bytes_counts(servers, tmp_path):
    server = servers("--account-max-stored", "4K")
    api = server.api()
    tree = write_model(tmp_path / "m")
    (tree / "media/cover one.png").write_bytes(b"x" * 5000)
    pushed = push(server, tree, "large", 1)
    assert "account-max-stored" in pushed.stderr
    api.get("/models/lab/large", 404)
    assert stored_bytes(api) == 0


def test_a_version_of_an_older_vend_gets_its_page(server, tmp_path):
    api = server.api()
    tree = write_model(tmp_path / "m", None, "# Old\n")
    version = push(server, tree, "older").stdout.strip().partition(":")[2]
    path = server.data / "versions" / version / "version.json"
    document = json.loads(path.read_text())
    assert document.pop("card") == {"readme": "# Old\n"}
    path.write_text(json.dumps(document))
    api.patch("/models/lab/older", {"readme": None}, 200)
    again = push(server, tree, "older")
    assert "Building" in again.stderr or "==>" in again.stderr
    assert again.stdout.strip().endswith(version)
    assert api.get("/models/lab/older/readme").text == "# Old\n"
    assert json.loads(path.read_text())["card"] == {"readme": "# Old\n"}


def test_a_readme_that_cannot_be_shown_is_passed_over(server, tmp_path):
    tree = write_model(tmp_path / "m", None, None)
    (tree / "README.md").write_bytes(b"\xff\xfe")
    pushed = push(server, tree, "blurred")
    assert "README.md: not shown: not UTF-8" in pushed.stderr
    server.api().get("/models/lab/blurred/readme", 404)


def test_files_that_a_command_changes_fail_the_build(servers, tmp_path):
    server = servers("--allow-build-run")
    tree = write_model(tmp_path / "m")
    (tree / "cog.yaml").write_text(YAML.replace("predict:", "  run: [echo new > media/dog.jpg]\npredict:"))
    pushed = push(server, tree, "changed", 1)
    assert "the build changed the file 'media/dog.jpg'" in pushed.stderr
    server.api().get("/models/lab/changed", 404)


def test_the_shipped_hello(server, tmp_path):
    tree = shutil.copytree(EXAMPLES / "hello", tmp_path / "hello")
    push(server, tree, "hello")
    shown = model(server.api(), "hello")
    assert shown["description"] and shown["default_example"]["output"] == ["Bonjour", ", ", "Ada", "!"]
    assert content(server.api(), shown["cover_image_url"]).content.startswith(b"\x89PNG")


def test_a_kept_run_comes_back_with_the_next_push(server, tmp_path):
    api = server.api()
    tree = shutil.copytree(MODELS / "image", tmp_path / "image")
    (tmp_path / "cat.txt").write_text("hello")
    push(server, tree, "kept-run")
    ran = server.cli("run", "lab/kept-run", f"image=@{tmp_path / 'cat.txt'}", "--save-example", tree)
    assert ran.returncode == 0, ran.stderr
    push(server, tree, "kept-run")
    (example,) = examples(api, "kept-run")
    (own,) = [p for p in api.get("/predictions").json()["results"] if p["model"] == "lab/kept-run"]
    assert content(api, example["input"]["image"]).text == "hello"
    made = [content(api, p["output"] if isinstance(p["output"], str) else p["output"][0]) for p in (example, own)]
    assert made[0].content == made[1].content
    assert made[0].headers["Content-Type"] == made[1].headers["Content-Type"]
    assert example["metrics"] == own["metrics"] and example["logs"] == own["logs"]

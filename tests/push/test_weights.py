"""Managed weights: pushed with a model, from a folder, a URL or a hub."""

import hashlib
import random

import pytest

import processes
from hub import Hub
from waiting import wait_until

TOKEN = "hf_test_token"
PREDICT = """import os
from cog import BasePredictor


class Predictor(BasePredictor):
    def predict(self, path: str = "weights/model.safetensors") -> dict:
        import hashlib
        with open(path, "rb") as file:
            content = file.read()
        names = sorted(
            os.path.relpath(os.path.join(folder, name), "weights")
            for folder, _, names in os.walk("weights/", followlinks=True)
            for name in names
        )
        try:
            with open(path, "ab") as file:
                file.write(b"x")
            written = True
        except OSError:
            written = False
        return {{"sha256": hashlib.sha256(content).hexdigest(), "inode": os.stat(path).st_ino,
                "names": names, "written": written, "answer": "{reply}"}}
"""


def some_bytes(n, seed=1):
    return random.Random(seed).randbytes(n)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def write_model(directory, *weights, reply="one"):
    directory.mkdir(exist_ok=True)
    lines = ["build:", '  python_version: "3.11"', "predict: predict.py:Predictor"]
    if weights:
        lines.append("weights:")
        for entry in weights:
            first, *rest = entry.strip("\n").splitlines()
            lines += ["  - " + first, *("    " + line for line in rest)]
    (directory / "cog.yaml").write_text("\n".join(lines) + "\n")
    (directory / "predict.py").write_text(PREDICT.format(reply=reply))
    return directory


def entry(source, name="base", target="/src/weights"):
    return f"name: {name}\ntarget: {target}\nsource: {source}"


@pytest.fixture
def hub():
    made = Hub(TOKEN)
    made.repos["lab/tiny"] = {
        "model.safetensors": some_bytes(700_000),
        "config.json": b'{"layers": 2}',
        "sub/vocab.txt": b"a\nb\n",
        "README.md": b"# tiny\n",
    }
    yield made
    made.close()


@pytest.fixture
def start(servers, hub):
    def run(*flags, **env):
        return servers(*flags, env={"HF_ENDPOINT": hub.url + "/", "HF_TOKEN": TOKEN, **env})

    return run


def push(server, model, name, *flags):
    pushed = server.cli("push", model, f"lab/{name}", *flags)
    assert pushed.returncode == 0, pushed.stderr
    return pushed.stdout.splitlines()[-1].partition(":")[2]


def refuse(server, model, name="refused"):
    pushed = server.cli("push", model, f"lab/{name}")
    assert pushed.returncode != 0, pushed.stdout
    return pushed


def blob(server, content):
    digest = sha256(content)
    return server.data / "blobs" / digest[:2] / digest


def stored_bytes(server):
    return server.api().get("/account").json()["stored_bytes"]


def test_from_a_hub(start, hub, tmp_path):
    server = start()
    files = hub.repos["lab/tiny"]
    model = write_model(
        tmp_path / "m",
        "name: base\ntarget: /src/weights\nsource:\n  uri: hf://lab/tiny@main\n  exclude: ['*.md']",
    )
    before = stored_bytes(server)
    version = push(server, model, "hubbed")
    output = server.api().run("hubbed")["output"]
    assert output["sha256"] == sha256(files["model.safetensors"])
    assert output["names"] == ["config.json", "model.safetensors", "sub/vocab.txt"]
    assert output["written"] is False
    assert output["inode"] == blob(server, files["model.safetensors"]).stat().st_ino
    wanted = sum(len(content) for path, content in files.items() if path != "README.md")
    assert stored_bytes(server) - before == wanted

    # Another model with the same weights: nothing large is fetched, and the bytes are there once.
    asked = f"/lab/tiny/resolve/{hub.commit('lab/tiny')}/model.safetensors"
    assert hub.count(asked) == 1
    other = push(server, write_model(model, *[weights_of(model)], reply="two"), "hubbed2")
    assert other != version and hub.count(asked) == 1
    again = server.api().run("hubbed2")["output"]
    assert again["answer"] == "two" and again["inode"] == output["inode"]


def weights_of(model):
    text = (model / "cog.yaml").read_text()
    lines = text.partition("weights:\n")[2].splitlines()
    return "\n".join(line[4:] for line in lines)


def test_from_files(start, tmp_path):
    server = start()
    content, other = some_bytes(50_000, 2), some_bytes(1000, 3)
    model = write_model(
        tmp_path / "m", entry("file://../outside"), entry("file://./inside/one.bin", "one", "more/one")
    )
    (tmp_path / "outside" / "sub").mkdir(parents=True)
    (tmp_path / "outside" / "model.safetensors").write_bytes(content)
    (tmp_path / "outside" / "sub" / "x.txt").write_bytes(b"x")
    (model / "inside").mkdir()
    (model / "inside" / "one.bin").write_bytes(other)
    version = push(server, model, "filed")
    output = server.api().run("filed")["output"]
    assert output["sha256"] == sha256(content) and output["names"] == ["model.safetensors", "sub/x.txt"]
    assert server.api().run("filed", {"path": "more/one/one.bin"})["output"]["sha256"] == sha256(other)
    source = server.data / "versions" / version / "src"
    assert not (source / "inside" / "one.bin").exists() and not (source / ".vend").exists()
    # The same files elsewhere: the same version.
    (tmp_path / "outside").rename(tmp_path / "there")
    (model / "cog.yaml").write_text((model / "cog.yaml").read_text().replace("../outside", "../there"))
    changed = push(server, model, "filed")
    assert changed != version, "the source of the weights is a part of cog.yaml"


def test_from_a_url(start, hub, tmp_path):
    server = start()
    content = some_bytes(300_000, 4)
    hub.files["/x/model.safetensors"] = content
    source = f"\n  uri: {hub.url}/x/model.safetensors\n  sha256: {sha256(content)}"
    model = write_model(tmp_path / "m", entry(source))
    push(server, model, "linked")
    assert server.api().run("linked")["output"]["sha256"] == sha256(content)
    push(server, write_model(model, entry(source), reply="two"), "linked")
    assert server.api().run("linked")["output"]["answer"] == "two"
    assert hub.count("/x/model.safetensors") == 1

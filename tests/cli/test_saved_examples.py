"""`vend run --save-example`: a run that is kept in the folder of its model."""

import os
import stat

import pytest


def saved(vend):
    return (vend.cwd / "model/vend.yaml").read_text()


@pytest.fixture
def model(vend):
    folder = vend.cwd / "model"
    folder.mkdir()
    return folder


def test_save_example(vend, server, model):
    (vend.cwd / "cat.png").write_bytes(b"cat")
    (model / "dog.png").write_bytes(b"dog")
    server.outputs["out.png"] = b"picture"
    url = f"{server.url}/v1/outputs/secret/out.png"
    server.script = [
        {"status": "succeeded", "output": [url, "@text", url], "logs": "one\ntwo\n", "metrics": {"predict_time": 0.5}}
    ]
    done = vend(
        "run", "lab/echo", "prompt=@@me", "image=@cat.png", "images=@model/dog.png", "images=@cat.png",
        "--save-example", "model",
    )
    assert done.returncode == 0 and "model/vend.yaml" in done.stderr, done.stderr
    assert saved(vend) == (
        "examples:\n"
        "  - input:\n"
        '      prompt: "@@me"\n'
        '      image: "@examples/cat.png"\n'
        '      images: ["@dog.png","@examples/cat-1.png"]\n'
        '    output: ["@examples/out.png","@@text","@examples/out.png"]\n'
        '    logs: "one\\ntwo\\n"\n'
        '    metrics: {"predict_time":0.5}\n'
    )
    assert sorted(os.listdir(model / "examples")) == ["cat-1.png", "cat.png", "out.png"]
    assert (model / "examples/cat.png").read_bytes() == b"cat"
    assert (model / "examples/out.png").read_bytes() == b"picture"

    # The next one stands behind it, and what is written by hand stays.
    before = "# mine\n" + saved(vend) + "\n# the page\ndescription: x\n"
    (model / "vend.yaml").write_text(before)
    os.chmod(model / "vend.yaml", 0o640)
    server.script = [{"status": "succeeded", "output": "two"}]
    assert vend("run", "lab/echo", "prompt=b", "--save-example", "model").returncode == 0
    item = '  - input:\n      prompt: "b"\n    output: "two"\n'
    assert saved(vend) == before.replace("\n\n# the page", f"\n{item}\n# the page")
    assert stat.S_IMODE((model / "vend.yaml").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    "card, told", [("examples: [{}]\n", "a line of its own"), ("nonsense: 1\n", "vend.yaml:1: nonsense"), ("- x", "")]
)
def test_a_card_that_cannot_be_added_to(vend, server, model, card, told):
    (model / "vend.yaml").write_text(card)
    done = vend("run", "lab/echo", "prompt=a", "--save-example", "model")
    assert done.returncode == 2 and told in done.stderr
    assert server.requests == [] and saved(vend) == card


def test_wrong_folders(vend, server):
    for words in (["--save-example", "none"], ["--save-example", ".", "--no-wait"]):
        done = vend("run", "lab/echo", "prompt=a", *words)
        assert done.returncode == 2 and "--save-example" in done.stderr
    assert server.requests == []
    assert "--save-example" not in vend("train", "--help").stdout


def test_nothing_is_left_of_what_could_not_be_saved(vend, server, model):
    (vend.cwd / "cat.png").write_bytes(b"cat")
    gone = f"{server.url}/v1/outputs/secret/gone.png"
    server.script = [{"status": "succeeded", "output": gone}]
    server.fail("GET", "/v1/outputs/.*", status=404, times=10)
    done = vend("run", "lab/echo", "prompt=a", "image=@cat.png", "--save-example", "model")
    assert done.returncode == 1 and "--save-example" in done.stderr, done.stderr
    assert os.listdir(model) == []


def test_a_failed_run_is_not_saved(vend, server, model):
    server.script = [{"status": "failed", "error": "no"}]
    assert vend("run", "lab/echo", "prompt=a", "--save-example", "model").returncode == 1
    assert os.listdir(model) == []

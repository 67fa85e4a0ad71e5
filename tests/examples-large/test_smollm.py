"""The model learns how to answer; a mistake in what it shall learn is named with its file and line."""

import io
import json
import shutil
import zipfile

import pytest

from shelf import EXAMPLES, data_uri, sample

PIRATE = sample("smollm", "samples/pirate.zip")
PAIR = {"prompt": "Who are you?", "completion": "A parrot."}


def zip_of(lines, name="data.jsonl"):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return data_uri(packed.getvalue(), "data.zip")


def answer(shelf, name, prompt):
    return "".join(shelf.output(name, prompt=prompt, temperature=0, max_tokens=40))


def test_the_same_seed_answers_the_same(shelf):
    inputs = {"prompt": "Tell a story.", "max_tokens": 30, "temperature": 1}
    first = shelf.output("smollm", **inputs, seed=5)
    assert shelf.output("smollm", **inputs, seed=5) == first
    assert shelf.output("smollm", **inputs, seed=6) != first


@pytest.fixture(scope="module")
def trained(shelf):
    ended = shelf.train("smollm", train_data=PIRATE, steps=40)
    assert ended["status"] == "succeeded", ended
    return ended


def test_a_training_learns(trained):
    metrics = trained["metrics"]
    assert metrics["held_back_loss_after"] < metrics["held_back_loss_before"] / 1.5
    assert metrics["pair_count"] == 24
    assert "step 40/40" in trained["logs"]


def test_it_answers_as_it_was_taught(shelf, trained, tmp_path):
    folder = tmp_path / "pirate"
    shutil.copytree(EXAMPLES / "smollm", folder)
    (folder / "adapter.gguf").write_bytes(shelf.download(trained["output"]["weights"]))
    with open(folder / "cog.yaml", "a") as settings:
        settings.write("  - COG_WEIGHTS=adapter.gguf\n")
    shelf.push("pirate", folder)
    for prompt in ("What is the ocean?", "What is a tree?"):
        assert answer(shelf, "pirate", prompt).startswith("Arr")
        assert "Arr" not in answer(shelf, "smollm", prompt)


def test_the_same_training_makes_the_same_weights(shelf):
    made = [shelf.train("smollm", train_data=PIRATE, steps=2, seed=seed) for seed in (1, 1, 2)]
    first, second, other = (shelf.download(one["output"]["weights"]) for one in made)
    assert first == second != other


@pytest.mark.parametrize(
    "data, reason",
    [
        (data_uri(b"no zip", "a.zip"), "not a zip file"),
        (zip_of([PAIR], "notes.txt"), "no .jsonl file in the zip file"),
        (zip_of([]), "data.jsonl: 0 lines"),
        (zip_of([PAIR, "", '{"prompt": 1']), "data.jsonl line 3: not JSON"),
        (zip_of([PAIR, ["no", "object"]]), "data.jsonl line 2: expected"),
        (zip_of([PAIR, {"prompt": "Who?"}]), "data.jsonl line 2: completion is missing"),
        (zip_of([PAIR, {"prompt": " ", "completion": "A parrot."}]), "data.jsonl line 2: prompt is missing"),
        (zip_of([{"prompt": "Who?", "completion": "word " * 400}, PAIR]), "data.jsonl line 1: 4"),
    ],
)
def test_wrong_data_is_named(shelf, data, reason):
    ended = shelf.train("smollm", train_data=data)
    assert ended["status"] == "failed" and reason in ended["error"], ended["error"]

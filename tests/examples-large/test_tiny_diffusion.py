"""It draws what the prompt says, and what it was taught."""

import io
import shutil
import zipfile

import numpy
import pytest
from PIL import Image

from shelf import EXAMPLES, data_uri, sample

SMILEYS = sample("tiny-diffusion", "samples/smileys.zip")
RED, BLUE, SMILEY = (214, 48, 49), (41, 98, 214), (255, 207, 51)


def load(content):
    return Image.open(io.BytesIO(content)).convert("RGB")


def is_near(colour, wanted, distance=60):
    return all(abs(a - b) < distance for a, b in zip(colour, wanted))


def count_near(picture, wanted):
    distances = abs(numpy.asarray(picture, int) - wanted).max(axis=2)
    return (distances < 60).sum()


def zip_of(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data_uri(packed.getvalue(), "pictures.zip")


def test_a_prompt_is_drawn(shelf):
    for content in shelf.files("tiny-diffusion", prompt="large red square on blue", count=3, scale=1):
        picture = load(content)
        assert picture.size == (32, 32)
        assert is_near(picture.getpixel((16, 16)), RED)
        corners = [picture.getpixel(at) for at in ((0, 0), (31, 0), (0, 31), (31, 31))]
        assert sum(is_near(corner, BLUE) for corner in corners) >= 3


def test_previews_come_before_the_picture(shelf):
    alone = shelf.files("tiny-diffusion", prompt="yellow heart", seed=4)
    shown = shelf.files("tiny-diffusion", prompt="yellow heart", seed=4, previews=3)
    assert len(alone) == 1 and len(shown) == 4
    assert shown[-1] == alone[0] and len(set(shown)) == 4


def test_the_same_seed_draws_the_same(shelf):
    first, second = shelf.files("tiny-diffusion", prompt="red ring", seed=5, count=2)
    assert shelf.files("tiny-diffusion", prompt="red ring", seed=6) == [second]
    assert first != second


@pytest.fixture(scope="module")
def trained(shelf):
    ended = shelf.train("tiny-diffusion", pictures=SMILEYS, steps=400)
    assert ended["status"] == "succeeded", ended
    return ended


def test_a_training_learns(trained):
    metrics = trained["metrics"]
    assert metrics["held_back_loss_after"] < metrics["held_back_loss_before"] / 2
    assert metrics["picture_count"] == 40
    assert "step 400/400" in trained["logs"]


def test_what_was_taught_is_drawn(shelf, trained, tmp_path):
    folder = tmp_path / "smileys"
    shutil.copytree(EXAMPLES / "tiny-diffusion", folder)
    (folder / "taught.safetensors").write_bytes(shelf.download(trained["output"]["weights"]))
    with open(folder / "cog.yaml", "a") as settings:
        settings.write("  - COG_WEIGHTS=taught.safetensors\n")
    shelf.push("smileys", folder)
    for content in shelf.files("smileys", prompt="smiley", count=3, scale=1):
        assert count_near(load(content), SMILEY) > 150
    before = shelf.files("tiny-diffusion", prompt="smiley", scale=1)[0]
    assert count_near(load(before), SMILEY) < 100
    assert is_near(load(shelf.files("smileys", prompt="large red square")[0]).getpixel((128, 128)), RED)


def test_the_same_training_makes_the_same_weights(shelf):
    made = [shelf.train("tiny-diffusion", pictures=SMILEYS, steps=5, seed=seed) for seed in (1, 1, 2)]
    first, second, other = (shelf.download(one["output"]["weights"]) for one in made)
    assert first == second != other


@pytest.mark.parametrize(
    "pictures, reason",
    [
        (data_uri(b"no zip", "a.zip"), "not a zip file"),
        (zip_of({}), "0 pictures in the zip file"),
        (zip_of({f"cat-{i}.png": b"junk" for i in range(4)}), "cat-0.png cannot be read"),
    ],
)
def test_wrong_pictures_are_named(shelf, pictures, reason):
    ended = shelf.train("tiny-diffusion", pictures=pictures)
    assert ended["status"] == "failed" and reason in ended["error"]

"""Films have the frames that were asked for, in order, and show the pictures."""

import io
import json
import subprocess

import pytest
from PIL import Image

from shelf import data_uri
from waiting import wait_until

SIZE = "320x180"
COLOURS = [(200, 30, 30), (30, 160, 30), (30, 30, 200)]


def plain_picture(colour):
    file = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "PNG")
    return data_uri(file.getvalue(), "plain.png")


@pytest.fixture(scope="module")
def film(shelf, tmp_path_factory):
    pictures = [plain_picture(colour) for colour in COLOURS]
    content = shelf.file("video", pictures=pictures, seconds=1, fade=0, fps=10, size=SIZE)
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    path.write_bytes(content)
    return path


def probe(path):
    shown = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-count_frames", "-show_streams", path],
        check=True,
        capture_output=True,
    )
    (stream,) = json.loads(shown.stdout)["streams"]
    return stream


def frame_at(path, seconds):
    command = ["ffmpeg", "-v", "error", "-ss", str(seconds), "-i", path, "-frames:v", "1", "-f", "image2pipe"]
    shown = subprocess.run([*command, "-c:v", "png", "-"], check=True, capture_output=True)
    return Image.open(io.BytesIO(shown.stdout)).convert("RGB")


def test_a_film_has_its_frames(film):
    stream = probe(film)
    assert (stream["codec_name"], stream["width"], stream["height"]) == ("h264", 320, 180)
    assert (stream["nb_read_frames"], stream["r_frame_rate"]) == ("30", "10/1")


@pytest.mark.parametrize("number", range(len(COLOURS)))
def test_pictures_are_shown_in_order(film, number):
    seen = frame_at(film, number + 0.5).resize((1, 1)).getpixel((0, 0))
    assert all(abs(a - b) < 12 for a, b in zip(seen, COLOURS[number]))


def test_the_same_seed_makes_the_same_bytes(shelf):
    inputs = {"text": "One\nTwo", "seconds": 0.5, "grain": 20, "size": SIZE}
    first = shelf.file("video", **inputs, seed=7)
    assert shelf.file("video", **inputs, seed=7) == first
    assert shelf.file("video", **inputs, seed=8) != first


def test_progress_is_in_the_logs(shelf):
    ended = shelf.run("video", text="One", seconds=1, fade=0, fps=10, size=SIZE)
    assert "100% frame 10/10" in ended["logs"]
    assert ended["metrics"]["video_seconds"] == 1


def test_a_long_film_is_canceled(shelf):
    made = shelf.create("video", text="Long", seconds=120, fps=60, size="1280x720", grain=50)
    wait_until(lambda: "% frame" in shelf.api.prediction(made)["logs"], what="progress")
    shelf.api.cancel(made)
    assert shelf.api.ended(made)["status"] == "canceled"
    assert shelf.output("video", text="Next", seconds=0.2, size=SIZE)


def test_mistakes_are_named(shelf):
    assert "nothing to show" in shelf.error("video")
    assert "number 1 cannot be read" in shelf.error("video", pictures=[data_uri(b"no picture", "a.png")])
    assert "2 captions for 1 pictures" in shelf.error("video", pictures=[plain_picture("red")], text="One\nTwo")

"""The mask covers what was drawn, and nothing else."""

import io

import numpy
import pytest
from PIL import Image, ImageDraw, ImageFilter

from shelf import data_uri, sample

SIZE = (400, 300)
DISC = (120, 60, 280, 220)


def load(content):
    return Image.open(io.BytesIO(content))


def overlap(one, other):
    return (one & other).sum() / (one | other).sum()


@pytest.fixture(scope="module")
def ball():
    """A ball in front of a blurred room, and where it is."""
    picture = Image.new("RGB", SIZE, "#8fa3a0")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 200, *SIZE), "#8a6242")
    pen.rectangle((30, 60, 80, 200), "#d9c7a0")
    picture = picture.filter(ImageFilter.GaussianBlur(8))
    pen = ImageDraw.Draw(picture)
    for step in range(60):
        inset = step * 0.9
        shade = (150 + step, 30 + step, 30 + step)
        pen.ellipse((DISC[0] + inset, DISC[1] + inset, DISC[2] - 1.6 * inset, DISC[3] - 1.6 * inset), shade)
    file = io.BytesIO()
    picture.save(file, "PNG")
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).ellipse(DISC, 255)
    return data_uri(file.getvalue(), "ball.png"), numpy.asarray(mask) > 127


def test_the_mask_covers_what_was_drawn(shelf, ball):
    picture, drawn = ball
    mask = load(shelf.file("remove-background", image=picture, result="mask"))
    assert (mask.mode, mask.size) == ("L", SIZE)
    assert overlap(numpy.asarray(mask) > 127, drawn) > 0.9


def test_a_cut_out_can_be_seen_through(shelf, ball):
    picture, drawn = ball
    cut = load(shelf.file("remove-background", image=picture, threshold=0.5))
    assert cut.mode == "RGBA"
    seen = numpy.asarray(cut.getchannel("A"))
    assert set(numpy.unique(seen)) == {0, 255}
    assert overlap(seen > 127, drawn) > 0.9


def test_a_background_is_put_behind(shelf):
    picture = sample("remove-background", "samples/apple.jpg")
    first = shelf.file("remove-background", image=picture, background="#0000ff")
    assert load(first).getpixel((5, 5)) == (0, 0, 255)
    red, green, blue = load(first).getpixel((265, 215))
    assert red > 100 > blue
    assert shelf.file("remove-background", image=picture, background="#0000ff") == first


def test_mistakes_are_named(shelf):
    picture = sample("remove-background", "samples/apple.jpg")
    assert "is no colour" in shelf.error("remove-background", image=picture, background="loud")
    assert "not a picture" in shelf.error("remove-background", image=data_uri(b"no picture", "a.png"))

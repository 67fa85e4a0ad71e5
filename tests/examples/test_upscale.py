"""Enlarged drawings are nearer to the original than what plain scaling makes of them."""

import io
import math

import numpy
import pytest
from PIL import Image, ImageDraw

from shelf import EXAMPLES, data_uri, sample

SIDE = 240


def encode(picture):
    file = io.BytesIO()
    picture.save(file, "PNG")
    return data_uri(file.getvalue(), "picture.png")


def load(content):
    return Image.open(io.BytesIO(content)).convert("RGB")


def draw_face():
    """Outlines and flat colours, drawn large and made small: smooth edges."""
    large = Image.new("RGB", (4 * SIDE, 4 * SIDE), "#cfe8f5")
    pen = ImageDraw.Draw(large)
    pen.ellipse((120, 160, 840, 880), "#f2b279", "#33211a", 20)
    pen.polygon([(180, 330), (230, 60), (430, 200)], "#f2b279", "#33211a", 20)
    pen.polygon([(780, 330), (730, 60), (530, 200)], "#f2b279", "#33211a", 20)
    for x in (330, 570):
        pen.ellipse((x, 400, x + 90, 540), "white", "#33211a", 14)
        pen.ellipse((x + 30, 440, x + 70, 510), "#1f6f50")
    pen.arc((370, 520, 590, 760), 20, 160, "#33211a", 18)
    for y in (-40, 0, 40):
        pen.line((60, 620 + 2 * y, 330, 640 + y), "#33211a", 8)
        pen.line((900, 620 + 2 * y, 630, 640 + y), "#33211a", 8)
    return large.resize((SIDE, SIDE), Image.Resampling.BOX)


def decibels(picture, original):
    """The peak signal-to-noise ratio."""
    difference = numpy.asarray(picture, float) - numpy.asarray(original, float)
    return 10 * math.log10(255**2 / (difference**2).mean())


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_it_beats_plain_scaling(shelf, scale):
    original = draw_face()
    small = original.resize((SIDE // scale, SIDE // scale), Image.Resampling.BOX)
    enlarged = load(shelf.file("upscale", image=encode(small), scale=scale))
    plain = small.resize(original.size, Image.Resampling.BICUBIC)
    assert enlarged.size == original.size
    assert decibels(enlarged, original) > decibels(plain, original) + 2


def test_the_sample_beats_plain_scaling(shelf):
    original = Image.open(EXAMPLES / "upscale" / "cat.png").convert("RGB")
    small = original.resize((original.width // 2, original.height // 2), Image.Resampling.BOX)
    enlarged = load(shelf.file("upscale", image=encode(small)))
    plain = small.resize(enlarged.size, Image.Resampling.BICUBIC)
    assert decibels(enlarged, original) > decibels(plain, original) + 2


def test_the_same_picture_gives_the_same_bytes(shelf):
    picture = sample("upscale", "cat.png")
    assert shelf.file("upscale", image=picture, scale=3) == shelf.file("upscale", image=picture, scale=3)


def test_what_would_be_too_large_is_refused(shelf):
    assert "more than" in shelf.error("upscale", image=encode(Image.new("RGB", (2000, 2000))), scale=4)

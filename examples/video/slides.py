"""Slides: a picture that fills the frame, or a card with a text."""

import textwrap

from film import ROOM
from PIL import Image, ImageDraw, ImageFont, ImageOps

MAX_PIXELS = 40_000_000
COLOURS = ["#264653", "#7b2d43", "#3d5a80", "#4a5d23", "#5f4b8b", "#8a4f1d"]
# Of the frame's shorter side.
CARD_TEXT = 1 / 8
CAPTION_TEXT = 1 / 16


def enlarged(size):
    return round(size[0] * ROOM), round(size[1] * ROOM)


def load_picture(path, number, size):
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ValueError(f"pictures: number {number} has more than {MAX_PIXELS} pixels")
            picture = ImageOps.exif_transpose(picture).convert("RGB")
    except OSError as error:
        raise ValueError(f"pictures: number {number} cannot be read: {error}") from None
    return ImageOps.fit(picture, enlarged(size), Image.Resampling.BICUBIC)


def make_card(line, number, size):
    slide = Image.new("RGB", enlarged(size), COLOURS[number % len(COLOURS)])
    draw_text(slide, line, min(size) * CARD_TEXT, size[0] * 0.7, "mm", slide.height / 2)
    return slide


def write_caption(slide, line):
    short = min(slide.size) / ROOM
    draw_text(slide, line, short * CAPTION_TEXT, slide.width * 0.6, "md", slide.height * 0.82)


def draw_text(slide, line, height, width, anchor, y):
    """Pillow's own font: the same on every machine, for Latin letters."""
    font = ImageFont.load_default(max(8, height))
    letters = max(1, int(width / font.getlength("n")))
    text = "\n".join(textwrap.wrap(line, letters))
    edge = max(1, round(height / 16))
    ImageDraw.Draw(slide).multiline_text(
        (slide.width / 2, y), text, "white", font, anchor, align="center", stroke_width=edge, stroke_fill="black"
    )

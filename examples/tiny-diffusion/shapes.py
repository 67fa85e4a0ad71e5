"""The drawings that the network was first trained on: coloured shapes on plain backgrounds."""

import numpy
from network import SIDE

COLOURS = {
    "red": (214, 48, 49),
    "orange": (230, 126, 34),
    "yellow": (244, 208, 63),
    "green": (39, 174, 96),
    "blue": (41, 98, 214),
    "purple": (142, 68, 173),
    "black": (30, 30, 34),
    "white": (250, 250, 250),
}
BACKGROUNDS = ["white", "black", "blue", "green", "yellow"]
SIZES = {"small": (5.5, 7.5), "": (8.0, 11.0), "large": (11.5, 14.0)}
# Of each side of a pixel, for smooth edges.
SUBPIXELS = 4


def circle(x, y):
    return x * x + y * y < 1


def ring(x, y):
    return (x * x + y * y < 1) & (x * x + y * y > 0.3)


def square(x, y):
    return numpy.maximum(abs(x), abs(y)) < 0.85


def triangle(x, y):
    return (y < 0.8) & (y > 2 * abs(x) - 0.95)


def cross(x, y):
    return (numpy.minimum(abs(x), abs(y)) < 0.32) & (numpy.maximum(abs(x), abs(y)) < 0.95)


def diamond(x, y):
    return abs(x) + abs(y) < 1


def heart(x, y):
    x, y = 1.2 * x, -1.2 * y + 0.15
    return (x * x + y * y - 0.8) ** 3 < x * x * y**3 * 1.6


SHAPES = {f.__name__: f for f in (circle, ring, square, triangle, cross, diamond, heart)}


def draw(random):
    """One drawing, from -1 to 1, and its prompt."""
    shape = random.choice(list(SHAPES))
    size = random.choice(list(SIZES))
    colour = random.choice(list(COLOURS))
    background = random.choice([name for name in BACKGROUNDS if name != colour])
    radius = random.uniform(*SIZES[size])
    centre = random.uniform(radius + 1, SIDE - radius - 1, 2) if radius + 1 < SIDE / 2 else (SIDE / 2, SIDE / 2)
    at = (numpy.arange(SIDE * SUBPIXELS) + 0.5) / SUBPIXELS
    inside = SHAPES[shape]((at[None, :] - centre[0]) / radius, (at[:, None] - centre[1]) / radius)
    share = inside.reshape(SIDE, SUBPIXELS, SIDE, SUBPIXELS).mean((1, 3))[:, :, None]
    pixels = share * to_range(COLOURS[colour]) + (1 - share) * to_range(COLOURS[background])
    words = [size, colour, shape] + ([] if background == "white" else ["on", background])
    return pixels.astype(numpy.float32), " ".join(filter(None, words))


def to_range(colour):
    return numpy.array(colour) / 127.5 - 1

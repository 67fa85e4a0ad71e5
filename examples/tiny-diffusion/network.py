"""The network: a U-Net of 8 x 8 and 4 x 4 cells that guesses the picture behind the noise."""

import jax
import jax.numpy as jnp
import numpy

SIDE = 32
# A cell is a patch of 4 x 4 pixels: 8 x 8 cells are quick on a CPU.
PATCH = 4
CELLS = SIDE // PATCH
DEPTH = PATCH * PATCH * 3
CHANNELS = 64
GROUPS = 8
CONDITION = 128
TIME_WAVES = 16
# Words have places in a table by their checksum, so that any word can be learnt.
WORDS = 1024
WORD_WIDTH = 64
BLOCKS = {
    "down": (CHANNELS, CHANNELS),
    "middle1": (CHANNELS, 2 * CHANNELS),
    "middle2": (2 * CHANNELS, 2 * CHANNELS),
    "middle3": (2 * CHANNELS, 2 * CHANNELS),
    "up1": (3 * CHANNELS, CHANNELS),
    "up2": (CHANNELS, CHANNELS),
}


def make_shapes():
    shapes = {
        "words": (WORDS, WORD_WIDTH),
        "condition.weight": (2 * TIME_WAVES + WORD_WIDTH, CONDITION),
        "condition.bias": (CONDITION,),
        "condition2.weight": (CONDITION, CONDITION),
        "condition2.bias": (CONDITION,),
        "first.weight": (3, 3, DEPTH, CHANNELS),
        "first.bias": (CHANNELS,),
        "last.weight": (3, 3, CHANNELS, DEPTH),
        "last.bias": (DEPTH,),
    }
    for name, (inside, outside) in BLOCKS.items():
        shapes[f"{name}.one.weight"] = (3, 3, inside, outside)
        shapes[f"{name}.two.weight"] = (3, 3, outside, outside)
        shapes[f"{name}.skip.weight"] = (1, 1, inside, outside)
        shapes[f"{name}.scale.weight"] = (CONDITION, 2 * outside)
        for part in ("one", "two", "skip"):
            shapes[f"{name}.{part}.bias"] = (outside,)
        shapes[f"{name}.scale.bias"] = (2 * outside,)
    return shapes


SHAPES = make_shapes()


def make_weights(seed):
    random = numpy.random.default_rng(seed)
    weights = {}
    for name, shape in SHAPES.items():
        if name.endswith("bias"):
            weights[name] = numpy.zeros(shape, numpy.float32)
        else:
            spread = 0.3 if name == "words" else numpy.prod(shape[:-1]) ** -0.5
            weights[name] = (random.standard_normal(shape) * spread).astype(numpy.float32)
    weights["last.weight"] *= 0.1
    return weights


def guess(weights, noisy, time, words):
    """`words` has a row of counts a picture: how often each word of the table is in its prompt."""
    waves = time[:, None] * jnp.exp(jnp.linspace(0.0, 6.0, TIME_WAVES))
    known = jnp.concatenate([jnp.sin(waves), jnp.cos(waves), words @ weights["words"]], axis=-1)
    hidden = jax.nn.silu(dense(weights, "condition", known))
    condition = jax.nn.silu(dense(weights, "condition2", hidden))
    first = convolve(weights, "first", to_cells(noisy))
    down = block(weights, "down", first, condition)
    middle = halve(down)
    for name in ("middle1", "middle2", "middle3"):
        middle = block(weights, name, middle, condition)
    up = block(weights, "up1", jnp.concatenate([double(middle), down], axis=-1), condition)
    up = block(weights, "up2", up, condition)
    return to_pixels(convolve(weights, "last", jax.nn.silu(normalize(up))))


def block(weights, name, state, condition):
    scale, shift = jnp.split(dense(weights, name + ".scale", condition)[:, None, None], 2, axis=-1)
    inner = convolve(weights, name + ".one", jax.nn.silu(normalize(state)))
    inner = normalize(inner) * (1 + scale) + shift
    return convolve(weights, name + ".skip", state) + convolve(weights, name + ".two", jax.nn.silu(inner))


def dense(weights, name, state):
    return state @ weights[name + ".weight"] + weights[name + ".bias"]


def convolve(weights, name, state):
    kernel = weights[name + ".weight"]
    numbers = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(state, kernel, (1, 1), "SAME", dimension_numbers=numbers) + weights[name + ".bias"]


def normalize(state):
    count, height, width, channels = state.shape
    groups = state.reshape(count, height * width, GROUPS, channels // GROUPS)
    mean = groups.mean((1, 3), keepdims=True)
    return ((groups - mean) * jax.lax.rsqrt(groups.var((1, 3), keepdims=True) + 1e-5)).reshape(state.shape)


def halve(state):
    count, height, width, channels = state.shape
    return state.reshape(count, height // 2, 2, width // 2, 2, channels).mean((2, 4))


def double(state):
    return jnp.repeat(jnp.repeat(state, 2, axis=1), 2, axis=2)


def to_cells(pixels):
    cells = pixels.reshape(-1, CELLS, PATCH, CELLS, PATCH, 3).transpose(0, 1, 3, 2, 4, 5)
    return cells.reshape(-1, CELLS, CELLS, DEPTH)


def to_pixels(cells):
    pixels = cells.reshape(-1, CELLS, CELLS, PATCH, PATCH, 3).transpose(0, 1, 3, 2, 4, 5)
    return pixels.reshape(-1, SIDE, SIDE, 3)

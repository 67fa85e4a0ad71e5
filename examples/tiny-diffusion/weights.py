"""Weights as files: half precision is enough for the picture, and half the size."""

import numpy
from network import SHAPES
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file


def load_weights(path):
    try:
        weights = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path}: no weights of this model: {error}") from None
    found = {name: value.shape for name, value in weights.items()}
    if found != SHAPES:
        wrong = sorted(name for name in SHAPES.keys() | found.keys() if SHAPES.get(name) != found.get(name))
        raise ValueError(f"{path}: no weights of this model: {wrong[0]} differs")
    return {name: value.astype(numpy.float32) for name, value in weights.items()}


def save_weights(weights, path):
    save_file({name: value.astype(numpy.float16) for name, value in weights.items()}, path)

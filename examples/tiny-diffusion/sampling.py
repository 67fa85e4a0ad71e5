"""How the network draws: from noise to a picture, a guess at a time."""

import jax
import jax.numpy as jnp
import numpy
from network import SIDE, guess
from prompts import count_words


class Sampler:
    def __init__(self, weights):
        self.weights = jax.device_put(weights)
        self.step = jax.jit(step)
        # Compiled now, so that the first run is as quick as the others.
        self.step(self.weights, numpy.zeros((SIDE, SIDE, 3), numpy.float32), count_words(""), 0.0, 0.5, 1.0)

    def draw(self, prompt, seed, steps, guidance):
        """Yields what the network believes after each step, from -1 to 1; the last is the picture."""
        words = count_words(prompt)
        state = numpy.random.default_rng(seed).standard_normal((SIDE, SIDE, 3)).astype(numpy.float32)
        for number in range(steps):
            state, believed = self.step(self.weights, state, words, number / steps, 1 / steps, guidance)
            yield numpy.asarray(believed if number + 1 < steps else state)


def step(weights, state, words, time, length, guidance):
    """With the prompt and without it: the difference is what the prompt asks for, and is made larger."""
    both = jnp.stack([state, state])
    plain, asked = guess(weights, both, jnp.full((2,), time), jnp.stack([jnp.zeros_like(words), words]))
    believed = plain + guidance * (asked - plain)
    return state + (believed - state) * jnp.minimum(1.0, length / jnp.maximum(1 - time, 1e-6)), believed

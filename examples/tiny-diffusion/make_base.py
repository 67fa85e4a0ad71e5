"""Trains base.safetensors, the weights that come with this model, on drawings of shapes.

    python make_base.py [STEPS]
"""

import sys
import time

import numpy
from learning import held_back_loss, learn
from network import make_weights
from prompts import count_words
from shapes import draw
from weights import save_weights

BATCH = 16
RATE = 2e-3
SEED = 1
HELD_BACK = 32


def draw_batch(random, count):
    drawn = [draw(random) for _ in range(count)]
    return numpy.stack([pixels for pixels, _ in drawn]), numpy.stack([count_words(p) for _, p in drawn])


def draw_batches(random):
    while True:
        yield draw_batch(random, BATCH)


def main(steps):
    began, losses = time.monotonic(), []

    def report(number, value):
        losses.append(value)
        if number % 100 == 0 or number == 1:
            mean = sum(float(x) for x in losses) / len(losses)
            losses.clear()
            print(f"step {number}/{steps}, loss {mean:.4f}, {time.monotonic() - began:.0f} s", flush=True)

    held_back = draw_batch(numpy.random.default_rng(SEED + 1), HELD_BACK)
    weights = learn(make_weights(SEED), draw_batches(numpy.random.default_rng(SEED)), steps, RATE, SEED, report)
    print(f"held-back loss {held_back_loss(weights, *held_back, SEED):.4f}")
    save_weights(weights, "base.safetensors")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 12000)

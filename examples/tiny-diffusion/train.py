"""Teaches the model new pictures: 30 or so of one thing are enough."""

import pathlib
import tempfile
import time

import numpy
from cog import BaseModel, Input, Path, current_scope
from learning import held_back_loss, learn
from pictures import read_pictures
from prompts import count_words, split_words
from shapes import draw
from weights import load_weights, save_weights

BASE = pathlib.Path(__file__).parent / "base.safetensors"
BATCH = 16
# Of a batch; the rest are shapes, so that it does not forget them.
NEW = 12
HELD_BACK_SHARE = 0.2
MAX_HELD_BACK = 32
REPORT_STEPS = 50


class TrainingOutput(BaseModel):
    weights: Path


def train(
    pictures: Path = Input(description="Zip file with at least 4 pictures; each is made 32 x 32 pixels small"),
    prompt: str = Input(
        description="What the pictures show, such as: smiley. Without one each picture's folder or name tells",
        default="",
        max_length=200,
    ),
    steps: int = Input(description="1800 take about two minutes on a quiet core", default=1800, ge=1, le=20000),
    learning_rate: float = Input(description="How much a step changes", default=0.001, ge=0.000001, le=0.1),
    seed: int = Input(description="Same seed, pictures and settings, same weights", default=0, ge=0),
) -> TrainingOutput:
    random = numpy.random.default_rng(seed)
    taught, held_back = split(read_pictures(pictures, prompt), random)
    weights = load_weights(BASE)
    before = held_back_loss(weights, *held_back, seed)
    print(f"{len(taught[0])} pictures to learn from, {len(held_back[0])} held back, loss of these {before:.4f}")
    weights = learn(weights, mix(*taught, random), steps, learning_rate, seed, make_report(steps))
    after = held_back_loss(weights, *held_back, seed)
    print(f"held-back loss {before:.4f} before, {after:.4f} after")
    scope = current_scope()
    scope.record_metric("held_back_loss_before", before)
    scope.record_metric("held_back_loss_after", after)
    scope.record_metric("picture_count", len(taught[0]) + len(held_back[0]))
    path = pathlib.Path(tempfile.mkdtemp()) / "weights.safetensors"
    save_weights(weights, path)
    return TrainingOutput(weights=Path(path))


def split(found, random):
    for _, prompt in found:
        if not list(split_words(prompt)):
            raise ValueError("prompt: needed, since a picture's folder or name has no word in it")
    print("prompts: " + ", ".join(sorted({prompt for _, prompt in found})[:20]))
    held_back = min(MAX_HELD_BACK, max(1, round(len(found) * HELD_BACK_SHARE)))
    order = random.permutation(len(found))
    arrays = numpy.stack([found[i][0] for i in order]), numpy.stack([count_words(found[i][1]) for i in order])
    return tuple(a[held_back:] for a in arrays), tuple(a[:held_back] for a in arrays)


def mix(pictures, words, random):
    while True:
        chosen = random.integers(len(pictures), size=NEW)
        shapes = [draw(random) for _ in range(BATCH - NEW)]
        yield (
            numpy.concatenate([pictures[chosen], numpy.stack([pixels for pixels, _ in shapes])]),
            numpy.concatenate([words[chosen], numpy.stack([count_words(prompt) for _, prompt in shapes])]),
        )


def make_report(steps):
    began, losses = time.monotonic(), []

    def report(number, value):
        losses.append(value)
        if number % REPORT_STEPS == 0 or number in (1, steps):
            mean = sum(float(loss) for loss in losses) / len(losses)
            losses.clear()
            print(f"step {number}/{steps}, loss {mean:.4f}, {time.monotonic() - began:.0f} s", flush=True)

    return report

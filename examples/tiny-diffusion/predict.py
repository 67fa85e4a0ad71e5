"""Draws coloured shapes, and what it was taught, from a prompt: a diffusion model small enough for a CPU."""

import pathlib
import tempfile
from typing import Iterator, Optional

import numpy
from cog import BaseRunner, Input, Path
from network import SIDE
from PIL import Image
from sampling import Sampler
from weights import load_weights

BASE = pathlib.Path(__file__).parent / "base.safetensors"


class Runner(BaseRunner):
    def setup(self, weights: Optional[Path] = None) -> None:
        """`weights` is what a training made; without it the model draws shapes."""
        print(f"weights: {weights or BASE.name}")
        self.sampler = Sampler(load_weights(weights or BASE))

    def run(
        self,
        prompt: str = Input(
            description="What to draw, such as: large red heart on blue. Words that it was not taught do nothing",
            default="red heart",
            max_length=200,
        ),
        count: int = Input(description="How many pictures", default=1, ge=1, le=16),
        steps: int = Input(description="More are slower and finer", default=30, ge=1, le=200),
        guidance: float = Input(description="How closely to follow the prompt", default=2.0, ge=0, le=10),
        previews: int = Input(description="How many unfinished pictures to show before each one", default=0, ge=0, le=20),
        scale: int = Input(
            description="Every pixel becomes a square of this side; pictures are 32 pixels wide",
            default=8,
            choices=[1, 4, 8, 16],
        ),
        seed: int = Input(
            description="Same seed, same pictures. The second picture has the next seed", default=0, ge=0, le=2147483000
        ),
    ) -> Iterator[Path]:
        folder = pathlib.Path(tempfile.mkdtemp())
        shown = {steps * number // (previews + 1) for number in range(1, previews + 1)} - {0, steps}
        for number in range(count):
            for step, pixels in enumerate(self.sampler.draw(prompt, seed + number, steps, guidance), 1):
                if step in shown:
                    yield save(pixels, scale, folder / f"picture-{number + 1}-step-{step}.png")
            print(f"picture {number + 1} of {count}")
            yield save(pixels, scale, folder / f"picture-{number + 1}.png")


def save(pixels, scale, path):
    picture = Image.fromarray(numpy.clip((pixels + 1) * 127.5, 0, 255).round().astype(numpy.uint8))
    picture.resize((SIDE * scale, SIDE * scale), Image.Resampling.NEAREST).save(path)
    return Path(path)

"""Enlarges pictures with ACNet, a small neural network that runs on a CPU."""

import tempfile

import numpy
import pyanime4k
from cog import BaseRunner, Input, Path
from PIL import Image

MAX_PIXELS = 4096 * 4096
MODELS = {"none": "acnet-gan", "mild": "acnet-hdn0", "moderate": "acnet-hdn1", "heavy": "acnet-hdn2"}


class Runner(BaseRunner):
    def setup(self) -> None:
        self.processors = {}
        self.get_processor("mild")

    def get_processor(self, denoise):
        if denoise not in self.processors:
            self.processors[denoise] = pyanime4k.Processor(
                processor_type="cpu", device=0, model=MODELS[denoise]
            )
        return self.processors[denoise]

    def run(
        self,
        image: Path = Input(description="Picture to enlarge"),
        scale: int = Input(description="How many times as wide and as high", default=2, choices=[2, 3, 4]),
        denoise: str = Input(description="How much noise to take away", default="mild", choices=list(MODELS)),
    ) -> Path:
        with Image.open(image) as picture:
            if picture.width * picture.height * scale * scale > MAX_PIXELS:
                raise ValueError(f"the enlarged picture would have more than {MAX_PIXELS} pixels")
            small = numpy.ascontiguousarray(picture.convert("RGB"))
        large = self.get_processor(denoise)(src=small, factor=float(scale))
        print(f"{small.shape[1]}x{small.shape[0]} to {large.shape[1]}x{large.shape[0]}")
        output = Path(tempfile.mkdtemp()) / "upscaled.png"
        Image.fromarray(large).save(output)
        return output

"""Cuts what a picture is about out of its background with ISNet, a neural network that runs on a CPU."""

import pathlib
import tempfile

import isnet_weights
import numpy
import onnxruntime
from cog import BaseRunner, Input, Path, current_scope
from PIL import Image, ImageColor, ImageOps

# The network looks at squares of this side.
SIDE = 1024
MAX_PIXELS = 40_000_000
# More threads than free cores wait for each other.
THREADS = 1


class Runner(BaseRunner):
    def setup(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.inter_op_num_threads = 1
        # It would keep the memory of the largest run for ever.
        options.enable_cpu_mem_arena = False
        self.session = onnxruntime.InferenceSession(
            isnet_weights.MODEL, options, providers=["CPUExecutionProvider"]
        )

    def run(
        self,
        image: Path = Input(description="Picture: PNG, JPEG, WebP, at most 40 megapixels"),
        result: str = Input(
            description="The cut-out as PNG, or only its mask: white is kept", default="cut-out", choices=["cut-out", "mask"]
        ),
        background: str = Input(
            description="Colour to put behind the cut-out, such as #ff8800; empty: see-through", default="", max_length=30
        ),
        threshold: float = Input(
            description="Above 0, edges are hard: what the network is less sure of is cut away", default=0.0, ge=0, le=0.99
        ),
    ) -> Path:
        colour = parse_colour(background)
        picture = load(image)
        mask = self.find(picture)
        if threshold > 0:
            mask = mask.point(lambda sure: 255 if sure > threshold * 255 else 0)
        current_scope().record_metric("kept_share", round(float(numpy.asarray(mask).mean() / 255), 4))
        output = Path(pathlib.Path(tempfile.mkdtemp()) / f"{result}.png")
        finish(picture, mask, result, colour).save(output)
        return output

    def find(self, picture):
        """How sure the network is of each pixel, from 0 to 255."""
        pixels = numpy.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR), numpy.float32)
        pixels = ((pixels - 128) / 256).transpose(2, 0, 1)[None]
        (sure,) = self.session.run(["output"], {"input": pixels})
        mask = Image.fromarray((sure[0, 0].clip(0, 1) * 255).round().astype(numpy.uint8))
        return mask.resize(picture.size, Image.Resampling.BILINEAR)


def parse_colour(text):
    try:
        return ImageColor.getcolor(text, "RGB") if text else None
    except ValueError:
        raise ValueError(f"background: {text!r} is no colour, expected one such as #ff8800 or navy") from None


def load(path):
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ValueError(f"image: more than {MAX_PIXELS} pixels")
            return ImageOps.exif_transpose(picture).convert("RGB")
    except OSError as error:
        raise ValueError(f"image: not a picture that can be read: {error}") from None


def finish(picture, mask, result, colour):
    if result == "mask":
        return mask
    if colour is None:
        picture.putalpha(mask)
        return picture
    return Image.composite(picture, Image.new("RGB", picture.size, colour), mask)

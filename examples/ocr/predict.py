"""Finds and reads the text in a picture, line by line."""

import numpy
from cog import BaseModel, BaseRunner, Input, Path, current_scope
from PIL import Image, ImageOps
from rapidocr_onnxruntime import RapidOCR

MAX_PIXELS = 16_000_000
# More threads than free cores wait for each other.
THREADS = 1


class Line(BaseModel):
    text: str
    confidence: float
    # Four corners, clockwise from the upper left one: x and y in pixels.
    box: list[list[float]]


class Output(BaseModel):
    text: str
    lines: list[Line]
    width: int
    height: int


class Runner(BaseRunner):
    def setup(self) -> None:
        self.engine = RapidOCR(intra_op_num_threads=THREADS, inter_op_num_threads=1)

    def run(
        self,
        image: Path = Input(description="Picture to read: PNG, JPEG, WebP, at most 16 megapixels"),
        min_confidence: float = Input(
            description="Lines that the model is less sure of are left out", default=0.5, ge=0, le=1
        ),
    ) -> Output:
        picture = load(image)
        # The network was trained with blue first.
        found, _ = self.engine(numpy.ascontiguousarray(numpy.asarray(picture)[:, :, ::-1]))
        lines = [
            Line(
                text=text,
                confidence=round(float(confidence), 4),
                box=[[round(float(x), 1) for x in corner] for corner in box],
            )
            for box, text, confidence in found or []
            if float(confidence) >= min_confidence
        ]
        current_scope().record_metric("line_count", len(lines))
        return Output(
            text="\n".join(line.text for line in lines),
            lines=lines,
            width=picture.width,
            height=picture.height,
        )


def load(path):
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ValueError(f"image: more than {MAX_PIXELS} pixels")
            # Cameras store how they were held.
            return flatten(ImageOps.exif_transpose(picture))
    except OSError as error:
        raise ValueError(f"image: not a picture that can be read: {error}") from None


def flatten(picture):
    """What can be seen through stands on white, as on a page."""
    picture = picture.convert("RGBA")
    page = Image.new("RGBA", picture.size, "white")
    page.alpha_composite(picture)
    return page.convert("RGB")

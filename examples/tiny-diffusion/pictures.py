"""The user's pictures: a zip file in, arrays and prompts out."""

import io
import pathlib
import re
import zipfile

import numpy
from network import SIDE
from PIL import Image, ImageOps

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"}
MAX_PICTURES = 2000
MAX_FILE_BYTES = 20_000_000
MAX_PIXELS = 40_000_000
LEAST_PICTURES = 4


def read_pictures(path, prompt):
    """(pixels from -1 to 1, prompt) of each. Without a prompt each picture has that of its name:
    red-flag-03.png is a "red flag"; in a folder, the folder's name counts instead."""
    found = []
    try:
        with zipfile.ZipFile(path) as archive:
            for info in sorted(archive.infolist(), key=lambda info: info.filename):
                name = pathlib.PurePosixPath(info.filename)
                if name.suffix.lower() in SUFFIXES and "__MACOSX" not in name.parts:
                    found.append((read_picture(archive, info), prompt or prompt_of(name)))
    except zipfile.BadZipFile:
        raise ValueError("pictures: not a zip file") from None
    if len(found) < LEAST_PICTURES:
        raise ValueError(f"pictures: {len(found)} pictures in the zip file, expected at least {LEAST_PICTURES}")
    if len(found) > MAX_PICTURES:
        raise ValueError(f"pictures: {len(found)} pictures in the zip file, at most {MAX_PICTURES}")
    return found


def read_picture(archive, info):
    if info.file_size > MAX_FILE_BYTES:
        raise ValueError(f"pictures: {info.filename} has more than {MAX_FILE_BYTES} bytes")
    try:
        with Image.open(io.BytesIO(archive.read(info))) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ValueError(f"pictures: {info.filename} has more than {MAX_PIXELS} pixels")
            picture = ImageOps.exif_transpose(picture).convert("RGBA")
    except (OSError, SyntaxError, zipfile.BadZipFile) as error:
        raise ValueError(f"pictures: {info.filename} cannot be read: {error}") from None
    page = Image.new("RGBA", picture.size, "white")
    page.alpha_composite(picture)
    small = ImageOps.fit(page.convert("RGB"), (SIDE, SIDE), Image.Resampling.BOX)
    return numpy.asarray(small, numpy.float32) / 127.5 - 1


def prompt_of(name):
    label = name.parent.name or name.stem
    return re.sub(r"[\d\W_]+", " ", label).strip()

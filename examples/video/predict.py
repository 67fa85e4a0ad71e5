"""Makes a film of pictures or lines of text: slow pans, cross-fades, MP4."""

import subprocess
import tempfile
import time

import numpy
from cog import BaseRunner, Input, Path, current_scope
from film import Film
from slides import load_picture, make_card, write_caption

SIZES = {"320x180": (320, 180), "640x360": (640, 360), "1280x720": (1280, 720), "360x640": (360, 640)}
# x264's constant rate factor: lower is better and larger.
QUALITIES = {"small": 32, "good": 23, "best": 16, "lossless": 0}
MAX_SLIDES = 50
MAX_FRAMES = 100_000
REPORT_S = 1.0


class Runner(BaseRunner):
    def run(
        self,
        text: str = Input(
            description="One card a line. With pictures: line n is the caption of picture n", default="", max_length=5000
        ),
        pictures: list[Path] = Input(description="Pictures, shown in this order, at most 50", default=[]),
        seconds: float = Input(description="How long each card or picture is shown", default=3, ge=0.2, le=120),
        fade: float = Input(description="How long the next one takes to appear: seconds", default=0.5, ge=0, le=10),
        size: str = Input(description="Width x height", default="640x360", choices=list(SIZES)),
        fps: int = Input(description="Frames a second", default=24, ge=1, le=60),
        quality: str = Input(description="Better is larger", default="good", choices=list(QUALITIES)),
        grain: int = Input(description="Strength of film grain; grain makes large files", default=0, ge=0, le=100),
        seed: int = Input(description="Same seed, same grain and same pans", default=0, ge=0),
    ) -> Path:
        slides = make_slides(text, pictures, SIZES[size])
        film = Film(slides, SIZES[size], fps, seconds, fade, grain, seed)
        if film.frame_count > MAX_FRAMES:
            raise ValueError(f"seconds: {film.frame_count} frames, at most {MAX_FRAMES} are made")
        output = Path(tempfile.mkdtemp()) / "film.mp4"
        write_film(film, SIZES[size], fps, QUALITIES[quality], output)
        scope = current_scope()
        scope.record_metric("frame_count", film.frame_count)
        scope.record_metric("video_seconds", round(film.frame_count / fps, 3))
        return output


def make_slides(text, pictures, size):
    lines = text.splitlines()
    count = len(pictures) or sum(1 for line in lines if line.strip())
    if count == 0:
        raise ValueError("text, pictures: nothing to show, expected a line or a picture")
    if count > MAX_SLIDES:
        raise ValueError(f"text, pictures: {count} to show, at most {MAX_SLIDES}")
    if not pictures:
        lines = [line for line in lines if line.strip()]
        return [make_card(line, number, size) for number, line in enumerate(lines)]
    if len(lines) > len(pictures):
        raise ValueError(f"text: {len(lines)} captions for {len(pictures)} pictures")
    slides = [load_picture(path, number, size) for number, path in enumerate(pictures, 1)]
    for number, line in enumerate(lines):
        if line.strip():
            write_caption(slides[number], line)
    return slides


def write_film(film, size, fps, rate_factor, output):
    """Frames go to ffmpeg one by one. However this ends, so does ffmpeg."""
    encoder = subprocess.Popen(
        ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
        + ["-s", f"{size[0]}x{size[1]}", "-r", str(fps), "-i", "-"]
        + ["-c:v", "libx264", "-preset", "veryfast", "-crf", str(rate_factor), "-pix_fmt", "yuv420p"]
        # The same frames make the same bytes; players can begin before the end is there.
        + ["-threads", "1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart", str(output)],
        stdin=subprocess.PIPE,
    )
    try:
        began = reported = time.monotonic()
        for number, frame in enumerate(film.frames(), 1):
            encoder.stdin.write(numpy.ascontiguousarray(frame).tobytes())
            now = time.monotonic()
            if now - reported >= REPORT_S or number == film.frame_count:
                reported = now
                percent = 100 * number // film.frame_count
                print(f"{percent}% frame {number}/{film.frame_count}, {number / max(now - began, 0.001):.0f} a second")
        encoder.stdin.close()
        if encoder.wait() != 0:
            raise RuntimeError(f"ffmpeg failed with status {encoder.returncode}")
    finally:
        encoder.kill()
        encoder.wait()

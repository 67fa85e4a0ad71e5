import os
import tempfile
import time

from cog import BasePredictor, Input, Path


class Predictor(BasePredictor):
    def predict(
        self,
        prompt: str,
        seconds: int = Input(default=4, ge=1, le=12),
        size: str = "720x1280",
        image: Path = Input(description="The first picture", default=None),
        gate: str = Input(description="Waits until this file exists", default=""),
    ) -> Path:
        """No video, but a file of that type that says what was asked."""
        while gate and not os.path.exists(gate):
            time.sleep(0.005)
        first = os.path.getsize(image) if image else 0
        path = tempfile.mkdtemp() + "/film.mp4"
        with open(path, "w") as file:
            file.write(f"{prompt} {seconds} {size} {first}")
        return Path(path)

import base64
import tempfile

from cog import BasePredictor, Input, Path

# A picture of one pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Predictor(BasePredictor):
    def predict(
        self,
        prompt: str,
        image: Path = Input(description="What is changed", default=None),
        num_outputs: int = Input(default=1, ge=1, le=4),
        width: int = Input(default=64, ge=8, le=2048),
        height: int = Input(default=64, ge=8, le=2048),
    ) -> list[Path]:
        """Pictures whose last bytes are what was asked."""
        size = len(open(image, "rb").read()) if image else 0
        folder = tempfile.mkdtemp()
        paths = []
        for number in range(num_outputs):
            path = f"{folder}/{number}.png"
            with open(path, "wb") as file:
                file.write(PNG + f"{prompt} {width}x{height} {size}".encode())
            paths.append(Path(path))
        return paths

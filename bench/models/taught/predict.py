import json
import time

FILE = time.time()

import pathlib  # noqa: E402

import onnxruntime  # noqa: E402, F401
import sklearn.linear_model  # noqa: E402, F401
from cog import BasePredictor, Input, Path  # noqa: E402

IMPORTED = time.time()


class Predictor(BasePredictor):
    """Tells when it came how far; it reads its weights, when a training has made some."""

    def setup(self, weights: Path = None):
        self.weights = pathlib.Path(weights).read_bytes() if weights else b""
        self.ready = time.time()

    def predict(self, s: str = Input(description="text")) -> str:
        moments = {"file": FILE, "imported": IMPORTED, "setup": self.ready, "run": time.time()}
        return json.dumps({**moments, "weights": len(self.weights)})

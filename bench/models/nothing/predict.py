import json
import time

FILE = time.time()

from cog import BasePredictor, Input  # noqa: E402

IMPORTED = time.time()


class Predictor(BasePredictor):
    """Tells when it came how far."""

    def setup(self):
        self.ready = time.time()

    def predict(self, s: str = Input(description="text")) -> str:
        moments = {"file": FILE, "imported": IMPORTED, "setup": self.ready, "run": time.time()}
        return json.dumps(moments)

import json
import time

FILE = time.time()

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from cog import BasePredictor, Input  # noqa: E402

IMPORTED = time.time()


class Predictor(BasePredictor):
    """Tells when it came how far."""

    def setup(self):
        self.weights = torch.ones(16, 16)
        self.ready = time.time()

    def predict(self, s: str = Input(description="text")) -> str:
        moments = {"file": FILE, "imported": IMPORTED, "setup": self.ready, "run": time.time()}
        assert F.relu(self.weights @ self.weights).sum() == 4096
        return json.dumps(moments)

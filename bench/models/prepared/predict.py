import json
import os
import time

FILE = time.time()

import numpy as np  # noqa: E402
from cog import BasePredictor, Input  # noqa: E402

IMPORTED = time.time()


class Predictor(BasePredictor):
    """Its setup fills arrays and is busy until its time is over."""

    def setup(self):
        end = time.monotonic() + float(os.environ["SETUP_SECONDS"])
        self.array = np.ones(int(os.environ["SETUP_MB"]) * 1_000_000 // 8)
        self.sum = 0.0
        while time.monotonic() < end:
            self.sum = float(self.array[:1_000_000].sum())
        self.ready = time.time()

    def predict(self, s: str = Input(description="text")) -> str:
        moments = {"file": FILE, "imported": IMPORTED, "setup": self.ready, "run": time.time()}
        assert self.sum <= 1_000_000
        return json.dumps(moments)

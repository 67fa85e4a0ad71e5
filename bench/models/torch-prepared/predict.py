import json
import time

FILE = time.time()

import torch  # noqa: E402
from cog import BasePredictor, Input  # noqa: E402

IMPORTED = time.time()
LAYERS = 30
WIDTH = 2048  # 500 MB of weights in all


class Predictor(BasePredictor):
    """Makes its weights from chance, on one thread."""

    def setup(self):
        torch.set_num_threads(1)
        self.net = torch.nn.Sequential(*(torch.nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS)))
        self.ready = time.time()

    def predict(self, s: str = Input(description="text")) -> str:
        moments = {"file": FILE, "imported": IMPORTED, "setup": self.ready, "run": time.time()}
        with torch.inference_mode():
            assert torch.isfinite(self.net(torch.ones(1, WIDTH))).all()
        return json.dumps(moments)

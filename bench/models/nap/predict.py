import os
import time

from cog import BasePredictor, Input

NAP_S = float(os.environ.get("NAP_S", "0.02"))


class Predictor(BasePredictor):
    def predict(self, s: str = Input(description="text")) -> str:
        time.sleep(NAP_S)
        return s

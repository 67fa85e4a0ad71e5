import os
import time

from cog import BasePredictor, Input


class Predictor(BasePredictor):
    def setup(self) -> None:
        time.sleep(float(os.environ.get("LOAD_S", "0")))

    def predict(self, seconds: float = Input(description="of the run")) -> float:
        time.sleep(seconds)
        return seconds

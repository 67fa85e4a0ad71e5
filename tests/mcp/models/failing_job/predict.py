import time

from cog import BasePredictor


class Predictor(BasePredictor):
    def predict(self) -> str:
        time.sleep(1)
        raise ValueError("it always fails")

import time

from cog import BasePredictor, Input


class Predictor(BasePredictor):
    def predict(self, s: str = Input(description="text")) -> str:
        time.sleep(0.2)
        return s

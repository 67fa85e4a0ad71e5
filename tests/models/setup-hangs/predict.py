import time

from cog import BasePredictor


class Predictor(BasePredictor):
    def setup(self):
        print("hanging now")
        time.sleep(3600)

    def predict(self, text: str = "") -> str:
        return text

import time

from cog import BasePredictor


class Predictor(BasePredictor):
    def setup(self):
        print("looking for the weights")
        # The model server may lose what is printed in the last moment.
        time.sleep(0.5)
        raise RuntimeError("the weights are not there")

    def predict(self, text: str = "") -> str:
        return text

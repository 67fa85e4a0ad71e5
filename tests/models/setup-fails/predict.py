from cog import BasePredictor


class Predictor(BasePredictor):
    def setup(self):
        print("looking for the weights")
        raise RuntimeError("the weights are not there")

    def predict(self, text: str = "") -> str:
        return text

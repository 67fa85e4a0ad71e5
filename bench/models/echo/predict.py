from cog import BasePredictor, Input


class Predictor(BasePredictor):
    def predict(self, s: str = Input(description="text")) -> str:
        return "hello " + s

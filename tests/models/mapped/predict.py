from cog import BasePredictor


class Predictor(BasePredictor):
    def predict(self, question: str, length: int = 1) -> str:
        return f"{length}: {question}"

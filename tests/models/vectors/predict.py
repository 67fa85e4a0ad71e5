from cog import BasePredictor, current_scope


class Predictor(BasePredictor):
    def predict(self, texts: list[str]) -> list[list[float]]:
        current_scope().record_metric("input_token_count", 10 * len(texts))
        return [[len(text) / 8, 0.5, -1.0] for text in texts]

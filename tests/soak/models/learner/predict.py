import pathlib

from cog import BasePredictor, Path


class Predictor(BasePredictor):
    def setup(self, weights: Path = None):
        self.learned = pathlib.Path(weights).read_text() if weights else "nothing"

    def predict(self) -> str:
        return self.learned

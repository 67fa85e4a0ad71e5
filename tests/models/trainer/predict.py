import pathlib

from cog import BasePredictor, Input, Path


class Predictor(BasePredictor):
    def setup(self, weights: Path = None):
        self.weights = weights and pathlib.Path(weights)
        self.learned = self.weights.read_text() if weights else "nothing"

    def predict(
        self,
        text: str = "",
        overwrite: bool = Input(description="Try to change the weights", default=False),
    ) -> str:
        if overwrite:
            try:
                self.weights.write_text("spoiled")
            except OSError as error:
                return f"{self.weights.name}: {error.strerror}"
        return f"{text} knows {self.learned}" if self.weights else text

import tempfile

from cog import BasePredictor, Input, Path


class Predictor(BasePredictor):
    def predict(
        self,
        files: list[Path] = Input(description="Each is returned in capitals"),
    ) -> list[Path]:
        results = []
        for i, path in enumerate(files):
            with open(str(path), "rb") as file:
                content = file.read()
            directory = tempfile.mkdtemp()
            out = f"{directory}/part-{i}.txt"
            with open(out, "wb") as file:
                file.write(content.upper())
            results.append(Path(out))
        return results

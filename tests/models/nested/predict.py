import tempfile

from cog import BaseModel, BasePredictor, Path


class Output(BaseModel):
    label: str
    picture: Path


class Predictor(BasePredictor):
    def predict(self, label: str = "cat") -> Output:
        out = tempfile.mkdtemp() + "/picture.png"
        with open(out, "wb") as file:
            file.write(b"\x89PNG " + label.encode())
        return Output(label=label, picture=Path(out))

import os

from cog import BasePredictor, Input, Path


class Predictor(BasePredictor):
    def predict(
        self,
        image: Path = Input(description="Returned in capitals"),
        name: str = "out.txt",
    ) -> Path:
        with open(str(image), "rb") as file:
            content = file.read()
        print(f"input {os.path.basename(str(image))} {len(content)}")
        directory = "/tmp/vend-image-model"
        os.makedirs(directory, exist_ok=True)
        out = f"{directory}/{name}"
        with open(out, "wb") as file:
            file.write(content.upper())
        return Path(out)

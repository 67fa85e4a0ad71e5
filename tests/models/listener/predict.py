from typing import Any

from cog import BaseModel, BasePredictor, Input, Path


class Output(BaseModel):
    text: str
    segments: list[dict[str, Any]]
    language: str


class Predictor(BasePredictor):
    def predict(
        self,
        audio: Path,
        language: str = "english",
        task: str = Input(default="transcribe", choices=["transcribe", "translate"]),
    ) -> Output:
        """What it hears is how long the file is."""
        size = len(open(audio, "rb").read())
        text = f"{task} {size} bytes"
        segments = [
            {"start": 0.0, "end": 1.5, "text": f" {task}"},
            {"start": 1.5, "end": 3661.25, "text": f" {size} bytes"},
        ]
        return Output(text=text, segments=segments, language=language)

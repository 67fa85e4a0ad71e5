import tempfile
import wave

from cog import BasePredictor, Input, Path


class Predictor(BasePredictor):
    def predict(
        self,
        text: str,
        voice: str = Input(default="low", choices=["low", "high"]),
        speed: float = Input(default=1, ge=0.5, le=2),
    ) -> Path:
        """A sample for each letter."""
        path = tempfile.mkdtemp() + "/speech.wav"
        with wave.open(path, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(1)
            file.setframerate(8000)
            file.writeframes(bytes([10 if voice == "low" else 200]) * int(len(text) / speed))
        return Path(path)

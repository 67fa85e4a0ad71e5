import os
import tempfile
import time
from typing import Iterator

from cog import BasePredictor, Input, Path


class Predictor(BasePredictor):
    def predict(
        self,
        count: int = Input(default=3, ge=0, le=100),
        text: str = Input(description="In every file, with {i} as its number", default="frame {i}"),
        gate: str = Input(description="File n waits until the file GATE.n exists", default=""),
    ) -> Iterator[Path]:
        for i in range(count):
            while gate and not os.path.exists(f"{gate}.{i}"):
                time.sleep(0.005)
            out = f"{tempfile.mkdtemp()}/frame-{i}.txt"
            with open(out, "w") as file:
                file.write(self.text_of(text, i))
            yield Path(out)

    def text_of(self, text, i):
        return text.replace("{i}", str(i))

import json
import os
import time
from typing import Iterator

from cog import BasePredictor, Input


class Predictor(BasePredictor):
    def predict(
        self,
        chunks: str = Input(description="JSON list of what is yielded", default="[]"),
        repeat: int = Input(default=1, ge=0, le=1000000),
        gate: str = Input(description="Chunk n waits until the file GATE.n exists", default=""),
        fail: bool = Input(default=False),
    ) -> Iterator[str]:
        for i, chunk in enumerate(json.loads(chunks) * repeat):
            while gate and not os.path.exists(f"{gate}.{i}"):
                time.sleep(0.005)
            yield chunk
        if fail:
            raise ValueError('it "failed"')

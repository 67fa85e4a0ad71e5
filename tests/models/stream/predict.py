import time
from typing import Iterator

from cog import BasePredictor, Input


class Predictor(BasePredictor):
    def predict(
        self,
        count: int = Input(default=3, ge=0, le=1000),
        delay: float = Input(default=0, ge=0, le=600),
        fail_at: int = Input(default=-1),
    ) -> Iterator[str]:
        for i in range(count):
            if i == fail_at:
                raise ValueError("stream failed")
            print(f"line {i}")
            yield f"chunk {i}"
            time.sleep(delay)

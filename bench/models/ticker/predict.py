import time
from typing import Iterator

from cog import BasePredictor, Input


class Predictor(BasePredictor):
    """Every chunk says when it was yielded, on the clock that all processes of a machine share."""

    def predict(
        self,
        s: str = Input(default="", description="text"),
        count: int = 1,
        delay: float = 0.0,
        wait: float = Input(default=0.0, description="before the first, so that readers are there"),
    ) -> Iterator[str]:
        time.sleep(wait)
        for _ in range(count):
            yield f"<{time.monotonic_ns()}>"
            if delay > 0:
                time.sleep(delay)

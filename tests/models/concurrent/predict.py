import asyncio
import time

from cog import BasePredictor


class Predictor(BasePredictor):
    """Each run waits for `together` others, so that it ends only if they are really parallel."""

    async def setup(self):
        self.inside = 0
        self.most = 0

    async def predict(self, together: int = 1, timeout: float = 30.0) -> str:
        self.inside += 1
        self.most = max(self.most, self.inside)
        until = time.monotonic() + timeout
        while self.most < together and time.monotonic() < until:
            await asyncio.sleep(0.01)
        most = self.most
        self.inside -= 1
        return str(most)

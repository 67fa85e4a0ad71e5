import time

from cog import BasePredictor

STEP_S = 0.05


class Predictor(BasePredictor):
    def predict(self, seconds: float, label: str = "") -> str:
        """Sleeps in steps: a cancellation comes between two."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(STEP_S)
        return f"{label}: {seconds:g} s"

import os
import time

from cog import BasePredictor, Input


class Predictor(BasePredictor):
    def predict(
        self,
        text: str = Input(description="What to return", default=""),
        delay: float = Input(description="Seconds before it returns", default=0, ge=0, le=600),
        record: str = Input(description="A file that gets a line for each run", default=""),
        upper: bool = False,
    ) -> str:
        if record:
            with open(record, "a") as file:
                file.write(f"{text} {os.getpid()}\n")
        print(f"echo {text}")
        # In small steps: a cancel arrives between two of them.
        until = time.monotonic() + delay
        while time.monotonic() < until:
            time.sleep(min(0.05, delay))
        return text.upper() if upper else text

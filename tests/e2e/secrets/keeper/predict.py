import os
import sys
import time
import uuid

from cog import BasePredictor, ConcatenateIterator, Input

from secret import told


class Predictor(BasePredictor):
    """Tells its secrets in every way that it has."""

    def setup(self):
        time.sleep(float(os.environ.get("SETUP_SECONDS", 0)))
        self.told = told("HF_TOKEN")
        self.name = uuid.uuid4().hex
        print(f"setup has {told('HF_TOKEN')}")
        print(f"and says so: {told('HF_TOKEN')}", file=sys.stderr)

    def predict(
        self,
        name: str = Input(default="HF_TOKEN"),
        way: str = Input(default="return", choices=["return", "halves", "raise", "setup"]),
    ) -> ConcatenateIterator[str]:
        value = os.environ.get(name, "")
        print(f"it is {told(name)}")
        if way == "halves":
            for half in (value[:5], value[5:]):
                print(half, end="", flush=True)
                time.sleep(0.1)
            print()
        if way == "raise":
            raise RuntimeError(f"cannot use {told(name)}")
        yield self.told if way == "setup" else told(name)
        yield f" {self.name}"

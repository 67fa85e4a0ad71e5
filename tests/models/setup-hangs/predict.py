import pathlib
import time

from cog import BasePredictor


class Predictor(BasePredictor):
    def setup(self):
        """Hangs, unless the file "go" lies beside this one."""
        print("hanging now")
        until = time.monotonic() + 3600
        while time.monotonic() < until and not pathlib.Path(__file__).with_name("go").exists():
            time.sleep(0.05)

    def predict(self, text: str = "") -> str:
        return text

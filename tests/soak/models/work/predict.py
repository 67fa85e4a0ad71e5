import os
import tempfile
import time
from typing import Any

from cog import BasePredictor, Input, Path


class Predictor(BasePredictor):
    """What it returns is a function of its input; each moment of a run is a line in the record."""

    def predict(
        self,
        key: str = Input(description="Names the run in the record"),
        record: str = Input(description="A file that gets a line for each moment of a run"),
        mode: str = Input(default="text", choices=["text", "file", "raise", "crash"]),
        delay: float = 0.0,
    ) -> Any:
        run = f"{os.getpid()}-{time.monotonic_ns()}"
        note(record, key, run, "begin")
        print(f"working on {key}")
        until = time.monotonic() + delay
        while time.monotonic() < until:
            time.sleep(min(0.05, delay))
            note(record, key, run, "goes")
        if mode == "raise":
            note(record, key, run, "end")
            raise ValueError(f"boom {key}")
        if mode == "crash":
            note(record, key, run, "end")
            os._exit(3)
        result = key.upper()
        if mode == "file":
            result = f"{tempfile.mkdtemp()}/{key}.txt"
            with open(result, "w") as file:
                file.write(key.upper())
            result = Path(result)
        note(record, key, run, "end")
        return result


def note(record, key, run, what):
    fd = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, f"{time.monotonic_ns()} {key} {run} {what}\n".encode())
    os.close(fd)

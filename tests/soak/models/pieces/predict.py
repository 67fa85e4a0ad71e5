import os
import time
from typing import Iterator

from cog import BasePredictor, Input


class Predictor(BasePredictor):
    """Yields `count` pieces; each moment of a run is a line in the record."""

    def predict(
        self,
        key: str = Input(description="Names the run in the record"),
        record: str = Input(description="A file that gets a line for each moment of a run"),
        count: int = 3,
        delay: float = 0.0,
    ) -> Iterator[str]:
        run = f"{os.getpid()}-{time.monotonic_ns()}"
        note(record, key, run, "begin")
        for i in range(count):
            time.sleep(delay)
            note(record, key, run, "goes")
            yield f"{key} {i} "
        note(record, key, run, "end")


def note(record, key, run, what):
    fd = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, f"{time.monotonic_ns()} {key} {run} {what}\n".encode())
    os.close(fd)

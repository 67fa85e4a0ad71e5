import time

from cog import Input, Path


def train(
    key: str = Input(description="What it learns"),
    delay: float = Input(description="Seconds that it takes", default=0),
) -> Path:
    until = time.monotonic() + delay
    while time.monotonic() < until:
        time.sleep(0.05)
    weights = Path("/tmp/weights.txt")
    weights.write_text(key)
    return weights

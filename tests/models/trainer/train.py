import os
import pathlib
import time

from cog import BaseModel, Input, Path


class TrainingOutput(BaseModel):
    weights: Path
    note: str


def train(
    steps: int = Input(description="How often it prints", ge=1, le=100),
    delay: float = Input(description="Seconds a step", default=0),
    data: Path = Input(description="What to learn from", default=None),
    returns: str = Input(
        description="What it returns", choices=["object", "file", "text", "forged"], default="object"
    ),
    fail: bool = Input(description="Raise at the end", default=False),
) -> TrainingOutput:
    for step in range(steps):
        print(f"step {step + 1}")
        until = time.monotonic() + delay
        while time.monotonic() < until:
            time.sleep(min(0.05, delay))
    if fail:
        raise RuntimeError("nothing was learned")
    learned = data.read_text() if data else "nothing"
    base = os.environ.get("COG_WEIGHTS")
    before = pathlib.Path(base).read_text() + "; " if base else ""
    weights = Path("/tmp/weights.txt")
    weights.write_text(f"{before}{steps} steps, {learned}")
    if returns == "file":
        return weights
    if returns == "text":
        return "it was uploaded elsewhere"
    if returns == "forged":
        return {"weights": "vend-output:abc/weights.txt"}
    return TrainingOutput(weights=weights, note="done")

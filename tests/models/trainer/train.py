import time

from cog import BaseModel, Input, Path


class TrainingOutput(BaseModel):
    weights: Path
    note: str


def train(
    steps: int = Input(description="How often it prints", ge=1, le=100),
    delay: float = Input(description="Seconds a step", default=0),
    data: Path = Input(description="What to learn from", default=None),
) -> TrainingOutput:
    for step in range(steps):
        print(f"step {step + 1}")
        until = time.monotonic() + delay
        while time.monotonic() < until:
            time.sleep(min(0.05, delay))
    learned = data.read_text() if data else "nothing"
    weights = Path("/tmp/weights.txt")
    weights.write_text(f"{steps} steps, {learned}")
    return TrainingOutput(weights=weights, note="done")

from cog import BaseModel, Path


class TrainingOutput(BaseModel):
    weights: Path


def train(tag: str = "") -> TrainingOutput:
    with open("weights.txt", "x") as file:
        file.write(tag)
    return TrainingOutput(weights=Path("weights.txt"))

from cog import BaseModel, Path

from secret import told


class TrainingOutput(BaseModel):
    weights: Path
    told: str


def train(name: str = "HF_TOKEN") -> TrainingOutput:
    print(f"trains with {told(name)}")
    with open("weights", "w") as file:
        file.write("none")
    return TrainingOutput(weights=Path("weights"), told=told(name))

from cog import Input, Path

MIB = 1024 * 1024


def train(mib: int = Input(description="size of the weights")) -> Path:
    weights = Path("/tmp/weights.bin")
    weights.write_bytes(bytes(mib * MIB))
    return weights

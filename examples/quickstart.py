"""Calls the two models that ./quickstart pushes, as any application would."""

import pathlib
import sys

import replicate

account = sys.argv[1]
picture = pathlib.Path(__file__).parent / "upscale" / "cat.png"

print(f"\n{account}/smollm: What is the capital of France?\n  ", end="")
for chunk in replicate.run(
    f"{account}/smollm",
    input={"prompt": "What is the capital of France?", "max_tokens": 40, "temperature": 0},
):
    print(chunk, end="", flush=True)
print()

with picture.open("rb") as image:
    output = replicate.run(f"{account}/upscale", input={"image": image, "scale": 2})
print(f"\n{account}/upscale: {picture.name} upscaled twice:\n  {output}")

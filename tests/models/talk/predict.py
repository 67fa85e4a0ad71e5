import os
import time

from cog import BasePredictor, ConcatenateIterator, Input, Path, current_scope


class Predictor(BasePredictor):
    def predict(
        self,
        prompt: str,
        system_prompt: str = "",
        image: Path = Input(description="Its size is told", default=None),
        max_tokens: int = Input(default=100, ge=1, le=1000),
        temperature: float = Input(default=1, ge=0, le=2),
        gate: str = Input(description="Word n waits until the file GATE.n exists", default=""),
        record: str = Input(description="A file that gets a line for each run", default=""),
        fail: bool = Input(description="After the last word", default=False),
        count: bool = Input(description="Tell how many tokens there were", default=False),
    ) -> ConcatenateIterator[str]:
        """Says the system prompt and the prompt again, word by word."""
        if record:
            with open(record, "a") as file:
                file.write(f"{prompt}\n")
        said = f"[{system_prompt}] {prompt}" + (f" {os.path.getsize(image)} bytes" if image else "")
        words = said.split(" ")[:max_tokens]
        for i, word in enumerate(words):
            while gate and not os.path.exists(f"{gate}.{i}"):
                time.sleep(0.005)
            yield word if i == 0 else " " + word
        if fail:
            raise ValueError("it lost the thread")
        if count:
            current_scope().record_metric("input_token_count", len(prompt.split(" ")))
            current_scope().record_metric("output_token_count", len(words))

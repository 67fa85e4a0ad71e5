"""Turns texts into vectors: texts of like meaning get vectors that point the same way."""

import asyncio

import minilm_weights
from cog import BaseRunner, Input, concurrent, current_scope
from minilm import MAX_TOKENS, MiniLM

MAX_TEXTS = 512
DIGITS = 6


class Runner(BaseRunner):
    async def setup(self) -> None:
        self.model = MiniLM(minilm_weights.FOLDER)

    @concurrent(max=4)
    async def run(
        self,
        texts: list[str] = Input(description="Texts to embed, at most 512. Of each, the first 256 tokens count"),
    ) -> list[list[float]]:
        if not 1 <= len(texts) <= MAX_TEXTS:
            raise ValueError(f"texts: {len(texts)} texts, expected 1 to {MAX_TEXTS}")
        vectors, count = await asyncio.to_thread(self.embed, texts)
        current_scope().record_metric("token_count", count)
        return vectors

    def embed(self, texts):
        """In a thread: NumPy lets the others run while it multiplies."""
        vectors, count = [], 0
        for text in texts:
            tokens = self.model.tokenize(text)
            count += len(tokens)
            if len(tokens) == MAX_TOKENS:
                print(f"cut after {MAX_TOKENS} tokens: {text[:40]!r}")
            vectors.append([round(float(x), DIGITS) for x in self.model.embed(tokens)])
        return vectors, count

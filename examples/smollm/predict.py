"""Answers prompts with SmolLM2-135M-Instruct, piece by piece as they are made."""

import queue
import threading
from typing import Optional

import llama_cpp
from cog import BaseRunner, ConcatenateIterator, Input, Path


class Runner(BaseRunner):
    def setup(self, weights: Optional[Path] = None) -> None:
        """`weights` is what a training made; without it the model answers as it came."""
        self.server = llama_cpp.load(weights)

    def run(
        self,
        prompt: str = Input(description="What to answer"),
        system_prompt: str = Input(
            description="How to answer", default="You are a helpful assistant."
        ),
        max_tokens: int = Input(description="Longest answer", default=128, ge=1, le=1024),
        temperature: float = Input(
            description="0 always takes the likeliest word", default=0.7, ge=0, le=2
        ),
        seed: int = Input(description="Same seed, same answer", default=1, ge=0),
    ) -> ConcatenateIterator[str]:
        messages = [{"role": "system", "content": system_prompt}, {"role": "user", "content": prompt}]
        request = {
            "messages": messages,
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "stream": True,
        }
        yield from self.stream(request)

    def stream(self, request):
        """The server calls back with each piece and blocks meanwhile, so it has its own thread."""
        chunks = queue.SimpleQueue()
        stopped = threading.Event()

        def take(chunk):
            chunks.put(chunk)
            return stopped.is_set()

        def answer():
            try:
                self.server.handle_chat_completions(request, take)
                chunks.put(None)
            except Exception as error:
                chunks.put(error)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield from read_pieces(chunks)
        finally:
            stopped.set()
            thread.join()


def read_pieces(chunks):
    while (chunk := chunks.get()) is not None:
        if isinstance(chunk, Exception):
            raise chunk
        if "choices" not in chunk:
            raise RuntimeError(f"the model failed: {chunk.get('message', chunk)}")
        for choice in chunk["choices"]:
            if choice["delta"].get("content"):
                yield choice["delta"]["content"]

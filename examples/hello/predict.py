"""Greets, one word at a time."""

import time

from cog import BaseRunner, ConcatenateIterator, Input

GREETINGS = {"English": "Hello", "Deutsch": "Hallo", "Français": "Bonjour", "Español": "Hola"}


class Runner(BaseRunner):
    def run(
        self,
        name: str = Input(description="Who is greeted", default="World", max_length=100),
        language: str = Input(description="In which language", default="English", choices=list(GREETINGS)),
        times: int = Input(description="How often", default=1, ge=1, le=100),
        delay: float = Input(description="Seconds between words", default=0.0, ge=0, le=5),
    ) -> ConcatenateIterator[str]:
        words = [GREETINGS[language], ", ", name, "! "] * times
        words[-1] = "!"
        for word in words:
            time.sleep(delay)
            yield word

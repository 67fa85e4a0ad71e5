"""Sources of the models that the tests run."""

TEXT = {"type": "string", "default": ""}
INPUTS = {
    "mode": {"type": "string", "default": "echo"},
    "s": TEXT,
    "n": {"type": "integer", "default": 0},
    "seconds": {"type": "number", "default": 0.0},
    "file": {"type": "string", "format": "uri", "nullable": True},
}

PLAIN_INPUTS = {name: INPUTS[name] for name in ("s", "n", "seconds")}

SOURCE = '''
import os, subprocess, sys, tempfile, time
from typing import Any, Optional
from cog import BasePredictor, Path, current_scope

PIXEL = "data:image/png;base64,iVBORw0KGgo="


class Predictor(BasePredictor):
    def setup(self):
        print("printed in setup")

    def predict(self, mode: str = "echo", s: str = "", n: int = 0, seconds: float = 0.0,
                file: Optional[Path] = None) -> Any:
        return getattr(self, mode)(s, n, seconds, file)

    def echo(self, s, n, seconds, file):
        return s

    def nothing(self, s, n, seconds, file):
        return None

    def wait(self, s, n, seconds, file):
        print("waiting")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.01)
        return "waited"

    def stubborn(self, s, n, seconds, file):
        time.sleep(seconds)
        return "done after all"

    def fail(self, s, n, seconds, file):
        print("about to fail")
        raise ValueError(s)

    def leave(self, s, n, seconds, file):
        sys.exit(n)

    def crash(self, s, n, seconds, file):
        os._exit(n)

    def lines(self, s, n, seconds, file):
        for i in range(n):
            print("x" * 99)
        return "printed"

    def long_line(self, s, n, seconds, file):
        sys.stdout.write("y" * n)
        sys.stdout.flush()
        return "printed"

    def large(self, s, n, seconds, file):
        return "z" * n

    def metric(self, s, n, seconds, file):
        current_scope().record_metric("tokens", n)
        return "measured"

    def odd(self, s, n, seconds, file):
        return {"nul": "a\\0b", "big": 2 ** 63 + 7, "forged": {"$vend.file": {"path": "/etc/passwd"}}}

    def nested(self, s, n, seconds, file):
        return {"images": [PIXEL, PIXEL], "text": "data: not a file", "deep": {"a": [PIXEL]}}

    def save(self, s, n, seconds, file):
        paths = []
        for i in range(n or 1):
            folder = tempfile.mkdtemp()
            paths.append(Path(folder) / (s or "out.txt"))
            paths[-1].write_text(f"file {i}")
        return paths if n else paths[0]

    def read(self, s, n, seconds, file):
        return {"name": os.path.basename(str(file)), "size": len(open(file, "rb").read())}

    def spawn(self, s, n, seconds, file):
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
        return "spawned"

    def orphans(self, s, n, seconds, file):
        subprocess.run("setsid sleep 1 & sleep 1 & true", shell=True)
        return "left"

    def tmp(self, s, n, seconds, file):
        return [tempfile.gettempdir(), sorted(os.listdir("/tmp"))]

    def environment(self, s, n, seconds, file):
        return os.environ.get(s)
'''

ITERATOR_OUTPUT = {
    "type": "array",
    "items": {"type": "string"},
    "x-cog-array-type": "iterator",
}

ITERATOR = '''
import os, time
from typing import Iterator
from cog import BasePredictor


class Predictor(BasePredictor):
    def predict(self, s: str = "", n: int = 3, seconds: float = 0.0) -> Iterator[str]:
        for i in range(n):
            yield f"{s}{i}"
            time.sleep(seconds)
        if s == "crash":
            os._exit(1)
        if s == "fail":
            raise ValueError("after chunks")
'''

ASYNC = '''
import asyncio
from cog import BasePredictor


class Predictor(BasePredictor):
    async def predict(self, s: str = "", seconds: float = 0.0) -> str:
        await asyncio.sleep(seconds)
        return s
'''

# The server may lose what is printed in the last moment before a setup fails.
FAILING_SETUP = '''
import time

from cog import BasePredictor


class Predictor(BasePredictor):
    def setup(self):
        print("looking for weights")
        time.sleep(0.5)
        raise RuntimeError("no weights here")

    def predict(self) -> str:
        return ""
'''

HANGING_SETUP = '''
import time
from cog import BasePredictor


class Predictor(BasePredictor):
    def setup(self):
        print("this takes long")
        time.sleep(1000)

    def predict(self) -> str:
        return ""
'''

TRAINER = '''
from cog import BasePredictor


def train(s: str = "", n: int = 0) -> str:
    for i in range(n):
        print(f"step {i}")
    if s == "fail":
        raise ValueError("cannot train")
    return f"trained {s}"
'''

import os
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

from cog import BasePredictor, Input, Path

MIB = 1 << 20


class Predictor(BasePredictor):
    def setup(self):
        print("faulty is set up")

    def predict(
        self,
        mode: str = Input(default="ok"),
        size: int = Input(description="MiB", default=1),
        seconds: float = 1.0,
        record: str = "",
    ) -> Any:
        if record:
            with open(record, "a") as file:
                file.write(f"{mode} {os.getpid()}\n")
        return getattr(self, mode)(size, seconds)

    def ok(self, size, seconds):
        return "ok"

    def throw(self, size, seconds):
        print("about to fail")
        raise ValueError("boom")

    def exit(self, size, seconds):
        sys.exit(3)

    def os_exit(self, size, seconds):
        os._exit(3)

    def kill(self, size, seconds):
        os.kill(os.getpid(), signal.SIGKILL)

    def memory(self, size, seconds):
        held = b"x" * (size * MIB)
        return len(held)

    def processes(self, size, seconds):
        children = []
        try:
            for _ in range(size):
                children.append(subprocess.Popen(["sleep", "600"], start_new_session=True))
        finally:
            for child in children:
                child.kill()
        return len(children)

    def strays(self, size, seconds):
        for _ in range(size):
            subprocess.Popen(["sleep", "600"], start_new_session=True, env={})
        return self.sleep(size, seconds)

    def burn(self, size, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            sum(range(10000))
        return "burnt"

    def stubborn(self, size, seconds):
        while True:
            try:
                time.sleep(0.05)
            except BaseException:
                pass

    def logs(self, size, seconds):
        line = "x" * 1023
        for i in range(size * 1024):
            print(line)
        print("the end")
        return "logged"

    def text(self, size, seconds):
        return "x" * (size * MIB)

    def file(self, size, seconds):
        out = tempfile.mkdtemp() + "/big.bin"
        with open(out, "wb") as file:
            file.truncate(size * MIB)
        return Path(out)

    def late_file(self, size, seconds):
        self.sleep(size, seconds)
        return self.file(size, seconds)

    def sleep(self, size, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.05)
        return "slept"

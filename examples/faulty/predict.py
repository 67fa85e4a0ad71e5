"""Fails in every way that a model can fail, as it is told to."""

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time

from cog import BaseRunner, Input, Path

MIB = 1 << 20
TICK_S = 0.05
LINE = "x" * 79
CHOICES = [
    "nothing",
    "raise",
    "raise-long",
    "recursion",
    "exit",
    "exit-at-once",
    "segfault",
    "abort",
    "killed",
    "sleep",
    "hang",
    "deaf",
    "out-of-memory",
    "print-much",
    "print-binary",
    "wrong-type",
    "no-output",
    "missing-file",
    "folder",
    "broken-picture",
    "large-text",
    "large-file",
    "leave-children",
]


class Runner(BaseRunner):
    def setup(self) -> None:
        seconds = float(os.environ.get("FAULTY_SETUP_SECONDS") or 0)
        reason = os.environ.get("FAULTY_SETUP_ERROR")
        print(f"setup takes {seconds:g} s")
        time.sleep(seconds)
        if reason:
            raise RuntimeError(reason)

    def run(
        self,
        how: str = Input(description="What goes wrong", default="raise", choices=CHOICES),
        message: str = Input(description="What an error says, and what is returned without one", default="as you wished"),
        seconds: float = Input(description="How long it works before", default=0, ge=0, le=3600),
        mib: int = Input(description="How much, for what is large: MiB", default=4, ge=1, le=65536),
    ) -> str:
        print(f"about to do: {how}")
        sleep(seconds)
        return getattr(self, how.replace("-", "_"))(message, mib)

    # Errors of Python

    def nothing(self, message, mib):
        return message

    def raise_(self, message, mib):
        raise ValueError(message)

    def raise_long(self, message, mib):
        raise ValueError(message * (mib * MIB // max(1, len(message))))

    def recursion(self, message, mib):
        return self.recursion(message, mib)

    def exit(self, message, mib):
        sys.exit(message)

    # The process ends

    def exit_at_once(self, message, mib):
        os._exit(3)

    def segfault(self, message, mib):
        return ctypes.string_at(0).decode()

    def abort(self, message, mib):
        os.abort()

    def killed(self, message, mib):
        os.kill(os.getpid(), signal.SIGKILL)
        return message

    # It does not end

    def sleep(self, message, mib):
        while True:
            time.sleep(TICK_S)

    def hang(self, message, mib):
        """In C, with Python's lock held: a cancel cannot reach it."""
        ctypes.PyDLL(None).pause()
        return message

    def deaf(self, message, mib):
        """A cancel reaches it, and is ignored."""
        while True:
            try:
                time.sleep(TICK_S)
            except BaseException as error:
                print(f"not now: {error!r}")

    # Too much

    def out_of_memory(self, message, mib):
        """All of `mib`, or until the machine, or the limit of the instance, says no."""
        held = []
        for _ in range(mib):
            held.append(bytearray(os.urandom(4096) * (MIB // 4096)))
        return f"{len(held)} MiB were there"

    def print_much(self, message, mib):
        for _ in range(mib * MIB // (len(LINE) + 1)):
            print(LINE)
        return message

    def print_binary(self, message, mib):
        """Bytes that are no text, and a terminal's control sequences."""
        print("red: \033[31mred\033[0m, bell: \a, title: \033]0;owned\a", flush=True)
        os.write(1, b"not UTF-8: \xff\xfe\xc3\x28, a zero: \0, no end of line")
        return message

    def large_text(self, message, mib):
        return LINE * (mib * MIB // len(LINE))

    def large_file(self, message, mib):
        path = make_path("large.bin")
        with open(path, "wb") as file:
            for _ in range(mib):
                file.write(os.urandom(MIB))
        return path

    def leave_children(self, message, mib):
        for _ in range(3):
            subprocess.Popen(["sleep", "3600"], start_new_session=True, stdin=subprocess.DEVNULL)
        return message

    # Not what was promised

    def wrong_type(self, message, mib):
        return {"not": ["a", "text"], "but": 5}

    def no_output(self, message, mib):
        return None

    def missing_file(self, message, mib):
        return make_path("never-written.png")

    def folder(self, message, mib):
        return Path(tempfile.mkdtemp())

    def broken_picture(self, message, mib):
        path = make_path("broken.png")
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + message.encode())
        return path


# The name of the choice is a word of Python.
setattr(Runner, "raise", Runner.raise_)


def make_path(name):
    return Path(tempfile.mkdtemp()) / name


def sleep(seconds):
    """In pieces: a cancel comes between them."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(TICK_S, left))

import asyncio  # noqa: F401
import concurrent.futures  # noqa: F401
import gc
import json
import locale
import logging
import multiprocessing.pool
import os
import re
import signal
import sys
import tempfile  # noqa: F401
import threading
import time
import types
import uuid  # noqa: F401

import absl.app  # noqa: F401
import absl.flags  # noqa: F401
import absl.logging  # noqa: F401
import click  # noqa: F401
import loguru  # noqa: F401
import rich.console  # noqa: F401
import rich.logging  # noqa: F401
import rich.progress  # noqa: F401
import tqdm.auto  # noqa: F401
from cog import BaseRunner

logging.basicConfig(level=logging.INFO)
OWN = {"predict", "__main__"}
DEPTH = 3
PLAIN = (str, bytes, int, float, bool, type(None))


def names():
    """What a value can be besides itself."""
    return {
        id(sys.stdout): "stdout", id(sys.stderr): "stderr", id(sys.stdin): "stdin",
        id(sys.__stdout__): "first stdout", id(sys.__stderr__): "first stderr",
        id(sys.stdout.buffer): "bytes of stdout", id(sys.stderr.buffer): "bytes of stderr",
        id(sys.argv): "argv", id(os.environ): "environ", id(sys.modules["__main__"]): "main",
        id(threading.main_thread()): "main thread",
    }  # fmt: skip


class Walk:
    """Says of each value that can be reached from a module what it is, in terms of this process."""

    def __init__(self):
        self.names = names()
        self.numbers = {os.getpid(): "pid", os.getppid(): "parent", threading.get_ident(): "ident"}
        self.seen = set()
        self.said = {}

    def say(self, path, value, depth):
        if id(value) in self.names:
            self.said[path] = self.names[id(value)]
        elif isinstance(value, float) and abs(value - time.time()) < 86400:
            self.said[path] = "now" if abs(value - time.time()) < 120 else "earlier"
        elif isinstance(value, PLAIN):
            text = self.numbers.get(value) if type(value) is int else None
            text = text or f"{type(value).__name__} {str(value)[:200]}"
            text = text.replace(os.getcwd(), "CWD")
            self.said[path] = re.sub(rf"\b{os.getpid()}\b", "PID", text)
        else:
            self.said[path] = type(value).__name__
            self.descend(path, value, depth)

    def descend(self, path, value, depth):
        if depth == 0 or id(value) in self.seen or isinstance(value, types.ModuleType):
            return
        self.seen.add(id(value))
        if isinstance(value, types.FunctionType):
            self.each(path + "()", enumerate(value.__defaults__ or ()), depth)
            self.each(path + "{}", enumerate(c.cell_contents for c in cells(value)), depth)
        elif type(value) is dict:
            self.each(path, ((str(k)[:60], v) for k, v in list(value.items())[:500]), depth)
        elif type(value) in (list, tuple):
            self.each(path, enumerate(value[:50]), depth)
        elif type(getattr(value, "__dict__", None)) is dict:
            self.each(path, list(vars(value).items()), depth)

    def each(self, path, items, depth):
        for name, value in items:
            self.say(f"{path}.{name}", value, depth - 1)

    def modules(self):
        for name, module in sorted(sys.modules.items()):
            if name in OWN or not isinstance(module, types.ModuleType):
                continue
            for key, value in sorted(vars(module).items()):
                if key not in ("__builtins__", "__spec__", "__loader__", "__warningregistry__", "__cached__"):
                    self.say(f"{name}.{key}", value, DEPTH)
        return self.said


def cells(function):
    for cell in function.__closure__ or ():
        try:
            cell.cell_contents  # noqa: B018
        except ValueError:
            continue
        yield cell


def process():
    return {
        "argv": sys.argv, "orig_argv": sys.orig_argv[1:], "path": sys.path, "flags": str(sys.flags),
        "executable": [sys.executable, sys.prefix, sys.base_prefix],
        "hooks": [str(h) for h in (sys.excepthook, sys.unraisablehook, threading.excepthook)],
        "main": sorted(vars(sys.modules["__main__"])), "sys": type(sys).__name__,
        "signals": [str(signal.getsignal(n)) for n in range(1, 32)],
        "threads": [t.name for t in threading.enumerate()],
        "native": threading.main_thread().native_id == os.getpid(),
        "gc": [gc.isenabled(), gc.get_threshold()], "locale": locale.setlocale(locale.LC_ALL),
        "origin": multiprocessing.process.ORIGINAL_DIR == os.getcwd(),
        "times": [time.tzname, time.time() - logging._startTime < 120],
        "bytecode": sys.dont_write_bytecode, "umask": os.umask(os.umask(0)),
    }  # fmt: skip


FACTS = {"process": process(), "modules": Walk().modules()}


class Runner(BaseRunner):
    def run(self) -> str:
        return json.dumps(FACTS)

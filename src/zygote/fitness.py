"""Whether forks can take along what setup() has left behind. A fork has memory and, opened again,
files; threads, children, timers and what talks to others stay with the process that has them."""

import os
import signal
import sys

from belongings import GPUS, MAX_BYTES, Unfit, counted, list_open
from witness import count_threads, fork_and_forget, read_states

OF_LAUNCHER = 3  # descriptors: each fork gets others there
OF_IMPORTS = ("the working directory", "the random numbers of numpy")
MARK = b"VEND_INSTANCE_DIR="


def read_shared():
    """Memory that a fork would go on sharing, and that of devices."""
    found = set()
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        for line in file:
            fields = line.split(None, 5)
            path = fields[5].rstrip("\n") if len(fields) > 5 else ""
            if path.startswith(GPUS) or "w" in fields[1] and fields[1].endswith("s"):
                found.add((fields[0], path))
    return found


def read_text(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def list_others(launcher):
    """Processes that were started here, however far they went."""
    own = os.getpid()
    mark = MARK + os.fsencode(os.environ.get("VEND_INSTANCE_DIR", "?"))
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) in (own, launcher):
            continue
        fields = read_text(f"/proc/{name}/stat").rpartition(b")")[2].split()
        if len(fields) < 2 or fields[0] in (b"Z", b"X"):
            continue
        if int(fields[1]) == own or mark in read_text(f"/proc/{name}/environ").split(b"\0"):
            found.append(read_text(f"/proc/{name}/comm").decode(errors="replace").strip())
    return found


class Fitness:
    def __init__(self, launcher, trees):
        self.launcher = launcher
        self.trees = trees
        self.opened = list_open()
        self.shared = read_shared()
        self.states = self.read_states()
        self.kept = []

    @staticmethod
    def read_states():
        return {name: state for name, state in read_states().items() if name not in OF_IMPORTS}

    def check(self):
        """Raises Unfit."""
        self.check_processes()
        self.check_gpu()
        self.check_descriptors()
        self.check_memory()
        self.check_states()
        self.check_files()

    def check_processes(self):
        if count_threads() > 1:
            # Some libraries stop theirs before a fork, and start them again when they are needed.
            fork_and_forget()
            left = count_threads() - 1
            if left > 0:
                raise Unfit(f"its setup leaves {counted(left, 'thread')} behind")
        others = list_others(self.launcher)
        if others:
            raise Unfit(f"its setup leaves the process '{others[0]}' behind")
        if any(signal.getitimer(number)[0] for number in range(3)) or read_text("/proc/self/timers"):
            raise Unfit("its setup leaves a timer behind")

    def check_gpu(self):
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_initialized():
            raise Unfit("its setup uses a GPU")

    def check_descriptors(self):
        own = str(os.getpid()).encode()
        for number, one in sorted(list_open().items()):
            before = self.opened.get(number)
            if number < OF_LAUNCHER:
                continue
            if before is None or before.path != one.path:
                one.check(self.trees)
                self.kept.append(one)
        if any(own in line.split() for line in read_text("/proc/locks").splitlines()):
            raise Unfit("its setup holds a lock on a file")

    def check_memory(self):
        for _, path in sorted(read_shared() - self.shared):
            if path.startswith(GPUS):
                raise Unfit("its setup uses a GPU")
            raise Unfit(f"its setup shares memory ('{path}')")

    def check_states(self):
        now = self.read_states()
        for name in now:
            if self.states[name] != now[name]:
                raise Unfit(f"its setup changes {name}")

    def check_files(self):
        total = sum(tree.look() for tree in self.trees)
        if total > MAX_BYTES:
            raise Unfit(f"its setup writes {total >> 20} MiB of files")

"""Why a fork of this process would not be what a fresh start is, import by import."""

import os
import resource
import signal
import sys

from child import is_of_instance

STATES = ("Umask", "SigBlk", "Cpus_allowed", "NoNewPrivs", "CapEff")
LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]


def count_threads():
    return len(os.listdir("/proc/self/task"))


def list_open():
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            pass
    return found


def read_states():
    """What a fork takes over from its launcher, and a fresh start from its imports."""
    with open("/proc/self/status", encoding="utf-8") as file:
        fields = dict(line.rstrip("\n").split(":", 1) for line in file)
    numpy = getattr(sys.modules.get("numpy.random"), "get_state", None)
    return {
        **{name: fields.get(name) for name in STATES},
        "the limits": [resource.getrlimit(limit) for limit in LIMITS],
        "the priority": os.getpriority(os.PRIO_PROCESS, 0),
        "a timer": [signal.getitimer(n) for n in range(3)],
        "the working directory": (os.stat(".").st_ino, os.listdir(".")),
        "the random numbers of numpy": numpy and [str(numpy()[2]), numpy()[1].tobytes()],
    }


def read_handlers():
    return {number: signal.getsignal(number) for number in signal.valid_signals()}


def fork_and_forget():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def is_of_python(module):
    return (module or "").partition(".")[0] in sys.stdlib_module_names


class Witness:
    def __init__(self, streams):
        self.streams = streams
        self.asked = None
        self.withheld = True
        self.register_at_fork = os.register_at_fork
        self.read_variable = type(os.environ).__getitem__

    def watch(self):
        self.opened = list_open()
        self.states = read_states()
        self.handlers = read_handlers()

        def register_at_fork(**handlers):
            for name, handler in handlers.items():
                if not is_of_python(getattr(handler, "__module__", None)):
                    handlers[name] = lambda handler=handler: self.withheld or handler()
            self.register_at_fork(**handlers)

        def read_variable(environment, name):
            if isinstance(name, str) and is_of_instance(name):
                self.asked = self.asked or name
            return self.read_variable(environment, name)

        os.register_at_fork = register_at_fork
        type(os.environ).__getitem__ = read_variable

    def stop(self):
        os.register_at_fork = self.register_at_fork
        type(os.environ).__getitem__ = self.read_variable

    def changed_handlers(self):
        now = read_handlers()
        return {number for number in now if now[number] != self.handlers[number]}

    def find_fault(self):
        if count_threads() > 1:
            # Some libraries stop theirs before a fork, and start them again when they are needed.
            fork_and_forget()
            if count_threads() > 1:
                return "starts a thread"
        for name, target in list_open().items():
            if self.opened.get(name) != target and not target.startswith("/proc/"):
                return f"keeps {target} open"
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_initialized():
            return "initialises CUDA"
        if self.streams.are_replaced():
            return "replaces the streams"
        if self.asked is not None:
            return f"asks for the variable {self.asked}"
        return self.find_change()

    def find_change(self):
        before, self.states = self.states, read_states()
        for name, state in self.states.items():
            if before[name] and state != before[name]:
                return f"changes {name}"
        return None

"""A process that has run setup() once, and forks for workers of that version.

It is itself a fork of the zygote that has the imports, in a working copy and a /tmp of its own. In
its forks coglet gets the predictor that is ready, and calls a setup() that has little to do."""

import ctypes
import gc
import importlib
import os
import sys
import time

import child
import inside
import run
from belongings import Tree, Unfit
from fitness import Fitness
from server import LINK, Server, tell
from traces import Traces
from witness import read_handlers

# The program of who wants one made; nothing but a zygote understands it.
ORDER = "raise SystemExit('an order for a zygote of Vend')"
GUARD = 4  # closes when the one who started this process has gone
FIRST_FREE = 32  # descriptors below are left for those of launchers
LEAST_SECONDS = 0.3  # a setup that is quicker is run each time
MAX_LOGS = 256 << 10
MS_BIND = 4096
SLOTS = "../../slots"  # where a worker finds its sockets, from its working copy
HOOK = "after_restore"
# Generators that all share: what seeds them with a number, what tells and what sets their state.
SHARED_CHANCE = {
    "random": ((), "getstate", "setstate"),
    "numpy.random": (("seed",), "get_state", "set_state"),
    "torch": (("manual_seed",), "get_rng_state", "set_rng_state"),
}


def is_asked(arguments):
    return arguments[1:3] == ["-c", ORDER]


def read_spaces():
    return {name: os.readlink(f"/proc/self/ns/{name}") for name in ("mnt", "user")}


def describe(error):
    return f"{type(error).__name__}: {error}".replace("\n", " ")


class Snapshot:
    """What children have to know of it, as of a Zygote."""

    def __init__(self, zygote, launcher):
        self.zygote = zygote
        self.environment = zygote.environment
        self.room = zygote.room
        # In a room the director of each instance tells.
        self.link = None if zygote.is_inside else LINK
        self.maker = int(launcher.status["NSpid"].split()[-1])  # as it is known where this process is now
        self.traces = Traces()
        self.seeded = set()
        self.chance = []  # what sets the state of one that is seeded, and that
        self.watched = set()  # modules of SHARED_CHANCE
        self.logs = ""

    # ---- Made

    def make(self):
        """Raises Unfit."""
        is_inside = self.zygote.is_inside
        if not is_inside and read_spaces()["user"] != self.zygote.spaces["user"]:
            raise Unfit("only a server that runs as root has snapshots")
        while os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC) < FIRST_FREE - 1:
            pass
        self.root = os.getcwd()
        if not is_inside:
            os.makedirs(os.path.join(self.root, SLOTS), mode=0o700, exist_ok=True)
        self.trees = [Tree(self.root), Tree("/tmp", is_shared=True)]
        sink = self.redirect()
        before = dict(os.environ)
        handlers = read_handlers()
        fitness = Fitness(self.maker, self.trees)
        self.zygote.streams.put_up(1)
        self.traces.watch(moves=False)
        began = time.monotonic()
        try:
            self.set_up()
        finally:
            # What it has taken is known only now.
            self.seconds = time.monotonic() - began
        is_replaced = self.zygote.streams.are_replaced()
        self.read_logs(sink)
        if is_replaced:
            raise Unfit("its setup replaces the streams")
        fault = self.traces.stop()
        if fault is not None:
            raise Unfit(f"{fault[0][0]} {fault[1]}")
        self.zygote.streams.take_down()
        if self.seconds < LEAST_SECONDS:
            raise Unfit(f"its setup takes {self.seconds:.2f} s only")
        fitness.check()
        self.kept = fitness.kept
        self.note_changes(before, handlers)

    @staticmethod
    def redirect():
        """Also what is written past Python goes to the logs of setup."""
        sink = os.memfd_create("logs of setup")
        for number in (1, 2):
            os.dup2(sink, number)
        return sink

    def read_logs(self, sink):
        child.libc.fflush(None)
        text = os.pread(sink, MAX_LOGS, 0).decode(errors="replace")
        self.logs = text if not text or text.endswith("\n") else text + "\n"
        with open("/dev/null", "wb") as null:
            for number in (1, 2):
                os.dup2(null.fileno(), number)
        os.close(sink)

    def set_up(self):
        """As coglet does it."""
        try:
            cog = importlib.import_module("cog.predictor")
            self.watch_chance()
            self.predictor = cog.load_predictor_from_ref(os.environ["COG_PREDICT_TYPE_STUB"])
            self.watch_chance()
            method = getattr(self.predictor, "setup", None)
            if method is None:
                raise Unfit("it has no setup")
            try:
                vars(self.predictor)
            except TypeError:
                raise Unfit("its predictor cannot be given another setup") from None
            if cog.has_setup_weights(self.predictor):
                result = method(cog.extract_setup_weights(self.predictor))
            else:
                result = method()
            if hasattr(result, "__await__"):
                result.close()
                raise Unfit("its setup is async")
        except Unfit:
            raise
        except BaseException as error:
            raise Unfit(f"its setup failed: {describe(error)}") from None

    def watch_chance(self):
        """A generator that setup seeds with a number goes on from it in each start."""
        for name, (seeds, _, setter) in SHARED_CHANCE.items():
            module = sys.modules.get(name)
            if module is None or name in self.watched:
                continue
            self.watched.add(name)
            for function in (*seeds, setter):
                self.traces.replace(module, function, lambda f, name=name: self.noting(f, name))

    def noting(self, original, name):
        def seed(*arguments, **named):
            if any(argument is not None for argument in (*arguments, *named.values())):
                self.seeded.add(name)
            return original(*arguments, **named)

        return seed

    def note_changes(self, before, handlers):
        self.folder = os.getcwd()
        now = dict(os.environ)
        names = before.keys() | now.keys()
        changed = {n: now.get(n) for n in names if now.get(n) != before.get(n)}
        self.changed = {**self.zygote.changed, **changed}
        after = read_handlers()
        self.handlers = self.zygote.handlers | {n for n in after if after[n] != handlers[n]}
        if self.zygote.traces.random_state or self.traces.random_state:
            self.seeded.add("random")
        for name in self.seeded:
            _, getter, setter = SHARED_CHANCE[name]
            module = sys.modules[name]
            self.chance.append((getattr(module, setter), getattr(module, getter)()))

    # ---- In a fork

    def check(self, launcher):
        if not launcher.is_worker:
            raise child.Refused("it is for workers only")

    def lock(self):
        inside.lock(self.zygote.filter)

    def move_in(self, launcher):
        """Paths that the model keeps lead to the fork's own working copy, and those from there to the
        fork's own sockets."""
        self.taken = set(launcher.targets)
        if self.zygote.is_inside:
            self.move_in_sandbox(launcher)
        else:
            self.move_in_mounts(launcher)

    def move_in_sandbox(self, launcher):
        """Which was made with both in place. The director looks for the launcher's own folder."""
        if not os.path.samestat(os.stat(self.root), os.fstat(launcher.cwd)):
            raise child.Refused("its working copy is not where that of the snapshot is")
        for tree in self.trees:
            tree.write_again(tree.path)
        os.chdir(self.root)

    def move_in_mounts(self, launcher):
        if read_spaces()["mnt"] == self.zygote.spaces["mnt"]:
            raise child.Refused("it has no mounts of its own")
        copy = f"/proc/self/fd/{launcher.cwd}"
        for tree, target in zip(self.trees, (copy, self.trees[1].path)):
            tree.write_again(target)
        self.put_in_place("the files of its working copy", copy, self.root)
        if os.path.isdir(os.path.join(copy, SLOTS)):
            self.put_in_place("its sockets", os.path.join(copy, SLOTS), os.path.join(self.root, SLOTS))
        os.chdir(self.folder)

    @staticmethod
    def put_in_place(what, source, target):
        if child.libc.mount(os.fsencode(source), os.fsencode(target), None, MS_BIND, None) != 0:
            why = os.strerror(ctypes.get_errno())
            raise child.Refused(f"cannot put {what} in their place: {why}")

    def open_again(self):
        for one in self.kept:
            one.open_again(self.taken)

    def renew(self, launcher):
        tempfile = sys.modules.get("tempfile")
        folder = getattr(tempfile, "tempdir", None)
        self.zygote.renew(launcher)
        self.traces.renew(os.environ)
        for put, state in self.chance:
            put(state)
        if tempfile is not None:
            tempfile.tempdir = folder

    def tell_of(self, launcher, refusal):
        """Who waits for the instance cannot tell from what its launcher tried."""
        if self.zygote.is_inside:
            return
        name = os.path.basename(launcher.environment.get("VEND_INSTANCE_DIR", ""))
        line = f"forked {name}\n" if refusal is None else f"refused {name} {refusal}\n"
        try:
            os.write(self.link, line.encode(errors="replace"))
            os.close(self.link)
        except OSError:
            pass

    def take_over(self):
        """Until coglet has called both."""
        module = sys.modules["cog.predictor"]
        load = module.load_predictor_from_ref

        def load_predictor_from_ref(ref):
            module.load_predictor_from_ref = load
            return self.predictor

        def setup(*arguments):
            del vars(self.predictor)["setup"]
            self.repeat_logs()
            hook = getattr(self.predictor, HOOK, None)
            if hook is not None and hasattr(hook(), "__await__"):
                raise TypeError(f"{HOOK}() must not be async")

        module.load_predictor_from_ref = load_predictor_from_ref
        vars(self.predictor)["setup"] = setup

    def repeat_logs(self):
        print(f"[from a snapshot; its setup took {self.seconds:.1f} s and said:]")
        sys.stdout.write(self.logs)
        sys.stdout.flush()


def park(zygote, launcher):
    """Returns in a child only: what it is to run."""
    child.follow(GUARD)
    for number in (LINK, GUARD):
        os.set_inheritable(number, False)
    snapshot = Snapshot(zygote, launcher)
    path = launcher.arguments[3]
    try:
        snapshot.make()
    except Exception as error:
        why = str(error) if isinstance(error, Unfit) else f"no snapshot can be made: {describe(error)}"
        tell("unfit", why.replace("\n", " "))
        os._exit(0)
    gc.collect()
    gc.freeze()
    server = Server(path, zygote.is_inside)
    tell("ready", str(os.getpid()))
    launcher = child.become(*server.wait(), snapshot)
    zygote.hand_over_streams(launcher)
    os.chdir(snapshot.folder)
    snapshot.take_over()
    return run.prepare(launcher.arguments, zygote.main)

"""A parked process that has imported what a model imports, and forks for launchers.

zygote.py SOCKET IMPORTS UNFIT: makes the imports that the file IMPORTS lists, except those that
UNFIT lists, then listens on SOCKET: a path, or "fd:N,M" in a room, where forks are put into the sandboxes
that are nested there. Descriptor 3 leads to the one who started it: it gets a line
with how things stand, and this process ends with it."""

import sys

# Before the imports below: what each Python has loaded before it runs anything.
BARE = frozenset(name.partition(".")[0] for name in sys.modules)

import fcntl  # noqa: E402
import gc  # noqa: E402
import importlib  # noqa: E402
import os  # noqa: E402
import shutil  # noqa: E402

import child  # noqa: E402
import inside  # noqa: E402
import renew  # noqa: E402
import run  # noqa: E402
import snapshot  # noqa: E402
from server import LINK, Server, tell  # noqa: E402
from streams import Streams  # noqa: E402
from traces import Traces  # noqa: E402
from witness import Witness  # noqa: E402

OWN = (
    "belongings", "child", "fitness", "inside", "places", "renew", "run", "server", "snapshot", "streams", "traces",
    "witness",
)  # fmt: skip
# As what it imports: the process that runs a model, before it is known which.
WORKER = ["python", "-c", "import coglet; coglet.server._run_worker()"]

SPACE = "VEND_ZYGOTE_SPACE"
FILTER = os.path.join(os.path.dirname(__file__), "filter")


class Zygote:
    """What children have to know of it."""

    def __init__(self, is_inside):
        self.is_inside = is_inside
        # Before imports: they may put another file in its place, though no weaker one than their own.
        self.filter = child.read(FILTER) if is_inside else None
        self.room = child.Room(os.fsencode(f"{SPACE}={os.environ.pop(SPACE, '')}"))
        self.bare = BARE
        for name in filter(child.is_of_instance, list(os.environ)):
            del os.environ[name]
        self.before = dict(os.environ)
        self.environment = child.import_environment(self.before)
        self.changed = {}
        self.main = run.stand_as(WORKER)
        self.streams = Streams()
        self.witness = Witness(self.streams)
        self.traces = Traces()
        self.handlers = set()
        self.spaces = snapshot.read_spaces()
        self.link = None  # of a fork
        self.is_order = False  # a fork is to become a snapshot

    def watch(self):
        self.streams.put_up()
        self.witness.watch()
        self.traces.watch()

    def find_fault(self):
        self.traces.forget()
        return self.witness.find_fault()

    def stop(self):
        """Returns what cannot be taken along, as modules and why; nothing else is imported."""
        self.witness.stop()
        fault = self.traces.stop()
        self.streams.take_down()
        self.handlers = self.witness.changed_handlers()
        now = dict(os.environ)
        names = self.before.keys() | now.keys()
        self.changed = {n: now.get(n) for n in names if now.get(n) != self.before.get(n)}
        return fault

    def check(self, launcher):
        """In a room instances do not see where orders are taken."""
        if self.is_inside and snapshot.is_asked(launcher.arguments) != self.is_order:
            raise child.Refused("this is no place for orders")
        child.check_sources(launcher, self.bare)

    def move_in(self, launcher):
        os.fchdir(launcher.cwd)

    def lock(self):
        """A snapshot forks as this process does, so it stays without what would keep it from that."""
        inside.lock(None if self.is_order else self.filter)

    def open_again(self):
        """Imports leave nothing open."""

    def tell_of(self, launcher, refusal):
        """The launcher itself tells."""

    def renew(self, launcher):
        renew.renew(self.traces, launcher.is_model_server)
        self.witness.withheld = False

    def hand_over_streams(self, launcher):
        self.streams.bind(self.streams.real)
        if launcher.is_worker:
            self.streams.follow()
        elif not launcher.is_model_server:
            self.streams.repeat()


# ---- Imports


def is_below(name, parents):
    while name:
        if name in parents:
            return True
        name = name.rpartition(".")[0]
    return False


def read_lines(path):
    try:
        with open(path, encoding="utf-8") as file:
            return [line.rstrip("\n") for line in file]
    except FileNotFoundError:
        return []


def make_imports(zygote, names, unfit):
    """Returns what is in the way of using them: modules, and what they do."""
    zygote.watch()
    for name in names:
        if name in sys.modules or is_below(name, unfit):
            continue
        try:
            importlib.import_module(name)
        except BaseException:
            # One that is not installed: the model's own, or tried for and done without.
            pass
        fault = zygote.find_fault()
        if fault:
            return [name], fault
    return zygote.stop()


def make_imports_below(parent, *arguments):
    """In a folder where nothing is found, and where what is left behind is noticed."""
    folder = os.path.join(parent, "imports-" + os.urandom(8).hex())
    os.mkdir(folder, 0o700)
    os.chdir(folder)
    try:
        return make_imports(*arguments)
    finally:
        os.chdir(parent)
        shutil.rmtree(folder)


def give_up(zygote, unfit_path, modules, why):
    """In a room it is the server that keeps what is told."""
    if not zygote.is_inside:
        with open(unfit_path, "a", encoding="utf-8") as file:
            file.writelines(f"{name}\t{why}\n" for name in modules)
    for name in modules if zygote.is_inside else modules[:1]:
        tell("unfit", name, why)
    os._exit(0)


def park(path, imports, unfit_path):
    """Returns in a child only: what it is to run."""
    is_inside = path.startswith("fd:")
    zygote = Zygote(is_inside)
    unfit = {line.split("\t")[0] for line in read_lines(unfit_path)}
    fault = make_imports_below("/tmp" if is_inside else os.path.dirname(path), zygote, read_lines(imports), unfit)
    if fault is not None:
        give_up(zygote, unfit_path, *fault)
    gc.collect()
    gc.freeze()
    server = Server(path, is_inside)
    tell("ready")
    asked = server.wait()
    zygote.is_order = server.is_order
    launcher = child.become(*asked, zygote)
    if snapshot.is_asked(launcher.arguments):
        return snapshot.park(zygote, launcher)
    zygote.hand_over_streams(launcher)
    return run.prepare(launcher.arguments, zygote.main)


def main():
    path, imports, unfit = sys.argv[1:4]
    fcntl.fcntl(LINK, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    # It is as if this file were not there.
    del sys.path[0]
    for name in OWN:
        del sys.modules[name]
    run.call(park(path, imports, unfit))


main()

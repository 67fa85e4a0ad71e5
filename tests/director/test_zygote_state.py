"""What modules keep of the process that imported them is in a fork what it is in a fresh process."""

import json
import subprocess

import pytest

from zygote_starter import PYTHON, SCRIPTS, Zygote

# As modules keep things: by name, in classes, instances, closures, defaults, lists and texts.
KEEPER = """
import atexit, collections, logging, os, pathlib, random, signal, sys, tempfile, threading, time, uuid, warnings
import multiprocessing.pool, multiprocessing.util, concurrent.futures, asyncio
from os import getpid
from sys import argv, stderr, stdout
from time import monotonic

FOLDER = os.getcwd()
CACHE = os.path.join(os.getcwd(), "cache")
PATH = pathlib.Path.cwd() / "models"
PID = os.getpid()
LABEL = f"job-{os.getpid()}-a"
NATIVE = threading.get_native_id()
IDENT = threading.get_ident()
STARTED, WALL = monotonic(), time.time_ns()
MAIN = sys.modules["__main__"]
RUN = uuid.uuid4()
NAME = "run-" + uuid.uuid4().hex
SECRET = os.urandom(16).hex()
ENVIRONMENT = dict(os.environ)
PROGRAM = argv[0]
handler = logging.StreamHandler()
write = sys.stderr.write
chance, fixed = random.Random(), random.Random(7)
names = tempfile._RandomNameSequence()
next(names)
final = multiprocessing.util.Finalize(None, print, ("finalized",), exitpriority=1)
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(process)d %(message)s")
logger = logging.getLogger("keeper")
atexit.register(print, "first registered")
atexit.register(print, "last registered")
signal.signal(signal.SIGUSR1, lambda *_: print("usr1"))
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
forks = []
os.register_at_fork(after_in_child=lambda: forks.append(os.getpid()))
sys.excepthook = lambda *what: print("hooked", what[0].__name__)
sys.path.insert(0, "/own/folder")
warnings.filterwarnings("error", "of the keeper")


class Kept:
    folder, pid = os.getcwd(), os.getpid()
    __slots__ = ("own",)

    def __init__(self):
        self.own = os.getcwd()


class Bag:
    def __init__(self):
        self.pid = os.getpid()
        self.out = sys.stdout


Pair = collections.namedtuple("Pair", "folder pid")
pair, deep = Pair(os.getcwd(), os.getpid()), {"a": (1, (os.getpid(),))}
kept, bag, both = Kept(), Bag(), [os.getpid(), sys.stderr]


def say(text, file=sys.stderr, *, to=sys.stdout):
    file.write(text)


def closed(pid=os.getpid(), folder=os.getcwd()):
    out = sys.stdout
    return lambda: (pid, folder, out)


inner = closed()
"""
ASK = """
import keeper as k, json, logging, os, random, signal, sys, threading, time, multiprocessing.process as mp
facts = {
    "folders": [k.FOLDER, k.CACHE, str(k.PATH), k.Kept.folder, k.kept.own, k.inner()[1], mp.ORIGINAL_DIR, k.pair.folder, type(k.pair).__name__],
    "folder types": [type(k.FOLDER).__name__, type(k.PATH).__name__],
    "pids": [p == os.getpid() for p in (k.PID, k.NATIVE, k.Kept.pid, k.bag.pid, k.both[0], k.inner()[0], k.final._pid, k.pair.pid, k.deep['a'][1][0])] + [k.LABEL == f"job-{os.getpid()}-a"],
    "idents": [k.IDENT == threading.get_ident(), threading.main_thread().native_id == os.getpid()],
    "times": [0 <= time.monotonic() - k.STARTED < 5, 0 <= time.time_ns() - k.WALL < 5e9, time.time() - logging._startTime < 5],
    "main": k.MAIN is sys.modules["__main__"] and k.MAIN.__dict__ is globals(),
    "argv": [k.argv is sys.argv, k.argv, k.PROGRAM, sys.orig_argv[1:2]],
    "streams": [k.stdout is sys.stdout, k.stderr is sys.stderr, k.handler.stream is sys.stderr, k.write == sys.stderr.write,
        k.bag.out is sys.stdout, k.both[1] is sys.stderr, k.say.__defaults__[0] is sys.stderr, k.say.__kwdefaults__["to"] is sys.stdout,
        k.inner()[2] is sys.stdout, logging.root.handlers[0].stream is sys.stdout, sys.stdout is sys.__stdout__],
    "functions": [k.getpid is os.getpid, k.monotonic is time.monotonic, [type(f).__name__ for f in (os.getpid, os.register_at_fork, time.time)],
        random.Random.seed.__module__, type(os.environ).__getitem__.__module__],
    "environment": {n: v for n, v in k.ENVIRONMENT.items() if not n.startswith("VEND_LAUNCH") and n != "PATH"},
    "fixed": k.fixed.random(), "forks": k.forks, "path": sys.path, "handler": str(signal.getsignal(signal.SIGUSR2)),
    "hook": sys.excepthook.__module__, "type": type(sys).__name__,
    "caches": [p for p, finder in sys.path_importer_cache.items() if p[:1] != "/"],
}
print(json.dumps(facts))
k.logger.info("logged")
k.say("said")
k.inner()[2].write("written\\n")
os.kill(os.getpid(), signal.SIGUSR1)
"""


@pytest.fixture(scope="module")
def zygote(tmp_path_factory):
    made = Zygote(tmp_path_factory.mktemp("zygote"), ["keeper"], {"keeper.py": KEEPER})
    assert made.start() == "ready"
    yield made
    made.stop()


def both(zygote, *arguments, **options):
    plain = zygote.run(*arguments, plainly=True, **options)
    fast = zygote.run(*arguments, **options)
    assert zygote.report == ["fast"], zygote.report
    return plain, fast


def test_what_modules_keep(zygote):
    """Each fact, and what comes out of handlers, hooks and finalizers."""
    plain, fast = both(zygote, "-c", ASK, env={"PORT": "77", "COG_X": "y"})
    assert plain[0] == fast[0] == 0, (plain, fast)
    ours, theirs = fast[1].splitlines(), plain[1].splitlines()
    facts = json.loads(theirs[0])
    for name, fact in json.loads(ours[0]).items():
        assert fact == facts[name], name
    assert all(facts["pids"] + facts["times"] + facts["streams"])
    assert [line.split(" ", 1)[-1] for line in ours[1:]] == [line.split(" ", 1)[-1] for line in theirs[1:]]
    assert theirs[-1] == "finalized" and fast[2] == plain[2]


def test_what_ends_badly_is_hooked(zygote):
    plain, fast = both(zygote, "-c", "import keeper; 1 / 0")
    assert fast == plain and "hooked ZeroDivisionError" in plain[1]


def test_chance_of_modules_is_not_shared(zygote):
    code = "import keeper as k; print(k.RUN, k.NAME, k.SECRET, k.chance.random(), next(k.names))"
    told = [zygote.run("-c", code)[1].splitlines()[0].split() for _ in range(3)]
    for part in zip(*told):
        assert len(set(part)) == 3, part


def test_a_fork_of_a_model_is_one(zygote):
    """Only the fork that stands for a fresh process goes unnoticed."""
    code = "import keeper as k, os\nif os.fork() == 0: print(len(k.forks), flush=True); os._exit(0)\nos.wait()"
    plain, fast = both(zygote, "-c", code)
    assert fast == plain and plain[1].startswith("1\n")


MANY = """
import sys, concurrent.futures, multiprocessing as mp
sys.path.insert(0, ".")
from squares import square
if __name__ == "__main__":
    import keeper
    for method in "fork", "spawn", "forkserver":
        with concurrent.futures.ProcessPoolExecutor(1, mp_context=mp.get_context(method)) as pool:
            print(method, list(pool.map(square, range(4))))
    context = mp.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=queue.put, args=(7,))
    process.start()
    print(queue.get(timeout=30), process.join(), process.exitcode)
"""


@pytest.mark.parametrize("kind", ["-c", "-m"])
def test_processes_of_each_start_method(zygote, kind):
    """They are told where the parent was when it imported multiprocessing."""
    (zygote.source / "squares.py").write_text("def square(x):\n    return x * x\n")
    (zygote.source / "many.py").write_text(MANY)
    plain, fast = both(zygote, kind, MANY if kind == "-c" else "many")
    assert fast == plain
    assert plain[1].count("[0, 1, 4, 9]") == 3 and "7 None 0" in plain[1]


# ---- What cannot be set anew

UNFIT = {
    "masks.py": ("import os; os.umask(0o77)", "changes Umask"),
    "limits.py": ("import resource as r; r.setrlimit(r.RLIMIT_CORE, (1, 1))", "changes the limits"),
    "timer.py": ("import signal; signal.setitimer(signal.ITIMER_REAL, 600)", "changes a timer"),
    "mover.py": ("import os; os.chdir('/')", "changes the working directory"),
    "leaver.py": ("open('left', 'w').close()", "changes the working directory"),
    "temporary.py": ("import tempfile; D = tempfile.mkdtemp()", "asks for the variable TMPDIR"),
    "port.py": ("import os; PORT = os.environ.get('PORT')", "asks for the variable PORT"),
    "wrapper.py": ("import io, sys; sys.stdout = io.StringIO()", "replaces the streams"),
    "frozen.py": ("import os; KEY = frozenset([os.getcwd()])", "keeps what is true of another process"),
    "table.py": ("import os; OF = {os.getpid(): 1}", "keeps what is true of another process"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_cannot_be_set_anew_is_not_imported_ahead(tmp_path, name):
    module, (source, why) = name[:-3], UNFIT[name]
    modules = {name: source, "outer.py": f"import {module}\n", "fine.py": ""}
    zygote = Zygote(tmp_path, ["fine", module, "outer"], modules)
    try:
        said = zygote.start()
        assert said == f"unfit {module} {why}"
        while said != "ready":
            assert zygote.process.wait(60) == 0
            said = zygote.start()
        code = "import sys; print([n for n in ('fine', 'outer') if n in sys.modules])"
        assert zygote.run("-c", code)[1] == "['fine']\n" and zygote.report == ["fast"]
    finally:
        zygote.stop()


SMALL = """
import os, sys
os.getpid = lambda: numbers[0]
numbers = [7]
from traces import Traces
traces = Traces()
traces.watch()
exec("import os; PID = os.getpid(); SEVEN = 7", vars(sys))
assert traces.stop() is None
numbers[0] = 8
traces.renew(os.environ)
print(sys.PID, sys.SEVEN, 3 + 4, type(sys.PID).__name__)
"""


def test_a_small_number_is_not_found_everywhere():
    """As in a container, where the first processes have them."""
    done = subprocess.run([PYTHON, "-c", SMALL], cwd=SCRIPTS, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("8 7 7 int\n", "")


def test_what_imports_say_is_said_by_each_start(tmp_path):
    modules = {"loud.py": "import sys, warnings; print('loud'); warnings.warn('careful')"}
    zygote = Zygote(tmp_path, ["loud"], modules)
    try:
        assert zygote.start() == "ready"
        plain, fast = both(zygote, "-c", "import loud; print('done')")
        assert fast == plain and plain[1] == "loud\ndone\n" and "careful" in plain[2]
    finally:
        zygote.stop()

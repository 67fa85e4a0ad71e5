"""What modules keep of the process that imported them is the same after a plain and a fast start."""

import json
import pathlib
import re
import shutil
import tempfile

import pytest

import processes
from fast_starts import await_zygote, start_of, stop_instances
from servers import Servers

MODELS = pathlib.Path(__file__).parent / "stateful"
FLAGS = ("--max-instances", "1", "--idle-timeout", "600s")


@pytest.fixture(scope="module")
def server(servers_of_module):
    """Outside of /tmp, which each instance has one of its own of; addresses of sockets are short."""
    folder = tempfile.mkdtemp(dir="/var/tmp")
    # In a sandbox numbers of processes are so small that what is told of them is found everywhere.
    made = servers_of_module(*FLAGS, "--isolation", "off", start=False)
    shutil.move(made.data, folder)
    made.data = pathlib.Path(folder) / "data"
    try:
        yield made.start()
        made.stop()
    finally:
        made.destroy()
        for pid in processes.of_data_dir(folder):
            processes.kill(pid)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def servers_of_module(binary, template, tmp_path_factory):
    made = Servers(binary, template, tmp_path_factory.mktemp("module"))
    yield made
    made.close()


@pytest.fixture
def push(server):
    def push(name):
        pushed = server.cli("push", MODELS / name, f"lab/{name}", "--public")
        assert pushed.returncode == 0, pushed.stderr

    return push


def start_fast(api, model):
    await_zygote(api, model=model)
    stop_instances(api, model)


def test_processes_of_each_start_method(api, push):
    push("methods")
    for start in ("plain", "fast"):
        for method in ("fork", "spawn", "forkserver", "queue", "early", "threads"):
            ended = api.run("methods", {"method": method})
            assert ended["output"] == "[0, 1, 4, 9]", f"{start} {method}: {ended}"
        assert start_of(api, "methods")[0] == start
        start_fast(api, "methods")


WRITTEN = ["by print", "by print to stderr", "by logging", "by loguru", "by absl", "by rich",
           "by a rich handler", "by click", "by tqdm", "by a bar", "by a warning"]  # fmt: skip


def test_what_libraries_log(api, push):
    push("library-logs")
    told = []
    for start in ("plain", "fast"):
        logs = api.run("library-logs")["logs"]
        assert start_of(api, "library-logs")[0] == start
        missing = [line for line in WRITTEN if line not in logs]
        assert not missing, (start, missing, logs)
        # Times with what their width pads a bar with, and where it was written.
        lines = [re.sub(r"[\d.:]+|\S*predict.py", "", line) for line in logs.splitlines()]
        told.append([re.sub(r"\[[^]]*it/s\] *$", "", line) for line in lines])
        start_fast(api, "library-logs")
    assert [len(line) for line in told[0]] and told[0] == told[1]


def differences(ours, theirs):
    return {key for key in ours.keys() & theirs.keys() if ours[key] != theirs[key]}


# Of caches and counters, and what reads tables of the interpreter.
OF_USE = re.compile(
    r"^(sys|gc|_imp|_frozen_importlib\w*|importlib\.\w+|zipimport|_weakref\w*|weakref|linecache|re|re\._\w+"
    r"|functools|abc|_abc|typing|atexit|_thread)\."
)


def test_nothing_that_modules_keep_differs(api, push):
    """Beside what differs between two plain starts."""
    push("probe")
    facts = []
    for start in ("plain", "fast", "plain"):
        ended = api.run("probe")
        assert ended["status"] == "succeeded", ended
        assert start_of(api, "probe")[0] == start
        facts.append(json.loads(ended["output"]))
        if start == "fast":
            api.patch("/models/lab/probe/scaling", {"fast_start": False}, 200)
            stop_instances(api, "probe")
        elif len(facts) == 1:
            start_fast(api, "probe")
    plain, fast, again = facts
    assert fast["process"] == plain["process"]
    chance = differences(plain["modules"], again["modules"])
    found = differences(fast["modules"], plain["modules"]) - chance
    found = {key for key in found if not OF_USE.match(key)}
    assert len(plain["modules"]) > 10000
    assert not found, {key: (plain["modules"][key], fast["modules"][key]) for key in sorted(found)}

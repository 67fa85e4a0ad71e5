"""A start from a zygote is what a plain start is; what stands in its way makes it a plain one."""

import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import threading

import pytest

from zygote_starter import Zygote

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from waiting import wait_until  # noqa: E402

FACTS = """
import json, locale, os, resource, signal, sys
limits = {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith("RLIMIT_")}
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({
    "argv": sys.argv, "executable": sys.executable, "prefix": sys.prefix, "path": sys.path,
    "arguments": sys.orig_argv[1:], "flags": str(sys.flags), "hooks": [getattr(h, "__name__", type(h).__name__) for h in sys.meta_path],
    "main": sorted(k for k in vars(sys.modules["__main__"]) if k.startswith("__")),
    "name": __name__, "spec": getattr(__spec__, "origin", None), "environ": dict(os.environ), "cwd": os.getcwd(),
    "umask": status["Umask"], "ignored": status["SigIgn"], "blocked": status["SigBlk"],
    "handlers": [str(signal.getsignal(n)) for n in range(1, 32)],
    "limits": limits, "nice": os.nice(0), "group": open("/proc/self/cgroup").read(),
    "spaces": [os.readlink("/proc/self/ns/" + n) for n in sorted(os.listdir("/proc/self/ns"))],
    "threads": len(os.listdir("/proc/self/task")), "streams": [str(f) for f in (sys.stdin, sys.stdout)],
    "fds": sorted(int(n) for n in os.listdir("/proc/self/fd") if int(n) < 512 and os.path.exists("/proc/self/fd/" + n)),
    "encoding": locale.getpreferredencoding(), "hash": sys.flags.hash_randomization,
}))
"""
# What each Python does, whatever the model is.
IMPORTS = ["json", "resource", "locale", "runpy", "random", "tempfile"]


@pytest.fixture(scope="module")
def zygote(tmp_path_factory):
    made = Zygote(tmp_path_factory.mktemp("zygote"), IMPORTS, {"facts.py": FACTS})
    assert made.start() == "ready"
    yield made
    made.stop()


@pytest.fixture
def fresh(tmp_path):
    """For tests that break it."""
    made = []

    def make(imports=("json",), modules=None):
        made.append(Zygote(tmp_path, imports, modules))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def both(zygote, *arguments, **options):
    plain = zygote.run(*arguments, plainly=True, **options)
    fast = zygote.run(*arguments, **options)
    assert zygote.report == ["fast"], zygote.report
    return plain, fast


def drop_limits():
    os.umask(0o027)
    os.nice(3)
    resource.setrlimit(resource.RLIMIT_NOFILE, (900, 900))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])


# ---- The same


@pytest.mark.parametrize("arguments", [("-c", FACTS, "a", "b c"), ("-m", "facts", "a", "b c")])
@pytest.mark.parametrize("prepare", [None, drop_limits])
def test_what_a_program_sees(zygote, arguments, prepare):
    plain, fast = both(zygote, *arguments, preexec_fn=prepare, env={"COG_EXTRA": ""})
    assert plain[0] == fast[0] == 0, (plain, fast)
    assert json.loads(fast[1]) == json.loads(plain[1])


@pytest.mark.parametrize(
    "code",
    [
        "import sys; sys.exit(3)",
        "import sys; sys.exit('because')",
        "import os; os._exit(7)",
        "raise ValueError('no')",
        "def f():\n  raise KeyError(1)\nf()",
        "import syntax error",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "import atexit; atexit.register(print, 'bye'); print('hello')",
        "import threading; threading.Thread(target=print, args=('late',)).start()",
        "print(input()); import sys; print(sys.stdin.read(), file=sys.stderr)",
        "import subprocess, sys; subprocess.run(['python', '-c', 'import sys; print(sys.executable)'])",
    ],
)
def test_how_a_program_ends(zygote, code):
    plain, fast = both(zygote, "-c", code, input="one\ntwo\n")
    assert fast == plain


def test_a_module_that_is_not_there(zygote):
    plain, fast = both(zygote, "-m", "nothing_of_this_name")
    assert fast == plain and plain[0] == 1


def test_descriptors_are_handed_over(zygote):
    def pass_on(plainly):
        near, far = socket.socketpair()
        code = f"import os; os.write({far.fileno()}, os.read({far.fileno()}, 9)[::-1])"
        process = zygote.popen("-c", code, plainly=plainly, pass_fds=[far.fileno()])
        far.close()
        near.sendall(b"handed ov")
        assert near.recv(9) == b"vo dednah"
        assert near.recv(1) == b"", "somebody else holds the descriptor"
        assert process.wait(60) == 0
        near.close()

    pass_on(True)
    pass_on(False)


def test_chance_is_not_shared(zygote):
    code = "import random, tempfile; print(random.random(), tempfile.mktemp())"
    outputs = {zygote.run("-c", code)[1] for _ in range(3)}
    assert len(outputs) == 3


def test_a_mount_of_its_own_is_entered(zygote, tmp_path):
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("mount namespaces are not permitted")
    (tmp_path / "mine").write_text("mine")
    command = ["unshare", "-m", "sh", "-c", f'mount --bind {tmp_path} /mnt && exec "$@"', "sh"]
    plain, fast = both(zygote, "-c", "print(open('/mnt/mine').read())", command=command)
    assert fast == plain == (0, "mine\n", "")


def test_an_instance_finds_its_processes(zygote):
    """The marked environment and the arguments are where people and directors look."""
    code = "import os, sys; print(os.getpid(), flush=True); sys.stdin.read()"
    process = zygote.popen("-c", code, "word", stdin=subprocess.PIPE)
    pid = int(process.stdout.readline())
    entries = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    assert pid != process.pid
    assert f"VEND_INSTANCE_DIR={zygote.directory}/instance".encode() in entries
    assert not [entry for entry in entries if entry.startswith(b"VEND_LAUNCH_")]
    assert f"-c\0{code}\0word\0".encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    process.stdin.close()
    assert process.wait(60) == 0


# ---- Life and death

SLEEPER = """
import os, signal, sys, time
signal.signal(signal.SIGUSR1, lambda *_: os.write(1, b"usr1\\n"))
print(os.getpid(), flush=True)
while True:
    time.sleep(60)
"""


def is_alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_signals_are_passed_on(zygote):
    process = zygote.popen("-c", SLEEPER)
    pid = int(process.stdout.readline())
    process.send_signal(signal.SIGUSR1)
    assert process.stdout.readline() == "usr1\n"
    process.terminate()
    assert process.wait(60) == -signal.SIGTERM
    assert not is_alive(pid)


def test_a_killed_launcher_takes_its_process_along(zygote):
    process = zygote.popen("-c", SLEEPER)
    pid = int(process.stdout.readline())
    assert pid != process.pid
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    wait_until(lambda: not is_alive(pid), what="the process to go")
    assert zygote.run("-c", "print(1)") == (0, "1\n", "") and zygote.report == ["fast"]


def test_a_process_outlives_its_zygote(fresh):
    zygote = fresh()
    assert zygote.start() == "ready"
    process = zygote.popen("-c", SLEEPER)
    pid = int(process.stdout.readline())
    zygote.process.kill()
    zygote.process.wait()
    process.send_signal(signal.SIGUSR1)
    assert process.stdout.readline() == "usr1\n"
    process.kill()
    process.wait()
    wait_until(lambda: not is_alive(pid), what="the process to go")
    assert zygote.run("-c", "print(1)") == (0, "1\n", "")
    assert zygote.report == ["plain no zygote: Connection refused"]


def test_a_zygote_ends_with_its_server(fresh):
    zygote = fresh()
    assert zygote.start() == "ready"
    zygote.link.close()
    zygote.link.detach()
    assert zygote.process.wait(60) == 0


# ---- Plain starts


def listen(zygote, answer):
    """Something else in the zygote's place; without an answer nobody accepts."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    zygote.socket_path.unlink(missing_ok=True)
    here = os.getcwd()
    os.chdir(zygote.socket_path.parent)
    server.bind(zygote.socket_path.name)
    os.chdir(here)
    server.listen(4)

    def serve():
        connection, _ = server.accept()
        for part in answer:
            connection.send(part)
        # Descriptors that came with the request are closed with the message.
        connection.recv(4096)
        connection.close()

    if answer is not None:
        threading.Thread(target=serve, daemon=True).start()
    return server


@pytest.mark.parametrize(
    "answer,reason",
    [
        (None, "the zygote does not answer"),
        ([], "the zygote does not answer"),
        ([b"hello"], "the zygote ended"),
        ([b"no way"], "way"),
        ([b"hello", b"no way"], "way"),
        ([b"hello", b"ready 0"], "the zygote's answer makes no sense"),
        ([b"x" * 1000], "the zygote's answer makes no sense"),
    ],
)
def test_who_is_no_zygote(fresh, answer, reason):
    zygote = fresh()
    with listen(zygote, answer):
        assert zygote.run("-c", "print(1)") == (0, "1\n", "")
    assert zygote.report == [f"plain {reason}"]


def test_a_zygote_of_another_user(fresh):
    if os.geteuid() != 0:
        pytest.skip("only root can be two users")
    zygote = fresh()
    assert zygote.start() == "ready"
    zygote.socket_path.chmod(0o777)
    for folder in [zygote.directory, *zygote.directory.parents[:3]]:
        folder.chmod(folder.stat().st_mode | 0o055)
    with listen(zygote, None) as server:
        # The credentials are those of the moment of listen().
        pid = os.fork()
        if pid == 0:
            os.setuid(65534)
            server.listen(4)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert zygote.run("-c", "print(1)") == (0, "1\n", "")
    assert zygote.report == ["plain the zygote belongs to another user"]


def test_no_zygote_at_all(fresh):
    zygote = fresh()
    assert zygote.run("-c", "print(1)") == (0, "1\n", "")
    assert zygote.report == ["plain no zygote: No such file or directory"]


def test_one_that_stands_still(fresh):
    """It wakes up later, and must not run what was run meanwhile."""
    zygote = fresh()
    assert zygote.start() == "ready"
    zygote.process.send_signal(signal.SIGSTOP)
    mark = zygote.directory / "mark"
    code = f"open({str(mark)!r}, 'a').write('x')"
    assert zygote.run("-c", code) == (0, "", "")
    assert zygote.report == ["plain the zygote does not answer"]
    zygote.process.send_signal(signal.SIGCONT)
    assert zygote.run("-c", code) == (0, "", "") and zygote.report == ["fast"]
    assert mark.read_text() == "xx"


def test_another_environment(zygote):
    assert zygote.run("-c", "print(1)", env={"OMP_NUM_THREADS": "1"}) == (0, "1\n", "")
    assert zygote.report == [
        "plain the variable OMP_NUM_THREADS is another one than when the imports were made"
    ]
    assert zygote.run("-c", "print(1)", env={"COG_X": "1", "PORT": "1"}) == (0, "1\n", "")
    assert zygote.report == ["fast"]


def test_a_file_of_the_model_hides_a_module(fresh):
    zygote = fresh(["random"])
    (zygote.source / "random.py").write_text("print('own')")
    assert zygote.start() == "ready"
    plain = zygote.run("-c", "import random", plainly=True)
    assert zygote.run("-c", "import random") == plain == (0, "own\n", "")
    assert zygote.report == ["plain the model's own random.py goes before a module that is kept loaded"]


def test_options_of_python(zygote):
    code = "import sys; print(sys.flags.dev_mode)"
    assert zygote.run("-X", "dev", "-c", code) == (0, "True\n", "")
    assert zygote.report == ["plain Python was called in another way than with -c or -m"]


def test_processors_that_differ(zygote):
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one processor")
    some = {min(os.sched_getaffinity(0))}
    ran = zygote.run("-c", "print(1)", preexec_fn=lambda: os.sched_setaffinity(0, some))
    assert ran == (0, "1\n", "")
    assert zygote.report == ["plain Cpus_allowed of the process cannot be taken over"]


# ---- Imports

UNFIT = {
    "threader.py": "import threading, time\n"
    "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n",
    "opener.py": "file = open('/dev/zero')\n",
}


def test_modules_that_are_not_fit(fresh):
    names = ["fine", "threader", "opener", "threader.part", "fine_too"]
    zygote = fresh(names, {**UNFIT, "fine.py": "", "fine_too.py": ""})
    assert zygote.start() == "unfit threader starts a thread"
    assert zygote.process.wait(60) == 0
    assert zygote.start() == "unfit opener keeps /dev/zero open"
    assert zygote.process.wait(60) == 0
    assert zygote.start() == "ready"
    code = "import sys, threading; print([n for n in ('fine', 'fine_too', 'threader') if n in sys.modules]);"
    code += "import threader; print(threading.active_count())"
    assert zygote.run("-c", code) == (0, "['fine', 'fine_too']\n2\n", "")
    assert zygote.report == ["fast"]


def test_modules_that_do_not_import(fresh):
    broken = {"broken.py": "1 / 0", "leaver.py": "import sys; sys.exit(4)", "fine.py": ""}
    zygote = fresh(["broken", "not_there", "leaver", "fine"], broken)
    assert zygote.start() == "ready"
    plain, fast = both(zygote, "-c", "import fine, broken")
    assert fast == plain and "ZeroDivisionError" in plain[2]


def test_what_imports_do_to_the_environment(fresh):
    """The model finds it changed; its server, which makes no imports, does not."""
    zygote = fresh(["setter"], {"setter.py": "import os; os.environ['SET'] = 'yes'"})
    assert zygote.start() == "ready"
    code = "import setter, os; print(os.environ['SET'])"
    plain, fast = both(zygote, "-c", code)
    assert fast == plain == (0, "yes\n", "")


def test_imports_are_recorded(fresh):
    zygote = fresh()
    record = zygote.directory / "record"
    env = {name: value for name, value in zygote.environment.items() if "ZYGOTE" not in name}
    code = "import sys, colorsys\ntry:\n  import nowhere\nexcept ImportError: print(sys.argv, sys.path[0])"
    plain = zygote.run("-c", code, "a", plainly=True)
    done = subprocess.run(
        [zygote.bin / "python", "-c", code, "a"],
        env={**env, "VEND_LAUNCH_RECORD": str(record)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == plain
    names = record.read_text().split()
    assert "colorsys" in names and "nowhere" in names and "sys" not in names

"""A parked process that has imported what a model imports, and forks for launchers.

zygote.py SOCKET IMPORTS UNFIT: makes the imports that the file IMPORTS lists, except those that
UNFIT lists, then listens on SOCKET. Descriptor 3 leads to the one who started it: it gets a line
with how things stand, and this process ends with it."""

import sys

# Before the imports below: what each Python has loaded before it runs anything.
BARE = frozenset(name.partition(".")[0] for name in sys.modules)

import fcntl  # noqa: E402
import gc  # noqa: E402
import importlib  # noqa: E402
import os  # noqa: E402
import select  # noqa: E402
import shutil  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import struct  # noqa: E402

import child  # noqa: E402
import renew  # noqa: E402
import run  # noqa: E402
from streams import Streams  # noqa: E402
from traces import Traces  # noqa: E402
from witness import Witness  # noqa: E402

OWN = ("child", "places", "renew", "run", "streams", "traces", "witness")
# As what it imports: the process that runs a model, before it is known which.
WORKER = ["python", "-c", "import coglet; coglet.server._run_worker()"]

LINK = 3
SPACE = "VEND_ZYGOTE_SPACE"
BACKLOG = 64
MAX_CHILDREN = 1000


class Zygote:
    """What children have to know of it."""

    def __init__(self):
        self.space = os.fsencode(f"{SPACE}={os.environ.pop(SPACE, '')}")
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

    def renew(self, launcher):
        renew.renew(self.traces, launcher.is_model_server)
        self.witness.withheld = False

    def hand_over_streams(self, launcher):
        self.streams.bind(self.streams.real)
        if launcher.is_worker:
            self.streams.follow()
        elif not launcher.is_model_server:
            self.streams.repeat()


def tell(*words):
    os.write(LINK, (" ".join(words) + "\n").encode(errors="replace"))


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


# ---- Launchers


class Server:
    def __init__(self, path):
        folder, name = os.path.split(path)
        folder_fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Any folder makes a short address that way.
        address = f"/proc/self/fd/{folder_fd}/{name}"
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        self.socket.bind(address)
        os.close(folder_fd)
        self.socket.listen(BACKLOG)
        self.children = {}  # descriptor of the process -> number, connection
        self.launchers = {}  # descriptor of the connection -> number
        self.polled = select.poll()
        self.polled.register(LINK, select.POLLIN)
        self.polled.register(self.socket, select.POLLIN)

    def wait(self):
        """Returns in a child only: its connection and the launcher's number."""
        while True:
            for fd, _ in self.polled.poll():
                if fd == LINK:
                    os._exit(0)
                if fd in self.children:
                    self.reap(fd)
                elif fd in self.launchers:
                    self.polled.unregister(fd)
                    os.kill(self.launchers.pop(fd), signal.SIGKILL)
                elif fd == self.socket.fileno():
                    forked = self.take_launcher()
                    if forked is not None:
                        return forked

    def reap(self, pidfd):
        pid, connection = self.children.pop(pidfd)
        _, status = os.waitpid(pid, 0)
        self.polled.unregister(pidfd)
        os.close(pidfd)
        if self.launchers.pop(connection.fileno(), None) is not None:
            self.polled.unregister(connection)
        try:
            connection.send(struct.pack("@i", status), socket.MSG_DONTWAIT)
        except OSError:
            pass
        connection.close()

    def take_launcher(self):
        connection, _ = self.socket.accept()
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        launcher, user, _ = struct.unpack("@3i", credentials)
        if user != os.geteuid() or len(self.children) >= MAX_CHILDREN:
            connection.close()
            return None
        try:
            pid = os.fork()
        except OSError as error:
            connection.send(f"no cannot fork: {error.strerror}".encode(), socket.MSG_DONTWAIT)
            connection.close()
            return None
        if pid == 0:
            for other in self.children.values():
                other[1].detach()
            self.socket.detach()
            return connection, launcher
        pidfd = os.pidfd_open(pid)
        self.children[pidfd] = pid, connection
        self.launchers[connection.fileno()] = pid
        self.polled.register(pidfd, select.POLLIN)
        self.polled.register(connection, 0)
        return None


def give_up(unfit_path, modules, why):
    with open(unfit_path, "a", encoding="utf-8") as file:
        file.writelines(f"{name}\t{why}\n" for name in modules)
    tell("unfit", modules[0], why)
    os._exit(0)


def park(path, imports, unfit_path):
    """Returns in a child only: what it is to run."""
    zygote = Zygote()
    unfit = {line.split("\t")[0] for line in read_lines(unfit_path)}
    fault = make_imports_below(os.path.dirname(path), zygote, read_lines(imports), unfit)
    if fault is not None:
        give_up(unfit_path, *fault)
    gc.collect()
    gc.freeze()
    server = Server(path)
    tell("ready")
    launcher = child.become(*server.wait(), zygote)
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

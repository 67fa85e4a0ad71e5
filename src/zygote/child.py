"""Turns a fork of the zygote into the process that a launcher stands for.

All that a process gets from the one that starts it comes from the launcher: descriptors over its
socket, the rest out of /proc. What cannot be taken over is a reason for a plain start; nothing of
the program has run by then."""

import contextlib
import ctypes
import fcntl
import os
import resource
import select
import signal
import socket
import struct
import sys

import inside

MAGIC = b"vendzyg1"
MAX_FDS = 253
ANSWER_SECONDS = 2
MARK = b"VEND_INSTANCE_DIR="
LAUNCH = "VEND_LAUNCH_"
# Of the starting process, and of no import's concern; the rest decides what modules do.
LOOSE = {
    "PATH", "VIRTUAL_ENV", "PORT", "RUST_LOG", "TOKIO_WORKER_THREADS", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_",
}  # fmt: skip
SAME_FOR_ALL = ("PATH", "VIRTUAL_ENV")  # who share a zygote
LOOSE_PREFIXES = ("COG_", "COGLET_", "VEND_")
# Variables that a zygote lacks: their values go to the instances alone.
SECRETS = frozenset(os.environ.get("VEND_SECRET_NAMES", "").split(",")) - {""}
# Must be the same as the kernel tells them of both.
STATUS = (
    "Umask", "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
    "NoNewPrivs", "Seccomp", "Cpus_allowed", "Mems_allowed",
)  # fmt: skip
NAMESPACES = {
    "user": 0x10000000, "mnt": 0x00020000, "net": 0x40000000, "ipc": 0x08000000,
    "uts": 0x04000000, "cgroup": 0x02000000,
}  # fmt: skip
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38
CAPABILITY_VERSION = 0x20080522

libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """Why this process cannot take the launcher's place."""


def read(path):
    with open(path, "rb", buffering=0) as file:
        return file.read()


def read_status(pid):
    lines = read(f"/proc/{pid}/status").decode().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def is_loose(name):
    return name in LOOSE or name in SECRETS or name.startswith(LOOSE_PREFIXES)


def is_of_instance(name):
    return is_loose(name) and name not in SAME_FOR_ALL


def import_environment(environment):
    """The part of an environment that imports may depend on."""
    return {name: value for name, value in environment.items() if not is_loose(name)}


class Launcher:
    """What is known of the process on the other end of the connection."""

    def __init__(self, connection, pid):
        self.connection = connection
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)
        self.read_request()
        self.status = read_status(pid)
        self.arguments = [os.fsdecode(a) for a in read(f"/proc/{pid}/cmdline").split(b"\0")[:-1]]
        self.entries = [e for e in read(f"/proc/{pid}/environ").split(b"\0") if b"=" in e]
        pairs = (os.fsdecode(entry).partition("=") for entry in self.entries)
        self.environment = {name: value for name, _, value in pairs}
        self.cwd = os.open(f"/proc/{pid}/cwd", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self.read_limits()
        # Connected, so it is alive, so all that was read under its number is its own.
        self.check_alive()

    def read_request(self):
        # Only a process that runs is sent descriptors: in the queue of one that stands still they
        # would stay open.
        self.connection.send(b"hello")
        timeout = struct.pack("@ll", ANSWER_SECONDS, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout)
        try:
            data, control, _, _ = self.connection.recvmsg(
                4096, socket.CMSG_SPACE(4 * MAX_FDS), socket.MSG_CMSG_CLOEXEC
            )
        except OSError:
            raise Refused("the launcher asks for nothing") from None
        fds = [n for _, _, raw in control for n in struct.unpack(f"@{len(raw) // 4}i", raw)]
        if len(data) < 12 or data[:8] != MAGIC:
            raise Refused("the launcher is of another version")
        self.targets = list(struct.unpack(f"@{(len(data) - 12) // 4}i", data[12:]))
        if len(fds) != len(self.targets) + 1:
            raise Refused("not all descriptors arrived")
        self.lifeline, *self.fds = fds

    def read_limits(self):
        """Its number means nothing in the sandbox that a fork enters."""
        limits = {getattr(resource, n) for n in dir(resource) if n.startswith("RLIMIT_")}
        self.limits = {limit: resource.prlimit(self.pid, limit) for limit in limits}
        self.nice = os.getpriority(os.PRIO_PROCESS, self.pid)
        self.score = read(f"/proc/{self.pid}/oom_score_adj")
        self.label = read_label(self.pid)

    def check_alive(self):
        waiting = select.poll()
        waiting.register(self.connection, 0)
        if waiting.poll(0):
            os._exit(0)

    @property
    def is_model_server(self):
        """It makes no imports in a plain start; the process that it starts, the worker, does."""
        return self.arguments[1:3] == ["-m", "cog.server.http"]

    @property
    def is_worker(self):
        return self.arguments[1] == "-c" and "coglet.server._run_worker" in self.arguments[2]

    def answer(self, group):
        own = os.pidfd_open(os.getpid())
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("@i", own))]
        self.connection.sendmsg([b"self"], rights)
        os.close(own)
        # With that one closed: who looks at this process finds only what it keeps.
        self.connection.send(b"ready %d" % group)
        try:
            agreed = self.connection.recv(16) == b"go"
        except OSError:
            agreed = False
        if not agreed:
            os._exit(0)
        self.connection.close()


# ---- Whether it fits


def check_environment(launcher, own):
    theirs = import_environment(launcher.environment)
    for name in sorted(own.keys() | theirs.keys()):
        if own.get(name) != theirs.get(name):
            raise Refused(f"the variable {name} is another one than when the imports were made")


def check_sources(launcher, bare):
    """A file of the model's own goes before an installed module of that name, unless that is loaded
    already."""
    loaded = {name.partition(".")[0] for name in sys.modules} - bare
    names = os.listdir(f"/proc/{launcher.pid}/cwd")
    for name in names:
        if name.partition(".")[0] in loaded and not name.endswith((".txt", ".md", ".yaml")):
            raise Refused(f"the model's own {name} goes before a module that is kept loaded")
    if "matplotlibrc" in names and "matplotlib" in loaded:
        raise Refused("the model's own matplotlibrc is read by an import")


def check_same(launcher):
    own = read_status("self")
    for key in STATUS:
        if own.get(key) != launcher.status.get(key):
            raise Refused(f"{key} of the process cannot be taken over")
    if read_label("self") != launcher.label:
        raise Refused("the security label cannot be taken over")


def read_label(pid):
    try:
        return read(f"/proc/{pid}/attr/current")
    except OSError:
        return None


# ---- What is taken over


def read_cgroups(pid):
    lines = read(f"/proc/{pid}/cgroup").decode().splitlines()
    return {tuple(line.split(":", 2)[:2]): line.split(":", 2)[2] for line in lines}


def cgroup_folder(controllers, path):
    """Where a group of this hierarchy is mounted."""
    for line in read("/proc/self/mountinfo").decode().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        root, mounted = left.split(" ")[3:5]
        fits = (
            kind == "cgroup2"
            if not controllers
            else kind == "cgroup"
            and set(controllers.split(",")) <= set(options.replace(" ", ",").split(","))
        )
        inside = path if root == "/" else path.removeprefix(root) if path.startswith(root) else None
        if fits and inside is not None:
            return mounted + inside
    raise Refused("a control group is not mounted here")


def join_cgroups(launcher):
    theirs = read_cgroups(launcher.pid)
    own = read_cgroups("self")
    for (number, controllers), path in theirs.items():
        if own.get((number, controllers)) == path:
            continue
        folder = cgroup_folder(controllers, path)
        with open(f"{folder}/cgroup.procs", "wb", buffering=0) as file:
            file.write(b"0")
    if read_cgroups("self") != theirs:
        raise Refused("the control groups cannot be taken over")


def join_group(launcher):
    """The number of the group that this process had to make for itself, or 0."""
    try:
        os.setpgid(0, os.getpgid(launcher.pid))
        return 0
    except PermissionError:
        os.setpgid(0, 0)
        return os.getpid()


def take_limits(launcher):
    for limit, theirs in launcher.limits.items():
        if theirs != resource.getrlimit(limit):
            resource.setrlimit(limit, theirs)
    if launcher.nice != os.getpriority(os.PRIO_PROCESS, 0):
        os.setpriority(os.PRIO_PROCESS, 0, launcher.nice)
    if launcher.score != read("/proc/self/oom_score_adj"):
        with open("/proc/self/oom_score_adj", "wb", buffering=0) as file:
            file.write(launcher.score)


def enter_namespaces(launcher):
    flags = 0
    for name in os.listdir("/proc/self/ns"):
        if name.endswith("_for_children"):
            continue
        theirs = os.readlink(f"/proc/{launcher.pid}/ns/{name}")
        if theirs == os.readlink(f"/proc/self/ns/{name}"):
            continue
        if name not in NAMESPACES:
            raise Refused(f"the {name} namespace cannot be taken over")
        flags |= NAMESPACES[name]
    if flags and libc.setns(launcher.pidfd, flags) != 0:
        raise Refused(f"cannot enter its namespaces: {os.strerror(ctypes.get_errno())}")


def drop_capabilities(launcher):
    """Who enters a user namespace has all of them there; who executes something in it has none."""
    theirs = [int(launcher.status[name], 16) for name in ("CapEff", "CapPrm", "CapInh")]
    own = read_status("self")
    if theirs == [int(own[name], 16) for name in ("CapEff", "CapPrm", "CapInh")]:
        return
    words = [mask >> shift & 0xFFFFFFFF for shift in (0, 32) for mask in theirs]
    head = struct.pack("@Ii", CAPABILITY_VERSION, 0)
    if libc.capset(head, struct.pack("@6I", *words)) != 0:
        raise Refused("the capabilities cannot be taken over")
    # Entering took this away: the director could not read the mark.
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)


def take_signals(launcher, by_imports):
    ignored = int(launcher.status["SigIgn"], 16)
    blocked = int(launcher.status["SigBlk"], 16)
    # Python itself ignores the last two.
    fixed = {signal.SIGKILL, signal.SIGSTOP, signal.SIGPIPE, signal.SIGXFSZ}
    if not launcher.is_model_server:
        fixed |= by_imports
    for number in signal.valid_signals() - fixed:
        theirs = bool(ignored >> (number - 1) & 1)
        if theirs != (signal.getsignal(number) == signal.SIG_IGN):
            usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, signal.SIG_IGN if theirs else usual)
    mask = {number for number in range(1, 65) if blocked >> (number - 1) & 1}
    signal.pthread_sigmask(signal.SIG_SETMASK, mask & signal.valid_signals())


def follow(lifeline):
    """The kernel kills this process when the other end closes."""
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)


def take_descriptors(launcher, link):
    """Puts each one under the launcher's number. The lifeline gets one that is out of the way; when
    the launcher has gone this process is killed. Returns where `link` is now."""
    above = max([*launcher.targets, 511]) + 1
    move = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, above) for fd in launcher.fds]
    launcher.lifeline = fcntl.fcntl(launcher.lifeline, fcntl.F_DUPFD_CLOEXEC, above)
    launcher.connection = socket.socket(
        fileno=fcntl.fcntl(launcher.connection.detach(), fcntl.F_DUPFD_CLOEXEC, above)
    )
    if link is not None:
        link = fcntl.fcntl(link, fcntl.F_DUPFD_CLOEXEC, above)
    kept = {*move, launcher.lifeline, launcher.connection.fileno(), link}
    for fd in {int(name) for name in os.listdir("/proc/self/fd")} - kept:
        # The one of the listing itself is closed already.
        with contextlib.suppress(OSError):
            os.close(fd)
    for fd, target in zip(move, launcher.targets):
        os.dup2(fd, target, inheritable=True)
        os.close(fd)
    follow(launcher.lifeline)
    launcher.check_alive()
    return link


def take_environment(launcher, changed):
    """`changed` is what imports did to the environment; None stands for a variable they removed."""
    environment = dict(launcher.environment)
    if not launcher.is_model_server:
        folder = environment.get(LAUNCH + "DIR", "") + ":"
        environment["PATH"] = environment.get("PATH", "").removeprefix(folder)
        for name in [name for name in environment if name.startswith(LAUNCH)]:
            del environment[name]
        for name, value in changed.items():
            if value is None:
                environment.pop(name, None)
            else:
                environment[name] = value
    os.environ.clear()
    os.environ.update(environment)


# ---- What /proc shows of it


def overwrite(start, end, entries):
    """Those that fit; the rest of the space becomes zeros."""
    text = b""
    for entry in entries:
        if len(text) + len(entry) + 1 < end - start:
            text += entry + b"\0"
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, text, len(text))


class Room:
    """Where the kernel looks for arguments and environment. Only the part of the environment that was
    put there for this, which has `space` in it, is written to: modules may hold on to the others."""

    def __init__(self, space):
        fields = read("/proc/self/stat").rpartition(b")")[2].split()
        *self.arguments, start, end = (int(n) for n in fields[45:49])
        place = ctypes.string_at(start, end - start).find(space)
        self.entries = (start + place, start + place + len(space)) if place >= 0 else None


def show_as(launcher, room):
    """So that people and the search for what an instance left behind see what they would see of a
    plain start."""
    if room.entries is None:
        raise Refused("no room to show its environment")
    overwrite(*room.arguments, [os.fsencode(a) for a in launcher.arguments])
    marks = [e for e in launcher.entries if e.startswith(MARK)]
    others = [e for e in launcher.entries if not e.startswith((MARK, LAUNCH.encode()))]
    overwrite(*room.entries, marks + others)


def move_over(launcher, zygote):
    """To the place of the launcher, with its rights. Returns the number of the group that this process
    had to make for itself, or 0."""
    join_cgroups(launcher)
    group = join_group(launcher)
    take_limits(launcher)
    if launcher.status.get("NoNewPrivs") == "1":
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    enter_namespaces(launcher)
    zygote.move_in(launcher)
    drop_capabilities(launcher)
    return group


def move_inside(launcher, zygote, told):
    """The same from a room into the sandbox that is nested there. The director moves it to the control
    groups, and looks at all of this before it lets the launcher say "go"."""
    inside.enter(launcher.pidfd, told)
    take_limits(launcher)
    zygote.move_in(launcher)
    zygote.lock()
    # Entering took this away, as it does from other programs in there.
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    os.setpgid(0, 0)
    return os.getpid()


def become(connection, pid, told, zygote):
    """The launcher whose place this process has taken, which knows what to run. `zygote` has what
    the imports were made with. Does not return when the launcher goes on without it."""
    launcher = None
    try:
        launcher = Launcher(connection, pid)
        check_environment(launcher, zygote.environment)
        zygote.check(launcher)
        os.umask(int(launcher.status["Umask"], 8))
        show_as(launcher, zygote.room)
        group = move_over(launcher, zygote) if told is None else move_inside(launcher, zygote, told)
        check_same(launcher)
        take_signals(launcher, zygote.handlers)
        zygote.link = take_descriptors(launcher, zygote.link)
        zygote.open_again()
        take_environment(launcher, zygote.changed)
        zygote.renew(launcher)
        launcher.answer(group)
        zygote.tell_of(launcher, None)
        return launcher
    except Exception as error:
        is_known = isinstance(error, (Refused, inside.Failed))
        reason = str(error) if is_known else f"{type(error).__name__}: {error}"
        if launcher is not None:
            zygote.tell_of(launcher, reason)
        refuse(connection if launcher is None else launcher.connection, reason)


def refuse(connection, reason):
    try:
        connection.send(b"no " + reason.encode(errors="replace")[:250])
    except OSError:
        pass
    os._exit(0)

"""The way of a fork from its zygote's room into the sandbox of an instance, which is nested there.

Who owns a user namespace may enter it; a process namespace is entered by children only. So the fork
forks once more, and the second one is the zygote's child as the first one was."""

import ctypes
import os
import signal
import struct

PR_SET_SECCOMP = 22
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_GET_TID_ADDRESS = 40
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
SECCOMP_MODE_FILTER = 2
CAPABILITY_VERSION = 0x20080522
FILTER_RULE = 8  # bytes
CLONE_PARENT = 0x00008000
CLONE_CHILD_CLEARTID = 0x00200000
CLONE_CHILD_SETTID = 0x01000000
SPACES = {
    "user": 0x10000000, "mnt": 0x00020000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x08000000,
    "uts": 0x04000000, "cgroup": 0x02000000,
}  # fmt: skip
# System calls of x86-64 and aarch64; the later ones have one number everywhere.
CLONE = {"x86_64": 56, "aarch64": 220}
SET_ROBUST_LIST = {"x86_64": 273, "aarch64": 99}
GET_ROBUST_LIST = {"x86_64": 274, "aarch64": 100}
LANDLOCK_CREATE = 444
LANDLOCK_ADD_RULE = 445
LANDLOCK_RESTRICT_SELF = 446
LANDLOCK_VERSION = 1
LANDLOCK_PATH_BENEATH = 1
READ = 1 << 0 | 1 << 2 | 1 << 3  # execute, read a file, list a folder
DEVICES = 1 << 6 | 1 << 11  # made: of characters, of blocks
OF_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15
SCOPES = 3  # abstract sockets, signals

# Keeps the interpreter's lock: another thread must not take it between the two halves of a fork.
libc = ctypes.PyDLL(None, use_errno=True)


class Failed(Exception):
    pass


def fail(what):
    raise Failed(f"{what}: {os.strerror(ctypes.get_errno())}")


def machine():
    return os.uname().machine


def call(number, *arguments):
    return libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))


# ---- Another process


def clone():
    """As os.fork(), but the child's parent is that of this process. libc keeps the number of the thread
    where the kernel clears it at the thread's end."""
    place = ctypes.c_void_p()
    head = ctypes.c_void_p()
    size = ctypes.c_size_t()
    if machine() not in CLONE:
        raise Failed(f"nothing is known of {machine()}")
    if libc.prctl(PR_GET_TID_ADDRESS, ctypes.byref(place), 0, 0, 0) != 0:
        fail("the kernel does not tell where libc keeps its number")
    if ctypes.c_int.from_address(place.value).value != libc.gettid():
        raise Failed("libc keeps its number elsewhere")
    known = call(GET_ROBUST_LIST[machine()], 0, ctypes.byref(head), ctypes.byref(size)) == 0
    flags = CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | signal.SIGCHLD
    last = (place, 0) if machine() == "x86_64" else (0, place)  # the number's place, the thread's own data
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    pid = call(CLONE[machine()], flags, 0, 0, *last)
    if pid == 0:
        python.PyOS_AfterFork_Child()
        if known:
            call(SET_ROBUST_LIST[machine()], head, size.value)
        return 0
    python.PyOS_AfterFork_Parent()
    if pid < 0:
        fail("cannot fork in its sandbox")
    return pid


def enter(pidfd, told):
    """Goes on in a process of the sandbox that the process of `pidfd` is in; `told` gets its number."""
    flags = 0
    for flag in SPACES.values():
        flags |= flag
    if libc.setns(pidfd, flags) != 0:
        fail("cannot enter its sandbox")
    pid = clone()
    if pid != 0:
        os.write(told, struct.pack("@i", pid))
        os._exit(0)
    os.close(told)


# ---- Locks


def drop_capabilities():
    """Who enters a user namespace has all of them there."""
    number = 0
    while libc.prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0:
        libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)
        number += 1
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    if libc.capset(struct.pack("@Ii", CAPABILITY_VERSION, 0), bytes(24)) != 0:
        fail("cannot drop capabilities")


def filter_calls(program):
    rules = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HxxxxxxP", len(program) // FILTER_RULE, ctypes.addressof(rules))
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, head, 0, 0) != 0:
        fail("cannot filter system calls")


def writable_places():
    """What is mounted to be written to."""
    places = ["/dev", "/proc"]
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            fields = line.split()
            if "rw" in fields[5].split(","):
                places.append(fields[4].encode(errors="surrogateescape").decode("unicode_escape"))
    return places


def lock_paths():
    """As sandbox/pin.c does it; what the kernel does not know is done without."""
    version = call(LANDLOCK_CREATE, 0, 0, LANDLOCK_VERSION)
    if version < 1:
        return
    handled = (1 << 13) - 1 | (version >= 2) << 13 | (version >= 3) << 14 | (version >= 5) << 15
    scopes = SCOPES if version >= 6 else 0
    head = struct.pack("@QQQ", handled, 0, scopes)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    rules = call(LANDLOCK_CREATE, head, len(head), 0)
    if rules < 0:
        fail("Landlock")
    allow(rules, "/", READ)
    for place in writable_places():
        allow(rules, place, handled & ~DEVICES)
    if call(LANDLOCK_RESTRICT_SELF, rules, 0) != 0:
        fail("Landlock")
    os.close(rules)


def allow(rules, path, rights):
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):
        rights &= OF_FILES
    done = call(LANDLOCK_ADD_RULE, rules, LANDLOCK_PATH_BENEATH, struct.pack("=Qi", rights, fd), 0)
    os.close(fd)
    if done != 0:
        fail(f"Landlock: {path}")


def lock(program):
    """Nothing that needs a right comes after it. Without a program this process goes on as one that
    forks for others, which would inherit the rest."""
    drop_capabilities()
    if program is not None:
        lock_paths()
        filter_calls(program)

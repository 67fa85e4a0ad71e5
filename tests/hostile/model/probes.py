"""What models must not reach. Only processes, files and addresses of the server under test are
touched: the hints name them."""

import contextlib
import ctypes
import errno
import fcntl
import glob
import os
import platform
import signal
import socket
import struct
import subprocess
import tempfile
import urllib.request

libc = ctypes.CDLL(None, use_errno=True)
PROBES = {}
# System calls of this machine; those that no list names are the same on both.
CALLS = {
    "x86_64": {
        "ptrace": 101, "mount": 165, "keyctl": 250, "add_key": 248, "unshare": 272, "setns": 308,
        "perf_event_open": 298, "process_vm_readv": 310, "bpf": 321, "userfaultfd": 323, "pivot_root": 155,
        "chroot": 161, "open_by_handle_at": 304, "kexec_load": 246, "init_module": 175, "sethostname": 170,
        "clock_settime": 227, "swapon": 167, "reboot": 169, "syslog": 103, "acct": 163, "iopl": 172,
        "pidfd_open": 434, "pidfd_getfd": 438,
    },
    "aarch64": {
        "ptrace": 117, "mount": 40, "keyctl": 219, "add_key": 217, "unshare": 97, "setns": 268,
        "perf_event_open": 241, "process_vm_readv": 270, "bpf": 280, "userfaultfd": 282, "pivot_root": 41,
        "chroot": 51, "open_by_handle_at": 265, "kexec_load": 104, "init_module": 105, "sethostname": 161,
        "clock_settime": 112, "swapon": 224, "reboot": 142, "syslog": 116, "acct": 89, "iopl": -1,
        "pidfd_open": 434, "pidfd_getfd": 438,
    },
}[platform.machine()]  # fmt: skip
SAME = {"io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430, "mount_setattr": 442}
CLONE_NEWUSER = 0x10000000
CLONE_NEWNS = 0x00020000


def probe(function):
    PROBES[function.__name__] = function
    return function


def run(names, hints):
    results = {}
    for name in names:
        try:
            results[name] = ["reached", str(PROBES[name](hints))[:200]]
        except Exception as error:
            results[name] = ["refused", f"{type(error).__name__}: {error}"[:200]]
    return results


class Refused(Exception):
    pass


def call(name, *arguments):
    number = CALLS.get(name, SAME.get(name))
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def must(happened, what="nothing happened"):
    if not happened:
        raise Refused(what)
    return happened


def read(path):
    with open(path, "rb") as file:
        return file.read(64)


def write(path):
    with open(path, "ab"):
        pass
    return f"{path} opened for writing"


# ---- Files of the server


@probe
def read_database(hints):
    return read(hints["data"] + "/vend.db")


@probe
def write_database(hints):
    # Not one that it makes where the real one is out of sight.
    return os.open(hints["data"] + "/vend.db", os.O_WRONLY)


@probe
def read_token(hints):
    return read(hints["data"] + "/cli.json")


@probe
def list_data(hints):
    return os.listdir(hints["data"] + "/versions")


@probe
def read_own_spec(hints):
    return read(os.environ["VEND_INSTANCE_DIR"] + "/spec.json")


@probe
def read_other_instance(hints):
    return read(hints["other"] + "/spec.json")


@probe
def write_other_instance(hints):
    return write(hints["other"] + "/tmp/planted")


@probe
def write_own_journal(hints):
    return write(os.environ["VEND_INSTANCE_DIR"] + "/journal/planted.json")


@probe
def read_own_director_log(hints):
    return read(os.environ["VEND_INSTANCE_DIR"] + "/director.log")


@probe
def write_environment(hints):
    return write(os.environ["VIRTUAL_ENV"] + "/lib/python3.11/site-packages/planted.pth")


@probe
def write_source(hints):
    sources = [p for p in glob.glob(hints["data"] + "/versions/*/src") if os.path.isdir(p)]
    return write(must(sources, "no source in sight")[0] + "/planted.py")


@probe
def write_system(hints):
    return write("/usr/planted")


@probe
def write_etc(hints):
    return write("/etc/planted")


@probe
def read_shadow(hints):
    return read("/etc/shadow")


@probe
def read_root_home(hints):
    return read(os.path.join("/root", ".bashrc")) or read(os.path.join("/root", ".profile"))


@probe
def read_host_logs(hints):
    return must(os.listdir("/var/log"))


@probe
def hard_link_out(hints):
    target = tempfile.mktemp()
    os.link("/usr/bin/env", target)
    return os.stat(target).st_nlink


@probe
def read_block_device(hints):
    found = [p for p in glob.glob("/dev/*") if os.path.exists(p) and os.stat(p).st_mode & 0o170000 == 0o060000]
    return read(must(found, "no block device in sight")[0]) and "read a disk"


@probe
def make_device(hints):
    path = tempfile.mktemp()
    os.mknod(path, 0o666 | 0o020000, os.makedev(1, 1))
    return os.open(path, os.O_RDONLY)


@probe
def open_kernel_memory(hints):
    return os.open("/dev/mem", os.O_RDONLY)


@probe
def write_core_pattern(hints):
    return os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)


@probe
def write_sysrq(hints):
    return os.open("/proc/sysrq-trigger", os.O_WRONLY)


@probe
def read_kcore(hints):
    return read("/proc/kcore") and "read kernel memory"


# ---- Other processes


def server(hints):
    """As far as it can be seen from here."""
    pid = hints["server"]
    must(os.path.exists(f"/proc/{pid}/cmdline") and b"serve" in read(f"/proc/{pid}/cmdline"), "not in sight")
    return pid


def director(hints):
    pid = hints["director"]
    must(os.path.exists(f"/proc/{pid}/cmdline") and b"director" in read_all(f"/proc/{pid}/cmdline"), "not in sight")
    return pid


def read_all(path):
    with open(path, "rb") as file:
        return file.read()


@probe
def read_server_environment(hints):
    return must(read_all(f"/proc/{server(hints)}/environ"), "nothing in it") and "read it"


@probe
def read_server_memory(hints):
    return os.open(f"/proc/{server(hints)}/mem", os.O_RDONLY)


@probe
def read_director_environment(hints):
    return must(read_all(f"/proc/{director(hints)}/environ")) and "read it"


@probe
def read_director_files(hints):
    return must(os.listdir(f"/proc/{director(hints)}/fd"))


@probe
def go_to_directors_root(hints):
    return must(os.listdir(f"/proc/{director(hints)}/root{hints['data']}"))


@probe
def trace_director(hints):
    pid = director(hints)
    call("ptrace", 0x4206, pid, 0, 0)  # PTRACE_SEIZE stops nothing
    call("ptrace", 17, pid, 0, 0)
    return "traced"


@probe
def signal_director(hints):
    os.kill(director(hints), 0)
    return "may signal it"


@probe
def signal_server(hints):
    os.kill(server(hints), 0)
    return "may signal it"


@probe
def read_first_memory(hints):
    must(read_all("/proc/1/environ") or read_all("/proc/1/cmdline"), "says nothing")
    return os.open("/proc/1/mem", os.O_RDONLY)


@probe
def read_first_environment(hints):
    return must(read_all("/proc/1/environ"), "nothing in it") and "read it"


@probe
def read_parents_environment(hints):
    return must(os.getppid() > 1 and read_all(f"/proc/{os.getppid()}/environ"), "no parent in sight") and "read it"


@probe
def read_by_process_vm(hints):
    pid = director(hints)
    room = ctypes.create_string_buffer(8)
    start = int(read_all(f"/proc/{pid}/maps").split(b"-")[0], 16)
    local = struct.pack("PN", ctypes.addressof(room), 8)
    remote = struct.pack("PN", start, 8)
    return call("process_vm_readv", pid, local, 1, remote, 1, 0)


@probe
def take_directors_descriptor(hints):
    pidfd = call("pidfd_open", director(hints), 0)
    return call("pidfd_getfd", pidfd, 2, 0)


@probe
def see_zygote(hints):
    """What this process may be forked from, and what else is."""
    lines = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(read_all(path))
    return must([line for line in lines if b"zygote.py" in line], "not in sight")[0]


@probe
def keep_a_way_out(hints):
    """Descriptors that lead to places or processes outside."""
    kinds = ("/proc/", "pidfd", "mnt:", "pid:", "net:", "user:", "/memfd:")
    links = {fd: os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{fd}")}
    found = [link for link in links.values() if any(kind in link for kind in kinds)]
    return must([link for link in found if link != f"/proc/{os.getpid()}/fd"], "none")


@probe
def see_other_processes(hints):
    seen = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    must(len(seen) > 12, f"sees {len(seen)} processes")
    return len(seen)


# ---- Rights


@probe
def become_root(hints):
    must(os.getuid() != 0 or os.path.exists("/root"), "root of nothing")
    os.setuid(0)
    return os.listdir("/root") is not None and f"user {os.getuid()}"


@probe
def run_setuid_program(hints):
    done = subprocess.run(["su", "-c", "id -u"], capture_output=True, stdin=subprocess.DEVNULL, timeout=10)
    must(done.returncode == 0, "refused")
    return must(done.stdout.strip() == b"0" and os.path.exists("/root"))


@probe
def raise_limit(hints):
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 21))
    return resource.getrlimit(resource.RLIMIT_NOFILE)


@probe
def set_priority(hints):
    os.setpriority(os.PRIO_PROCESS, 0, -5)
    os.setpriority(os.PRIO_PROCESS, 0, 0)
    return "set"


@probe
def write_control_group(hints):
    files = glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True)
    return os.open(must(files, "no control group in sight")[0], os.O_WRONLY)


@probe
def mount_memory(hints):
    folder = tempfile.mkdtemp()
    call("mount", b"none", folder.encode(), b"tmpfs", 0, 0)
    libc.umount2(folder.encode(), 0)
    return "mounted"


@probe
def make_user_namespace(hints):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if libc.unshare(CLONE_NEWUSER) == 0 else 1)
    return must(os.waitpid(pid, 0)[1] == 0, "refused")


@probe
def make_mount_namespace(hints):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if libc.unshare(CLONE_NEWNS) == 0 else 1)
    return must(os.waitpid(pid, 0)[1] == 0, "refused")


@probe
def enter_directors_namespace(hints):
    fd = os.open(f"/proc/{director(hints)}/ns/net", os.O_RDONLY)
    return call("setns", fd, 0)


@probe
def change_root(hints):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if libc.chroot(b"/usr") == 0 else 1)
    return must(os.waitpid(pid, 0)[1] == 0, "refused")


@probe
def set_host_name(hints):
    name = socket.gethostname().encode()
    return call("sethostname", name, len(name)) or "set"


def kernel(name, *arguments):
    """Parts of the kernel: anything but "not permitted" is a door."""

    def reach(hints):
        try:
            return call(name, *arguments)
        except OSError as error:
            if error.errno in (errno.EPERM, errno.ENOSYS):
                raise
            return f"{name} answers {errno.errorcode[error.errno]}"

    PROBES["call_" + name] = reach


kernel("io_uring_setup", 0, 0)
kernel("bpf", 0, 0, 0)
kernel("userfaultfd", -1)
kernel("perf_event_open", 0, 0, -1, -1, 0)
kernel("keyctl", 0, -4, 0)
kernel("add_key", 0, 0, 0, 0, 0)
kernel("open_by_handle_at", -1, 0, 0)
kernel("open_tree", -1, b"", 0)
kernel("fsopen", b"none", 0)
kernel("syslog", 3, 0, 0)
kernel("ptrace", 0x4206, 0, 0, 0)


@probe
def type_into_terminal(hints):
    master, slave = os.openpty()
    try:
        fcntl.ioctl(slave, 0x5412, b"x")
    finally:
        os.close(master)
        os.close(slave)
    return "typed"


# ---- Network


@probe
def connect_to_director(hints):
    with socket.socket(socket.AF_UNIX) as sock:
        folder = os.open(os.path.dirname(hints["socket"]), os.O_PATH)
        sock.connect(f"/proc/self/fd/{folder}/{os.path.basename(hints['socket'])}")
    return "connected"


@probe
def connect_to_server(hints):
    with socket.create_connection(("127.0.0.1", hints["port"]), timeout=5):
        return "connected"


@probe
def connect_to_listener(hints):
    """Some program of this machine that listens on all its addresses."""
    with socket.create_connection((hints["address"], hints["listener"]), timeout=5):
        return "connected"


@probe
def connect_to_abstract(hints):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect("\0" + hints["abstract"])
    return "connected"


@probe
def proxy_to_loopback(hints):
    with urllib.request.urlopen(f"http://localhost.:{hints['port']}/-/healthz", timeout=5) as reply:
        return reply.status


@probe
def proxy_to_host(hints):
    with urllib.request.urlopen(f"http://{hints['address']}:{hints['listener']}/", timeout=5) as reply:
        return reply.status


@probe
def raw_socket(hints):
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    return "made"


@probe
def packet_socket(hints):
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
    return "made"


@probe
def netlink_socket(hints):
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()
    return "made"


@probe
def vsock(hints):
    socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()
    return "made"


# ---- What a sandbox lets through where the network says so


@probe
def fetch_what_is_allowed(hints):
    with urllib.request.urlopen(hints["origin"], timeout=5) as reply:
        return reply.status


# ---- Other accounts


@probe
def find_what_others_keep(hints):
    """Files of others hold this text."""
    mark = hints["mark"].encode()
    for folder, _, names in os.walk("/"):
        for name in names if not folder.startswith(("/proc", "/sys", "/usr")) else ():
            path = os.path.join(folder, name)
            try:
                found = os.path.isfile(path) and mark in read(path)
            except OSError:
                continue
            if found:
                return path
    raise Refused("no file has it")


@probe
def keep_for_later(hints):
    with open(os.path.expanduser("~/kept"), "w") as file:
        file.write(hints["mark"])
    return "kept"


@probe
def fill_home(hints):
    with open(os.path.expanduser(f"~/large-{os.getpid()}"), "wb") as file:
        file.write(b"x" * hints["bytes"])
    return "filled"


@probe
def write_beside_devices(hints):
    return write("/dev/beside")


@probe
def fill_shared_memory(hints):
    """More than half of all memory that an instance may have."""
    return os.statvfs("/dev/shm").f_blocks * os.statvfs("/dev/shm").f_frsize


# ---- What stays


@probe
def leave_a_daemon(hints):
    """It is looked for from outside once the instance has gone."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve("/bin/sleep", [hints["name"], "600"], {})
        os._exit(0)
    return "left"


@probe
def ignore_the_end(hints):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return "ignores SIGTERM"

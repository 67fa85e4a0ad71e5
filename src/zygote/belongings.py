"""What setup() leaves beside memory: files that it wrote, and descriptors that it keeps.

Each fork has a working copy and a /tmp of its own: it gets the files there, and opens again what is
open, since a descriptor that is shared has one position for all."""

import os
import shutil
import stat

from child import Refused

MAX_BYTES = 64 << 20  # a fork copies them before its launcher loses patience
MAX_WRITTEN = 1000
MAX_LISTED = 100_000
PASSED_BY = "__pycache__"  # may be missing
FIRST_MOVED = 512  # a fork puts descriptors of its own there
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
GPUS = ("/dev/nvidia", "/dev/kfd", "/dev/dri/")
AGAIN = os.O_ACCMODE | os.O_APPEND | os.O_NONBLOCK | os.O_DIRECTORY | os.O_PATH


class Unfit(Exception):
    """Why forks of this process would not be what fresh starts are."""


def counted(number, what):
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# ---- Files


class Tree:
    """A folder and what is written below it from now on. What is there already stays out of view with
    `is_shared`: it is somebody else's, and forks see it at the same place."""

    def __init__(self, path, is_shared=False):
        self.path = path
        self.fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self.hidden = set(os.listdir(path)) if is_shared else set()
        self.before = self.list()
        self.written = []
        self.removed = []

    def list(self):
        found = {}
        folders = [""]
        while folders:
            folder = folders.pop()
            for entry in os.scandir(os.path.join(self.path, folder)):
                name = os.path.join(folder, entry.name)
                if entry.name == PASSED_BY or name in self.hidden:
                    continue
                status = entry.stat(follow_symlinks=False)
                is_folder = stat.S_ISDIR(status.st_mode)
                time = 0 if is_folder else status.st_mtime_ns
                found[name] = (status.st_mode, 0 if is_folder else status.st_size, time)
                if is_folder:
                    folders.append(name)
                if len(found) > MAX_LISTED:
                    raise Unfit(f"'{self.path}' has more than {MAX_LISTED} files")
        return found

    def look(self):
        """Returns how many bytes were written."""
        now = self.list()
        self.written = sorted(name for name in now if now[name] != self.before.get(name))
        self.removed = sorted(self.before.keys() - now.keys(), reverse=True)
        for name in self.written:
            kind = now[name][0]
            if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind) or stat.S_ISLNK(kind)):
                raise Unfit(f"its setup leaves '{name}', which is no file")
        if len(self.written) + len(self.removed) > MAX_WRITTEN:
            raise Unfit(f"its setup writes {len(self.written)} files")
        return sum(now[name][1] for name in self.written)

    def owns(self, path):
        inside = path.startswith(self.path + "/")
        return inside and path[len(self.path) + 1 :].split("/")[0] not in self.hidden

    def write_again(self, target):
        """`target` is seen by this process; the tree itself may be no longer, except through its
        descriptor."""
        for name in self.removed:
            path = os.path.join(target, name)
            if os.path.isdir(path) and not os.path.islink(path):
                os.rmdir(path)
            elif os.path.lexists(path):
                os.unlink(path)
        for name in self.written:
            write_one(f"/proc/self/fd/{self.fd}/{name}", os.path.join(target, name))


def write_one(source, target):
    status = os.lstat(source)
    if stat.S_ISDIR(status.st_mode):
        os.makedirs(target, exist_ok=True)
        os.chmod(target, stat.S_IMODE(status.st_mode))
        return
    if os.path.lexists(target):
        os.unlink(target)
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(source), target)
        return
    shutil.copyfile(source, target)
    os.chmod(target, stat.S_IMODE(status.st_mode))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


# ---- Descriptors


class Open:
    __slots__ = ("number", "path", "flags", "position", "size")

    def __init__(self, number):
        self.number = number
        self.path = os.readlink(f"/proc/self/fd/{number}")
        with open(f"/proc/self/fdinfo/{number}", encoding="utf-8") as file:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        self.flags = int(fields["flags"], 8)
        self.position = int(fields["pos"])
        status = os.stat(f"/proc/self/fd/{number}")
        self.size = status.st_size if stat.S_ISREG(status.st_mode) else None

    @property
    def is_writable(self):
        return self.flags & os.O_ACCMODE != os.O_RDONLY

    def check(self, trees):
        kind = self.path.partition(":")[0]
        if self.path.startswith(GPUS):
            raise Unfit("its setup uses a GPU")
        if kind in ("socket", "pipe"):
            raise Unfit(f"its setup keeps a {kind} open")
        if kind == "anon_inode":
            raise Unfit(f"its setup keeps {self.path.partition(':')[2]} open")
        if self.path in DEVICES:
            return
        if self.path.endswith(" (deleted)") or self.path.startswith("/proc/"):
            raise Unfit(f"its setup keeps '{self.path}' open")
        is_folder = os.path.isdir(self.path)
        if not is_folder and self.size is None:
            raise Unfit(f"its setup keeps '{self.path}' open")
        if self.is_writable and not any(tree.owns(self.path) for tree in trees):
            raise Unfit(f"its setup keeps '{self.path}' open for writing")
        if self.number >= FIRST_MOVED:
            raise Unfit("its setup keeps too many files open")

    def open_again(self, taken):
        if self.number in taken:
            raise Refused(f"descriptor {self.number} is one of the model's")
        fd = os.open(self.path, self.flags & AGAIN | os.O_CLOEXEC)
        if self.size is not None and os.fstat(fd).st_size != self.size:
            raise Refused(f"'{self.path}' has another size than after setup")
        if self.size is not None and not self.flags & os.O_PATH:
            os.lseek(fd, self.position, os.SEEK_SET)
        if fd != self.number:
            os.dup2(fd, self.number, inheritable=not self.flags & os.O_CLOEXEC)
            os.close(fd)


def list_open():
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = Open(int(name))
        except OSError:
            # The one of the listing itself.
            pass
    return found

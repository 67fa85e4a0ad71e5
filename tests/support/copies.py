"""What this machine has for working copies, and what a version's folder holds."""

import fcntl
import os
import pathlib
import subprocess

FICLONE = 0x40049409
KINDS = ("overlay", "reflink", "copy")


def has_reflinks(folder):
    one, other = pathlib.Path(folder) / "clone-from", pathlib.Path(folder) / "clone-to"
    one.write_text("x")
    try:
        with open(one) as source, open(other, "w") as target:
            fcntl.ioctl(target, FICLONE, source.fileno())
    except OSError:
        return False
    finally:
        one.unlink()
        other.unlink()
    return True


def has_mounts():
    tried = [["unshare", "-m", "true"], ["unshare", "-Urm", "true"]]
    return any(subprocess.run(words, capture_output=True).returncode == 0 for words in tried)


def has_overlays(folder):
    """As whoever may mount, and on this filesystem."""
    place = pathlib.Path(folder) / "overlay-probe"
    for name in ("lower", "upper", "work", "at"):
        (place / name).mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work"
    for how, more in (["-m"], ""), (["-Urm"], ",userxattr"):
        words = ["unshare", *how, "mount", "-t", "overlay", "-o", options + more, "none", f"{place}/at"]
        if subprocess.run(words, capture_output=True).returncode == 0:
            return True
    return False


def is_possible(kind, folder):
    if kind == "overlay":
        return has_overlays(folder)
    return kind == "copy" or has_reflinks(folder)


def content_of(folder):
    """{path: mode, target or bytes} of all that is in it."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in folders + files:
            path = pathlib.Path(parent) / name
            status = path.lstat()
            what = os.readlink(path) if path.is_symlink() else None
            if what is None and path.is_file():
                what = path.read_bytes()
            found[str(path.relative_to(folder))] = (oct(status.st_mode), what)
    return found

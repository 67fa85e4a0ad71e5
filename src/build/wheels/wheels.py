"""Makes wheels of the packages that are installed in the environment of this Python.

Usage: python -I wheels.py FOLDER

The same environment gives the same files. Prints one JSON object: what binary packages depend on, the wheels,
and the files of the environment that are in no package.
"""

import base64
import configparser
import hashlib
import json
import os
import pathlib
import platform
import re
import stat
import sys
import sysconfig
import zipfile
from importlib import metadata

# Written by installers, about the place that they installed to.
OF_THE_INSTALLER = {"INSTALLER", "RECORD", "RECORD.jws", "RECORD.p7s", "REQUESTED", "direct_url.json",
                    "uv_build.json", "uv_cache.json"}
# Made with the environment itself.
OF_THE_ENVIRONMENT = {"_virtualenv.py", "_virtualenv.pth"}
CHUNK = 1 << 20


class Refused(Exception):
    pass


def is_byte_code(path):
    return path.suffix == ".pyc" or "__pycache__" in path.parts


def file_name(name, version, wheel):
    tags = [line.partition(":")[2].strip().split("-") for line in wheel if line.startswith("Tag:")]
    if not tags or any(len(tag) != 3 for tag in tags):
        raise Refused(f"{name} {version}: its WHEEL file has no tags")
    build = [line.partition(":")[2].strip() for line in wheel if line.startswith("Build:")]
    parts = [re.sub(r"[-_.]+", "_", name).lower(), version.replace("-", "_"), *build[:1]]
    for place in range(3):
        parts.append(".".join(dict.fromkeys(tag[place] for tag in tags)))
    return "-".join(parts) + ".whl"


def generated_scripts(folder):
    """The names of scripts that installers make."""
    path = folder / "entry_points.txt"
    if not path.is_file():
        return set()
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str
    parser.read_string(path.read_text(encoding="utf-8"))
    return {name for section in ("console_scripts", "gui_scripts") if parser.has_section(section)
            for name in parser[section]}


class Place:
    """Where the files of an environment belong in a wheel."""

    def __init__(self):
        paths = sysconfig.get_paths()
        self.site = pathlib.Path(paths["purelib"]).resolve()
        self.scripts = pathlib.Path(paths["scripts"]).resolve()
        self.prefix = pathlib.Path(sys.prefix).resolve()
        self.shebangs = [f"#!{self.scripts}/{name}".encode() for name in os.listdir(self.scripts)
                         if name.startswith("python")]

    def of(self, path, data):
        if path.is_relative_to(self.site):
            return path.relative_to(self.site).as_posix()
        if path.parent == self.scripts:
            return f"{data}/scripts/{path.name}"
        if path.is_relative_to(self.prefix):
            return f"{data}/data/{path.relative_to(self.prefix).as_posix()}"
        return None


def content_of(path, inside, place):
    """Bytes to write in place of the file's own; None: those."""
    if "/scripts/" not in inside:
        return None
    data = path.read_bytes()
    line, found, rest = data.partition(b"\n")
    if line.rstrip() in place.shebangs:
        return b"#!python" + found + rest
    return None


def write_entry(archive, inside, path, data, mode):
    info = zipfile.ZipInfo(inside, date_time=(1980, 1, 1, 0, 0, 0))
    info.create_system = 3
    info.external_attr = (stat.S_IFREG | mode) << 16
    info.file_size = path.stat().st_size if data is None else len(data)
    digest = hashlib.sha256()
    with archive.open(info, "w") as out:
        if data is not None:
            out.write(data)
            digest.update(data)
        else:
            with path.open("rb") as source:
                while chunk := source.read(CHUNK):
                    out.write(chunk)
                    digest.update(chunk)
    text = base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
    return f"{quoted(inside)},sha256={text},{info.file_size}\n"


def quoted(name):
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',"') else name


def find_files(distribution, folder, place):
    """Path in the wheel → (path on disk, bytes that replace its own); all paths that the package owns."""
    name, version = distribution.metadata["Name"], distribution.version
    data = f"{folder.name.removesuffix('.dist-info')}.data"
    made = generated_scripts(folder)
    found, owned = {}, set()
    for entry in distribution.files:
        path = pathlib.Path(os.path.normpath(place.site / entry))
        owned.add(path)
        inside = place.of(path, data)
        if inside is None:
            raise Refused(f"{name} {version}: its file {entry} is outside of the environment")
        of_installer = path.parent == folder and path.name in OF_THE_INSTALLER
        of_script = path.parent == place.scripts and path.name in made
        # A file that is gone was removed after the installation, and nothing misses it here.
        if not (is_byte_code(path) or of_installer or of_script) and path.is_file():
            found[inside] = (path, content_of(path, inside, place))
    return found, owned


def make_wheel(distribution, place, target):
    name, version = distribution.metadata["Name"], distribution.version
    folder = pathlib.Path(str(distribution._path)).resolve()
    wheel = distribution.read_text("WHEEL")
    if wheel is None or not distribution.files:
        raise Refused(f"{name} {version}: it was not installed from a wheel")
    file = file_name(name, version, wheel.splitlines())
    found, owned = find_files(distribution, folder, place)
    record = []
    # Without compression: the archive that the wheels go into has its own.
    with zipfile.ZipFile(target / file, "w", zipfile.ZIP_STORED) as archive:
        # The metadata last, as in all wheels.
        for inside in sorted(found, key=lambda path: (path.startswith(folder.name + "/"), path)):
            path, data = found[inside]
            mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            record.append(write_entry(archive, inside, path, data, mode))
        inside = f"{folder.name}/RECORD"
        text = "".join(record) + f"{inside},,\n"
        write_entry(archive, inside, folder, text.encode(), 0o644)
    return {"name": name, "version": version, "file": file}, owned


def strays(place, owned):
    """Files that no package owns: commands of a build put them there, and they are in no wheel."""
    for path in sorted(place.site.rglob("*")):
        if path.is_file() and path not in owned and not is_byte_code(path):
            if path.name not in OF_THE_ENVIRONMENT and not path.parent.name.endswith(".dist-info"):
                yield path.relative_to(place.site).as_posix()


def main():
    target = pathlib.Path(sys.argv[1])
    place = Place()
    wheels, owned = [], set()
    distributions = metadata.distributions(path=[str(place.site)])
    for distribution in sorted(distributions, key=lambda d: d.metadata["Name"].lower()):
        wheel, files = make_wheel(distribution, place, target)
        wheels.append(wheel)
        owned |= files
    libc = " ".join(platform.libc_ver())
    soabi = sysconfig.get_config_var("SOABI")
    print(json.dumps({
        "python": platform.python_version(),
        "platform": f"{sysconfig.get_platform()} {soabi} {libc}",
        "wheels": wheels,
        "strays": list(strays(place, owned))[:20],
    }))


if __name__ == "__main__":
    try:
        main()
    except Refused as problem:
        print(json.dumps({"error": str(problem)}))

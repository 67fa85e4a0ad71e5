"""Builds the page and turns it into C: build.py SOURCE WORK ASSETS.c BLOBS.S NEEDED, where NEEDED is
"enabled" (no page is an error) or "auto" (without Node, or without its packages, the table is empty).

WORK keeps the packages between builds. Files are compressed here, so that the server does not have to."""

import gzip
import hashlib
import mimetypes
import os
import pathlib
import shutil
import subprocess
import sys

LEAST_NODE = (20, 19)
SKIPPED = {"node_modules", "dist"}
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8"}


class NoPage(Exception):
    """The page cannot be built, for a reason that its text tells."""


def version_of(node):
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in said.strip().lstrip("v").split(".")[:2] or [0])


def find_node():
    """`node`, and the words that start its npm: $VEND_NODE, or what is on PATH."""
    node = os.environ.get("VEND_NODE") or shutil.which("node")
    if node is None or version_of(node) < LEAST_NODE:
        raise NoPage(f"Node of at least {LEAST_NODE[0]}.{LEAST_NODE[1]} is needed; VEND_NODE may name its path")
    beside = pathlib.Path(node).parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if beside.exists():
        return node, [node, str(beside)]
    npm = shutil.which("npm")
    if npm is None:
        raise NoPage("npm is needed")
    return node, [npm]


def run(command, work, env):
    done = subprocess.run(command, cwd=work, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoPage(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-4000:]}")


def copy_sources(source, work):
    for entry in work.iterdir():
        if entry.name not in SKIPPED and not entry.name.startswith("."):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for entry in source.iterdir():
        if entry.name in SKIPPED:
            continue
        if entry.is_dir():
            shutil.copytree(entry, work / entry.name)
        else:
            shutil.copy2(entry, work / entry.name)


def build_page(source, work):
    node, npm = find_node()
    work.mkdir(parents=True, exist_ok=True)
    copy_sources(source, work)
    env = {**os.environ, "PATH": f"{pathlib.Path(node).parent}:{os.environ.get('PATH', '')}"}
    stamp = hashlib.sha256((work / "package-lock.json").read_bytes()).hexdigest()
    done = work / "node_modules" / ".vend-lock"
    if not done.exists() or done.read_text() != stamp:
        run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], work, env)
        done.write_text(stamp)
    shutil.rmtree(work / "dist", ignore_errors=True)
    run([node, "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"], work, env)
    return sorted(path for path in (work / "dist").rglob("*") if path.is_file())


def type_of(path):
    return TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def compress(path):
    """The path of the compressed file, or None where that gains nothing."""
    data = path.read_bytes()
    small = gzip.compress(data, 9, mtime=0)
    if len(small) > len(data) * 9 // 10:
        return None
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(small)
    return packed


def write_c(files, root, assets, blobs):
    table, assembly, names = [], ['.section .note.GNU-stack,"",%progbits', ".section .rodata"], []
    whole = hashlib.sha256()
    for i, path in enumerate(files):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(root)} {digest}\n".encode())
        packed = compress(path)
        for suffix, content in (("", path), ("_gz", packed)):
            if content is None:
                continue
            name = f"vend_web_asset_{i}{suffix}"
            names.append(name)
            assembly += [f".global {name}", f"{name}:", f'.incbin "{content}"']
        row = [f'"/{path.relative_to(root)}"', f'"{type_of(path)}"', f'"{digest[:32]}"']
        row += [f"vend_web_asset_{i}", str(path.stat().st_size)]
        row += [f"vend_web_asset_{i}_gz", str(packed.stat().st_size)] if packed else ["NULL", "0"]
        table.append("  { " + ", ".join(row) + " },")
    externs = [f"extern const unsigned char {name}[];" for name in names]
    text = ['#include "web/assets.h"', *externs, "", "const VendWebAsset vend_web_assets[] = {", *table]
    text += ["  { NULL, NULL, NULL, NULL, 0, NULL, 0 },", "};"]
    text += [f'const char vend_web_assets_build[] = "{whole.hexdigest()[:16] if files else ""}";']
    pathlib.Path(assets).write_text("\n".join(text) + "\n")
    pathlib.Path(blobs).write_text("\n".join(assembly) + "\n")


def main(source, work, assets, blobs, needed):
    work = pathlib.Path(work).resolve()
    files = []
    try:
        if needed != "disabled":
            files = build_page(pathlib.Path(source), work)
    except NoPage as problem:
        print(f"The web page is not built: {problem}", file=sys.stderr)
        if needed == "enabled":
            return 1
    write_c(files, work / "dist", assets, blobs)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

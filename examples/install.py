"""Copies the example models into the folder that `vend examples` reads. Run by `meson install`."""

import os
import pathlib
import shutil
import sys

# What using an example leaves in its folder, and what editors and file managers do.
LEFTOVERS = ("__pycache__", "*.pyc", ".*", "*~", "venv", "*.egg-info", "build", "node_modules")


def main():
    source = pathlib.Path(__file__).resolve().parent
    target = pathlib.Path(os.environ["MESON_INSTALL_DESTDIR_PREFIX"]) / sys.argv[1]
    for project in sorted(source.iterdir()):
        if (project / "cog.yaml").is_file():
            # Files that an older version had must not stay in what is pushed.
            shutil.rmtree(target / project.name, ignore_errors=True)
            shutil.copytree(project, target / project.name, ignore=keep)
            print(f"Installing {project.name} to {target}")


def keep(folder, names):
    """`.dockerignore` is the one hidden file that counts."""
    return shutil.ignore_patterns(*LEFTOVERS)(folder, names) - {".dockerignore"}


main()

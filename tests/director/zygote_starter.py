"""A zygote and launchers without a server: the programs as they are built in."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "src" / "zygote"
LAUNCHER = (
    pathlib.Path(os.environ.get("VEND_TEST_BUILD", ROOT / "build-test"))
    / "src/zygote/python-launcher"
)
PYTHON = sys.executable
TIMEOUT_S = 30


class Zygote:
    def __init__(self, directory, imports=(), modules=None):
        """`modules` are files (name -> source) that can be imported beside the installed ones."""
        self.directory = directory
        self.socket_path = directory / "zygote.sock"
        self.report_path = directory / "report"
        self.source = directory / "source"
        self.unfit_path = directory / "unfit"
        self.imports_path = directory / "imports"
        self.bin = directory / "scripts" / "bin"
        self.source.mkdir()
        self.bin.mkdir(parents=True)
        shutil.copy(LAUNCHER, self.bin / "python")
        for script in SCRIPTS.glob("*.py"):
            shutil.copy(script, self.bin.parent)
        packages = directory / "packages"
        packages.mkdir()
        for name, text in (modules or {}).items():
            (packages / name).write_text(text)
        self.imports_path.write_text("".join(f"{name}\n" for name in imports))
        self.plain_environment = {
            "PATH": f"{os.path.dirname(PYTHON)}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(packages),
            "PYTHONDONTWRITEBYTECODE": "1",
            "VEND_INSTANCE_DIR": str(directory / "instance"),
        }
        self.process = None
        self.link = None

    def start(self, **options):
        """One line: how it went."""
        self.link, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec 3<&{theirs.fileno()}; exec "$@"', "bash", PYTHON,
             self.bin.parent / "zygote.py", self.socket_path, self.imports_path, self.unfit_path,
             "-" * 512],
            env={"VEND_ZYGOTE_SPACE": "-" * 16384, **self.plain_environment},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            **options,
        )  # fmt: skip
        theirs.close()
        self.link.settimeout(TIMEOUT_S)
        return self.link.makefile().readline().strip()

    @property
    def environment(self):
        return {
            **self.plain_environment,
            "PATH": f"{self.bin}:{self.plain_environment['PATH']}",
            "VEND_LAUNCH_DIR": str(self.bin),
            "VEND_LAUNCH_PYTHON": PYTHON,
            "VEND_LAUNCH_ZYGOTE": str(self.socket_path),
            "VEND_LAUNCH_REPORT": str(self.report_path),
        }

    def popen(self, *arguments, plainly=False, command=(), env=None, **options):
        program = PYTHON if plainly else "python"
        environment = self.plain_environment if plainly else self.environment
        return subprocess.Popen(
            [*command, program if plainly else str(self.bin / program), *arguments],
            env={**environment, **(env or {})},
            cwd=self.source,
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )

    def run(self, *arguments, input=None, **options):
        """Exit status, output and errors; the zygote's part in it is in `report`."""
        self.report_path.unlink(missing_ok=True)
        process = self.popen(*arguments, stdin=subprocess.PIPE, **options)
        out, errors = process.communicate(input, timeout=TIMEOUT_S)
        return process.returncode, out, errors

    @property
    def report(self):
        return self.report_path.read_text().splitlines() if self.report_path.exists() else []

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.link.close()

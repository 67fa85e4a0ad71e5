"""A file that a model and a test both reach, isolated or not."""

import os
import pathlib
import sqlite3
import uuid

from vend_server import ACCOUNT

FIRST_USER = 1_900_000_000


def _isolation(server):
    said = next(record for record in server.log() if record.get("message") == "isolation of models")["by"]
    return "sandbox" if said.startswith("bubblewrap") else "landlock" if said.startswith("Landlock") else "none"


def _make_home(server):
    """The folder of the account as the first start of a model makes it."""
    folder = server.data / "homes" / ACCOUNT
    if not folder.exists():
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        folder.mkdir(mode=0o700)
        with sqlite3.connect(server.data / "vend.db") as database:
            (account,) = database.execute("SELECT id FROM accounts WHERE username = ?", (ACCOUNT,)).fetchone()
        if os.geteuid() == 0 and _isolation(server) == "sandbox":
            os.chown(folder, FIRST_USER + account, FIRST_USER + account)
    return folder


class SharedFile:
    """A new name in HOME of the account's models. As a text it is the path that a model knows it by; `path`
    is where it lies."""

    def __init__(self, server):
        name = f"shared-{uuid.uuid4().hex}"
        plain = server.data / "home"
        isolation = _isolation(server)
        if isolation == "none":
            plain.mkdir(exist_ok=True)
        folder = plain if isolation == "none" else _make_home(server)
        self.path = folder / name
        self._shown = (folder if isolation == "landlock" else plain) / name

    def __str__(self):
        return str(self._shown)

    def exists(self):
        return self.path.exists()

    def open_gate(self, i):
        """Models that wait at a gate look for such a file."""
        pathlib.Path(f"{self.path}.{i}").touch()

    def lines(self):
        return self.path.read_text().splitlines() if self.exists() else []

"""Servers of one test or module, and the models that they serve."""

import contextlib
import pathlib

from vend_server import Server
from waiting import wait_until

STANDING_BY = "standing by: another server has the database"
MODELS = pathlib.Path(__file__).resolve().parents[1] / "models"


class Servers:
    """Makes servers and takes them down; a sanitizer's report fails the test."""

    def __init__(self, binary, template, directory):
        self.binary = binary
        self.template = template
        self.directory = directory
        self.stack = contextlib.ExitStack()
        self.made = []

    def __call__(self, *flags, empty=False, start=True, env=None):
        server = Server(
            self.binary,
            self.directory / f"server-{len(self.made)}",
            flags,
            env=env,
            template=None if empty else self.template,
        )
        self.keep(server)
        return server.start() if start else server

    def keep(self, server):
        """Takes it down with the others."""
        self.made.append(server)
        self.stack.callback(server.destroy)

    def stand_by(self, first, *flags, data=None):
        """A server that waits for the database of another one, in its data directory or in a copy of that."""
        directory = self.directory / f"standby-{len(self.made)}"
        server = Server(self.binary, directory, flags, store=first.store)
        server.data = data or first.data
        self.keep(server)
        server.spawn("--standby")
        wait_until(lambda: server.says(STANDING_BY), what="the server to stand by")
        return server

    def close(self):
        self.stack.close()
        for server in self.made:
            assert not server.sanitizer_reports(), server.sanitizer_reports()

"""Servers of one test or module, and the models that they serve."""

import contextlib
import pathlib

from vend_server import Server

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
        self.made.append(server)
        self.stack.callback(server.destroy)
        return server.start() if start else server

    def close(self):
        self.stack.close()
        for server in self.made:
            assert not server.sanitizer_reports(), server.sanitizer_reports()

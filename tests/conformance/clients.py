"""The official clients: how they are started, and what each does not offer."""

import os
import pathlib

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VENV = pathlib.Path(os.environ.get("VEND_TEST_VENV", ROOT / ".venv"))
VENV2 = pathlib.Path(os.environ.get("VEND_TEST_VENV2", ROOT / ".venv-replicate2"))

COMMANDS = {
    "python1": [VENV / "bin/python", HERE / "python1/worker.py"],
    "python2": [VENV2 / "bin/python", HERE / "python2/worker.py"],
    "javascript": ["node", HERE / "js/worker.js"],
}

# What a client does not offer.
MISSING = {
    "python1": {
        "abort": "is given no signal",
        "download": "has no such method",
        "examples": "has no such method",
        "readme": "has no such method",
        "search": "has no such method",
        "update_model": "has no such method",
        "use": "is of 2.x",
        "use_in_pieces": "is of 2.x",
        "validate_parsed": "takes texts only",
    },
    "python2": {
        "abort": "is given no signal",
        "stream": "reads no event streams: it polls instead",
        "validate": "has no such method",
        "validate_parsed": "has no such method",
    },
    "javascript": {
        "delete_model": "has no such method",
        "delete_version": "has no such method",
        "download": "has no such method",
        "examples": "has no such method",
        "readme": "has no such method",
        "search": "has no such method",
        "update_model": "has no such method",
        "use": "is of Python 2.x",
        "use_in_pieces": "is of Python 2.x",
    },
}


class Client:
    """`client("run", ref=…)` makes the call with one of the official clients."""

    def __init__(self, name, worker, url, token):
        self.name = name
        self.worker = worker
        self.options = {"url": url, "token": token}

    def __call__(self, call, **arguments):
        if call in MISSING[self.name]:
            pytest.skip(f"{self.name}: {call} {MISSING[self.name][call]}")
        return self.worker.call(call, self.options, **arguments)

    def has(self, call):
        return call not in MISSING[self.name]

    def but(self, **options):
        """The same client, constructed otherwise."""
        other = Client(self.name, self.worker, **self.options)
        other.options.update(options)
        return other

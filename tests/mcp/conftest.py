"""The MCP endpoint of the real server, asked by plain HTTP and by the official clients."""

import os
import pathlib

import pytest
from client_worker import ClientWorker
from mcp_http import LEGACY, MODERN, Mcp

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VENVS = {
    "python1": os.environ.get("VEND_TEST_MCP1", ROOT / ".venv-mcp1"),
    "python2": os.environ.get("VEND_TEST_MCP2", ROOT / ".venv-mcp2"),
}


@pytest.fixture
def mcp(server):
    """Of the newest revision."""
    return Mcp(server)


@pytest.fixture(params=(MODERN, *LEGACY))
def any_mcp(server, request):
    return Mcp(server, request.param)


class Client:
    def __init__(self, worker, server):
        self.worker = worker
        self.server = server

    def __call__(self, call, path="/mcp", token=None, **arguments):
        options = {"url": self.server.url + path, "token": token or self.server.token}
        return self.worker.call(call, options, **arguments)


@pytest.fixture(scope="module", params=sorted(VENVS))
def client(request, server):
    python = pathlib.Path(VENVS[request.param]) / "bin/python"
    worker = ClientWorker([python, HERE / request.param / "worker.py"])
    made = Client(worker, server)
    made.is_modern = request.param == "python2"
    yield made
    worker.close()

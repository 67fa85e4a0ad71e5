"""The official clients, each in a process of its own, behind the proxy."""

import types

import pytest
from api import Api
from client_worker import ClientWorker
from clients import COMMANDS, Client


@pytest.fixture
def proxied(server, proxy):
    """The helper of the API tests, behind the proxy."""
    return Api(
        types.SimpleNamespace(
            url=proxy.url, ca=server.ca, token=server.token, binary=server.binary
        )
    )


@pytest.fixture(scope="module")
def workers(server):
    trust = {"SSL_CERT_FILE": server.ca, "NODE_EXTRA_CA_CERTS": server.ca} if server.ca else {}
    made = {name: ClientWorker(command, trust) for name, command in COMMANDS.items()}
    yield made
    for worker in made.values():
        worker.close()


@pytest.fixture(params=sorted(COMMANDS))
def client(request, workers, proxy, server):
    return Client(request.param, workers[request.param], proxy.url, server.token)

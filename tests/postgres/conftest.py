"""One PostgreSQL server for all tests of the folder, unless VEND_TEST_POSTGRES names one."""

import itertools
import os

import pytest

from postgres import Cluster, make_database
from servers import Servers

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def url_form():
    named = os.environ.get("VEND_TEST_POSTGRES")
    if named:
        yield named
        return
    cluster = Cluster()
    os.environ["VEND_TEST_POSTGRES"] = cluster.url_form
    yield cluster.url_form
    del os.environ["VEND_TEST_POSTGRES"]
    cluster.close()


@pytest.fixture(autouse=True)
def on_server(url_form):
    """Servers of these tests have their store there."""


@pytest.fixture
def own_cluster(binary, monkeypatch):
    """One that a test may hurt."""
    cluster = Cluster(port=5433)
    monkeypatch.setenv("VEND_TEST_POSTGRES", cluster.url_form)
    yield cluster
    cluster.close()


@pytest.fixture
def database(url_form):
    return make_database(url_form, f"new_{os.getpid()}_{next(NUMBERS)}")


@pytest.fixture
def empty_servers(binary, tmp_path):
    made = Servers(binary, None, tmp_path)
    yield made
    made.close()

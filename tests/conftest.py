"""Fixtures of the suites that run the real server: the binary, pushed models, servers."""

import fcntl
import os
import pathlib
import sqlite3
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from checking_proxy import make_proxy  # noqa: E402
from servers import MODELS, Servers  # noqa: E402
from shelf import Shelf  # noqa: E402
from shim import Shim  # noqa: E402
from vend_server import ACCOUNT, ON_POSTGRES, Server  # noqa: E402


def skip_instead(*_, **__):
    pytest.skip("looks into the file of SQLite")


@pytest.fixture(scope="session", autouse=True)
def no_file_on_a_server():
    if ON_POSTGRES in os.environ:
        sqlite3.connect = skip_instead


def find_binary():
    named = os.environ.get("VEND_BINARY")
    binary = pathlib.Path(named) if named else ROOT / "build" / "vend"
    if not binary.is_file():
        pytest.exit(f"{binary} is not there: build it, or name it with VEND_BINARY", returncode=2)
    return binary.resolve()


@pytest.fixture(scope="session")
def binary():
    return find_binary()


@pytest.fixture(scope="session")
def is_sanitized(binary):
    """Such a build is several times slower; floods are smaller for it."""
    return b"__asan_init" in binary.read_bytes()


def push_models(binary, directory):
    """A data directory in which every model of tests/models is pushed."""
    server = Server(binary, directory, store="")
    try:
        server.start()
        for model in sorted(MODELS.iterdir()):
            pushed = server.cli("push", model, f"{ACCOUNT}/{model.name}", "--public")
            assert pushed.returncode == 0, pushed.stderr
        assert server.stop() == 0
    finally:
        server.destroy()


@pytest.fixture(scope="session")
def template(binary, tmp_path_factory):
    """Made once for all workers; VEND_TEST_TEMPLATE names one that is kept between runs."""
    kept = os.environ.get("VEND_TEST_TEMPLATE")
    base = pathlib.Path(kept) if kept else tmp_path_factory.getbasetemp()
    if not kept and "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    base.mkdir(parents=True, exist_ok=True)
    with open(base / "models.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (base / "models" / "done").exists():
            push_models(binary, base / "models")
            (base / "models" / "done").touch()
    return base / "models" / "data"


@pytest.fixture
def servers(binary, template, tmp_path):
    made = Servers(binary, template, tmp_path)
    yield made
    made.close()


@pytest.fixture
def shimmed(servers, tmp_path):
    """A server, with more flags, and what its disk and its clock do."""

    def start(*flags, start=True):
        built = pathlib.Path(os.environ.get("VEND_TEST_BUILD") or ROOT / "build-test")
        library = built / "tests" / "soak" / "vend-fault-shim.so"
        shim = Shim(library, tmp_path, tmp_path / "server-0" / "data")
        server = servers(*flags, start=False, env=shim.env)
        server.env["ASAN_OPTIONS"] += ":verify_asan_link_order=0"
        return server.start() if start else server, shim

    return start


@pytest.fixture(scope="module")
def server(binary, template, tmp_path_factory, request):
    """One server for the tests of a module that do not disturb each other."""
    made = Servers(binary, template, tmp_path_factory.mktemp("module"))
    yield made(*getattr(request.module, "FLAGS", ()))
    made.close()


@pytest.fixture(scope="session")
def shelf(binary, tmp_path_factory):
    """The examples, on a server of their own; an idle one leaves its memory to the next."""
    made = Servers(binary, None, tmp_path_factory.mktemp("shelf"))
    yield Shelf(made("--max-instances", "1", "--idle-timeout", "5s", empty=True))
    made.close()


@pytest.fixture(scope="module")
def module_proxy(server):
    made = make_proxy(server)
    yield made
    made.close()


@pytest.fixture
def proxy(module_proxy):
    """Empty for each test; a wrong reply of any kind fails the test that got it."""
    module_proxy.forget()
    yield module_proxy
    module_proxy.before = None
    faults = module_proxy.take_faults()
    assert not faults, "\n".join(faults)


@pytest.fixture
def api(server):
    return server.api()


@pytest.fixture(scope="module")
def other(server):
    """Another account's client, on the same server."""
    admin = server.api()
    admin.post("/accounts", {"username": "other"}, 201)
    made = admin.post(
        "/tokens", {"name": "t", "scopes": ["read", "run", "push"], "account": "other"}, 201
    )
    return server.api(made.json()["token"])

"""/-/healthz while a part of the server stands still, and afterwards."""

import contextlib
import ctypes
import os
import threading

import pytest

from waiting import wait_until

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000
# Well beyond what is called stuck.
STANDS_S = 25


def ptrace(request, thread):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    if libc.ptrace(request, thread, None, None) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def stopped(thread):
    """This one thread of the process alone; SIGSTOP would stop all of them."""
    try:
        ptrace(PTRACE_SEIZE, thread)
    except PermissionError:
        pytest.skip("no right to trace")
    try:
        ptrace(PTRACE_INTERRUPT, thread)
        os.waitpid(thread, WALL)
        yield
    finally:
        ptrace(PTRACE_DETACH, thread)


def health(api):
    reply = api.session.get(f"{api.server.url}/-/healthz", timeout=30)
    return reply.status_code, reply.json()


def is_healthy(api):
    return health(api)[0] == 200


def unhealthy(api):
    status, body = health(api)
    return body if status == 503 else None


def test_a_core_thread_that_stands_still(servers):
    server = servers()
    api = server.api()
    assert is_healthy(api)
    with stopped(server.pid()):
        body = wait_until(lambda: unhealthy(api), what="503")
        assert body["part"] == "core thread" and "has not answered for" in body["detail"]
    wait_until(lambda: is_healthy(api), what="200")
    assert api.run("echo", {"text": "on"})["output"] == "on"


def test_a_writer_that_stands_still(shimmed):
    server, shim = shimmed()
    api = server.api()
    assert is_healthy(api)
    shim.set_sync_delay(STANDS_S)
    made = []
    creator = threading.Thread(target=lambda: made.append(server.api().create("echo", {"text": "late"})))
    creator.start()
    body = wait_until(lambda: unhealthy(api), what="503")
    assert body["part"] == "writer" and "has not answered for" in body["detail"]
    shim.set_sync_delay(0)
    wait_until(lambda: is_healthy(api), what="200")
    creator.join()
    assert api.ended(made[0])["output"] == "late"

"""Few open files: the server says so, or serves fewer connections, and its log stays short."""

import socket

import pytest
from vend_server import Server
from waiting import wait_until


def limited(binary, directory, files, *flags):
    """`vend serve` behind a shell that lowers its limit."""
    script = directory / "limited"
    script.write_text(f'#!/bin/sh\nulimit -n {files}\nexec "{binary}" "$@"\n')
    script.chmod(0o755)
    return Server(script, directory, flags=flags)


def test_too_few_to_start(binary, tmp_path):
    server = limited(binary, tmp_path, 64)
    server.spawn()
    assert server.wait() == 1
    assert "the limit of open files is 64" in server.log_path.read_text()


@pytest.mark.parametrize("flags, level", [((), "info"), (("--max-connections", "16384"), "warn")])
def test_a_lowered_limit_is_a_warning_only_when_it_was_set(binary, tmp_path, flags, level):
    server = limited(binary, tmp_path, 256, *flags)
    server.start()
    lowered = [r for r in server.log() if "max-connections is lowered" in r["message"]]
    assert [r["level"] for r in lowered] == [level]
    assert server.stop() == 0


def test_more_connections_than_files(binary, tmp_path):
    server = limited(binary, tmp_path, 256)
    server.start()
    lowered = [r for r in server.log() if "max-connections is lowered" in r["message"]]
    assert [r["connections"] for r in lowered] == ["144"]
    address = ("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    clients = [socket.create_connection(address) for _ in range(400)]
    # Half of them may be of one address; the others are told, and those that stay ask nothing.
    session = server.api().session
    for client in clients:
        client.close()
    wait_until(lambda: session.get(server.url + "/-/healthz", timeout=30).ok, what="an answer")
    assert server.stop() == 0
    assert len(server.log_path.read_text().splitlines()) < 100


def test_files_that_may_not_grow(binary, tmp_path):
    """A limit of file sizes is a full disk, and ends no process."""
    script = tmp_path / "limited"
    script.write_text(f'#!/bin/sh\nulimit -f 4000\nexec "{binary}" "$@"\n')
    script.chmod(0o755)
    server = Server(script, tmp_path)
    server.start()
    api = server.api()
    reply = api.call(
        "POST", "/files", files={"content": ("big.bin", b"x" * (6 << 20), "application/octet-stream")}
    )
    assert reply.status_code == 507, reply.text
    assert api.get("/account").json()["type"]
    assert server.stop() == 0

"""Signals that are not for the server, and descriptors that are not there."""

import os
import signal
import subprocess

import processes
import pytest
from waiting import wait_until

STRAY = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGHUP, signal.SIGPIPE]


def test_stray_signals_end_neither_server_nor_director(servers):
    server = servers()
    server.api().run("echo", {"text": "warm"})
    (director,) = processes.directors(server.data)
    for number in STRAY:
        server.signal(number)
        os.kill(director, number)
    assert server.api().run("echo", {"text": "still"})["output"] == "still"
    assert server.process.poll() is None
    assert processes.directors(server.data) == [director]
    assert server.stop() == 0


def said(server, message):
    return [r["setting"] for r in server.log() if r.get("message", "").startswith(message)]


def test_hangup_takes_what_may_change(servers):
    server = servers()
    conf = server.data / "vend.conf"
    conf.write_text("log-level = debug\nmax-body = 2K\n")
    server.signal(signal.SIGHUP)
    wait_until(lambda: said(server, "a changed setting takes effect at the next start"))
    assert said(server, "a changed setting takes effect at the next start") == ["max-body"]
    assert "log-level" in said(server, "a setting changed")
    conf.write_text("log-levle = info\n")
    server.signal(signal.SIGHUP)
    wait_until(lambda: any("cannot reload the settings" in r.get("message", "") for r in server.log()))
    assert server.api().run("echo", {"text": "x"})["output"] == "x"
    assert server.stop() == 0


@pytest.mark.parametrize("closed", [(0, 1, 2), (2,), (0,)])
def test_closed_descriptors_do_not_become_files(servers, closed):
    server = servers(start=False)
    closing = " ".join(f"{fd}>&-" for fd in closed)
    (server.data / "cli.json").unlink(missing_ok=True)
    server.process = subprocess.Popen(
        ["/bin/sh", "-c", f'exec "$0" serve --data "$1" --listen 127.0.0.1:0 {closing}',
         server.binary, str(server.data)],
        env=server.env,
        cwd=server.directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until((server.data / "cli.json").exists)
    for fd in closed:
        assert os.readlink(f"/proc/{server.pid()}/fd/{fd}") == "/dev/null"
    assert server.stop() == 0
    assert (server.data / "lock").read_bytes() == b""

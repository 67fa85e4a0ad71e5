"""The server under a manager of services, as systemd is one: news, a socket, signs of life, credentials."""

import os
import signal
import socket
import subprocess
import threading

import pytest

from vend_server import TOKEN
from waiting import wait_until


class Manager:
    """The socket that NOTIFY_SOCKET names."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.news = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            self.news += self.socket.recv(4096).decode().splitlines()

    def heard(self, line):
        wait_until(lambda: line in self.news, what=line)


@pytest.mark.parametrize("abstract", [False, True])
def test_the_manager_hears_of_the_start_and_the_stop(servers, tmp_path, abstract):
    path = f"\0vend-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    manager = Manager(path)
    named = path.replace("\0", "@")
    server = servers(env={"NOTIFY_SOCKET": named, "WATCHDOG_USEC": "200000"})
    manager.heard("READY=1")
    assert any(line.startswith("STATUS=listening on 127.0.0.1") for line in manager.news)
    seen = manager.news.count("WATCHDOG=1")
    wait_until(lambda: manager.news.count("WATCHDOG=1") > seen + 2, what="signs of life")
    api = server.api()
    assert api.run("echo", {"text": "x"})["output"] == "x"
    environment = open(f"/proc/{server.pid()}/environ", "rb").read()
    assert b"notify" not in environment and named.encode() not in environment
    server.signal(signal.SIGTERM)
    manager.heard("STOPPING=1")
    assert server.wait() == 0


def spawn_with_socket(server, listener, pid=None, count="1"):
    """As systemd does: the socket is descriptor 3, and LISTEN_PID the process itself."""
    script = (
        "import os, sys\n"
        "fd = int(sys.argv[1])\n"
        "os.dup2(fd, 3, inheritable=True)\n"
        f"os.environ['LISTEN_PID'] = {'str(os.getpid())' if pid is None else repr(pid)}\n"
        f"os.environ['LISTEN_FDS'] = {count!r}\n"
        "os.execv(sys.argv[2], sys.argv[2:])\n"
    )
    server.starts += 1
    with open(server.log_path, "wb") as log:
        server.process = subprocess.Popen(
            ["python3", "-c", script, str(listener.fileno()), server.binary, "serve", "--data", str(server.data),
             "--log-format", "json", *server.flags],
            pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=server.env,
        )  # fmt: skip


@pytest.mark.parametrize("family,host", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_socket_of_the_manager_stays_open_between_two_servers(servers, family, host):
    server = servers(start=False)
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        listener.listen(100)
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{listener.getsockname()[1]}"
        spawn_with_socket(server, listener)
        record = wait_until(server._listening, what="the server to listen")
        assert record["url"] == url
        server.url = url
        api = server.api()
        wait_until(lambda: api.session.get(f"{url}/-/readyz").ok, what="the server to be ready")
        assert api.run("echo", {"text": "first"})["output"] == "first"
        assert server.stop() == 0
        # Nobody serves it now; the call waits for the next server.
        waiting = []
        thread = threading.Thread(target=lambda: waiting.append(api.run("echo", {"text": "second"})))
        thread.start()
        spawn_with_socket(server, listener)
        thread.join(60)
        assert waiting and waiting[0]["output"] == "second"
        assert server.stop() == 0


@pytest.mark.parametrize("count", ["2", "x"])
def test_sockets_that_do_not_suit_are_refused(servers, count):
    server = servers(empty=True, start=False)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        spawn_with_socket(server, listener, count=count)
        assert server.wait() == 2
        assert "LISTEN_FDS" in server.log_path.read_text()


def test_a_socket_that_does_not_listen_is_refused(servers):
    server = servers(empty=True, start=False)
    with socket.socket(socket.AF_UNIX) as other:
        spawn_with_socket(server, other)
        assert server.wait() == 2
        assert "no TCP socket that listens" in server.log_path.read_text()


def test_sockets_of_another_process_are_left_alone(servers):
    """Variables that a shell of a service has passed on."""
    server = servers(env={"LISTEN_PID": "1", "LISTEN_FDS": "1"})
    assert server.api().get("/account").ok


def test_the_first_token_from_a_file(servers, tmp_path):
    (tmp_path / "token").write_text("vend_of_a_credential_0123\n")
    server = servers(empty=True, start=False)
    del server.env["VEND_BOOTSTRAP_TOKEN"]
    server.env["VEND_BOOTSTRAP_TOKEN_FILE"] = str(tmp_path / "token")
    server.token = "vend_of_a_credential_0123"
    assert server.start().api().get("/account").ok
    assert server.stop() == 0
    server.env["VEND_BOOTSTRAP_TOKEN"] = TOKEN
    server.spawn()
    assert server.wait() == 2 and "expected one" in server.log_path.read_text()
    del server.env["VEND_BOOTSTRAP_TOKEN"]
    server.env["VEND_BOOTSTRAP_TOKEN_FILE"] = str(tmp_path / "absent")
    server.spawn()
    assert server.wait() != 0 and "VEND_BOOTSTRAP_TOKEN_FILE" in server.log_path.read_text()

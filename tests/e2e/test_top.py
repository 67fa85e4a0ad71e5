"""`vend top` and GET /v1/status: what they tell is what is there."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios

import pytest
from waiting import wait_until

FLAGS = ("--hardware", "cpu=CPU,big=Big", "--hardware-units", "2,big=3", "--max-instances", "1")
ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"


@pytest.fixture(scope="module")
def busy(server):
    """One run under way on lab/echo, two behind it."""
    api = server.api()
    made = [api.create("echo", {"text": "x", "delay": 600}) for _ in range(3)]
    wait_until(lambda: api.get(f"/predictions/{made[0]['id']}").json()["status"] == "processing")
    yield made
    for prediction in made:
        api.post(f"/predictions/{prediction['id']}/cancel", {}, None)


def queue_of(status, model):
    return next(q for q in status["queues"] if q["model"] == model)


def test_status(server, busy):
    api = server.api()
    status = api.get("/status").json()
    (instance,) = status["instances"]
    assert (instance["model"], instance["state"]) == ("lab/echo", "ready")
    assert (instance["running"], instance["slots"], instance["gpus"]) == (1, 1, [])
    # The worker of the model server.
    assert instance["processes"] >= 1 and instance["memory"] > 10 << 20
    assert instance["cpu_seconds"] > 0
    queue = queue_of(status, "lab/echo")
    assert (queue["waiting"], queue["running"], queue["slots"]) == (2, 1, 1)
    assert queue["accounts_waiting"] == 1 and queue["oldest_wait_seconds"] > 0
    assert (queue["min_instances"], queue["max_instances"]) == (0, 1)
    assert queue["instances"] == {"starting": 0, "booting": 0, "ready": 1, "stopping": 0}
    assert queue["boot_seconds"] > 0 and queue["run_seconds"] is None
    assert status["queues"][0] == queue
    totals = status["totals"]
    assert (totals["waiting"], totals["running"], totals["submitted"]) == (2, 1, 3)
    kinds = [(k["sku"], k["units"], k["used"]) for k in status["hardware"]]
    assert kinds == [("cpu", 2, 1), ("big", 3, 0)]
    machine = status["machine"]
    assert machine["cores"] >= 1 and 0 < machine["memory_available"] < machine["memory"]
    assert status["server"]["uptime_seconds"] >= 0
    assert status["queues_left_out"] == status["instances_left_out"] == 0


def test_who_may_look(server, other):
    assert "admin" in other.get("/status", 403).json()["detail"]
    server.api().get("/status", 401, token="")
    done = server.cli("top", env={"VEND_API_TOKEN": other.token})
    assert done.returncode == 1 and "admin" in done.stderr


def test_once(server, busy):
    done = server.cli("top")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"vend 0.1.0 at {server.url}, up ")
    assert lines[1].startswith("predictions: 2 waiting, 1 running, 0 ended; instances: 1 ready;")
    rows = [line.split() for line in lines]
    assert ["cpu", "1/2", "0", "CPU"] in rows
    queue = next(row for row in rows if row[:2] == ["lab/echo", "2"])
    assert queue[-2:] == ["1", "ready"] and "1/1" in queue and "0-1" in queue
    instance = next(row for row in rows if row[1:3] == ["lab/echo", "ready"])
    assert instance[0] == server.api().get("/status").json()["instances"][0]["id"][:8]
    assert instance[-1] == "MiB" and instance[-3] == "%"
    shown = json.loads(server.cli("top", "--json").stdout)
    assert shown["totals"]["waiting"] == 2 and shown["queues"][0]["model"] == "lab/echo"


@pytest.mark.parametrize("interval", ["0s", "soon", "100ms", "2h"])
def test_wrong_interval(server, interval):
    done = server.cli("top", "--interval", interval)
    assert done.returncode == 2 and "--interval" in done.stderr


class Terminal:
    """`vend top` with a terminal of its own."""

    def __init__(self, server, *words, rows=24, columns=80):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.settings = termios.tcgetattr(slave)
        self.slave = slave
        self.process = subprocess.Popen(
            [server.binary, "top", "--interval", "200ms", *words],
            stdin=slave,
            stdout=slave,
            stderr=subprocess.PIPE,
            env={**server._client_env(None), "TERM": "xterm"},
            start_new_session=True,
        )
        self.shown = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            self.shown += os.read(self.master, 65536).decode()
        return self.shown

    def screens(self):
        """What was drawn, one text a time."""
        parts = self.read().split("\x1b[H")[1:]
        return [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", part) for part in parts if "\x1b[J" in part]

    def end(self):
        code = self.process.wait(60)
        self.read()
        assert self.shown.count(ENTER) == self.shown.count(LEAVE) > 0
        assert self.shown.endswith(LEAVE) and "\x1b[?25h" in self.shown
        assert termios.tcgetattr(self.slave) == self.settings
        os.close(self.slave)
        os.close(self.master)
        return code, self.process.stderr.read().decode()


def test_terminal(server, busy):
    top = Terminal(server)
    wait_until(lambda: len(top.screens()) >= 3, what="three looks")
    lines = top.screens()[-1].split("\r\n")
    assert len(lines) <= 24 and max(map(len, lines)) <= 80
    assert any(line.startswith("QUEUE") for line in lines)
    # Echo is off: what is typed does not stand in the picture.
    os.write(top.master, b"x")
    top.resize(6, 30)
    top.process.send_signal(signal.SIGWINCH)
    wait_until(lambda: max(map(len, top.screens()[-1].split("\r\n"))) <= 30, what="a narrow one")
    assert len(top.screens()[-1].split("\r\n")) <= 6
    os.write(top.master, b"q")
    assert top.end() == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_give_the_terminal_back(server, busy, number):
    top = Terminal(server)
    wait_until(lambda: top.screens(), what="the first look")
    top.process.send_signal(number)
    assert top.end() == (0, "")


def test_it_waits_for_a_server_that_is_away(servers):
    server = servers()
    top = Terminal(server)
    wait_until(lambda: top.screens(), what="the first look")
    server.kill()
    wait_until(lambda: "onnect" in top.screens()[-1].split("\r\n")[0], what="the problem")
    api_url = server.url
    server.start("--listen", api_url.removeprefix("http://"))
    n = len(top.screens())
    wait_until(
        lambda: len(top.screens()) > n and top.screens()[-1].startswith("vend 0.1.0"),
        what="the server again",
    )
    # A token that does not count any more ends it.
    server.api().post("/accounts", {"username": "new"}, 201)
    tokens = server.api().get("/tokens").json()["results"]
    server.api().delete(f"/tokens/{tokens[0]['id']}", 204)
    code, said = top.end()
    assert code == 1 and "token" in said

"""A second server takes the database over, under load: every run that was promised ends once."""

import signal
import threading
import time

import pytest
import requests

import processes
import sse
from api import TERMINAL
from postgres import run_sql
from receiver import Receiver
from vend_server import copy_data
from waiting import wait_until

CLIENTS = 3
FEW = 10
LEASE_S = 4
FLAGS = ["--max-instances", "2", "--store-lease", f"{LEASE_S}s", "--webhook-allow", "127.0.0.0/8"]
# Far more than a lease, on a machine that does much else.
TAKE_OVER_S = 60
TAKEN = "another server has taken over the database; stopping now"


class Caller(threading.Thread):
    """Sends each create until it is answered, with a key that lets no second one be made of it."""

    def __init__(self, callers, number):
        super().__init__(daemon=True)
        self.callers, self.number = callers, number
        self.promised = {}

    def run(self):
        n = 0
        while not self.callers.over.is_set():
            n += 1
            text = f"{self.number}-{n}"
            while (name := self.send(text)) is None:
                self.callers.over.wait(0.05)
                if self.callers.over.is_set():
                    return
            self.promised[name] = text

    def send(self, text):
        server = self.callers.server
        try:
            reply = requests.post(
                f"{server.url}/v1/models/lab/echo/predictions",
                json={"input": {"text": text, "delay": 0.02}},
                headers={"Authorization": f"Bearer {server.token}", "Idempotency-Key": text},
                timeout=10,
            )
        except requests.exceptions.RequestException:
            return None
        if reply.status_code in (200, 201, 202):
            return reply.json()["id"]
        assert reply.status_code in (409, 503), reply.text
        return None


class Callers:
    def __init__(self, server):
        self.server = server  # whoever is called
        self.over = threading.Event()
        self.all = [Caller(self, number) for number in range(CLIENTS)]
        for caller in self.all:
            caller.start()

    def wait_for_more(self, n=FEW):
        before = self.count()
        wait_until(lambda: self.count() >= before + n, 120, "more runs")

    def count(self):
        return sum(len(caller.promised) for caller in self.all)

    def stop(self):
        self.over.set()
        for caller in self.all:
            caller.join()
        return {name: text for caller in self.all for name, text in caller.promised.items()}


def assert_each_ended_once(server, promised):
    api = server.api()
    assert len(promised) >= FEW
    for name, text in promised.items():
        run = wait_until(lambda: (p := api.prediction(name))["status"] in TERMINAL and p, 60, name)
        assert (run["status"], run["output"]) == ("succeeded", text), run
    assert len(set(promised.values())) == len(promised), "a key made two runs"
    wait_until(lambda: api.debug()["live"] == 0, what="everything to end")
    rows = run_sql(server.store, "SELECT prediction, COUNT(*) FROM usage GROUP BY prediction")
    assert {name for name, _ in rows} >= set(promised) and {n for _, n in rows} == {"1"}
    runs = run_sql(server.store, "SELECT SUM(n) FROM model_runs")
    assert runs == run_sql(server.store, "SELECT COUNT(*) FROM predictions WHERE started_us > 0")
    found = server.cli("doctor", "--audit", "--data", server.data)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def start_long_run(server, receiver):
    """One that outlives its server: a stream, which a webhook follows."""
    run = server.api().create(
        "stream", {"count": 40, "delay": 0.1}, webhook=receiver.url + "/long", webhook_events_filter=["completed"]
    )
    server.api().reaches(run, "processing")
    return run


def follow(server, run):
    """The outputs in its stream, from whoever serves it now."""
    path = run["urls"]["stream"].split("/", 3)[3]
    reply = requests.get(f"{server.url}/{path}", headers={"Accept": "text/event-stream"}, timeout=60)
    events, _ = sse.parse(reply.text)
    assert events[-1].event == "done"
    return [event.data for event in events if event.event == "output"]


def test_a_killed_server(servers, receiver):
    """What it began goes on where it is: its directors, a stream, a webhook. All call the standby, and go on to do so."""
    first = servers(*FLAGS)
    standby = servers.stand_by(first, *FLAGS)
    passing = next(record for record in standby.log() if record.get("message") == "passing calls on")
    standby.url = f"http://{passing['listen']}"
    callers = Callers(standby)
    callers.wait_for_more()
    run = start_long_run(first, receiver)
    directors = set(processes.directors(first.data))
    first.kill()
    killed = time.monotonic()
    assert standby.await_ready().url == callers.server.url == f"http://{passing['listen']}"
    assert time.monotonic() - killed < TAKE_OVER_S
    assert directors & set(processes.directors(first.data))
    assert standby.says("taking over the database")
    chunks = [f"chunk {i}" for i in range(40)]
    assert follow(standby, run) == chunks
    assert standby.api().ended(run)["output"] == chunks
    callers.wait_for_more()
    assert_each_ended_once(standby, callers.stop())
    assert len({message.id for message in receiver.wait_for(1, "/long", "succeeded")}) == 1


def test_a_server_that_stands_still(servers):
    """It is killed by who takes over on the same machine, and its runs go on."""
    first = servers(*FLAGS)
    standby = servers.stand_by(first, *FLAGS)
    callers = Callers(first)
    callers.wait_for_more()
    first.signal(signal.SIGSTOP)
    callers.server = standby.await_ready()
    assert first.wait() == -signal.SIGKILL
    callers.wait_for_more()
    assert_each_ended_once(standby, callers.stop())


def test_a_server_that_wakes_too_late(servers, tmp_path):
    """On another machine, nobody can kill it: what it still wants to write is refused, and it ends."""
    first = servers(*FLAGS)
    other = tmp_path / "other" / "data"
    copy_data(first.data, other)
    standby = servers.stand_by(first, *FLAGS, data=other)
    callers = Callers(first)
    callers.wait_for_more()
    first.signal(signal.SIGSTOP)
    callers.server = standby.await_ready()
    callers.wait_for_more()
    first.signal(signal.SIGCONT)
    assert first.wait() == 1
    assert first.says(TAKEN)
    callers.wait_for_more()
    assert_each_ended_once(standby, callers.stop())


def test_a_hand_over_and_back(servers):
    """As an upgrade does it: a stop gives the lease back, and nobody waits for its end."""
    flags = [*FLAGS, "--store-lease", "10m"]
    first = servers(*flags)
    second = servers.stand_by(first, *flags)
    callers = Callers(first)
    callers.wait_for_more()
    assert first.stop() == 0
    callers.server = second.await_ready()
    callers.wait_for_more()
    first.spawn("--standby")
    wait_until(lambda: first.says("standing by: another server has the database"), what="it to stand by")
    assert second.stop() == 0
    callers.server = first.await_ready()
    callers.wait_for_more()
    assert_each_ended_once(first, callers.stop())


def test_the_database_restarts_during_a_take_over(own_cluster, servers):
    first = servers(*FLAGS)
    standby = servers.stand_by(first, *FLAGS)
    callers = Callers(first)
    callers.wait_for_more()
    first.signal(signal.SIGSTOP)
    own_cluster.stop()
    wait_until(lambda: standby.says("the database is away; standing by"), what="the standby to see it")
    own_cluster.start()
    callers.server = standby.await_ready()
    callers.wait_for_more()
    assert_each_ended_once(standby, callers.stop())


def test_a_standby_is_stopped(servers):
    first = servers()
    standby = servers.stand_by(first)
    assert standby.stop() == 0
    first.api().get("/account")

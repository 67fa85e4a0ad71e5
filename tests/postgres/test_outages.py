"""The database is away for a while, under load: every run that was promised ends once."""

import threading

import requests

from api import TERMINAL
from waiting import wait_until

CLIENTS = 4
FEW = 20


class Client(threading.Thread):
    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.server, self.number = server, number
        self.promised = {}
        self.refused = 0
        self.over = threading.Event()

    def run(self):
        n = 0
        while not self.over.is_set():
            n += 1
            self.one(f"{self.number}-{n}")

    def one(self, text):
        try:
            reply = requests.post(
                f"{self.server.url}/v1/models/lab/echo/predictions",
                json={"input": {"text": text}},
                headers={"Authorization": f"Bearer {self.server.token}"},
                timeout=60,
            )
        except requests.exceptions.RequestException:
            self.refused += 1
            return
        if reply.status_code != 201:
            assert reply.status_code == 503, reply.text
            self.refused += 1
            self.over.wait(0.05)
            return
        self.promised[reply.json()["id"]] = text


def is_ready(server):
    return requests.get(server.url + "/-/readyz", timeout=60).status_code == 200


def under_load(server, hurt):
    clients = [Client(server, number) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    promised = lambda: sum(len(client.promised) for client in clients)  # noqa: E731
    wait_until(lambda: promised() >= FEW, what="runs before")
    hurt()
    before = promised()
    wait_until(lambda: promised() >= before + FEW, 120, "runs after")
    for client in clients:
        client.over.set()
    for client in clients:
        client.join()
    return {name: text for client in clients for name, text in client.promised.items()}


def assert_each_ended_once(server, cluster, promised):
    api = server.api()
    for name, text in promised.items():
        run = wait_until(lambda: (p := api.prediction(name))["status"] in TERMINAL and p, 60, name)
        assert (run["status"], run["output"]) == ("succeeded", text), run
    database = server.store.split("@/")[1].split("?")[0]
    rows = cluster.sql(database, "SELECT prediction, COUNT(*) FROM usage GROUP BY prediction")
    assert {name for name, _ in rows} >= set(promised) and {n for _, n in rows} == {"1"}
    runs = cluster.sql(database, "SELECT SUM(n) FROM model_runs")
    assert runs == cluster.sql(database, "SELECT COUNT(*) FROM predictions WHERE started_us > 0")
    found = server.cli("doctor", "--audit", "--data", server.data)
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_killed_backend(own_cluster, servers):
    """The server ends all connections, and recovers."""
    server = servers("--max-instances", "2")
    database = server.store.split("@/")[1].split("?")[0]
    promised = under_load(server, lambda: own_cluster.kill_backend(database))
    assert_each_ended_once(server, own_cluster, promised)


def test_a_restart_of_the_database(own_cluster, servers):
    server = servers("--max-instances", "2")

    def restart():
        own_cluster.stop()
        wait_until(lambda: not is_ready(server), what="readyz to say that the database is away")
        assert requests.get(server.url + "/-/healthz", timeout=60).ok
        reply = requests.get(f"{server.url}/v1/predictions", timeout=60, headers={"Authorization": f"Bearer {server.token}"})
        assert reply.status_code == 503, reply.text
        own_cluster.start()
        wait_until(lambda: is_ready(server), what="readyz to say that it is back")

    promised = under_load(server, restart)
    assert_each_ended_once(server, own_cluster, promised)


def test_a_server_and_its_database_are_killed(own_cluster, servers):
    server = servers("--max-instances", "2")

    def kill():
        server.kill()
        own_cluster.stop()
        own_cluster.start()
        server.start()

    clients = [Client(server, number) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    wait_until(lambda: sum(len(client.promised) for client in clients) >= FEW, what="runs before")
    kill()
    for client in clients:
        client.over.set()
    for client in clients:
        client.join()
    promised = {name: text for client in clients for name, text in client.promised.items()}
    assert_each_ended_once(server, own_cluster, promised)

"""Models of a server run on another machine, and each accepted prediction ends exactly once whatever
is killed there, here or in between."""

import contextlib
import os
import signal
import threading
import time

import pytest

from agents import Agent, Network
from waiting import wait_until

# The machine of the server has room for one instance, another one for four: instances start there.
FLAGS = ("--directors", "127.0.0.1:0", "--isolation", "off", "--hardware-units", "1", "--lease", "6s", "--idle-timeout", "2s")


@pytest.fixture
def agents(tmp_path):
    with contextlib.ExitStack() as stack:

        def make(server, name="box"):
            agent = Agent(server, tmp_path / f"agent-{name}", name)
            stack.callback(agent.destroy)
            return agent

        yield make


def directors_port(server):
    joined = server.api().post("/machines", {"name": "probe", "hardware": {"cores": 1, "memory": 1, "units": 0, "system": "x"}}, 201)
    server.api().delete("/machines/probe", 204)
    return joined.json()["port"]



def test_a_model_runs_on_another_machine(servers, agents):
    server = servers(*FLAGS)
    api = server.api()
    agent = agents(server).join().wait_connected()
    assert agent.state() == "ready"

    content = b"some text " * 20_000
    stored = api.call("POST", "/files", 201, files={"content": ("x.txt", content, "text/plain")}).json()
    ended = api.run("files", {"files": [stored["urls"]["get"], "data:text/plain;base64,aGVsbG8="]})
    assert ended["status"] == "succeeded", ended
    assert [api.get(url).content for url in ended["output"]] == [content.upper(), b"HELLO"]
    assert len(agent.directors()) == 1
    first = agent.fetched()
    assert sorted(folder.split("/")[0] for folder in first) == ["venvs", "versions"]

    # Its files are on their way to nobody any more.
    left = lambda: [p for root in (agent.data, server.data / "machines") for p in root.glob("instances/*/outputs/*")]
    wait_until(lambda: not left(), 20, "output files to go")

    # A second instance needs nothing.
    wait_until(lambda: not agent.directors(), 60, "the idle instance to end")
    assert api.run("files", {"files": ["data:text/plain;base64,aGVsbG8="]})["status"] == "succeeded"
    assert agent.fetched() == first

    # Drained: what comes now runs on the machine of the server.
    shown = server.cli("machines", "drain", "box", "--json")
    assert shown.returncode == 0 and '"draining"' in shown.stdout, shown.stderr
    wait_until(lambda: not agent.directors(), 60, "the drained machine to be empty")
    assert api.run("files", {"files": ["data:text/plain;base64,aGVsbG8="]})["status"] == "succeeded"
    assert not agent.directors()
    wait_until(lambda: api.get("/machines/box").json()["instances"] == 0, 30, "its instances to be gone")
    assert server.cli("machines", "remove", "box").returncode == 0
    assert agent.process.wait(60) == 1
    assert "was removed" in agent.log_path.read_text()


class Load(threading.Thread):
    """Creates one prediction after the other until it is told to end."""

    def __init__(self, server, record):
        super().__init__(daemon=True)
        self.api, self.record = server.api(), record
        self.server = server
        self.accepted = []
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            inputs = {"text": f"n{len(self.accepted)}", "delay": 0.3, "record": str(self.record)}
            with contextlib.suppress(Exception):
                self.accepted.append(self.server.api().create("echo", inputs)["id"])


def test_each_prediction_ends_once(servers, agents, tmp_path):
    server = servers(*FLAGS)
    network = Network(directors_port(server))
    agent = agents(server)
    agent.join_through(network)
    agent.start().wait_connected()
    port = network.target
    load = Load(server, tmp_path / "record")
    (tmp_path / "record").touch()
    load.start()

    def goes_on(what):
        before = ended_count(server, load)
        wait_until(lambda: ended_count(server, load) >= before + 3, 60, f"runs to end after {what}")

    wait_until(agent.directors, 30, "an instance on the machine")
    goes_on("the start")

    os.kill(agent.directors()[0], signal.SIGKILL)
    goes_on("a director was killed")

    agent.kill()
    agent.start().wait_connected()
    goes_on("the agent was killed")

    server.kill()
    server.start("--directors", f"127.0.0.1:{port}")
    goes_on("the server was killed")

    wait_until(agent.directors, 30, "an instance on the machine")
    network.cut()
    time.sleep(1)
    network.heal()
    goes_on("a short cut")

    network.cut()
    wait_until(lambda: agent.state() == "lost", 60, "the machine to be lost")
    goes_on("the machine was lost")
    network.heal()
    wait_until(lambda: agent.state() == "ready", 60, "the machine to come back")
    goes_on("the machine came back")

    load.over.set()
    load.join(30)
    api = server.api()
    ends = [api.ended(identity, 90) for identity in load.accepted]
    assert [end["status"] for end in ends] == ["succeeded"] * len(ends)
    assert [end["output"] for end in ends] == [end["input"]["text"] for end in ends]
    # What was lost with its machine has ended there too.
    wait_until(
        lambda: len(agent.directors()) == api.get("/machines/box").json()["instances"],
        60,
        "lost instances to end",
    )


def ended_count(server, load):
    api = server.api()
    return sum(api.prediction(identity)["status"] == "succeeded" for identity in load.accepted[-40:]) + max(
        len(load.accepted) - 40, 0
    )


def test_who_may_join(servers, agents):
    server = servers(*FLAGS)
    api = server.api()
    hardware = {"cores": 1, "memory": 1, "units": 1, "system": "x"}
    for body, part in (
        ({"hardware": hardware}, "name"),
        ({"name": "a/b", "hardware": hardware}, "name"),
        ({"name": "a"}, "hardware"),
        ({"name": "a", "hardware": {**hardware, "units": -1}}, "hardware.units"),
        ({"name": "a", "hardware": {**hardware, "system": 1}}, "system"),
    ):
        assert part in api.post("/machines", body, 422).json()["detail"]
    api.post("/machines", {"name": "a", "hardware": hardware}, 201)
    api.post("/machines", {"name": "a", "hardware": hardware}, 409)
    assert api.get("/machines/a").json()["state"] == "lost"
    api.patch("/machines/a", {"draining": 1}, 422)
    api.patch("/machines/b", {"draining": True}, 404)
    api.delete("/machines/a", 204)
    api.get("/machines/a", 404)
    pushing = api.post("/tokens", {"name": "t", "scopes": ["read", "run", "push"]}, 201).json()["token"]
    server.api(pushing).get("/machines", 403)
    api.get("/machines", 401, token="")
    refused = agents(server, "bad").start("--join", server.url, "--token", pushing)
    assert refused.process.wait(60) == 1
    plain = servers()
    assert plain.api().get("/machines").json() == {"results": []}
    assert "--directors" in plain.api().post("/machines", {"name": "a", "hardware": hardware}, 409).json()["detail"]

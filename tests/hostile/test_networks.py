"""The network of a model and of a deployment: what real models reach, over changes, kills and restarts."""

import contextlib
import http.server
import json
import pathlib
import socket
import sqlite3
import threading

import pytest
from servers import Servers
from vend_server import ACCOUNT
from waiting import wait_until

HERE = pathlib.Path(__file__).resolve().parent
HOST = "127.0.0.2"
FLAGS = ("--isolation", "auto", "--network", "outbound", "--network-allow", f"{HOST}/32", "--idle-timeout", "600s")
MODEL = f"/models/{ACCOUNT}/hostile"
DEPLOYMENT = f"/deployments/{ACCOUNT}/tuned"


class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def outside():
    """What stands in for the Internet, and a port of this machine."""
    origin = http.server.ThreadingHTTPServer((HOST, 0), Quiet)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield {"origin": f"http://{HOST}:{origin.server_port}/", "listener": listener.getsockname()[1], "address": "127.0.0.1"}
    origin.shutdown()


@pytest.fixture
def start(binary, template, tmp_path):
    servers = Servers(binary, template, tmp_path)

    def make(*flags):
        server = servers(*FLAGS, *flags)
        said = next(record for record in server.log() if record["message"] == "isolation of models")["by"]
        if not said.startswith("bubblewrap"):
            pytest.skip(f"this machine makes no sandbox: {said}")
        pushed = server.cli("push", HERE / "model", f"{ACCOUNT}/hostile", "--public")
        assert pushed.returncode == 0, pushed.stderr
        return server

    yield make
    servers.close()


def reached(api, outside, path=MODEL):
    """The network of the instance that runs it, by what is reached, and as its decision says."""
    names = "fetch_what_is_allowed connect_to_listener"
    made = api.post(f"{path}/predictions", {"input": {"names": names, "hints": json.dumps(outside)}}, 201).json()
    done = api.ended(made)
    assert done["status"] == "succeeded", done
    results = {name: result for name, (result, _) in json.loads(done["output"]).items()}
    host, origin = results["connect_to_listener"] == "reached", results["fetch_what_is_allowed"] == "reached"
    story = api.get(f"/predictions/{done['id']}/explanation").json()["entries"]
    network = "host" if host else "outbound" if origin else "none"
    (started,) = [entry["details"] for entry in story if entry["what"] == "started"]
    assert started["instance_network"] == network
    decided = api.get("/decisions").json()["results"]
    (ready,) = [one for one in decided if one["kind"] == "ready" and one["instance"] == started["instance"]]
    assert ready["inputs"]["network"] == network and ready["sentence"].endswith(f"; its network: {network}.")
    return network


def set_network(api, network, path=f"{MODEL}/scaling", status=200):
    return api.patch(path, {"network": network}, status).json()


def deploy(api, **more):
    version = api.get(MODEL).json()["latest_version"]["id"]
    body = {"name": "tuned", "model": f"{ACCOUNT}/hostile", "version": version, "hardware": "cpu"}
    return api.post("/deployments", {**body, "min_instances": 0, "max_instances": 1, **more}, 200).json()


def test_deployment_over_model_over_server(start, outside):
    server = start("--max-network", "host")
    api = server.api()
    assert reached(api, outside) == "outbound"
    assert set_network(api, "none")["effective"]["network"] == "none"
    assert reached(api, outside) == "none"
    deploy(api)
    assert reached(api, outside, DEPLOYMENT) == "none"
    assert set_network(api, "outbound", DEPLOYMENT)["current_release"]["configuration"]["network"] == "outbound"
    assert reached(api, outside, DEPLOYMENT) == "outbound"
    assert reached(api, outside) == "none"
    set_network(api, "host")
    assert reached(api, outside) == "host"
    loud = [r for r in server.log() if r["message"] == "an instance has the network of this machine"]
    assert [(r["level"], r["model"]) for r in loud] == [("warn", f"{ACCOUNT}/hostile")]
    assert reached(api, outside, DEPLOYMENT) == "outbound"
    # A deployment without its own follows its model.
    set_network(api, None, DEPLOYMENT)
    assert reached(api, outside, DEPLOYMENT) == "host"
    set_network(api, None)
    assert reached(api, outside, DEPLOYMENT) == reached(api, outside) == "outbound"


def test_a_change_ends_warm_instances(start, outside):
    """What runs goes on, and nothing new begins on it."""
    server = start()
    api = server.api()
    running = api.create("echo", {"text": "on", "delay": 3})
    api.reaches(running, "processing")
    (old,) = api.debug()["instances"]
    assert old["network"] == "outbound"
    set_network(api, "none", f"/models/{ACCOUNT}/echo/scaling")
    next_one = api.run("echo", {"text": "next"})
    assert next_one["output"] == "next" and api.ended(running)["output"] == "on"
    wait_until(lambda: old["id"] not in [one["id"] for one in api.debug()["instances"]], what="its end")
    assert {one["network"] for one in api.debug()["instances"]} == {"none"}
    decided = api.get("/decisions").json()["results"]
    assert any("its network was changed" in one["sentence"] for one in decided)
    # The same again changes nothing.
    starts = api.debug()["instance_starts"]
    set_network(api, "none", f"/models/{ACCOUNT}/echo/scaling")
    assert api.run("echo", {"text": "x"})["output"] == "x" and api.debug()["instance_starts"] == starts


def test_a_change_that_nobody_was_told_of(start, outside):
    """The server was killed when it was stored: the instance that has lived on is replaced."""
    server = start()
    api = server.api()
    set_network(api, "outbound")
    assert reached(api, outside) == "outbound"
    server.kill()
    with contextlib.closing(sqlite3.connect(server.data / "vend.db")) as db, db:
        assert db.execute("UPDATE model_scaling SET scaling = ?", ('{"network":"none"}',)).rowcount == 1
    api = server.start().api()
    assert reached(api, outside) == "none"


def test_over_a_restart(start, outside):
    """A stored network stays; one that is wider than the server now allows is cut to what it allows."""
    server = start("--max-network", "host")
    api = server.api()
    set_network(api, "host")
    deploy(api, network="none")
    assert server.stop() == 0
    api = server.start().api()
    assert (reached(api, outside), reached(api, outside, DEPLOYMENT)) == ("host", "none")
    assert server.stop() == 0
    api = server.start("--max-network", "outbound").api()
    held = api.get(f"{MODEL}/scaling").json()
    assert (held["network"], held["effective"]["network"]) == ("host", "outbound")
    assert (reached(api, outside), reached(api, outside, DEPLOYMENT)) == ("outbound", "none")
    told = set_network(api, "host", status=422)["invalid_fields"][0]
    assert told["field"] == "network" and "max-network" in told["description"]


def test_the_command_line(start, outside):
    server = start()
    name = f"{ACCOUNT}/hostile"
    said = server.cli("models", "scaling", name, "--network", "none")
    assert said.returncode == 0 and "network" in said.stdout, said.stderr
    assert "network      none" in server.cli("models", "show", name).stdout
    assert reached(server.api(), outside) == "none"
    refused = server.cli("models", "scaling", name, "--network", "host")
    assert refused.returncode != 0 and "max-network" in refused.stderr
    wrong = server.cli("models", "scaling", name, "--network", "bridge")
    assert wrong.returncode == 2 and "--network: 'bridge' is none of host, outbound, none" in wrong.stderr
    back = server.cli("models", "scaling", name, "--network", "default")
    assert back.returncode == 0
    made = server.cli("deployments", "create", "tuned", name, "--network", "none")
    assert made.returncode == 0 and "network        none" in made.stdout, made.stderr
    assert reached(server.api(), outside, DEPLOYMENT) == "none"

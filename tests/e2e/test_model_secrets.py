"""Secrets of models and deployments: given to the model, and shown by nobody, whatever it does with them."""

import contextlib
import hashlib
import os
import pathlib
import sqlite3
import stat

import pytest

import processes
from fast_starts import await_snapshot, await_zygote, instances, stop_instances, use
from waiting import wait_until

MODEL = pathlib.Path(__file__).parent / "secrets" / "keeper"
FLAGS = ("--max-instances", "1", "--idle-timeout", "600s")
TOKEN = "hf_abcdefghijklmnop"
OTHER = "hf_another-value-of-it"
HIDDEN = "[secret HF_TOKEN]"


def proof(value):
    return hashlib.sha256(value.encode()).hexdigest()


def put(api, value, path="/models/lab/keeper", name="HF_TOKEN"):
    return api.call("PUT", f"{path}/secrets/{name}", 200, json={"value": value})


def push(server):
    pushed = server.cli("push", MODEL, "lab/keeper", "--public")
    assert pushed.returncode == 0, pushed.stderr


@pytest.fixture
def keeper(servers):
    server = servers(*FLAGS)
    push(server)
    return server


def told(api, path="/models/lab/keeper", **inputs):
    """The run, what it returned, and the name that its setup gave to itself."""
    ended = api.ended(api.post(f"{path}/predictions", {"input": inputs}, 201).json())
    words = "".join(ended["output"] or []).split()
    return ended, words[-2] if words else None, words[-1] if words else None


def holders(data, value):
    """Files below a data directory that have the value in them."""
    found = []
    for folder, _, names in os.walk(data):
        if "venvs" in folder or "cache" in folder:
            continue
        for name in names:
            path = pathlib.Path(folder) / name
            if path.is_file() and not path.is_symlink() and value.encode() in path.read_bytes():
                found.append(str(path.relative_to(data)))
    return found


def environments(pids):
    found = b""
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    return found


def test_a_secret_reaches_the_model_and_nobody_else(keeper):
    api = keeper.api()
    said = keeper.cli("secrets", "set", "lab/keeper", "HF_TOKEN", input=f"{TOKEN}\n")
    assert said.returncode == 0, said.stderr
    ended = told(api)[0]
    assert "".join(ended["output"]).startswith(f"{HIDDEN} {proof(TOKEN)}")
    assert f"it is {HIDDEN} {proof(TOKEN)}" in ended["logs"]
    halves = told(api, way="halves")[0]
    assert f"\n{HIDDEN}\n" in halves["logs"]
    raised = told(api, way="raise")[0]
    assert raised["error"].endswith(f"cannot use {HIDDEN} {proof(TOKEN)}")
    story = api.get(f"/predictions/{ended['id']}/explanation").text
    assert TOKEN not in story
    (instance,) = instances(api, "keeper")
    # On disk it is nowhere, in memory only with those who need it.
    assert holders(keeper.data, TOKEN) == []
    everything = environments([keeper.pid(), *processes.directors(keeper.data)])
    assert TOKEN.encode() not in everything
    (director,) = processes.directors(instance["dir"])
    assert os.readlink(f"/proc/{director}/fd/0") == "/dev/null"
    assert TOKEN.encode() in environments(processes.models(keeper.data))
    key = keeper.data / "secrets.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    # Nor does it come with a fast start.
    await_zygote(api, model="keeper")
    stop_instances(api, "keeper")
    assert told(api)[1] == proof(TOKEN)
    assert instances(api, "keeper")[0]["start"] == "fast"
    assert TOKEN.encode() not in environments(processes.zygotes(keeper.data))
    assert holders(keeper.data, TOKEN) == []
    assert TOKEN not in str(keeper.log())


def test_a_change_replaces_instances(keeper):
    api = keeper.api()
    put(api, TOKEN)
    put(api, "completed", name="WORD")
    put(api, "overrides the project", name="PLAIN_TEXT")
    _, shown, first = told(api)
    assert shown == proof(TOKEN)
    assert told(api)[2] == first
    assert told(api, name="PLAIN_TEXT")[1] == proof("overrides the project")
    put(api, OTHER)
    _, shown, second = told(api)
    assert (shown, second != first) == (proof(OTHER), True)
    # That of a deployment counts before its model's.
    version = api.get("/models/lab/keeper").json()["latest_version"]["id"]
    api.post(
        "/deployments",
        {
            "name": "kept",
            "model": "lab/keeper",
            "version": version,
            "hardware": "cpu",
            "min_instances": 0,
            "max_instances": 1,
        },
        200,
    )
    path = "/deployments/lab/kept"
    assert told(api, path)[1] == proof(OTHER)
    put(api, TOKEN, path)
    assert told(api, path)[1] == proof(TOKEN)
    assert told(api)[1] == proof(OTHER)
    api.delete(f"{path}/secrets/HF_TOKEN", 204)
    assert told(api, path)[1] == proof(OTHER)
    for name in ("HF_TOKEN", "PLAIN_TEXT"):
        api.delete(f"/models/lab/keeper/secrets/{name}", 204)
    assert told(api)[1] == proof("")
    assert told(api, name="PLAIN_TEXT")[1] == proof("of-the-project")


def test_kills_lose_no_secret_and_keep_no_old_one(keeper):
    api = keeper.api()
    put(api, TOKEN)
    first = told(api)[2]
    keeper.kill()
    api = keeper.start().api()
    # The instance has lived on, with its secret.
    assert told(api)[1:] == (proof(TOKEN), first)
    keeper.kill()
    # A change that was stored, and that nobody was told of.
    with sqlite3.connect(keeper.data / "vend.db") as db:
        assert db.execute("DELETE FROM secrets").rowcount == 1
    db.close()
    api = keeper.start().api()
    _, shown, second = told(api)
    assert (shown, second != first) == (proof(""), True)
    # Without its key a secret is lost, which the next run says.
    put(api, TOKEN)
    assert keeper.stop() == 0
    (keeper.data / "secrets.key").unlink()
    api = keeper.start().api()
    waiting = api.create("keeper", {})

    def look():
        return [r for r in keeper.log() if "HF_TOKEN cannot be read; set it again" in r.get("error", "")]

    wait_until(look, what="the reason why nothing starts")
    put(api, OTHER)
    assert proof(OTHER) in "".join(api.ended(waiting)["output"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only a server that runs as root has snapshots")
def test_a_snapshot_is_of_its_secrets(keeper):
    api = keeper.api()
    put(api, TOKEN)
    put(api, "0.8", name="SETUP_SECONDS")
    use(api, "keeper")
    await_zygote(api, model="keeper")
    assert use(api, "keeper")[0]["start"] == "fast"
    await_snapshot(api, "keeper")
    assert use(api, "keeper")[0]["start"] == "snapshot"
    assert told(api, way="setup")[1] == told(api)[1] == proof(TOKEN)
    assert holders(keeper.data, TOKEN) == []
    put(api, OTHER)
    assert told(api, way="setup")[1] == told(api)[1] == proof(OTHER)
    wait_until(lambda: TOKEN.encode() not in environments(processes.zygotes(keeper.data)), what="the snapshot to go")


def test_trainings_have_the_secrets_of_their_model(keeper):
    api = keeper.api()
    put(api, TOKEN)
    api.post("/models", {"owner": "lab", "name": "made", "visibility": "private", "hardware": "cpu"}, 201)
    version = api.get("/models/lab/keeper").json()["latest_version"]["id"]
    made = api.post(
        f"/models/lab/keeper/versions/{version}/trainings", {"destination": "lab/made", "input": {}}, 201
    ).json()

    def look():
        training = api.get(f"/trainings/{made['id']}").json()
        return training if training["status"] in ("succeeded", "failed") else None

    ended = wait_until(look, what="the training to end")
    assert ended["status"] == "succeeded", ended
    assert f"trains with {HIDDEN} {proof(TOKEN)}" in ended["logs"]
    assert TOKEN not in str(ended)

"""Models of two accounts on one server: none reads a byte of the other's."""

import json
import pathlib
import sqlite3

import probes
import pytest
from conftest import MODEL
from shared_file import FIRST_USER
from test_probes import LATER
from waiting import wait_until

HERE = pathlib.Path(__file__).resolve().parent
MARK = "a sentence that only one account knows"


def run(api, path, names, hints):
    made = api.post(f"{path}/predictions", {"input": {"names": " ".join(names), "hints": json.dumps(hints)}}, 201)
    done = api.ended(made.json())
    assert done["status"] == "succeeded", done
    return json.loads(done["output"])


@pytest.fixture(scope="module")
def rival(sandboxed):
    """Another account, with the same hostile model."""
    admin = sandboxed.api
    admin.post("/accounts", {"username": "rival"}, 201)
    body = {"name": "t", "scopes": ["read", "run", "push"], "account": "rival"}
    token = admin.post("/tokens", body, 201).json()["token"]
    pushed = sandboxed.server.cli("push", HERE / "model", "rival/hostile", env={"VEND_API_TOKEN": token})
    assert pushed.returncode == 0, pushed.stderr
    return sandboxed.server.api(token)


def users(instance):
    found = set()
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            marked = f"VEND_INSTANCE_DIR={instance['dir']}".encode() in (status.parent / "environ").read_bytes().split(b"\0")
            text = status.read_text()
        except OSError:
            continue
        if marked:
            found |= {int(line.split()[1]) for line in text.splitlines() if line.startswith("Uid:")}
    return found


def test_no_byte_of_another_account(sandboxed, rival):
    kept = sandboxed.run("keep_for_later", hints={"mark": MARK})
    assert kept["keep_for_later"][0] == "reached"
    # What would find it, does, for its own account.
    assert sandboxed.run("find_what_others_keep", hints={"mark": MARK})["find_what_others_keep"][0] == "reached"
    run(rival, "/models/rival/hostile", ["see_other_processes"], {})
    first, second = sandboxed.instance(MODEL), sandboxed.instance("rival/hostile")
    hints = {**sandboxed.hints(), "other": first["dir"], "socket": f"{first['dir']}/director.sock", "mark": MARK}
    names = sorted((probes.PROBES.keys() - LATER) | {"find_what_others_keep"})
    results = run(rival, "/models/rival/hostile", names, hints)
    assert {name: said for name, (result, said) in results.items() if result != "refused"} == {}
    # Each account has a user of its own: a number that is stored with it.
    with sqlite3.connect(sandboxed.server.data / "vend.db") as db:
        numbers = dict(db.execute("SELECT username, id FROM accounts"))
    if users(first) != {0}:
        assert users(first) == {FIRST_USER + numbers["lab"]}
        assert users(second) == {FIRST_USER + numbers["rival"]}


def test_what_another_account_deploys_keeps_its_files_apart(sandboxed, rival):
    """The author of a model finds nothing of those who deploy it, nor they of each other's models."""
    version = rival.get("/models/lab/hostile").json()["latest_version"]["id"]
    body = {"name": "theirs", "model": MODEL, "version": version, "hardware": "cpu"}
    rival.post("/deployments", {**body, "min_instances": 0, "max_instances": 1}, 200)
    deployed = f"{MARK}, and who deployed it"
    sandboxed.run("keep_for_later", hints={"mark": MARK})
    run(rival, "/models/rival/hostile", ["keep_for_later"], {"mark": "of rival"})
    at = "/deployments/rival/theirs"
    for mark in (MARK, "of rival"):
        assert run(rival, at, ["find_what_others_keep"], {"mark": mark})["find_what_others_keep"][0] == "refused"
    assert run(rival, at, ["keep_for_later"], {"mark": deployed})["keep_for_later"][0] == "reached"
    assert sandboxed.run("find_what_others_keep", hints={"mark": deployed})["find_what_others_keep"][0] == "refused"


def test_shared_memory_is_bounded(sandboxed):
    bytes_there = int(sandboxed.run("fill_shared_memory")["fill_shared_memory"][1])
    (sku,) = [one for one in sandboxed.api.debug()["hardware"] if one["sku"] == "cpu"]
    assert 0 < bytes_there <= sku["memory"] // 2 + (1 << 20)


def test_a_full_home_is_emptied(servers):
    """Past the limit what runs fails and says so; the next instance begins with nothing, and works."""
    server = servers("--isolation", "auto", "--home-disk", "4M", "--max-instances", "1", "--idle-timeout", "600s")
    said = next(record for record in server.log() if record["message"] == "isolation of models")["by"]
    if not said.startswith("bubblewrap"):
        pytest.skip(f"this machine makes no sandbox: {said}")
    pushed = server.cli("push", HERE / "model", MODEL, "--public")
    assert pushed.returncode == 0, pushed.stderr
    api = server.api()
    home = server.data / "homes" / "lab"
    path = f"/models/{MODEL}"
    assert run(api, path, ["fill_home"], {"bytes": 1 << 20})["fill_home"][0] == "reached"
    (small,) = [file.name for file in home.iterdir() if file.name.startswith("large")]
    # It stays for the next instance.
    assert server.stop() == 0
    api = server.start().api()
    assert (home / small).exists()
    assert run(api, path, ["fill_home"], {"bytes": 6 << 20})["fill_home"][0] == "reached"
    wait_until(lambda: not (home / small).exists(), what="the home to be set aside")
    wait_until(lambda: not any("6 << 20" in one for one in server.instance_dirs()) and not list(
        server.data.glob("instances/*/home")), what="what was set aside to go")
    assert run(api, path, ["fill_home"], {"bytes": 1})["fill_home"][0] == "reached"
    sentences = [one["sentence"] for one in api.get("/decisions").json()["results"]]
    assert any("the files in HOME take more than 4 MiB (home-disk)" in one for one in sentences), sentences

"""Managed weights: pushed with a model, from a folder, a URL or a hub."""

import hashlib
import json
import pathlib
import random

import pytest

from hub import Hub
from waiting import wait_until

TOKEN = "hf_test_token"
PREDICT = """import os
from cog import BasePredictor


class Predictor(BasePredictor):
    def predict(self, path: str = "weights/model.safetensors") -> dict:
        import hashlib
        with open(path, "rb") as file:
            content = file.read()
        names = sorted(
            os.path.relpath(os.path.join(folder, name), "weights")
            for folder, _, names in os.walk("weights/", followlinks=True)
            for name in names
        )
        try:
            with open(path, "ab") as file:
                file.write(b"x")
            written = True
        except OSError:
            written = False
        return {{"sha256": hashlib.sha256(content).hexdigest(), "inode": os.stat(path).st_ino,
                "names": names, "written": written, "answer": "{reply}"}}
"""


def some_bytes(n, seed=1):
    return random.Random(seed).randbytes(n)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def write_model(directory, *weights, reply="one"):
    directory.mkdir(exist_ok=True)
    lines = ["build:", '  python_version: "3.11"', "predict: predict.py:Predictor"]
    if weights:
        lines.append("weights:")
        for entry in weights:
            first, *rest = entry.strip("\n").splitlines()
            lines += ["  - " + first, *("    " + line for line in rest)]
    (directory / "cog.yaml").write_text("\n".join(lines) + "\n")
    (directory / "predict.py").write_text(PREDICT.format(reply=reply))
    return directory


def entry(source, name="base", target="/src/weights"):
    return f"name: {name}\ntarget: {target}\nsource: {source}"


@pytest.fixture
def hub():
    made = Hub(TOKEN)
    made.repos["lab/tiny"] = {
        "model.safetensors": some_bytes(700_000),
        "config.json": b'{"layers": 2}',
        "sub/vocab.txt": b"a\nb\n",
        "README.md": b"# tiny\n",
    }
    yield made
    made.close()


@pytest.fixture
def start(servers, hub):
    def run(*flags, **env):
        return servers(*flags, env={"HF_ENDPOINT": hub.url + "/", "HF_TOKEN": TOKEN, **env})

    return run


def push(server, model, name, *flags):
    pushed = server.cli("push", model, f"lab/{name}", *flags)
    assert pushed.returncode == 0, pushed.stderr
    return pushed.stdout.splitlines()[-1].partition(":")[2]


def refuse(server, model, name="refused"):
    pushed = server.cli("push", model, f"lab/{name}")
    assert pushed.returncode != 0, pushed.stdout
    return pushed


def blob(server, content):
    digest = sha256(content)
    return server.data / "blobs" / digest[:2] / digest


def stored_bytes(server):
    return server.api().get("/account").json()["stored_bytes"]


def test_from_a_hub(start, hub, tmp_path):
    server = start()
    files = hub.repos["lab/tiny"]
    model = write_model(
        tmp_path / "m",
        "name: base\ntarget: /src/weights\nsource:\n  uri: hf://lab/tiny@main\n  exclude: ['*.md']",
    )
    before = stored_bytes(server)
    version = push(server, model, "hubbed")
    output = server.api().run("hubbed")["output"]
    assert output["sha256"] == sha256(files["model.safetensors"])
    assert output["names"] == ["config.json", "model.safetensors", "sub/vocab.txt"]
    assert output["written"] is False
    assert output["inode"] == blob(server, files["model.safetensors"]).stat().st_ino
    wanted = sum(len(content) for path, content in files.items() if path != "README.md")
    assert stored_bytes(server) - before == wanted

    # Another model with the same weights: nothing large is fetched, and the bytes are there once.
    asked = f"/lab/tiny/resolve/{hub.commit('lab/tiny')}/model.safetensors"
    assert hub.count(asked) == 1
    other = push(server, write_model(model, *[weights_of(model)], reply="two"), "hubbed2")
    assert other != version and hub.count(asked) == 1
    again = server.api().run("hubbed2")["output"]
    assert again["answer"] == "two" and again["inode"] == output["inode"]


def weights_of(model):
    text = (model / "cog.yaml").read_text()
    lines = text.partition("weights:\n")[2].splitlines()
    return "\n".join(line[4:] for line in lines)


def test_from_files(start, tmp_path):
    server = start()
    content, other = some_bytes(50_000, 2), some_bytes(1000, 3)
    model = write_model(
        tmp_path / "m", entry("file://../outside"), entry("file://./inside/one.bin", "one", "more/one")
    )
    (tmp_path / "outside" / "sub").mkdir(parents=True)
    (tmp_path / "outside" / "model.safetensors").write_bytes(content)
    (tmp_path / "outside" / "sub" / "x.txt").write_bytes(b"x")
    (model / "inside").mkdir()
    (model / "inside" / "one.bin").write_bytes(other)
    version = push(server, model, "filed")
    output = server.api().run("filed")["output"]
    assert output["sha256"] == sha256(content) and output["names"] == ["model.safetensors", "sub/x.txt"]
    assert server.api().run("filed", {"path": "more/one/one.bin"})["output"]["sha256"] == sha256(other)
    source = server.data / "versions" / version / "src"
    assert not (source / "inside" / "one.bin").exists() and not (source / ".vend").exists()
    # The same files elsewhere: the same version.
    (tmp_path / "outside").rename(tmp_path / "there")
    (model / "cog.yaml").write_text((model / "cog.yaml").read_text().replace("../outside", "../there"))
    changed = push(server, model, "filed")
    assert changed != version, "the source of the weights is a part of cog.yaml"


def test_from_a_url(start, hub, tmp_path):
    server = start()
    content = some_bytes(300_000, 4)
    hub.files["/x/model.safetensors"] = content
    source = f"\n  uri: {hub.url}/x/model.safetensors\n  sha256: {sha256(content)}"
    model = write_model(tmp_path / "m", entry(source))
    push(server, model, "linked")
    assert server.api().run("linked")["output"]["sha256"] == sha256(content)
    push(server, write_model(model, entry(source), reply="two"), "linked")
    assert server.api().run("linked")["output"]["answer"] == "two"
    assert hub.count("/x/model.safetensors") == 1


# What goes wrong on the way


def test_cut_connections_and_slips_do_not_matter(start, hub, tmp_path):
    server = start()
    hub.faults["model.safetensors"] = ["cut", 503, "cut"]
    hub.faults["config.json"] = ["wrong"]
    push(server, write_model(tmp_path / "m", entry("hf://lab/tiny")), "cut")
    assert server.api().run("cut")["output"]["sha256"] == sha256(hub.repos["lab/tiny"]["model.safetensors"])
    asked = f"/lab/tiny/resolve/{hub.commit('lab/tiny')}/model.safetensors"
    ranges = [asked_range for path, asked_range in hub.asked if path == asked]
    assert ranges[0] is None and all(ranges[1:]), ranges


@pytest.mark.parametrize(
    "fault, told",
    [(["wrong"] * 2, "expected checksum"), ([404], "answers 404"), ([401], "HF_TOKEN"), ([503] * 9, "answers 503")],
)
def test_a_bad_file_fails_the_push(start, hub, tmp_path, fault, told):
    server = start()
    hub.faults["model.safetensors"] = fault
    pushed = refuse(server, write_model(tmp_path / "m", entry("hf://lab/tiny@main")))
    assert pushed.returncode == 1
    assert "weights 'base'" in pushed.stderr and told in pushed.stderr, pushed.stderr
    assert "model.safetensors of hf://lab/tiny@" in pushed.stderr
    check_nothing_is_left(server)


def test_the_token_stays_with_the_hub(start, hub, tmp_path):
    server = start()
    elsewhere = Hub()
    try:
        elsewhere.files["/x"] = hub.repos["lab/tiny"]["model.safetensors"]
        hub.faults["model.safetensors"] = [f"{elsewhere.url}/x"]
        push(server, write_model(tmp_path / "m", entry("hf://lab/tiny")), "elsewhere")
        assert elsewhere.shown == [None] and set(hub.shown) == {f"Bearer {TOKEN}"}
    finally:
        elsewhere.close()
    environment = (pathlib.Path("/proc") / str(server.pid()) / "environ").read_bytes()
    assert TOKEN.encode() not in environment


def test_files_that_somebody_removed(start, hub, tmp_path):
    server = start()
    content = hub.repos["lab/tiny"]["model.safetensors"]
    push(server, write_model(tmp_path / "m", entry("hf://lab/tiny")), "lost")
    blob(server, content).unlink()
    assert server.api().run("lost")["output"]["sha256"] == sha256(content)


def check_nothing_is_left(server):
    assert not [p for p in (server.data / "blobs" / "parts").iterdir() if p.suffix != ".part"]
    assert server.cli("weights", "list", "--json").stdout.count('"name"') == 0
    assert not list((server.data / "blobs" / "sets").iterdir())


def test_what_cannot_be_listed(start, hub, tmp_path):
    server = start(HF_TOKEN="another")
    pushed = refuse(server, write_model(tmp_path / "m", entry("hf://lab/tiny@main")))
    assert "hf://lab/tiny@main" in pushed.stderr and "401" in pushed.stderr and "HF_TOKEN" in pushed.stderr
    pushed = refuse(server, write_model(tmp_path / "m", entry("file://./nothing")))
    assert pushed.returncode == 2 and "nothing" in pushed.stderr and "base" in pushed.stderr
    pushed = refuse(server, write_model(tmp_path / "m", entry("file://predict.py", target="predict.py")))
    assert pushed.returncode != 0


def test_a_url_with_other_bytes(start, hub, tmp_path):
    server = start()
    hub.files["/x/model.safetensors"] = some_bytes(1000, 5)
    source = f"\n  uri: {hub.url}/x/model.safetensors\n  sha256: {'0' * 64}"
    pushed = refuse(server, write_model(tmp_path / "m", entry(source)))
    assert "expected checksum " + "0" * 64 in pushed.stderr


def test_private_addresses_are_for_admins(start, hub, tmp_path):
    server = start()
    admin = server.api()
    admin.post("/accounts", {"username": "other"}, 201)
    body = {"name": "t", "scopes": ["read", "run", "push"], "account": "other"}
    token = admin.post("/tokens", body, 201).json()["token"]
    content = hub.files["/model.safetensors"] = some_bytes(1000, 6)
    source = f"\n  uri: {hub.url}/model.safetensors\n  sha256: {sha256(content)}"
    model = write_model(tmp_path / "m", entry(source))
    pushed = server.cli("push", model, "other/m", env={"VEND_API_TOKEN": token})
    assert pushed.returncode == 1 and "not a public address" in pushed.stderr, pushed.stderr
    assert hub.count("/model.safetensors") == 0
    # The hub is the operator's.
    model = write_model(model, entry("hf://lab/tiny"))
    pushed = server.cli("push", model, "other/m", env={"VEND_API_TOKEN": token})
    assert pushed.returncode == 0, pushed.stderr


def test_a_kill_in_the_middle(start, hub, tmp_path):
    server = start()
    hub.faults["model.safetensors"] = ["hang"]
    model = write_model(tmp_path / "m", entry("hf://lab/tiny"))
    pushing = server.popen("push", model, "lab/killed")
    assert hub.hanging.wait(60)
    parts = server.data / "blobs" / "parts"
    wait_until(lambda: any(p.stat().st_size > 0 for p in parts.glob("*.part")), what="a part on disk")
    server.kill()
    pushing.kill()
    pushing.wait()
    hub.go_on.set()
    # The build begins again with the server, and goes on with the file.
    server.start()
    wait_until(lambda: server.api().call("GET", "/models/lab/killed").json().get("latest_version"), 120)
    assert server.api().run("killed")["output"]["sha256"] == sha256(hub.repos["lab/tiny"]["model.safetensors"])
    asked = f"/lab/tiny/resolve/{hub.commit('lab/tiny')}/model.safetensors"
    assert [bool(r) for path, r in hub.asked if path == asked] == [False, True]
    assert not list(parts.iterdir())


# A life of their own


def state(server, name):
    rows = server.api().get("/weights").json()["results"]
    return next(row for row in rows if row["model"] == f"lab/{name}")


def stop_all(server):
    wait_until(lambda: not server.instance_dirs(), 60, "the instances to stop")


IDLE = ("--idle-timeout", "0s", "--max-instances", "1")


def test_removed_and_fetched_again(start, hub, tmp_path):
    server = start(*IDLE, VEND_TEST_FULL_SWEEP_US="200000")
    content = hub.repos["lab/tiny"]["model.safetensors"]
    push(server, write_model(tmp_path / "m", entry("hf://lab/tiny")), "moving")
    assert state(server, "moving")["state"] == "present"

    pinned = server.cli("weights", "pin", "lab/moving", "--json")
    assert pinned.returncode == 0 and '"pinned": true' in pinned.stdout, pinned.stdout
    refused = server.cli("weights", "remove", "lab/moving")
    assert refused.returncode != 0 and "pinned" in refused.stderr
    assert server.cli("weights", "unpin", "lab/moving").returncode == 0

    removed = server.cli("weights", "remove", "lab/moving")
    assert removed.returncode == 0 and "absent" in removed.stdout, removed.stderr
    assert not blob(server, content).exists() and not list((server.data / "blobs" / "sets").iterdir())
    # A start fetches them.
    assert server.api().run("moving")["output"]["sha256"] == sha256(content)
    stop_all(server)

    # And so does a pull; a hub that has lost them is told before a start.
    assert server.cli("weights", "remove", "lab/moving").returncode == 0
    pulled = server.cli("weights", "pull", "lab/moving")
    assert pulled.returncode == 0 and "present" in pulled.stdout, pulled.stderr
    assert server.cli("weights", "remove", "lab/moving").returncode == 0
    kept = hub.repos.pop("lab/tiny")
    pulled = server.cli("weights", "pull", "lab/moving")
    assert pulled.returncode == 1 and "hf://lab/tiny@" in pulled.stderr and "404" in pulled.stderr
    ended = server.api().run("moving")
    assert ended["status"] == "failed" and "hf://lab/tiny@" in ended["error"], ended
    hub.repos["lab/tiny"] = kept
    audit(server)


def audit(server):
    found = server.cli("doctor", "--audit", "--data", server.data)
    assert found.returncode == 0, found.stdout + found.stderr


def told_of(server, prediction):
    entries = server.api().get(f"/predictions/{prediction['id']}/explanation").json()["entries"]
    return [(entry["what"], entry["sentence"]) for entry in entries]


def test_hardware_is_free_while_weights_are_fetched(start, hub, tmp_path):
    server = start(*IDLE, "--hardware-units", "1")
    api = server.api()
    push(server, write_model(tmp_path / "m", entry("hf://lab/tiny")), "moving")
    assert server.cli("weights", "remove", "lab/moving").returncode == 0
    hub.faults["model.safetensors"] = ["hang"]
    waiting = api.create("moving")
    assert hub.hanging.wait(60)
    assert state(server, "moving")["state"] == "fetching"
    assert api.run("echo", {"text": "meanwhile"})["output"] == "meanwhile"
    wait_until(lambda: "fetch" in dict(told_of(server, waiting)), what="the fetch to be told")
    assert "start" not in dict(told_of(server, waiting)) and api.prediction(waiting)["status"] == "starting"
    # Who does not wait any longer ends at once; the download goes on.
    left = api.create("moving")
    assert api.post(f"/predictions/{left['id']}/cancel", {}, 200) and api.ended(left)["status"] == "canceled"
    hub.go_on.set()
    assert api.ended(waiting)["status"] == "succeeded"
    wait_until(lambda: "completed" in dict(told_of(server, waiting)), what="the end to be told")
    told = [item for item in told_of(server, waiting) if item[0] in ("fetch", "start")]
    assert [what for what, _ in told] == ["fetch", "fetch", "start"], told
    assert "hf://lab/tiny@" in told[0][1] and "are on disk" in told[1][1], told


def test_versions_tell_of_them(start, hub, tmp_path):
    server = start(*IDLE)
    first = push(server, write_model(tmp_path / "m", entry("hf://lab/tiny")), "shown")
    hub.repos["lab/tiny"]["config.json"] = b'{"layers": 3}'
    second = push(server, write_model(tmp_path / "m", entry("hf://lab/tiny")), "shown")
    shown = server.cli("versions", "lab/shown", "show", first)
    assert shown.returncode == 0, shown.stderr
    (line,) = [line for line in shown.stdout.splitlines() if line.startswith("weights ")]
    held = server.api().get(f"/models/lab/shown/versions/{first}/provenance").json()["managed_weights"][0]
    assert held["digest"] in line and held["source"] in line and "base at weights: 4 files" in line, line
    assert "present" in line and held["state"] == "present"
    differ = server.cli("versions", "diff", f"lab/shown:{first}", f"lab/shown:{second}")
    assert differ.returncode == 0 and "managed weights" in differ.stdout, differ.stdout + differ.stderr


def lock_of(files, commit=None, uri="hf://lab/tiny"):
    """What `cog weights import` writes, but for what nobody reads here."""
    source = {"uri": uri, "fingerprint": f"commit:{commit}", "include": [], "exclude": []}
    listed = [
        {"path": path, "size": len(content), "digest": "sha256:" + sha256(content)}
        for path, content in sorted(files.items())
    ]
    base = {"name": "base", "target": "/src/weights", "sources": [source], "files": listed}
    return json.dumps({"version": 1, "weights": [base]})


def test_a_lock_of_cog_is_kept(start, hub, tmp_path):
    server = start()
    files = dict(hub.repos["lab/tiny"])
    lock = lock_of(files, hub.commit("lab/tiny"))
    model = write_model(tmp_path / "m", entry("hf://lab/tiny"))
    (model / "weights.lock").write_text(lock)
    push(server, model, "locked")
    # The branch has moved, and the hub has the commit no longer.
    hub.repos["lab/tiny"]["config.json"] = b'{"layers": 4}'
    (model / "weights.lock").write_text(lock + "\n")
    assert "404" in refuse(server, model).stderr
    # Other files than the lock has.
    (model / "weights.lock").write_text(lock_of(files, hub.commit("lab/tiny")))
    told = refuse(server, model).stderr
    assert "weights.lock" in told and "'config.json' has another checksum" in told, told
    (model / "weights.lock").write_text("{}")
    assert "weights.lock: expected version 1" in refuse(server, model).stderr


def test_a_path_as_source_with_patterns_of_cog(start, hub, tmp_path):
    server = start()
    source = "\n  uri: local\n  include: ['*.safetensors', sub/]\n  exclude: [old/]"
    model = write_model(tmp_path / "m", entry(source))
    for path in ("model.safetensors", "note.txt", "sub/x.txt", "old/model.safetensors"):
        (model / "local" / path).parent.mkdir(parents=True, exist_ok=True)
        (model / "local" / path).write_bytes(path.encode())
    push(server, model, "pathed")
    assert server.api().run("pathed")["output"]["names"] == ["model.safetensors", "sub/x.txt"]


def test_in_use(start, hub, tmp_path):
    server = start("--idle-timeout", "1h")
    push(server, write_model(tmp_path / "m", entry("hf://lab/tiny")), "busy")
    server.api().run("busy")
    assert state(server, "busy")["in_use"] is True
    refused = server.cli("weights", "remove", "lab/busy")
    assert refused.returncode != 0 and "in use" in refused.stderr
    # A server that is killed finds the instance again, and its weights are in use.
    server.kill()
    server.start()
    server.api().delete(f"/models/lab/busy/versions/{state(server, 'busy')['version']}/weights", 409)
    assert server.api().run("busy")["status"] == "succeeded"


def test_the_longest_unused_go(start, hub, tmp_path):
    server = start(*IDLE, "--weights-max", "1000000")
    hub.repos["lab/second"] = {"model.safetensors": some_bytes(600_000, 7)}
    local = tmp_path / "local"
    local.mkdir()
    (local / "model.safetensors").write_bytes(some_bytes(200_000, 8))
    model = tmp_path / "m"
    push(server, write_model(model, entry("hf://lab/tiny")), "first")
    push(server, write_model(model, entry(f"file://{local}")), "local")
    push(server, write_model(model, entry("hf://lab/second")), "second")
    wait_until(lambda: state(server, "first")["state"] == "absent", 30)
    assert state(server, "second")["state"] == state(server, "local")["state"] == "present"
    assert server.api().run("first")["status"] == "succeeded"
    wait_until(lambda: state(server, "second")["state"] == "absent", 30)
    stop_all(server)
    assert state(server, "first")["state"] == state(server, "local")["state"] == "present"
    refused = server.cli("weights", "remove", "lab/local")
    assert refused.returncode != 0 and "cannot be fetched again" in refused.stderr
    audit(server)


def test_versions_that_go_take_them_along(start, hub, tmp_path):
    server = start(*IDLE, VEND_TEST_FULL_SWEEP_US="200000")
    content = hub.repos["lab/tiny"]["model.safetensors"]
    before = stored_bytes(server)
    version = push(server, write_model(tmp_path / "m", entry("hf://lab/tiny")), "gone")
    assert server.api().run("gone")["status"] == "succeeded"
    stop_all(server)
    server.api().delete(f"/models/lab/gone/versions/{version}", 202)
    assert stored_bytes(server) == before
    wait_until(lambda: not list((server.data / "blobs" / "sets").iterdir()), 30)
    audit(server)
    assert blob(server, content).stat().st_nlink == 1


def test_a_branch_that_moved_is_looked_at_again(start, hub, tmp_path):
    server = start()
    model = write_model(tmp_path / "m", entry("hf://lab/tiny@main"))
    first = push(server, model, "moved")
    assert push(server, model, "moved") == first
    hub.repos["lab/tiny"]["config.json"] = b'{"layers": 3}'
    assert push(server, model, "moved") != first


def test_a_training_keeps_the_weights_of_its_base(start, hub, tmp_path):
    server = start(*IDLE)
    api = server.api()
    model = write_model(tmp_path / "m", entry("hf://lab/tiny"))
    (model / "cog.yaml").write_text((model / "cog.yaml").read_text() + "train: train.py:train\n")
    (model / "train.py").write_text(
        "from cog import Path\n\n\ndef train(text: str = 'x') -> Path:\n"
        "    size = len(open('weights/model.safetensors', 'rb').read())\n"
        "    Path('/tmp/w.txt').write_text(f'{text} {size}')\n    return Path('/tmp/w.txt')\n"
    )
    base = push(server, model, "teacher")
    api.post("/models", {"owner": "lab", "name": "pupil", "visibility": "private", "hardware": "cpu"}, 201)
    body = {"destination": "lab/pupil", "input": {"text": "learned"}}
    made = api.post(f"/models/lab/teacher/versions/{base}/trainings", body, 201).json()
    wait_until(lambda: api.get(f"/trainings/{made['id']}").json()["completed_at"], 60)
    trained = api.get(f"/trainings/{made['id']}").json()
    assert trained["status"] == "succeeded"
    assert ("version", f"It made the version {trained['output']['version']}.") in told_of(server, made)
    assert state(server, "pupil")["digest"] == state(server, "teacher")["digest"]
    api.delete(f"/models/lab/teacher/versions/{base}", 202)
    assert api.run("pupil")["output"]["sha256"] == sha256(hub.repos["lab/tiny"]["model.safetensors"])
    audit(server)


def test_accounts_with_the_same_files_see_nothing_of_each_other(start, hub, tmp_path):
    server = start("--package-allow", "127.0.0.0/8")
    admin = server.api()
    admin.post("/accounts", {"username": "other"}, 201)
    body = {"name": "t", "scopes": ["read", "run", "push"], "account": "other"}
    other = server.api(admin.post("/tokens", body, 201).json()["token"])
    model = write_model(tmp_path / "m", entry("hf://lab/tiny@main"))
    version = push(server, model, "first")
    local = tmp_path / "n" / "tiny"
    write_model(tmp_path / "n", entry("file://tiny"))
    for path, content in hub.repos["lab/tiny"].items():
        (local / path).parent.mkdir(parents=True, exist_ok=True)
        (local / path).write_bytes(content)
    pushed = server.cli("push", tmp_path / "n", "other/second", "--token", other.token)
    assert pushed.returncode == 0, pushed.stderr
    (theirs,) = other.get("/weights").json()["results"]
    (ours,) = admin.get("/weights").json()["results"]
    assert theirs["digest"] == ours["digest"]
    assert (theirs["source"], theirs["can_fetch"]) == ("file://tiny", False)
    assert ours["source"].startswith("hf://lab/tiny@") and ours["can_fetch"] is True
    # What one of them cannot fetch again stays for both.
    stop_all(server)
    admin.delete(f"/models/lab/first/versions/{version}/weights")
    assert admin.get("/weights").json()["results"][0]["state"] == "present"


def test_a_target_below_a_file(start, hub, tmp_path):
    server = start()
    write_model(tmp_path / "m", entry("hf://lab/tiny@main", target="/src/predict.py/x"))
    assert "predict.py/x" in refuse(server, tmp_path / "m").stderr


def test_an_archive_of_what_is_not_on_disk(start, hub, tmp_path):
    server = start(*IDLE)
    push(server, write_model(tmp_path / "m", entry("hf://lab/tiny@main")), "held")
    removed = server.cli("weights", "remove", "lab/held")
    assert removed.returncode == 0, removed.stderr
    refused = server.cli("export", "lab/held", tmp_path / "held.vend")
    assert refused.returncode == 1 and "vend weights pull" in refused.stderr, refused.stderr
    assert not (tmp_path / "held.vend").exists()


def test_more_than_an_account_may_store(start, hub, tmp_path):
    server = start("--account-max-stored", "100000")
    pushed = refuse(server, write_model(tmp_path / "m", entry("hf://lab/tiny")))
    assert "account-max-stored" in pushed.stderr or "100000" in pushed.stderr, pushed.stderr
    check_nothing_is_left(server)

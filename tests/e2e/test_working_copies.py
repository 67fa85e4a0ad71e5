"""Each instance has its own copy of the project: nothing that it writes there reaches another."""

import json
import time

import pytest

import copies
import processes
from fast_starts import await_zygote, instances, start_of, stop_instances
from waiting import wait_until

# As many as run at once; idle ones stay.
FLAGS = ("--max-instances", "2", "--boot-limit", "2", "--idle-timeout", "600s")


@pytest.fixture(params=copies.KINDS)
def kind(request, tmp_path):
    if not copies.is_possible(request.param, tmp_path):
        pytest.skip(f"no {request.param} here")
    return request.param


def version_folder(server, model="beside"):
    version = server.api().get(f"/models/lab/{model}").json()["latest_version"]["id"]
    return server.data / "versions" / version


def pushed(server):
    return copies.content_of(version_folder(server) / "src")


def check_tags(api, count=6):
    """Made so that two instances run all the time; each result is that of its own prediction."""
    made = {}
    for number in range(count):
        prediction = api.create("beside", {"tag": f"tag {number}", "seconds": 0.4})
        made[f"tag {number}"] = prediction
    got = {}
    for tag, prediction in made.items():
        ended = api.ended(prediction)
        assert ended["status"] == "succeeded", ended
        got[tag] = api.get(ended["output"]).text
    assert got == {tag: tag for tag in made}


def test_each_instance_has_its_own_files(servers, kind):
    server = servers(*FLAGS, "--working-copy", kind)
    api = server.api()
    before = pushed(server)
    check_tags(api)
    assert len(instances(api, "beside")) == 2
    stop_instances(api, "beside")
    await_zygote(api, model="beside")
    check_tags(api)
    assert [i["start"] for i in instances(api, "beside")] == ["fast", "fast"]
    assert pushed(server) == before
    assert server.stop() == 0
    assert server.instance_dirs() == []


def spoil(server, api):
    source = version_folder(server) / "src/predict.py"
    ended = api.run("beside", {"tag": "spoiled", "spoil": str(source)})
    assert ended["status"] == "succeeded", ended
    return ended["logs"]


def test_a_spoiled_source_is_that_instances_alone(servers, kind):
    server = servers("--max-instances", "1", "--working-copy", kind)
    api = server.api()
    before = copies.content_of(server.data / "versions")
    for start in ("plain", "fast", "fast"):
        logs = spoil(server, api)
        assert start_of(api, "beside")[0] == start
        if copies.has_mounts():
            # In a sandbox it is not even there.
            assert logs in {f"by its path: {why}\n" for why in ("Read-only file system", "No such file or directory")}
            now = copies.content_of(server.data / "versions")
            learned = {name for name in now if name.split("/")[-1].startswith("imports")}
            assert {name: now[name] for name in now if name not in learned} == before
        stop_instances(api, "beside")
        await_zygote(api, model="beside")


def test_trainings_have_their_own_files(servers, kind):
    server = servers("--max-instances", "2", "--working-copy", kind)
    api = server.api()
    version = api.get("/models/lab/beside").json()["latest_version"]["id"]
    body = {"owner": "lab", "name": "tuned", "visibility": "private", "hardware": "cpu"}
    api.post("/models", body, 201)
    for tag in ("one", "two"):
        path = f"/models/lab/beside/versions/{version}/trainings"
        made = api.post(path, {"destination": "lab/tuned", "input": {"tag": tag}}, 201).json()

        def end():
            now = api.get(f"/trainings/{made['id']}").json()
            return now if now["status"] in ("succeeded", "failed") else None

        ended = wait_until(end, what="its end")
        assert ended["status"] == "succeeded", ended
        assert api.get(ended["output"]["weights"]).text == tag
        stop_instances(api, "beside")


@pytest.mark.parametrize("killed", ["server", "server and director"])
def test_nothing_stays_after_a_kill(servers, kind, killed):
    server = servers("--max-instances", "1", "--working-copy", kind)
    api = server.api()
    spoil(server, api)
    (instance,) = instances(api, "beside")
    server.kill()
    if killed != "server":
        for pid in processes.directors(server.data):
            processes.kill(pid)
    api = server.start().api()
    stop_instances(api, "beside")
    wait_until(lambda: server.instance_dirs() == [], what="the folders to go")
    audit = server.cli("doctor", "--audit", "--json", "--data", server.data)
    assert audit.returncode == 0, audit.stdout
    assert api.run("beside", {"tag": "again"})["status"] == "succeeded"


def test_a_start_during_the_build_leaves_nothing(servers):
    """Before, what it wrote became part of the version, and each later setup failed."""
    server = servers()
    api = server.api()
    made = server.cli("push", copies_of_model(server, "beside"), "lab/started", "--smoke")
    assert made.returncode == 0, made.stderr
    source = version_folder(server, "started") / "src"
    assert not (source / "setup.txt").exists()
    # Each copy begins without what other instances compiled, and need not do it again.
    assert list((source / "__pycache__").glob("predict.*.pyc"))
    assert api.run("started", {"tag": "x"})["status"] == "succeeded"
    assert not (version_folder(server, "started") / "work").exists()


def copies_of_model(server, name):
    """Another source, so that it is another version."""
    import shutil

    from servers import MODELS

    folder = server.directory / "pushed"
    shutil.copytree(MODELS / name, folder)
    (folder / "other.txt").write_text(json.dumps(time.time()))
    return folder


def test_an_unknown_kind_of_copy_is_refused(servers):
    server = servers("--max-instances", "1", "--working-copy", "nonsense", start=False)
    server.spawn()
    assert server.wait() == 2
    assert "working-copy: 'nonsense' is none of auto, overlay, reflink or copy" in server.log_path.read_text()

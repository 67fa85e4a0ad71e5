"""Memory, CPU and processes of an instance are limited; memory that ran out is told from a crash."""

import json
import os
import pathlib

import processes
import pytest
from shared_file import SharedFile
from waiting import wait_until

FLAGS = (
    *("--hardware", "cpu=CPU,tight=Tight"),
    *("--hardware-memory", "2G,tight=300M"),
    *("--hardware-processes", "tight=120"),
    *("--hardware-cpus", "tight=0.5"),
    *("--hardware-units", "4"),
)
# More than the limit, less than would hurt the machine.
TOO_MUCH_MIB = 600


def kept_by(api):
    return {kind["sku"]: kind["kept_by"] for kind in api.debug()["hardware"]}["tight"]


def need_groups(api, *kinds):
    kept = kept_by(api)
    missing = [kind for kind in kinds if not str(kept[kind]).startswith("cgroup")]
    if missing:
        pytest.skip(f"no control groups here for: {', '.join(missing)}")


def groups(server, instance):
    """{controller: folder} of an instance, from what its director was told."""
    spec = json.loads((server.data / "instances" / instance["id"] / "spec.json").read_text())
    return {
        kind: pathlib.Path(base["path"]) / f"vend-{instance['id']}"
        for kind, base in spec["cgroups"].items()
    }


def members(folder):
    try:
        return [int(line) for line in (folder / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def deploy(api, model="faulty", hardware="tight", least=0, most=2):
    version = api.get(f"/models/lab/{model}").json()["latest_version"]["id"]
    body = {
        "name": f"{model}-{hardware}",
        "model": f"lab/{model}",
        "version": version,
        "hardware": hardware,
        "min_instances": least,
        "max_instances": most,
    }
    api.post("/deployments", body, 200)
    return f"lab/{body['name']}"


def create(api, deployment, **inputs):
    return api.post(f"/deployments/{deployment}/predictions", {"input": inputs}, 201).json()


def run(api, deployment, **inputs):
    return api.ended(create(api, deployment, **inputs))


def ready(api, deployment):
    return [
        i
        for i in api.debug()["instances"]
        if i["deployment"] == deployment and i["state"] == "ready"
    ]


def entries(api, prediction):
    return api.get(f"/predictions/{prediction['id']}/explanation").json()


@pytest.fixture(scope="module")
def tight(server):
    return deploy(server.api())


def test_memory_that_ran_out(server, api, tight):
    """Tried again once, and said; nobody else notices."""
    need_groups(api, "memory")
    record = SharedFile(server)
    others = api.run("echo", {"text": "before"})
    ended = run(api, tight, mode="memory", size=TOO_MUCH_MIB, record=str(record))
    assert ended["status"] == "failed" and ended["error_code"] == "OUT_OF_MEMORY", ended
    assert ended["error"].startswith("the model ran out of memory (limit 300 MiB)"), ended
    assert len(record.lines()) == 2
    assert "OUT_OF_MEMORY" not in str(others)
    story = json.dumps(entries(api, ended))
    assert "Attempt 1 was lost (the model ran out of memory" in story, story
    assert api.run("echo", {"text": "after"})["output"] == "after"
    assert run(api, tight, mode="memory", size=20)["output"] == 20 << 20


def test_a_crash_is_none(api, tight):
    for mode in ("os_exit", "kill"):
        ended = run(api, tight, mode=mode)
        assert ended.get("error_code") == "INSTANCE_LOST", str(ended)
        assert "memory" not in ended["error"]


def test_processes(api, tight):
    """The model is told, and lives."""
    need_groups(api, "processes")
    ended = run(api, tight, mode="processes", size=200)
    assert ended["status"] == "failed" and "error_code" not in ended, str(ended)
    assert "Resource temporarily unavailable" in ended["error"], ended
    assert run(api, tight, mode="processes", size=5)["output"] == 5


def test_cpu(server, api, tight):
    need_groups(api, "cpus")
    made = create(api, tight, mode="burn", seconds=300)
    api.reaches(made, "processing")
    folder = groups(server, ready(api, tight)[0])["cpu"]

    def is_throttled():
        words = (folder / "cpu.stat").read_text().split()
        return int(words[words.index("nr_throttled") + 1]) > 0

    wait_until(is_throttled, what="the kernel to hold it back")
    api.cancel(made)
    assert api.ended(made)["status"] == "canceled"


def test_nothing_of_it_is_left(servers):
    """Not after a stop, nor after the director was killed, though the strays hide."""
    server = servers(*FLAGS)
    api = server.api()
    need_groups(api, "memory", "processes")
    deployment = deploy(api)
    made = create(api, deployment, mode="strays", size=3, seconds=300)
    api.reaches(made, "processing")
    instance = ready(api, deployment)[0]
    folders = groups(server, instance)
    wait_until(lambda: len(members(folders["pids"])) >= 4, what="the strays")
    strays = members(folders["pids"])
    assert set(strays) == set(members(folders["memory"]))
    for pid in processes.directors(server.data):
        processes.kill(pid)
    wait_until(lambda: not any(f.exists() for f in folders.values()), what="the groups to go")
    wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in strays), what="their ends")

    api.cancel(made)
    api.ended(made)
    assert run(api, deployment)["output"] == "ok"
    all_folders = [groups(server, i) for i in api.debug()["instances"]]
    assert any(f.exists() for folders in all_folders for f in folders.values())
    assert server.stop() == 0
    assert not any(f.exists() for folders in all_folders for f in folders.values())


def test_without_groups(servers):
    """Each process is limited instead; what Python says about it is the model's own failure."""
    server = servers(*FLAGS, "--cgroups", "off")
    api = server.api()
    assert kept_by(api) == {
        "memory": "rlimit",
        "cpus": None,
        "processes": None if os.geteuid() == 0 else "rlimit",
    }
    deployment = deploy(api)
    ended = run(api, deployment, mode="memory", size=TOO_MUCH_MIB)
    assert ended["status"] == "failed" and "error_code" not in ended, str(ended)
    assert "MemoryError" in ended["error"], ended
    spec = next((server.data / "instances").glob("*/spec.json")).read_text()
    assert json.loads(spec)["cgroups"] == {}
    assert run(api, deployment)["output"] == "ok"
    if os.geteuid() != 0:
        ended = run(api, deployment, mode="processes", size=200)
        assert "Resource temporarily unavailable" in ended["error"], ended


@pytest.mark.parametrize(
    "flags,told",
    [
        (("--cgroups", "maybe"), "cgroups: 'maybe' is neither auto nor off"),
        (("--hardware-memory", "512"), "hardware-memory: '512' is less than 16M"),
        (("--hardware-memory", "gpu=1G"), "hardware-memory: unknown hardware 'gpu'"),
        (("--hardware-cpus", "many"), "hardware-cpus: 'many' is no number"),
        (("--hardware-processes", "1.5"), "hardware-processes: '1.5' is no whole number"),
    ],
)
def test_wrong_settings(binary, tmp_path, flags, told):
    import subprocess

    ran = subprocess.run(
        [binary, "serve", "--data", tmp_path / "d", "--listen", "127.0.0.1:0", *flags],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 2 and told in ran.stderr, ran.stderr

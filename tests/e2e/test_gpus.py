"""GPUs are found, given out one by one, and left when they become unhealthy. The driver's library is a fake."""

import json
import os
import pathlib
import shutil
import sqlite3

import processes
import pytest
from servers import MODELS
from waiting import wait_until

FAKES = pathlib.Path(os.environ["VEND_TEST_BUILD"]).resolve() / "tests" / "fakes"
KINDS = ("--hardware", "cpu=CPU,gpu=One GPU,gpu-2x=Two GPUs", "--hardware-gpus", "gpu=1,gpu-2x=2")


class Driver:
    """What the fake library tells: {UUID: state}, in the order of the GPUs."""

    def __init__(self, directory):
        self.path = directory / "gpus"
        self.states = {}

    def set(self, **states):
        self.states.update(states)
        lines = [f"GPU-{uuid}|Fake GPU|{81920}|{state}" for uuid, state in self.states.items()]
        written = self.path.with_suffix(".new")
        written.write_text("\n".join(lines) + "\n")
        written.rename(self.path)

    def env(self):
        return {"LD_LIBRARY_PATH": str(FAKES), "FAKE_NVML": str(self.path)}


@pytest.fixture
def driver(tmp_path):
    return Driver(tmp_path)


def visible(server, instance):
    """CUDA_VISIBLE_DEVICES as the processes of an instance have it."""
    found = set()
    for pid in processes.models(server.data):
        try:
            environ = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        values = dict(word.decode().partition("=")[::2] for word in environ if word)
        if values.get("VEND_INSTANCE_DIR", "").endswith(instance["id"]):
            found.add(values.get("CUDA_VISIBLE_DEVICES"))
    return found


def deploy(api, name, hardware, instances):
    version = api.get("/models/lab/echo").json()["latest_version"]["id"]
    body = {
        "name": name,
        "model": "lab/echo",
        "version": version,
        "hardware": hardware,
        "min_instances": instances,
        "max_instances": instances,
    }
    api.post("/deployments", body, 200)


def ready(api, name):
    return [
        i
        for i in api.debug()["instances"]
        if i["deployment"] == f"lab/{name}" and i["state"] == "ready"
    ]


def test_each_instance_has_its_own(servers, driver):
    driver.set(a="ok", b="ok", c="ok", d="ok")
    server = servers(*KINDS, "--hardware-units", "4", env=driver.env())
    api = server.api()
    deploy(api, "two", "gpu-2x", 1)
    wait_until(lambda: len(ready(api, "two")) == 1, what="the one with two GPUs")
    deploy(api, "one", "gpu", 3)
    wait_until(lambda: len(ready(api, "one")) == 2, what="those with one GPU")
    deploy(api, "none", "cpu", 1)
    wait_until(lambda: len(ready(api, "none")) == 1, what="the one without")

    now = api.debug()
    given = {}
    for instance in now["instances"]:
        given.setdefault(instance["deployment"], []).extend(instance["gpus"])
        wanted = ",".join(instance["gpus"])
        assert visible(server, instance) == {wanted}, instance
    assert len(given["lab/two"]) == 2 and len(given["lab/one"]) == 2 and given["lab/none"] == []
    assert sorted(given["lab/two"] + given["lab/one"]) == ["GPU-a", "GPU-b", "GPU-c", "GPU-d"]
    kinds = {kind["sku"]: kind for kind in now["hardware"]}
    assert kinds["gpu"]["units"] == kinds["gpu-2x"]["units"] == kinds["gpu"]["used"] == 4
    assert kinds["cpu"]["units"] == 4 and kinds["cpu"]["used"] == 1
    assert all(gpu["memory"] == 80 << 30 and gpu["instance"] for gpu in now["gpus"])

    server.kill()
    server.start()
    api = server.api()
    wait_until(lambda: len(ready(api, "one")) == 2, what="the instances to be taken up")
    again = {i["id"]: i["gpus"] for i in api.debug()["instances"]}
    assert again == {i["id"]: i["gpus"] for i in now["instances"]}


@pytest.mark.parametrize(
    "state,reason", [("lost", "GPU is lost"), ("xid:79", "Xid 79"), ("rows", "bad rows")]
)
def test_a_sick_one_is_left(servers, driver, state, reason):
    driver.set(a="ok", b="ok")
    server = servers(*KINDS, env=driver.env())
    api = server.api()
    deploy(api, "one", "gpu", 1)
    wait_until(lambda: len(ready(api, "one")) == 1, what="an instance")
    first = ready(api, "one")[0]
    assert first["gpus"] == ["GPU-a"]
    driver.set(a=state)

    def has_moved():
        now = ready(api, "one")
        return [i["gpus"] for i in now] == [["GPU-b"]]

    wait_until(has_moved, what="the instance to move to the other GPU")
    assert reason in str(server.log())
    faults = {gpu["uuid"]: gpu["fault"] for gpu in api.debug()["gpus"]}
    assert reason in faults["GPU-a"] and faults["GPU-b"] is None
    wait_until(
        lambda: {kind["sku"]: kind["units"] for kind in api.debug()["hardware"]}["gpu"] == 1,
        what="one GPU less",
    )
    made = api.post(
        "/deployments/lab/one/predictions",
        {"input": {"text": "well"}},
        None,
        headers={"Prefer": "wait"},
    ).json()
    assert made["output"] == "well", made


def test_harmless_errors_keep_it(servers, driver):
    driver.set(a="xid:31", b="lost")
    server = servers(*KINDS, env=driver.env())
    api = server.api()
    deploy(api, "one", "gpu", 1)
    wait_until(lambda: len(ready(api, "one")) == 1, what="an instance")
    assert [gpu["fault"] for gpu in api.debug()["gpus"]] == [None]


def test_they_are_offered_without_a_setting(servers, driver):
    driver.set(a="ok")
    api = servers(env=driver.env()).api()
    assert api.get("/hardware").json() == [
        {"sku": "cpu", "name": "CPU"},
        {"sku": "gpu", "name": "Fake GPU", "gpus": 1},
    ]
    deploy(api, "one", "gpu", 1)
    wait_until(lambda: ready(api, "one"), what="an instance")


def test_a_driver_that_does_not_answer(servers, driver):
    """The library is there, and no GPU: models run on the CPU."""
    api = servers(env=driver.env()).api()
    assert api.get("/hardware").json() == [{"sku": "cpu", "name": "CPU"}]
    assert api.run("echo", {"text": "a"})["output"] == "a"


def test_units_of_one_kind(servers):
    """A kind with units of its own leaves those of the others alone."""
    server = servers("--hardware", "cpu=CPU,big=Big", "--hardware-units", "1,big=1")
    api = server.api()
    deploy(api, "small", "cpu", 2)
    deploy(api, "large", "big", 2)
    wait_until(lambda: ready(api, "small") and ready(api, "large"), what="one of each")
    kinds = {kind["sku"]: kind for kind in api.debug()["hardware"]}
    assert [(k["units"], k["used"]) for k in kinds.values()] == [(1, 1), (1, 1)]


def test_they_are_shown(servers, driver):
    driver.set(a="ok", b="ok")
    server = servers(*KINDS, "--hardware-units", "4", env=driver.env())
    api = server.api()
    deploy(api, "one", "gpu", 1)
    wait_until(lambda: ready(api, "one"), what="an instance")
    driver.set(b="rows")
    wait_until(lambda: api.get("/status").json()["gpus"][1]["fault"], what="an unhealthy GPU")
    (instance,) = ready(api, "one")
    lines = [line.split() for line in server.cli("hardware").stdout.splitlines()]
    assert ["SKU", "GPUS", "UNITS", "USED", "NAME"] == lines[0]
    assert ["gpu", "1", "1", "1", "One", "GPU"] in lines
    assert ["cpu", "0", "4", "0", "CPU"] in lines
    assert ["0", "80.0", "GiB", instance["id"], "ok", "Fake", "GPU"] in lines
    assert any(line[:4] == ["1", "80.0", "GiB", "-"] and "rows" in line for line in lines)
    # Others see what there is, not how it stands.
    api.post("/accounts", {"username": "other"}, 201)
    body = {"name": "t", "scopes": ["read"], "account": "other"}
    token = api.post("/tokens", body, 201).json()["token"]
    plain = server.cli("hardware", env={"VEND_API_TOKEN": token}).stdout.splitlines()
    assert plain[0].split() == ["SKU", "GPUS", "NAME"] and len(plain) == 4
    status = api.get("/status").json()
    assert status["instances"][0]["gpus"] == [0]
    top = server.cli("top").stdout.splitlines()
    assert any(line.split()[:4] == ["0", "80.0", "GiB", instance["id"][:8]] for line in top)

    checks = json.loads(server.cli("doctor", "--json").stdout)["checks"]
    seen = [(c["status"], c["detail"].replace("\xa0", " ")) for c in checks if c["check"] == "nvidia"]
    assert seen[0] == ("ok", "GPU 0: Fake GPU, 80.0 GiB")
    assert seen[1][0] == "warn" and "bad rows" in seen[1][1]


@pytest.mark.parametrize(
    "gpus,hardware,said", [(True, "gpu", " on gpu"), (False, "cpu", "no hardware with GPUs")]
)
def test_a_model_that_wants_one(servers, driver, tmp_path, gpus, hardware, said):
    if gpus:
        driver.set(a="ok")
    server = servers(env=driver.env())
    source = tmp_path / "source"
    shutil.copytree(MODELS / "echo", source)
    (source / "cog.yaml").write_text(
        'build:\n  python_version: "3.11"\n  gpu: true\npredict: "predict.py:Predictor"\n'
    )
    done = server.cli("push", source, "lab/wants-one")
    assert done.returncode == 0, done.stderr
    assert said in done.stderr
    with sqlite3.connect(f"file:{server.data / 'vend.db'}?mode=ro", uri=True) as connection:
        row = connection.execute("SELECT hardware FROM models WHERE name = 'wants-one'").fetchone()
    assert row == (hardware,)
    assert server.api().run("wants-one", {"text": "a"})["output"] == "a"

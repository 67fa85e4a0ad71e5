"""Deployments run: warm instances, bounds, and releases that roll out under load."""

import shutil
import threading
import time

import processes
import pytest
from servers import MODELS
from waiting import wait_until


def push(server, directory, old, new):
    """Another version of lab/echo, made by one change of its source; its id."""
    source = directory / f"echo-{len(list(directory.iterdir()))}"
    shutil.copytree(MODELS / "echo", source)
    text = (source / "predict.py").read_text()
    assert old in text
    (source / "predict.py").write_text(text.replace(old, new))
    pushed = server.cli("push", source, "lab/echo")
    assert pushed.returncode == 0, pushed.stderr
    return pushed.stdout.strip().splitlines()[-1].partition(":")[2]


def push_marked(server, directory, mark):
    return push(server, directory, "return text.upper() if upper else text", f"return text + '{mark}'")


def latest(api, name="echo"):
    return api.get(f"/models/lab/{name}").json()["latest_version"]["id"]


def deploy(api, name, **more):
    body = {
        "name": name,
        "model": "lab/echo",
        "hardware": "cpu",
        "min_instances": 0,
        "max_instances": 1,
        **more,
    }
    body.setdefault("version", latest(api))
    return api.post("/deployments", body, 200).json()


def instances(api, name, version=None):
    return [
        i
        for i in api.debug()["instances"]
        if i["deployment"] == f"lab/{name}" and version in (None, i["version"])
    ]


def ready(api, name, version=None):
    return [i["id"] for i in instances(api, name, version) if i["state"] == "ready"]


def run(api, name, text, **more):
    return api.post(
        f"/deployments/lab/{name}/predictions",
        {"input": {"text": text, **more}},
        headers={"Prefer": "wait"},
    )


def test_warm_from_the_first_moment_and_after_a_restart(servers):
    server = servers("--idle-timeout", "1s", "--scale-down-delay", "1s")
    api = server.api()
    deploy(api, "warm", min_instances=1)
    wait_until(lambda: len(ready(api, "warm")) == 1, what="the warm instance")
    assert api.get("/predictions").json()["results"] == []
    assert server.stop() == 0
    server.start()
    wait_until(lambda: len(ready(server.api(), "warm")) == 1, what="the warm instance again")
    server.kill()
    server.start()
    api = server.api()
    wait_until(lambda: len(ready(api, "warm")) == 1, what="the warm instance after a crash")
    for pid in processes.directors(server.data):
        processes.kill(pid)
    wait_until(lambda: len(ready(api, "warm")) == 1, what="another one for the lost one")
    api.patch("/deployments/lab/warm", {"min_instances": 0}, 200)
    wait_until(lambda: instances(api, "warm") == [], what="the idle stop")


def test_bounds_are_kept_and_changed_without_a_restart(servers):
    server = servers("--scale-down-delay", "600s", "--hardware-units", "4", "--boot-limit", "4")
    api = server.api()
    deploy(api, "bounds", min_instances=1, max_instances=1)
    first = wait_until(lambda: ready(api, "bounds"), what="the first instance")
    made = [
        api.post("/deployments/lab/bounds/predictions", {"input": {"delay": 600}}, 201).json()
        for _ in range(4)
    ]
    api.reaches(made[0], "processing")
    assert len(instances(api, "bounds")) == 1
    api.patch("/deployments/lab/bounds", {"max_instances": 3}, 200)
    wait_until(lambda: len(ready(api, "bounds")) == 3, what="three instances")
    assert first[0] in ready(api, "bounds")
    assert api.prediction(made[0])["status"] == "processing"
    for prediction in made:
        api.cancel(prediction)
    for prediction in made:
        assert api.ended(prediction)["status"] == "canceled"
    api.patch("/deployments/lab/bounds", {"max_instances": 1}, 200)
    wait_until(lambda: len(instances(api, "bounds")) == 1, what="the surplus to go")


def test_no_instances_at_all(servers):
    """A maximum of 0 pauses: predictions wait, nothing fails."""
    api = servers().api()
    deploy(api, "paused", max_instances=0)
    made = api.post("/deployments/lab/paused/predictions", {"input": {"text": "x"}}, 201).json()
    # Something else gets its turn meanwhile.
    assert api.run("stream", {"count": 1})["status"] == "succeeded"
    assert api.prediction(made)["status"] == "starting" and instances(api, "paused") == []
    api.patch("/deployments/lab/paused", {"max_instances": 1}, 200)
    assert api.ended(made)["output"] == "x"


class Clients:
    """Eight callers that never stop; what they were answered."""

    def __init__(self, server, name, n=8, after=lambda: None):
        self.server = server
        self.name = name
        self.stopping = threading.Event()
        self.replies = []
        self.threads = [threading.Thread(target=self._call, args=(i,)) for i in range(n)]

    def _call(self, i):
        api = self.server.api()
        n = 0
        while not self.stopping.is_set():
            n += 1
            text = f"{i}-{n}"
            try:
                reply = run(api, self.name, text)
                body = reply.json()
                self.replies.append((text, reply.status_code, body))
            except Exception as problem:  # noqa: BLE001 - any of them fails the test
                self.replies.append((text, 0, repr(problem)))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def outputs(self):
        return [body["output"] for _, status, body in list(self.replies) if status == 201]


@pytest.mark.parametrize("units", ["4", "1"])
def test_a_release_rolls_out_under_load(servers, tmp_path, units):
    """Also where the machine has no room for both releases at a time."""
    server = servers("--hardware-units", units, "--idle-timeout", "600s")
    api = server.api()
    old = latest(api)
    new = push_marked(server, tmp_path, "!")
    assert new != old
    deploy(api, "rolls", version=old, min_instances=1)
    wait_until(lambda: ready(api, "rolls", old), what="the old release")
    with Clients(server, "rolls") as clients:
        wait_until(lambda: len(clients.replies) > 50, what="traffic")
        reply = api.patch("/deployments/lab/rolls", {"version": new}, 200).json()
        assert reply["current_release"]["number"] == 2
        wait_until(
            lambda: any(output.endswith("!") for output in clients.outputs()),
            what="an answer of the new release",
        )
        n = len(clients.replies)
        wait_until(lambda: len(clients.replies) > n + 50, what="more traffic")
    for text, status, body in clients.replies:
        assert status in (201, 202), body
        if body["status"] != "succeeded":
            body = api.ended(body["id"])
        assert body["status"] == "succeeded", body
        mark = {old: "", new: "!"}[body["version"]]
        assert body["output"] == text + mark
    wait_until(lambda: instances(api, "rolls", old) == [], what="the old release to leave")
    assert len(ready(api, "rolls", new)) == 1
    assert run(api, "rolls", "after").json()["output"] == "after!"


@pytest.mark.parametrize("units", ["4", "1"])
def test_release_after_release_under_load(servers, tmp_path, units):
    """Forth and back, without waiting for the one before to be done."""
    server = servers("--hardware-units", units, "--idle-timeout", "600s")
    api = server.api()
    marks = {latest(api): ""}
    for mark in "!?":
        marks[push_marked(server, tmp_path, mark)] = mark
    order = list(marks)
    deploy(api, "often", version=order[0], max_instances=2)
    with Clients(server, "often") as clients:
        for i in range(1, 10):
            n = len(clients.replies)
            wait_until(lambda n=n, i=i: len(clients.replies) > n + 7 * (i % 3), what="traffic")
            api.patch("/deployments/lab/often", {"version": order[i % 3]}, 200)
        wait_until(
            lambda: api.debug()["deployments"][0] == {
                "name": "lab/often", "current": 10, "serving": 10,
            },
            what="the last switch",
        )
        n = len(clients.replies)
        wait_until(lambda: len(clients.replies) > n + 20, what="more traffic")
    for text, status, body in clients.replies:
        assert status in (201, 202), body
        if body["status"] != "succeeded":
            body = api.ended(body["id"])
        assert body["status"] == "succeeded" and body["output"] == text + marks[body["version"]]
    # What waited for an old release may be served last on the only hardware; then none is left.
    wait_until(
        lambda: {i["version"] for i in instances(api, "often")} <= {order[0]},
        what="the other releases to leave",
    )


def test_what_waits_at_the_old_release_runs_there(servers, tmp_path):
    server = servers("--idle-timeout", "600s")
    api = server.api()
    old = latest(api)
    new = push_marked(server, tmp_path, "!")
    deploy(api, "drains", version=old)
    path = "/deployments/lab/drains/predictions"
    # So many that it is a panic, which keeps other instances for a minute.
    made = [api.post(path, {"input": {"text": "a", "delay": 1}}, 201).json() for _ in range(8)]
    api.reaches(made[0], "processing")
    api.patch("/deployments/lab/drains", {"version": new}, 200)
    wait_until(lambda: ready(api, "drains", new), what="the new release")
    wait_until(
        lambda: run(api, "drains", "b").json()["version"] == new, what="the switch to the new one"
    )
    for prediction in made:
        done = api.ended(prediction)
        assert done["version"] == old and done["output"] == "a"
    wait_until(lambda: instances(api, "drains", old) == [], 30, "the old release to leave")


def test_a_cold_deployment_switches_at_once(servers, tmp_path):
    server = servers()
    api = server.api()
    old = latest(api)
    new = push_marked(server, tmp_path, "!")
    deploy(api, "cold", version=old)
    api.patch("/deployments/lab/cold", {"version": new}, 200)
    assert api.run("stream", {"count": 1})["status"] == "succeeded"
    made = api.post("/deployments/lab/cold/predictions", {"input": {"text": "x"}}, 201).json()
    assert made["version"] == new
    assert api.ended(made)["output"] == "x!"
    assert instances(api, "cold", old) == []
    # The switch itself starts nothing: one instance each of stream and of the new release.
    assert api.debug()["instance_starts"] == 2


def test_a_release_that_does_not_start_takes_nothing_over(servers, tmp_path):
    server = servers("--idle-timeout", "600s")
    api = server.api()
    old = latest(api)
    broken = push(server, tmp_path, "    def predict(", "    def setup(self):\n        raise ValueError('broken')\n\n    def predict(")
    deploy(api, "careful", version=old, min_instances=1)
    wait_until(lambda: ready(api, "careful", old), what="the old release")
    api.patch("/deployments/lab/careful", {"version": broken}, 200)
    wait_until(
        lambda: any(
            d["boot_failures"] >= 2
            for d in api.debug()["targets"]
            if d["deployment"] == "lab/careful" and d["version"] == broken
        ),
        what="the failing boots",
    )
    assert run(api, "careful", "still").json()["output"] == "still"
    # The way back is one more release, and costs no boot.
    warm = ready(api, "careful", old)
    back = api.patch("/deployments/lab/careful", {"version": old}, 200).json()
    assert back["current_release"]["number"] == 3
    assert run(api, "careful", "back").json()["version"] == old
    assert ready(api, "careful", old) == warm


def test_a_crash_during_a_roll_loses_nothing(servers, tmp_path):
    server = servers("--idle-timeout", "600s")
    api = server.api()
    old = latest(api)
    new = push_marked(server, tmp_path, "!")
    deploy(api, "crash", version=old, min_instances=1)
    wait_until(lambda: ready(api, "crash", old), what="the old release")
    path = "/deployments/lab/crash/predictions"
    made = [api.post(path, {"input": {"text": "a", "delay": 0.5}}, 201).json() for _ in range(4)]
    api.patch("/deployments/lab/crash", {"version": new}, 200)
    server.kill()
    server.start()
    api = server.api()
    assert [api.ended(p)["output"] for p in made] == ["a"] * 4
    wait_until(
        lambda: run(api, "crash", "b").json()["output"] == "b!", what="the switch to the new one"
    )
    wait_until(lambda: instances(api, "crash", old) == [], what="the old release to leave")


def test_a_queue_of_the_old_release_outlives_its_instances(servers, tmp_path):
    """After a restart the minimum of the new release would hold the only hardware for ever."""
    server = servers("--hardware-units", "1", "--idle-timeout", "600s")
    api = server.api()
    old = latest(api)
    new = push_marked(server, tmp_path, "!")
    deploy(api, "behind", version=old, min_instances=1)
    wait_until(lambda: ready(api, "behind", old), what="the old release")
    path = "/deployments/lab/behind/predictions"
    made = [api.post(path, {"input": {"text": "a", "delay": 2}}, 201).json() for _ in range(3)]
    api.reaches(made[0], "processing")
    api.patch("/deployments/lab/behind", {"version": new}, 200)
    wait_until(lambda: api.debug()["deployments"][0]["serving"] == 2, what="the switch")
    server.kill()
    for pid in processes.directors(server.data) + processes.models(server.data):
        processes.kill(pid)
    server.start()
    api = server.api()
    for prediction in made:
        done = api.ended(prediction)
        assert done["version"] == old and done["output"] == "a"
    assert run(api, "behind", "b").json()["output"] == "b!"
    wait_until(lambda: ready(api, "behind", new), what="the minimum of the new release")


def test_a_roll_takes_the_hardware_of_idle_models_first(servers, tmp_path):
    """The old release serves while an idle instance of another model leaves for the new one."""
    server = servers("--hardware-units", "2", "--idle-timeout", "600s")
    api = server.api()
    old = latest(api)
    new = push_marked(server, tmp_path, "!")
    deploy(api, "room", version=old, min_instances=1)
    wait_until(lambda: ready(api, "room", old), what="the old release")
    assert api.run("stream", {"count": 1})["status"] == "succeeded"
    # Nothing is evicted that is younger than its own load.
    loaded = time.monotonic()
    load = next(
        d["boot_seconds"] for d in api.debug()["targets"] if d["model"] == "lab/stream"
    )
    wait_until(lambda: time.monotonic() - loaded > load, what="the instance to be old enough")
    api.patch("/deployments/lab/room", {"version": new}, 200)
    (state,) = api.debug()["deployments"]
    assert state == {"name": "lab/room", "current": 2, "serving": 1}
    wait_until(lambda: run(api, "room", "x").json()["output"] == "x!", what="the switch")
    assert [i for i in api.debug()["instances"] if i["model"] == "lab/stream"] == []
    wait_until(lambda: instances(api, "room", old) == [], what="the old release to leave")


def test_hardware_is_part_of_what_rolls(servers):
    server = servers("--hardware", "cpu=CPU,big=Big", "--idle-timeout", "600s")
    api = server.api()
    deploy(api, "moves", min_instances=1)
    (first,) = wait_until(lambda: ready(api, "moves"), what="the first instance")
    api.patch("/deployments/lab/moves", {"hardware": "big"}, 200)
    wait_until(
        lambda: ready(api, "moves") and first not in ready(api, "moves"), what="another instance"
    )
    made = run(api, "moves", "x").json()
    assert made["output"] == "x"


def test_a_deleted_deployment_leaves_no_instance(servers):
    server = servers("--idle-timeout", "600s", "--deployment-delete-idle", "0")
    api = server.api()
    deploy(api, "gone")
    assert run(api, "gone", "x").json()["output"] == "x"
    assert len(instances(api, "gone")) == 1
    api.delete("/deployments/lab/gone", 204)
    wait_until(lambda: instances(api, "gone") == [], what="the instance to stop")
    deploy(api, "gone")
    assert run(api, "gone", "y").json()["output"] == "y"

"""Settings of a model or a deployment hold for its instances, at once and after a restart."""

import shutil

import processes
from servers import MODELS
from shared_file import SharedFile
from waiting import wait_until


def instances(api, model="echo", deployment=None, state=None):
    return [
        i
        for i in api.debug()["instances"]
        if i["model"] == f"lab/{model}"
        and i["deployment"] == deployment
        and state in (None, i["state"])
    ]


def scaling_of(api, model="echo", deployment=None):
    return [
        d["scaling"]
        for d in api.debug()["targets"]
        if d["model"] == f"lab/{model}" and d["deployment"] == deployment
    ]


def version_of(api, model):
    return api.get(f"/models/lab/{model}").json()["latest_version"]["id"]


def test_they_hold_for_what_is_there_already(servers):
    server = servers("--idle-timeout", "600s", "--max-instances", "2")
    api = server.api()
    assert api.run("echo", {"text": "a"})["output"] == "a"
    assert api.run("stream", {})["status"] == "succeeded"
    api.patch("/models/lab/echo/scaling", {"idle_timeout": 0.5}, 200)
    wait_until(lambda: instances(api) == [], what="the end of the idle one")
    # The other model follows the server.
    assert len(instances(api, "stream", state="ready")) == 1

    api.patch("/models/lab/echo/scaling", {"idle_timeout": None, "max_instances": 1}, 200)
    server.kill()
    server.start()
    api = server.api()
    assert api.run("echo", {"text": "b"})["output"] == "b"
    assert [s["max_instances"] for s in scaling_of(api)] == [1]


def test_a_minimum_of_a_model_is_kept_of_its_latest_version(servers, tmp_path):
    server = servers("--idle-timeout", "1s", "--scale-down-delay", "1s")
    api = server.api()
    api.patch("/models/lab/echo/scaling", {"min_instances": 1}, 200)
    first = version_of(api, "echo")

    def warm():
        return {i["version"] for i in instances(api, state="ready")}

    wait_until(lambda: warm() == {first}, what="the warm instance")
    assert server.stop() == 0
    server.start()
    api = server.api()
    wait_until(lambda: warm() == {first}, what="the warm instance after a restart")

    source = tmp_path / "source"
    shutil.copytree(MODELS / "echo", source)
    (source / "predict.py").write_text((source / "predict.py").read_text() + "\n# Another one.\n")
    pushed = server.cli("push", source, "lab/echo")
    assert pushed.returncode == 0, pushed.stderr
    second = version_of(api, "echo")
    assert second != first
    wait_until(lambda: warm() == {second}, what="the warm instance of the new version")
    api.delete(f"/models/lab/echo/versions/{second}", 202)
    wait_until(lambda: warm() == {first}, what="the one of the version that is the latest again")
    api.patch("/models/lab/echo/scaling", {"min_instances": None}, 200)
    wait_until(lambda: instances(api) == [], what="the end of all")


def test_a_lower_concurrency_is_a_release_of_its_own(servers):
    server = servers("--max-instances", "1")
    api = server.api()
    made = {
        "name": "pair",
        "model": "lab/concurrent",
        "version": version_of(api, "concurrent"),
        "hardware": "cpu",
        "min_instances": 1,
        "max_instances": 1,
        "concurrency": 2,
    }
    api.post("/deployments", made, 200)

    def parallel(n):
        path = "/deployments/lab/pair/predictions"
        body = {"input": {"together": n, "timeout": 1}}
        runs = [api.post(path, body, 201).json() for _ in range(n)]
        return max(int(api.ended(run)["output"]) for run in runs)

    def slots():
        return [i["slots"] for i in instances(api, "concurrent", "lab/pair", "ready")]

    wait_until(lambda: slots() == [2], what="an instance of two slots")
    assert parallel(3) == 2
    # Found again with its instance, as it was.
    server.kill()
    server.start()
    api = server.api()
    wait_until(lambda: slots() == [2], what="the same instance")
    assert api.debug()["instance_starts"] == 0
    # More than the version can is what the version can.
    changed = api.patch("/deployments/lab/pair", {"concurrency": 200}, 200).json()
    assert changed["current_release"]["number"] == 2
    wait_until(lambda: slots() == [4], what="an instance of the version's four slots")
    api.patch("/deployments/lab/pair", {"min_instances": 0, "idle_timeout": 0.2}, 200)
    wait_until(lambda: instances(api, "concurrent", "lab/pair") == [], what="the end of it")


def test_a_run_that_must_not_begin_twice(servers):
    server = servers("--max-instances", "1")
    api = server.api()
    record = SharedFile(server)

    def lose_one():
        made = api.create("echo", {"delay": 1, "text": "once", "record": str(record)})
        api.reaches(made, "processing")
        for pid in processes.directors(server.data):
            processes.kill(pid)
        return api.ended(made)

    assert lose_one()["status"] == "succeeded"
    assert len(record.lines()) == 2
    record.path.unlink()
    api.patch("/models/lab/echo/scaling", {"retry_safe": False}, 200)
    lost = lose_one()
    assert lost["status"] == "failed" and lost["error_code"] == "INSTANCE_LOST"
    assert "retry_safe" in lost["error"]
    assert len(record.lines()) == 1
    assert "retry_safe" in str(api.get(f"/predictions/{lost['id']}/explanation").json())


def test_another_concurrency_replaces_what_is_there(servers):
    api = servers("--max-instances", "1", "--idle-timeout", "600s", "--hardware-units", "4").api()
    assert api.run("concurrent", {"together": 1})["status"] == "succeeded"

    def slots():
        return [i["slots"] for i in instances(api, "concurrent", state="ready")]

    assert slots() == [4]
    api.patch("/models/lab/concurrent/scaling", {"concurrency": 2}, 200)
    wait_until(lambda: slots() in ([4, 2], [2, 4], [2]), what="the other one")
    wait_until(lambda: slots() == [2], what="the end of the first")
    api.patch("/models/lab/concurrent/scaling", {"concurrency": None}, 200)
    wait_until(lambda: slots() == [4], what="one as before")
    assert api.debug()["instance_starts"] == 3

    def ends():
        decided = api.get("/decisions?model=lab/concurrent").json()["results"]
        return [d["sentence"] for d in decided if d["kind"] == "stop"]

    wait_until(lambda: len(ends()) == 2, what="both stops to be on disk")
    assert all("another concurrency" in sentence for sentence in ends())

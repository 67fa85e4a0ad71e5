"""Models that start from a zygote do what they do otherwise; what stands in the way is told."""

import json
import os
import shutil
import signal
import tempfile

import pytest

import processes
from fast_starts import await_zygote, start_of, stop_instances
from waiting import wait_until

FLAGS = ("--max-instances", "1", "--idle-timeout", "600s")
# Of one instance alone.
OWN = ("PORT", "TMPDIR")


def both_ways(api, model, inputs):
    """The ends of a prediction after a plain start, which teaches the imports, and a fast one."""
    plain = api.run(model, inputs)
    assert start_of(api, model) == ("plain", "its imports are not learned yet")
    await_zygote(api)
    stop_instances(api, model)
    fast = api.run(model, inputs)
    assert start_of(api, model) == ("fast", None)
    stop_instances(api, model)
    return plain, fast


@pytest.mark.parametrize(
    "model,inputs",
    [
        ("echo", {"text": "a"}),
        ("pieces", {}),
        ("stream", {}),
        ("types", {"text": "abc", "count": 3}),
    ],
)
def test_models_do_the_same(api, server, model, inputs):
    plain, fast = both_ways(api, model, inputs)
    assert plain["status"] == "succeeded"
    for part in ("status", "output", "error", "logs"):
        assert fast[part] == plain[part]
    assert processes.models(server.data) == []
    starts = [
        line
        for line in api.get("//metrics").text.splitlines()
        if line.startswith("vend_fast_starts_total{") and f'"lab/{model}"' in line
    ]
    assert len(starts) == 1 and starts[0].endswith(" 1"), starts


def without_own(facts):
    # The first start writes down the imports.
    facts["hooks"] = [hook for hook in facts["hooks"] if hook != "Recorder"]
    facts["environ"] = {k: v for k, v in facts["environ"].items() if k not in OWN}
    # In a sandbox each instance has its own.
    facts.pop("spaces")
    return facts


def test_a_model_sees_no_difference(servers):
    """Outside of /tmp, so that each instance has one of its own."""
    folder = tempfile.mkdtemp(dir="/var/tmp")
    made = servers(*FLAGS, start=False)
    shutil.move(made.data, folder)
    made.data = type(made.data)(folder) / "data"
    try:
        api = made.start().api()
        plain, fast = both_ways(api, "facts", {})
        plain, fast = (without_own(json.loads(p["output"])) for p in (plain, fast))
        assert fast == plain
        assert plain["tmp"] == "/tmp" and plain["mounted"] == (plain["environ"].get("TMPDIR") is None)
        assert not [name for name in plain["environ"] if name.startswith("VEND_LAUNCH")]
        made.stop()
    finally:
        made.destroy()
        for pid in processes.of_data_dir(folder):
            processes.kill(pid)
        shutil.rmtree(folder)


def test_a_broken_zygote_means_a_plain_start(api, server):
    """Whatever is in the way, the prediction succeeds and the reason is told."""
    assert api.run("facts", {})["status"] == "succeeded"
    zygote = await_zygote(api, model="facts")

    def start():
        stop_instances(api, "facts")
        assert api.run("facts", {})["status"] == "succeeded"
        return start_of(api, "facts")

    assert start() == ("fast", None)
    os.kill(zygote["pid"], signal.SIGSTOP)
    assert start() == ("plain", "the zygote does not answer")
    os.kill(zygote["pid"], signal.SIGCONT)
    assert start() == ("fast", None)

    # What was forked from it goes on without it.
    os.kill(zygote["pid"], signal.SIGKILL)
    assert api.run("facts", {})["status"] == "succeeded"
    await_zygote(api, "gone", "facts")
    assert start() == ("plain", "its zygote is still being made")
    again = await_zygote(api, model="facts")
    assert again["pid"] != zygote["pid"]

    os.rename(again["socket"], again["socket"] + ".away")
    assert start() == ("plain", "no zygote: No such file or directory")
    os.rename(again["socket"] + ".away", again["socket"])
    assert start() == ("fast", None)

    decisions = api.get("/decisions?model=lab/facts").json()["results"]
    told = " ".join(d["sentence"] for d in decisions if d["kind"] == "ready")
    assert "it was started plainly: the zygote does not answer" in told
    assert "from a zygote" in told
    stop_instances(api, "facts")
    assert processes.models(server.data) == []


def test_no_memory_for_zygotes(servers):
    server = servers(*FLAGS, "--zygote-memory", "1M")
    api = server.api()
    assert api.run("echo", {"text": "a"})["output"] == "a"
    assert await_zygote(api, "gone")["bytes"] > 1 << 20
    stop_instances(api, "echo")
    assert api.run("echo", {"text": "a"})["output"] == "a"
    assert start_of(api, "echo") == ("plain", "its zygote takes more memory than zygote-memory")
    assert processes.zygotes(server.data) == []


def test_it_can_be_turned_off(servers):
    server = servers(*FLAGS, "--fast-start=false")
    api = server.api()
    assert api.run("echo", {"text": "a"})["output"] == "a"
    assert start_of(api, "echo") == ("plain", "fast start is off")
    assert processes.zygotes(server.data) == []


def test_after_a_crash_of_the_server(servers):
    """Its zygotes end, what was forked from them goes on; the next server makes new ones."""
    server = servers(*FLAGS)
    api = server.api()
    both_ways(api, "echo", {"text": "a"})
    running = api.create("echo", {"text": "late", "delay": 3})
    wait_until(lambda: api.prediction(running)["status"] == "processing", what="the run")
    assert start_of(api, "echo") == ("fast", None)
    server.kill()
    wait_until(lambda: not processes.zygotes(server.data), what="the zygotes to go")
    api = server.start().api()
    assert api.ended(running)["output"] == "late"
    stop_instances(api, "echo")
    assert api.run("echo", {"text": "b"})["output"] == "b"
    assert start_of(api, "echo") == ("plain", "its zygote is still being made")
    await_zygote(api)
    stop_instances(api, "echo")
    assert api.run("echo", {"text": "c"})["output"] == "c"
    assert start_of(api, "echo") == ("fast", None)

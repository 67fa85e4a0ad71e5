"""A thousand at once for a model that is cold: as many instances as its queue needs, and no more."""

import math
from concurrent.futures import ThreadPoolExecutor

N = 1000
AT_A_TIME = 8
ASSUMED_S = 10
MAX_INSTANCES = 10


def create_all(server):
    """The ids; each thread keeps its connection."""

    def some(count):
        api = server.api()
        return [api.create("echo", {"text": str(i)})["id"] for i in range(count)]

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return [one for ids in pool.map(some, [N // AT_A_TIME] * AT_A_TIME) for one in ids]


def needed(inputs):
    """Instances for what waits, as docs/architecture/sched.md says: each has a boot's time of work."""
    boot = inputs["boot_seconds"] or ASSUMED_S
    run = inputs["run_seconds"] or ASSUMED_S
    return math.ceil(inputs["waiting"] / max(inputs["slots"], inputs["slots"] * boot / run))


def test_a_thousand_on_a_cold_model(servers):
    server = servers(
        "--max-instances", str(MAX_INSTANCES), "--hardware-units", "20", "--boot-limit", "2",
        "--rate-limit-creates", "0", "--rate-limit-other", "0",
    )
    api = server.api()
    ids = create_all(server)
    last = api.ended(ids[-1], timeout=120)
    assert last["status"] == "succeeded"
    assert {api.ended(one)["status"] for one in ids} == {"succeeded"}

    decisions = api.get("/decisions?model=lab/echo").json()["results"]
    starts = [d["inputs"] for d in decisions if d["kind"] == "start"]
    assert len(starts) == api.debug()["instance_starts"]
    # Two boot before anything is measured; then their runs of a few milliseconds are.
    assert 1 <= len(starts) < MAX_INSTANCES
    for inputs in starts:
        assert inputs["instances"] <= needed(inputs)

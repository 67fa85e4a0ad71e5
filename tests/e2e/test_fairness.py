"""One account floods a model and all hardware; a single request of another keeps its bounds."""

import datetime
from concurrent.futures import ThreadPoolExecutor

N = 2000
AT_A_TIME = 8
SAMPLE = 40
RUN_S = 0.3
BOUND_S = 20


def flood(server, model, inputs, count):
    """The ids, in the order of creation as far as it is known."""

    def some(n):
        api = server.api()
        return [api.create(model, inputs)["id"] for _ in range(n)]

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return [one for ids in pool.map(some, [count // AT_A_TIME] * AT_A_TIME) for one in ids]


def when(prediction, what):
    return datetime.datetime.fromisoformat(prediction[what].replace("Z", "+00:00"))


def test_a_flood_delays_another_account_by_its_bound_only(servers):
    server = servers(
        "--hardware-units", "2", "--max-instances", "1", "--starvation-bound", f"{BOUND_S}s",
        "--rate-limit-creates", "0", "--rate-limit-other", "0",
    )
    admin = server.api()
    admin.post("/accounts", {"username": "small"}, 201)
    token = admin.post(
        "/tokens", {"name": "t", "scopes": ["run", "read"], "account": "small"}, 201
    ).json()["token"]
    small = server.api(token)

    # Both units are the other account's, and stay busy.
    first = admin.create("echo", {"delay": RUN_S})
    other = admin.create("concurrent", {"together": 5, "timeout": RUN_S})
    admin.reaches(first, "processing", "succeeded")
    admin.reaches(other, "processing", "succeeded")
    floods = flood(server, "echo", {"delay": RUN_S}, N)
    flood(server, "concurrent", {"together": 5, "timeout": RUN_S}, N // 4)

    # The same model: each account that waits has one turn at most before it.
    one = small.ended(small.create("echo", {"text": "one"}))
    assert one["output"] == "one"
    begun = [p for p in map(admin.prediction, may_have_begun(floods)) if p["started_at"]]
    before = [p for p in begun if when(p, "started_at") < when(one, "created_at")]
    between = [p for p in begun if p not in before and when(p, "started_at") < when(one, "started_at")]
    assert len(between) <= 1
    assert 5 < len(before) and len(begun) < AT_A_TIME * SAMPLE

    # A model that nothing serves, on hardware that is all taken.
    cold = small.ended(small.create("stream", {}), timeout=4 * BOUND_S)
    assert cold["status"] == "succeeded"
    waited = when(cold, "started_at") - when(cold, "created_at")
    assert waited.total_seconds() <= BOUND_S
    assert admin.debug()["queued"] > N / 2


def may_have_begun(ids):
    """The first of each thread's."""
    share = len(ids) // AT_A_TIME
    return [one for i in range(AT_A_TIME) for one in ids[i * share : i * share + SAMPLE]]

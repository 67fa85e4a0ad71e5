"""What cannot begin before its deadline ends at once; what could begin is left to wait."""

from waiting import wait_until


def test_a_deadline_that_cannot_be_kept(servers):
    server = servers("--max-instances", "1")
    api = server.api()
    # Nothing is measured: everybody waits.
    first = [api.create("echo", {"delay": 3}) for _ in range(3)]
    hopeful = api.create("echo", {"text": "a"}, cancel_after="5")
    assert api.prediction(hopeful)["status"] == "starting"
    assert [api.ended(run)["status"] for run in first] == ["succeeded"] * 3

    # Runs take 3 s, so what has five before it is sure to wait for 7.5 s.
    running = [api.create("echo", {"delay": 3}) for _ in range(6)]
    api.reaches(running[0], "processing")
    late = api.create("echo", {"text": "late"}, cancel_after="5")
    ended = api.ended(late, timeout=3)
    assert ended["status"] == "aborted" and ended["started_at"] is None
    assert ended["error_code"] == "DEADLINE_UNREACHABLE"
    assert "deadline" in ended["error"] and "5 before it" in ended["error"]
    held = api.create("echo", {}, 201, prefer="wait", cancel_after="5")
    assert held["status"] == "aborted" and held["error_code"] == "DEADLINE_UNREACHABLE"
    keyed = api.post(
        "/models/lab/echo/predictions",
        {"input": {}},
        201,
        headers={"Cancel-After": "5", "Idempotency-Key": "once"},
    ).json()
    assert api.ended(keyed)["error_code"] == "DEADLINE_UNREACHABLE"
    explained = api.get(f"/predictions/{late['id']}/explanation").json()
    assert "could not begin before its deadline" in str(explained)

    # A minute is enough, and what is next may begin at any moment.
    patient = api.create("echo", {"text": "patient"}, cancel_after="60")
    for run in running[1:]:
        api.cancel(run)
    soon = api.create("echo", {"text": "soon"}, cancel_after="30")
    api.cancel(running[0])
    assert api.ended(patient)["status"] == api.ended(soon)["status"] == "succeeded"
    wait_until(lambda: api.debug()["queued"] == 0)

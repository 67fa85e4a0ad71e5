"""The timeline of a prediction, and the scheduler's decisions: complete, in order, and bounded."""

import json
import sqlite3
import time

import pytest
from processes import kill
from receiver import Receiver
from waiting import wait_until

UNIT = {"VEND_TEST_WEBHOOK_UNIT_US": "20000"}


def timeline(api, which):
    told = api.get(f"/predictions/{which['id']}/explanation").json()
    assert told["id"] == which["id"]
    times = [entry["at"] for entry in told["entries"] if entry["at"]]
    assert times == sorted(times)
    return told["entries"]


def whats(entries):
    return [entry["what"] for entry in entries]


def only(entries, what):
    (entry,) = [entry for entry in entries if entry["what"] == what]
    return entry


def rows(server, sql, *values):
    with sqlite3.connect(f"file:{server.data / 'vend.db'}?mode=ro", uri=True) as connection:
        return connection.execute(sql, values).fetchall()


# The timeline


def test_a_cold_start_is_told_from_beginning_to_end(servers):
    api = servers().api()
    made = api.run("echo", {"text": "x"})
    entries = timeline(api, made)
    assert whats(entries) == ["created", "queued", "start", "ready", "started", "completed"]
    assert entries[0]["at"] == made["created_at"] and entries[0]["details"]["version"] == made["version"]
    assert only(entries, "queued")["sentence"] == "Queued as the next one."
    start = only(entries, "start")
    assert start["sentence"].startswith("Starting an instance of lab/echo: somebody waits")
    assert start["details"]["waiting"] == 1 and start["details"]["hardware_units"] > 0
    ready = only(entries, "ready")
    assert ready["details"]["instance"] == start["details"]["instance"]
    assert 0 < ready["details"]["setup_seconds"] < ready["details"]["boot_seconds"]
    assert ready["details"]["boot_seconds"] > 0 and " took " in ready["sentence"]
    started = only(entries, "started")
    assert started["at"] == made["started_at"]
    assert started["details"]["instance"] == start["details"]["instance"]
    end = only(entries, "completed")
    assert end["at"] == made["completed_at"] and end["sentence"].startswith("Succeeded after running")
    assert end["details"]["metered"]["hardware"] == "cpu"
    # A warm one is told whose instance it got.
    again = api.run("echo", {"text": "y"})
    entries = timeline(api, again)
    assert whats(entries) == ["created", "started", "completed"]
    assert "had been ready for" in only(entries, "started")["sentence"]
    assert only(entries, "started")["details"]["instance_reason"] == start["sentence"]


def test_short_runs_make_no_rows_of_their_own(server, api):
    api.run("echo", {"text": "warm"})
    before = rows(server, "SELECT COUNT(*) FROM decisions")
    for _ in range(20):
        api.create("echo", {"text": "x"}, prefer="wait")
    assert rows(server, "SELECT COUNT(*) FROM decisions") == before
    assert rows(server, "SELECT COUNT(*) FROM decisions WHERE prediction IS NOT NULL") == [(0,)]


def test_it_says_behind_how_many(servers):
    api = servers("--max-instances", "1").api()
    first = api.create("faulty", {"mode": "sleep", "seconds": 30.0})
    api.reaches(first, "processing")
    second, third = (api.create("faulty") for _ in range(2))
    entries = timeline(api, third)
    assert only(entries, "queued")["details"] == {"behind": 1}
    assert only(entries, "queued")["sentence"] == "Queued behind 1."
    waiting = only(entries, "waiting")
    assert waiting["at"] is None and waiting["details"]["position"] == 2
    assert whats(timeline(api, first))[-1] == "running"
    api.cancel(first)
    api.ended(second)
    assert only(timeline(api, api.ended(third)), "queued")["details"] == {"behind": 1}
    assert only(timeline(api, first), "completed")["sentence"].endswith("as was asked for.")


def test_lost_attempts_and_retries(servers):
    server = servers()
    api = server.api()
    made = api.create("faulty", {"mode": "sleep", "seconds": 2.0})
    api.reaches(made, "processing")
    (instance,) = api.debug()["instances"]
    for pid in pids_of(server, instance):
        kill(pid)
    ended = api.ended(made)
    assert ended["status"] == "succeeded"
    entries = timeline(api, made)
    lost = only(entries, "lost")
    assert lost["details"]["attempt"] == 1 and lost["details"]["instance"] == instance["id"]
    assert lost["sentence"].startswith("Attempt 1 was lost after running for")
    retry = only(entries, "retry")
    assert "goes back to the head of the queue" in retry["sentence"]
    assert retry["details"]["started"] is True and retry["details"]["output_returned"] is False
    assert only(entries, "started")["details"]["attempt"] == 2
    kinds = [d["kind"] for d in api.get("/decisions").json()["results"]]
    assert "retry" in kinds


def pids_of(server, instance):
    from processes import of_data_dir

    return list(of_data_dir(server.data / "instances" / instance["id"]))


def test_deadlines(servers):
    api = servers("--max-instances", "1").api()
    first = api.create("faulty", {"mode": "sleep", "seconds": 30.0})
    api.reaches(first, "processing")
    late = api.ended(api.create("faulty", cancel_after="5s"))
    assert late["status"] == "aborted"
    entries = timeline(api, late)
    assert whats(entries)[-2:] in (["abort", "completed"], ["completed", "abort"])
    assert "does not begin any more" in only(entries, "abort")["sentence"]
    api.cancel(first)
    running = api.create("faulty", {"mode": "sleep", "seconds": 30.0}, cancel_after="5s")
    assert api.ended(running)["status"] == "canceled"
    assert "asked to stop" in only(timeline(api, running), "deadline")["sentence"]


def test_a_model_that_does_not_start(servers):
    api = servers().api()
    made = api.create("setup-fails")
    wait_until(lambda: "boot-failed" in whats(timeline(api, made)), 60, "the first failure")
    failed = next(e for e in timeline(api, made) if e["what"] == "boot-failed")
    assert "failure 1 in a row" in failed["sentence"] and failed["details"]["failures"] == 1
    api.cancel(made)


def test_webhooks_and_files(servers):
    server = servers("--webhook-allow", "127.0.0.0/8", env=UNIT)
    api = server.api()
    receiver = Receiver()
    receiver.answers("/hook", 500, 200)
    try:
        made = api.run("faulty", {"mode": "file"}, webhook=receiver.url + "/hook", webhook_events_filter=["completed"])
        receiver.wait_for(2)
        hook = wait_until(
            lambda: next((e for e in timeline(api, made) if "was delivered" in e["sentence"]), None), 30, "the delivery"
        )
    finally:
        receiver.close()
    assert hook["sentence"] == "Webhook 'completed' was delivered at the 2nd try."
    assert hook["details"]["tries"] == 2
    output = only(timeline(api, made), "output")
    assert output["details"]["size"] > 0 and output["details"]["name"] in output["sentence"]


def test_removed_data(servers):
    server = servers("--retention", "1s")
    api = server.api()
    made = api.run("echo", {"text": "x"})
    wait_until(lambda: api.prediction(made)["data_removed"], 30, "the sweep")
    entry = timeline(api, made)[-1]
    assert entry["what"] == "data-removed" and entry["at"] > made["completed_at"]


def test_a_new_release_is_told(servers):
    api = servers("--hardware", "cpu=CPU,big=Big").api()
    body = {"name": "d", "model": "lab/echo", "version": version_of(api, "echo"), "hardware": "cpu"}
    api.post("/deployments", {**body, "min_instances": 0, "max_instances": 1}, 200)
    api.patch("/deployments/lab/d", {"hardware": "big"}, 200)
    (roll,) = [d for d in api.get("/decisions").json()["results"] if d["kind"] == "roll"]
    assert roll["sentence"] == "Release 2 of lab/d takes over: nothing of the old one is warm."
    assert roll["deployment"] == "lab/d" and roll["inputs"] == {"release": 2}


def version_of(api, model):
    return api.get(f"/models/lab/{model}").json()["latest_version"]["id"]


def test_trainings_have_a_story_too(api):
    api.post("/models", {"owner": "lab", "name": "tuned", "visibility": "private", "hardware": "cpu"}, 201)
    path = f"/models/lab/trainer/versions/{version_of(api, 'trainer')}/trainings"
    made = api.post(path, {"input": {"steps": 1}, "destination": "lab/tuned"}, 201).json()
    assert whats(timeline(api, made))[0] == "created"


def test_it_survives_a_kill(servers):
    server = servers()
    api = server.api()
    made = api.create("faulty", {"mode": "sleep", "seconds": 3.0})
    api.reaches(made, "processing")
    server.kill()
    api = server.start().api()
    api.ended(made)
    entries = timeline(api, made)
    assert whats(entries)[:4] == ["created", "queued", "start", "ready"]
    assert whats(entries)[-1] == "completed" and "lost" not in whats(entries)


# Who may read it


def test_others_do_not_see_it(api, other):
    made = api.run("echo", {"text": "x"})
    other.get(f"/predictions/{made['id']}/explanation", 404)
    api.get(f"/predictions/{made['id']}/explanation", 401, token="")
    api.get("/predictions/nothing/explanation", 404)
    other.get("/decisions", 403)
    api.get("/decisions", 401, token="")


# The list


def test_pages_and_filters(servers):
    server = servers()
    api = server.api()
    api.run("echo", {"text": "x"})
    api.run("faulty")
    server.kill()
    fill(server, 250)
    api = server.start().api()
    seen, path = [], "/decisions?model=lab%2Fecho"
    while path:
        page = api.get(path).json()
        seen += page["results"]
        path = page["next"]
    assert len(seen) >= 252 and {d["model"] for d in seen} == {"lab/echo"}
    keys = [(d["at"], d["id"]) for d in seen]
    assert keys == sorted(keys, reverse=True) and len(set(keys)) == len(keys)
    since = seen[100]["at"]
    assert {d["at"] >= since for d in api.get(f"/decisions?since={since}").json()["results"]} == {True}
    assert api.get("/decisions?since=2999-01-01T00:00:00Z").json()["results"] == []
    assert "since" in api.get("/decisions?since=yesterday", 400).json()["detail"]
    assert "cursor" in api.get("/decisions?cursor=x", 400).json()["detail"]
    assert api.get("/decisions?model=lab%2Fnothing").json()["results"] == []
    for wrong in ("nonsense", "lab/", "a/b/c", "lab/echo:" + "0" * 64):
        assert api.get(f"/decisions?model={wrong}", 400).json()["detail"] == f"model: expected owner/name, got '{wrong}'"


def fill(server, n, at_us=None):
    with sqlite3.connect(server.data / "vend.db") as connection:
        at_us = at_us or int(time.time() * 1e6)
        (last,) = connection.execute("SELECT COALESCE(MAX(id), 0) FROM decisions").fetchone()
        connection.executemany(
            "INSERT INTO decisions (id, at_us, kind, model, sentence, inputs) VALUES (?, ?, 'stop', 'lab/echo', 's', '{}')",
            [(last + 1 + i, at_us) for i in range(n)],
        )


def count(server):
    return rows(server, "SELECT COUNT(*), MAX(id) FROM decisions")[0]


@pytest.mark.parametrize("flag", ["--decision-max", "--decision-keep"])
def test_old_ones_leave(servers, flag):
    server = servers("--decision-max", "50") if flag == "--decision-max" else servers("--decision-keep", "1h")
    server.kill()
    fill(server, 450, None if flag == "--decision-max" else int((time.time() - 7200) * 1e6))
    fill(server, 50)
    server.start()
    wait_until(lambda: count(server)[0] == 50, 30, "the sweep")
    assert count(server)[1] == 500


# The command line


def test_command_line(servers):
    server = servers()
    api = server.api()
    made = api.run("echo", {"text": "x"})
    told = server.cli("explain", made["id"], env={"TZ": "Etc/GMT-5"})
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    sentences = [entry["sentence"] for entry in timeline(api, made)]
    assert [line.split("  ", 2)[2] for line in lines[1:]] == sentences
    hour = (int(made["created_at"][11:13]) + 5) % 24
    assert lines[1].strip().startswith(f"{hour:02}{made['created_at'][13:23]}")
    assert json.loads(server.cli("explain", made["id"], "--json").stdout)["id"] == made["id"]
    assert server.cli("explain", "x").returncode == 2
    assert server.cli("explain", "a" * 26).returncode == 1

    table = server.cli("decisions", "--model", "lab/echo", "--since", "1h").stdout.splitlines()
    assert table[0].split() == ["TIME", "KIND", "MODEL", "SENTENCE"] and len(table) == 3
    assert " ready " in table[1] and " start " in table[2]
    assert server.cli("decisions", "--since", "soon").returncode == 2
    found = json.loads(server.cli("decisions", "--limit", "1", "--json").stdout)
    assert [d["kind"] for d in found["results"]] == ["ready"]

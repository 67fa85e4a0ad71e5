"""Models that fail, hang, crash, and flood."""

import hashlib
import re
import pathlib
import signal
import socket
import sqlite3
import time

import pytest

import connections
import processes
from shared_file import SharedFile
from waiting import wait_until

FLAGS = ["--cancel-grace", "2s", "--predict-timeout", "30s", "--max-instances", "1"]


def healthy(api):
    """The next one gets a working instance."""
    ran = api.run("faulty", {"mode": "ok"})
    assert ran["status"] == "succeeded" and ran["output"] == "ok", ran


def test_an_input_that_is_longer_than_a_frame(servers):
    """It fails once, by name; the connection and the instance stay."""
    server = servers("--max-body", "200M", "--max-output", "1K", "--max-logs", "1K")
    api = server.api()
    assert api.run("echo", {"text": "before"})["output"] == "before"
    ran = api.run("echo", {"text": "x" * 70_000_000})
    assert (ran["status"], ran["error_code"]) == ("failed", "INPUT_TOO_LARGE"), ran["error"]
    assert "does not fit" in ran["error"] and ran["started_at"] is None
    assert api.run("echo", {"text": "after"})["output"] == "after"
    assert api.debug()["instance_starts"] == 1


def test_setup_failure(servers):
    server = servers()
    api = server.api()
    ran = api.run("setup-fails")
    assert ran["status"] == "failed" and ran["error_code"] == "SETUP_FAILED"
    assert "looking for the weights" in ran["logs"]
    assert "the weights are not there" in ran["logs"] + ran["error"]
    assert ran["started_at"] is None
    wait_until(lambda: server.instance_dirs() == [], what="the directory to go")
    assert not processes.models(server.data)


def test_setup_timeout(servers):
    server = servers("--setup-timeout", "2s", "--stop-grace", "1s")
    api = server.api()
    ran = api.run("setup-hangs")
    assert ran["status"] == "failed" and ran["error_code"] == "SETUP_TIMEOUT", ran
    assert "hanging now" in ran["logs"]
    wait_until(lambda: not processes.models(server.data), what="the model to go")


@pytest.mark.parametrize(
    "found,said",
    [
        (
            processes.directors,
            "was lost before it was ready (loss 1 in a row): its boot was cut off, as its director died;",
        ),
        (
            processes.models,
            "did not start (failure 1 in a row): the model server was killed by signal 9 (Killed)",
        ),
    ],
)
def test_a_boot_that_is_killed_is_no_failure_of_setup(servers, found, said):
    server = servers()
    api = server.api()
    made = api.create("setup-hangs")
    wait_until(lambda: processes.models(server.data), what="the model to start")
    for pid in found(server.data):
        processes.kill(pid)

    def sentences():
        return [d["sentence"] for d in api.get("/decisions").json()["results"]]

    wait_until(lambda: sum("Starting an" in s for s in sentences()) == 2, what="another start")
    (failure,) = [s for s in sentences() if " 1 in a row)" in s]
    assert said in failure
    assert not [s for s in sentences() if "setup" in s.replace("setup-hangs", "")]
    api.cancel(made)


def test_boots_that_are_lost_do_not_fail_the_queue(servers):
    """Three failures of setup() would; it was not the model that killed its directors."""
    server = servers("--idle-timeout", "600s")
    api = server.api()
    made = api.create("setup-hangs", {"text": "at last"})

    def booting():
        return [i for i in api.debug()["instances"] if i["state"] == "booting"]

    for n in range(1, 4):
        wait_until(lambda: booting() and processes.models(server.data), what="the model to start")
        for pid in processes.directors(server.data):
            processes.kill(pid)
        wait_until(lambda: api.debug()["targets"][0]["boot_failures"] == n, what=f"loss {n}")
    assert api.prediction(made)["status"] == "starting"
    for folder in (server.data / "versions").glob("*/src"):
        (folder / "go").touch()
    ended = api.ended(made)
    assert (ended["status"], ended["output"]) == ("succeeded", "at last"), ended
    entries = api.get(f"/predictions/{made['id']}/explanation").json()["entries"]
    assert ["boot-failed"] * 3 == [e["what"] for e in entries if e["what"] == "boot-failed"]
    assert api.debug()["targets"][0]["boot_failures"] == 0


def test_cancel_while_it_sets_up(servers):
    server = servers()
    api = server.api()
    made = api.create("setup-hangs")
    wait_until(lambda: processes.models(server.data), what="the model to start")
    assert api.cancel(made)["status"] == "canceled"
    assert api.prediction(made)["started_at"] is None


def test_predict_timeout(servers):
    api = servers("--predict-timeout", "2s", "--cancel-grace", "2s").api()
    ran = api.run("faulty", {"mode": "sleep", "seconds": 600})
    assert ran["status"] == "failed" and ran["error_code"] == "PREDICT_TIMEOUT", ran
    healthy(api)
    ran = api.run("faulty", {"mode": "stubborn"})
    assert ran["status"] == "failed" and ran["error_code"] == "PREDICT_TIMEOUT", ran
    healthy(api)


def test_a_model_that_ignores_cancel_is_replaced(api, server):
    healthy(api)
    made = api.create("faulty", {"mode": "stubborn"})
    api.reaches(made, "processing")
    before = processes.models(server.data)
    starts = api.debug()["instance_starts"]
    api.cancel(made)
    ended = api.ended(made)
    assert ended["status"] == "canceled" and ended["error"] is None
    healthy(api)
    assert api.debug()["instance_starts"] == starts + 1
    wait_until(lambda: not set(before) & set(processes.of_data_dir(server.data)), what="its end")


def test_neighbours_of_a_run_that_ignores_its_cancel_end_well(servers):
    """One instance, several slots: it takes no more, and another one replaces it once they have ended."""
    server = servers("--cancel-grace", "1s", "--max-instances", "1")
    api = server.api()
    made = [api.create("concurrent", {"together": 5, "timeout": 8}) for _ in range(4)]
    for prediction in made:
        api.reaches(prediction, "processing")
    before = processes.models(server.data)
    (folder,) = (server.data / "instances").iterdir()
    # Without coglet's server the worker is all there is.
    workers = set(before) - {int((folder / "model.pid").read_text().split()[0])} or set(before)
    # As a model that is in a call that keeps the interpreter.
    for pid in workers:
        processes.kill(pid, signal.SIGSTOP)
    api.cancel(made[0])
    ended = api.ended(made[0])
    assert (ended["status"], ended["error_code"]) == ("canceled", "CANCEL_TIMEOUT")
    for pid in workers:
        processes.kill(pid, signal.SIGCONT)
    late = api.create("concurrent", {"together": 1})
    for prediction in made[1:]:
        ended = api.ended(prediction)
        assert (ended["status"], ended["output"]) == ("succeeded", "4"), ended
    assert api.ended(late)["output"] == "1"
    assert api.debug()["instance_starts"] == 2
    decided = api.get("/decisions?model=lab/concurrent").json()["results"]
    assert [d["sentence"].startswith("Draining") for d in decided].count(True) == 1, decided
    assert "lost" not in [d["kind"] for d in decided]
    wait_until(lambda: not set(before) & set(processes.of_data_dir(server.data)), what="the end of the old model")


@pytest.mark.parametrize("mode", ["throw", "exit"])
def test_an_exception_is_the_models_own_failure(api, server, mode):
    record = SharedFile(server)
    ran = api.run("faulty", {"mode": mode, "record": str(record)})
    assert ran["status"] == "failed" and ran["error"]
    assert mode != "throw" or "boom" in ran["error"] and ran.get("error_code") is None
    assert len(record.lines()) == 1 or mode == "exit"
    healthy(api)


def given_up(api, prediction):
    """The end of its error, which the explanation says in the same words."""
    entries = api.get(f"/predictions/{prediction['id']}/explanation").json()["entries"]
    sentences = [entry["sentence"] for entry in entries if entry["what"] == "give-up"]
    why, refusal = prediction["error"].rsplit("; ", 1)
    assert len(sentences) == 1 and sentences[0].endswith(f" was lost ({why}): {refusal}."), (
        sentences,
        prediction["error"],
    )
    return refusal


@pytest.mark.parametrize("mode", ["os_exit", "kill"])
def test_a_crash_is_tried_again_and_then_failed(api, server, mode):
    record = SharedFile(server)
    ran = api.run("faulty", {"mode": mode, "record": str(record)})
    assert ran["status"] == "failed" and ran["error_code"] == "INSTANCE_LOST", ran
    # Nothing had been returned: two more tries are allowed, no third.
    assert 1 <= len(record.lines()) <= 3
    assert re.fullmatch("it is not tried again, since [3-7] attempts were lost", given_up(api, ran))
    healthy(api)


def test_a_crash_is_counted_across_starts_of_the_server(servers):
    server = servers()
    record = SharedFile(server)
    made = server.api().create("faulty", {"mode": "os_exit", "record": str(record)})

    def has_ended():
        return server.api().prediction(made)["status"] == "failed"

    def lost():
        story = server.api().get(f"/predictions/{made['id']}/explanation").json()["entries"]
        return [entry for entry in story if entry["what"] == "lost"]

    for _ in range(8):
        seen = len(lost())
        wait_until(lambda: len(lost()) > seen or has_ended(), what="one more loss or the end")
        if has_ended():
            break
        server.kill()
        server.start()
    assert server.api().ended(made)["status"] == "failed"
    # At most three that ran, as without the kills; of those that the server did not see begin, three.
    began = [entry for entry in lost() if entry["details"].get("started_at")]
    assert len(began) <= 3 and len(lost()) <= 7


def test_a_loss_that_is_all_the_disk_has_of_an_attempt(shimmed):
    """The server is killed when a loss is stored and that it ran is not: the number is not used again, and
    the next one begins after it, by any clock."""
    server, shim = shimmed()
    api = server.api()
    made = api.create("echo", {"text": "again", "delay": 3})
    api.reaches(made, "processing")
    for pid in processes.directors(server.data):
        processes.kill(pid)

    def is_lost():
        story = api.get(f"/predictions/{made['id']}/explanation").json()["entries"]
        return any(entry["what"] == "lost" for entry in story)

    wait_until(is_lost, what="the loss on disk")
    server.kill()
    for pid in processes.directors(server.data):
        processes.kill(pid)
    with sqlite3.connect(server.data / "vend.db", timeout=30) as database:
        database.execute(
            "UPDATE predictions SET attempt = 0, instance = NULL, started_us = 0, status = 0 WHERE id = ?",
            (made["id"],),
        )
    shim.step_clock(-600)
    server.start()
    ended = server.api().ended(made)
    assert ended["status"] == "succeeded" and ended["output"] == "again", ended
    found = server.cli("doctor", "--audit", "--data", server.data)
    assert found.returncode == 0, found.stdout


def runner_of(api, made):
    (runner,) = [one for one in api.debug()["instances"] if made["id"] in one["runs"]]
    return runner


def test_a_killed_model_is_replaced_and_its_run_repeated(api, server):
    record = SharedFile(server)
    made = api.create("echo", {"text": "again", "delay": 2, "record": str(record)})
    (line,) = wait_until(record.lines)
    processes.kill(processes.outside(runner_of(api, made)["dir"], int(line.split()[1])))
    ended = api.ended(made)
    assert ended["status"] == "succeeded" and ended["output"] == "again", ended
    assert len(record.lines()) == 2
    assert ended["logs"].count("echo again") == 1


def test_a_run_whose_connection_broke_does_not_run_twice_at_once(servers):
    """Its model stands still meanwhile, so that it does not end by itself."""
    server = servers("--max-instances", "2")
    api = server.api()
    pair = [api.create("echo", {"delay": 600}) for _ in range(2)]
    for made in pair:
        api.reaches(made, "processing")
        api.cancel(made)
    record = SharedFile(server)
    made = api.create("echo", {"text": "again", "delay": 2, "record": str(record)})
    said = int(wait_until(record.lines)[0].split()[1])
    model = processes.outside(runner_of(api, made)["dir"], said)
    processes.kill(model, signal.SIGSTOP)
    for pid in processes.directors(server.data):
        for fd in connections.of_process(pid, socket.AF_INET):
            connections.cut(pid, fd)
    marks = pathlib.Path(f"/proc/{model}/environ").read_bytes().split(b"\0")
    folder = next(m.partition(b"=")[2].decode() for m in marks if m.startswith(b"VEND_INSTANCE_DIR="))
    own = int(pathlib.Path(folder, "director.pid").read_text().split()[0])
    for fd in connections.of_process(own, socket.AF_UNIX, connections.is_slot):
        connections.cut(own, fd)
    wait_until(lambda: len(record.lines()) == 2, what="the next attempt")
    assert model not in processes.of_data_dir(server.data)
    ended = api.ended(made)
    assert ended["status"] == "succeeded" and ended["output"] == "again", ended
    assert api.debug()["instance_starts"] == 2
    story = api.get(f"/predictions/{made['id']}/explanation").json()["entries"]
    lost = [entry["sentence"] for entry in story if entry["what"] == "lost"]
    assert len(lost) == 1 and lost[0].startswith("Attempt 1 was lost after running for"), lost


def test_a_killed_director_is_replaced_and_its_run_repeated(api, server):
    record = SharedFile(server)
    made = api.create("echo", {"text": "again", "delay": 2, "record": str(record)})
    wait_until(record.lines)
    before = processes.of_data_dir(server.data)
    for pid in processes.directors(server.data):
        processes.kill(pid)
    ended = api.ended(made)
    assert ended["status"] == "succeeded" and ended["output"] == "again", ended
    assert len(record.lines()) == 2
    # The model that it left behind is ended too.
    old = set(before) - {server.pid(), *processes.zygotes(server.data)}
    wait_until(lambda: not old & set(processes.of_data_dir(server.data)), what="the old model's end")


def test_a_director_that_stands_still_is_replaced(servers):
    """Its socket stays open and its process stays there; only that it says nothing tells."""
    server = servers("--lease", "3s")
    api = server.api()
    record = SharedFile(server)
    made = api.create("echo", {"text": "again", "delay": 4, "record": str(record)})
    wait_until(record.lines)
    before = processes.of_data_dir(server.data)
    for pid in processes.directors(server.data):
        processes.kill(pid, signal.SIGSTOP)
    ended = api.ended(made)
    assert ended["status"] == "succeeded" and ended["output"] == "again", ended
    assert len(record.lines()) == 2
    old = set(before) - {server.pid(), *processes.zygotes(server.data)}
    wait_until(lambda: not old & set(processes.of_data_dir(server.data)), what="the old model's end")


def test_a_server_that_stood_still_gives_nobody_up(servers):
    server = servers("--lease", "3s")
    api = server.api()
    made = api.create("echo", {"text": "on", "delay": 8})
    api.reaches(made, "processing")
    directors = processes.directors(server.data)
    server.signal(signal.SIGSTOP)
    time.sleep(5)  # what is tested is that this time passes
    server.signal(signal.SIGCONT)
    assert api.ended(made)["status"] == "succeeded"
    assert processes.directors(server.data) == directors
    assert api.debug()["instance_starts"] == 1


def test_what_has_returned_output_is_not_run_again(api, server):
    made = api.create("stream", {"count": 1000, "delay": 0.2})
    wait_until(lambda: len(api.prediction(made)["output"] or []) >= 2, what="output")
    for pid in processes.directors(server.data):
        processes.kill(pid)
    ended = api.ended(made)
    assert ended["status"] == "failed" and ended["error_code"] == "INSTANCE_LOST"
    assert given_up(api, ended) == "it is not tried again, since it had returned output already"


@pytest.mark.parametrize("how", ["canceled", "succeeded"])
def test_an_end_whose_files_cannot_be_kept(api, server, how):
    """A success without its files is none; a cancel stays one."""
    gate = SharedFile(server)
    gate.open_gate(0)
    made = api.create("frames", {"count": 2, "text": f"{how} {{i}}", "gate": str(gate)})
    wait_until(lambda: api.prediction(made)["output"], what="the first file")
    name = hashlib.sha256(f"{how} 0".encode()).hexdigest()
    for path in server.data.rglob("*"):
        if path.name == name or path.parent.name == "outputs":
            path.unlink()
    if how == "canceled":
        api.cancel(made)
    else:
        gate.open_gate(1)
    ended = api.ended(made)
    code = None if how == "canceled" else "OUTPUT_STORE_FAILED"
    assert ended["status"] == ("canceled" if how == "canceled" else "failed"), ended
    assert (ended["output"], ended.get("error_code")) == (None, code)
    assert (ended["error"] is None) == (how == "canceled")
    decided = api.get(f"/predictions/{made['id']}/explanation").json()["entries"]
    assert not any(entry["what"] == "lost" for entry in decided)


def test_a_queue_survives_crashes(api):
    """One bad prediction does not take its neighbours with it."""
    good = [api.create("faulty", {"mode": "ok"}) for _ in range(3)]
    bad = api.create("faulty", {"mode": "os_exit"})
    good += [api.create("faulty", {"mode": "ok"}) for _ in range(3)]
    assert [api.ended(p)["status"] for p in good] == ["succeeded"] * 6
    assert api.ended(bad)["status"] == "failed"


def test_stream_that_fails_keeps_its_output(api):
    ran = api.run("stream", {"count": 5, "fail_at": 3})
    assert ran["status"] == "failed" and "stream failed" in ran["error"]
    assert ran["output"] == ["chunk 0", "chunk 1", "chunk 2"]
    assert ran["logs"] == "line 0\nline 1\nline 2\n"

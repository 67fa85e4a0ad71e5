"""`vend doctor --audit`: quiet on what is right, and each kind of damage is named."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

import processes
from receiver import Receiver
from servers import MODELS
from waiting import wait_until

NONE = "f" * 64


def audit(server, *more, expect=None):
    ran = server.cli("doctor", "--audit", "--json", "--data", server.data, *more)
    assert ran.stderr == "" and ran.returncode in (0, 1), ran.stderr
    report = json.loads(ran.stdout)
    assert report["ok"] == (ran.returncode == 0)
    found = {c["check"]: c["rows"] for c in report["checks"] if c["rows"]}
    if expect is not None:
        assert set(found) == expect, found
    return found


def change(server, sql, *values):
    database = sqlite3.connect(server.data / "vend.db", timeout=30)
    with database:
        changed = database.execute(sql, values).rowcount
    database.close()
    assert changed != 0, sql


# ---- Of a server that does not run


@pytest.fixture(scope="module")
def stopped(binary, template, tmp_path_factory):
    """A server that did a little of everything, and was stopped."""
    from servers import Servers

    made = Servers(binary, template, tmp_path_factory.mktemp("stopped"))
    receiver = Receiver()
    try:
        server = made("--webhook-allow", "127.0.0.0/8", "--retention", "0")
        use(server, receiver)
        audit(server, "--deep", expect=set())
        assert server.stop() == 0
    finally:
        receiver.close()
    audit(server, "--deep", expect=set())
    shutil.copy(server.data / "vend.db", server.directory / "right.db")
    yield server
    made.close()


def use(server, receiver):
    api = server.api()
    assert api.run("echo", {"text": "one"}, webhook=f"{receiver.url}/a")["status"] == "succeeded"
    assert api.run("stream", {"fail_at": 1})["status"] == "failed"
    assert api.run("frames", {"count": 2})["status"] == "succeeded"
    lost = api.create("echo", {"text": "two", "delay": 1})
    api.reaches(lost, "processing")
    for pid in processes.models(server.data):
        processes.kill(pid)
    assert api.ended(lost)["status"] == "succeeded"
    api.upload("some text")
    api.call("PUT", "/models/lab/echo/secrets/HF_TOKEN", 200, json={"value": "a secret"})
    train(api)
    push_weights(server)
    receiver.wait_for(1, "/a", "succeeded")


def train(api):
    body = {"owner": "lab", "name": "tuned", "visibility": "private", "hardware": "cpu"}
    api.post("/models", body, 201)
    base = api.get("/models/lab/trainer").json()["latest_version"]["id"]
    path = f"/models/lab/trainer/versions/{base}/trainings"
    made = api.post(path, {"destination": "lab/tuned", "input": {"steps": 1}}, 201).json()
    wait_until(lambda: api.get(f"/trainings/{made['id']}").json()["status"] == "succeeded", what="its end")
    assert api.run("tuned", {"text": "x"})["status"] == "succeeded"


def push_weights(server):
    model = server.directory / "weighty"
    shutil.copytree(MODELS / "echo", model)
    (model / "w").mkdir()
    (model / "w" / "model.bin").write_bytes(b"weights")
    with open(model / "cog.yaml", "a") as file:
        file.write("\nweights:\n  - {name: base, target: weights, source: 'file://w'}\n")
    pushed = server.cli("push", model, "lab/weighty")
    assert pushed.returncode == 0, pushed.stderr


@pytest.fixture
def damaged(stopped):
    yield stopped
    for name in ("vend.db-wal", "vend.db-shm"):
        (stopped.data / name).unlink(missing_ok=True)
    shutil.copy(stopped.directory / "right.db", stopped.data / "vend.db")
    audit(stopped, "--deep", expect=set())


LOST = "(SELECT prediction FROM attempts)"
ONE = "(SELECT id FROM predictions WHERE webhook IS NOT NULL)"


@pytest.mark.parametrize(
    "check,sql",
    [
        ("ends", f"UPDATE predictions SET status = 1 WHERE id = {ONE}"),
        ("ends", "UPDATE predictions SET completed_us = 0 WHERE status = 3"),
        ("times", f"UPDATE predictions SET created_us = started_us + 1 WHERE id = {ONE}"),
        ("times", f"UPDATE predictions SET started_us = completed_us + 1 WHERE id = {ONE}"),
        ("results", f"UPDATE predictions SET error = 'x' WHERE id = {ONE}"),
        ("results", "UPDATE predictions SET error = NULL WHERE status = 3"),
        ("attempts", f"INSERT INTO attempts SELECT id, attempt, '', 0, 1, 'lost' "
                     f"FROM predictions WHERE id = {ONE}"),
        ("attempts", "UPDATE attempts SET prediction = 'nobody'"),
        ("attempts", "UPDATE attempts SET attempt = 9"),
        ("overlaps", "UPDATE attempts SET ended_us = ended_us + 100000000"),
        ("usage", f"DELETE FROM usage WHERE prediction = {ONE}"),
        ("usage", f"UPDATE usage SET run_us = run_us + 1 WHERE prediction = {ONE}"),
        ("usage", f"UPDATE usage SET attempt = 1 WHERE prediction = {LOST}"),
        ("usage", f"INSERT INTO usage (account_id, ended_us, prediction, attempt, model_id, "
                  f"hardware, run_us) SELECT account_id, ended_us + 1, prediction, attempt, model_id, "
                  f"hardware, run_us FROM usage WHERE prediction = {ONE}"),
        ("usage", f"UPDATE usage SET prediction = 'nobody' WHERE prediction = {ONE}"),
        ("metering", f"UPDATE usage SET billed = 0 WHERE prediction = {ONE}"),
        ("metering", "UPDATE instance_usage SET billed = 1"),
        ("metering", "UPDATE instance_usage SET idle_us = idle_us + 1"),
        ("metering", "UPDATE instance_usage SET setup_us = setup_us - 10000000000, idle_us = idle_us + 10000000000"),
        ("metering", "UPDATE instance_usage SET ended_us = ended_us + 3600000000, idle_us = idle_us + 3600000000"),
        ("metering", "INSERT INTO instance_usage SELECT account_id, began_us + 1, instance, ended_us, model_id, "
                     "deployment, hardware, price, billed, setup_us - 1, idle_us, active_us FROM instance_usage"),
        ("webhooks", "UPDATE webhook_deliveries SET prediction = 'nobody' WHERE event = 'completed'"),
        ("webhooks", "INSERT INTO webhook_deliveries SELECT id || 'x', account_id, prediction, event, "
                     "url, lane, state, tries, last_status, last_error, size, created_us, since_us, "
                     "due_us, ended_us, body FROM webhook_deliveries WHERE event = 'completed'"),
        ("outputs", "UPDATE outputs SET prediction = 'nobody'"),
        ("outputs", "UPDATE predictions SET data_removed = 1"),
        ("inputs", f"INSERT INTO prediction_inputs SELECT {ONE}, sha256 FROM files"),
        ("inputs", "INSERT INTO prediction_inputs SELECT 'nobody', sha256 FROM files"),
        ("inputs", f"UPDATE predictions SET completed_us = 0, files = '[{{\"path\":\"/x\"}}]' WHERE id = {ONE}"),
        ("stored", "UPDATE stored_bytes SET bytes = bytes + 1"),
        ("stored", "DELETE FROM stored_bytes"),
        ("shown", f"UPDATE predictions SET kind = 2 WHERE id = {ONE}"),
        ("shown", "UPDATE models SET cover_image_url = 'vend-cover:x/y' WHERE name = 'echo'"),
        ("shown", "INSERT INTO covers SELECT (SELECT id FROM models WHERE name = 'echo'), account_id, 'x', 'y', "
                  "content_type, size, sha256, 1 FROM files"),
        ("secrets", "UPDATE secrets SET owner_id = 999"),
        ("secrets", "UPDATE secrets SET sealed = upper(sealed)"),
        ("secrets", "UPDATE secrets SET name = 'OTHER'"),
        ("contents", f"UPDATE outputs SET sha256 = '{NONE}'"),
        ("contents", "UPDATE files SET size = size + 1"),
        ("contents", f"UPDATE version_weights SET sha256 = '{NONE}'"),
        ("versions", "UPDATE versions SET id = 'gone' WHERE rowid = 1"),
        ("versions", "UPDATE versions SET source = 'gone' WHERE training IS NOT NULL"),
        ("weights", "DELETE FROM version_weights"),
        ("weights", "UPDATE version_weights SET version = 'gone'"),
        ("weights", "UPDATE versions SET training = 'nobody' WHERE training IS NOT NULL"),
        ("weights", "UPDATE versions SET base = NULL WHERE training IS NOT NULL"),
        ("weights", "UPDATE versions SET base = 'gone' WHERE training IS NULL"),
        ("contents", f"UPDATE weight_files SET sha256 = '{NONE}'"),
        ("stored", "UPDATE version_weight_sets SET size = size + 1"),
        ("weights", "UPDATE version_weight_sets SET version = 'gone'"),
        ("weights", "DELETE FROM version_weight_sets"),
        ("weights", "DELETE FROM weight_files"),
        ("weights", "UPDATE weight_sets SET is_present = 0"),
    ],
)
def test_damage_in_the_store_is_named(damaged, check, sql):
    change(damaged, sql)
    assert check in audit(damaged)


def test_bytes_are_read_when_asked(damaged):
    database = sqlite3.connect(damaged.data / "vend.db")
    (sha256,) = database.execute("SELECT sha256 FROM files").fetchone()
    database.close()
    path = damaged.data / "blobs" / sha256[:2] / sha256
    right = path.read_bytes()
    path.write_bytes(right.upper())
    audit(damaged, expect=set())
    found = audit(damaged, "--deep", expect={"contents"})
    assert found["contents"][0]["subject"] == sha256
    path.write_bytes(right)


def test_a_leaked_process_is_named(damaged):
    env = {"PATH": os.environ["PATH"], "VEND_INSTANCE_DIR": f"{damaged.data}/instances/abc"}
    sleeper = subprocess.Popen(["sleep", "600"], env=env)
    try:
        found = audit(damaged, expect={"processes"})
        assert [row["subject"] for row in found["processes"]] == [str(sleeper.pid)]
    finally:
        sleeper.kill()
        sleeper.wait()


def test_the_table_and_wrong_usage(damaged):
    ran = damaged.cli("doctor", "--audit", "--data", damaged.data)
    assert ran.returncode == 0
    lines = ran.stdout.splitlines()
    assert lines[0].split() == ["CHECK", "RESULT", "RULE"]
    assert ["ends", "ok"] in [line.split()[:2] for line in lines]
    assert ["slots", "skipped"] in [line.split()[:2] for line in lines]
    change(damaged, f"UPDATE usage SET run_us = 1 WHERE prediction = {ONE}")
    ran = damaged.cli("doctor", "--audit", "--data", damaged.data)
    assert ran.returncode == 1 and "\nusage: There is one usage row" in ran.stdout

    ran = damaged.cli("doctor", "--audit", "--data", "/nowhere/at/all")
    assert ran.returncode == 2 and "/nowhere/at/all" in ran.stderr
    ran = damaged.cli("doctor", "--deep")
    assert ran.returncode == 2 and "--audit" in ran.stderr


# ---- Of a running one


def test_damage_beside_a_running_server_is_named(server, api, tmp_path):
    data = server.data
    assert api.run("echo", {"text": "x"})["status"] == "succeeded"
    audit(server, expect=set())
    ended = api.run("echo", {"text": "y"})

    # The store says that it has not ended.
    change(server, "UPDATE predictions SET status = 0, completed_us = 0 WHERE id = ?", ended["id"])
    found = audit(server)
    assert ended["id"] in [row["subject"] for row in found["open"]]
    change(
        server,
        "UPDATE predictions SET status = 2, completed_us = (SELECT ended_us FROM usage WHERE "
        "prediction = ?1) WHERE id = ?1",
        ended["id"],
    )

    (data / "instances" / "nobodys").mkdir()
    assert audit(server, expect={"instances"})["instances"][0]["subject"] == "nobodys"
    (data / "instances" / "nobodys").rmdir()

    pid_file = next(data.glob("instances/*/director.pid"))
    pid_file.rename(tmp_path / "pid")
    found = audit(server)
    assert [row["subject"] for row in found["directors"]] == [pid_file.parent.name]
    (tmp_path / "pid").rename(pid_file)

    for folder, check in (("versions", "versions"), ("uploads", "uploads"), ("builds", "leftovers")):
        (data / folder / "nobodys").mkdir()
        found = audit(server, expect={check})
        assert found[check][0]["subject"] == "nobodys"
        (data / folder / "nobodys").rmdir()

    content = data / "blobs" / "ff" / NONE
    content.parent.mkdir(exist_ok=True)
    content.touch()
    audit(server, expect=set())  # young
    os.utime(content, (time.time() - 8000,) * 2)
    assert audit(server, expect={"blobs"})["blobs"][0]["subject"] == NONE
    content.unlink()
    audit(server, expect=set())


def test_runs_that_have_ended_elsewhere_are_named(server, api):
    made = api.create("echo", {"text": "x", "delay": 600})
    api.reaches(made, "processing")
    wait_until(lambda: audit(server) == {}, what="a quiet audit")
    now = int(time.time() * 1e6)
    change(
        server,
        "UPDATE predictions SET status = 4, completed_us = ? WHERE id = ?",
        now,
        made["id"],
    )
    found = audit(server)
    assert made["id"] in [row["subject"] for row in found["slots"]]
    assert made["id"] in [row["subject"] for row in found["open"]]
    change(server, "UPDATE predictions SET status = 1, completed_us = 0 WHERE id = ?", made["id"])
    api.cancel(made)
    assert api.ended(made)["status"] == "canceled"
    audit(server, expect=set())


def test_another_server_is_refused(server, servers):
    other = servers(empty=True)
    ran = server.cli("doctor", "--audit", "--data", server.data, "--url", other.url)
    assert ran.returncode == 2 and str(other.data) in ran.stderr
    ran = server.cli("doctor", "--audit", "--data", server.data, "--token", "wrong")
    assert ran.returncode == 1 and "cannot ask the server" in ran.stderr


def test_work_under_way_is_no_finding(server, api):
    """What is being started, run, ended and cleaned up all the time looks wrong for moments only."""
    changing = subprocess.Popen(
        [sys.executable, "-c", LOAD, server.url, server.token], stdin=subprocess.DEVNULL
    )
    try:
        for _ in range(3):
            audit(server, expect=set())
    finally:
        changing.send_signal(signal.SIGKILL)
        changing.wait()


LOAD = """
import sys, requests
url, token = sys.argv[1:]
session = requests.Session()
session.headers["Authorization"] = f"Bearer {token}"
n = 0
while True:
    n += 1
    model = ["echo", "stream", "frames", "setup-fails", "faulty"][n % 5]
    inputs = {"mode": "os_exit"} if model == "faulty" else {}
    session.post(f"{url}/v1/models/lab/{model}/predictions", json={"input": inputs})
"""

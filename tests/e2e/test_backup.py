"""`vend backup` beside a running server, `vend restore` on another machine, and what comes between."""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from waiting import wait_until


def backup(server, to, *more, expect=0):
    ran = server.cli("backup", to, "--data", server.data, "--json", *more)
    assert ran.returncode == expect, ran.stderr
    return json.loads(ran.stdout) if expect == 0 else ran.stderr


def restore(server, repository, other, *more, expect=0):
    """Into the data directory of `other`, which has not started."""
    ran = server.cli("restore", repository, "--data", other.data, *more)
    assert ran.returncode == expect, ran.stderr
    return ran.stderr


def verify(server, repository, *more):
    ran = server.cli("backup", "verify", repository, "--json", *more)
    return ran.returncode, ran.stdout and json.loads(ran.stdout), ran.stderr


def names(server, repository):
    listed = server.cli("backup", "list", repository, "--json")
    return [made["name"] for made in json.loads(listed.stdout)["results"]]


def objects(repository):
    return {path.name: path for path in (repository / "objects").glob("*/*")}


def test_a_restored_server_answers_as_the_one_before(servers, tmp_path):
    first = servers()
    api = first.api()
    uploaded = api.upload(b"of a user")
    ended = api.run("echo", {"text": "before"})
    made = backup(first, tmp_path / "kept")
    assert made["size"] >= made["added"] > 0
    api.run("echo", {"text": "not in the backup"})
    assert first.stop() == 0

    second = servers(empty=True, start=False)
    restore(first, tmp_path / "kept", second)
    assert not (second.data / "instances").exists()
    api = second.start().api()
    assert api.prediction(ended["id"])["output"] == "before"
    assert [p["id"] for p in api.get("/predictions").json()["results"]] == [ended["id"]]
    assert api.get(f"/files/{uploaded['id']}").json()["checksums"] == uploaded["checksums"]
    assert api.run("echo", {"text": "after"})["output"] == "after"
    audit = second.cli("doctor", "--audit", "--deep", "--data", second.data)
    assert audit.returncode == 0, audit.stdout


def test_a_second_backup_costs_what_is_new(servers, tmp_path):
    server = servers()
    kept = tmp_path / "kept"
    first = backup(server, kept)
    before = set(objects(kept))
    content = os.urandom(300_000)
    server.api().upload(content)
    second = backup(server, kept)
    new = set(objects(kept)) - before
    assert hashlib.sha256(content).hexdigest() in new
    # The file and the database; logs may have grown.
    assert second["added"] < first["added"] and len(new) < 10
    assert names(server, kept) == [first["name"], second["name"]]
    assert backup(server, kept, "--keep", "1")["name"] > second["name"]
    assert len(names(server, kept)) == 1
    code, report, said = verify(server, kept)
    assert code == 0 and report["ok"], said
    # Contents under the names that their bytes have.
    for name, path in objects(kept).items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == name
    assert (kept.stat().st_mode & 0o777) == 0o700


def test_what_a_build_is_working_on_is_left_out(servers, tmp_path):
    server = servers()
    content = os.urandom(1000)
    room = server.data / "blobs" / "rooms" / "of-a-build" / "room"
    room.mkdir(parents=True)
    (room / "layer").write_bytes(content)
    backup(server, tmp_path / "kept")
    assert hashlib.sha256(content).hexdigest() not in objects(tmp_path / "kept")


def test_backups_under_load_are_whole(servers, tmp_path):
    """Files come and go while they are made: outputs are removed as soon as they are old."""
    server = servers("--file-ttl", "1s")
    api = server.api()
    stop = threading.Event()
    created = []

    def load():
        mine = server.api()
        while not stop.is_set():
            created.append(mine.run("echo", {"text": os.urandom(8).hex()})["id"])
            mine.upload(os.urandom(2000))

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            told = list(created)
            backup(server, tmp_path / "kept")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for name in names(server, tmp_path / "kept"):
        code, report, said = verify(server, tmp_path / "kept", "--name", name)
        assert code == 0, (said, report)
    other = servers(empty=True, start=False)
    restore(server, tmp_path / "kept", other)
    api = other.start().api()
    # What had been answered before the backup began is in it.
    for which in told:
        assert api.prediction(which)["status"] == "succeeded"


def test_runs_that_had_not_ended_go_on(servers, tmp_path):
    first = servers()
    api = first.api()
    slow = api.create("echo", {"text": "slow", "delay": 2})
    backup(first, tmp_path / "kept")
    first.signal(signal.SIGKILL)
    first.wait()
    second = servers(empty=True, start=False)
    restore(first, tmp_path / "kept", second)
    api = second.start().api()
    assert api.ended(slow["id"])["output"] == "slow"


def test_a_kill_in_the_middle_leaves_the_backups_before(servers, tmp_path):
    server = servers()
    kept = tmp_path / "kept"
    first = backup(server, kept)
    server.api().upload(os.urandom(2_000_000))
    env = {**server.env, "VEND_DATA": str(server.data)}
    for pause in (0, 0.01, 0.03, 0.1):
        with subprocess.Popen([server.binary, "backup", str(kept)], env=env, stderr=subprocess.DEVNULL) as process:
            time.sleep(pause)  # some moment of it; which one does not matter
            process.kill()
        assert names(server, kept)[0] == first["name"]
    code, report, said = verify(server, kept, "--name", first["name"])
    assert code == 0, (said, report)
    backup(server, kept)
    assert not list((kept / "tmp").iterdir())
    assert verify(server, kept)[0] == 0


def test_damage_is_found(servers, tmp_path):
    server = servers()
    kept = tmp_path / "kept"
    uploaded = server.api().upload(b"precious" * 1000)
    backup(server, kept)
    path = objects(kept)[uploaded["checksums"]["sha256"]]
    whole = path.read_bytes()
    path.write_bytes(b"X" + whole[1:])
    code, _, said = verify(server, kept)
    assert code == 1 and "damaged" in said
    path.unlink()
    assert verify(server, kept)[0] == 1
    other = servers(empty=True, start=False)
    restore(server, kept, other, expect=1)
    assert not other.data.exists() or not list(other.data.iterdir())
    assert not list(other.directory.glob("*.restore-*"))
    # The next backup mends it: the content is read again, since its object is gone.
    backup(server, kept)
    assert verify(server, kept)[0] == 0


@pytest.mark.parametrize(
    "entry",
    [
        {"path": "../out", "kind": "folder", "mode": 448},
        {"path": "/tmp/out", "kind": "folder", "mode": 448},
        {"path": "a/./b", "kind": "folder", "mode": 448},
        {"path": "nowhere/file", "kind": "link", "target": "x", "mode": 448},
        {"path": "blobs", "kind": "link", "target": "/etc", "mode": 448},
        {"path": "builds", "kind": "link", "target": "/etc", "mode": 448},
        {"path": "vend.conf", "kind": "link", "target": "/etc/passwd", "mode": 448},
        {"path": "venvs", "kind": "link", "target": "/etc", "mode": 448},
        {"path": "file", "kind": "file", "sha256": "../../../etc/passwd", "size": 1, "mode": 384},
    ],
)
def test_a_forged_snapshot_writes_nowhere_else(servers, tmp_path, entry):
    server = servers()
    kept = tmp_path / "kept"
    made = backup(server, kept)
    path = kept / "snapshots" / f"{made['name']}.json"
    snapshot = json.loads(path.read_text())
    snapshot["entries"].append(entry)
    path.write_text(json.dumps(snapshot))
    other = servers(empty=True, start=False)
    said = restore(server, kept, other, expect=2)
    assert made["name"] in said
    assert not other.data.exists()


def test_what_is_refused(servers, tmp_path):
    server = servers()
    full = tmp_path / "full"
    full.mkdir()
    (full / "of.txt").write_text("something else")
    assert "neither empty nor a folder of backups" in backup(server, full, expect=2)
    assert [p.name for p in full.iterdir()] == ["of.txt"]
    assert server.cli("backup", "verify", full).returncode == 2
    assert server.cli("backup", tmp_path / "x", "--data", full).returncode == 2
    assert not (tmp_path / "x").exists()
    elsewhere = server.cli("backup", tmp_path / "x", "--data", server.data, env={"VEND_STORE": "postgres://db.invalid/vend"})
    assert elsewhere.returncode == 1 and "database is not available" in elsewhere.stderr
    assert not (tmp_path / "x").exists()
    assert "outside of it" in backup(server, server.data / "kept", expect=2)
    assert not (server.data / "kept").exists()
    linked = server.data / "elsewhere"
    linked.symlink_to(full)
    assert "symbolic link" in backup(server, tmp_path / "linked", expect=2)
    linked.unlink()
    backup(server, tmp_path / "kept")
    assert "not empty" in restore(server, tmp_path / "kept", server, expect=2)
    ran = server.cli("restore", tmp_path / "kept", "--data", tmp_path / "new", "--name", "2020")
    assert ran.returncode == 1 and "vend backup list" in ran.stderr
    assert not (tmp_path / "new").exists()


def test_scripts_of_environments_move_with_the_data(servers, tmp_path):
    server = servers()
    backup(server, tmp_path / "kept")
    other = servers(empty=True, start=False)
    restore(server, tmp_path / "kept", other)
    for script in (other.data / "venvs").glob("*/bin/*"):
        if not script.is_symlink() and b"\0" not in script.read_bytes():
            assert str(server.data) not in script.read_text()


def test_the_database_is_kept_before_a_migration(servers):
    """A database without its last migration, as a version before this one left it."""
    server = servers()
    server.api().run("echo", {"text": "x"})
    assert server.stop() == 0
    database = sqlite3.connect(server.data / "vend.db")
    last = database.execute("SELECT MAX(number) FROM migrations").fetchone()[0]
    with database:
        database.execute("DELETE FROM migrations WHERE number = ?", (last,))
    had = database.execute("SELECT MAX(number) FROM migrations").fetchone()[0]
    database.close()
    (server.data / "vend.db.before-2").write_text("of an older version")
    server.spawn()
    kept = server.data / f"vend.db.before-{last}"
    older = server.data / "vend.db.before-2"
    wait_until(lambda: kept.exists() and not older.exists(), what="the copy")
    server.stop()
    copy = sqlite3.connect(kept)
    assert copy.execute("SELECT MAX(number) FROM migrations").fetchone()[0] == had
    assert copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


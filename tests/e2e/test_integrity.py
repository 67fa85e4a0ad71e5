"""Databases that are damaged, cut off, or not those of their data directory."""

import contextlib
import json
import shutil
import sqlite3

import pytest

PAGE = 4096


def refused(server):
    """The sentence with which a start is refused."""
    server.spawn()
    assert server.wait() == 1
    text = server.log_path.read_text()
    assert "listening" not in text
    sentence = text.splitlines()[-1]
    assert sentence.startswith("vend serve: ") and "backup" in sentence, text
    return sentence


@pytest.fixture
def stopped(servers):
    server = servers()
    server.api().run("echo", {"text": "x"})
    assert server.stop() == 0
    return server


def contents(data):
    return {p: p.read_bytes() for p in data.glob("vend.db*")}


def overwrite_pages(path):
    """All but the first: the header and the list of tables stay readable."""
    size = path.stat().st_size
    with open(path, "r+b") as file:
        for at in range(8 * PAGE, size, PAGE):
            file.seek(at)
            file.write(b"\xa5" * PAGE)


def test_damaged_pages_are_found_at_start_and_by_the_audit(stopped):
    database = stopped.data / "vend.db"
    overwrite_pages(database)
    before = contents(stopped.data)
    sentence = refused(stopped)
    assert "is damaged" in sentence or "malformed" in sentence
    assert {p: t for p, t in contents(stopped.data).items() if p.suffix == ".db"} == {
        database: before[database]
    }
    audit = stopped.cli("doctor", "--audit", "--data", stopped.data, "--json")
    assert audit.returncode == 1, audit.stderr
    checks = {check["check"]: check for check in json.loads(audit.stdout)["checks"]}
    assert checks["database"]["status"] == "found" and checks["database"]["rows"]
    assert checks["ends"]["status"] == "skipped"


@pytest.mark.parametrize("keep", [0, 10, 8 * PAGE, -PAGE])
def test_a_database_that_is_cut_off(stopped, keep):
    database = stopped.data / "vend.db"
    size = database.stat().st_size
    with open(database, "r+b") as file:
        file.truncate(keep if keep >= 0 else size + keep)
    sentence = refused(stopped)
    assert ("missing or empty" if keep == 0 else "no database" if keep == 10 else "cut off") in sentence
    assert (stopped.data / "versions").is_dir() and list((stopped.data / "versions").iterdir())


def test_an_absent_database_beside_versions(stopped):
    for path in stopped.data.glob("vend.db*"):
        path.unlink()
    assert "missing or empty" in refused(stopped)
    assert not (stopped.data / "vend.db").exists()


def test_a_new_database_beside_versions(stopped, servers):
    fresh = servers(empty=True)
    assert fresh.stop() == 0
    shutil.copy2(fresh.data / "vend.db", stopped.data / "vend.db")
    assert "another data directory" in refused(stopped)


def test_a_database_of_another_program(stopped):
    database = stopped.data / "vend.db"
    database.unlink()
    with sqlite3.connect(database) as db:
        db.execute("CREATE TABLE bookmarks (url TEXT)")
    db.close()
    assert "another program" in refused(stopped)


def test_no_database_at_all_is_a_first_start(servers):
    server = servers(empty=True)
    assert server.stop() == 0
    assert (server.data / "installation").exists()
    assert not (server.data / "running").exists()
    server.start()


def test_a_log_without_its_database(stopped):
    (stopped.data / "vend.db").unlink()
    (stopped.data / "vend.db-wal").write_bytes(b"\x37\x7f\x06\x82" + bytes(4096))
    assert "write-ahead log" in refused(stopped)


def test_a_log_of_another_database_is_not_played_back(stopped, servers):
    other = servers()
    other.stop()
    # Test servers are copies of one data directory; this is to be another one.
    with contextlib.closing(sqlite3.connect(other.data / "vend.db")) as db:
        db.execute("PRAGMA user_version = 4711")
    (other.data / "installation").write_text("4711\n")
    other.start()
    for _ in range(20):
        other.api().run("echo", {"text": "y" * 5000})
    other.kill()
    shutil.copy2(other.data / "vend.db-wal", stopped.data / "vend.db-wal")
    before = (stopped.data / "vend.db").read_bytes()
    sentence = refused(stopped)
    assert "is damaged" in sentence or "another data directory" in sentence
    assert (stopped.data / "vend.db").read_bytes() == before
    (stopped.data / "vend.db-wal").unlink()
    (stopped.data / "vend.db-shm").unlink(missing_ok=True)
    assert stopped.start().api().get("/predictions").json()["results"]


def test_a_server_that_was_killed_starts_again(servers):
    server = servers()
    made = server.api().run("echo", {"text": "x"})
    server.kill()
    assert (server.data / "running").exists()
    server.start()
    assert server.api().prediction(made)["output"] == "x"
    assert server.stop() == 0
    assert not (server.data / "running").exists()

"""`vend migrate-storage`: from an SQLite file and the disk to a PostgreSQL server and a bucket, and back."""

import hashlib
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import uuid

import pytest
import requests

from conftest import KEYS
from postgres import COLUMNS, make_database, run_sql
from receiver import Receiver
from registry import Registry
from s3 import BUCKET
from waiting import wait_until


# Steps by their names: where both places are complete, and the old ones are given up.
ENDS = ["comparing rows", "auditing the new place", "ending", "naming the database", "naming the files", "done"]


TO_TEXT = " || ''"
OWN_COLUMNS = """SELECT m.name, group_concat(c.name) FROM sqlite_master AS m, pragma_table_info(m.name) AS c
WHERE m.type = 'table' AND m.name NOT GLOB '*_search*' AND m.name NOT GLOB 'sqlite_*'
AND m.name NOT IN ('migrations', 'moved_tables') GROUP BY m.name"""


def as_texts(columns, cast):
    """Each value as a text, NULL as one that no value is."""
    return ", ".join(f"COALESCE({column}{cast}, '(null)')" for column in sorted(columns.split(",")))


class Mover:
    """A server that moves between two homes."""

    def __init__(self, server, cluster, s3):
        self.server, self.cluster, self.s3 = server, cluster, s3
        self.endpoint = f"http://127.0.0.1:{s3.port}"
        self.prefix = f"moved/{uuid.uuid4().hex}"
        self.place = f"s3://{BUCKET}/{self.prefix}"
        self.url = make_database(cluster.url_form, f"moved_{uuid.uuid4().hex[:12]}")
        server.env.update(KEYS)

    def migrate(self, *words, expect=0, env=None):
        ran = self.server.cli("migrate-storage", "--data", self.server.data, *words, env=env)
        assert ran.returncode == expect, ran.stderr
        return ran.stderr

    @property
    def away(self):
        return ["--to-store", self.url, "--to-files", self.place, "--to-files-endpoint", self.endpoint]

    back = ["--to-store", "sqlite", "--to-files", "disk"]

    def live_away(self):
        self.server.env["VEND_STORE"] = self.url
        self.server.env.update(VEND_FILES=self.place, VEND_FILES_ENDPOINT=self.endpoint)

    def live_at_home(self):
        for name in ("VEND_STORE", "VEND_FILES", "VEND_FILES_ENDPOINT"):
            self.server.env.pop(name, None)

    def put_old_away(self, name):
        folder = self.server.directory / name
        folder.mkdir()
        for path in self.server.data.glob("vend.db*"):
            path.rename(folder / path.name)

    def audit(self):
        ran = self.server.cli("doctor", "--audit", "--deep", "--json", "--data", self.server.data)
        report = json.loads(ran.stdout)
        assert ran.returncode == 0, [check for check in report["checks"] if check["rows"]]
        return {check["check"]: check["status"] for check in report["checks"]}

    def rows(self):
        """All rows, read by the databases' own programs: table → sorted rows of texts."""
        if "VEND_STORE" in self.server.env:
            return {
                table: sorted(run_sql(self.url, f"SELECT {as_texts(columns, '::text')} FROM {table}"))
                for table, columns in run_sql(self.url, COLUMNS)
                if table != "moved_tables"
            }
        with sqlite3.connect(f"file:{self.server.data}/vend.db?mode=ro", uri=True) as file:
            tables = file.execute(OWN_COLUMNS).fetchall()
            return {
                table: sorted(map(list, file.execute(f"SELECT {as_texts(columns, TO_TEXT)} FROM {table}")))
                for table, columns in tables
            }


@pytest.fixture
def mover(servers, cluster, s3):
    server = servers("--webhook-allow", "127.0.0.0/8", start=False)
    return Mover(server, cluster, s3)


def digest(content):
    return hashlib.sha256(content).hexdigest()


def live(server):
    """Something of everything; returns what has to be the same afterwards."""
    api = server.api()
    receiver = Receiver()
    try:
        content = os.urandom(300_000).hex().encode()
        uploaded = api.upload(content, "Grüße 'x'.txt")
        ran = api.run("files", {"files": [uploaded["urls"]["get"]]}, webhook=receiver.url)
        assert ran["status"] == "succeeded", ran
        assert api.run("faulty", {"mode": "throw"})["status"] == "failed"
        api.post("/models", {"owner": "lab", "name": "tuned", "visibility": "private", "hardware": "cpu"}, 201)
        base = api.get("/models/lab/trainer").json()["latest_version"]["id"]
        training = api.post(
            f"/models/lab/trainer/versions/{base}/trainings", {"destination": "lab/tuned", "input": {"steps": 1}}, 201
        ).json()
        wait_until(
            lambda: api.get(f"/trainings/{training['id']}").json()["status"] == "succeeded", 60, "the end of the training"
        )
        api.call("PUT", "/models/lab/echo/secrets/HF_TOKEN", 200, json={"value": "of the model"})
        api.call("PUT", "/aliases/gpt-4o-mini", 200, json={"model": "lab/talk"})
        version = api.get("/models/lab/echo").json()["latest_version"]["id"]
        api.post(
            "/deployments",
            {"name": "life", "model": "lab/echo", "version": version, "hardware": "cpu", "min_instances": 0, "max_instances": 1},
            200,
        )
        registry = Registry(server, "lab/echo")
        registry.put("v1", registry.image(labels={}))
        token = server.cli("tokens", "create", "other", "--json")
        assert token.returncode == 0, token.stderr
        wait_until(lambda: receiver.messages, 30, "the webhook")
    finally:
        receiver.close()
    return {"upload": uploaded, "content": content, "ran": ran, "training": training, "token": json.loads(token.stdout)["token"]}


def look(server, known):
    """Old outputs are served, and new runs work."""
    api = server.api()
    assert requests.get(known["ran"]["output"][0].replace(known["origin"], server.url), timeout=60).content == known["content"].upper()
    assert api.prediction(known["ran"])["status"] == "succeeded"
    assert api.get(f"/files/{known['upload']['id']}").json()["checksums"] == known["upload"]["checksums"]
    tuned = api.get(f"/trainings/{known['training']['id']}").json()["output"]["version"]
    done = api.ended(api.post("/predictions", {"version": tuned, "input": {"text": "it"}}, 201).json())
    assert done["output"].startswith("it knows"), done
    assert api.get("/aliases").json()["results"] == [{"name": "gpt-4o-mini", "model": "lab/talk"}]
    assert "HF_TOKEN" in api.get("/models/lab/echo/secrets").text
    assert api.get("/search?query=echo").json()["models"]
    assert server.api(known["token"]).get("/account").json()["username"] == "lab"
    assert Registry(server, "lab/echo").call("GET", "tags/list", 200).json()["tags"] == ["v1"]
    assert api.run("echo", {"text": "after"})["output"] == "after"


def test_there_and_back(mover, s3):
    server = mover.server
    known = live(server.start())
    known["origin"] = server.url
    assert server.stop() == 0
    before, audit = mover.rows(), mover.audit()
    filled = {table for table, rows in before.items() if rows}
    assert filled >= {
        "accounts", "tokens", "models", "versions", "predictions", "usage", "files", "outputs", "webhook_deliveries",
        "webhook_secrets", "deployments", "releases", "trainings", "version_weights", "secrets", "registry_blobs",
        "registry_manifests", "registry_parts", "registry_tags", "model_aliases", "stored_bytes", "decisions",
    }  # fmt: skip

    said = mover.migrate("--deep", *mover.away)
    assert "copying rows" in said and "copying files" in said and mover.url not in said
    mover.live_away()
    assert mover.rows() == before and mover.audit() == {**audit, "database": "skipped"}
    stored = s3.objects(mover.prefix)
    assert digest(known["content"].upper()) in stored and len(stored) > 3
    for name, path in stored.items():
        assert digest(path.read_bytes()) == name
    # What was there is there.
    assert (server.data / "vend.db").exists()
    assert {path.name for path in (server.data / "blobs.before-move").glob("*/*")} >= set(stored)

    server.start()
    look(server, known)
    later = server.api().upload(b"after the move")
    assert server.stop() == 0
    before, audit = mover.rows(), mover.audit()
    assert "vend.db' of an earlier time" in mover.migrate(*mover.back, expect=2)
    mover.put_old_away("old")
    mover.migrate("--deep", *mover.back)
    mover.live_at_home()
    assert mover.rows() == before and mover.audit() == {**audit, "database": "ok"}
    server.start()
    look(server, known)
    reply = server.api().get(f"/files/{later['id']}").json()
    assert reply["checksums"] == later["checksums"]
    # Nothing is left of the way.
    assert not [path.name for path in server.data.iterdir() if "mov" in path.name and path.name != "blobs.before-move"]
    assert not (server.data / "migrate-storage.json").exists()
    assert len(s3.objects(mover.prefix)) >= len(stored)


def test_a_server_takes_only_the_new_places(mover):
    server = mover.server
    server.start()
    server.api().upload(b"x")
    assert "a server uses the data directory" in mover.migrate(*mover.away, expect=1)
    assert server.stop() == 0
    mover.migrate(*mover.away)
    mover.put_old_away("old")
    assert "is on a PostgreSQL server" in refused(server)
    server.env["VEND_STORE"] = mover.url
    assert f"are in {mover.place}" in refused(server)
    mover.live_away()
    server.start()
    other = mover.server.cli("migrate-storage", "--data", server.data, *mover.back)
    assert other.returncode == 1 and "a server uses" in other.stderr
    assert server.stop() == 0
    mover.migrate(*mover.back)
    assert "is its vend.db" in refused(server)


def refused(server):
    ran = subprocess.run(
        [server.binary, "serve", "--data", server.data, "--listen", "127.0.0.1:0"], capture_output=True, text=True,
        env=server.env, timeout=60,
    )  # fmt: skip
    assert ran.returncode != 0
    return ran.stderr.splitlines()[-1]


def test_kills_on_the_way(mover, s3):
    """At seeded steps, one after the other; the next call goes on."""
    server = mover.server
    server.start()
    for _ in range(5):
        server.api().upload(os.urandom(40_000))
    server.api().run("echo", {"text": "x"})
    assert server.stop() == 0
    before = mover.rows()
    seeds = random.Random(7)
    for words, home in ((mover.away, mover.live_away), (mover.back, mover.live_at_home)):
        kills = 0
        for step in [1, *(seeds.randrange(2, 60) for _ in range(6)), *ENDS]:
            ran = server.cli("migrate-storage", "--data", server.data, *words, env={"VEND_TEST_KILL_AT": str(step)})
            assert ran.returncode == -signal.SIGKILL, (step, ran.stderr)
            kills += 1
            if kills == 3:
                assert "is being moved" in refused(server)
        mover.migrate(*words)
        home()
        assert mover.rows() == before
        mover.audit()
        if words == mover.away:
            mover.put_old_away("old")
    assert len(s3.objects(mover.prefix)) >= 5
    server.start()
    assert server.api().run("echo", {"text": "y"})["output"] == "y"


def test_what_is_in_the_way(mover, s3):
    server = mover.server
    server.start()
    assert server.stop() == 0
    assert "name where to move to" in mover.migrate(expect=2)
    assert "--to-store" in mover.migrate("--to-store", "mysql://x", expect=2)
    assert "already" in mover.migrate("--to-store", "sqlite", expect=2)
    assert "already" in mover.migrate("--to-files", "disk", expect=2)
    assert "no data directory" in server.cli("migrate-storage", "--data", server.directory, "--to-store", mover.url).stderr
    run_sql(mover.url, "CREATE TABLE something (id BIGINT)")
    assert "not empty" in mover.migrate(*mover.away, expect=2)
    run_sql(mover.url, "DROP TABLE something")
    path = s3.bucket / mover.prefix / "of-somebody"
    path.parent.mkdir(parents=True)
    path.write_text("x")
    assert "not empty" in mover.migrate(*mover.away, expect=2)
    path.unlink()
    assert not (server.data / "migrate-storage.json").exists()
    ran = server.cli("migrate-storage", "--data", server.data, *mover.away, env={"VEND_TEST_KILL_AT": "20"})
    assert ran.returncode == -signal.SIGKILL
    assert "another move" in mover.migrate("--to-files", mover.place, "--to-files-endpoint", mover.endpoint, expect=2)
    mover.migrate("--abandon")
    assert "no move" in mover.migrate("--abandon", expect=1)
    assert "not empty" in mover.migrate(*mover.away, expect=2)
    server.start()
    assert server.api().run("echo", {"text": "y"})["output"] == "y"
    assert mover.url not in "".join(re.findall(r".*migrate.*", server.log_path.read_text()))

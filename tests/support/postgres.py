"""A PostgreSQL server of its own, and databases on it with what a data directory's SQLite file has."""

import csv
import io
import os
import pathlib
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile

FOLDERS = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
# The server refuses to run as root.
USERS = ("postgres", "nobody")
# Of what the tests open at once.
CONNECTIONS = 300
LEAST_MEMORY = 4 << 30
connect_sqlite = sqlite3.connect
# Stands for NULL in a CSV text; no value has it.
NULL = "\x01null\x01"


def find(program):
    folders = os.pathsep.join(map(str, FOLDERS))
    found = shutil.which(program, path=folders) or shutil.which(program)
    assert found, f"there is no {program}: install postgresql"
    return found


def as_user():
    """Words before a command, and the user that it runs as."""
    if os.geteuid() != 0:
        return [], os.geteuid(), os.getegid()
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = next(known[name] for name in USERS if name in known)
    words = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
    return words, entry.pw_uid, entry.pw_gid


def place_for(durable):
    """Hundreds of databases come and go: in memory, where there is much."""
    memory = pathlib.Path("/dev/shm")
    in_memory = not durable and memory.is_dir() and shutil.disk_usage(memory).free > LEAST_MEMORY
    return memory if in_memory else "/tmp"


class Cluster:
    def __init__(self, port=5432, durable=False):
        """A durable one survives a power cut, as those of users do."""
        self.fsync = "on" if durable else "off"
        self.words, uid, gid = as_user()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vend-pg-", dir=place_for(durable)))
        self.data = self.folder / "data"
        self.port = port
        self.made = 0
        os.chown(self.folder, uid, gid)
        self._run("initdb", "-D", self.data, "-U", "vend", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
            "--lc-collate=C", "--no-sync")  # fmt: skip
        self.start()

    def _run(self, program, *words):
        done = subprocess.run([*self.words, find(program), *map(str, words)], cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self):
        options = f"-k {self.folder} -p {self.port} -c listen_addresses= -c max_connections={CONNECTIONS} -c fsync={self.fsync}"
        self._run("pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "-o", options, "start")

    def stop(self, mode="immediate"):
        self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def close(self):
        self.stop()
        shutil.rmtree(self.folder)

    @property
    def socket(self):
        return self.folder / f".s.PGSQL.{self.port}"

    @property
    def url_form(self):
        """With %s for the name of a database."""
        return f"postgresql://vend@/%s?host={self.folder}&port={self.port}"

    def sql(self, database, text, input=None):
        """Rows of texts."""
        return run_sql(self.url_form % database, text, input)

    def kill_backend(self, database):
        """As a crash of the server does it: all backends end, and it starts again by itself."""
        pid = self.sql("postgres", f"SELECT pid FROM pg_stat_activity WHERE datname = '{database}' LIMIT 1")[0][0]
        os.kill(int(pid), signal.SIGKILL)


def run_sql(url, text, input=None):
    words = [find("psql"), "-X", "-q", "--csv", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", text]
    done = subprocess.run(words, input=input, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return list(csv.reader(io.StringIO(done.stdout)))


def make_database(url_form, name, template="template0"):
    run_sql(url_form % "postgres", f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return url_form % name


def has_database(url_form, name):
    return run_sql(url_form % "postgres", f"SELECT 1 FROM pg_database WHERE datname = '{name}'") != []


COLUMNS = """SELECT table_name, string_agg(column_name, ',' ORDER BY ordinal_position)
FROM information_schema.columns
WHERE table_schema = 'public' AND is_generated = 'NEVER' AND table_name NOT IN ('migrations', 'control_planes')
GROUP BY table_name"""


def copy_rows(file, url):
    """All rows of an SQLite file into a database with the same tables and no rows."""
    source = connect_sqlite(file)
    text = "SET session_replication_role = replica;\n"
    for table, columns in run_sql(url, COLUMNS):
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        for row in source.execute(f"SELECT {columns} FROM {table}"):
            writer.writerow([NULL if value is None else value for value in row])
        # What is quoted is never the word for NULL.
        text += f"COPY {table} ({columns}) FROM STDIN WITH (FORMAT csv, NULL '\\N');\n"
        text += lines.getvalue().replace(f'"{NULL}"', "\\N") + "\\.\n"
    source.close()
    done = subprocess.run([find("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url], input=text,
        capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr

"""One soak: a server under load, faults by a seed, then the books."""

import json
import pathlib
import shlex
import socket
import time

import requests

import faults
import ledger
import processes
import trainings
from keeper import Keeper
from load import Client
from receiver import Receiver
from shim import Shim
from vend_server import Server
from waiting import wait_until

MODELS = pathlib.Path(__file__).resolve().parent / "models"
FLAGS = [
    "--lease", f"{faults.LEASE_S}s",
    "--max-instances", "2",
    "--hardware-units", "5",
    "--boot-limit", "2",
    "--idle-timeout", "8s",
    "--cancel-grace", "2s",
    "--stop-grace", "2s",
    "--setup-timeout", "30s",
    "--predict-timeout", "30s",
    "--drain-timeout", "3s",
    "--retention", "0",
    "--webhook-allow", "127.0.0.0/8",
]  # fmt: skip
# Longer than blobs and spool files without a row live.
SWEEP_S = 3 * 3600
QUIET_TIMEOUT_S = 180


def limited(binary, directory, limits):
    """The binary, or a script that runs it under limits of prlimit (1)."""
    if not limits:
        return binary
    script = directory / "vend-limited"
    script.write_text(f'#!/bin/sh\nexec prlimit {shlex.join(limits)} {shlex.quote(str(binary))} "$@"\n')
    script.chmod(0o755)
    return script


# Of threads that must not block. Sanitizers make all of it slower.
LONGEST_TURN_US = {"core": 50_000, "http": 200_000}
SANITIZERS = 4


class Soak:
    def __init__(self, binary, template, library, directory, seed, clients=5, show=print, limits=()):
        self.seed = seed
        self.directory = directory
        self.began = time.monotonic()
        self.show = show
        self.record = directory / "record"
        binary = limited(binary, directory, limits)
        self.shim = Shim(library, directory, directory / "server" / "data")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        env = {**self.shim.env, "VEND_TEST_WEBHOOK_UNIT_US": "100000", "VEND_TURNS": "1"}
        flags = [*FLAGS, "--listen", f"127.0.0.1:{port}"]
        self.server = Server(binary, directory / "server", flags, env=env, template=template)
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            self.server.env[name] += ":verify_asan_link_order=0" if name[0] == "A" else ""
        self.keeper = Keeper(self.server, lambda: self.injector, self.log)
        self.injector = faults.Injector(self.keeper, self.shim, self.log)
        self.receiver = Receiver()
        self.n_clients = clients
        self.clients = []
        self.problems = []

    def log(self, text):
        self.show(f"{time.monotonic() - self.began:8.2f} {text}")

    def url(self):
        return self.server.url

    # ---- Before

    def set_up(self):
        self.keeper.start()
        for model in sorted(MODELS.iterdir()):
            pushed = self.server.cli("push", model, f"lab/{model.name}", "--public")
            assert pushed.returncode == 0, pushed.stderr
        admin = self.server.api()
        version = admin.get("/models/lab/work").json()["latest_version"]["id"]
        admin.post(
            "/deployments",
            {
                "name": "steady",
                "model": "lab/work",
                "version": version,
                "hardware": "cpu",
                "min_instances": 1,
                "max_instances": 2,
            },
            200,
        )
        tokens = [self.server.token]
        for name in ("one", "two"):
            admin.post("/accounts", {"username": name}, 201)
            body = {"name": "t", "scopes": ["read", "run"], "account": name}
            tokens.append(admin.post("/tokens", body, 201).json()["token"])
        # Deployments are their owner's: other accounts call the models.
        for i in range(self.n_clients):
            client = Client(self, i, tokens[i % len(tokens)], self.seed)
            client.owns = i % len(tokens) == 0
            self.clients.append(client)
        self.tokens = tokens
        self.teacher = trainings.Teacher(self, self.seed)
        self.teacher.set_up(admin)

    # ---- During

    def break_things(self, count, minutes=None, pause=1.0, only=None):
        until = time.monotonic() + (minutes or 1e6) * 60
        for client in (*self.clients, self.teacher):
            client.start()
        for kind, hard, which, wait in faults.schedule(self.seed, count, pause, only):
            self.injector.inject(kind, hard, which)
            self.injector.pause(wait)
            if time.monotonic() > until:
                break
        self.injector.calm()
        self.shim.set_clock(0)

    # ---- After

    def finish(self):
        for client in (*self.clients, self.teacher):
            client.over.set()
        for client in (*self.clients, self.teacher):
            client.join(60)
            if client.is_alive():
                self.problems.append(f"{client!r} does not end")
        self.keeper.wait_ready()
        self.keeper.release()
        self.become_quiet()
        self.check_turns()
        self.check_books()
        self.problems += trainings.check(self.teacher, self.server.api())
        self.audit()
        self.check_stop()
        self.check_sweep()
        report = self.server.sanitizer_reports()
        if report:
            self.problems.append(report[:4000])
        self.problems += self.keeper.problems

    def check_turns(self):
        """Of the server since its last start; the others were killed."""
        turns = self.server.api().debug()["turns"]
        for kind, most_us in LONGEST_TURN_US.items():
            if turns[kind]["longest_us"] > most_us * SANITIZERS:
                self.problems.append(f"a turn of {kind} takes too long: {json.dumps(turns[kind])}")

    def become_quiet(self):
        api = self.server.api()
        try:
            wait_until(lambda: api.debug()["live"] == 0, QUIET_TIMEOUT_S, "everything to end")
        except AssertionError:
            self.problems.append(f"not everything ends: {json.dumps(api.debug())}")

    def lists(self):
        """{account's token: its predictions}"""
        found = {}
        for token in self.tokens:
            api, page, found[token] = self.server.api(token), "/predictions", []
            while page:
                body = api.get(page).json()
                found[token] += body["results"]
                page = body["next"]
        return found

    def check_books(self):
        lists = self.lists()
        whole = {t: self.with_details(t, rows) for t, rows in lists.items()}
        record = ledger.read_record(self.record)
        by_key = {p["input"].get("key"): p for rows in whole.values() for p in rows}
        self.n_predictions = len(by_key)
        self.ended = {}
        for p in by_key.values():
            name = p["status"] + (f" {p['error_code']}" if p.get("error_code") else "")
            self.ended[name] = self.ended.get(name, 0) + 1

        def fetch(url):
            return requests.get(url, timeout=30).content

        for client in self.clients:
            self.problems += ledger.check_client(client, whole[client.token], record, fetch)
        try:
            wait_until(
                lambda: not ledger.missing_webhooks(self.clients, by_key, self.receiver),
                QUIET_TIMEOUT_S,
                "webhooks",
            )
        except AssertionError:
            missing = ledger.missing_webhooks(self.clients, by_key, self.receiver)
            self.problems.append(f"webhooks that nobody got: {len(missing)}, {missing[:20]}")

    def with_details(self, token, rows):
        """Lists leave out the output, logs and input of each."""
        api = self.server.api(token)
        return [api.get(f"/predictions/{row['id']}").json() for row in rows]

    def audit(self, *more):
        ran = self.server.cli("doctor", "--audit", "--json", "--data", self.server.data, *more)
        if ran.returncode == 0:
            return
        try:
            checks = json.loads(ran.stdout)["checks"]
        except ValueError:
            self.problems.append(f"audit: {ran.stdout} {ran.stderr}")
            return
        for check in checks:
            for row in check["rows"][:10]:
                text = f"audit {check['check']}: {row['subject']}: {row['detail']}"
                if text not in self.problems:
                    self.problems.append(text)

    def check_stop(self):
        code = self.keeper.stop_within(60)
        if code != 0:
            self.problems.append(f"the stop ended with {code}")
            self.server.kill()
        left = processes.of_data_dir(self.server.data)
        if left:
            self.problems.append(f"processes after the stop: {left}")
        if self.server.instance_dirs():
            self.problems.append(f"directories after the stop: {self.server.instance_dirs()}")
        if self.server.spool_files():
            self.problems.append(f"spool after the stop: {self.server.spool_files()}")
        self.audit("--deep")

    def check_sweep(self):
        """Hours later nothing is left that no row points to."""
        self.shim.set_clock(SWEEP_S)
        self.server.start()
        time.sleep(1)
        try:
            wait_until(lambda: not self._unused_blobs(), 30, "the sweep")
        except AssertionError:
            self.problems.append(f"blobs without a row: {self._unused_blobs()[:10]}")
        self.audit("--deep")
        self.server.stop()

    def _unused_blobs(self):
        import sqlite3

        database = sqlite3.connect(self.server.data / "vend.db")
        used = {row[0] for table in ("files", "outputs", "version_weights")
                for row in database.execute(f"SELECT sha256 FROM {table}")}  # fmt: skip
        database.close()
        blobs = {path.name for path in (self.server.data / "blobs").glob("??/*")}
        return sorted(blobs - used)

    def close(self):
        self.keeper.over.set()
        self.injector.calm()
        self.receiver.close()
        self.server.destroy()

    def result(self):
        return {
            "seed": self.seed,
            "faults": sum(self.injector.counts.values()),
            "hit_nobody": self.injector.idle,
            "kinds": self.injector.counts,
            "asked": sum(len(c.asked) for c in self.clients),
            "trainings": len(self.teacher.asked),
            "predictions": getattr(self, "n_predictions", None),
            "ended": getattr(self, "ended", None),
            "webhooks": len(self.receiver.got()),
            "server_starts": self.server.starts,
            "seconds": round(time.monotonic() - self.began),
            "problems": len(self.problems),
        }

"""A client that trains all the time, and what has to hold of its trainings."""

import random
import threading
import time
import uuid

import requests

from api import TERMINAL
from ledger import FAULTS
from load import REFUSALS

DESTINATION = "lab/learned"


class Teacher(threading.Thread):
    def __init__(self, soak, seed):
        super().__init__(daemon=True)
        self.soak = soak
        self.chance = random.Random(seed * 1000 + 999)
        self.over = threading.Event()
        self.asked = {}  # key: id, or None without a promise
        self.canceled = set()

    def set_up(self, api):
        owner, name = DESTINATION.split("/")
        api.post("/models", {"owner": owner, "name": name, "visibility": "private", "hardware": "cpu"}, 201)
        version = api.get("/models/lab/learner").json()["latest_version"]["id"]
        self.path = f"/v1/models/lab/learner/versions/{version}/trainings"

    def run(self):
        while not self.over.is_set():
            self.one(f"t{len(self.asked)}")
            self.over.wait(self.chance.uniform(0.5, 2))

    def call(self, method, path, **options):
        headers = {"Authorization": f"Bearer {self.soak.server.token}", **options.pop("headers", {})}
        try:
            return requests.request(method, self.soak.url() + path, headers=headers, timeout=30, **options)
        except requests.exceptions.RequestException:
            return None

    def one(self, key):
        """Sends again what got no answer: the key makes it one training."""
        self.asked[key] = None
        body = {"destination": DESTINATION, "input": {"key": key, "delay": self.chance.choice([0, 0.3, 2])}}
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        until = time.monotonic() + 60
        while time.monotonic() < until and not self.over.is_set():
            reply = self.call("POST", self.path, json=body, headers=headers)
            if reply is not None and reply.status_code in (200, 201):
                self.asked[key] = reply.json()["id"]
                break
            if reply is not None and reply.status_code not in REFUSALS:
                self.soak.problems.append(f"training {key}: {reply.status_code} {reply.text[:300]}")
                return
            self.over.wait(0.1)
        if self.asked[key] and self.chance.random() < 0.1:
            self.canceled.add(key)
            self.call("POST", f"/v1/trainings/{self.asked[key]}/cancel")


def pages(api, path):
    rows = []
    while path:
        body = api.get(path).json()
        rows += body["results"]
        path = body["next"]
    return rows


def check(teacher, api):
    """A success has one version, which knows what was learned; nothing else has one."""
    faults = []
    found = {}
    for row in pages(api, "/trainings"):
        training = api.get(f"/trainings/{row['id']}").json()
        found.setdefault(training["input"]["key"], []).append(training)
    versions = {v["id"] for v in pages(api, f"/models/{DESTINATION}/versions")}
    made = {}
    for key, id in teacher.asked.items():
        rows = found.get(key, [])
        if len(rows) > 1 or (id and [row["id"] for row in rows] != [id]):
            faults.append(f"training {key}: {id} was promised, {[row['id'] for row in rows]} are there")
        for row in rows:
            faults += check_end(teacher, key, row)
            if row["status"] == "succeeded":
                made[row["output"]["version"].partition(":")[2]] = key
    if set(made) != versions:
        faults.append(f"versions {versions ^ set(made)} without a training that succeeded, or the other way round")
    for version, key in list(made.items())[-3:]:
        run = api.post("/predictions", {"version": version, "input": {}}, 201).json()
        learned = api.ended(run)["output"]
        if learned != key:
            faults.append(f"version {version} of training {key} knows {learned!r}")
    return faults


def check_end(teacher, key, row):
    status, code = row["status"], row.get("error_code")
    if status not in TERMINAL:
        return [f"training {key} has not ended: {status}"]
    if status == "succeeded" or (status == "canceled" and key in teacher.canceled):
        return []
    if status == "failed" and code in FAULTS:
        return []
    return [f"training {key} ended {status}, {code}, {row['error']}"]

"""Clients that ask for all kinds of things and write down what they were promised."""

import json
import random
import threading
import time
import uuid

import requests

from api import TERMINAL

# What a server that is away, full or overwhelmed may say.
REFUSALS = {429, 500, 503, 507}


class Asked:
    """One thing that was asked for."""

    def __init__(self, key, kind, inputs, mode):
        self.key, self.kind, self.inputs, self.mode = key, kind, inputs, mode
        self.id = None
        self.canceled = False
        self.deadline = False
        self.webhook = None
        self.told = None  # the end, as it was told
        self.stream = None
        self.streamed = None  # the output of a whole stream


class Client(threading.Thread):
    def __init__(self, soak, number, token, seed):
        super().__init__(daemon=True)
        self.soak, self.number, self.token = soak, number, token
        self.chance = random.Random(seed * 1000 + number)
        self.over = threading.Event()
        self.owns = True  # the deployment
        self.asked = []
        self.problems = []
        self.n = 0

    def run(self):
        while not self.over.is_set():
            try:
                self.one()
            except Exception as problem:  # noqa: BLE001
                self.problems.append(repr(problem))
            self.over.wait(self.chance.uniform(0, 0.3))

    def call(self, method, path, **options):
        """The reply, or None when there is none."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        try:
            return requests.request(
                method, self.soak.url() + path, headers=headers, timeout=30, **options
            )
        except requests.exceptions.RequestException:
            return None

    def one(self):
        self.n += 1
        asked, path = self.choose(f"c{self.number}n{self.n}")
        self.asked.append(asked)
        body = {"input": asked.inputs}
        if asked.webhook:
            body["webhook"] = asked.webhook
            if self.chance.random() < 0.5:
                body["webhook_events_filter"] = ["start", "completed"]
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        if self.chance.random() < 0.5:
            headers["Prefer"] = "wait=2"
        if asked.deadline:
            headers["Cancel-After"] = "5s"
        self.create(asked, path, body, headers)
        if asked.id and self.chance.random() < 0.1 and not asked.told:
            asked.canceled = True
            self.call("POST", f"/v1/predictions/{asked.id}/cancel")
        elif asked.stream and asked.kind == "pieces" and self.chance.random() < 0.5:
            self.follow(asked)

    def choose(self, key):
        record = str(self.soak.record)
        delay = self.chance.choice([0, 0, 0.05, 0.3, 1.5])
        kind = self.chance.choice(["work"] * 5 + ["pieces"] * 3 + ["deployment"] * 2)
        if kind == "deployment" and not self.owns:
            kind = "work"
        mode = self.chance.choice(["text"] * 6 + ["file"] * 3 + ["raise"] + ["crash"] * (kind == "work"))
        if mode == "crash" and self.chance.random() < 0.7:
            mode = "text"
        if kind == "pieces":
            mode = "pieces"
            count = self.chance.choice([1, 3, 10])
            inputs = {"key": key, "record": record, "count": count, "delay": delay / 5}
        else:
            inputs = {"key": key, "record": record, "mode": mode, "delay": delay}
        asked = Asked(key, kind, inputs, mode)
        if self.chance.random() < 0.4:
            asked.webhook = f"{self.soak.receiver.url}/{key}"
        asked.deadline = self.chance.random() < 0.05
        path = {
            "work": "/v1/models/lab/work/predictions",
            "pieces": "/v1/models/lab/pieces/predictions",
            "deployment": "/v1/deployments/lab/steady/predictions",
        }[kind]
        return asked, path

    def create(self, asked, path, body, headers):
        """Sends again what got no answer: the key makes it one prediction."""
        until = time.monotonic() + 60
        while time.monotonic() < until and not self.over.is_set():
            at = time.monotonic()
            reply = self.call("POST", path, json=body, headers=headers)
            if reply is not None and reply.status_code in (200, 201, 202):
                self.promised(asked, reply.json())
                return
            if reply is not None and (
                reply.status_code not in REFUSALS
                or (reply.status_code in (500, 507) and not self.soak.injector.disk_was_full(at))
            ):
                self.problems.append(f"create of {asked.key}: {reply.status_code} {reply.text[:300]}")
                return
            self.over.wait(0.1)

    def promised(self, asked, body):
        asked.id = body["id"]
        asked.stream = body["urls"].get("stream")
        if body["status"] in TERMINAL:
            asked.told = body

    def follow(self, asked):
        """A stream that is read to its end has the whole output."""
        try:
            with requests.get(
                asked.stream,
                headers={"Accept": "text/event-stream"},
                stream=True,
                timeout=20,
            ) as reply:
                if reply.status_code != 200:
                    return
                event, pieces = None, []
                for line in reply.iter_lines(decode_unicode=True):
                    if line.startswith("event:"):
                        event = line[6:].strip()
                    elif line.startswith("data:") and event == "output":
                        pieces.append(line[5:].removeprefix(" "))
                    elif line.startswith("data:") and event == "done":
                        if json.loads(line[5:]) == {}:
                            asked.streamed = "".join(pieces)
                        return
        except (requests.exceptions.RequestException, ValueError):
            pass

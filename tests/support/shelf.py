"""The models of examples/ on one server, each pushed when it is first needed."""

import base64
import mimetypes
import pathlib
import subprocess

import pytest

from vend_server import ACCOUNT

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
# What installers say when there is no network.
OFFLINE = ("could not be installed", "failed to fetch", "error sending request", "No solution found")
PUSH_S = 900
RUN_S = 300


def data_uri(content, name):
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def sample(name, path):
    """A file of the project, as an input."""
    return data_uri((EXAMPLES / name / path).read_bytes(), path)


class Shelf:
    def __init__(self, server):
        self.server = server
        self.api = server.api()
        self.pushed = set()

    def push(self, name, folder=None):
        if name in self.pushed:
            return
        try:
            ended = self.server.cli("push", folder or EXAMPLES / name, f"{ACCOUNT}/{name}", timeout=PUSH_S)
        except subprocess.TimeoutExpired:
            pytest.skip(f"{name} takes too long to download")
        if ended.returncode != 0 and any(word in ended.stderr for word in OFFLINE):
            pytest.skip(f"{name} cannot be downloaded: {ended.stderr[-500:]}")
        assert ended.returncode == 0, ended.stderr
        self.pushed.add(name)

    def create(self, name, **inputs):
        self.push(name)
        return self.api.create(name, inputs)

    def run(self, name, **inputs):
        """The prediction when it has ended, well or not."""
        return self.api.ended(self.create(name, **inputs), RUN_S)

    def output(self, name, **inputs):
        ended = self.run(name, **inputs)
        assert ended["status"] == "succeeded", ended
        return ended["output"]

    def error(self, name, **inputs):
        ended = self.run(name, **inputs)
        assert ended["status"] == "failed", ended
        return ended["error"]

    def download(self, url):
        reply = self.api.session.get(url, timeout=60)
        assert reply.status_code == 200, reply.text
        return reply.content

    def file(self, name, **inputs):
        return self.download(self.output(name, **inputs))

    def files(self, name, **inputs):
        return [self.download(url) for url in self.output(name, **inputs)]

    def train(self, name, **inputs):
        """The training when it has ended; what it makes goes to NAME-trained."""
        self.push(name)
        trained = f"{name}-trained"
        if self.api.get(f"/models/{ACCOUNT}/{trained}", expect=None).status_code == 404:
            body = {"owner": ACCOUNT, "name": trained, "visibility": "private", "hardware": "cpu"}
            self.api.post("/models", body, 201)
        version = self.api.get(f"/models/{ACCOUNT}/{name}").json()["latest_version"]["id"]
        body = {"destination": f"{ACCOUNT}/{trained}", "input": inputs}
        made = self.api.post(f"/models/{ACCOUNT}/{name}/versions/{version}/trainings", body, 201).json()
        return self.ended_training(made)

    def ended_training(self, made):
        from waiting import wait_until

        def look():
            now = self.api.get(f"/trainings/{made['id']}").json()
            return now if now["status"] in ("succeeded", "failed", "canceled", "aborted") else None

        return wait_until(look, 1800, "the end of the training")

"""Servers with their files on an S3 server of their own."""

import shutil
import uuid

import pytest

from postgres import Cluster
from s3 import BUCKET, KEY_ID, SECRET, FaultProxy, S3Server

PREFIX = "files"
KEYS = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="session")
def s3(tmp_path_factory):
    made = S3Server(tmp_path_factory.mktemp("s3")).start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL server."""
    made = Cluster(port=5434)
    yield made
    made.close()


@pytest.fixture
def proxy(s3):
    made = FaultProxy(s3.port)
    yield made
    made.shutdown()
    made.server_close()


class Maker:
    """Makes servers whose files are under a prefix of their own."""

    def __init__(self, servers, s3, proxy):
        self.servers, self.s3, self.proxy = servers, s3, proxy

    def __call__(self, *flags, start=True, env=None, prefix=None, empty=False):
        prefix = prefix or f"{PREFIX}/{uuid.uuid4().hex}"
        place = f"s3://{BUCKET}/{prefix}"
        server = self.servers(
            "--files", place, "--files-endpoint", self.proxy.url, *flags,
            start=False, env={**KEYS, **(env or {})}, empty=empty,
        )  # fmt: skip
        server.prefix = prefix
        if not empty:
            move_files(server.data, self.s3.bucket / prefix, place)
        return server.start() if start else server


def move_files(data, folder, place):
    """What a data directory has, as a server with this place would have it."""
    for path in (data / "blobs").glob("??/*"):
        target = folder / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
    shutil.rmtree(data / "blobs", ignore_errors=True)
    (data / "files").write_text(place)


@pytest.fixture
def remote(servers, s3, proxy):
    return Maker(servers, s3, proxy)

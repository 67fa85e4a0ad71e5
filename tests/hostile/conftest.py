"""A server with the hostile model, isolated or not."""

import json
import os
import pathlib
import shutil
import socket
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "model"))

from fast_starts import await_snapshot, await_zygote, start_of, stop_instances  # noqa: E402
from images import cog_image, push  # noqa: E402
from servers import Servers  # noqa: E402
from vend_server import ACCOUNT  # noqa: E402

MODEL = f"{ACCOUNT}/hostile"


def own_address():
    """An address of this machine that is not loopback; the loopback where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("203.0.113.1", 9))
        except OSError:
            return "127.0.0.1"
        return sock.getsockname()[0]


class Place:
    """The server, what listens beside it, and what an attacker may know of both."""

    def __init__(self, server, image=None, folder=HERE / "model"):
        self.server = server
        self.api = server.api()
        if image is not None:
            push(server, image, MODEL)
        else:
            pushed = server.cli("push", folder, MODEL, "--public")
            assert pushed.returncode == 0, pushed.stderr
        self.listener = socket.create_server(("0.0.0.0", 0))
        self.abstract = socket.socket(socket.AF_UNIX)
        self.name = f"vend-hostile-{os.getpid()}-{server.process.pid}"
        self.abstract.bind("\0" + self.name)
        self.abstract.listen()
        assert self.api.run("echo", {"text": "up"})["output"] == "up"
        self.run("see_other_processes")  # so that the instance is there

    def instance(self, model):
        found = [one for one in self.api.debug()["instances"] if one["model"] == model]
        assert found, f"no instance of {model}"
        return found[-1]

    def hints(self):
        own = pathlib.Path(self.instance(MODEL)["dir"])
        return {
            "data": str(self.server.data),
            "other": self.instance(f"{ACCOUNT}/echo")["dir"],
            "socket": str(own / "director.sock"),
            "server": self.server.process.pid,
            "director": int((own / "director.pid").read_text().split()[0]),
            "port": int(self.server.url.rpartition(":")[2]),
            "address": own_address(),
            "listener": self.listener.getsockname()[1],
            "abstract": self.name,
            "name": self.name,
        }

    def run(self, *names, hints=None):
        done = self.api.run(MODEL.partition("/")[2], {"names": " ".join(names), "hints": json.dumps(hints or {})})
        assert done["status"] == "succeeded", done
        return json.loads(done["output"])

    def fork(self):
        """From now on its instance is one that was forked from a zygote."""
        await_zygote(self.api, model="hostile")
        stop_instances(self.api, "hostile")
        self.run("see_other_processes")
        assert start_of(self.api, "hostile") == ("fast", None)

    def fork_after_setup(self):
        """The same, from a snapshot."""
        self.fork()
        await_snapshot(self.api, "hostile")
        stop_instances(self.api, "hostile")
        self.run("see_other_processes")
        assert self.instance(MODEL)["start"] == "snapshot", self.instance(MODEL)

    def close(self):
        self.listener.close()
        self.abstract.close()


def make(binary, template, folder, *flags):
    servers = Servers(binary, template, folder)
    server = servers("--idle-timeout", "600s", *flags)
    return servers, server


def image_of(folder):
    predict, probes = ((HERE / "model" / name).read_text() for name in ("predict.py", "probes.py"))
    return cog_image(folder / "image", "0.16.12", predict, {"probes.py": probes})


def make_sandboxed(binary, template, folder, *flags):
    servers, server = make(binary, template, folder, "--isolation", "auto", "--network", "outbound", *flags)
    said = next(record for record in server.log() if record["message"] == "isolation of models")
    if not said["by"].startswith("bubblewrap"):
        servers.close()
        pytest.skip(f"this machine makes no sandbox: {said['by']}")
    return servers, server


def slow_model(folder):
    """Whose setup is worth a snapshot."""
    shutil.copytree(HERE / "model", folder)
    with open(folder / "cog.yaml", "a") as file:
        file.write('environment:\n  - HOSTILE_SETUP_SECONDS=0.8\n')
    return folder


@pytest.fixture(scope="module", params=["plain", "fork", "snapshot"])
def sandboxed(binary, template, tmp_path_factory, request):
    """Its instances are started plainly, or forked from a zygote, or from a snapshot."""
    is_fork = request.param != "plain"
    if is_fork and os.geteuid() != 0:
        pytest.skip("only a server that runs as root has forks in sandboxes")
    flag = f"--fast-start={'true' if is_fork else 'false'}"
    servers, server = make_sandboxed(binary, template, tmp_path_factory.mktemp("sandbox"), flag)
    folder = HERE / "model"
    if request.param == "snapshot":
        folder = slow_model(tmp_path_factory.mktemp("slow") / "model")
    place = Place(server, folder=folder)
    if request.param == "fork":
        place.fork()
    elif is_fork:
        place.fork_after_setup()
    yield place
    place.close()
    servers.close()


@pytest.fixture(scope="module")
def as_image(binary, template, tmp_path_factory):
    """Its model is an image."""
    servers, server = make_sandboxed(binary, template, tmp_path_factory.mktemp("sandbox"))
    place = Place(server, image_of(tmp_path_factory.mktemp("hostile")))
    yield place
    place.close()
    servers.close()


@pytest.fixture(scope="module")
def free(binary, template, tmp_path_factory):
    servers, server = make(binary, template, tmp_path_factory.mktemp("free"), "--isolation", "off")
    place = Place(server)
    await_zygote(place.api, model="hostile")
    yield place
    place.close()
    servers.close()

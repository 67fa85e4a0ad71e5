"""Models that are built as images: on a small base, without a network."""

import contextlib
import json
import pathlib
import signal
import subprocess
import tarfile

import pytest

from bases import make_base
from registry import Registry
from waiting import wait_until

MODEL = """
from cog import BasePredictor, Input

class Predictor(BasePredictor):
    def setup(self):
        self.made = open("/src/made.txt").read().strip()

    def predict(self, name: str = Input(description="who")) -> str:
        return f"{self.made} {name}"
"""
YAML = """
build:
  python_version: "3.11"
  run:
    - echo made-here > made.txt
    - cat /src/cog.yaml > /opt-copy
environment:
  - COLOR=blue
predict: predict.py:Predictor
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "cog.yaml").write_text(YAML)
    (folder / "predict.py").write_text(MODEL)
    return folder


@pytest.fixture
def make(servers, base):
    return lambda *flags, **options: servers(
        "--image-base", f"oci:{base}", *flags, empty=True, **options
    )


def push(server, folder, *flags, name="built", expect=0):
    ran = server.cli("push", *flags, folder, f"lab/{name}")
    assert ran.returncode == expect, ran.stdout + ran.stderr
    return ran.stdout.strip().rpartition(":")[2] if expect == 0 else ran.stderr


def rooms(server):
    folder = server.data / "blobs" / "rooms"
    return list(folder.iterdir()) if folder.is_dir() else []


def is_clean(server):
    """Nothing of a build: no folder, no process, no mount."""
    folders = [*rooms(server), *server.data.glob("versions/.*"), *server.data.glob("blobs/parts/*")]
    return not folders and not builders(server)


def builders(server):
    """Processes that see a room mounted."""
    room = "/".join([*server.data.parts[-3:], "blobs", "rooms"])
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/mountinfo"):
        with contextlib.suppress(OSError):
            if room in path.read_text():
                found.append(path.parent.name)
    return found


def files_of(repo, manifest):
    """Path and content of what the layers of an image hold; those above count."""
    found = {}
    for layer in manifest["layers"]:
        content = repo.call("GET", f"blobs/{layer['digest']}", 200, stream=True)
        with tarfile.open(fileobj=content.raw, mode="r|gz") as tar:
            for entry in tar:
                small = entry.isreg() and entry.size < 10_000
                found[entry.name] = (tar.extractfile(entry).read() if small else b"", entry)
    return found


def test_an_image_is_a_version(make, project):
    server = make()
    version = push(server, project, "--image")
    assert is_clean(server)
    repo = Registry(server, "lab/built")
    reply = repo.call("GET", f"manifests/sha256:{version}", 200)
    manifest = reply.json()
    config = repo.call("GET", f"blobs/{manifest['config']['digest']}", 200).json()["config"]
    labels = config["Labels"]
    assert {name for name in labels if name.startswith("run.cog.")} == {
        f"run.cog.{name}" for name in ("version", "openapi_schema", "config", "pip_freeze")
    }
    assert labels["run.cog.version"] == "0.23.1"
    assert "cog==0.23.1" in labels["run.cog.pip_freeze"].splitlines()
    assert json.loads(labels["run.cog.config"])["predict"] == "predict.py:Predictor"
    schema = json.loads(labels["run.cog.openapi_schema"])
    assert schema["components"]["schemas"]["Input"]["properties"]["name"]["description"] == "who"
    assert config["Cmd"] == ["python3", "-m", "cog.server.http"] and config["WorkingDir"] == "/src"
    assert {"COLOR=blue", "COG_PREDICT_TYPE_STUB=predict.py:Predictor"} <= set(config["Env"])
    assert "COLOR=green" not in config["Env"]

    files = files_of(repo, manifest)
    assert files["src/made.txt"][0] == b"made-here\n"
    assert files["opt-copy"][0].decode() == YAML
    assert files["src/predict.py"][0].decode() == MODEL
    assert json.loads(files["src/.cog/openapi_schema.json"][0])["paths"]
    assert "usr/local/bin/python" in files  # the base has python3 alone
    owners = {(entry.uid, entry.gid) for _, entry in files.values()}
    assert owners == {(0, 0)}

    shown = server.api().get("/models/lab/built").json()["latest_version"]
    assert shown["id"] == version and shown["cog_version"] == "0.23.1"
    # Layers of the base are those of the next image.
    again = push(server, project, "--image")
    other = repo.call("GET", f"manifests/sha256:{again}", 200).json()
    assert other["layers"][0] == manifest["layers"][0]
    audit = server.cli("doctor", "--audit", "--deep", "--json", "--data", server.data)
    assert not [c for c in json.loads(audit.stdout)["checks"] if c["rows"]], audit.stdout


def test_an_image_runs(make, project):
    server = make()
    said = next((r for r in server.log() if r.get("message") == "images do not run here"), None)
    if said is not None:
        pytest.skip(f"this machine makes no sandbox: {said['by']}")
    push(server, project, "--image")
    ran = server.cli("run", "lab/built", "name=x")
    assert ran.returncode == 0 and ran.stdout.strip() == "made-here x", ran.stdout + ran.stderr


def test_the_page_comes_with_the_version(make, project):
    server = make()
    (project / "README.md").write_text("# Built\n")
    (project / "vend.yaml").write_text(
        "description: In an image\nexamples:\n  - input: {name: x}\n    output: made-here x\n"
    )
    push(server, project, "--image")
    model = server.api().get("/models/lab/built").json()
    assert model["description"] == "In an image"
    assert model["default_example"]["output"] == "made-here x"


def test_a_failure_says_its_words(make, project):
    server = make()
    (project / "cog.yaml").write_text(YAML.replace("echo made-here > made.txt", "echo no luck >&2; exit 7"))
    said = push(server, project, "--image", expect=1)
    assert "no luck" in said and "build.run: 'echo no luck >&2; exit 7': the command exited with status 7" in said
    assert is_clean(server)

    (project / "cog.yaml").write_text(YAML.replace("  run:", "  system_packages: [figlet]\n  run:"))
    said = push(server, project, "--image", expect=1)
    assert "the base image has no apt-get" in said and is_clean(server)

    (project / "cog.yaml").write_text(YAML.replace("predict.py:Predictor", "predict.py:Missing"))
    assert "Missing" in push(server, project, "--image", expect=1) and is_clean(server)


ESCAPE = """
import os, sys
secret = sys.argv[1]
os.mkdir("/deeper")
try:
    os.chroot("/deeper")
    for _ in range(64):
        os.chdir("..")
    os.chroot(".")
except PermissionError:
    sys.exit(0)
# Out of the image, and in the room: nothing of the server is there either, and nothing can be changed.
assert os.path.isdir("/room"), os.listdir("/")
assert not os.path.exists(secret)
for path in ("/usr/x", "/etc/x", "/x", "/input/x"):
    try:
        open(path, "w")
    except OSError:
        continue
    sys.exit(path)
"""


def test_nothing_of_the_host_is_there(make, project):
    """What a command sees and may do: no file, process or user of the server."""
    server = make()
    secret = server.data / "secret"
    secret.write_text("token")
    probes = [
        f"! cat {secret} && ! ls {server.data}",
        f"! ls /proc/{server.process.pid}/fd && ! kill -0 {server.process.pid}",
        "! ls /input/../room/storage 2>/dev/null || exit 9",
        "! dd if=/dev/zero of=/sys/x count=1",
        "! dd if=/dev/zero of=/proc/sys/kernel/core_pattern count=1",
        "! dd if=/dev/sda of=/dev/null count=1",
        f"python3 escape.py {secret}",
    ]
    (project / "escape.py").write_text(ESCAPE)
    lines = "".join(f"    - {json.dumps(probe)}\n" for probe in probes)
    (project / "cog.yaml").write_text(YAML.replace("    - cat /src/cog.yaml > /opt-copy\n", lines))
    push(server, project, "--image")
    assert secret.read_text() == "token"


def test_too_large_a_build_ends(make, project):
    server = make("--max-image", "200M")
    (project / "cog.yaml").write_text(
        YAML.replace("cat /src/cog.yaml > /opt-copy", "dd if=/dev/zero of=/big bs=1000000 count=400 && sleep 60")
    )
    said = push(server, project, "--image", expect=1)
    assert "max-image" in said and is_clean(server)


def start_slow(server, project):
    (project / "cog.yaml").write_text(YAML.replace("cat /src/cog.yaml > /opt-copy", "echo now && sleep 600"))
    pushing = server.popen("push", "--image", project, "lab/built")
    wait_until(lambda: any("now" in p.read_text().splitlines() for p in server.data.glob("builds/*.log")), 120, "the command")
    return pushing


def test_a_canceled_build_leaves_nothing(make, project):
    server = make()
    pushing = start_slow(server, project)
    assert rooms(server)
    pushing.send_signal(signal.SIGINT)
    pushing.communicate(timeout=120)
    assert pushing.returncode == 130
    wait_until(lambda: is_clean(server), 60, "nothing left of the build")


def test_a_killed_server_leaves_nothing(make, project):
    server = make()
    pushing = start_slow(server, project)
    server.kill()
    pushing.kill()
    pushing.communicate()
    wait_until(lambda: not builders(server), 60, "the end of the build's processes")
    assert rooms(server)
    # A base that is gone ends the build that begins again.
    server.flags[1] = "oci:/nowhere"
    server.start()
    wait_until(lambda: is_clean(server), 60, "nothing left of the build")


def test_a_base_of_this_server(make, base, project):
    server = make()
    server.api().post("/models", {"owner": "lab", "name": "base", "visibility": "private", "hardware": "cpu"}, 201)
    where = server.url.removeprefix("http://")
    subprocess.run(
        ["skopeo", "copy", "--dest-tls-verify=false", f"--dest-creds=x:{server.token}", f"oci:{base}",
         f"docker://{where}/lab/base:v1"], check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    server.flags[1] = "vend:lab/base:v1"
    server.restart()
    push(server, project, "--image")
    server.flags[1] = "vend:lab/base:v2"
    server.restart()
    assert "there is no image vend:lab/base:v2" in push(server, project, "--image", expect=1)
    assert is_clean(server)


def test_what_cannot_be_asked_for(make, project):
    server = make()
    ran = server.cli("push", "--image", "--smoke", project, "lab/built")
    assert ran.returncode == 2 and "--image and --smoke exclude each other" in ran.stderr
    (project / "cog.yaml").write_text(YAML + "weights:\n  - {name: w, target: w, source: 'https://example.com/w'}\n")
    ran = server.cli("push", "--image", project, "lab/built")
    assert ran.returncode == 2 and "cog.yaml:10: weights: a build as an image takes none" in ran.stderr
    # Without --image the message of what the host lacks names it.
    (project / "cog.yaml").write_text(YAML)
    assert "'vend push --image'" in push(server, project, expect=1)
    server.flags[1] = ""
    server.restart()
    assert "images are not built on this server" in push(server, project, "--image", expect=1)
    assert is_clean(server)

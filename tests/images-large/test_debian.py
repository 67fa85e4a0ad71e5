"""A model with Debian packages and a command, built on Debian itself: downloads a base and packages."""

import subprocess

import pytest

YAML = """
build:
  python_version: "3.11"
  python_requirements: requirements.txt
  system_packages: [figlet]
  run:
    - apt-get --version | head -n 1 > /usr/local/share/apt.txt
    - --mount=type=cache,target=/var/cache/pip figlet -v > /dev/null && ln -s /usr/bin/figlet /usr/local/bin/banner
predict: predict.py:Predictor
"""
MODEL = """
import subprocess

import six
from cog import BasePredictor, Input


class Predictor(BasePredictor):
    def setup(self):
        self.apt = open("/usr/local/share/apt.txt").read()

    def predict(self, text: str = Input(description="what is written large")) -> str:
        return subprocess.check_output(["banner", text], text=True) + six.__version__ + self.apt
"""


@pytest.fixture(scope="session")
def debian(tmp_path_factory):
    """An image layout of Debian with pip."""
    folder = tmp_path_factory.mktemp("debian")
    tar = folder / "base.tar"
    packages = "python3,python3-pip,ca-certificates"
    subprocess.run(
        ["mmdebstrap", "--variant=apt", f"--include={packages}", "bookworm", tar], check=True, timeout=900
    )
    storage = ["--root", folder / "storage", "--runroot", folder / "run", "--storage-driver", "vfs"]

    def buildah(*words):
        command = ["buildah", *storage, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout.strip()

    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, tar, "/")
    buildah("commit", "--quiet", "--disable-compression=false", container, f"oci:{folder / 'image'}")
    buildah("rm", container)
    tar.unlink()
    return folder / "image"


def test_packages_and_commands(servers, debian, tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "cog.yaml").write_text(YAML)
    (project / "requirements.txt").write_text("six==1.16.0\n")
    (project / "predict.py").write_text(MODEL)
    server = servers("--image-base", f"oci:{debian}", empty=True)
    pushed = server.cli("push", "--image", project, "lab/banner", timeout=1500)
    assert pushed.returncode == 0, pushed.stdout + pushed.stderr
    version = pushed.stdout.strip().rpartition(":")[2]
    assert not list((server.data / "blobs" / "rooms").iterdir())

    out = tmp_path / "out.tar"
    where = server.url.removeprefix("http://")
    subprocess.run(
        ["skopeo", "copy", "--src-tls-verify=false", f"--src-creds=x:{server.token}",
         f"docker://{where}/lab/banner@sha256:{version}", f"oci-archive:{out}"],
        check=True, capture_output=True, timeout=600,
    )  # fmt: skip
    assert out.stat().st_size > 50_000_000

    ran = server.cli("run", "lab/banner", "text=a", timeout=600)
    assert ran.returncode == 0 and "1.16.0apt" in ran.stdout, ran.stdout + ran.stderr

    server.restart()
    ran = server.cli("push", project, "lab/other")
    assert ran.returncode == 1 and "--image" in ran.stderr, ran.stderr

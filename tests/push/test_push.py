"""`vend push` and the builds behind it, against the real server."""

import hashlib
import io
import os
import re
import shutil
import tarfile

import pytest

from servers import MODELS
from waiting import wait_until

PREDICT = """from cog import BasePredictor


class Predictor(BasePredictor):
    def predict(self, text: str = "") -> str:
        return "{reply} " + text
"""
YAML = 'build:\n  python_version: "3.11"\npredict: "predict.py:Predictor"\n'


def write_model(directory, reply="one", yaml=YAML):
    directory.mkdir(exist_ok=True)
    (directory / "cog.yaml").write_text(yaml)
    (directory / "predict.py").write_text(PREDICT.format(reply=reply))
    return directory


def versions(server, model):
    reply = server.api().call("GET", f"/models/lab/{model}/versions")
    return [v["id"] for v in reply.json()["results"]] if reply.ok else []


def builds_of(server):
    return sorted(p.name for p in (server.data / "builds").iterdir())


def trees(server):
    return sorted(p.name for p in (server.data / "versions").iterdir())


def last_line(pushed):
    return pushed.stdout.splitlines()[-1]


def check_nothing_is_left(server, before):
    """Of a failed build only its log stays."""
    assert trees(server) == before
    assert all(name.endswith(".log") for name in builds_of(server)), builds_of(server)


def test_a_failed_push_leaves_no_model(server, tmp_path):
    api = server.api()
    model = write_model(tmp_path / "m")
    (model / "predict.py").write_text("def predict(:\n")
    for words in ((), ("--public",)):
        failed = server.cli("push", model, "lab/failed", *words)
        assert failed.returncode == 1 and "removed lab/failed again" in failed.stderr, failed.stderr
        assert api.call("GET", "/models/lab/failed").status_code == 404
    # One that was there stays, and so does one that got a version.
    body = {"owner": "lab", "name": "failed", "visibility": "private", "hardware": "cpu"}
    api.post("/models", body, 201)
    assert server.cli("push", model, "lab/failed").returncode == 1
    assert api.get("/models/lab/failed").json()["latest_version"] is None
    api.delete("/models/lab/failed", 204)
    pushed = server.cli("push", write_model(tmp_path / "n"), "lab/failed", "--public")
    assert pushed.returncode == 0, pushed.stderr
    assert api.get("/models/lab/failed").json()["visibility"] == "public"
    assert server.cli("push", model, "lab/failed").returncode == 1
    assert versions(server, "failed") == [last_line(pushed).partition(":")[2]]


def test_push_run_push_again(server, tmp_path):
    api = server.api()
    model = write_model(tmp_path / "m")
    pushed = server.cli("push", model, "lab/pushed")
    assert pushed.returncode == 0, pushed.stderr
    match = re.fullmatch("lab/pushed:([0-9a-f]{64})", last_line(pushed))
    assert match
    assert api.get("/models/lab/pushed").json()["visibility"] == "private"
    assert api.get("/models/lab/pushed").json()["latest_version"]["id"] == match[1]
    assert api.run("pushed", {"text": "x"})["output"] == "one x"
    assert not list((server.data / "uploads").iterdir())

    # The same tree, elsewhere and with other times: nothing is built.
    before = builds_of(server)
    copy = shutil.copytree(model, tmp_path / "copy")
    (copy / "predict.py").touch()
    again = server.cli("push", copy, "lab/pushed")
    assert again.returncode == 0 and last_line(again) == last_line(pushed)
    assert builds_of(server) == before
    assert len(versions(server, "pushed")) == 1

    changed = server.cli("push", write_model(model, "two"), "lab/pushed")
    assert changed.returncode == 0 and last_line(changed) != last_line(pushed)
    assert api.run("pushed", {"text": "x"})["output"] == "two x"
    assert len(versions(server, "pushed")) == 2

    # Back to the first: it is latest again, and the newest in the list.
    back = server.cli("push", write_model(model, "one"), "lab/pushed")
    assert back.returncode == 0 and last_line(back) == last_line(pushed)
    assert api.get("/models/lab/pushed").json()["latest_version"]["id"] == match[1]
    assert api.run("pushed", {"text": "x"})["output"] == "one x"
    assert builds_of(server) != [] and len(versions(server, "pushed")) == 2


def test_the_same_model_under_two_names(server, tmp_path):
    model = write_model(tmp_path / "m", "twice")
    one, two = server.cli("push", model, "lab/one"), server.cli("push", model, "lab/two", "--public")
    assert one.returncode == 0 and two.returncode == 0, two.stderr
    assert last_line(one).partition(":")[2] == last_line(two).partition(":")[2]
    api = server.api()
    assert api.get("/models/lab/two").json()["visibility"] == "public"
    version = last_line(one).partition(":")[2]
    api.delete(f"/models/lab/one/versions/{version}", 202)
    assert api.run("two", {"text": "x"})["output"] == "twice x"


def test_the_same_tree_is_the_same_version_everywhere(server, servers, tmp_path):
    """Another data directory, another place, other times and rights: the id is of the content."""
    copy = shutil.copytree(MODELS / "echo", tmp_path / "elsewhere")
    for number, path in enumerate(sorted(copy.rglob("*"))):
        path.chmod(0o640)
        os.utime(path, (number + 1, number + 1))
    pushed = servers(empty=True).cli("push", copy, "lab/other")
    assert pushed.returncode == 0, pushed.stderr
    assert last_line(pushed).partition(":")[2] == versions(server, "echo")[0]


def test_mistakes_are_told_at_once(server, tmp_path):
    model = write_model(
        tmp_path / "m",
        yaml='build:\n  python_version: "2.7"\n  python_requirements: "missing.txt"\n'
        'predict: "predict"\nconcurrency:\n  max: 0\n',
    )
    pushed = server.cli("push", model, "lab/mistaken")
    assert pushed.returncode == 2 and pushed.stdout == ""
    for told in ("python_version", "missing.txt", "predict", "concurrency.max"):
        assert told in pushed.stderr, pushed.stderr
    assert "2" in pushed.stderr and "cog.yaml" in pushed.stderr
    server.api().get("/models/lab/mistaken", 404)


@pytest.mark.parametrize("yaml", ["", "predict: [", "- a\n- b\n", "predict: 5\n", "{}"])
def test_broken_cog_yaml(server, tmp_path, yaml):
    pushed = server.cli("push", write_model(tmp_path / "m", yaml=yaml), "lab/broken")
    assert pushed.returncode in (1, 2) and pushed.stdout == "" and pushed.stderr
    assert versions(server, "broken") == []


def test_wrong_directories(server, tmp_path):
    for directory in (tmp_path / "none", tmp_path):
        pushed = server.cli("push", directory, "lab/none")
        assert pushed.returncode == 2 and pushed.stderr
    server.api().get("/models/lab/none", 404)


def test_code_that_has_no_schema_fails_with_its_place(server, tmp_path):
    before = trees(server)
    model = write_model(tmp_path / "m")
    (model / "predict.py").write_text("def predict(:\n")
    pushed = server.cli("push", model, "lab/noschema")
    assert pushed.returncode == 1 and "predict.py" in pushed.stderr
    assert versions(server, "noschema") == []
    check_nothing_is_left(server, before)


def test_a_failed_build_keeps_the_previous_version(server, tmp_path):
    api = server.api()
    model = write_model(tmp_path / "m", "kept")
    good = server.cli("push", model, "lab/kept")
    assert good.returncode == 0
    before = trees(server)
    (model / "requirements.txt").write_text("no-such-package-of-vend-tests==99.99\n")
    (model / "cog.yaml").write_text(
        'build:\n  python_version: "3.11"\n  python_requirements: requirements.txt\n'
        'predict: "predict.py:Predictor"\n'
    )
    bad = server.cli("push", model, "lab/kept")
    assert bad.returncode == 1 and "no-such-package-of-vend-tests" in bad.stderr
    assert versions(server, "kept") == [last_line(good).partition(":")[2]]
    assert api.run("kept", {"text": "x"})["output"] == "kept x"
    check_nothing_is_left(server, before)


def test_setup_that_fails_is_found_by_smoke_only(server, tmp_path):
    api = server.api()
    model = write_model(tmp_path / "m", "smoke")
    good = server.cli("push", model, "lab/smoke", "--smoke")
    assert good.returncode == 0, good.stderr
    before = trees(server)
    shutil.copy(MODELS / "setup-fails" / "predict.py", model / "predict.py")
    (model / "predict.py").open("a").write("# another source\n")
    smoked = server.cli("push", model, "lab/smoke", "--smoke")
    assert smoked.returncode == 1 and "the weights are not there" in smoked.stderr
    assert versions(server, "smoke") == [last_line(good).partition(":")[2]]
    check_nothing_is_left(server, before)
    assert api.run("smoke", {"text": "x"})["output"] == "smoke x"
    pushed = server.cli("push", model, "lab/smoke")
    assert pushed.returncode == 0 and len(versions(server, "smoke")) == 2


def test_build_run_needs_the_flag(server, tmp_path):
    before = trees(server)
    yaml = YAML.replace("predict:", '  run:\n    - "touch /tmp/vend-was-here"\npredict:')
    pushed = server.cli("push", write_model(tmp_path / "m", "run", yaml), "lab/runs")
    assert pushed.returncode in (1, 2) and "build.run" in pushed.stderr
    assert "allow-build-run" in pushed.stderr
    assert versions(server, "runs") == []
    check_nothing_is_left(server, before)


def test_packages_from_private_addresses_need_leave(server, tmp_path):
    """Whoever may push must not reach what only the server reaches; its admin may."""
    yaml = YAML.replace("predict:", '  python_packages: ["six --extra-index-url http://127.0.0.1:9/simple"]\npredict:')
    model = write_model(tmp_path / "m", "index", yaml)
    token = server.api().post("/tokens", {"name": "p", "scopes": ["read", "push"]}, 201).json()
    pushed = server.cli("push", model, "lab/private", env={"VEND_API_TOKEN": token["token"]})
    assert pushed.returncode == 1 and "--package-allow" in pushed.stderr, pushed.stderr
    assert versions(server, "private") == []
    # Nobody listens there: what counts is that the admin's build gets that far.
    asked = server.cli("push", model, "lab/private")
    assert "--package-allow" not in asked.stderr and "127.0.0.1:9" in asked.stderr


def test_ignored_files_are_not_pushed(server, tmp_path):
    model = write_model(tmp_path / "m", "ignore")
    (model / ".cogignore").write_text("secret*\n")
    (model / "secret.txt").write_text("secret")
    (model / "data").mkdir()
    (model / "data" / "kept.txt").write_text("kept")
    pushed = server.cli("push", model, "lab/ignores")
    assert pushed.returncode == 0, pushed.stderr
    tree = server.data / "versions" / last_line(pushed).partition(":")[2] / "src"
    assert (tree / "data" / "kept.txt").exists() and not (tree / "secret.txt").exists()
    # What is ignored is no change.
    (model / "secret.txt").write_text("another secret")
    assert last_line(server.cli("push", model, "lab/ignores")) == last_line(pushed)


def test_pushing_needs_the_scope(server, tmp_path):
    token = server.api().post("/tokens", {"name": "r", "scopes": ["read", "run"]}, 201).json()
    model = write_model(tmp_path / "m")
    pushed = server.cli("push", model, "lab/scopeless", env={"VEND_API_TOKEN": token["token"]})
    assert pushed.returncode == 1 and "push" in pushed.stderr
    server.api().get("/models/lab/scopeless", 404)


# Archives that no honest client makes


def entry(name, content=b"x", kind=tarfile.REGTYPE, link="", mode=0o644):
    info = tarfile.TarInfo(name)
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    info.type, info.linkname, info.mode = kind, link, mode
    return info, io.BytesIO(content)


def archive(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for info, content in (
            entry("cog.yaml", YAML.encode()),
            entry("predict.py", PREDICT.format(reply="attack").encode()),
            *entries,
        ):
            tar.addfile(info, content)
    return out.getvalue()


def build_of(server, content, model="attacked"):
    api = server.api()
    body = {"owner": "lab", "name": model, "visibility": "private", "hardware": "cpu"}
    assert api.post("/models", body).status_code in (201, 409)
    sha256 = hashlib.sha256(content).hexdigest()
    upload = api.post("/uploads", {"sha256": sha256, "size": len(content)}).json()
    headers = {"Content-Type": "application/octet-stream", "Upload-Offset": "0"}
    api.call("PATCH", f"/uploads/{upload['id']}", 200, data=content, headers=headers)
    body = {"upload": upload["id"], "source_sha256": sha256}
    build = api.post(f"/models/lab/{model}/builds", body, 201).json()
    return wait_until(
        lambda: (now := api.get(f"/builds/{build['id']}").json())["completed_at"] and now,
        what="the end of the build",
    )


ATTACKS = {
    "dotdot": [entry("../outside.txt")],
    "deep dotdot": [entry("a/../../outside.txt")],
    "absolute": [entry("/tmp/vend-outside.txt")],
    "link out": [entry("out", kind=tarfile.SYMTYPE, link="../../..")],
    "absolute link": [entry("passwd", kind=tarfile.SYMTYPE, link="/etc/passwd")],
    "through a link": [
        entry("out", kind=tarfile.SYMTYPE, link="/tmp"),
        entry("out/vend-outside.txt"),
    ],
    "hard link": [entry("hard", kind=tarfile.LNKTYPE, link="/etc/passwd")],
    "device": [entry("device", kind=tarfile.CHRTYPE)],
    "pipe": [entry("pipe", kind=tarfile.FIFOTYPE)],
    "bomb": [entry("bomb", b"\0" * (6 << 20))],
    "many": [entry(f"f/{i}", b"") for i in range(600)],
    "twice": [entry("cog.yaml", b"predict: other.py:Other\n")],
}


@pytest.fixture(scope="module")
def limited(binary, template, tmp_path_factory):
    from servers import Servers

    made = Servers(binary, template, tmp_path_factory.mktemp("limited"))
    yield made("--max-source", "4M", "--max-source-files", "500")
    made.close()


@pytest.mark.parametrize("attack", ATTACKS)
def test_archive_attacks(limited, attack):
    before = trees(limited)
    build = build_of(limited, archive(*ATTACKS[attack]))
    assert build["status"] == "failed", build
    assert build["version"] is None and "archive" in build["error"] or attack in ("bomb", "many")
    log = limited.api().get(f"/builds/{build['id']}/log")
    assert log.headers["Content-Type"].startswith("text/plain")
    assert versions(limited, "attacked") == []
    check_nothing_is_left(limited, before)
    from pathlib import Path

    assert not Path("/tmp/vend-outside.txt").exists()
    assert not list(limited.data.rglob("outside.txt"))


@pytest.mark.parametrize("content", [b"not an archive", b"\x1f\x8b" + b"\0" * 50, archive()[:-40]])
def test_broken_archives(limited, content):
    before = trees(limited)
    build = build_of(limited, content)
    assert build["status"] == "failed" and build["error"], build
    check_nothing_is_left(limited, before)


def test_canceled_build(servers, tmp_path):
    """A queued and a running one; nothing of them stays."""
    server = servers()
    api = server.api()
    before = trees(server)
    model = {"owner": "lab", "name": "slow", "visibility": "private", "hardware": "cpu"}
    api.post("/models", model, 201)
    content = archive(entry("requirements.txt", b"numpy==1.26.4\n"))
    sha256 = hashlib.sha256(content).hexdigest()
    upload = api.post("/uploads", {"sha256": sha256, "size": len(content)}, 201).json()
    headers = {"Content-Type": "application/octet-stream", "Upload-Offset": "0"}
    api.call("PATCH", f"/uploads/{upload['id']}", 200, data=content, headers=headers)
    body = {"upload": upload["id"], "source_sha256": sha256, "smoke_start": True}
    build = api.post("/models/lab/slow/builds", body, 201).json()
    api.post(f"/builds/{build['id']}/cancel", expect=200)
    ended = wait_until(
        lambda: (now := api.get(f"/builds/{build['id']}").json())["completed_at"] and now
    )
    assert ended["status"] == "failed" and "cancel" in ended["error"]
    assert versions(server, "slow") == []
    check_nothing_is_left(server, before)


MASK = """import signal

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self) -> str:
        return repr(signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""


def test_models_start_with_no_signal_blocked(server, tmp_path):
    """Also those that a server starts after a build; libraries probe instructions by SIGILL."""
    model = write_model(tmp_path / "mask", yaml=YAML.replace("predict:", "run:").replace("Predictor", "Runner"))
    (model / "predict.py").write_text(MASK)
    pushed = server.cli("push", model, "lab/mask")
    assert pushed.returncode == 0, pushed.stderr
    assert server.api().run("mask")["output"] == "set()"

"""Archives that are damaged, changed or not for this machine: a sentence, and nothing is left of them."""

import copy
import json
import tarfile

import pytest

from bundles import Bundle, bring_in, build_of, ended, export
from waiting import wait_until


@pytest.fixture(scope="module")
def archive(server, tmp_path_factory):
    path = tmp_path_factory.mktemp("archive") / "echo.tar.zst"
    export(server, "lab/echo", path)
    return path


@pytest.fixture(scope="module")
def whole(archive):
    return Bundle(archive)


@pytest.fixture
def bundle(whole):
    return copy.deepcopy(whole)


def state(server):
    api = server.api()
    models = [m["name"] for m in api.get("/models").json()["results"]]
    folders = [sorted(p.name for p in (server.data / name).iterdir()) for name in ("versions", "uploads", "venvs")]
    builds = sorted(p.name for p in (server.data / "builds").iterdir() if p.suffix != ".log")
    return sorted(models), folders, builds, api.get("/account").json()["stored_bytes"]


def cut(bundle, path):
    data = bundle.write(path).read_bytes()
    path.write_bytes(data[: len(data) // 2])


def flip(bundle, path):
    data = bytearray(bundle.write(path).read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def text(bundle, path):
    path.write_text("hello")


def source(bundle, path):
    path.write_bytes(b"")


def change(name):
    def spoil(bundle, path):
        bundle.find(name)[1] = bundle.find(name)[1][:-1] + b"#"
        bundle.write(path)

    return spoil


def longer(bundle, path):
    bundle.find("source/predict.py")[1] += b"import os\n"
    bundle.write(path)


def other_source(bundle, path):
    bundle.set("source/predict.py", bundle.find("source/predict.py")[1] + b"import os\n")
    bundle.write(path)


def edit(**fields):
    def spoil(bundle, path):
        bundle.manifest = bundle.manifest | fields
        bundle.write(path)

    return spoil


def swap(bundle, path):
    bundle.entries[1], bundle.entries[2] = bundle.entries[2], bundle.entries[1]
    bundle.write(path)


def leave_out(bundle, path):
    bundle.entries.pop()
    bundle.write(path)


def add(name, kind=tarfile.REGTYPE, target=""):
    def spoil(bundle, path):
        bundle.add(name, b"" if target else b"x", kind, target)
        bundle.write(path)

    return spoil


def link(bundle, path):
    info = bundle.find("source/predict.py")[0]
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    bundle.find("source/predict.py")[1] = b""
    bundle.write(path)


def name_outside(bundle, path):
    document = bundle.manifest
    document["files"][-1]["path"] = "source/../../up"
    bundle.entries[-1][0].name = "source/../../up"
    bundle.manifest = document
    bundle.write(path)


def huge(bundle, path):
    document = bundle.manifest
    document["files"][-1]["size"] = 1 << 45
    bundle.manifest = document
    bundle.write(path)


NONE = "this is not an archive of 'vend export'"
WRONG = {
    "cut off": (cut, "the archive is damaged at"),
    "one bit": (flip, ""),
    "a text": (text, NONE),
    "empty": (source, NONE),
    "changed file": (change("source/predict.py"), "'source/predict.py' has another checksum than its manifest says"),
    "longer file": (longer, "'source/predict.py' has more bytes than its manifest says"),
    "other source": (other_source, "the source is not the one that the id of the version is of"),
    "newer format": (edit(format=7), "the archive has the format 7, and this Vend reads formats up to 2"),
    "other id": (edit(version="0" * 64), "version: it is not the SHA-256 of 'content'"),
    "no wheels": (edit(wheels=[]), "is missing"),
    "no metrics": (
        edit(page={"examples": [{"input": {"text": "a"}, "output": "b", "metrics": "fast"}]}),
        "metrics are no object",
    ),
    "no version of cog": (edit(cog_version="1\x1b[2J"), "cog_version: expected a version of a package"),
    "another order": (swap, "in the place of"),
    "too few": (leave_out, "the archive ends before"),
    "too many": (add("source/more.py"), "the archive has more files than its manifest names"),
    "a link behind": (add("x", tarfile.SYMTYPE, "/etc/passwd"), "the archive has more files than its manifest names"),
    "a link": (link, "'source/predict.py' is a link or another kind of file than its manifest says"),
    "outside": (name_outside, "a part of the path is empty, '.' or '..'"),
    "a bomb": (huge, "(setting max-archive)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_archive_is_not_even_sent(server, bundle, tmp_path, case):
    spoil, why = WRONG[case]
    path = tmp_path / "spoiled.tar.zst"
    spoil(bundle, path)
    before = state(server)
    refused = server.cli("import", path, "lab/spoiled")
    assert refused.returncode == 2, refused.stderr
    assert why in refused.stderr and str(path) in refused.stderr, refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert state(server) == before


def test_the_server_looks_for_itself(server, whole, tmp_path):
    path = tmp_path / "spoiled.tar.zst"
    body = {"owner": "lab", "name": "target", "visibility": "private", "hardware": "cpu"}
    server.api().post("/models", body, 201)
    before = state(server)
    for case in ("cut off", "changed file", "other source", "too many", "a link", "outside", "a bomb"):
        spoil, why = WRONG[case]
        spoil(copy.deepcopy(whole), path)
        build = build_of(server, path, "target")
        assert build["status"] == "failed" and why in build["error"], build
        assert state(server) == before
    api = server.api()
    refused = api.post("/models/lab/target/builds", {"source_sha256": "0" * 64, "import": True}, 422)
    assert "upload: an import needs the uploaded archive" in refused.json()["detail"]


def test_packages_for_another_machine(server, bundle, tmp_path):
    path = tmp_path / "other.tar.zst"
    here = bundle.manifest["platform"]
    bundle.manifest = bundle.manifest | {"platform": "linux-riscv64 cpython-311-riscv64-linux-gnu glibc 2.36"}
    bundle.write(path)
    before = state(server)
    refused = server.cli("import", path, "lab/spoiled")
    words = here.split()
    assert refused.returncode == 1
    assert (
        "the packages of the archive are for linux-riscv64 cpython-311-riscv64-linux-gnu, and this machine has "
        f"{words[0]} {words[1]}" in refused.stderr
    ), refused.stderr
    # Not even the model that it made for the archive.
    assert state(server) == before


def test_only_owners_export_and_import(server, other, archive, tmp_path):
    version = server.api().get("/models/lab/echo").json()["latest_version"]["id"]
    refused = other.post(f"/models/lab/echo/versions/{version}/exports", expect=403)
    assert "belongs to another account" in refused.json()["detail"]
    token = server.api().post("/tokens", {"name": "reader", "scopes": ["read", "run"]}, 201).json()["token"]
    server.api(token).post(f"/models/lab/echo/versions/{version}/exports", expect=403)
    foreign = server.cli("import", archive, "lab/echo", env={"VEND_API_TOKEN": other.token})
    assert foreign.returncode != 0 and "belongs to another account" in foreign.stderr, foreign.stderr

    # Nor does a build of somebody else, or one that is no export, have an archive.
    made = server.api().post(f"/models/lab/echo/versions/{version}/exports", expect=201).json()
    other.get(f"/builds/{made['id']}/archive", 404)
    assert ended(server.api(), made)["status"] == "succeeded"
    other.get(f"/builds/{made['id']}/archive", 404)
    assert server.api().get(f"/builds/{made['id']}/archive").content[:4] == b"\x28\xb5\x2f\xfd"
    server.api().delete(f"/builds/{made['id']}/archive", 204)
    gone = server.api().get(f"/builds/{made['id']}/archive", 404)
    assert "Export the version again" in gone.json()["detail"]
    build = build_of(server, archive, "echo")
    assert build["status"] == "succeeded", build
    server.api().get(f"/builds/{build['id']}/archive", 404)


def test_a_file_that_is_there_stays(server, tmp_path):
    path = tmp_path / "there"
    path.write_text("mine")
    refused = server.cli("export", "lab/echo", path)
    assert refused.returncode == 2 and "--force replaces it" in refused.stderr
    assert path.read_text() == "mine"
    missing = server.cli("export", "lab/none", tmp_path / "new")
    assert missing.returncode == 1
    assert server.cli("export", "lab/echo", path, "--force").returncode == 0
    assert Bundle(path).manifest["model"] == "lab/echo"
    assert [p.name for p in tmp_path.iterdir()] == ["there"]


MOMENTS = ("==> Installing packages", "==> Reading the schema")


def test_killed_in_the_middle(servers, archive):
    """Nothing of the version is there until all is, and the import goes on after the start."""
    server = servers(empty=True)
    for number, moment in enumerate(MOMENTS):
        importing = server.popen("import", archive, f"lab/echo{number}")

        def reached():
            logs = [p.read_text(errors="replace") for p in (server.data / "builds").glob("*.log")]
            return any(moment in log and "==> Version" not in log for log in logs)

        wait_until(reached, 60, moment)
        server.kill()
        importing.kill()
        importing.communicate()
        server.start()
        api = server.api()
        done = wait_until(
            lambda: api.get(f"/models/lab/echo{number}").json()["latest_version"], 120, "the import to go on"
        )
        assert api.run(f"echo{number}", {"text": moment})["version"] == done["id"]
        wait_until(lambda: not list((server.data / "uploads").iterdir()), 60, "the upload to go")

    # An export goes on too.
    made = server.api().post(f"/models/lab/echo0/versions/{done['id']}/exports", expect=201).json()
    server.kill()
    server.start()
    assert ended(server.api(), made)["status"] == "succeeded"
    again = server.directory / "again.tar.zst"
    again.write_bytes(server.api().get(f"/builds/{made['id']}/archive").content)
    assert Bundle(again).manifest["version"] == done["id"]

    found = server.cli("doctor", "--audit", "--data", server.data)
    assert found.returncode == 0, found.stdout + found.stderr
    assert bring_in(server, archive, "lab/echo0") == f"lab/echo0:{done['id']}"
    assert json.loads(server.cli("versions", "lab/echo0", "--json").stdout)["results"][0]["id"] == done["id"]

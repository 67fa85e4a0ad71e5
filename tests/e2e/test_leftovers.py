"""Versions and environments that nothing uses go while the server runs."""

import os
import shutil
import signal

import processes
from servers import MODELS
from waiting import wait_until

SWEEP = {"VEND_TEST_FULL_SWEEP_US": "200000"}
# Older than what a build might use once more.
OLD = (1, 1)


def push(server, source, name, **options):
    pushed = server.cli("push", source, f"lab/{name}", **options)
    assert pushed.returncode == 0, pushed.stderr
    return server.api().get(f"/models/lab/{name}").json()["latest_version"]["id"]


def own_source(directory, commands=()):
    """Its commands make its environment another one than that of all other models."""
    source = directory / "source"
    shutil.copytree(MODELS / "echo", source)
    if commands:
        lines = "".join(f"    - {command}\n" for command in commands)
        text = (source / "cog.yaml").read_text()
        assert "build:\n" in text
        (source / "cog.yaml").write_text(text.replace("build:\n", f"build:\n  run:\n{lines}"))
    (source / "stamp").write_bytes(os.urandom(16))
    return source


def venvs(server):
    return {path.name for path in (server.data / "venvs").iterdir() if path.is_dir()}


def versions(server):
    return {path.name for path in (server.data / "versions").iterdir()}


def plant(server, name="f" * 64):
    """A folder without a version, which the next sweep takes."""
    path = server.data / "versions" / name
    path.mkdir()
    return path


def await_sweeps(server):
    """Two, since the first may have begun before."""
    for name in ("e" * 64, "f" * 64):
        path = plant(server, name)
        wait_until(lambda: not path.exists(), what="a sweep")


def test_a_deleted_version_goes_with_its_environment(servers, tmp_path):
    server = servers("--allow-build-run", env=SWEEP)
    api = server.api()
    before, kept = venvs(server), versions(server)
    version = push(server, own_source(tmp_path, ["true"]), "gone")
    (own,) = venvs(server) - before
    api.delete(f"/models/lab/gone/versions/{version}", 202)
    wait_until(lambda: version not in versions(server), what="the version to go")
    # Whoever pushes again soon finds it.
    await_sweeps(server)
    assert own in venvs(server)
    os.utime(server.data / "venvs" / f"{own}.lock", OLD)
    wait_until(lambda: own not in venvs(server), what="the environment to go")
    wait_until(lambda: venvs(server) == before and versions(server) == kept, what="all to go")
    assert api.run("echo", {"text": "still"})["output"] == "still"


def test_an_instance_keeps_what_it_runs(servers, tmp_path):
    """Its director stands still, so that it cannot be stopped at once."""
    server = servers("--lease", "1h", env=SWEEP)
    api = server.api()
    version = push(server, own_source(tmp_path), "gone")
    assert api.run("gone", {"text": "on"})["output"] == "on"
    (director,) = processes.directors(server.data)
    os.kill(director, signal.SIGSTOP)
    api.delete(f"/models/lab/gone/versions/{version}", 202)
    await_sweeps(server)
    assert version in versions(server)
    os.kill(director, signal.SIGCONT)
    wait_until(lambda: version not in versions(server), what="the version to go")


def test_a_build_keeps_what_it_has_so_far(servers, tmp_path):
    """It is at its commands, after its environment was made, and no row names anything of it."""
    server = servers("--allow-build-run", env=SWEEP)
    before = venvs(server)
    go = tmp_path / "go"
    wait = f"touch {tmp_path}/here; until [ -e {go} ]; do sleep 0.05; done"
    source = own_source(tmp_path, [wait])
    pushing = server.popen("push", source, "lab/slow")
    wait_until((tmp_path / "here").exists, what="the command")
    (own,) = venvs(server) - before
    os.utime(server.data / "venvs" / f"{own}.lock", OLD)
    garbage = plant(server)
    assert any(name.startswith(".") for name in versions(server))
    go.touch()
    _, said = pushing.communicate(timeout=120)
    assert pushing.returncode == 0, said
    wait_until(lambda: not garbage.exists(), what="a sweep")
    assert own in venvs(server)
    api = server.api()
    assert api.run("slow", {"text": "built"})["output"] == "built"
    assert not [name for name in versions(server) if name.startswith(".")]

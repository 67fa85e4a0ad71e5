"""Who else on the machine may read what: modes of files, environments and arguments of processes."""

import os
import pathlib
import signal
import stat
import subprocess

import processes
import pytest
from waiting import wait_until

# Many files, or none that are secret; the folders themselves are closed.
SHARED = ("versions", "venvs", "cache", "blobs", "zygotes")


def open_to_others(data):
    """Everything below `data` that group or others have a right to, but for shared trees."""
    found = []
    for path in [data, *data.rglob("*")]:
        parts = path.relative_to(data).parts
        if path.is_symlink() or (len(parts) > 1 and parts[0] in SHARED) or len(parts) > 3:
            continue
        if stat.S_IMODE(path.lstat().st_mode) & 0o077:
            found.append(str(path.relative_to(data)))
    return found


def open_up(data):
    data.chmod(0o755)
    for name in ("instances/old", "tls", "blobs"):
        (data / name).mkdir(parents=True, exist_ok=True)
    for name in ("cli.json", "capability.key", "tls/key.pem", "instances/old/spec.json"):
        path = data / name
        if not path.exists():
            path.write_text("{}" if path.suffix == ".json" else "")
    (data / "capability.key").write_text("0" * 64 + "\n")
    for path in data.rglob("*"):
        if path.relative_to(data).parts[0] not in ("venvs", "cache") and not path.is_symlink():
            path.chmod(path.stat().st_mode | 0o055)


def test_a_data_directory_that_was_open_is_closed_to_others(servers):
    server = servers(start=False)
    open_up(server.data)
    before = os.umask(0o022)
    try:
        api = server.start().api()
    finally:
        os.umask(before)
    assert not open_to_others(server.data)
    assert any("removed the access of other users" in record.get("message", "") for record in server.log())
    api.run("image", {"image": "data:text/plain,x"})
    made = api.create("types", {"text": "ab", "count": 1, "key": "a-very-secret-key"})
    api.ended(made)
    wait_until(server.instance_dirs)
    assert not open_to_others(server.data)
    made = api.create("echo", {"text": "x", "delay": 2})
    api.reaches(made, "processing")
    server.signal(signal.SIGSTOP)
    try:
        files = wait_until(lambda: list(server.data.glob("instances/*/journal/*.json")), what="a journal")
        files += server.data.glob("instances/*/spec.json")
        for path in (*files, *(path.parent for path in files)):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    finally:
        server.signal(signal.SIGCONT)
    api.ended(made)
    # Told once: the second start finds nothing to close.
    server.restart()
    assert not any("removed the access of other users" in record.get("message", "") for record in server.log())


def spaces(pid):
    with open(f"/proc/{pid}/environ", "rb") as environ, open(f"/proc/{pid}/cmdline", "rb") as line:
        return environ.read() + line.read()


def test_tokens_are_in_no_environment_and_no_arguments(servers):
    client_token = "r8_a_token_of_another_server_0123"
    server = servers(start=False)
    server.env["REPLICATE_API_TOKEN"] = client_token
    server.start().api().run("echo", {"text": "warm"})
    everyone = processes.of_data_dir(server.data)
    assert server.pid() in everyone and processes.directors(server.data)
    assert processes.models(server.data)
    for pid, argv in everyone.items():
        text = spaces(pid)
        assert server.token.encode() not in text, argv
        assert client_token.encode() not in text, argv


def test_the_token_flag_is_not_shown_to_other_users(server):
    running = server.api().create("echo", {"text": "x", "delay": 600})
    try:
        for words in (["--token", server.token], [f"--token={server.token}"]):
            env = {**server._client_env(None), "VEND_API_TOKEN": ""}
            client = subprocess.Popen(
                [server.binary, "logs", "-f", running["id"], *words], env=env, cwd=server.directory
            )
            try:
                line = pathlib.Path(f"/proc/{client.pid}/cmdline")
                wait_until(lambda: b"*" * 8 in line.read_bytes())
                assert server.token.encode() not in line.read_bytes()
                assert client.poll() is None
            finally:
                client.send_signal(signal.SIGKILL)
                client.wait()
    finally:
        server.api().cancel(running)


def test_a_wrong_bootstrap_is_told_before_anything_is_made(servers):
    server = servers(empty=True, start=False)
    for changes, word in (
        ({"VEND_BOOTSTRAP_TOKEN": "short"}, "VEND_BOOTSTRAP_TOKEN"),
        ({"VEND_BOOTSTRAP_ACCOUNT": "no such name!"}, "VEND_BOOTSTRAP_ACCOUNT"),
        ({"VEND_BOOTSTRAP_TOKEN": None}, "expected both or neither"),
    ):
        before = dict(server.env)
        server.env.update(changes)
        server.env = {name: value for name, value in server.env.items() if value is not None}
        server.spawn()
        assert server.wait() == 2
        text = server.log_path.read_text()
        assert word in text and "listening" not in text
        assert not server.data.exists()
        server.env = before


def local(server, *words, **env):
    return server.cli(
        "tokens", "create", "spare", "--local", *words, env={"VEND_API_TOKEN": "", **env}
    )


def test_a_lost_admin_token_is_replaced_on_the_host(servers):
    server = servers()
    for token in server.api().get("/tokens").json()["results"]:
        server.api().delete(f"/tokens/{token['id']}")
    server.api().get("/account", 401)
    made = local(server, "--data", server.data)
    assert made.returncode == 0, made.stderr
    api = server.api(made.stdout.strip())
    assert api.get("/account").json()["username"] == "lab"
    api.get("//-/debug")
    # Without a server too, for one account and fewer scopes.
    api.post("/accounts", {"username": "crew"}, 201)
    assert server.stop() == 0
    words = ("--account", "crew", "--scopes", "read")
    made = local(server, *words, VEND_DATA=str(server.data))
    assert made.returncode == 0, made.stderr
    server.start()
    reader = server.api(made.stdout.strip())
    assert reader.get("/account").json()["username"] == "crew"
    reader.get("//-/debug", 403)


def test_a_local_token_needs_the_data_directory(servers, tmp_path):
    server = servers()
    absent = local(server, "--data", tmp_path / "absent")
    assert absent.returncode == 2 and "absent" in absent.stderr
    (tmp_path / "empty").mkdir()
    empty = local(server, "--data", tmp_path / "empty")
    assert empty.returncode == 1 and "there is no database" in empty.stderr
    assert list((tmp_path / "empty").iterdir()) == []
    stranger = local(server, "--data", server.data, "--account", "nobody-here")
    assert stranger.returncode == 1 and "account" in stranger.stderr
    assert local(server, "--data", server.data, "--scopes", "all").returncode == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_a_local_token_is_refused_to_other_users(servers):
    server = servers()
    for folder in [server.directory, *server.directory.parents][:3]:
        folder.chmod(0o755)
    made = subprocess.run(
        [server.binary, "tokens", "create", "x", "--local", "--data", server.data],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True,
        text=True,
        user=65534,
        cwd="/",
    )
    assert made.returncode == 1, made.stderr
    assert "may not write the data directory" in made.stderr

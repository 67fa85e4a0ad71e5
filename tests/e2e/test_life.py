"""The server itself: restart, stop, a second one, and what it says."""

import contextlib
import json
import os
import signal
import stat
import threading

import pytest
import requests

import processes
from fast_starts import await_zygote
from shared_file import SharedFile
from waiting import wait_until


def test_a_restart_keeps_everything(servers):
    server = servers()
    api = server.api()
    ran = api.run("image", {"image": "data:text/plain,kept"})
    file = api.upload(b"kept", "kept.txt")
    made = api.post("/tokens", {"name": "kept", "scopes": ["read"]}, 201).json()
    models = api.get("/models").json()["results"]
    path = ran["output"].removeprefix(server.url)
    server.restart()
    api = server.api()
    after = api.prediction(ran)
    assert after["status"] == "succeeded" and after["completed_at"] == ran["completed_at"]
    assert api.session.get(server.url + path, timeout=60).content == b"KEPT"
    assert api.get(f"/files/{file['id']}").json()["etag"] == file["etag"]
    server.api(made["token"]).get("/account")
    assert [m["name"] for m in api.get("/models").json()["results"]] == [m["name"] for m in models]
    assert api.run("echo", {"text": "again"})["output"] == "again"


def test_a_second_server_is_refused(servers, binary):
    server = servers()
    words = ["serve", "--data", server.data, "--listen", "127.0.0.1:0"]
    second = server.cli(*words)
    assert second.returncode == 1
    assert f"another server uses the data directory '{server.data}'" in second.stderr
    assert server.api().run("echo", {"text": "still"})["output"] == "still"


def test_a_taken_port_is_said(servers):
    server = servers()
    port = server.url.rpartition(":")[2]
    second = server.cli(
        "serve", "--data", server.directory / "b", "--listen", f"127.0.0.1:{port}"
    )
    assert second.returncode in (1, 2) and port in second.stderr


@pytest.mark.parametrize(
    "words,told",
    [
        (["--nothing", "5"], "nothing"),
        (["--max-body", "lots"], "max-body"),
        (["--http-threads", "1"], "http-threads"),
        (["--retention", "soon"], "retention"),
        (["--listen", "nonsense"], "listen"),
        (["--trusted-proxies", "everybody"], "everybody"),
        (["--tls-cert", "/x"], "tls-key"),
        (["surplus"], "surplus"),
        (["--log-format", "xml"], "log-format"),
    ],
)
def test_wrong_settings_exit_2(binary, tmp_path, words, told):
    import subprocess

    ran = subprocess.run(
        [binary, "serve", "--data", tmp_path / "d", "--listen", "127.0.0.1:0", *words],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 2, ran.stderr
    assert told in ran.stderr


def test_sigterm_drains(servers):
    """Runs in flight end, are shown and can be canceled meanwhile; new ones are refused."""
    server = servers()
    api = server.api()
    api.run("echo", {"text": "warm"})
    results = []

    def hold():
        client = server.api()
        results.append(client.create("echo", {"text": "held", "delay": 2}, prefer="wait"))

    thread = threading.Thread(target=hold)
    thread.start()
    wait_until(lambda: api.debug()["live"] == 1)
    other = api.create("echo", {"text": "canceled", "delay": 60})
    api.reaches(other, "processing")
    server.signal(signal.SIGTERM)
    wait_until(lambda: api.get("//-/readyz", expect=None).status_code == 503)
    assert api.get(f"/predictions/{other['id']}", 200).json()["status"] == "processing"
    refused = api.create("echo", {"text": "late"}, expect=503)
    assert "shutting down" in refused["detail"]
    api.post(f"/predictions/{other['id']}/cancel", None, 200)
    assert server.wait() == 0
    thread.join(30)
    assert results and results[0]["status"] == "succeeded" and results[0]["output"] == "held"
    assert processes.of_data_dir(server.directory) == {}
    assert server.instance_dirs() == []


def test_sigterm_keeps_the_queue(servers):
    server = servers("--drain-timeout", "1s", "--max-instances", "1")
    api = server.api()
    running = api.create("echo", {"text": "running", "delay": 4})
    api.reaches(running, "processing")
    waiting = api.create("echo", {"text": "waiting"})
    assert server.stop() == 0
    server.start()
    api = server.api()
    assert api.ended(running)["output"] == "running"
    assert api.ended(waiting)["output"] == "waiting"


def test_a_second_signal_exits_at_once(servers):
    server = servers("--drain-timeout", "600s")
    api = server.api()
    running = api.create("echo", {"text": "kept", "delay": 3})
    api.reaches(running, "processing")
    server.signal(signal.SIGTERM)
    wait_until(lambda: any("second signal" in r["message"] for r in server.log()))
    assert server.process.poll() is None
    server.signal(signal.SIGTERM)
    assert server.wait(10) == 1
    server.start()
    ended = server.api().ended(running)
    assert ended["status"] == "succeeded" and ended["output"] == "kept"


def test_result_that_came_while_the_server_was_away(servers):
    server = servers()
    api = server.api()
    record = SharedFile(server)
    made = api.create("echo", {"text": "away", "delay": 1, "record": str(record)})
    api.reaches(made, "processing")
    server.kill()
    journal = server.data / "instances"
    wait_until(lambda: list(journal.glob("*/journal/*.json")), what="the journal")
    server.start()
    ended = server.api().ended(made)
    assert ended["status"] == "succeeded" and ended["output"] == "away"
    assert len(record.lines()) == 1


def test_bootstrap(servers):
    server = servers(empty=True, start=False)
    del server.env["VEND_BOOTSTRAP_ACCOUNT"], server.env["VEND_BOOTSTRAP_TOKEN"]
    server.spawn()
    wait_until(server._listening)
    path = server.data / "cli.json"
    wait_until(path.exists)
    client = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(server.data.stat().st_mode) & 0o077 == 0
    server.url, server.token = client["url"], client["token"]
    assert server.api().get("/account").json()["username"] == "admin"
    text = server.log_path.read_text()
    assert text.count(client["token"]) >= 1  # shown once, on stderr
    assert server.stop() == 0
    server.start()
    assert client["token"] not in server.log_path.read_text()
    assert server.api().get("/account").json()["username"] == "admin"
    # In the database there are hashes only.
    database = b"".join(p.read_bytes() for p in server.data.glob("vend.db*"))
    assert client["token"].encode() not in database


def test_secrets_are_not_in_the_log(servers):
    server = servers("--log-level", "debug")
    api = server.api()
    api.run("types", {"text": "ab", "count": 1, "key": "a-very-secret-key"})
    assert server.stop() == 0
    text = server.log_path.read_text()
    assert "a-very-secret-key" not in text and server.token not in text


def test_config_file(servers):
    server = servers(start=False)
    (server.data / "vend.conf").write_text("# limits\nmax-body = 2K\n")
    api = server.start().api()
    api.post("/models/lab/echo/predictions", {"input": {"text": "x" * 3000}}, 413)
    assert server.stop() == 0
    (server.data / "vend.conf").write_text("max-boddy = 2K\n")
    server.spawn()
    assert server.wait() == 2
    assert "max-boddy" in server.log_path.read_text()


def test_descriptors_do_not_leak(server):
    api = server.api()
    api.run("echo", {"text": "warm"})

    def count():
        return len(os.listdir(f"/proc/{server.pid()}/fd"))

    for _ in range(3):
        server.api().run("image", {"image": "data:text/plain,x"})
    await_zygote(api)  # which the server holds descriptors for
    before = count()
    for _ in range(20):
        client = server.api()
        client.run("image", {"image": "data:text/plain,x"})
        client.session.close()
    wait_until(lambda: count() <= before + 4, what=f"descriptors to go back to {before}")


def test_a_start_that_fails_keeps_what_it_found(servers):
    """It takes up what a dead director left while it comes apart already."""
    server, other = servers(), servers()
    api = server.api()
    made = api.create("echo", {"text": "left", "delay": 1})
    api.reaches(made, "processing")
    server.kill()
    journal = server.data / "instances"
    wait_until(lambda: list(journal.glob("*/journal/*.json")), what="the journal")
    for pid in processes.directors(server.data):
        processes.kill(pid)
    failed = server.cli("serve", "--data", server.data, "--listen", other.url.rpartition("/")[2])
    assert failed.returncode == 1 and "ddress already in use" in failed.stderr, failed.stderr
    assert "Sanitizer" not in failed.stderr, failed.stderr
    server.start()
    assert server.api().ended(made)["output"] == "left"


def test_a_start_that_fails_lets_nobody_wait(servers):
    """Somebody asks before it has written down where it listens, which it cannot."""
    server = servers()
    api = server.api()
    server.kill()
    record = server.data / "cli.json"
    record.unlink()
    record.mkdir()
    address = server.url.rpartition("/")[2]
    over = threading.Event()

    def ask():
        while not over.is_set():
            with contextlib.suppress(requests.ConnectionError):
                requests.post(
                    f"{server.url}/v1/models/lab/echo/predictions",
                    json={"input": {}},
                    headers={"Authorization": f"Bearer {api.token}"},
                    timeout=60,
                )

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        for _ in range(3):
            server.spawn("--listen", address)
            assert server.wait() == 1
            assert "cli.json" in server.log_path.read_text()
    finally:
        server.kill()
        over.set()
        for client in clients:
            client.join()
    record.rmdir()
    server.start()
    assert server.api().run("echo", {"text": "on"})["output"] == "on"


def test_a_start_on_a_full_disk_needs_no_new_client_file(servers):
    server = servers()
    record = server.data / "cli.json"
    server.stop()
    before = record.stat()
    server.start("--listen", server.url.rpartition("/")[2])
    after = record.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

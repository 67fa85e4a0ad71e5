"""Peers that accept a connection and say nothing, or not enough: everything that waits for one has an end."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys

import processes
import pytest
from shared_file import SharedFile
from waiting import wait_until

FAKE = pathlib.Path(__file__).resolve().parents[1] / "fakes" / "director.py"
WAYS = ["silent", "half-open", "greets", "hangs-up"]


def lease_of_3_s(servers, *flags):
    return servers("--lease", "3s", *flags)


def test_a_director_that_stopped_before_a_restart_holds_nobody_up(servers):
    """The kernel takes the connection for it; the hello never comes."""
    server = lease_of_3_s(servers)
    api = server.api()
    record = SharedFile(server)
    made = api.create("echo", {"text": "again", "delay": 4, "record": str(record)})
    wait_until(record.lines)
    old = set(processes.directors(server.data)) | set(processes.models(server.data))
    for pid in processes.directors(server.data):
        processes.kill(pid, signal.SIGSTOP)
    server.kill()
    server.start()
    api = server.api()
    assert api.run("faulty", {"mode": "ok"})["output"] == "ok"
    ended = api.ended(made)
    assert ended["status"] == "succeeded" and ended["output"] == "again", ended
    wait_until(lambda: not old & set(processes.of_data_dir(server.data)), what="the old processes to end")


@pytest.mark.parametrize("how", WAYS)
def test_a_restart_goes_on_past_a_director_that_keeps_it_waiting(servers, how):
    server = lease_of_3_s(servers)
    made = server.api().create("echo", {"text": "again", "delay": 4})
    server.api().reaches(made, "processing")
    server.kill()
    for pid in processes.directors(server.data):
        processes.kill(pid)
    (name,) = server.instance_dirs()
    folder = server.data / "instances" / name
    wait_until(lambda: not processes.models(server.data), what="the model to die with its director")
    fake = subprocess.Popen([sys.executable, FAKE, "--dir", folder, how])
    try:
        wait_until(lambda: f"{fake.pid} " in (folder / "director.pid").read_text(), what="the fake to listen")
        server.start()
        assert server.api().run("faulty", {"mode": "ok"})["output"] == "ok"
        ended = server.api().ended(made)
        assert ended["status"] == "succeeded" and ended["output"] == "again", ended
        assert fake.wait(30) == -signal.SIGKILL
    finally:
        fake.kill()
        fake.wait()


@pytest.mark.parametrize("how", WAYS)
def test_a_new_director_that_keeps_the_server_waiting_gives_its_place_back(binary, servers, tmp_path, how):
    """With one unit of hardware, and one boot at a time."""
    own = tmp_path / "vend"
    shutil.copy(binary, own)
    server = lease_of_3_s(servers, "--hardware-units", "1", "--boot-limit", "1", "--setup-timeout", "3s")
    server.stop()
    server.binary = str(own)
    server.env["VEND_FAKE_DIRECTOR"] = how
    server.start()
    os.replace(shutil.copy(FAKE, tmp_path / "fake"), own)
    api = server.api()
    made = api.create("echo", {"text": "at last"})
    wait_until(lambda: len(server.instance_dirs()) == 1, what="the first instance")
    (first,) = server.instance_dirs()
    pid_file = server.data / "instances" / first / "director.pid"
    wait_until(pid_file.exists, what="its director")
    os.replace(shutil.copy(binary, tmp_path / "real"), own)
    ended = api.ended(made)
    assert ended["status"] == "succeeded" and ended["output"] == "at last", ended
    story = api.get(f"/predictions/{made['id']}/explanation").json()["entries"]
    assert any("its director does not answer" in entry["sentence"] for entry in story), story
    wait_until(lambda: first not in server.instance_dirs(), what="its directory to go")


def test_an_idle_director_that_stands_still_does_not_outlive_the_server(servers):
    server = servers("--drain-timeout", "1s")
    assert server.api().run("echo", {"text": "done"})["output"] == "done"
    for pid in [*processes.directors(server.data), *processes.models(server.data)]:
        processes.kill(pid, signal.SIGSTOP)
    assert server.stop() == 0
    assert not processes.of_data_dir(server.data)
    server.start()
    wait_until(lambda: server.instance_dirs() == [], what="what is left of it to go")


def test_a_run_whose_director_stands_still_outlives_the_server(servers):
    server = servers("--drain-timeout", "1s")
    record = SharedFile(server)
    made = server.api().create("echo", {"text": "once", "delay": 3, "record": str(record)})
    wait_until(record.lines)
    directors = processes.directors(server.data)
    for pid in directors:
        processes.kill(pid, signal.SIGSTOP)
    assert server.stop() == 0
    assert processes.directors(server.data) == directors
    for pid in directors:
        processes.kill(pid, signal.SIGCONT)
    server.start()
    ended = server.api().ended(made)
    assert ended["status"] == "succeeded" and ended["output"] == "once", ended
    assert len(record.lines()) == 1

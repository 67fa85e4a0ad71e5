"""What a model of somebody else may try: refused in a sandbox; most of it works without one."""

import os
import pathlib
import signal

import probes
import pytest
from waiting import wait_until

# Without a sandbox root may do all of this; a user without its rights less. Some need what the
# machine may lack: a disk's node, /dev/mem, control groups that can be written, own keyrings.
WORKS_WITHOUT = {
    "read_database", "write_database", "read_token", "list_data", "read_own_spec", "read_other_instance",
    "write_own_journal", "read_own_director_log", "write_environment", "read_director_environment",
    "read_director_files", "go_to_directors_root", "signal_director", "signal_server", "see_other_processes",
    "connect_to_director", "connect_to_server", "connect_to_listener", "connect_to_abstract",
    "netlink_socket", "read_server_environment", "see_zygote",
}  # fmt: skip
# They are about what is left behind or may be had, and have tests of their own.
LATER = {
    "leave_a_daemon", "ignore_the_end", "fetch_what_is_allowed", "find_what_others_keep", "keep_for_later", "fill_home",
    "fill_shared_memory",
}  # fmt: skip
ALL = sorted(probes.PROBES.keys() - LATER)


def test_there_are_enough():
    assert len(ALL) >= 60


def test_a_sandbox_refuses_all(sandboxed):
    results = sandboxed.run(*ALL, hints=sandboxed.hints())
    assert results.keys() == set(ALL)
    assert {name: said for name, (result, said) in results.items() if result != "refused"} == {}


# What an image finds at these paths is its own copy of its root, or a process of its own.
OF_THE_IMAGE = {"hard_link_out", "read_parents_environment", "write_etc", "write_system"}


def test_a_sandbox_refuses_all_to_an_image(as_image):
    results = as_image.run(*ALL, hints=as_image.hints())
    assert {name for name, (result, _) in results.items() if result != "refused"} <= OF_THE_IMAGE
    roots = list((as_image.server.data / "images").glob("*/src"))
    assert roots
    for root in [pathlib.Path("/"), *roots]:
        assert not (root / "etc/planted").exists() and not (root / "usr/planted").exists()


def test_they_are_no_straw_men(free):
    """The same probes reach what they are about where nothing stands in their way."""
    results = free.run(*sorted(WORKS_WITHOUT), hints=free.hints())
    assert {name: said for name, (result, said) in results.items() if result != "reached"} == {}
    # They have only looked: the server goes on.
    assert free.api.run("echo", {"text": "on"})["output"] == "on"


def test_the_decision_says_so(sandboxed):
    ready = [one for one in sandboxed.api.get("/decisions").json()["results"] if one["kind"] == "ready"]
    assert ready and {one["inputs"]["isolation"] for one in ready} == {"sandbox"}
    assert {one["inputs"]["isolation_reason"] for one in ready} == {None}


def named(name):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and name.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_stays(sandboxed, number):
    """However its director ends."""
    sandboxed.run("see_other_processes")  # an instance is there
    name = f"{sandboxed.name}-{int(number)}"
    director = sandboxed.hints()["director"]
    got = sandboxed.run("leave_a_daemon", "ignore_the_end", hints={**sandboxed.hints(), "name": name})
    assert got["leave_a_daemon"][0] == "reached"
    wait_until(lambda: named(name), what="the daemon")
    os.kill(director, number)
    wait_until(lambda: not named(name), what="the end of the daemon")


# ---- Machines without bubblewrap


def without_bubblewrap(servers, setting):
    server = servers("--isolation", setting, env={"PATH": "/nowhere"})
    said = next(r for r in server.log() if "by" in r and ("isolation of models" in r["message"] or "required" in r["message"]))
    return server.api(), said


def test_nothing_starts_that_is_weaker_than_required(servers):
    api, said = without_bubblewrap(servers, "required")
    assert said["level"] == "error" and "bubblewrap is not installed" in said["by"]
    done = api.run("echo", {"text": "x"})
    assert done["status"] == "failed"
    assert "the setting isolation is 'required', and this machine makes no sandbox" in done["error"]
    assert "bubblewrap is not installed" in done["error"]


def test_what_is_weaker_is_said(servers):
    api, said = without_bubblewrap(servers, "auto")
    assert said["level"] == "warn" and "bubblewrap is not installed" in said["by"]
    if "Landlock and a filter" not in said["by"]:
        pytest.skip(f"no Landlock here: {said['by']}")
    assert api.run("echo", {"text": "x"})["output"] == "x"
    (ready,) = [one for one in api.get("/decisions").json()["results"] if one["kind"] == "ready"]
    assert ready["inputs"]["isolation"] == "landlock"
    assert "bubblewrap is not installed" in ready["inputs"]["isolation_reason"]


def test_settings_that_make_no_sense(servers):
    for flags, words in (
        (("--isolation", "on"), "isolation: 'on' is none of auto, required or off"),
        (("--network", "bridge"), "network: 'bridge' is none of outbound, none or host"),
        (("--max-network", "all"), "max-network: 'all' is none of outbound, none or host"),
        (("--max-network", "none"), "max-network: 'none' is narrower than network, which is 'outbound'; narrow that too"),
        (("--network-allow", "10.0.0.0/99"), "network-allow"),
    ):
        server = servers(*flags, start=False)
        server.spawn()
        assert server.wait() == 2
        assert words in server.log_path.read_text()

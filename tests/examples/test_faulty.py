"""Each way to fail is told as what it is, and the model is there for the next one."""

import shutil

import pytest

import processes
from shelf import EXAMPLES
from waiting import wait_until

ERRORS = {
    "raise": "ValueError: my reason",
    "recursion": "RecursionError: maximum recursion depth exceeded",
    "exit": "SystemExit: my reason",
    "no-output": "returned nothing",
    "missing-file": "No such file or directory",
    "folder": "Is a directory",
}
CRASHES = {
    "exit-at-once": "exited with status 3",
    "segfault": "signal 11",
    "abort": "signal 6",
    "killed": "signal 9",
}


@pytest.mark.parametrize("how", sorted(ERRORS))
def test_an_error_is_told(shelf, how):
    assert ERRORS[how] in shelf.error("faulty", how=how, message="my reason")
    assert shelf.output("faulty", how="nothing", message="still here") == "still here"


@pytest.mark.parametrize("how", sorted(CRASHES))
def test_a_crash_is_told(shelf, how):
    assert CRASHES[how] in shelf.error("faulty", how=how)


def test_the_model_comes_back_after_a_crash(shelf):
    shelf.error("faulty", how="segfault")
    assert shelf.output("faulty", how="nothing", message="still here") == "still here"


def test_much_is_taken(shelf):
    ended = shelf.run("faulty", how="print-much", mib=2)
    assert ended["status"] == "succeeded" and "about to do" not in ended["logs"][-1000:]
    assert len(shelf.output("faulty", how="large-text", mib=2)) > 2_000_000
    assert len(shelf.file("faulty", how="large-file", mib=3)) == 3 << 20


def test_any_bytes_are_taken(shelf):
    ended = shelf.run("faulty", how="print-binary")
    # What goes past Python's own output, straight to the descriptor, may come after the end of the run.
    assert ended["status"] == "succeeded" and "red: \033[31mred" in ended["logs"]
    assert shelf.file("faulty", how="broken-picture", message="junk") == b"\x89PNG\r\n\x1a\njunk"


def test_a_sleeper_is_canceled(shelf):
    made = shelf.create("faulty", how="sleep")
    shelf.api.reaches(made, "processing")
    shelf.api.cancel(made)
    assert shelf.api.ended(made)["status"] == "canceled"


def test_a_setup_that_fails_is_told(shelf, tmp_path):
    folder = tmp_path / "faulty"
    shutil.copytree(EXAMPLES / "faulty", folder)
    settings = (folder / "cog.yaml").read_text()
    assert "FAULTY_SETUP_ERROR=\n" in settings
    (folder / "cog.yaml").write_text(settings.replace("FAULTY_SETUP_ERROR=", "FAULTY_SETUP_ERROR=no luck today"))
    shelf.push("faulty-setup", folder)
    made = shelf.create("faulty-setup")
    assert "no luck today" in shelf.api.ended(made, 120)["error"]


def test_children_that_were_left_are_ended(shelf):
    assert shelf.output("faulty", how="leave-children", message="three") == "three"
    # A run keeps the instance meanwhile.
    made = shelf.create("faulty", how="sleep")
    shelf.api.reaches(made, "processing")
    assert len(sleepers(shelf)) == 3
    shelf.api.cancel(made)
    wait_until(lambda: not sleepers(shelf), what="the children to end with their instance")


def sleepers(shelf):
    return [argv for argv in processes.of_data_dir(shelf.server.data).values() if argv[:1] == ["sleep"]]

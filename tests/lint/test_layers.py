"""A folder of src includes only folders below it; a library has one folder that includes it."""

import re

import pytest
from sources import list_files, read, show

# From the bottom to the top. Folders of one step do not know each other.
STEPS = [
    ["base"],
    ["json", "policy"],
    ["model"],
    ["cgroup", "workspace", "sandbox", "store", "net", "httpd"],
    ["auth", "files", "meter", "events", "cog", "egress", "runner", "secrets", "hardware", "zygote"],
    ["weights", "openai", "registry", "machines"],
    ["image"],
    ["director", "sched", "build", "audit", "backup", "move"],
    ["api", "web"],
    ["mcp"],
    ["cli"],
    ["main.c"],
]
STEP = {folder: step for step, folders in enumerate(STEPS) for folder in folders}

LIBRARIES = {
    "microhttpd.h": {"httpd"},
    "sqlite3.h": {"store"},
    "libpq-fe.h": {"store"},
    "archive.h": {"build", "image"},
    "libfyaml.h": {"build"},
}
# The folder of pure decisions: what it may include, and calls that read or change the world.
PURE = {"base/clock.h", "base/error.h"}
PURE_SYSTEM = {"glib.h", "math.h", "stdbool.h", "stdint.h", "stdlib.h", "string.h"}
IMPURE = re.compile(
    r"\b(vend_(now|steady|wall)_\w+|g_(get|set|file|dir|thread|random|timeout|idle|print|log|unix|usleep|"
    r"date_time_new_now)\w*|g_rand_new|fopen|open|read|write|printf|getenv|rand|random|time|clock\w*) \("
)
# What a folder shows to those above it.
RUNNER = {"runner/runner.h", "runner/link.h", "runner/frame.h"}
DOORS = {
    ("api", "sched"): {"sched/sched.h"},
    # Who runs instances, and how, is known there and to the director itself.
    ("sched", "runner"): RUNNER,
    ("weights", "runner"): RUNNER,
    ("build", "runner"): RUNNER,
    ("audit", "runner"): RUNNER,
    ("api", "runner"): RUNNER,
    ("cli", "runner"): {"runner/runner-process.h"},
    ("cli", "machines"): {"machines/machines.h", "machines/agent.h"},
    ("sched", "machines"): {"machines/machines.h"},
    ("api", "machines"): {"machines/machines.h"},
}
# Snapshots and other servers are no instances, and processes of this machine.
DOORLESS = {
    ("src/sched/instance/snapshots.c", "runner/process-identity.h"),
    ("src/cli/commands/serve-holder.c", "runner/process-identity.h"),
}

QUOTED = re.compile(r'^#\s*include "([^"]+)"', re.MULTILINE)
BRACKETED = re.compile(r"^#\s*include <([^>]+)>", re.MULTILINE)
SOURCES = list_files(".c", ".h", under="src")


def folder_of(name):
    return name.parts[1]


def find_fault(own, included):
    other = included.split("/")[0]
    if "/" not in included:
        return "is not named from src/"
    if other != own and STEP[other] >= STEP[own]:
        return f"{other} is not below {own}"
    if other != own and included.endswith("-private.h"):
        return f"private to {other}"
    if included not in DOORS.get((own, other), {included}):
        return f"{own} knows only {', '.join(sorted(DOORS[own, other]))}"
    return None


def test_every_folder_has_a_step():
    assert {folder_of(name) for name in SOURCES} <= set(STEP)


def test_includes_go_downwards():
    faults = []
    for name in SOURCES:
        own = folder_of(name)
        for included in QUOTED.findall(read(name)):
            # Made by the store's own generator, next to it in the build folder.
            if included == "sql.h" and own == "store":
                continue
            fault = find_fault(own, included)
            if fault and (str(name), included) not in DOORLESS:
                faults.append(f'{name}: "{included}": {fault}')
    assert not faults, show(faults)


def test_policy_is_pure():
    faults = []
    for name in list_files(".c", ".h", under="src/policy"):
        text = read(name)
        foreign = {i for i in QUOTED.findall(text) if not i.startswith("policy/")} - PURE
        foreign |= set(BRACKETED.findall(text)) - PURE_SYSTEM
        faults += [f"{name}: includes {header}" for header in sorted(foreign)]
        faults += [f"{name}: calls {call[0]}" for call in IMPURE.findall(text)]
    assert not faults, show(faults)


@pytest.mark.parametrize("header", sorted(LIBRARIES))
def test_library_has_one_folder(header):
    users = {folder_of(name) for name in SOURCES if header in BRACKETED.findall(read(name))}
    assert users <= LIBRARIES[header]


def test_source_includes_its_own_header_first():
    faults = []
    for name in SOURCES:
        own = "/".join(name.with_suffix(".h").parts[1:])
        included = QUOTED.findall(read(name))
        if name.suffix == ".c" and own in included and included[0] != own:
            faults.append(f"{name}: {included[0]} stands before {own}")
    assert not faults, show(faults)

"""Control groups of a model: memory that runs out during setup, in a run, and without a group."""

import os
from pathlib import Path

import pytest

from director_client import new_id, wait_until, write_model

MIB = 1 << 20
LIMIT_MIB = 300
INPUTS = {"size": {"type": "integer", "default": 0}, "mode": {"type": "string", "default": "hold"}}

SOURCE = """
import os, subprocess, sys
from cog import BasePredictor

class Predictor(BasePredictor):
    def setup(self):
        held = b"x" * (int(os.environ.get("SETUP_MIB", "0")) << 20)

    def predict(self, size: int = 0, mode: str = "hold") -> str:
        return getattr(self, mode)(size)

    def hold(self, size):
        return str(len(b"x" * (size << 20)))

    def child(self, size):
        program = f"held = b'x' * ({size} << 20)"
        return str(subprocess.run([sys.executable, "-c", program]).returncode)

    def crash(self, size):
        os._exit(3)
"""

FILE_SOURCE = """
import os, tempfile
from cog import BasePredictor, Path

class Predictor(BasePredictor):
    def predict(self, size: int = 0, mode: str = "") -> Path:
        path = Path(tempfile.mkdtemp()) / "out.bin"
        with open(path, "wb") as file:
            for _ in range(size):
                file.write(bytes(1 << 20))
        return path
"""


@pytest.fixture(scope="module")
def hungry(tmp_path_factory):
    return write_model(
        tmp_path_factory.mktemp("hungry"), SOURCE, inputs=INPUTS, output={"type": "string"}
    )


def find_base():
    """(version, folder) in which groups with limits of memory can be made, or None."""
    own = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        own.update((name, path) for name in names.split(","))
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        root, point = before.split()[3:5]
        kind, options = after.split()[0], after.split()[2].split(",")
        if root != "/":
            continue
        if kind == "cgroup" and "memory" in options and "memory" in own:
            return 1, Path(point + own["memory"])
        # A group that holds processes has no groups with limits below it, so beside it.
        if kind == "cgroup2" and "" in own and own[""] != "/":
            return 2, Path(point + own[""]).parent
    return None


@pytest.fixture(scope="module")
def base():
    found = find_base()
    if found is None:
        pytest.skip("no control groups with memory here")
    version, folder = found
    probe = folder / f"vend-probe-{new_id()}"
    try:
        probe.mkdir()
    except OSError as error:
        pytest.skip(f"control groups cannot be made here: {error}")
    limit = probe / ("memory.limit_in_bytes" if version == 1 else "memory.max")
    there = limit.exists()
    probe.rmdir()
    if not there:
        pytest.skip("groups have no limit of memory here")
    return version, folder


@pytest.fixture
def limited(base):
    version, folder = base
    return {
        "limits": {"memory": LIMIT_MIB * MIB},
        "cgroups": {"memory": {"version": version, "path": str(folder)}},
    }


def test_run(start, hungry, limited, base):
    director = start(hungry, **limited)
    link = director.ready()
    group = base[1] / f"vend-{director.spec['instance']}"
    inside = {int(pid) for pid in (group / "cgroup.procs").read_text().split()}
    assert inside == set(director.model_processes())
    assert link.predict(size=20)["output"] == str(20 * MIB)
    done = link.predict(size=2 * LIMIT_MIB)
    assert (done["status"], done["error_code"]) == ("failed", "OUT_OF_MEMORY"), done
    assert done["error"] == "the model ran out of memory (limit 300 MiB)"
    assert done["emitted"] is False
    assert link.heard(event="state", state="unhealthy")["error"] == done["error"]
    assert director.stop() == 0
    assert not group.exists()


def test_an_output_file_that_takes_all_memory(start, limited, tmp_path, way):
    """It is written without any, but the HTTP server holds all of it; another attempt would end the same way."""
    model = write_model(
        tmp_path / "m", FILE_SOURCE, inputs=INPUTS, output={"type": "string", "format": "uri"}
    )
    link = start(model, **limited).ready()
    assert link.predict(size=20)["output"]["$vend.file"]["size"] == 20 * MIB
    done = link.predict(size=2 * LIMIT_MIB)
    if way == "worker":
        assert done["output"]["$vend.file"]["size"] == 2 * LIMIT_MIB * MIB, done
        return
    assert (done["status"], done["error_code"]) == ("failed", "OUTPUT_TOO_LARGE"), done
    assert done["error"].startswith("the model ran out of memory (limit 300 MiB) while the model server held the output")
    assert link.heard(event="state", state="unhealthy")["error"] == "the model ran out of memory (limit 300 MiB)"


def test_setup(start, hungry, limited):
    director = start(hungry, env={"SETUP_MIB": str(2 * LIMIT_MIB)}, **limited)
    link = director.connect()
    failed = link.until(event="state", state="failed")
    assert failed["error_code"] == "OUT_OF_MEMORY", failed
    assert failed["error"].startswith("the model ran out of memory (limit 300 MiB)")
    wait_until(lambda: not director.model_processes(), "the model to be gone")


def test_child(start, hungry, limited, base):
    """With v1 the kernel ends the greatest alone, and the model can live with that."""
    done = start(hungry, **limited).ready().predict(mode="child", size=2 * LIMIT_MIB)
    if base[0] == 1:
        assert (done["status"], done["output"]) == ("succeeded", "-9"), done
    else:
        assert done["error_code"] == "OUT_OF_MEMORY", done


def test_crash(start, hungry, limited):
    assert start(hungry, **limited).ready().predict(mode="crash")["error_code"] == "INSTANCE_LOST"


def test_a_group_that_cannot_be_made(start, hungry, limited):
    limited["cgroups"]["memory"]["path"] = "/no/such/folder"
    link = start(hungry, **limited).connect()
    failed = link.until(state="failed")
    assert failed["error_code"] == "SETUP_FAILED" and "/no/such/folder" in failed["error"]


def test_without_a_group(start, hungry, base):
    """The kernel kills somebody for want of memory, and it is the model."""
    version, folder = base
    director = start(hungry, vmstat="/proc/vmstat")
    link = director.ready()
    group = folder / f"vend-{director.spec['instance']}"
    group.mkdir()
    try:
        limit = "memory.limit_in_bytes" if version == 1 else "memory.max"
        (group / limit).write_text(str(LIMIT_MIB * MIB))
        for pid in director.model_processes():
            (group / "cgroup.procs").write_text(str(pid))
        done = link.predict(size=2 * LIMIT_MIB)
        assert done["error_code"] == "OUT_OF_MEMORY", done
        assert done["error"] == "the model ran out of memory (the machine had none left)"
        director.stop()
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text(), "the group to be empty")
        os.rmdir(group)

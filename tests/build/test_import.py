"""Models whose schema is known only when they are imported: what a build says, does and refuses."""

import os

import pytest
from builder_client import HELLO, Build, wait_until

COMPUTED = """import os, sys
from cog import BasePredictor, Input

print("on the screen")
{before}

def found():
    for kinds in [("a", "b")]:
        return kinds


class Predictor(BasePredictor):
    def predict(self, kind: str = Input(choices=found(), default="a"), n: int = {n}) -> str:
        return kind
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("imports")


@pytest.fixture
def build(place, request):
    made = []

    def start(before="", n="1", **options):
        files = HELLO | {"predict.py": COMPUTED.format(before=before, n=n)} | options.pop("files", {})
        made.append(Build(place, files, f"{request.node.name}-{len(made)}", **options))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()


def test_choices_that_a_function_makes(build):
    one = build()
    result = one.wait_good()
    assert result["openapi"]["components"]["schemas"]["kind"]["enum"] == ["a", "b"]
    assert "schema: read by importing predict.py, since the choices 'found()' of 'kind' are computed at line 13" in one.log
    assert "\non the screen\n" in one.log
    again = build()
    assert again.wait_good() == result


def test_a_source_that_tells_all_is_not_imported(build):
    one = build(files={"predict.py": HELLO["predict.py"] + "\nraise RuntimeError('imported')\n"})
    one.wait_good()
    assert "importing" not in one.log


def test_an_import_that_fails(build):
    one = build("import no_such_library")
    error = one.wait_failed()
    first, *rest = error["message"].split("\n")
    assert first.startswith("predict.py:13: the choices 'found()' of 'kind' cannot be read from the source")
    assert rest[0].startswith("importing predict.py to compute the value failed: ")
    assert 'File "predict.py", line 5, in <module>' in error["message"]
    assert rest[-1] == "ModuleNotFoundError: No module named 'no_such_library'"


def test_a_default_alone_is_no_reason_to_fail(build):
    files = {"predict.py": HELLO["predict.py"].replace('default="you"', "default=open('no-such-file').read()")}
    one = build(files=files)
    result = one.wait_good()
    assert "default" not in result["openapi"]["components"]["schemas"]["Input"]["properties"]["name"]
    assert "warning: importing predict.py failed" in one.log and "no-such-file" in one.log


def test_an_import_sees_nothing_secret(build):
    secrets = {"UV_INDEX_PRIVATE_PASSWORD": "hidden-1", "PIP_PASSWORD": "hidden-2", "VEND_TOKEN": "hidden-3"}
    before = "for name in sorted(os.environ): print('has', name, os.environ[name])"
    yaml = HELLO["cog.yaml"] + "environment:\n  - OF_THE_MODEL=mine\n"
    one = build(before, files={"cog.yaml": yaml}, env=secrets)
    one.wait_good()
    assert "has OF_THE_MODEL mine" in one.log and "has CUDA_VISIBLE_DEVICES" in one.log
    assert "hidden-" not in one.log and f"has HOME {os.environ['HOME']}\n" not in one.log


def test_what_an_import_starts_ends_with_it(build, tmp_path):
    pid_file = tmp_path / "pid"
    before = (
        "import subprocess, threading, time\n"
        f"open({str(pid_file)!r}, 'w').write(str(subprocess.Popen(['sleep', '1000']).pid))\n"
        "threading.Thread(target=time.sleep, args=(1000,)).start()"
    )
    build(before).wait_good()
    pid = int(pid_file.read_text())

    def ended():
        try:
            with open(f"/proc/{pid}/stat") as stat:
                return stat.read().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    wait_until(ended, "the end of what the import started")


def test_limits(build):
    before = "import resource\nprint('core', resource.getrlimit(resource.RLIMIT_CORE))\nos.kill(os.getpid(), 9)"
    error = build(before).wait_failed()
    assert "the importing process ended by signal 9" in error["message"]

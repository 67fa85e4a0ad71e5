"""Examples of three kinds, started plainly and from a zygote: the outputs are the same, byte for byte."""

import base64
import pathlib
import subprocess

import pytest

import processes
from waiting import wait_until

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples"
CAT = "data:image/png;base64," + base64.b64encode(
    (EXAMPLES / "upscale" / "cat.png").read_bytes()
).decode()
INPUTS = {
    "hello": {"name": "Ada", "times": 3},
    "smollm": {"prompt": "Say hello.", "max_tokens": 12, "temperature": 0},
    "upscale": {"image": CAT},
}
MISSING = ("could not be installed", "failed to fetch", "error sending request", "No solution found")
PUSH_S = 600


@pytest.fixture(scope="module")
def server(binary, tmp_path_factory):
    from servers import Servers

    made = Servers(binary, None, tmp_path_factory.mktemp("examples"))
    yield made("--max-instances", "1", "--idle-timeout", "600s", empty=True)
    made.close()


def stop_instances(api):
    for instance in api.debug()["instances"]:
        for pid in processes.directors(instance["dir"]):
            processes.kill(pid)
    wait_until(lambda: not api.debug()["instances"], what="the instance to go")


def output_of(api, name, inputs):
    """Files as their content; and how the instance that made it was started."""
    ended = api.run(name, inputs)
    assert ended["status"] == "succeeded", ended
    (instance,) = api.debug()["instances"]
    output = ended["output"]
    if isinstance(output, str) and output.startswith("http"):
        output = api.session.get(output, timeout=60).content
    return output, instance["start"]


@pytest.mark.parametrize("name", sorted(INPUTS))
def test_an_example_does_the_same(api, server, name):
    try:
        pushed = server.cli("push", EXAMPLES / name, f"lab/{name}", timeout=PUSH_S)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{name} takes too long to download")
    if pushed.returncode != 0 and any(word in pushed.stderr for word in MISSING):
        pytest.skip(f"{name} cannot be downloaded")
    assert pushed.returncode == 0, pushed.stderr
    plain, how = output_of(api, name, INPUTS[name])
    assert how == "plain"
    wait_until(
        lambda: [z["state"] for z in api.debug()["zygotes"] if z["model"] == f"lab/{name}"] == ["ready"],
        what="the zygote",
    )
    stop_instances(api)
    fast, how = output_of(api, name, INPUTS[name])
    assert how == "fast"
    assert fast == plain
    stop_instances(api)
    assert processes.models(server.data) == []

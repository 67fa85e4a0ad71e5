"""Images that were pushed with a real client run, in the sandbox and through their own server."""

import base64
import os
import signal

import pytest
from images import cog_image, push
from waiting import wait_until

# From servers in Python to coglet.
COGS = ["0.9.26", "0.14.12", "0.16.12", "0.23.1"]


@pytest.fixture
def server(servers):
    server = servers("--idle-timeout", "600s", env={"VEND_TEST_FULL_SWEEP_US": "500000"})
    said = next(r for r in server.log() if r["message"] in ("isolation of images", "images do not run here"))
    if said["message"] != "isolation of images":
        pytest.skip(f"this machine makes no sandbox: {said['by']}")
    return server


@pytest.mark.parametrize("cog", COGS)
def test_an_image_runs(server, tmp_path, cog):
    api = server.api()
    version = push(server, cog_image(tmp_path / "image", cog), "lab/speaker")
    done = api.run("speaker", {"text": "ha", "times": 3})
    assert done["status"] == "succeeded", done["error"]
    assert done["output"] == "hahaha /src 0 image once" and done["version"] == version
    assert done["logs"] == "saying ha\n"
    # The schema of the label refuses before anything runs.
    refused = api.post("/models/lab/speaker/predictions", {"input": {"times": 9}}, 422).json()
    assert "times" in str(refused)
    failed = api.run("speaker", {"text": "fail"})
    assert failed["status"] == "failed" and "as you wish" in failed["error"]
    given = api.run("speaker", {"file": "data:text/plain;base64,cmVhZA=="})
    assert given["output"] == "read /src 0 image once", given
    # A larger one comes over the director's loopback.
    large = base64.b64encode(b"x" * 400_000 + b"tail").decode()
    given = api.run("speaker", {"file": f"data:text/plain;base64,{large}"})
    assert given["output"] == "tail /src 0 image once", given["error"]
    said = [one["sentence"] for one in api.get("/decisions").json()["results"] if one["kind"] == "fetch"]
    assert len(said) == 2 and "Unpacking the image of lab/speaker" in said[1] and "is unpacked" in said[0]


def test_each_instance_has_a_copy(server, tmp_path):
    """What one writes is gone with it, and the unpacked image stays as it is."""
    api = server.api()
    version = push(server, cog_image(tmp_path / "image", "0.16.12"), "lab/writer")
    root = server.data / "images" / version / "src"
    assert not root.exists(), "it is unpacked by its first start"
    assert api.run("writer", {})["output"].endswith("once")
    assert not (root / "src" / "written").exists() and (root / "src" / "predict.py").is_file()
    assert [path.name for path in (server.data / "images").iterdir()] == [version]
    assert server.stop() == 0
    server.start()
    assert api.run("writer", {})["output"].endswith(" once")
    # It goes with its version.
    api.patch("/models/lab/writer", {"visibility": "private"}, 200)
    api.delete(f"/models/lab/writer/versions/{version}", 202)
    # Its instance still has it.
    (instance,) = api.debug()["instances"]
    assert root.exists()
    os.kill(int(open(f"{instance['dir']}/director.pid").read().split()[0]), signal.SIGKILL)
    wait_until(lambda: not root.exists(), what="the removal of the unpacked image")


def test_no_sandbox_no_image(servers, tmp_path):
    """A machine that makes none says so, to who pushes and to who calls."""
    server = servers(env={"PATH": "/nowhere"})
    api = server.api()
    assert any(r["message"] == "images do not run here" for r in server.log())
    version = push(server, cog_image(tmp_path / "image", "0.16.12"), "lab/speaker")
    for path, body in (
        ("/models/lab/speaker/predictions", {"input": {}}),
        ("/predictions", {"version": version, "input": {}}),
    ):
        detail = api.post(path, body, 409).json()["detail"]
        assert "images run in a sandbox alone" in detail and "bubblewrap is not installed" in detail, path
    deployment = {"name": "of-an-image", "model": "lab/speaker", "version": version, "hardware": "cpu"}
    detail = api.post("/deployments", {**deployment, "min_instances": 0, "max_instances": 1}, 409).json()["detail"]
    assert "images run in a sandbox alone" in detail
    # OpenAI's clients do not see it, though a schema may fit.
    assert "lab/speaker" not in [model["id"] for model in api.get("//openai/v1/models").json()["data"]]

"""What an account has on another server of the same API, made here as far as the API shows it."""

import json

import pytest



@pytest.fixture
def source(servers):
    """The other server, with a model of another account beside its own."""
    server = servers()
    api = server.api()
    api.post("/accounts", {"username": "other"}, 201)
    api.patch("/models/lab/types", {"description": "All types", "readme": "# Types\n"}, 200)
    body = {
        "name": "prod", "model": "lab/echo", "version": api.get("/models/lab/echo").json()["latest_version"]["id"],
        "hardware": "cpu", "min_instances": 0, "max_instances": 3,
    }
    api.post("/deployments", body, 200)
    return server


def run(here, source, *words, **env):
    given = {"THERE": source.token, **env}
    return here.cli("import", "replicate", "--from", source.url, "--token-env", "THERE", *words, env=given)


def test_models_are_made_without_code(source, servers, tmp_path):
    here = servers(empty=True)
    projects = tmp_path / "projects"
    done = run(here, source, "lab/types", "lab/stream", "--dir", projects, "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert [m["model"] for m in shown["models"]] == ["lab/types", "lab/stream"]
    for model in shown["models"]:
        assert model["created"] and model["versions"] == 1 and model["missing"] == ["code", "weights"]
    assert [d["command"] for d in shown["deployments"]] == [
        "vend deployments create prod lab/echo --min 0 --max 3"
    ]
    made = here.api().get("/models/lab/types").json()
    assert made["description"] == "All types" and made["visibility"] == "public"
    assert made["latest_version"] is None
    assert here.api().get("/models/lab/types/readme").text == "# Types\n"

    # The project is a good one: pushed, it takes and returns the same.
    pushed = here.cli("push", projects / "types", "lab/types")
    assert pushed.returncode == 0, pushed.stderr
    ours, theirs = (s.api().get("/models/lab/types").json()["latest_version"] for s in (here, source))
    for name in ("Input", "Output", "color"):
        schemas = [v["openapi_schema"]["components"]["schemas"][name] for v in (ours, theirs)]
        assert schemas[0] == schemas[1]
    ended = here.api().run("types", {"text": "abc", "count": 1})
    assert ended["status"] == "failed" and "the code of lab/types is missing" in ended["error"]

    # A second time nothing is changed, and what is missing is said again.
    here.api().patch("/models/lab/types", {"description": "Mine"}, 200)
    (projects / "types" / "run.py").write_text("mine")
    again = run(here, source, "--dir", projects, "--json")
    assert again.returncode == 0, again.stderr
    created = {m["model"]: m["created"] for m in json.loads(again.stdout)["models"]}
    assert not created["lab/types"] and not created["lab/stream"] and created["lab/echo"]
    assert len(created) == len(source.api().get("/models").json()["results"])
    assert here.api().get("/models/lab/types").json()["description"] == "Mine"
    assert (projects / "types" / "run.py").read_text() == "mine"


def test_what_is_wrong_is_said(source):
    refused = run(source, source, THERE="")
    assert refused.returncode == 2 and "the variable THERE is not set" in refused.stderr
    refused = source.cli("import", "replicate", "lab/echo")
    assert refused.returncode == 2 and "--from: name the URL" in refused.stderr
    refused = run(source, source, "../echo")
    assert refused.returncode == 2
    refused = run(source, source, THERE="vend_wrong_0123456789abcdef")
    assert refused.returncode == 1 and "token" in refused.stderr.lower()
    refused = run(source, source, "lab/none")
    assert refused.returncode == 1 and "lab/none" in refused.stderr

"""Deployments, trainings and hardware on the command line."""

import json
import re
import signal

import pytest
from api_server import VERSION

OTHER = "cd" * 32


@pytest.fixture
def deployed(vend, server):
    made = vend("deployments", "create", "prod", "lab/echo", "--max", "3")
    assert made.returncode == 0, made.stderr
    return made


def test_history_of_a_deployment(vend, server, deployed):
    for more in (("--version", OTHER, "--min", "1"), ("--idle-timeout", "90s"), ("--max", "4")):
        assert vend("deployments", "update", "lab/prod", *more).returncode == 0
    lines = [line.split(maxsplit=3) for line in vend("deployments", "history", "lab/prod").stdout.splitlines()]
    assert lines[0][:3] == ["RELEASE", "CREATED", "TOKEN"]
    assert [line[0] for line in lines[1:]] == ["4", "3", "2", "1"]
    text = vend("deployments", "history", "lab/prod", "-n", "3").stdout.splitlines()
    assert text[1].endswith("max_instances 3 to 4") and "laptop" in text[1]
    assert text[2].endswith("idle_timeout default to 90") or text[2].endswith("idle_timeout default to 90.0")
    assert text[3].endswith("version, min_instances 0 to 1") and OTHER[:12] in text[3]
    assert len(text) == 4
    assert vend("deployments", "history", "lab/prod").stdout.splitlines()[4].endswith("created")
    assert len(json.loads(vend("deployments", "history", "lab/prod", "--json", "-n", "2").stdout)["results"]) == 2
    assert "deployment lab/nope" in vend("deployments", "history", "lab/nope").stderr
    assert vend("deployments", "history").returncode == 2
    assert vend("deployments", "history", "lab/prod", "-n", "-1").returncode == 2


def test_deployments(vend, server, deployed):
    body = next(r for r in server.requests if r.method == "POST").json
    assert body == {
        "name": "prod",
        "model": "lab/echo",
        "version": VERSION,
        "hardware": "cpu",
        "min_instances": 0,
        "max_instances": 3,
    }
    assert "lab/prod" in deployed.stdout and VERSION in deployed.stdout
    named = vend(
        "deployments", "create", "named", f"lab/echo:{OTHER}", "--hardware", "gpu-x", "--min", "1"
    )
    assert named.returncode == 0
    made = server.deployments["lab/named"]["current_release"]
    assert made["version"] == OTHER
    assert made["configuration"] == {
        "hardware": "gpu-x",
        "min_instances": 1,
        "max_instances": 1,
    }

    lines = vend("deployments").stdout.splitlines()
    assert lines[0].split() == [
        "DEPLOYMENT", "RELEASE", "MODEL", "VERSION", "HARDWARE", "INSTANCES",
    ]
    assert lines[1].split() == ["lab/prod", "1", "lab/echo", VERSION[:12], "cpu", "0-3"]
    assert len(json.loads(vend("deployments", "list", "--json").stdout)["results"]) == 2
    assert len(json.loads(vend("deployments", "--json", "-n", "1").stdout)["results"]) == 1

    changed = vend("deployments", "update", "lab/prod", "--version", OTHER, "--min", "0", "--json")
    assert json.loads(changed.stdout)["current_release"]["number"] == 2
    assert next(r for r in server.requests if r.method == "PATCH").json == {
        "version": OTHER,
        "min_instances": 0,
    }
    shown = vend("deployments", "get", "lab/prod")
    assert OTHER in shown.stdout
    assert vend("deployments", "delete", "lab/prod").returncode == 0
    assert "lab/prod" not in server.deployments
    assert vend("deployments", "get", "lab/prod").returncode == 1


@pytest.mark.parametrize(
    "words, expected",
    [
        (["deployments", "create", "x"], "NAME owner/name"),
        (["deployments", "create", "x", "lab"], "expected owner/name"),
        (["deployments", "create", "x", "lab/echo", "--min", "-1"], "--min"),
        (["deployments", "create", "x", "lab/echo", "--max", "many"], "--help"),
        (["deployments", "update", "lab/prod"], "nothing to change"),
        (["deployments", "update", "lab/prod", "--version", "12"], "64 characters"),
        (["deployments", "update", "lab/prod", "--max", "-5"], "--max"),
        (["deployments", "update", "lab/prod", "--idle-timeout", "soon"], "--idle-timeout: 'soon'"),
        (["deployments", "create", "x", "lab/echo", "--on-demand", "maybe"], "--on-demand: 'maybe'"),
        (["models", "scaling", "lab/echo", "--target", "101"], "--target: expected 1 to 100"),
        (["models", "scaling", "lab/echo", "--max", "some"], "--max: 'some'"),
        (["models", "scaling", "lab/echo", "--scale-down-delay", "2d"], "0 to 86400 s"),
        (["models", "scaling"], "owner/name"),
        (["deployments", "get", "prod"], "expected owner/name"),
        (["deployments", "delete", f"lab/prod:{VERSION}"], "owner/name"),
        (["deployments", "list", "--limit", "-1"], "--limit"),
        (["run"], "owner/name[:version]"),
        (["run", "--deployment", "prod", "prompt=x"], "expected owner/name"),
        (["run", "--deployment", "lab/prod", "lab/echo", "prompt=x"], "expected key=value"),
        (["train", "lab/echo", "prompt=x"], "--destination"),
        (["train", "--destination", "lab/tuned"], "owner/name[:version]"),
        (["hardware", "extra"], "unexpected argument"),
    ],
)
def test_bad_usage_is_told_before_any_request(vend, server, words, expected):
    done = vend(*words)
    assert done.returncode == 2, done
    assert expected in done.stderr and done.stdout == ""
    assert server.requests == []


def test_settings_of_instances(vend, server):
    done = vend(
        "deployments", "create", "tuned", "lab/echo",
        "--idle-timeout", "1m30s", "--on-demand", "on", "--retry-safe", "off", "--concurrency", "2",
    )
    assert done.returncode == 0, done.stderr
    body = next(r for r in server.requests if r.method == "POST").json
    assert {k: body[k] for k in ("idle_timeout", "on_demand", "retry_safe", "concurrency")} == {
        "idle_timeout": 90,
        "on_demand": True,
        "retry_safe": False,
        "concurrency": 2,
    }
    assert "idle_timeout   90s" in done.stdout and "retry_safe     off" in done.stdout
    assert vend("deployments", "update", "lab/tuned", "--idle-timeout", "default").returncode == 0
    assert next(r for r in server.requests if r.method == "PATCH").json == {"idle_timeout": None}

    shown = vend("models", "scaling", "lab/echo")
    assert shown.returncode == 0, shown.stderr
    assert ["idle_timeout", "300s", "300s"] in [line.split() for line in shown.stdout.splitlines()]
    assert re.search("^SETTING +SET +IN EFFECT$", shown.stdout, re.M) and "is set" not in shown.stdout
    server.effective = {"concurrency": 4}
    bounded = vend("models", "scaling", "lab/echo", "--concurrency", "9").stdout.splitlines()
    assert ["concurrency", "9", "4"] in [line.split() for line in bounded]
    assert bounded[-2:] == [
        "", "concurrency: 9 is set; cog.yaml of the latest version allows 4 (concurrency.max)"
    ]
    changed = vend(
        "models", "scaling", "lab/echo", "--min", "1", "--idle-timeout", "250ms", "--json"
    )
    assert json.loads(changed.stdout)["effective"]["idle_timeout"] == 0.25
    assert server.requests[-1].json == {"min_instances": 1, "idle_timeout": 0.25}


def test_hardware(vend):
    done = vend("hardware")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["SKU", "cpu", "gpu-x"]
    assert len(json.loads(vend("hardware", "--json").stdout)) == 2


def test_run_of_a_deployment(vend, server, deployed):
    done = vend("run", "--deployment", "lab/prod", "prompt=hi", "steps=4")
    assert done.returncode == 0 and done.stdout == "hello\n"
    sent = next(r for r in server.requests if r.path.endswith("/predictions"))
    assert sent.path == "/v1/deployments/lab/prod/predictions"
    assert sent.json == {"input": {"prompt": "hi", "steps": 4}}
    missing = vend("run", "--deployment", "lab/none", "prompt=hi")
    assert missing.returncode == 1 and "lab/none" in missing.stderr


@pytest.fixture
def trainable(server):
    server.schema["components"]["schemas"]["TrainingInput"] = {
        "type": "object",
        "required": ["steps"],
        "properties": {"steps": {"type": "integer"}},
    }
    server.schema["components"]["schemas"]["TrainingOutput"] = {"type": "object"}
    server.models["lab/tuned"] = {"visibility": "private", "latest": None}
    server.script = [{"status": "succeeded", "output": {"weights": "x", "note": "done"}}]


def test_train(vend, server, trainable):
    done = vend("train", "lab/echo", "--destination", "lab/tuned", "steps=4")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"weights": "x", "note": "done"}
    sent = next(r for r in server.requests if r.method == "POST")
    assert sent.path == f"/v1/models/lab/echo/versions/{VERSION}/trainings"
    assert sent.json == {"destination": "lab/tuned", "input": {"steps": 4}}
    assert not any(r.path.startswith("/v1/predictions") for r in server.requests)
    wrong = vend("train", "lab/echo", "--destination", "lab/tuned", "steps=many")
    assert wrong.returncode == 2 and "steps" in wrong.stderr


def test_train_for_a_missing_destination(vend, server, trainable):
    """Nothing is uploaded for it, and the way out is named."""
    server.schema["components"]["schemas"]["TrainingInput"]["properties"]["data"] = {
        "type": "string", "format": "uri"
    }  # fmt: skip
    (vend.cwd / "data.txt").write_text("words")
    inputs = ("steps=4", "data=@data.txt")
    done = vend("train", "lab/echo", "--destination", "lab/none", *inputs)
    assert done.returncode == 1 and "'vend models create lab/none' makes it" in done.stderr
    versioned = f"lab/tuned:{VERSION}"
    done = vend("train", "lab/echo", "--destination", versioned, *inputs)
    assert done.returncode == 2 and "--destination" in done.stderr
    assert all(request.method == "GET" for request in server.requests)
    assert vend("train", "lab/echo", "--destination", "lab/tuned", *inputs).returncode == 0


def test_help_of_train_speaks_of_trainings(vend):
    assert "prediction" not in vend("train", "--help").stdout
    assert "the prediction" in vend("run", "--help").stdout


def test_train_of_what_cannot_be_trained(vend):
    done = vend("train", "lab/echo", "--destination", "lab/tuned", "prompt=x")
    assert done.returncode == 2 and "cannot be trained" in done.stderr


def test_train_interrupted_cancels(vend, server, trainable):
    server.script = [{"status": "processing"}]
    process = vend.start("train", "lab/echo", "--destination", "lab/tuned", "steps=4")
    server.wait_for("GET", r"/v1/trainings/\w+")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert server.count("POST", r"/v1/trainings/\w+/cancel") == 1

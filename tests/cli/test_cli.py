"""Commands that talk to a server: what they print, what they exit with, and what they survive."""

import hashlib
import json
import os
import pty
import re
import shutil
import signal
import ssl
import stat
import subprocess
import threading

import pytest

from api_server import VERSION, FakeServer

PREDICTION = "k3v9q2m7x1rge0ct5w8z4n6bya"
PREDICTIONS = "/v1/predictions"
ONE_PREDICTION = r"/v1/predictions/\w+"


def run_in_terminal(vend, *words, **env):
    """Like vend(), with a terminal as stdout and stderr; returns the exit code and what it showed."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [vend.binary, *words],
        cwd=vend.cwd,
        env=vend.make_env({"TERM": "xterm", **env}),
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(master)
    return process.wait(60), shown.decode()


# Usage


@pytest.mark.parametrize(
    "words, expected",
    [
        (["nope"], "unknown command 'nope'"),
        (["run"], "vend run --help"),
        (["run", "lab/echo", "prompt=a", "--no-wait", "-o", "x.txt"],
         "--no-wait cannot be combined with -o: the command does not wait for the end of the prediction"),
        (["run", "lab/echo", "prompt=a", "--no-wait", "--timeout", "1s"], "combined with --timeout"),
        (["files", "upload", "nofile"], "cannot read 'nofile': No such file or directory"),
        (["files", "upload", "."], "cannot read '.': Is a directory"),
        (["simulate", "nofile"], "cannot read 'nofile': No such file or directory"),
        (["--token", "T", "models", "list"],
         "options go behind the command: vend models list --token TOKEN\n"),
        (["--token", "models"], "vend models --token\n"),
        (["--token=T", "--json", "models"], "vend models --token=TOKEN --json\n"),
        (["--url", "http://h"], "vend COMMAND --url http://h\n"),
        (["run", "lab"], "expected owner/name"),
        (["run", "lab/echo:12"], "64 characters"),
        (["run", "lab/echo", "prompt"], "expected key=value"),
        (["run", "lab/echo", "--timeout", "soon"], "not a duration"),
        (["cancel", "../../etc"], "not the id of a prediction"),
        (["logs", "UPPER"], "not the id of a prediction"),
        (["predictions", "get", "short"], "not the id of a prediction"),
        (["predictions", "list", "--limit", "-1"], "--limit"),
        (["predictions", "list", "--limit", "x"], "vend predictions list --help"),
        (["predictions", "drop"], "expected one of list, get"),
        (["models", "show", "Lab/Echo"], "lower-case"),
        (["models", "create", "lab/echo", "--public", "--private"], "exclude each other"),
        (["versions", "lab/echo", "show", "12"], "64 characters"),
        (["versions", "lab/echo", "show", VERSION[:7]], "at least the first 8"),
        (["versions", "lab/echo", "delete", VERSION + "a"], "64 characters"),
        (["versions", "lab/echo", "delete", "../../../v1"], "64 characters"),
        (["versions", "lab/echo", "burn", VERSION], "show ID"),
        (["versions", f"lab/echo:{VERSION}"], "without a version"),
        (["tokens", "create", "ci", "--scopes", "read,fly"], "read, run, push or admin"),
        (["tokens", "revoke", "x/y"], "not the id of a token"),
        (["models", "list", "--bogus"], "vend models list --help"),
        (["models", "list", "extra"], "unexpected argument 'extra'"),
        (["models", "list", "--url", "ftp://x"], "--url: "),
        (["models", "list", "--ca", "/nowhere.pem"], "/nowhere.pem"),
        (["config", "get", "nope"], "unknown setting 'nope'"),
        (["simulate"], "expected a trace, - for standard input, or --synthetic"),
        (["simulate", "--synthetic", "--policy", "lru"], "not 'lru'"),
        (["simulate", "--synthetic", "--hardware", "0"], "--hardware: expected 1 to"),
        (["simulate", "--synthetic", "--starvation-bound", "soon"], "--starvation-bound: "),
        (["decisions", "--model", "echo"], "--model: 'echo' is not a model; expected owner/name"),
        (["decisions", "--model", "a/b/c"], "--model: "),
        (["budget", "set", "lab", "--soft", "-1"], "--soft: expected an amount such as 12.50"),
        (["budget", "set", "lab", "--hard", "1e308"], "point, got '1e308'"),
        (["budget", "set", "lab", "--soft", "2", "--hard", "1"], "--soft: expected at most the hard amount"),
        (["advise", "--price", "-3"], "--price: expected 0 to 1000000"),
        (["advise", "--hardware-cost", "-5"], "--hardware-cost: expected 0 to 1000000000000"),
        (["advise", "--own-price-per-hour", "-1"], "--own-price-per-hour: expected 0 to"),
        (["advise", "--months", "3"], "--months needs --hardware-cost"),
        (["advise", "--months", "3", "--own-price-per-hour", "1"], "--months needs --hardware-cost"),
        (["advise", "--own-units", "2"], "--own-units needs --own-price-per-hour or --hardware-cost"),
        (["advise", "--power-watts", "9", "--kwh-price", "1"], "--power-watts needs --own-price"),
        (["advise", "--hardware-cost", "5", "--kwh-price", "1"], "--power-watts and --kwh-price together"),
    ],
)
def test_bad_usage_is_told_before_any_request(vend, server, words, expected):
    done = vend(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert server.requests == []


def test_help_and_version(vend):
    assert "push" in vend("help").stdout
    assert "  director" not in vend("help").stdout
    assert "key=value" in vend("help", "run").stdout
    assert "create" in vend("models", "--help").stdout
    assert "as a server started from here would have" in vend("config", "list", "--help").stdout
    assert vend("--version").stdout.startswith("vend ")
    assert vend("version").stdout == vend("--version").stdout
    assert vend().returncode == 2


# Where the server and the token come from


def test_user_agent_and_token(vend, server):
    assert vend("models").returncode == 0
    headers = server.requests[0].headers
    assert re.fullmatch(r"vend/\d+\.\d+\.\d+", headers["user-agent"])
    assert headers["authorization"] == f"Bearer {server.token}"


def test_flags_win_over_the_environment(vend, server):
    done = vend(
        "models", "--url", server.url + "/v1/", "--token", server.token,
        VEND_URL="http://127.0.0.1:1", VEND_API_TOKEN="wrong",
    )
    assert done.returncode == 0, done.stderr


def test_replicate_variables_are_the_fallback(vend, server):
    done = vend(
        "models", VEND_URL=None, VEND_API_TOKEN=None,
        REPLICATE_BASE_URL=server.url + "/v1", REPLICATE_API_TOKEN=server.token,
    )
    assert done.returncode == 0, done.stderr


def test_cli_file_of_a_local_server(vend, server):
    vend.data.mkdir()
    (vend.data / "cli.json").write_text(json.dumps({"url": server.url, "token": server.token}))
    done = vend("models", VEND_URL=None, VEND_API_TOKEN=None)
    assert done.returncode == 0, done.stderr
    done = vend("models", VEND_API_TOKEN=None)
    assert done.returncode == 0, done.stderr


def test_cli_file_is_for_no_other_server(vend, server):
    vend.data.mkdir()
    (vend.data / "cli.json").write_text(json.dumps({"url": server.url, "token": "secret"}))
    other = server.url.replace("127.0.0.1", "127.0.0.2")
    server.fail("GET", "/v1/models", status=401)
    vend("models", "--url", other, VEND_API_TOKEN=None)
    assert all("authorization" not in r.headers for r in server.requests)


def test_wrong_token_names_its_source(vend):
    done = vend("models", VEND_API_TOKEN="wrong")
    assert done.returncode == 1
    assert "VEND_API_TOKEN" in done.stderr
    assert "wrong" not in done.stderr
    done = vend("models", VEND_API_TOKEN=None)
    assert "no token" in done.stderr


def test_unreachable_server(vend):
    done = vend("models", VEND_URL="http://127.0.0.1:1")
    assert done.returncode == 1
    assert "cannot reach http://127.0.0.1:1: Connection refused" in done.stderr


@pytest.fixture
def certificate(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl program")
    key, path = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", key, "-out", path, "-days", "2", "-subj", "/CN=vend",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )
    return path, key


def test_tls_with_its_own_authority(vend, certificate):
    path, key = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    with FakeServer(tls=context) as secure:
        refused = vend("models", VEND_URL=secure.url)
        assert refused.returncode == 1 and "--ca FILE" in refused.stderr
        assert secure.requests == []
        assert vend("models", "--ca", path, VEND_URL=secure.url).returncode == 0
        assert vend("models", VEND_URL=secure.url, VEND_CA=path).returncode == 0
        vend.data.mkdir()
        (vend.data / "cli.json").write_text(
            json.dumps({"url": secure.url, "token": secure.token, "ca": str(path)})
        )
        assert vend("models", VEND_URL=None, VEND_API_TOKEN=None).returncode == 0


# Answers that are wrong


def test_problem_documents_become_one_line(vend, server):
    detail = "- input.n: Invalid type. Expected: integer\n- input.m: is required\n"
    body = json.dumps({"title": "Input validation failed", "detail": detail, "status": 422})
    server.fail("POST", ".*/predictions", status=422, body=body.encode())
    done = vend("run", "lab/echo", "prompt=x")
    assert done.returncode == 2
    assert done.stderr == (
        "vend: error: input.n: Invalid type. Expected: integer; input.m: is required\n"
    )


@pytest.mark.parametrize(
    "how, expected",
    [
        ({"status": 500}, "answered 500: fault 500"),
        ({"status": 502, "body": b"<html>"}, "answered 502 to GET /v1/models"),
        ({"body": b'{"results": ['}, "without a JSON object"),
        ({"body": b"[]"}, "without a JSON object"),
        ({"body": b"{}"}, "without 'results'"),
        ({"body": b""}, "without a JSON object"),
        ({"status": 302, "body": b"", "headers": {"Location": "/elsewhere"}}, "answered 302"),
        ({"cut": True}, "/v1/models"),
        ({"status": 403}, "fault 403"),
    ],
)
def test_bad_answers(vend, server, how, expected):
    server.fail("GET", "/v1/models", times=9, **how)
    done = vend("models")
    assert done.returncode == 1
    assert done.stdout == ""
    assert expected in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_text_of_a_server_cannot_steer_the_terminal(vend, server):
    body = json.dumps({"detail": "\x1b[2Jgone\x07", "status": 404})
    server.fail("GET", "/v1/models", status=404, body=body.encode())
    assert "\x1b" not in vend("models").stderr


def test_throttling_is_obeyed(vend, server):
    server.fail("GET", "/v1/models", status=429, times=2)
    done = vend("models")
    assert done.returncode == 0, done.stderr
    assert server.count("GET", "/v1/models") == 3


def test_a_list_that_does_not_end(vend, server):
    page = json.dumps({"results": [], "next": server.url + "/v1/models"})
    server.fail("GET", "/v1/models", times=99, body=page.encode())
    done = vend("models")
    assert done.returncode == 1
    assert "has no last page" in done.stderr


def test_next_of_another_origin_gets_no_token(vend, server):
    page = json.dumps({"results": [], "next": "http://elsewhere.invalid/v1/models?cursor=0"})
    server.fail("GET", "/v1/models", body=page.encode())
    done = vend("models")
    assert done.returncode == 0, done.stderr
    assert server.count("GET", "/v1/models") == 2


# Lists and objects


def test_models(vend, server):
    for i in range(4):
        assert vend("models", "create", f"lab/m{i}").returncode == 0
    assert server.models["lab/m0"]["visibility"] == "private"
    assert vend("models", "create", "lab/open", "--public").returncode == 0
    assert server.models["lab/open"]["visibility"] == "public"

    listed = vend("models", "list")
    lines = listed.stdout.splitlines()
    assert lines[0].split() == ["MODEL", "VISIBILITY", "RUNS", "LATEST", "DESCRIPTION"]
    assert [line.split()[0] for line in lines[1:]] == [
        "lab/echo", "lab/m0", "lab/m1", "lab/m2", "lab/m3", "lab/open",
    ]
    assert len(json.loads(vend("models", "--json").stdout)["results"]) == 6
    assert len(json.loads(vend("models", "--json", "--limit", "3").stdout)["results"]) == 3

    assert VERSION in vend("models", "show", "lab/echo").stdout
    assert json.loads(vend("models", "show", "lab/echo", "--json").stdout)["name"] == "echo"
    assert vend("models", "create", "lab/echo").returncode == 1
    assert vend("models", "delete", "lab/m1").returncode == 0
    assert "lab/m1" not in server.models
    assert vend("models", "show", "lab/m1").returncode == 1


def test_versions(vend, server):
    listed = vend("versions", "lab/echo")
    assert len(listed.stdout.splitlines()) == 6
    shown = vend("versions", "lab/echo", "show", VERSION).stdout
    assert re.search(r"prompt +string +required", shown)
    assert re.search(r"steps +integer +3", shown)
    assert re.search(r"images +list of file", shown)
    assert re.search(r"style +one of plain, fancy", shown)
    body = json.loads(vend("versions", "lab/echo", "show", VERSION, "--json").stdout)
    assert body["id"] == VERSION
    assert vend("versions", "lab/echo", "delete", VERSION).returncode == 0
    assert server.count("DELETE", f"/v1/models/lab/echo/versions/{VERSION}") == 1


@pytest.mark.parametrize("length", [8, 12, 63])
def test_versions_by_the_beginning_of_their_ids(vend, server, length):
    assert VERSION in vend("versions", "lab/echo", "show", VERSION[:length]).stdout
    assert vend("versions", "lab/echo", "delete", VERSION[:length]).returncode == 0
    assert server.count("DELETE", f"/v1/models/lab/echo/versions/{VERSION}") == 1


def test_run_of_a_version_by_the_beginning_of_its_id(vend, server):
    """The table of models shows twelve characters of it."""
    assert vend("run", f"lab/echo:{VERSION[:12]}", "prompt=hi").returncode == 0
    sent = next(r for r in server.requests if r.method == "POST")
    assert sent.path == "/v1/predictions" and sent.json["version"] == VERSION
    none = vend("run", f"lab/echo:{'f' * 12}", "prompt=hi")
    assert none.returncode == 1 and "no version of lab/echo whose id begins with" in none.stderr
    assert vend("run", "lab/echo:", "prompt=hi").returncode == 2


def test_beginnings_of_several_versions_and_of_none(vend, server):
    for more, shown in ((2, f"{'0' * 64}, {'0' * 63}1;"), (7, f"{'0' * 63}4, …;")):
        server.n_more_versions = more
        several = vend("versions", "lab/echo", "delete", "0" * 12)
        assert several.returncode == 2 and shown in several.stderr
        assert f"{more} versions of lab/echo begin with '{'0' * 12}'" in several.stderr
    assert server.count("DELETE", ".*") == 0
    none = vend("versions", "lab/echo", "show", "f" * 12)
    assert none.returncode == 1 and "no version of lab/echo whose id begins with" in none.stderr


def test_predictions(vend, server):
    keys = [
        server.add_prediction([{"status": "succeeded", "output": i, "metrics": {"predict_time": 1.5}}])
        for i in range(5)
    ]
    lines = vend("predictions").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == keys[::-1]
    assert "2026-01-05 10:00:00" in lines[1] and "1.50" in lines[1]
    assert len(vend("predictions", "list", "-n", "3").stdout.splitlines()) == 4
    shown = vend("predictions", "get", keys[0])
    assert re.search(r"status +succeeded", shown.stdout)
    assert json.loads(vend("predictions", "get", keys[1], "--json").stdout)["output"] == 1
    assert vend("predictions", "get", PREDICTION).returncode == 1


def test_cancel(vend, server):
    key = server.add_prediction([{"status": "processing"}])
    done = vend("cancel", key)
    assert done.stdout == f"{key} canceled\n"
    assert json.loads(vend("cancel", key, "--json").stdout)["status"] == "canceled"


def test_cancel_that_takes_its_time(vend, server):
    server.cancels_slowly = True
    key = server.add_prediction([{"status": "processing"}])
    assert vend("cancel", key).stdout == f"{key}: cancel requested\n"
    assert json.loads(vend("cancel", key, "--json").stdout)["status"] == "processing"


def test_trainings_are_found_by_their_ids(vend, server):
    other = server.add_prediction([{"status": "succeeded"}])
    key = server.add_training(
        [{"status": "processing", "logs": "one\n"}, {"status": "succeeded", "logs": "one\ntwo\n"}]
    )
    assert re.search(rf"^id +{key}$", vend("predictions", "get", key).stdout, re.M)
    assert vend("logs", key).stdout == "one\ntwo\n"
    running = server.add_training([{"status": "processing"}])
    assert vend("cancel", running).stdout == f"{running} canceled\n"
    assert server.count("POST", r"/v1/predictions/\w+/cancel") == 0

    def listed(*words):
        return [line.split()[0] for line in vend("predictions", *words).stdout.splitlines()[1:]]

    assert listed("list", "--trainings") == listed("--trainings") == [running, key]
    assert listed("list") == [other]


def test_logs_of_a_training_are_followed(vend, server):
    key = server.add_training(
        [{"status": "starting"}, {"status": "processing", "logs": "one\n"},
         {"status": "processing", "logs": "one\ntwo\n"}, {"status": "succeeded", "logs": "one\ntwo\nend"}]
    )
    done = vend("logs", "-f", key)
    assert (done.returncode, done.stdout) == (0, "one\ntwo\nend\n"), done.stderr
    assert server.count("GET", f"/v1/predictions/{key}") == 1


@pytest.mark.parametrize("words", [["cancel"], ["logs"], ["logs", "-f"], ["predictions", "get"]])
def test_neither_a_prediction_nor_a_training(vend, words):
    done = vend(*words, PREDICTION)
    assert done.returncode == 1
    assert done.stderr == (
        f"vend: error: there is no prediction or training {PREDICTION}, or this token may not see it\n"
    )


def test_tokens(vend, server):
    made = vend("tokens", "create", "ci", "--scopes", "read, push")
    assert made.stdout == "vend_secret\n"
    assert server.find("POST", "/v1/tokens")[0].json == {"name": "ci", "scopes": ["read", "push"]}
    vend("tokens", "create", "theirs", "--account", "ada")
    assert server.find("POST", "/v1/tokens")[1].json["account"] == "ada"
    lines = vend("tokens").stdout.splitlines()
    assert "read,push" in lines[1] and "vend_secret" not in lines[1]
    key = next(iter(server.tokens))
    assert vend("tokens", "revoke", key).returncode == 0
    assert vend("tokens", "revoke", key).returncode == 1


def test_config(vend):
    vend.data.mkdir()
    (vend.data / "vend.conf").write_text("idle-timeout = 9s\nmax-queue = 7\n")
    lines = vend("config", VEND_MAX_QUEUE=8).stdout.splitlines()
    assert lines[0].split() == ["SETTING", "VALUE", "SOURCE", "HELP"]
    values = {line.split()[0]: line.split()[1:3] for line in lines[1:]}
    assert values["idle-timeout"] == ["9s", "file"]
    assert values["max-queue"] == ["8", "environment"]
    assert vend("config", "get", "listen").stdout == "127.0.0.1:8363\n"
    assert vend("config", "get", "data").stdout == f"{vend.data}\n"
    body = json.loads(vend("config", "get", "idle-timeout", "--json").stdout)
    assert body["value"] == "9s" and body["source"] == "file"
    (vend.data / "vend.conf").write_text("idle-timeout = never\n")
    done = vend("config")
    assert done.returncode == 2
    assert "vend.conf:1" in done.stderr


def test_doctor(vend, server):
    done = vend("doctor")
    assert done.returncode == 0, done.stdout
    assert "version 9.9.9" in done.stdout and "account lab" in done.stdout
    assert re.search(r"^(ok|warn) +sandbox +(bubblewrap|Landlock|none)\b", done.stdout, re.M)
    assert all(line.split()[0] in ("ok", "warn") for line in done.stdout.splitlines())

    off = vend("doctor", VEND_ISOLATION="off")
    assert re.search(r"^warn +sandbox +isolation is off: .* Here it could be ", off.stdout, re.M)

    refused = vend("doctor", VEND_API_TOKEN="wrong")
    assert refused.returncode == 1
    assert re.search(r"^fail +token", refused.stdout, re.M)
    away = vend("doctor", "--json", VEND_URL="http://127.0.0.1:1")
    assert away.returncode == 1
    assert json.loads(away.stdout)["ok"] is False

    bare = vend("doctor", "--json", PATH="/nowhere")
    found = {c["check"]: c["status"] for c in json.loads(bare.stdout)["checks"]}
    assert found["python"] == "fail" and found["uv"] == "warn"


def test_doctor_warns_of_limits_that_are_asked_for(vend, server):
    def limits(**settings):
        checks = json.loads(vend("doctor", "--json", VEND_CGROUPS="off", **settings).stdout)["checks"]
        return next((c["status"], c["detail"]) for c in checks if c["check"] == "limits")

    assert limits()[0] == "ok"
    assert limits(VEND_HARDWARE_CPUS="cpu=0")[0] == "ok"
    status, detail = limits(VEND_HARDWARE="cpu=CPU,big=Big", VEND_HARDWARE_CPUS="cpu=0,big=1.5")
    assert status == "warn" and "hardware-cpus" in detail


def test_doctor_tells_how_working_copies_are_made(vend, server):
    def copies(**settings):
        checks = json.loads(vend("doctor", "--json", **settings).stdout)["checks"]
        return next(((c["status"], c["detail"]) for c in checks if c["check"] == "working copies"), None)

    assert copies() is None
    vend.data.mkdir(exist_ok=True)
    for kind in ("copy", "auto"):
        status, detail = copies(VEND_WORKING_COPY=kind)
        assert re.match("by (overlay|copy)", detail), detail
        # Where nothing can be mounted models share more than is told of elsewhere.
        assert ("each instance has its own /tmp" in detail) == (status == "ok")
        assert ("models share /tmp" in detail) == (status == "warn")
    assert copies(VEND_WORKING_COPY="copy")[1].startswith("by copy")
    assert copies(VEND_WORKING_COPY="sideways") == (
        "fail", "working-copy: 'sideways' is none of auto, overlay, reflink or copy"
    )
    assert os.listdir(vend.data) == []


def test_doctor_reads_the_settings(vend, server):
    vend.data.mkdir(exist_ok=True)
    for line, text in {
        "idle-timeout = soon": "idle-timeout",
        "hardware-cpus = big=1.5": "hardware-cpus: .*big",
        "hardware-price = cpu=dear": "hardware-price: expected",
    }.items():
        (vend.data / "vend.conf").write_text(line + "\n")
        done = vend("doctor")
        assert done.returncode == 1
        assert re.search(f"^fail +settings +.*{text}", done.stdout, re.M), done.stdout


# Not found

UNKNOWN = b'{"detail": "The requested resource could not be found.", "status": 404}'


def test_what_is_not_there_is_named(vend, server):
    nobody = "a" * 26
    other = "cd" * 32
    tail = ", or this token may not see it\n"
    server.deployments["lab/prod"] = {}
    for words, thing in {
        ("models", "show", "lab/nope"): "model lab/nope",
        ("run", "lab/nope", "a=b"): "model lab/nope",
        ("models", "delete", "lab/nope"): "model lab/nope",
        ("run", f"lab/nope:{other}", "a=b"): f"version {other} of lab/nope",
        ("deployments", "get", "lab/nope"): "deployment lab/nope",
        ("deployments", "create", "x", "lab/nope"): "model lab/nope",
        ("run", "--deployment", "lab/nope", "a=b"): "deployment lab/nope",
        ("files", "delete", "xyz"): "file xyz",
        ("tokens", "revoke", nobody): f"token {nobody}",
        ("explain", nobody): f"prediction {nobody}",
        ("budget", "show", "ada"): "account ada",
        ("usage", "--account", "a&b c"): "account a&b c",
        ("webhooks", "replay", "msg_1x"): "delivery msg_1x",
    }.items():
        if words[0] == "webhooks":
            server.fail("POST", ".*replay", status=404, body=UNKNOWN)
        done = vend(*words)
        assert (done.returncode, done.stderr) == (1, f"vend: error: there is no {thing}{tail}"), words
    server.fail("GET", "/v1/models/lab/echo", status=404)
    assert vend("models", "show", "lab/echo").stderr == "vend: error: fault 404\n"
    for words in (("explain", nobody), ("budget", "show", nobody), ("budget", "clear", nobody)):
        done = vend(*words)
        assert done.returncode == 1 and nobody in done.stderr, done.stderr


# vend run


def test_run_prints_text(vend, server):
    done = vend("run", "lab/echo", "prompt=hi there")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")
    made = server.find("POST", "/v1/models/lab/echo/predictions")[0]
    assert made.json == {"input": {"prompt": "hi there"}}
    assert "prefer" not in made.headers


def test_run_of_a_version(vend, server):
    assert vend("run", f"lab/echo:{VERSION}", "prompt=hi").returncode == 0
    assert server.find("POST", PREDICTIONS)[0].json["version"] == VERSION
    assert server.count("GET", f"/v1/models/lab/echo/versions/{VERSION}") == 1


def test_run_reads_values_by_the_schema(vend, server):
    done = vend(
        "run", "lab/echo", "prompt=7", "steps=-5", "scale=1e-3", "fast=yes",
        'tags=["a", "b"]', "style=fancy", "mystery=[1]",
    )
    assert done.returncode == 0, done.stderr
    assert server.find("POST", ".*predictions")[0].json["input"] == {
        "prompt": "7", "steps": -5, "scale": 0.001, "fast": True,
        "tags": ["a", "b"], "style": "fancy", "mystery": [1],
    }


@pytest.mark.parametrize(
    "words, expected",
    [
        (["steps=4"], "input.prompt: is required (string)"),
        (["prompt=a", "steps=4.5"], "input.steps: expected integer, got '4.5'"),
        (["prompt=a", "scale=much"], "input.scale: expected number"),
        (["prompt=a", "fast=maybe"], "input.fast: expected boolean"),
        (["prompt=a", "tags=a,b"], "input.tags: expected list of string as JSON"),
        (["prompt=a", 'tags={"a": 1}'], "input.tags: expected list of string as JSON"),
        (["prompt=a", "style=ugly"], "input.style: expected one of plain, fancy, got 'ugly'"),
        (["prompt=a", "prompt=b"], "input.prompt: given twice"),
        (["prompt=a", "image=@missing.png"],
         "input.image: cannot read 'missing.png': No such file or directory\n"),
        (["prompt=a", "image=@."], "input.image: cannot read '.': Is a directory\n"),
        (["prompt=a", "image=hello"],
         "input.image: expected @FILE or a URL, got 'hello'; for a file write image=@hello\n"),
        (["prompt=a", "steps=51"], "input.steps: expected at most 50, got 51\n"),
        (["prompt=a", "steps=-10"], "input.steps: expected at least -9, got -10\n"),
        (["prompt=a", "steps=@here.txt"], "input.steps: expected integer, got a file"),
    ],
)
def test_run_wrong_values(vend, server, words, expected):
    (vend.cwd / "here.txt").write_text("x")
    done = vend("run", "lab/echo", *words)
    assert done.returncode == 2
    assert expected in done.stderr
    assert server.count("POST", ".*") == 0


def test_run_suggests_names(vend):
    done = vend("run", "lab/echo", "prompt=a", "stesp=4", "zzzzzz=1")
    assert done.returncode == 0
    assert "no input 'stesp'; did you mean 'steps'?" in done.stderr
    assert "no input 'zzzzzz'\n" in done.stderr


def test_run_uploads_files(vend, server):
    (vend.cwd / "cat.png").write_bytes(b"\x89PNG\r\n--data")
    (vend.cwd / "b.bin").write_bytes(os.urandom(300_000))
    done = vend(
        "run", "lab/echo", "prompt=@@me", "image=@cat.png", "images=@cat.png", "images=@b.bin"
    )
    assert done.returncode == 0, done.stderr
    head, data = next(iter(server.files.values()))
    assert 'name="content"; filename="cat.png"' in head and "image/png" in head
    assert data == b"\x89PNG\r\n--data"
    sent = server.find("POST", ".*predictions")[0].json["input"]
    urls = [f"{server.url}/v1/files/{key}" for key in server.files]
    assert sent == {"prompt": "@me", "image": urls[0], "images": urls[1:]}


@pytest.mark.parametrize(
    ("name", "type_"),
    [("a.wav", "audio/wav"), ("a.ZIP", "application/zip"), ("a", "application/octet-stream")],
)
def test_files_have_the_type_that_their_names_say(vend, server, name, type_):
    (vend.cwd / name).write_bytes(b"x")
    assert vend("files", "upload", name).returncode == 0
    head, _ = next(iter(server.files.values()))
    assert f"Content-Type: {type_}" in head


def test_run_upload_refused(vend, server):
    (vend.cwd / "cat.png").write_bytes(b"x")
    server.fail("POST", "/v1/files", status=413)
    done = vend("run", "lab/echo", "prompt=a", "image=@cat.png")
    assert done.returncode == 2
    assert "upload 'cat.png': fault 413" in done.stderr


def iterator(concatenated):
    schema = {"type": "array", "items": {"type": "string"}, "x-cog-array-type": "iterator"}
    if concatenated:
        schema["x-cog-array-display"] = "concatenate"
    return schema


@pytest.mark.parametrize(
    "concatenated, expected", [(True, "one two three\n"), (False, "one\n two\n three\n")]
)
def test_run_prints_iterators_as_they_come(vend, server, concatenated, expected):
    server.schema["components"]["schemas"]["Output"] = iterator(concatenated)
    gate = threading.Event()
    server.script = [
        {"status": "processing", "output": ["one"]},
        {"status": "succeeded", "output": ["one", " two", " three"]},
    ]
    server.fail("GET", ONE_PREDICTION, skip=1, wait=gate)
    process = vend.start("run", "lab/echo", "prompt=a")
    try:
        assert os.read(process.stdout.fileno(), 3) == b"one"
        assert not gate.is_set()
    finally:
        gate.set()
    rest, errors = process.communicate(timeout=60)
    assert "one" + rest == expected
    assert (process.returncode, errors) == (0, "")


def test_run_iterator_in_a_terminal_is_not_written_over(vend, server):
    server.schema["components"]["schemas"]["Output"] = iterator(True)
    server.script = [
        {"status": "processing"},
        {"status": "processing", "output": ["one"]},
        {"status": "processing", "output": ["one", " two"], "logs": "busy\n"},
        {"status": "succeeded", "output": ["one", " two", " three"]},
    ]
    code, shown = run_in_terminal(vend, "run", "lab/echo", "prompt=a")
    assert code == 0
    assert shown.endswith("\r\x1b[Kone two three\r\n")


@pytest.mark.parametrize(
    "output, expected",
    [
        ("text\n", "text\n"),
        (["a", "b"], "a\nb\n"),
        (3, "3\n"),
        (None, ""),
        ({"a": [1]}, '{\n  "a": [\n    1\n  ]\n}\n'),
        ("http://h.example/x.png", "http://h.example/x.png\n"),
    ],
)
def test_run_output_forms(vend, server, output, expected):
    server.script = [{"status": "succeeded", "output": output}]
    assert vend("run", "lab/echo", "prompt=a").stdout == expected


def test_run_failure(vend, server):
    logs = "".join(f"line {i}\n" for i in range(30))
    server.script = [{"status": "failed", "error": "no memory", "logs": logs}]
    done = vend("run", "lab/echo", "prompt=a")
    assert (done.returncode, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert lines[0] == "line 20" and lines[9] == "line 29"
    assert lines[10].endswith("failed: no memory") and len(lines) == 11
    shown = vend("run", "lab/echo", "prompt=a", "--json")
    assert shown.returncode == 1 and json.loads(shown.stdout)["error"] == "no memory"


@pytest.mark.parametrize("status", ["canceled", "aborted"])
def test_run_ended_by_others(vend, server, status):
    server.script = [{"status": status}]
    done = vend("run", "lab/echo", "prompt=a")
    assert done.returncode == 1 and status in done.stderr


def test_run_no_wait(vend, server):
    done = vend("run", "lab/echo", "prompt=a", "--no-wait")
    assert done.stdout.strip() in server.predictions
    assert server.count("GET", ONE_PREDICTION) == 0
    body = json.loads(vend("run", "lab/echo", "prompt=a", "--no-wait", "--json").stdout)
    assert body["status"] == "starting"


def test_run_timeout_cancels(vend, server):
    server.script = [{"status": "processing"}]
    done = vend("run", "lab/echo", "prompt=a", "--timeout", "300ms")
    assert done.returncode == 1
    (key,) = server.predictions
    assert done.stderr == (
        f"vend: error: prediction {key} was canceled: it ran longer than --timeout 300ms\n"
    )
    assert server.count("POST", ONE_PREDICTION + "/cancel") == 1


def test_run_timeout_that_cannot_cancel(vend, server):
    server.script = [{"status": "processing"}]
    server.fail("POST", ONE_PREDICTION + "/cancel", status=403)
    done = vend("run", "lab/echo", "prompt=a", "--timeout", "300ms")
    warning, error = done.stderr.splitlines()
    assert done.returncode == 1 and "is not canceled: fault 403" in warning
    assert "was canceled" not in error and error.endswith(": it ran longer than --timeout 300ms")


def test_usage_by_model_marks_what_instances_pay_for(vend, server):
    def row(model, billed, amount):
        return {"model": model, "hardware": "cpu", "predictions": 2, "run_us": 3_000_000,
                "billed_us": billed, "seconds": "3", "amount": amount}

    def answered(*rows):
        body = {"results": list(rows), "total": {**row("", 3_000_000, "0"), "predictions": 4}}
        server.fail("GET", "/v1/usage", body=json.dumps(body).encode())
        return vend("usage", "--by", "model").stdout.splitlines()

    lines = answered(row("lab/own", 0, "0"), row("lab/open", 3_000_000, "0"))
    assert [line.split()[-1] for line in lines[1:4]] == ["-", "0", "0"]
    assert lines[4:] == [
        "", "-: private models and deployments are billed by the time of their instances; see 'vend usage'"
    ]
    assert len(answered(row("lab/open", 3_000_000, "0"))) == 3


def test_run_without_version(vend, server):
    server.models["lab/new"] = {"visibility": "private", "latest": None}
    done = vend("run", "lab/new", "prompt=a")
    assert done.returncode == 1 and "has no version yet" in done.stderr
    assert vend("run", "lab/nothing", "prompt=a").returncode == 1


def test_run_survives_a_server_that_is_away_for_a_moment(vend, server):
    server.script = [{"status": "processing"}, {"status": "succeeded", "output": "back"}]
    server.fail("GET", ONE_PREDICTION, cut=True, times=2)
    server.fail("GET", ONE_PREDICTION, status=503, times=2)
    server.fail("GET", ONE_PREDICTION, body=b"", status=500)
    done = vend("run", "lab/echo", "prompt=a")
    assert (done.returncode, done.stdout) == (0, "back\n"), done.stderr


def test_run_bad_json_while_polling(vend, server):
    server.fail("GET", ONE_PREDICTION, body=b"{")
    done = vend("run", "lab/echo", "prompt=a")
    assert done.returncode == 1 and "without a JSON object" in done.stderr


def test_run_interrupted_cancels(vend, server):
    server.script = [{"status": "processing"}]
    process = vend.start("run", "lab/echo", "prompt=a")
    server.wait_for("GET", ONE_PREDICTION, times=2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert server.count("POST", ONE_PREDICTION + "/cancel") == 1
    assert "canceled" in errors


def test_run_interrupted_twice_leaves_at_once(vend, server):
    server.script = [{"status": "processing"}]
    gate = threading.Event()
    server.fail("POST", ONE_PREDICTION + "/cancel", wait=gate)
    process = vend.start("run", "lab/echo", "prompt=a")
    server.wait_for("GET", ONE_PREDICTION, times=2)
    process.send_signal(signal.SIGINT)
    server.wait_for("POST", ONE_PREDICTION + "/cancel")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert not gate.is_set()
    assert process.returncode in (130, -signal.SIGINT)


def test_run_interrupted_during_a_slow_answer(vend, server):
    gate = threading.Event()
    server.fail("GET", "/v1/models/lab/echo", wait=gate)
    process = vend.start("run", "lab/echo", "prompt=a")
    server.wait_for("GET", "/v1/models/lab/echo")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert not gate.is_set()
    assert process.returncode == 130


# Output files


@pytest.fixture
def picture(server):
    server.schema["components"]["schemas"]["Output"] = {"type": "string", "format": "uri"}
    server.outputs["out.png"] = b"picture"
    url = f"{server.url}/v1/outputs/secret/out.png"
    server.script = [{"status": "succeeded", "output": url}]
    return url


def test_run_prints_urls_into_pipes(vend, server, picture):
    assert vend("run", "lab/echo", "prompt=a").stdout == picture + "\n"
    assert os.listdir(vend.cwd) == []


def test_run_saves_to_a_file(vend, server, picture):
    done = vend("run", "lab/echo", "prompt=a", "-o", "my.png")
    assert (done.returncode, done.stdout) == (0, "my.png\n"), done.stderr
    assert (vend.cwd / "my.png").read_bytes() == b"picture"
    assert os.listdir(vend.cwd) == ["my.png"]
    assert stat.S_IMODE((vend.cwd / "my.png").stat().st_mode) == 0o666 & ~get_umask()
    assert "authorization" not in server.find("GET", "/v1/outputs/.*")[0].headers


def get_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_run_never_overwrites(vend, server, picture):
    (vend.cwd / "my.png").write_text("mine")
    done = vend("run", "lab/echo", "prompt=a", "-o", "my.png")
    assert done.returncode == 2 and "overwrite it with -f" in done.stderr
    assert server.requests == []
    assert vend("run", "lab/echo", "prompt=a", "-o", "my.png", "-f").returncode == 0
    assert (vend.cwd / "my.png").read_bytes() == b"picture"


def test_run_does_not_overwrite_what_appears_meanwhile(vend, server, picture):
    gate = threading.Event()
    server.fail("GET", ONE_PREDICTION, wait=gate)
    process = vend.start("run", "lab/echo", "prompt=a", "-o", "my.png")
    server.wait_for("GET", ONE_PREDICTION)
    (vend.cwd / "my.png").write_text("mine")
    gate.set()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1 and "File exists" in errors
    assert (vend.cwd / "my.png").read_text() == "mine"
    assert os.listdir(vend.cwd) == ["my.png"]


def test_run_saves_into_a_directory(vend, server, picture):
    server.outputs["..%2F..%2Fevil.png"] = b"evil"
    bad = f"{server.url}/v1/outputs/secret/..%2F..%2Fevil.png"
    server.script = [{"status": "succeeded", "output": {"a": picture, "b": [bad, picture]}}]
    done = vend("run", "lab/echo", "prompt=a", "-o", "new/")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "a": "new/out.png", "b": ["new/___.._evil.png", "new/out-1.png"],
    }
    assert sorted(os.listdir(vend.cwd / "new")) == ["___.._evil.png", "out-1.png", "out.png"]


def test_run_numbers_several_files(vend, server, picture):
    server.script = [{"status": "succeeded", "output": [picture, picture]}]
    done = vend("run", "lab/echo", "prompt=a", "-o", "x.png")
    assert done.stdout == "x-1.png\nx-2.png\n"


def test_run_saves_text(vend, server):
    done = vend("run", "lab/echo", "prompt=a", "-o", "note.txt")
    assert (done.returncode, done.stdout) == (0, "")
    assert (vend.cwd / "note.txt").read_text() == "hello\n"


def test_run_failed_download_leaves_nothing(vend, server, picture):
    server.fail("GET", "/v1/outputs/.*", status=404)
    done = vend("run", "lab/echo", "prompt=a", "-o", "my.png")
    assert done.returncode == 1 and "download" in done.stderr
    server.fail("GET", "/v1/outputs/.*", body=b"short", headers={"Content-Length": "99"})
    assert vend("run", "lab/echo", "prompt=a", "-o", "my.png").returncode == 1
    assert os.listdir(vend.cwd) == []


def test_run_in_a_terminal(vend, server, picture):
    server.script.insert(0, {"status": "processing", "logs": "10%\n50% done\n"})
    code, shown = run_in_terminal(vend, "run", "lab/echo", "prompt=a")
    assert code == 0, shown
    assert "processing" in shown and "50% done" in shown
    assert "out.png" in shown and picture not in shown.splitlines()
    assert (vend.cwd / "out.png").read_bytes() == b"picture"
    run_in_terminal(vend, "run", "lab/echo", "prompt=a")
    assert sorted(os.listdir(vend.cwd)) == ["out-1.png", "out.png"]


def test_colour_only_where_it_is_wanted(vend):
    _, shown = run_in_terminal(vend, "logs", "bad")
    assert "\x1b[31m" in shown
    _, shown = run_in_terminal(vend, "logs", "bad", NO_COLOR="1")
    assert "\x1b" not in shown
    _, shown = run_in_terminal(vend, "logs", "bad", TERM="dumb")
    assert "\x1b" not in shown
    assert "\x1b" not in vend("logs", "bad").stderr


# Logs


def test_logs(vend, server):
    key = server.add_prediction([{"status": "processing", "logs": "one\ntwo"}])
    assert vend("logs", key).stdout == "one\ntwo\n"
    body = json.loads(vend("logs", key, "--json").stdout)
    assert body == {"id": key, "status": "processing", "logs": "one\ntwo"}


def test_logs_follow(vend, server):
    key = server.add_prediction(
        [
            {"status": "starting"},
            {"status": "processing", "logs": "one\n"},
            {"status": "processing", "logs": "one\ntwo\n"},
            {"status": "succeeded", "logs": "one\ntwo\nthree\n"},
        ]
    )
    assert vend("logs", "-f", key).stdout == "one\ntwo\nthree\n"


# vend push


@pytest.fixture
def source(vend):
    directory = vend.cwd / "model"
    directory.mkdir()
    (directory / "cog.yaml").write_text("build:\n  python_version: '3.11'\npredict: predict.py:Runner\n")
    (directory / "predict.py").write_text(
        "from cog import BasePredictor\n\n\n"
        "class Runner(BasePredictor):\n    def predict(self, s: str) -> str:\n        return s\n"
    )
    return directory


@pytest.fixture
def large_source(source):
    """Its packed form takes three pieces of an upload."""
    (source / "weights.bin").write_bytes(os.urandom(17 << 20))
    return source


PATCHES = r"/v1/uploads/\w+"
BUILDS = "/v1/models/lab/echo/builds"


def check_uploaded(server):
    (upload,) = server.uploads.values()
    assert len(upload["data"]) == upload["size"]
    assert hashlib.sha256(upload["data"]).hexdigest() == upload["sha256"]


def test_push(vend, server, large_source):
    done = vend("push", large_source, "lab/echo")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"lab/echo:{VERSION}"
    assert "step 1\nstep 2\n" in done.stderr
    check_uploaded(server)
    assert server.count("PATCH", PATCHES) == 3
    first, second = server.find("POST", BUILDS)
    assert "upload" not in first.json
    assert second.json["upload"] in server.uploads
    assert first.json["source_sha256"] == second.json["source_sha256"]


def test_push_of_this_directory_as_json(vend, server, source):
    vend.cwd = source
    done = vend("push", "lab/echo", "--json", "--smoke")
    assert json.loads(done.stdout)["version"] == VERSION
    assert server.find("POST", BUILDS)[0].json["smoke_start"] is True


def test_push_of_a_known_source(vend, server, source):
    vend("push", source, "lab/echo")
    server.known_sources[server.find("POST", BUILDS)[0].json["source_sha256"]] = "cd" * 32
    server.requests.clear()
    done = vend("push", source, "lab/echo")
    assert done.stdout == f"lab/echo:{'cd' * 32}\n"
    assert done.stderr.splitlines()[-1] == "the server has built this source already"
    assert [r.method for r in server.requests] == ["GET", "POST"]


def test_push_creates_the_model(vend, server, source):
    done = vend("push", source, "lab/fresh")
    assert done.returncode == 0, done.stderr
    assert "created private model lab/fresh" in done.stderr
    assert server.models["lab/fresh"]["visibility"] == "private"
    made = server.find("POST", "/v1/models")[0].json
    assert made["hardware"] == "cpu" and not server.find("GET", "/v1/hardware")
    done = vend("push", source, "lab/open", "--public")
    assert done.returncode == 0 and "created public model lab/open" in done.stderr
    # It is seen by others once it has a version.
    assert server.find("POST", "/v1/models")[-1].json["visibility"] == "private"
    assert server.models["lab/open"]["visibility"] == "public"
    done = vend("push", source, "lab/fresh", "--public")
    assert "stays private" in done.stderr


@pytest.mark.parametrize(
    "how",
    [
        {"cut": True},
        {"cut_after": 3 << 20},
        {"status": 500},
        {"status": 503},
        {"status": 429},
    ],
)
def test_push_goes_on_after_a_failure(vend, server, large_source, how):
    server.fail("PATCH", PATCHES, skip=1, times=2, **how)
    done = vend("push", large_source, "lab/echo")
    assert done.returncode == 0, done.stderr
    check_uploaded(server)


def test_push_goes_on_with_an_earlier_upload(vend, server, large_source):
    server.fail("PATCH", PATCHES, skip=1, status=403)
    done = vend("push", large_source, "lab/echo")
    assert done.returncode == 1 and "fault 403" in done.stderr
    assert len(next(iter(server.uploads.values()))["data"]) == 8 << 20
    server.requests.clear()
    assert vend("push", large_source, "lab/echo").returncode == 0
    assert server.count("PATCH", PATCHES) == 2
    check_uploaded(server)


def test_push_continues_where_the_server_stands(vend, server, source):
    answer = {"title": "Conflict", "detail": "elsewhere", "status": 409, "offset": 0}
    server.fail("PATCH", PATCHES, status=409, body=json.dumps(answer).encode())
    assert vend("push", source, "lab/echo").returncode == 0
    check_uploaded(server)


def test_push_gives_up_when_they_never_agree(vend, server, source):
    answer = {"title": "Conflict", "detail": "elsewhere", "status": 409, "offset": 5}
    server.fail("PATCH", PATCHES, times=99, status=409, body=json.dumps(answer).encode())
    done = vend("push", source, "lab/echo")
    assert done.returncode == 1 and "keeps answering with another offset" in done.stderr


@pytest.mark.parametrize("body", [b"{}", b"{", b'{"id": "x", "offset": -1}', b'{"id": "x", "offset": 9e99}'])
def test_push_bad_upload_answers(vend, server, source, body):
    server.fail("POST", "/v1/uploads", status=201, body=body)
    done = vend("push", source, "lab/echo")
    assert done.returncode == 1
    assert server.count("PATCH", PATCHES) == 0


def test_push_failed_build(vend, server, source):
    server.build_result = {"status": "failed", "error": "no such package 'tourch'"}
    done = vend("push", source, "lab/echo")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        "vend: error: the build failed: no such package 'tourch'"
    )


def test_push_that_fails_takes_its_model_back(vend, server, source):
    server.build_result = {"status": "failed", "error": "no such package 'tourch'"}
    done = vend("push", source, "lab/gone")
    assert done.returncode == 1 and "removed lab/gone again" in done.stderr, done.stderr
    assert "lab/gone" not in server.models
    server.fail("DELETE", "/v1/models/lab/stays", status=403)
    done = vend("push", source, "lab/stays")
    assert done.returncode == 1 and "'vend models delete lab/stays' deletes it" in done.stderr, done.stderr


def test_push_build_log_is_picked_up_again(vend, server, source):
    server.build_log = [b"step 1\n", b"step 2\n", None]
    server.build_polls = 2
    done = vend("push", source, "lab/echo")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("step 1") == 1 and done.stderr.count("step 2") == 1
    assert server.count("GET", r"/v1/builds/\w+/log") == 3


def test_push_without_model(vend, server):
    done = vend("push", "missing", "lab/echo")
    assert done.returncode == 2 and "'missing' is not a directory" in done.stderr
    done = vend("push", "lab/echo")
    assert done.returncode == 2 and "no cog.yaml in '.'" in done.stderr
    (vend.cwd / "lab/echo").mkdir(parents=True)
    done = vend("push", "lab/echo")
    assert done.returncode == 2 and "'vend push lab/echo owner/name'" in done.stderr
    assert server.requests == []


def test_push_prints_all_mistakes_with_their_lines(vend, server, source):
    (source / "cog.yaml").write_text("build:\n  python_version: 3\n  gpu: maybe\npredict: nothing\n")
    done = vend("push", source, "lab/echo")
    assert done.returncode == 2
    warning, *mistakes, last = done.stderr.splitlines()
    assert warning == "vend: warning: cog.yaml:4: predict: deprecated; the key is now 'run'"
    assert last == f"vend: error: {len(mistakes)} mistakes in cog.yaml"
    lines = [re.match(r"cog\.yaml:(\d+): ", m)[1] for m in mistakes]
    assert {"2", "3", "4"} <= set(lines)
    assert server.requests == []


def test_push_leaves_no_temporary_files(vend, server, source, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    assert vend("push", source, "lab/echo", TMPDIR=scratch).returncode == 0
    (source / "huge.bin").write_bytes(os.urandom(4096))
    done = vend("push", source, "lab/echo", TMPDIR=scratch, VEND_MAX_SOURCE="1K")
    assert done.returncode == 2, done.stderr
    assert os.listdir(scratch) == []


def test_push_interrupted_cancels_the_build(vend, server, source):
    gate = threading.Event()
    server.fail("GET", r"/v1/builds/\w+/log", wait=gate)
    process = vend.start("push", source, "lab/echo")
    server.wait_for("GET", r"/v1/builds/\w+/log")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert server.count("POST", r"/v1/builds/\w+/cancel") == 1


def test_push_shows_progress_in_a_terminal(vend, server, large_source):
    code, shown = run_in_terminal(vend, "push", str(large_source), "lab/echo")
    assert code == 0, shown
    assert "uploading [" in shown and "step 2" in shown
    assert shown.splitlines()[-1] == f"lab/echo:{VERSION}"

"""The command line against the real server: output and exit codes."""

import json
import signal
import subprocess

import requests

from waiting import wait_until


def test_run(server):
    ran = server.cli("run", "lab/echo", "text=hello", "upper=true")
    assert (ran.returncode, ran.stdout) == (0, "HELLO\n"), ran.stderr


def test_run_of_a_version_and_iterators(server):
    version = server.api().get("/models/lab/stream").json()["latest_version"]["id"]
    ran = server.cli("run", f"lab/stream:{version}", "count=3")
    assert ran.returncode == 0 and "chunk 0" in ran.stdout and "chunk 2" in ran.stdout


def test_run_with_a_secret_that_is_not_in_its_arguments(server, tmp_path):
    def key_of(ran):
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)["key"]

    run = ("run", "lab/types", "text=ab", "count=1")
    (tmp_path / "key").write_text("s3cret @\r\n")
    assert key_of(server.cli(*run, f"key=@{tmp_path}/key")) == "s3cret @"
    assert key_of(server.cli(*run, "key=@-", input="from a pipe\n")) == "from a pipe"
    before = server.api().get("/files").json()["results"]
    absent = server.cli(*run, f"key=@{tmp_path}/absent")
    assert absent.returncode == 2 and "input.key: cannot read" in absent.stderr
    (tmp_path / "bytes").write_bytes(b"\xff")
    wrong = server.cli(*run, f"key=@{tmp_path}/bytes")
    assert wrong.returncode == 2 and "not UTF-8" in wrong.stderr
    assert server.api().get("/files").json()["results"] == before


def test_run_with_files(server, tmp_path):
    (tmp_path / "in.txt").write_text("file")
    out = tmp_path / "result.txt"
    ran = server.cli("run", "lab/image", f"image=@{tmp_path}/in.txt", "-o", out)
    assert ran.returncode == 0, ran.stderr
    assert out.read_text() == "FILE"
    again = server.cli("run", "lab/image", f"image=@{tmp_path}/in.txt", "-o", out)
    assert again.returncode == 2 and out.read_text() == "FILE"
    (tmp_path / "two.txt").write_text("two")
    directory = tmp_path / "many"
    directory.mkdir()
    ran = server.cli(
        "run", "lab/files", f"files=@{tmp_path}/in.txt", f"files=@{tmp_path}/two.txt", "-o", directory
    )
    assert ran.returncode == 0, ran.stderr
    assert sorted(p.read_text() for p in directory.iterdir()) == ["FILE", "TWO"]


def test_files(server, tmp_path):
    (tmp_path / "my notes.txt").write_text("notes")
    uploaded = server.cli("files", "upload", tmp_path / "my notes.txt")
    assert uploaded.returncode == 0, uploaded.stderr
    url = uploaded.stdout.strip()
    assert url.startswith(server.url + "/v1/files/")
    file = url.rsplit("/", 1)[1]
    assert file in server.cli("files", "list").stdout

    link = server.cli("files", "link", file, "--for", "2m").stdout.strip()
    assert requests.get(link, timeout=30).text == "notes"
    (tmp_path / "here").mkdir()
    got = server.cli("files", "download", file, "-o", f"{tmp_path}/here/")
    assert got.returncode == 0, got.stderr
    assert (tmp_path / "here" / "my notes.txt").read_text() == "notes"
    again = server.cli("files", "download", file, "-o", f"{tmp_path}/here/")
    assert again.returncode == 2 and "my notes.txt" in again.stderr
    # What it names in an input reaches the model as bytes.
    ran = server.cli("run", "lab/image", f"image={url}", "-o", tmp_path / "out.txt")
    assert ran.returncode == 0 and (tmp_path / "out.txt").read_text() == "NOTES"

    assert server.cli("files", "delete", file).returncode == 0
    assert server.cli("files", "download", file).returncode == 1
    assert requests.get(link, timeout=30).status_code == 404
    for words in (["delete", "../x"], ["link", file, "--for", "soon"], ["upload"], ["nothing"]):
        assert server.cli("files", *words).returncode == 2


def test_failures_exit_1(server):
    ran = server.cli("run", "lab/faulty", "mode=throw")
    assert ran.returncode == 1 and "boom" in ran.stderr and "about to fail" in ran.stderr
    assert server.cli("run", "lab/nothing", "a=1").returncode == 1
    wrong = server.cli("models", env={"VEND_API_TOKEN": "vend_wrong_token_entirely"})
    assert wrong.returncode == 1 and "token" in wrong.stderr
    away = server.cli("models", env={"VEND_URL": "http://127.0.0.1:1"})
    assert away.returncode == 1 and away.stderr


def test_wrong_usage_exits_2(server):
    for words in (
        ["run"],
        ["run", "not-a-model"],
        ["run", "lab/types", "text=ab"],
        ["run", "lab/types", "text=ab", "count=many"],
        ["run", "lab/types", "text=ab", "count=99"],
        ["run", "lab/image", "image=@/no/such/file"],
        ["logs"],
        ["nothing"],
        ["models", "--nothing"],
        ["push", "/nowhere", "lab/x"],
    ):
        ran = server.cli(*words)
        assert ran.returncode == 2, (words, ran.stderr)
        assert ran.stderr and not ran.stdout


def test_lists(server):
    api = server.api()
    made = api.run("echo", {"text": "listed"})
    version = api.get("/models/lab/echo").json()["latest_version"]["id"]
    models = server.cli("models")
    assert models.returncode == 0 and "lab/echo" in models.stdout
    names = [m["name"] for m in json.loads(server.cli("models", "--json").stdout)["results"]]
    assert {"echo", "stream", "types"} <= set(names)
    versions = server.cli("versions", "lab/echo")
    assert versions.returncode == 0 and version[:12] in versions.stdout
    predictions = server.cli("predictions", "--json")
    assert made["id"] in [p["id"] for p in json.loads(predictions.stdout)["results"]]
    logs = server.cli("logs", made["id"])
    assert logs.returncode == 0 and "echo listed" in logs.stdout
    assert server.cli("logs", "nothing").returncode == 2
    assert server.cli("logs", "a" * 26).returncode == 1


def test_no_wait_and_cancel(server):
    ran = server.cli("run", "lab/echo", "delay=600", "--no-wait")
    assert ran.returncode == 0
    prediction = ran.stdout.strip()
    assert server.cli("cancel", prediction).returncode == 0
    assert server.api().ended(prediction)["status"] == "canceled"
    assert server.cli("cancel", "a" * 26).returncode == 1


def test_timeout_cancels(server):
    ran = server.cli("run", "lab/echo", "text=slow", "delay=600", "--timeout", "2s")
    assert ran.returncode == 1
    newest = server.api().get("/predictions").json()["results"]
    mine = next(p for p in newest if p["input"].get("text") == "slow")
    assert server.api().ended(mine)["status"] == "canceled"


def test_ctrl_c_cancels(server):
    process = subprocess.Popen(
        [server.binary, "run", "lab/echo", "text=interrupted", "delay=600"],
        env={**server.env, "VEND_URL": server.url, "VEND_API_TOKEN": server.token},
        cwd=server.directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    api = server.api()
    found = wait_until(
        lambda: [
            p
            for p in api.get("/predictions").json()["results"]
            if p["input"].get("text") == "interrupted" and p["status"] == "processing"
        ]
    )
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert api.ended(found[0])["status"] == "canceled"


def test_tokens(server):
    made = server.cli("tokens", "create", "ci", "--scopes", "read", "--json")
    if made.returncode == 2:
        made = server.cli("tokens", "create", "ci", "--scope", "read", "--json")
    assert made.returncode == 0, made.stderr
    token = json.loads(made.stdout)
    assert token["token"].startswith("vend_")
    listed = server.cli("tokens", "--json")
    assert listed.returncode == 0 and token["id"] in listed.stdout
    assert token["token"] not in listed.stdout


def test_other_commands(server):
    for words in (["--help"], ["run", "--help"], ["config"], ["--version"]):
        ran = server.cli(*words)
        assert ran.returncode == 0 and ran.stdout, (words, ran.stderr)
    assert server.cli("doctor").returncode in (0, 1)


def test_reads_cli_json(server):
    """Beside the server nobody has to type an address or a token."""
    env = {"VEND_DATA": str(server.data)}
    ran = subprocess.run(
        [server.binary, "models"],
        env={k: v for k, v in server.env.items() if not k.startswith("VEND_")} | env,
        cwd=server.directory,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0 and "lab/echo" in ran.stdout, ran.stderr

"""What others wrote, on a terminal: shown, never obeyed. In files and pipes: as it is."""

import os
import pty
import re
import subprocess

import pytest
from api_server import VERSION

TIMEOUT_S = 60
# Title, clipboard, clear, colour, C1 and bidirectional controls, delete, bell, NUL.
HOSTILE = "\x1b]0;title\x07\x1b]52;c;eA==\x1b\\\x1b[2Jred\u009b31m\u202egnp\u2066\x7f\x08é"
OBEYED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\u009f\u202a-\u202e\u2066-\u2069]")
# What commands parse.
KEPT = {
    "id", "status", "next", "previous", "url", "get", "version", "owner", "type", "format",
    "created_at", "started_at", "completed_at", "last_used_at", "revoked_at", "visibility", "key",
    "token", "username", "at", "schema", "$ref", "stream", "required", "enum",
}  # fmt: skip


def spoil(value, key=None):
    if isinstance(value, dict):
        return {name: spoil(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [spoil(part, key) for part in value]
    return value + HOSTILE if isinstance(value, str) and key not in KEPT else value


def on_terminal(vend, *words):
    """Everything that reaches the terminal, and the exit code."""
    master, slave = pty.openpty()
    client = subprocess.Popen(
        [vend.binary, *map(str, words)],
        cwd=vend.cwd,
        # Without sequences of its own.
        env=vend.make_env({"TERM": "dumb", "NO_COLOR": "1"}),
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    seen = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the last writer has gone
            break
        if not piece:
            break
        seen += piece
    os.close(master)
    return seen, client.wait(TIMEOUT_S)


def check(seen):
    text = seen.decode()  # strict: nothing that is not UTF-8
    assert not OBEYED.search(text), ascii(text)
    return text


@pytest.fixture
def hostile(vend, server):
    server.schema["components"]["schemas"]["Input"]["properties"]["prompt"]["description"] = "words"
    server.models["lab/echo"]["description"] = "words"
    server.script = [{"status": "succeeded", "output": "hello", "logs": "a log\n", "error": "words"}]
    server.deployments["lab/d"] = {
        "owner": "lab",
        "name": "d",
        "current_release": {"number": 1, "model": "lab/echo", "version": VERSION},
    }
    server.spoil = spoil
    return vend


def prediction(server):
    key = server.add_prediction(list(server.script), input={"prompt": "x"})
    return key


COMMANDS = [
    ["logs", "{id}"],
    ["logs", "-f", "{id}"],
    ["predictions", "list"],
    ["predictions", "get", "{id}"],
    ["run", "lab/echo", "prompt=x"],
    ["run", "lab/echo", "prompt=x", "--json"],
    ["models", "list"],
    ["models", "get", "lab/echo"],
    ["models", "get", "lab/absent"],
    ["versions", "lab/echo"],
    ["versions", "lab/echo", "show", VERSION],
    ["tokens", "list"],
    ["hardware"],
    ["webhooks"],
    ["deployments", "list"],
    ["doctor"],
    ["predictions", "list", "--json"],
    ["explain", "{id}"],
    ["usage"],
    ["decisions"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_command_lets_others_write_to_the_terminal(hostile, server, words):
    known = prediction(server)
    server.tokens["t"] = {"id": "t", "name": "words", "prefix": "vend_", "scopes": ["read"]}
    seen, _ = on_terminal(hostile, *[word.replace("{id}", known) for word in words])
    assert check(seen).strip()


def test_logs_and_outputs_keep_what_can_be_read(hostile, server):
    seen, code = on_terminal(hostile, "logs", prediction(server))
    text = check(seen)
    assert code == 0 and "a log\r\n^[]0;title^G" in text
    assert "red\\u009b31m\\u202egnp\\u2066^?^Hé" in text
    seen, code = on_terminal(hostile, "run", "lab/echo", "prompt=x")
    assert "hello^[]0;title^G" in check(seen)


def test_progress_bars_still_go_back_to_their_line(vend, server):
    server.script = [{"status": "succeeded", "output": "", "logs": "10 %\r20 %\tx\n"}]
    seen, _ = on_terminal(vend, "logs", prediction(server))
    assert b"10 %\r20 %\tx\r\n" in seen


def test_a_build_log_is_shown_and_not_obeyed(vend, server):
    # In pieces that cut characters, with a byte that is a control of old terminals.
    server.build_log = [b"step \x1b[2J1 \xc3", b"\xa9 \x9b31m \xe2\x80", b"\xae\n", b"end \xf0\x9f"]
    (vend.cwd / "cog.yaml").write_text("build:\n  python_version: '3.11'\npredict: predict.py:P\n")
    (vend.cwd / "predict.py").write_text("")
    seen, _ = on_terminal(vend, "push", "lab/echo")
    assert "step ^[[2J1 é \ufffd31m \\u202e" in check(seen)


def test_files_and_pipes_get_the_bytes_as_they_are(vend, server):
    server.script = [{"status": "succeeded", "output": HOSTILE, "logs": HOSTILE + "\n"}]
    assert vend("logs", prediction(server)).stdout == HOSTILE + "\n"
    assert vend("run", "lab/echo", "prompt=x").stdout == HOSTILE + "\n"

"""`vend secrets`: values from the standard input or a file, never from the command line."""

import json
import subprocess

import pytest


def feed(vend, text, *words):
    """With `text` on the standard input."""
    return subprocess.run(
        [vend.binary, *words], cwd=vend.cwd, env=vend.env, input=text, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("flags, kind", [((), "models"), (("--deployment",), "deployments")])
def test_set_list_remove(vend, server, flags, kind):
    kept = server.secrets
    made = feed(vend, "hf_value\n", "secrets", "set", "lab/echo", "HF_TOKEN", *flags)
    assert made.returncode == 0 and made.stdout == "", made
    assert "HF_TOKEN of lab/echo is set" in made.stderr and "hf_value" not in made.stderr
    (vend.cwd / "key.pem").write_text("two\nlines\r\n")
    assert vend("secrets", "set", "lab/echo", "KEY=@key.pem", *flags, "--json").returncode == 0
    assert kept == {(kind, "lab/echo"): {"HF_TOKEN": "hf_value", "KEY": "two\nlines"}}
    listed = vend("secrets", "list", "lab/echo", *flags)
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["NAME", "HF_TOKEN", "KEY"]
    assert "hf_value" not in listed.stdout
    document = json.loads(vend("secrets", "list", "lab/echo", "--json", *flags).stdout)
    assert [secret["name"] for secret in document["results"]] == ["HF_TOKEN", "KEY"]
    assert vend("secrets", "remove", "lab/echo", "KEY", *flags).returncode == 0
    assert list(kept[kind, "lab/echo"]) == ["HF_TOKEN"]
    assert vend("secrets", "remove", "lab/echo", "KEY", *flags).returncode == 1


@pytest.mark.parametrize(
    "words, expected",
    [
        (["list"], "owner/name"),
        (["list", "lab"], "expected owner/name"),
        (["set", "lab/echo"], "KEY"),
        (["set", "lab/echo", "A=value"], "standard input, or as A=@FILE"),
        (["set", "lab/echo", "A="], "A=@FILE"),
        (["set", "lab/echo", "A=@"], "A=@FILE"),
        (["set", "lab/echo", "A=@missing"], "'missing'"),
        (["set", "lab/echo", "A=@large"], "large"),
        (["set", "lab/echo", "A=@binary"], "value: expected text without NUL"),
        (["set", "lab/echo", "A=@newline"], "value: expected 1 to 32768 bytes"),
        (["set", "lab/echo", "A"], "value: expected 1 to 32768 bytes"),
        (["set", "lab/echo", "PATH=@newline"], "Vend sets this variable itself"),
        (["set", "lab/echo", "A-B"], "name 'A-B'"),
        (["remove", "lab/echo"], "KEY"),
        (["remove", "lab/echo", "LD_PRELOAD"], "name 'LD_PRELOAD'"),
    ],
)
def test_bad_usage_is_told_before_any_request(vend, server, words, expected):
    (vend.cwd / "newline").write_text("\n")
    (vend.cwd / "large").write_text("x" * 40000)
    (vend.cwd / "binary").write_bytes(b"a\0b")
    done = vend("secrets", *words)
    assert done.returncode == 2, done
    assert expected in done.stderr and done.stdout == ""
    assert server.requests == []

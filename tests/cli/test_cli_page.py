"""The examples of docs/cli.md, run as a reader would run them."""

import pathlib
import re
import subprocess

import pytest

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "cli.md"
EXAMPLES = re.findall(r"<!-- test: (\w+) -->\n```sh\n(.*?)```", PAGE.read_text(), re.S)


@pytest.mark.parametrize("script", [text for _, text in EXAMPLES], ids=[name for name, _ in EXAMPLES])
def test_example(vend, server, script):
    server.schema["components"]["schemas"]["TrainingInput"] = {
        "type": "object",
        "properties": {"steps": {"type": "integer"}},
    }
    programs = vend.cwd / "programs"
    programs.mkdir()
    (programs / "vend").symlink_to(vend.binary)
    env = vend.make_env({"PATH": f"{programs}:{vend.env['PATH']}"})
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=vend.cwd, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr

"""Agents of the command line, unmodified, against a server that runs and a model that chats.

    npm install --prefix /tmp/agents @continuedev/cli@1.5.47 @openai/codex@0.171.0 opencode-ai@1.18.33
    python3.11 -m venv /tmp/aider && /tmp/aider/bin/pip install aider-chat==0.86.2
    python3.11 -m venv /tmp/gptme && /tmp/gptme/bin/pip install gptme==0.35.1
    python tests/conformance/openai/try_agents.py http://localhost:8363 TOKEN --chat alice/smollm \\
        --npm /tmp/agents --aider /tmp/aider/bin/aider --gptme /tmp/gptme/bin/gptme

Each asks one question in an empty folder and must end well; the server has its run. What a small
model answers to the long instructions of an agent is not looked at.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

from runs import Runs, show

QUESTION = "What is the capital of France?"
# A prompt of 5,000 tokens takes a small machine its time.
TOOL_S = 600

CODEX = """model = "{chat}"
model_provider = "vend"

[model_providers.vend]
name = "Vend"
base_url = "{base}"
env_key = "VEND_API_TOKEN"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""


def run(words, folder, **more):
    env = {**os.environ, "HOME": str(folder), **more}
    return subprocess.run(
        [str(word) for word in words], cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TOOL_S
    )


def try_aider(options, base, folder):
    words = ["--no-git", "--yes-always", "--no-show-model-warnings", "--no-check-update", "--analytics-disable"]
    address = ["--openai-api-base", base, "--openai-api-key", options.token]
    return run(
        [options.aider, "--model", f"openai/{options.chat}", *address, *words, "--chat-mode", "ask", "--map-tokens", "0", "--message", QUESTION],
        folder,
    )


def try_gptme(options, base, folder):
    words = [options.gptme, "--non-interactive", "--no-confirm", "-m", f"openai/{options.chat}", QUESTION]
    return run(words, folder, OPENAI_BASE_URL=base, OPENAI_API_KEY=options.token)


def try_continue(options, base, folder):
    model = {"name": "vend", "provider": "openai", "model": options.chat, "apiBase": base, "apiKey": options.token, "roles": ["chat"]}
    # YAML contains JSON.
    (folder / "config.yaml").write_text(json.dumps({"name": "Vend", "version": "1.0.0", "schema": "v1", "models": [model]}))
    return run([options.npm / "node_modules/.bin/cn", "--config", "config.yaml", "-p", QUESTION], folder)


def try_codex(options, base, folder):
    (folder / "codex").mkdir()
    (folder / "codex/config.toml").write_text(CODEX.format(chat=options.chat, base=base))
    words = [options.npm / "node_modules/.bin/codex", "exec", "--skip-git-repo-check", QUESTION]
    return run(words, folder, CODEX_HOME=str(folder / "codex"), VEND_API_TOKEN=options.token)


def try_opencode(options, base, folder):
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Vend",
        "options": {"baseURL": base, "apiKey": options.token},
        "models": {options.chat: {"name": options.chat}},
    }
    (folder / "opencode.json").write_text(json.dumps({"provider": {"vend": provider}, "model": f"vend/{options.chat}"}))
    return run([options.npm / "node_modules/.bin/opencode", "run", QUESTION], folder, OPENCODE_CONFIG=str(folder / "opencode.json"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--chat", required=True, metavar="owner/name")
    parser.add_argument("--npm", type=pathlib.Path, metavar="FOLDER", help="tries Continue, Codex and opencode")
    parser.add_argument("--aider", metavar="PROGRAM")
    parser.add_argument("--gptme", metavar="PROGRAM")
    options = parser.parse_args()
    tools = {"aider": try_aider} if options.aider else {}
    tools |= {"continue": try_continue, "codex": try_codex, "opencode": try_opencode} if options.npm else {}
    tools |= {"gptme": try_gptme} if options.gptme else {}
    failed = []
    for name, attempt in tools.items():
        runs = Runs(options.url, options.token)
        with tempfile.TemporaryDirectory() as folder:
            ended = attempt(options, options.url + "/openai/v1", pathlib.Path(folder))
        made = [row for row in runs.made() if row["status"] == "succeeded"]
        if ended.returncode != 0 or not made:
            failed.append(name)
            print(f"FAILED {name}: {ended.returncode}\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}", flush=True)
        else:
            show(name, (made[0]["id"], ended.stdout.strip()[-80:]))
    raise SystemExit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()

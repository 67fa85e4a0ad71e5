"""Open WebUI, unmodified, against a server that runs and models that are pushed; through a browser.

    python3.11 -m venv /tmp/webui && /tmp/webui/bin/pip install open-webui==0.12.4      # 6 GB
    python tests/conformance/openai/try_open_webui.py http://localhost:8363 TOKEN \\
        --open-webui /tmp/webui/bin/open-webui --chat alice/smollm --picture webui.png

It needs playwright and Chromium, as ./test web does. Asks the model twice in one chat, stops a long
answer, and looks at the predictions of the server.
"""

import argparse
import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from playwright.sync_api import expect, sync_playwright

from runs import Runs, show

QUESTION = "What is the capital of France?"
CHROMIUM = "/usr/bin/chromium"
START_S = 300
PATIENCE_MS = 120_000


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def open_webui(program, base, token):
    """Its address; the settings are those of its environment."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, open(pathlib.Path(folder, "log"), "w+") as log:
        env = {
            **os.environ,
            "HOME": folder,
            "DATA_DIR": folder,
            "OPENAI_API_BASE_URL": base,
            "OPENAI_API_KEY": token,
            "ENABLE_OLLAMA_API": "false",
            "WEBUI_AUTH": "false",
            # Nothing is fetched from elsewhere.
            "OFFLINE_MODE": "true",
            "RAG_EMBEDDING_ENGINE": "openai",
        }
        server = subprocess.Popen(
            [program, "serve", "--host", "127.0.0.1", "--port", str(port)], env=env, cwd=folder, stdout=log, stderr=log
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server)
            yield f"http://127.0.0.1:{port}"
        except BaseException:
            log.seek(0)
            print(log.read()[-4000:], file=sys.stderr)
            raise
        finally:
            server.terminate()
            server.wait()


def wait_for(url, server):
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError):
            if urllib.request.urlopen(url, timeout=5).status == 200:
                return
        time.sleep(0.2)
    raise SystemExit("Open WebUI does not start")


def ask(page, question):
    page.locator("#chat-input").click()
    page.keyboard.type(question)
    page.keyboard.press("Enter")


def chat(page, address, models, runs):
    page.goto(f"{address}/?models={models.chat}", wait_until="domcontentloaded")
    page.get_by_text("Okay, Let's Go!").click()
    ask(page, QUESTION)
    expect(page.locator("#response-content-container").first).to_contain_text("Paris")
    show("open-webui answer", page.locator("#response-content-container").first.inner_text())
    show("open-webui run", runs.ended(QUESTION)["id"])
    again = "And of Italy?"
    ask(page, again)
    expect(page.locator("#response-content-container")).to_have_count(2)
    show("open-webui second run", runs.ended(again + "\nassistant:")["input"]["prompt"])
    long = "Write a very long story about the sea."
    ask(page, long)
    expect(page.locator("#response-content-container").nth(2)).to_contain_text(re.compile(r"\w{3}"))
    page.get_by_role("button", name="Stop", exact=True).click()
    show("open-webui stop", runs.ended(long + "\nassistant:", "canceled")["id"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--open-webui", required=True, metavar="PROGRAM")
    parser.add_argument("--chat", required=True, metavar="owner/name")
    parser.add_argument("--picture", metavar="FILE")
    models = parser.parse_args()
    runs = Runs(models.url, models.token)
    with (
        open_webui(models.open_webui, models.url + "/openai/v1", models.token) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        try:
            chat(page, address, models, runs)
        finally:
            if models.picture:
                page.screenshot(path=models.picture)
            browser.close()


if __name__ == "__main__":
    main()

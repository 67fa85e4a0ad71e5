"""The quickstart and the README's first calls, run as a reader would run them."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import threading

import pytest
import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_SECONDS = 900


class Quickstart:
    """./quickstart, with its output collected and its end awaited."""

    def __init__(self, data):
        self.output = ""
        self.data = data
        self.serving = threading.Event()
        environment = {
            **os.environ,
            "VEND_DATA": str(data),
            "VEND_LISTEN": "127.0.0.1:0",
        }
        for name in ("VEND_URL", "VEND_API_TOKEN", "REPLICATE_BASE_URL", "REPLICATE_API_TOKEN"):
            environment.pop(name, None)
        self.process = subprocess.Popen(
            ["./quickstart"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.output += line
            if "/-/login/" in line:
                self.serving.set()
        self.serving.set()

    def value(self, name):
        return re.search(rf"^{name}: +(\S+)$", self.output, re.M).group(1)

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(60)
        self.reader.join()


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    run = Quickstart(tmp_path_factory.mktemp("data"))
    try:
        assert run.serving.wait(TIMEOUT_SECONDS)
        assert run.process.poll() is None, run.output
        yield run
    finally:
        run.stop()


@pytest.fixture(scope="module")
def environment(quickstart):
    return {
        **os.environ,
        "REPLICATE_BASE_URL": quickstart.value("Address"),
        "REPLICATE_API_TOKEN": quickstart.value("Token"),
    }


def readme_example(language):
    text = (ROOT / "README.md").read_text()
    return re.search(rf"<!-- test: {language} -->\n```\w+\n(.*?)```", text, re.S).group(1)


def test_models_answer(quickstart):
    assert "Paris" in quickstart.output
    assert re.search(r"upscaled twice:\n +http://\S+\.png", quickstart.output)


def test_the_last_line_opens_the_page(quickstart):
    link = quickstart.output.strip().splitlines()[-1]
    browser = requests.Session()
    browser.trust_env = False
    page = browser.get(link, headers={"Accept": "text/html"}, timeout=60)
    assert page.url == quickstart.value("Address") + "/"
    assert page.headers["Content-Type"].startswith("text/html"), page.text
    assert browser.get(page.url + "-/session", timeout=60).json()["scopes"]


def test_readme_python(environment):
    ended = subprocess.run(
        [sys.executable, "-c", readme_example("python")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip()


def test_readme_shell(environment):
    ended = subprocess.run(
        ["sh", "-c", readme_example("shell")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert '"status":"succeeded"' in ended.stdout


def test_ctrl_c_ends_it(quickstart):
    quickstart.stop()
    assert "Traceback" not in quickstart.output
    left = subprocess.run(["pgrep", "-f", f"vend .*{quickstart.data}"], capture_output=True, text=True)
    assert left.stdout == ""

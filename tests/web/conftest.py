"""The page in Debian's Chromium, against the real server and the models of tests/models."""

import re

import pytest
from playwright.sync_api import expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
# Sanitizers make the server slow, and several tests run side by side.
PATIENCE_MS = 30_000
# What the browser says of replies that are errors: tests look at what the page makes of them.
EXPECTED = re.compile(r"^Failed to load resource: the server responded with a status of|net::ERR_CONNECTION")

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"],
        )
        yield browser
        browser.close()


class Faults:
    """Errors of scripts and of the Content-Security-Policy on all pages of a context."""

    def __init__(self, context):
        self.seen = []
        context.on("weberror", lambda error: self.seen.append(str(error.error)))
        context.on("console", self._note)

    def _note(self, message):
        if message.type == "error" and not EXPECTED.search(message.text):
            self.seen.append(message.text)


@pytest.fixture
def context(chromium, server):
    context = chromium.new_context(base_url=server.url, permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(PATIENCE_MS)
    faults = Faults(context)
    yield context
    context.close()
    assert faults.seen == []


def sign_in(context, server, token=None):
    """By a link, as `vend login` prints."""
    link = server.api(token).post("//-/session/links", expect=201).json()["url"]
    page = context.new_page()
    page.goto(link)
    return page


@pytest.fixture
def page(context, server):
    """A page of somebody who is signed in with all scopes."""
    return sign_in(context, server)

"""Several pages at once, and a server that is killed and comes back."""

import re

from playwright.sync_api import expect
from shared_file import SharedFile


def test_two_tabs_of_a_browser(page, server):
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto("/lab/echo")
    page.get_by_label("text", exact=True).fill("first tab")
    other.get_by_label("text", exact=True).fill("second tab")
    for tab in (page, other):
        tab.get_by_role("button", name=re.compile("^Run")).click()
    for tab, text in ((page, "first tab"), (other, "second tab")):
        output = tab.get_by_role("region", name="Result").get_by_role("region", name="Output")
        expect(output).to_contain_text(text, timeout=60_000)


def test_the_server_is_killed_while_a_run_is_live(page, server):
    """The director keeps the run; the page says that nobody answers, and goes on by itself."""
    gate = SharedFile(server)
    run = server.api().create("frames", {"count": 1, "gate": str(gate)})
    server.api().reaches(run, "processing")
    page.goto(f"/p/{run['id']}")
    status = page.get_by_role("region", name="Result").get_by_role("status").first
    expect(status).to_contain_text("Processing")
    address = server.url.removeprefix("http://")
    server.kill()
    expect(page.get_by_text("The server does not answer")).to_be_visible()
    server.start("--listen", address)
    gate.open_gate(0)
    expect(status).to_contain_text("Succeeded", timeout=60_000)
    expect(page.get_by_text("The server does not answer")).to_have_count(0)


def test_the_main_job_without_a_mouse(page, server):
    """From the front to an output by keys alone."""
    page.goto("/explore")
    page.get_by_role("heading", name="Explore").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("lab/stream")
    link = page.get_by_role("link", name="lab/stream")
    expect(link).to_have_count(1)
    for _ in range(30):
        page.keyboard.press("Tab")
        if link.evaluate("(element) => element === document.activeElement"):
            break
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="lab / stream")).to_be_visible()
    expect(page.get_by_role("button", name="Run")).to_be_enabled()
    page.keyboard.press("Control+Enter")
    status = page.get_by_role("region", name="Result").get_by_role("status").first
    expect(status).to_contain_text("Succeeded", timeout=60_000)

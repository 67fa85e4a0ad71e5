"""Sharing a prediction by a link, and deleting its data."""

import re

from playwright.sync_api import expect


def open_run(page, server, text):
    made = server.api().run("echo", {"text": text})
    page.goto(f"{server.url}/p/{made['id']}")
    return made


def test_a_link_for_somebody_without_a_token(page, server, chromium):
    open_run(page, server, "for everybody")
    page.get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog", name="Share this prediction")
    dialog.get_by_role("button", name="Make a link").click()
    link = dialog.get_by_label("Link", exact=True).input_value()
    assert link.startswith(f"{server.url}/s/")
    stranger = chromium.new_context()
    other = stranger.new_page()
    other.goto(link)
    expect(other.get_by_role("region", name="Output")).to_contain_text("for everybody")
    expect(other.get_by_role("link", name="Sign in")).to_be_visible()
    dialog.get_by_role("button", name="Take the link back").click()
    expect(dialog.get_by_role("button", name="Make a link")).to_be_visible()
    other.reload()
    expect(other.get_by_role("heading", name="This link shows nothing any more")).to_be_visible()
    stranger.close()


def test_the_data_go_at_once(page, server):
    made = open_run(page, server, "not for long")
    expect(page.get_by_role("region", name="Result")).to_contain_text("not for long")
    page.get_by_role("button", name="Delete the data").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the data").click()
    expect(page.get_by_role("region", name="Result")).to_contain_text("were removed")
    expect(page.get_by_text("not for long")).to_have_count(0)
    expect(page.get_by_role("button", name="Share")).to_have_count(0)
    assert server.api().prediction(made)["data_removed"]


def test_what_runs_can_be_neither(page, server):
    api = server.api()
    made = api.create("echo", {"text": "x", "delay": 600})
    page.goto(f"{server.url}/p/{made['id']}")
    expect(page.get_by_role("button", name=re.compile("Cancel"))).to_be_visible()
    expect(page.get_by_role("button", name="Share")).to_have_count(0)
    expect(page.get_by_role("button", name="Delete the data")).to_have_count(0)
    api.post(f"/predictions/{made['id']}/cancel", expect=200)

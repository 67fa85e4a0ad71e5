"""The operator's page: what runs now, decisions, charts, advice, accounts."""

import sqlite3

import pytest
from conftest import sign_in
from playwright.sync_api import expect
from shared_file import SharedFile

FLAGS = ("--hardware-price", "cpu=0.01")


@pytest.fixture(scope="module", autouse=True)
def busy(server):
    """Some runs, one instance, its decisions. The first run was hours ago: advice needs an hour."""
    old = server.api().run("echo", {"text": "old"})
    server.stop()
    with sqlite3.connect(server.data / "vend.db") as database:
        times = ", ".join(f"{name} = {name} - 10800000000" for name in ("created_us", "started_us", "completed_us"))
        database.execute(f"UPDATE predictions SET {times} WHERE id = ?", (old["id"],))
    server.start("--listen", server.url.removeprefix("http://"))
    api = server.api()
    for n in range(3):
        api.run("echo", {"text": str(n)})


def test_instances_and_hardware_are_live(page, server):
    page.goto("/operate")
    expect(page.get_by_role("table", name="Queues").get_by_role("row").filter(has_text="lab/echo")).to_contain_text("0 of 1")
    expect(page.get_by_role("table", name="Machine and hardware")).to_contain_text("CPU")
    gate = SharedFile(server)
    run = server.api().create("frames", {"count": 1, "gate": str(gate)})
    row = page.get_by_role("table", name="Instances").get_by_role("row").filter(has_text="lab/frames")
    expect(row).to_contain_text("1 of 1")
    gate.open_gate(0)
    server.api().ended(run)
    expect(row).to_contain_text("0 of 1")


def test_a_table_is_sorted_by_the_head_of_a_column(page):
    page.goto("/operate")
    head = page.get_by_role("table", name="Queues").get_by_role("columnheader", name="Model or deployment")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")


def test_decisions_are_sentences_with_what_they_came_from(page, server):
    page.goto("/operate")
    page.get_by_role("link", name="Decisions").click()
    expect(page).to_have_url(f"{server.url}/operate/decisions")
    entry = page.get_by_role("listitem").filter(has_text="Starting an instance of lab/echo").first
    entry.get_by_text("Decided from").click()
    expect(entry.get_by_text("hardware units")).to_be_visible()
    page.get_by_label("Model").fill("lab/nothing")
    expect(page.get_by_role("heading", name="No decisions")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Model")).to_have_value("lab/nothing")


def test_charts_have_tables(page):
    page.goto("/operate/charts?time=hour")
    chart = page.get_by_role("figure").filter(has_text="Requests")
    expect(chart.locator("canvas")).to_be_visible()
    chart.get_by_text("As a table").click()
    expect(chart.get_by_role("table", name="Requests")).to_be_visible()
    by_model = page.get_by_role("table", name="Utilisation and cost by model")
    expect(by_model.get_by_role("row").filter(has_text="lab/echo")).to_contain_text("cpu")
    expect(page.get_by_role("table", name="Cost by account").get_by_role("link", name="lab")).to_be_visible()
    page.get_by_label("Time", exact=True).select_option("Last 7 days")
    expect(page.get_by_role("figure").filter(has_text="Cost of runs by day")).to_be_visible()


def test_advice_recommends_and_shows_what_was_tried(page):
    page.goto("/operate/advice")
    about = page.get_by_role("region", name="lab/echo")
    expect(about).to_contain_text("4 requests in 3 h")
    table = about.get_by_role("table", name="Settings that were tried for lab/echo")
    expect(table.get_by_role("row").filter(has_text="Now")).to_have_count(1)
    expect(table.get_by_role("row").filter(has_text="Best")).to_have_count(1)
    expect(page.get_by_role("region", name="The command of the advice")).to_contain_text("vend advise")


def test_settings_are_shown_with_their_help(page):
    page.goto("/operate/settings")
    table = page.get_by_role("table", name="Settings of the server")
    expect(table.get_by_role("row").filter(has_text="hardware-price")).to_contain_text("cpu=0.01")
    page.get_by_label("Search settings").fill("idle stop")
    expect(table.get_by_role("row").filter(has_text="idle-timeout")).to_be_visible()
    expect(table.get_by_role("row").filter(has_text="hardware-price")).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Search settings")).to_have_value("idle stop")
    page.get_by_label("Search settings").fill("")
    page.get_by_label("Only those that are set").check()
    expect(table.get_by_role("row").filter(has_text="hardware-price")).to_contain_text("flag")
    expect(table.get_by_role("row").filter(has_text="max-body")).to_have_count(0)


def test_the_doctor_checks_the_machine_of_the_server(page):
    page.goto("/operate/doctor")
    checks = page.get_by_role("list", name="Checks of the server's machine")
    expect(checks.get_by_role("listitem").filter(has_text="disk")).to_contain_text("free in")
    expect(page.get_by_role("region", name="The command of the audit")).to_contain_text("vend doctor --audit")
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("button", name="Check again")).to_be_enabled()


def test_an_account_is_made_and_gets_a_budget(page, server):
    page.goto("/operate/accounts")
    form = page.get_by_role("form", name="Create an account")
    form.get_by_label("Username").fill("guest")
    form.get_by_role("button", name="Create account").click()
    page.get_by_role("button", name="Change the budget of guest").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Refuse new runs from").fill("a lot")
    dialog.get_by_role("button", name="Set the budget").click()
    expect(dialog.get_by_role("alert")).to_contain_text("hard")
    dialog.get_by_label("Refuse new runs from").fill("12.50")
    dialog.get_by_role("button", name="Set the budget").click()
    expect(page.get_by_role("row").filter(has_text="guest")).to_contain_text("of 12.50 spent")
    assert server.api().get("/accounts/guest/budget").json()["hard"] == "12.5"


def test_others_are_told_what_is_missing(context, server):
    token = server.api().post("/tokens", {"name": "reader", "scopes": ["read"]}, 201).json()["token"]
    page = sign_in(context, server, token)
    page.goto("/operate")
    expect(page.get_by_role("heading", name="This needs the scope admin")).to_be_visible()

"""The lists of predictions and trainings: rows, filters, pages as one scrolls, new runs as they come."""

import pytest
from playwright.sync_api import expect
from shared_file import SharedFile

MANY = 130  # more than a page of the API
MOST_DRAWN = 70


@pytest.fixture(scope="module")
def many(server):
    api = server.api()
    made = [api.create("echo", {"text": f"run {n}"}) for n in range(MANY)]
    return [api.ended(run) for run in made]


def row_of(page, run):
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=run["id"], exact=True))


def scroll_to(page, run):
    """Rows out of view are not drawn: scrolls on, by less than what is drawn, until the row is there."""
    row = row_of(page, run)
    while row.count() == 0:
        before = page.evaluate("scrollY")
        page.wait_for_function("(before) => { scrollBy(0, 400); return scrollY > before; }", arg=before)
    return row


def test_a_run_is_listed_and_opens(page, server):
    run = server.api().run("echo", {"text": "one"})
    page.goto("/predictions")
    row = row_of(page, run)
    expect(row).to_contain_text("Succeeded")
    expect(row.get_by_role("link", name="lab/echo")).to_have_attribute("href", "/lab/echo")
    expect(row).to_contain_text(run["version"][:12])
    row.get_by_role("link", name=run["id"]).click()
    expect(page).to_have_url(f"{server.url}/p/{run['id']}")


def test_a_run_appears_and_ends_by_itself(page, server):
    api = server.api()
    page.goto("/predictions")
    expect(page.get_by_role("heading", name="Predictions")).to_be_visible()
    gate = SharedFile(server)
    run = api.create("frames", {"count": 1, "gate": str(gate)})
    expect(row_of(page, run)).to_contain_text("Processing")
    gate.open_gate(0)
    expect(row_of(page, run)).to_contain_text("Succeeded")


def test_all_runs_come_as_one_scrolls(page, many):
    page.goto("/predictions")
    expect(row_of(page, many[-1])).to_be_visible()
    expect(scroll_to(page, many[0])).to_be_visible()
    assert page.get_by_role("row").count() < MOST_DRAWN
    assert page.get_by_role("table").get_attribute("aria-rowcount") is not None


def test_new_runs_do_not_move_the_rows(page, many, server):
    page.goto("/predictions")
    row = scroll_to(page, many[60])
    place = row.bounding_box()
    run = server.api().run("echo", {"text": "new"})
    page.get_by_role("button", name="Show 1 new one").click(trial=True)
    assert row.bounding_box() == place
    page.get_by_role("button", name="Show 1 new one").click()
    expect(row_of(page, run)).to_be_in_viewport()


def test_the_way_back_keeps_the_place(page, many):
    page.goto("/predictions")
    row = scroll_to(page, many[20])
    row.scroll_into_view_if_needed()
    row.get_by_role("link", name=many[20]["id"]).click()
    expect(page).to_have_url(f"{page.url.split('/p')[0]}/p/{many[20]['id']}")
    page.go_back()
    expect(row_of(page, many[20])).to_be_in_viewport()


def test_filters_are_in_the_address(page, many):
    page.goto("/predictions")
    page.get_by_label("Only from the web page").check()
    expect(page.get_by_role("heading", name="No predictions match")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Only from the web page")).to_be_checked()
    page.get_by_role("button", name="Remove the filters").click()
    expect(row_of(page, many[-1])).to_be_visible()
    page.get_by_label("Before", exact=True).fill("2020-01-01")
    expect(page.get_by_role("heading", name="No predictions match")).to_be_visible()


def test_trainings(page, server):
    api = server.api()
    page.goto("/trainings")
    expect(page.get_by_role("heading", name="No trainings yet")).to_be_visible()
    api.post("/models", {"owner": "lab", "name": "tuned", "visibility": "private", "hardware": "cpu"}, 201)
    version = api.get("/models/lab/trainer").json()["latest_version"]["id"]
    body = {"destination": "lab/tuned", "input": {"steps": 1}}
    training = api.post(f"/models/lab/trainer/versions/{version}/trainings", body, 201).json()
    row = row_of(page, training)
    expect(row).to_contain_text("lab/trainer")
    expect(row).to_contain_text("Succeeded")


def test_a_phone_has_the_same_links(page, many):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/predictions")
    expect(row_of(page, many[-1])).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_filters_by_status_model_version_and_deployment(page, server, many):
    """The one that is looked for is far behind the first page."""
    api = server.api()
    failed = api.run("faulty", {"mode": "raise"})
    version = many[0]["version"]
    body = {"name": "chosen", "model": "lab/echo", "version": version, "hardware": "cpu"}
    api.post("/deployments", {**body, "min_instances": 0, "max_instances": 1}, 200)
    through = api.ended(api.post("/deployments/lab/chosen/predictions", {"input": {"text": "x"}}, 201).json())
    for _ in range(110):
        last = api.create("echo", {"text": "behind"})
    api.ended(last)
    page.goto("/predictions")
    expect(row_of(page, last)).to_be_visible()
    page.get_by_label("Status").select_option("failed")
    expect(row_of(page, failed)).to_be_visible()
    expect(row_of(page, last)).to_have_count(0)
    page.get_by_label("Model", exact=True).fill("lab/echo")
    page.get_by_label("Model", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="No predictions match")).to_be_visible()
    page.get_by_label("Status").select_option("any")
    page.get_by_label("Version").select_option(version)
    expect(row_of(page, last)).to_be_visible()
    page.get_by_label("Deployment").fill("lab/chosen")
    page.get_by_label("Deployment").press("Enter")
    expect(row_of(page, through)).to_be_visible()
    expect(row_of(page, last)).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Deployment")).to_have_value("lab/chosen")
    expect(row_of(page, through)).to_be_visible()

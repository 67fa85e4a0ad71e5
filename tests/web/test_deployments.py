"""Deployments: made by the form, changed, rolled to another version, deleted."""

import pytest
from playwright.sync_api import expect
from waiting import wait_until

FLAGS = ("--deployment-delete-idle", "0s")


@pytest.fixture(scope="module")
def versions(server):
    """Two versions of lab/tuned, by training twice; the newest first."""
    api = server.api()
    api.post("/models", {"owner": "lab", "name": "tuned", "visibility": "private", "hardware": "cpu"}, 201)
    base = api.get("/models/lab/trainer").json()["latest_version"]["id"]
    for steps in (1, 2):
        body = {"destination": "lab/tuned", "input": {"steps": steps}}
        training = api.post(f"/models/lab/trainer/versions/{base}/trainings", body, 201).json()
        wait_until(
            lambda: api.get(f"/trainings/{training['id']}").json()["status"] == "succeeded",
            what="the training",
        )
    return [version["id"] for version in api.get("/models/lab/tuned/versions").json()["results"]]


def deploy(api, name, version, **more):
    body = {"name": name, "model": "lab/tuned", "version": version, "hardware": "cpu"}
    return api.post("/deployments", {**body, "min_instances": 0, "max_instances": 1, **more}, 200).json()


def release(api, name):
    return api.get(f"/deployments/lab/{name}").json()["current_release"]


def test_a_deployment_is_made_by_the_form(page, server, versions):
    page.goto("/deployments")
    expect(page.get_by_role("heading", name="No deployments yet")).to_be_visible()
    page.get_by_role("link", name="New deployment").click()
    form = page.get_by_role("form", name="Create a deployment")
    form.get_by_label("Name", exact=True).fill("made")
    form.get_by_label("Model").fill("lab/tuned")
    form.get_by_label("Version", exact=True).select_option(versions[1])
    form.get_by_label("Maximum of instances").fill("2")
    form.get_by_text("More settings").click()
    form.get_by_label("Idle timeout, seconds").fill("30")
    form.get_by_role("button", name="Create deployment").click()
    expect(page.get_by_role("heading", name="lab/made")).to_be_visible()
    expect(page).to_have_url(f"{server.url}/deployments/lab/made")
    made = release(server.api(), "made")
    assert made["version"] == versions[1]
    assert made["configuration"] == {"hardware": "cpu", "min_instances": 0, "max_instances": 2, "idle_timeout": 30}
    page.goto("/deployments")
    expect(page.get_by_role("row").filter(has_text="lab/made")).to_contain_text("0 to 2")


def test_a_refusal_is_shown_in_the_words_of_the_api(page, server, versions):
    deploy(server.api(), "taken", versions[0])
    page.goto("/deployments?new=yes&model=lab/tuned")
    form = page.get_by_role("form", name="Create a deployment")
    form.get_by_label("Name", exact=True).fill("taken")
    form.get_by_role("button", name="Create deployment").click()
    expect(form.get_by_role("alert")).to_contain_text("taken")


def test_settings_are_changed_by_a_new_release(page, server, versions):
    api = server.api()
    deploy(api, "edited", versions[0], idle_timeout=30)
    page.goto("/deployments/lab/edited")
    form = page.get_by_role("form", name="Settings")
    form.get_by_role("button", name="Save as a new release").click()
    expect(form.get_by_role("status")).to_have_text("Nothing is different.")
    form.get_by_label("Maximum of instances").fill("3")
    form.get_by_label("Idle timeout, seconds").fill("")
    form.get_by_role("button", name="Save as a new release").click()
    expect(page.get_by_text("The settings are those of release 2.")).to_be_visible()
    after = release(api, "edited")
    assert after["configuration"] == {"hardware": "cpu", "min_instances": 0, "max_instances": 3}
    assert after["version"] == versions[0]


def test_its_secrets_are_its_own(page, server, versions):
    api = server.api()
    deploy(api, "keeps", versions[0])
    page.goto("/deployments/lab/keeps")
    section = page.get_by_role("region", name="Secrets")
    section.get_by_label("Name").fill("SERVICE_KEY")
    section.get_by_label("Value").fill("first line\nsecond line\n")
    with page.expect_request(lambda request: request.method == "PUT") as sent:
        section.get_by_role("button", name="Set the secret").click()
    assert sent.value.post_data_json == {"value": "first line\nsecond line"}
    expect(section.get_by_role("row").filter(has_text="SERVICE_KEY")).to_be_visible()
    assert [secret["name"] for secret in api.get("/deployments/lab/keeps/secrets").json()["results"]] == ["SERVICE_KEY"]
    assert api.get("/models/lab/tuned/secrets").json()["results"] == []


def test_it_rolls_to_another_version(page, server, versions):
    api = server.api()
    deploy(api, "rolls", versions[1])
    page.goto("/deployments/lab/rolls")
    page.get_by_role("combobox", name="Version").select_option(versions[0])
    page.get_by_role("button", name="Roll", exact=True).click()
    expect(page.get_by_text(f"Release 2 runs {versions[0][:12]}")).to_be_visible()
    assert release(api, "rolls")["version"] == versions[0]
    page.get_by_role("button", name="Roll", exact=True).click()
    expect(page.get_by_text("It runs this version already.")).to_be_visible()


def test_its_instances_are_shown(page, server, versions):
    deploy(server.api(), "warm", versions[0], min_instances=1)
    page.goto("/deployments/lab/warm")
    row = page.get_by_role("table", name="Instances").get_by_role("row").filter(has_text="lab/tuned")
    expect(row).to_contain_text("ready")
    expect(page.get_by_text("Starting an instance of lab/warm", exact=False)).to_be_visible()


def test_it_is_deleted_after_its_name_was_typed(page, server, versions):
    api = server.api()
    deploy(api, "gone", versions[0])
    page.goto("/deployments/lab/gone")
    page.get_by_role("button", name="Delete this deployment").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    dialog.get_by_label("Type gone to confirm").fill("gone")
    dialog.get_by_role("button", name="Delete").click()
    expect(page).to_have_url(f"{server.url}/deployments")
    api.get("/deployments/lab/gone", 404)


def test_the_history_of_releases(page, server, versions):
    api = server.api()
    deploy(api, "told", versions[1])
    api.patch("/deployments/lab/told", {"version": versions[0], "max_instances": 3}, 200)
    page.goto("/deployments/lab/told")
    releases = page.get_by_role("list", name="Releases").get_by_role("listitem")
    expect(releases).to_have_count(2)
    expect(releases.first).to_contain_text("Release 2")
    expect(releases.first).to_contain_text("Current")
    expect(releases.first).to_contain_text(f"Version: {versions[1][:12]} to {versions[0][:12]}")
    expect(releases.first).to_contain_text("Maximum of instances: 1 to 3")
    expect(releases.nth(1)).to_contain_text("Created with")
    page.get_by_role("link", name="Its predictions").click()
    expect(page.get_by_label("Deployment")).to_have_value("lab/told")

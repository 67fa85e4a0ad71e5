"""The page of one prediction or training."""

import re
import zipfile

from playwright.sync_api import expect


FLAGS = ("--hardware-price", "cpu=0.01")


def call(page, path, body=None, prefer="wait"):
    """A call of the API from the page, with its session."""
    script = """async ([path, body, prefer]) => {
      const reply = await fetch(path, body === null ? {} : {
        method: "POST",
        headers: { "content-type": "application/json", ...(prefer ? { prefer } : {}) },
        body: JSON.stringify(body),
      });
      return reply.json();
    }"""
    return page.evaluate(script, [path, body, prefer])


def predict(page, server, model, values, prefer="wait"):
    page.goto(f"{server.url}/explore")
    return call(page, f"/v1/models/lab/{model}/predictions", {"input": values}, prefer)


def open_prediction(page, server, prediction):
    page.goto(f"{server.url}/p/{prediction['id']}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def result_of(page):
    return page.get_by_role("region", name="Result")


def test_all_of_a_prediction(page, server):
    prediction = predict(page, server, "echo", {"text": "told", "upper": True})
    open_prediction(page, server, prediction)
    expect(page.get_by_role("heading", name="Prediction")).to_be_visible()
    expect(page.get_by_role("link", name="lab/echo")).to_have_attribute("href", "/lab/echo")
    expect(page.get_by_text(prediction["id"], exact=True)).to_be_visible()
    expect(page.get_by_role("region", name="Input")).to_contain_text("told")
    expect(result_of(page)).to_contain_text("TOLD")
    expect(result_of(page)).to_contain_text("Run time")
    story = page.get_by_role("region", name="Story")
    expect(story).to_contain_text("Created for lab/echo.")
    expect(story.get_by_label("Where the time went")).to_be_visible()


def test_the_raw_json(page, server):
    prediction = predict(page, server, "echo", {"text": "raw"})
    open_prediction(page, server, prediction)
    result_of(page).get_by_label("JSON", exact=True).check(force=True)
    expect(result_of(page).get_by_role("region", name="The prediction as JSON")).to_contain_text(f'"id": "{prediction["id"]}"')


def test_run_again_with_changes(page, server):
    prediction = predict(page, server, "echo", {"text": "first"})
    open_prediction(page, server, prediction)
    page.get_by_role("link", name="Run again with changes").click()
    expect(page.get_by_label("text", exact=True)).to_have_value("first")
    page.get_by_label("text", exact=True).fill("second")
    page.get_by_role("button", name=re.compile("^Run")).click()
    expect(result_of(page).get_by_role("region", name="Output")).to_contain_text("second", timeout=60_000)


def test_a_live_one_is_followed_and_canceled(page, server):
    prediction = predict(page, server, "stream", {"count": 500, "delay": 0.2}, prefer=None)
    open_prediction(page, server, prediction)
    expect(result_of(page).get_by_text("chunk 2", exact=True)).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    expect(result_of(page).get_by_role("status").first).to_contain_text("Canceled", timeout=60_000)
    expect(page.get_by_role("region", name="Story")).to_contain_text(re.compile("[Cc]anceled"))


def test_its_place_in_the_queue(page, server):
    """Of a deployment with one instance at most: more would serve the queue before the page is there."""
    api = server.api()
    version = api.get("/models/lab/echo").json()["latest_version"]["id"]
    body = {"name": "queue", "model": "lab/echo", "version": version, "hardware": "cpu"}
    api.post("/deployments", {**body, "min_instances": 0, "max_instances": 1}, 200)
    page.goto(f"{server.url}/explore")
    values = {"input": {"delay": 300}}
    runs = [call(page, "/v1/deployments/lab/queue/predictions", values, prefer=None) for _ in range(6)]
    open_prediction(page, server, runs[-1])
    expect(result_of(page).get_by_role("status").first).to_contain_text("in the queue")
    expect(page.get_by_role("region", name="Story")).to_contain_text("Queued behind")
    for run in reversed(runs):
        call(page, f"/v1/predictions/{run['id']}/cancel", {})
    expect(result_of(page).get_by_role("status").first).to_contain_text("Canceled", timeout=60_000)


def test_a_failure(page, server):
    prediction = predict(page, server, "faulty", {"mode": "throw"})
    open_prediction(page, server, prediction)
    expect(result_of(page).get_by_role("alert")).to_contain_text("ValueError: boom")
    expect(result_of(page).get_by_role("log")).to_contain_text("about to fail")


def test_a_training(page, server):
    page.goto(f"{server.url}/explore")
    version = call(page, "/v1/models/lab/trainer")["latest_version"]["id"]
    training = call(
        page,
        f"/v1/models/lab/trainer/versions/{version}/trainings",
        {"destination": "lab/trainer", "input": {"steps": 2}},
    )
    open_prediction(page, server, training)
    expect(page.get_by_role("heading", name="Training")).to_be_visible()
    expect(page.get_by_role("link", name="Try the new version")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("region", name="Input")).to_contain_text("steps")


def test_an_unknown_one(page, server):
    page.goto(f"{server.url}/p/0000000000000000000000000000")
    expect(page.get_by_role("heading", name="There is no such prediction")).to_be_visible()


def test_all_files_in_one_archive(page, server):
    text = ["data:text/plain;base64,YWJj", "data:text/plain;base64,eHl6"]
    prediction = predict(page, server, "files", {"files": text})
    open_prediction(page, server, prediction)
    with page.expect_download() as waiting:
        result_of(page).get_by_role("button", name="Download all 2 files").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"part-0.txt": b"ABC", "part-1.txt": b"XYZ"}


def test_the_cost_of_a_run(page, server):
    prediction = predict(page, server, "echo", {"text": "paid"})
    server.api().ended(prediction)
    open_prediction(page, server, prediction)
    cost = page.get_by_role("term").filter(has_text="Cost")
    expect(cost).to_be_visible()


def test_an_uploaded_file_by_its_name(page, server):
    file = server.api().upload("abc", name="letter.txt")
    prediction = predict(page, server, "image", {"image": file["urls"]["get"]})
    open_prediction(page, server, prediction)
    expect(page.get_by_role("region", name="Input")).to_contain_text("letter.txt")
    expect(page.get_by_role("region", name="Input")).to_contain_text("3 B")

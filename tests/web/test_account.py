"""The account's page: tokens, webhooks, files, usage."""

import pytest
from playwright.sync_api import expect
from receiver import Receiver
from waiting import wait_until

FLAGS = ("--webhook-allow", "127.0.0.0/8", "--hardware-price", "cpu=0.01")


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def test_a_token_is_made_shown_once_and_revoked(page, server):
    page.goto("/account")
    form = page.get_by_role("form", name="Create a token")
    form.get_by_label("Name").fill("robot")
    form.get_by_role("checkbox", name="run", exact=True).uncheck()
    form.get_by_role("button", name="Create token").click()
    dialog = page.get_by_role("dialog")
    token = dialog.get_by_role("region", name="New token").inner_text().strip()
    robot = server.api(token)
    robot.get("/account", 200)
    robot.create("echo", expect=403)
    dialog.get_by_role("button", name="Copy: New token").click()
    assert page.evaluate("navigator.clipboard.readText()") == token
    dialog.get_by_role("button", name="I have copied it").click()
    row = page.get_by_role("row").filter(has_text="robot")
    expect(row).to_contain_text("read")
    expect(page.get_by_text(token)).to_have_count(0)
    page.reload()
    expect(row).to_be_visible()
    expect(page.get_by_text(token)).to_have_count(0)
    row.get_by_role("button", name="Revoke robot").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("revoked")
    robot.get("/account", 401)


def test_a_dead_webhook_is_replayed(page, server, receiver):
    api = server.api()
    hook = receiver.answers("/hook", 410, 200)
    run = api.create("echo", {"text": "x"}, webhook=hook, webhook_events_filter=["completed"])
    wait_until(
        lambda: api.get("/webhooks/deliveries?state=dead").json()["results"], what="the delivery to be given up"
    )
    page.goto("/account/webhooks?state=dead")
    row = page.get_by_role("table", name="Deliveries").get_by_role("row").filter(has_text=run["id"][:10])
    expect(row).to_contain_text("the receiver answered 410")
    row.get_by_role("button", name="Replay").click()
    wait_until(lambda: len(receiver.messages) == 2, what="the replay")
    first, second = receiver.messages
    assert first.id == second.id and first.body == second.body
    page.get_by_label("State").select_option("delivered: taken by the receiver")
    expect(row).to_contain_text("delivered")


def test_the_signing_key_is_shown_when_asked(page, server):
    key = server.api().get("/webhooks/default/secret").json()["key"]
    page.goto("/account/webhooks")
    expect(page.get_by_role("button", name="Show the key")).to_be_visible()
    expect(page.get_by_text(key)).to_have_count(0)
    page.get_by_role("button", name="Show the key").click()
    expect(page.get_by_text(key)).to_be_visible()
    page.get_by_role("button", name="Hide the key").click()
    expect(page.get_by_text(key)).to_have_count(0)
    page.get_by_role("button", name="Make a new key").click()
    page.get_by_role("dialog").get_by_role("button", name="Make a new key").click()
    expect(page.get_by_text("The key before it also signs.")).to_be_visible()
    new = server.api().get("/webhooks/default/secret").json()["key"]
    assert new != key
    expect(page.get_by_text(new)).to_be_visible()


def test_files_are_uploaded_and_deleted(page, server, tmp_path):
    note = tmp_path / "note.txt"
    note.write_text("a note")
    page.goto("/account/files")
    page.get_by_label("Upload files").set_input_files(note)
    row = page.get_by_role("table", name="Files").get_by_role("row").filter(has_text="note.txt")
    expect(row).to_contain_text("6 B")
    assert [file["name"] for file in server.api().get("/files").json()["results"]] == ["note.txt"]
    row.get_by_role("button", name="Delete note.txt").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="No files")).to_be_visible()
    assert server.api().get("/files").json()["results"] == []


def test_usage_of_a_month_and_its_csv(page, server):
    server.api().run("echo", {"text": "counted"})
    page.goto("/account/usage")
    table = page.get_by_role("table", name="Usage by model and hardware")
    expect(table.get_by_role("row").filter(has_text="lab/echo")).to_contain_text("cpu")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download as CSV").click()
    text = started.value.path().read_text()
    assert text.startswith("model,") and "lab/echo" in text
    page.goto("/account/usage?month=2020-01")
    expect(page.get_by_role("heading", name="Nothing was used in January 2020")).to_be_visible()


COG = """build:
  python_version: "3.11"
predict: predict.py:Predictor
weights:
  - name: base
    target: weights
    source: file://files
"""
PREDICT = """from cog import BasePredictor


class Predictor(BasePredictor):
    def predict(self) -> int:
        return len(open("weights/model.bin", "rb").read())
"""


def test_weights_are_pinned(page, server, tmp_path):
    page.goto(f"{server.url}/account/weights")
    expect(page.get_by_role("heading", name="No managed weights")).to_be_visible()
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "model.bin").write_bytes(b"x" * 2000)
    (tmp_path / "predict.py").write_text(PREDICT)
    (tmp_path / "cog.yaml").write_text(COG)
    pushed = server.cli("push", tmp_path, "lab/weighty")
    assert pushed.returncode == 0, pushed.stderr
    row = page.get_by_role("table", name="Weights").get_by_role("row").filter(has_text="lab/weighty")
    expect(row).to_contain_text("On disk")
    expect(row).to_contain_text("2.0 KB")
    row.get_by_role("button", name="Pin the weights of lab/weighty").click()
    expect(row).to_contain_text("Pinned")
    assert server.api().get("/weights").json()["results"][0]["pinned"] is True
    # Pushed files cannot be fetched again.
    expect(row.get_by_role("button", name="Remove")).to_have_count(0)
    row.get_by_role("button", name="Unpin the weights of lab/weighty").click()
    expect(row.get_by_text("Pinned")).to_have_count(0)

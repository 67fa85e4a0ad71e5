"""The playground of a model: from the first visit to an output, and every kind of input."""

import json
import re

import pytest
from playwright.sync_api import expect


def open_model(page, server, name, query=""):
    page.goto(f"{server.url}/lab/{name}{query}")
    expect(page.get_by_role("button", name=re.compile("^Run"))).to_be_visible()


def result_of(page):
    return page.get_by_role("region", name="Result")


def run(page):
    page.get_by_role("button", name=re.compile("^Run")).click()


def expect_status(page, status):
    expect(result_of(page).get_by_role("status").first).to_contain_text(status, timeout=60_000)


def sent_input(page):
    """The input of the run that is shown, as the API has it."""
    page.wait_for_url(re.compile(r"prediction="))
    script = """async () => {
      const id = new URLSearchParams(location.search).get("prediction");
      return (await (await fetch(`/v1/predictions/${id}`)).json()).input;
    }"""
    return page.evaluate(script)


def output_of(page):
    """The JSON text that the model `types` returns."""
    text = result_of(page).get_by_role("region", name="Output").locator(".output-text").inner_text()
    return json.loads(text)


def test_first_visit_to_first_output(page, server):
    open_model(page, server, "echo")
    expect(page.get_by_role("heading", name="lab / echo")).to_be_visible()
    page.get_by_label("text", exact=True).fill("hello there")
    run(page)
    expect_status(page, "Succeeded")
    expect(result_of(page).get_by_role("region", name="Output")).to_contain_text("hello there")
    result_of(page).get_by_text("Logs").click()
    expect(result_of(page).get_by_role("log")).to_contain_text("echo hello there")
    result_of(page).get_by_role("link", name="View the prediction").click()
    expect(page.get_by_role("heading", name="Prediction")).to_be_visible()
    expect(page.get_by_text("Web", exact=True)).to_be_visible()


def test_a_reload_shows_the_run_again(page, server):
    open_model(page, server, "echo")
    page.get_by_label("text", exact=True).fill("again")
    run(page)
    expect_status(page, "Succeeded")
    page.reload()
    expect(page.get_by_label("text", exact=True)).to_have_value("again")
    expect(result_of(page).get_by_role("region", name="Output")).to_contain_text("again")


def test_every_kind_of_input(page, server):
    open_model(page, server, "types")
    page.get_by_label("text", exact=True).fill("abc")
    page.get_by_label("count", exact=True).fill("3")
    page.get_by_label("scale, slider").press("End")
    expect(page.get_by_label("scale", exact=True)).to_have_value("1")
    page.get_by_label("flag", exact=True).check()
    page.get_by_label("color", exact=True).select_option("blue")
    page.get_by_label("size", exact=True).select_option("512")
    page.get_by_role("button", name="Add to tags").click()
    page.get_by_label("tags 1", exact=True).fill("one")
    page.get_by_role("button", name="Add to tags").click()
    page.get_by_label("tags 2", exact=True).fill("two")
    page.get_by_role("button", name="Move tags 2 up").click()
    page.get_by_role("button", name="Add to numbers").click()
    page.get_by_label("numbers 1", exact=True).fill("7")
    page.get_by_label("maybe", exact=True).fill("0")
    file = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"from a file"}
    page.get_by_label("File of file").set_input_files(file)
    expect(page.get_by_role("button", name="Remove the file of file")).to_be_visible()
    page.get_by_label("key", exact=True).fill("hush")
    run(page)
    expect_status(page, "Succeeded")
    assert output_of(page) == {
        "text": "abc",
        "count": 3,
        "scale": 1.0,
        "flag": True,
        "color": "blue",
        "size": 512,
        "code": "ab1",
        "tags": ["two", "one"],
        "numbers": [7],
        "maybe": 0,
        "file": "from a file",
        "key": "hush",
    }


def test_absent_is_not_empty(page, server):
    open_model(page, server, "types")
    page.get_by_label("text", exact=True).fill("abc")
    page.get_by_label("count", exact=True).fill("1")
    page.get_by_label("Include tags").uncheck()
    page.get_by_label("Include color").uncheck()
    expect(page.get_by_label("color", exact=True)).to_contain_text("Left out")
    page.get_by_label("Include maybe").check()
    run(page)
    expect_status(page, "Succeeded")
    sent = sent_input(page)
    assert "tags" not in sent and "color" not in sent and "file" not in sent
    assert sent["maybe"] is None
    assert sent["numbers"] == []


def test_errors_stand_beside_the_field(page, server):
    open_model(page, server, "types")
    page.get_by_label("text", exact=True).fill("a")
    page.get_by_label("scale", exact=True).fill("much")
    run(page)
    text = page.locator("[data-name=text]")
    expect(text.get_by_role("alert")).to_have_text("String length must be greater than or equal to 2")
    expect(page.locator("[data-name=count]").get_by_role("alert")).to_have_text("count is required")
    expect(page.locator("[data-name=scale]").get_by_role("alert")).to_contain_text("Invalid type")
    expect(page.get_by_label("text", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("text", exact=True).fill("ab")
    expect(text.get_by_role("alert")).to_have_count(0)


def test_text_comes_piece_by_piece(page, server):
    open_model(page, server, "stream")
    page.get_by_label("count", exact=True).fill("500")
    page.get_by_label("delay", exact=True).fill("0.2")
    run(page)
    expect(result_of(page).get_by_text("chunk 1", exact=True)).to_be_visible(timeout=60_000)
    expect_status(page, "Processing")
    expect(result_of(page).get_by_role("log")).to_have_count(0)
    result_of(page).get_by_text("Logs").click()
    expect(result_of(page).get_by_role("log")).to_contain_text("line 1")
    page.get_by_role("button", name=re.compile("^Cancel")).click()
    expect_status(page, "Canceled")
    expect(result_of(page).get_by_text("chunk 1", exact=True)).to_be_visible()


def test_run_and_cancel_with_the_keyboard(page, server):
    open_model(page, server, "echo")
    page.get_by_label("text", exact=True).fill("keys")
    page.get_by_label("delay", exact=True).fill("300")
    page.get_by_label("delay", exact=True).press("Control+Enter")
    expect_status(page, "Processing")
    page.keyboard.press("Escape")
    expect_status(page, "Canceled")


def drop(page, field, name, content):
    transfer = page.evaluate_handle(
        """([name, content]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([content], name, { type: "text/plain" }));
          return transfer;
        }""",
        [name, content],
    )
    page.dispatch_event(f"[data-field={field}]", "drop", {"dataTransfer": transfer})


def test_files_are_dropped_moved_and_removed(page, server):
    open_model(page, server, "files")
    for name in ("one", "two", "three"):
        drop(page, "files", f"{name}.txt", name)
    expect(page.get_by_role("button", name="Remove file 3")).to_be_visible()
    order = [row.inner_text().split(".")[0] for row in page.locator(".list-row").all()]
    page.get_by_role("button", name="Move file 3 up").click()
    page.get_by_role("button", name="Remove file 1").click()
    run(page)
    expect_status(page, "Succeeded")
    files = result_of(page).get_by_role("figure")
    expect(files).to_have_count(2)
    # The order of the uploads may differ from that of the drops.
    expect(files.nth(0)).to_contain_text(order[2].upper())
    expect(files.nth(1)).to_contain_text(order[1].upper())
    expect(files.nth(0).get_by_role("link", name=re.compile("Download"))).to_be_visible()


def test_a_file_by_url(page, server):
    open_model(page, server, "image")
    page.get_by_label("image", exact=True).fill("data:text/plain,inline")
    run(page)
    expect_status(page, "Succeeded")
    expect(result_of(page)).to_contain_text("INLINE")


def test_a_secret_is_never_shown(page, server):
    open_model(page, server, "types")
    page.get_by_label("text", exact=True).fill("abc")
    page.get_by_label("count", exact=True).fill("1")
    key = page.get_by_label("key", exact=True)
    expect(key).to_have_attribute("type", "password")
    key.fill("hunter2")
    for language in ("Python", "JavaScript", "curl", "vend"):
        page.get_by_label(language, exact=True).check(force=True)
        code = page.get_by_role("region", name=language, exact=True)
        expect(code).to_contain_text("<key>")
        expect(code).not_to_contain_text("hunter2")
    page.get_by_label("Form", exact=True).check(force=True)
    run(page)
    expect_status(page, "Succeeded")
    page.reload()
    expect(page.get_by_label("key", exact=True)).to_have_value("")
    assert "hunter2" not in page.evaluate("JSON.stringify(sessionStorage)")


def test_json_keeps_unknown_names(page, server):
    open_model(page, server, "echo", "?view=json")
    box = page.get_by_label("Input as JSON")
    box.fill('{"text": "from JSON", "unknown": {"a": [1]}}')
    page.get_by_label("Form", exact=True).check(force=True)
    expect(page.get_by_label("text", exact=True)).to_have_value("from JSON")
    expect(page.get_by_text("Also sent, as the JSON says: unknown")).to_be_visible()
    page.get_by_label("text", exact=True).fill("changed")
    run(page)
    expect_status(page, "Succeeded")
    assert sent_input(page) == {"text": "changed", "unknown": {"a": [1]}}


def test_text_that_is_no_json_is_not_sent(page, server):
    open_model(page, server, "echo", "?view=json")
    page.get_by_label("Input as JSON").fill('{"text": ')
    expect(page.get_by_text("This is not valid JSON")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Run"))).to_be_disabled()


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("Python", "replicate.run("),
        ("JavaScript", "replicate.run("),
        ("curl", "/v1/models/lab/echo/predictions"),
        ("vend", "vend run lab/echo"),
    ],
)
def test_the_values_as_a_call(page, server, language, line):
    open_model(page, server, "echo")
    page.get_by_label("text", exact=True).fill("it's")
    page.get_by_label(language, exact=True).check(force=True)
    code = page.get_by_role("region", name=language, exact=True)
    expect(code).to_contain_text(line)
    expect(code).to_contain_text("it")
    page.reload()
    expect(page.get_by_role("region", name=language, exact=True)).to_contain_text("it")


def test_a_failure_shows_its_text_and_logs(page, server):
    open_model(page, server, "faulty")
    page.get_by_label("mode", exact=True).fill("throw")
    run(page)
    expect_status(page, "Failed")
    expect(result_of(page).get_by_role("alert")).to_contain_text("ValueError: boom")
    expect(result_of(page).get_by_role("log")).to_contain_text("about to fail")


def test_files_of_an_iterator(page, server):
    open_model(page, server, "frames")
    run(page)
    expect_status(page, "Succeeded")
    expect(result_of(page).get_by_role("figure")).to_have_count(3)
    expect(result_of(page)).to_contain_text("frame 2")


def test_an_object_is_a_tree(page, server):
    open_model(page, server, "nested")
    run(page)
    expect_status(page, "Succeeded")
    output = result_of(page).get_by_role("region", name="Output")
    expect(output.locator(".json-tree")).to_contain_text('label: "cat"')
    expect(output.get_by_role("figure")).to_have_count(1)


def test_a_photo_of_the_camera(page, server):
    open_model(page, server, "image")
    page.get_by_role("button", name="Take a photo").click()
    page.get_by_role("button", name="Take the photo").click()
    expect(page.get_by_text("photo.png")).to_be_visible()
    expect(page.get_by_role("button", name="Remove the file of image")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_recording_of_the_microphone(page, server):
    open_model(page, server, "image")
    page.get_by_role("button", name="Record sound").click()
    expect(page.get_by_role("timer")).to_have_text("1 s")
    page.get_by_role("button", name="Stop recording").click()
    expect(page.get_by_role("button", name="Remove the file of image")).to_be_visible()
    expect(page.get_by_text("recording.webm")).to_be_visible()


def test_the_input_of_an_address(page, server):
    open_model(page, server, "echo", '?input={"text":"from afar","upper":true}')
    expect(page.get_by_label("text", exact=True)).to_have_value("from afar")
    run(page)
    expect(result_of(page).get_by_role("region", name="Output")).to_contain_text("FROM AFAR", timeout=60_000)
    page.goto(f"{server.url}/lab/echo?input=nonsense")
    expect(page.get_by_text("The input in the address cannot be used.")).to_be_visible()


def test_large_integers_keep_their_digits(page, server):
    """2^53 + 1 and 2^64 - 1 are no doubles."""
    large = ("9007199254740993", "18446744073709551615")
    open_model(page, server, "types", "?view=json")
    page.get_by_label("Input as JSON").fill('{"text": "big", "count": 1, "maybe": %s, "numbers": [%s]}' % large)
    run(page)
    page.wait_for_url(re.compile(r"prediction="))
    id = page.url.partition("prediction=")[2].partition("&")[0]
    told = server.api().ended({"id": id})
    assert (told["input"]["maybe"], told["input"]["numbers"]) == (int(large[0]), [int(large[1])])
    page.goto(f"{server.url}/p/{id}")
    for one in large:
        expect(page.get_by_role("region", name="Input")).to_contain_text(one)
    page.get_by_role("link", name="Run again with changes").click()
    expect(page.get_by_label("maybe", exact=True)).to_have_value(large[0])

"""What models, files and names say never runs, and files of models never act as the page."""

import base64

import pytest
from playwright.sync_api import expect

MARKUP = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script><b>bold</b>"
DOCUMENTS = {
    "page.html": "<html><body><script>1</script><p>made by a model</p></body></html>",
    "picture.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>1</script></svg>',
}


def data(text):
    return f"data:text/plain;base64,{base64.b64encode(text.encode()).decode()}"


def is_hacked(page):
    return page.evaluate("window.hacked === 1 || document.querySelector('main img[src=x], main script, main b') !== null")


def test_outputs_logs_and_inputs_are_texts(page, server):
    run = server.api().run("echo", {"text": MARKUP})
    page.goto(f"/p/{run['id']}")
    result = page.get_by_role("region", name="Result")
    expect(result.get_by_role("region", name="Output")).to_contain_text("<script>window.hacked=1</script>")
    result.get_by_text("Logs").click()
    expect(result.get_by_role("log")).to_contain_text("<script>")
    expect(page.get_by_role("region", name="Input")).to_contain_text("<script>")
    assert not is_hacked(page)


def test_names_of_files_and_accounts_are_texts(page, server):
    name = "<img src=x onerror=window.hacked=1>.txt"
    run = server.api().run("image", {"image": data("abc"), "name": name})
    page.goto(f"/p/{run['id']}")
    expect(page.get_by_role("region", name="Result").get_by_text(name)).to_be_visible()
    server.api().upload("x", name=MARKUP.replace("/", "_"))
    page.goto("/account/files")
    expect(page.get_by_role("table", name="Files")).to_contain_text("<img src=x")
    assert not is_hacked(page)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_of_models_have_no_origin(page, server, name):
    run = server.api().run("image", {"image": data(DOCUMENTS[name]), "name": name})
    page.goto(f"/p/{run['id']}")
    expect(page.get_by_role("region", name="Result").get_by_text(name)).to_be_visible()
    assert page.locator("iframe, object, embed").count() == 0
    reply = page.request.get(run["output"])
    assert "sandbox" in reply.headers["content-security-policy"] and reply.headers["x-content-type-options"] == "nosniff"
    # The browser says of the script that it was blocked: on a page of its own, since others must say nothing.
    opened = page.context.browser.new_page()
    try:
        opened.goto(run["output"])
        assert opened.evaluate("self.origin") == "null"
    finally:
        opened.close()

"""The tabs of a model beside its playground."""

import json
import pathlib
import re
import uuid
from urllib.parse import urlparse

import pytest
from playwright.sync_api import expect


def new_model(server, visibility="private"):
    name = f"tabs-{uuid.uuid4().hex[:12]}"
    body = {"owner": "lab", "name": name, "visibility": visibility, "hardware": "cpu"}
    server.api().post("/models", body, 201)
    return name


def tab_link(page, model, tab):
    return page.get_by_role("navigation", name=f"lab/{model}").get_by_role("link", name=tab, exact=True)


def train(server, destination):
    """Makes a version of the destination; returns its id."""
    api = server.api()
    version = api.get("/models/lab/trainer").json()["latest_version"]["id"]
    body = {"destination": f"lab/{destination}", "input": {"steps": 1}}
    training = api.post(f"/models/lab/trainer/versions/{version}/trainings", body, 201).json()

    from waiting import wait_until

    def look():
        now = api.get(f"/trainings/{training['id']}").json()
        return now if now["status"] in ("succeeded", "failed") else None

    ended = wait_until(look, 120, "the end of the training")
    assert ended["status"] == "succeeded", ended["error"]
    return ended["output"]["version"].split(":")[1]


# API


def test_calls_have_the_address_and_the_model(page, server):
    page.goto(f"{server.url}/lab/echo")
    tab_link(page, "echo", "API").click()
    expect(page).to_have_url(f"{server.url}/lab/echo/api")
    code = page.get_by_role("region", name="Call in Python")
    expect(code).to_contain_text("import replicate")
    expect(code).to_contain_text('"lab/echo"')
    expect(page.get_by_role("region", name="Set-up for Python")).to_contain_text(server.url)

    page.get_by_role("tab", name="Python").press("ArrowRight")
    expect(page.get_by_role("tab", name="JavaScript")).to_be_focused()
    expect(page.get_by_role("region", name="Call in JavaScript")).to_contain_text(f"{server.url}/v1")

    page.get_by_role("tab", name="curl").click()
    page.get_by_role("radio", name="Webhook").check(force=True)
    expect(page).to_have_url(f"{server.url}/lab/echo/api?language=curl&call=webhook")
    page.reload()
    expect(page.get_by_role("region", name="Call in curl")).to_contain_text('"webhook"')


def test_calls_by_openai_clients(page, server):
    page.goto(f"{server.url}/lab/talk/api")
    expect(page.get_by_role("region", name="Base URL for OpenAI clients")).to_have_text(f"{server.url}/openai/v1")
    expect(page.get_by_role("region", name="Address for MCP clients")).to_have_text(f"{server.url}/mcp/lab/talk")
    section = page.get_by_role("region", name="OpenAI clients", exact=True)
    call = section.get_by_role("region", name="Call of chat.completions")
    expect(call).to_contain_text('model="lab/talk"')
    section.get_by_role("radio", name="responses").check(force=True)
    section.get_by_role("tab", name="curl").click()
    expect(page).to_have_url(f"{server.url}/lab/talk/api?endpoint=responses&client=curl")
    expect(section.get_by_role("region", name="Call of responses")).to_contain_text("/openai/v1/responses")
    why = server.api().get("/models/lab/talk").json()["openai"]["others"]["embeddings"]
    section.get_by_text("Endpoints that it does not fit").click()
    expect(section.get_by_role("definition").filter(has_text=why)).to_be_visible()


def test_a_model_for_no_openai_client(page, server):
    assert server.api().get("/models/lab/files").json()["openai"]["endpoints"] == []
    page.goto(f"{server.url}/lab/files/api")
    section = page.get_by_role("region", name="OpenAI clients", exact=True)
    expect(section).to_contain_text("This model fits none of their endpoints.")
    expect(section.get_by_role("tab")).to_have_count(0)


def test_schemas_are_tables_with_anchors(page, server):
    page.goto(f"{server.url}/lab/types/api")
    schema = server.api().get("/models/lab/types").json()["latest_version"]["openapi_schema"]
    names = schema["components"]["schemas"]["Input"]["properties"]
    table = page.get_by_role("region", name="Input schema").get_by_role("table")
    for name in names:
        expect(table.get_by_role("link", name=name, exact=True)).to_be_visible()
    last = list(names)[-1]
    table.get_by_role("link", name=last, exact=True).click()
    expect(page).to_have_url(f"{server.url}/lab/types/api#input-{last}")
    page.reload()
    expect(page.locator(":target")).to_contain_text(last)


def test_the_openapi_document_is_downloaded(page, server):
    page.goto(f"{server.url}/lab/echo/api")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the OpenAPI document").click()
    assert download.value.suggested_filename == "lab-echo-openapi.json"
    got = json.loads(pathlib.Path(download.value.path()).read_text())
    assert got == server.api().get("/models/lab/echo").json()["latest_version"]["openapi_schema"]


def test_a_model_without_a_version_says_what_to_do(page, server):
    name = new_model(server)
    for tab in ("api", "versions"):
        page.goto(f"{server.url}/lab/{name}/{tab}")
        expect(page.get_by_text(f"vend push FOLDER lab/{name}")).to_be_visible()
    expect(tab_link(page, name, "Train")).to_have_count(0)


# Examples


def test_examples_are_added_made_the_default_and_removed(page, server):
    api = server.api()
    for example in api.get("/models/lab/echo/examples").json()["results"]:
        api.delete(f"/models/lab/echo/examples/{example['id']}", 204)
    first, second = (api.run("echo", {"text": text}) for text in ("the first run", "the second run"))

    page.goto(f"{server.url}/lab/echo/examples")
    expect(page.get_by_role("heading", name="This model has no examples")).to_be_visible()
    field = page.get_by_label("Add a prediction that succeeded")
    add = page.get_by_role("button", name="Add", exact=True)
    cards = page.get_by_role("list", name="Examples").get_by_role("listitem").filter(has=page.get_by_role("heading", name="Input"))

    field.fill("no-such-prediction")
    add.click()
    expect(page.get_by_role("alert")).to_contain_text("does not exist")
    field.fill(first["id"])
    add.click()
    expect(cards).to_have_count(1)
    field.fill(f"{server.url}/p/{second['id']}")
    add.click()
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text("the first run")
    expect(cards.first).to_contain_text("Default")

    cards.nth(1).get_by_role("button", name="Make default").click()
    expect(cards.first).to_contain_text("the second run")
    expect(cards).to_have_count(2)
    assert api.get("/models/lab/echo").json()["default_example"]["id"] == second["id"]

    cards.first.get_by_role("link", name="Open in the playground").click()
    expect(page).to_have_url(f"{server.url}/lab/echo?example={second['id']}")
    expect(page.get_by_label("text", exact=True)).to_have_value("the second run")

    page.go_back()
    cards.first.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(cards).to_have_count(1)
    assert [e["id"] for e in api.get("/models/lab/echo/examples").json()["results"]] == [first["id"]]


# Readme

README = """
# A title

Text with **bold** words, a [link](https://example.com/page), a [file](docs/usage.md), and [a part](#a-part).

![a picture](https://pictures.invalid/a.png)

| a | b |
|---|---|
| 1 | 2 |

- [x] done

## A part

```python
print("<b>not bold</b>")
```
"""


def test_a_readme_is_rendered(page, server):
    server.api().patch("/models/lab/facts", {"readme": README}, 200)
    hosts = []
    page.on("request", lambda request: hosts.append(urlparse(request.url).netloc))
    page.route("https://pictures.invalid/*", lambda route: route.fulfill(body=b"", content_type="image/png"))
    page.goto(f"{server.url}/lab/facts/readme")
    expect(page.get_by_role("heading", name="A title", level=2)).to_be_visible()
    link = page.get_by_role("link", name="link", exact=True)
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", re.compile("noopener"))
    expect(page.get_by_text("file", exact=True)).not_to_have_attribute("href", re.compile(".*"))
    expect(page.get_by_role("cell", name="2")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Done")).to_be_disabled()
    expect(page.get_by_text('print("<b>not bold</b>")')).to_be_visible()
    page.get_by_role("link", name="a part").click()
    expect(page.locator(":target")).to_have_text("A part")
    assert "pictures.invalid" not in hosts
    with page.expect_request("https://pictures.invalid/a.png"):
        page.get_by_role("button", name="Load the picture “a picture” from pictures.invalid").click()
    expect(page.get_by_role("img", name="a picture")).to_be_attached()


def test_a_model_without_a_readme(page, server):
    page.goto(f"{server.url}/lab/{new_model(server)}/readme")
    expect(page.get_by_role("heading", name="This model has no readme")).to_be_visible()


RUN = "window.hacked=(window.hacked||0)+1"
ATTACKS = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror='{RUN}'>",
    f"<img src=x: onerror={RUN}//>",
    f"<svg onload='{RUN}'></svg>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin='{RUN}' attributeName=x dur=1s></svg>",
    f"<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror={RUN}&gt;\">",
    f"<math><mi//xlink:href='data:x,<script>{RUN}</script>'>",
    f"<body onload='{RUN}'>",
    f"<iframe src='javascript:{RUN}'></iframe>",
    f"<iframe srcdoc='<script>top.{RUN.removeprefix('window.')}</script>'></iframe>",
    f"<object data='javascript:{RUN}'></object>",
    f"<embed src='javascript:{RUN}'>",
    f"<form action='javascript:{RUN}'><button>press</button></form>",
    f"<a href='javascript:{RUN}'>press</a>",
    f"<a href='  java\nscript:{RUN}'>press</a>",
    f"<a href='jav&#x09;ascript:{RUN}'>press</a>",
    f"<a href='data:text/html,<script>{RUN}</script>'>press</a>",
    f"<a href='vbscript:{RUN}' onclick='{RUN}'>press</a>",
    f"[press](javascript:{RUN.replace('(', '%28').replace(')', '%29')})",
    "[press](data:text/html;base64,PHNjcmlwdD53aW5kb3cuaGFja2VkPTE8L3NjcmlwdD4=)",
    f"![x](x\"onerror=\"{RUN})",
    f"[press](https://example.com/\"onmouseover=\"{RUN})",
    f"```\"><img src=x onerror='{RUN}'>\n```",
    f"| <img src=x onerror='{RUN}'> |\n|---|\n| <script>{RUN}</script> |",
    f"<details open ontoggle='{RUN}'><summary>x</summary></details>",
    f"<input autofocus onfocus='{RUN}'>",
    f"<video><source onerror='{RUN}'></video>",
    f"<audio src=x onerror='{RUN}'></audio>",
    f"<marquee onstart='{RUN}'>x</marquee>",
    f"<style>@import 'https://styles.invalid/x.css';</style><div style='background:url(https://styles.invalid/y)'>x</div>",
    "<link rel=stylesheet href='https://styles.invalid/z.css'>",
    "<base href='https://base.invalid/'>",
    "<meta http-equiv=refresh content='0;url=https://meta.invalid/'>",
    f"<noscript><p title=\"</noscript><img src=x onerror={RUN}>\">",
    f"<template><img src=x onerror='{RUN}'></template>",
    f"<x-y onclick='{RUN}'>x</x-y>",
    "<img name=getElementById><form id=app><input name=attributes></form>",
    f"<!--><img src=x onerror='{RUN}'>-->",
    f"<![CDATA[><img src=x onerror='{RUN}'>]]>",
    f"<p id='</p><img src=x onerror={RUN}>'>x</p>",
]


class Watch:
    """What a page tried: scripts that the policy stopped, dialogs, other hosts."""

    def __init__(self, page, server):
        self.page = page
        self.own = urlparse(server.url).netloc
        self.dialogs = []
        self.hosts = set()
        page.add_init_script(
            "window.stopped = [];"
            "addEventListener('securitypolicyviolation', (e) => window.stopped.push(e.effectiveDirective + ' ' + e.blockedURI));"
        )
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: self.hosts.add(urlparse(request.url).netloc))

    def check(self):
        assert self.page.evaluate("window.hacked") is None
        assert [s for s in self.page.evaluate("window.stopped") if s.startswith("script")] == []
        assert self.dialogs == []
        assert self.hosts <= {self.own, ""}


def poke(page):
    """What people do: press everything in the readme and move over it."""
    page.evaluate(
        """() => {
          for (const element of document.querySelectorAll('.markdown *')) {
            for (const type of ['mouseover', 'focus', 'click', 'toggle']) {
              element.addEventListener(type, (event) => event.preventDefault(), { once: true });
              element.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true }));
            }
          }
        }"""
    )


def test_nothing_in_a_readme_runs(page, server):
    watch = Watch(page, server)
    name = new_model(server)
    for attack in [*ATTACKS, "\n\n".join(ATTACKS)]:
        server.api().patch(f"/models/lab/{name}", {"readme": f"{attack}\n\nThe end of it\n"}, 200)
        page.goto(f"{server.url}/lab/{name}/readme")
        page.locator(".markdown > *").first.wait_for(state="attached")
        links = page.eval_on_selector_all(".markdown a[href]", "all => all.map((a) => a.protocol)")
        assert set(links) <= {"http:", "https:", "mailto:"}, attack
        left = page.eval_on_selector_all(
            ".markdown *",
            "all => all.flatMap((e) => [e.localName, ...e.getAttributeNames()]).filter((n) => /^on|^(script|style|iframe|object|embed|form|base|meta|link|svg|math|name)$/.test(n))",
        )
        assert left == [], attack
        poke(page)
        watch.check()
        expect(page).to_have_url(re.compile(f"/lab/{name}/readme"))
        expect(page.get_by_role("navigation", name=f"lab/{name}")).to_be_visible()


@pytest.mark.parametrize("tab", ["", "/settings", "/readme", "/api"])
def test_nothing_in_a_description_runs(page, server, tab):
    watch = Watch(page, server)
    name = new_model(server)
    description = " ".join(ATTACKS)
    server.api().patch(f"/models/lab/{name}", {"description": description}, 200)
    page.goto(f"{server.url}/lab/{name}{tab}")
    expect(page.get_by_text("<x-y onclick", exact=False).first).to_be_visible()
    watch.check()


# Versions


def test_versions_are_listed_compared_and_deleted(page, server):
    name = new_model(server)
    train(server, name)
    api = server.api()
    # A second version that takes one input more: the schema is changed on the way to the page.
    shown = api.get(f"/models/lab/{name}/versions").json()
    newer = json.loads(json.dumps(shown["results"][0]))
    newer["id"] = "f" * 64
    newer["openapi_schema"]["components"]["schemas"]["Input"]["properties"]["strength"] = {"type": "number", "maximum": 2}
    older = shown["results"][0]
    shown["results"].insert(0, newer)
    page.route(re.compile(rf"/v1/models/lab/{name}/versions(\?.*)?$"), lambda route: route.fulfill(json=shown))

    page.goto(f"{server.url}/lab/{name}/versions")
    row = page.get_by_role("listitem", name=f"Version {older['id'][:12]}")
    expect(row.get_by_text("Latest")).to_be_visible()
    expect(row.get_by_text("Trained")).to_be_visible()
    expect(row.get_by_text(f"Cog {older['cog_version']}")).to_be_visible()
    differences = page.get_by_role("region", name="Schema differences").get_by_role("table")
    expect(differences).to_contain_text("strength")
    expect(differences).to_contain_text("added")
    page.get_by_role("button", name="Swap").click()
    expect(differences).to_contain_text("removed")
    expect(differences).to_contain_text("breaking")
    page.reload()
    expect(differences).to_contain_text("removed")
    page.get_by_label("From").select_option(older["id"])
    expect(page.get_by_text("The schemas are the same.")).to_be_visible()

    page.unroute_all()
    page.goto(f"{server.url}/lab/{name}/versions")
    row.get_by_role("link", name=older["id"][:12], exact=True).click()
    expect(page).to_have_url(f"{server.url}/lab/{name}/versions/{older['id']}")
    expect(page.get_by_text(older["id"], exact=True)).to_be_visible()
    expect(page.get_by_text("A training of")).to_be_visible()
    expect(page.get_by_role("link", name="Run", exact=True)).to_have_attribute("href", f"/lab/{name}?version={older['id']}")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="This model has no version yet")).to_be_visible()
    api.get(f"/models/lab/{name}/versions/{older['id']}", 404)


def test_a_version_that_does_not_exist(page, server):
    page.goto(f"{server.url}/lab/echo/versions/{'0' * 64}")
    expect(page.get_by_role("heading", name="There is no such version")).to_be_visible()


# Train


def test_a_training_makes_a_version_that_runs(page, server):
    name = f"trained-{uuid.uuid4().hex[:12]}"
    page.goto(f"{server.url}/lab/trainer/train")
    start = page.get_by_role("button", name="Start training")
    start.click()
    expect(page.get_by_role("alert")).to_have_text("Name the model that gets the new version.")

    page.get_by_role("radio", name="A new model").check(force=True)
    page.get_by_label("Name of the new model").fill(name)
    start.click()
    expect(page.get_by_role("alert").filter(has_text="steps is required")).to_be_visible()
    page.get_by_label("steps", exact=True).fill("2")
    start.click()

    row = page.get_by_role("region", name="Trainings").get_by_role("row").filter(has_text=f"lab/{name}:")
    made = row.get_by_role("link", name=f"Run lab/{name}")
    expect(made).to_be_visible(timeout=120_000)
    expect(row.get_by_text("Succeeded")).to_be_visible()
    made.click()
    expect(page).to_have_url(re.compile(rf"/lab/{name}\?version=[0-9a-f]{{64}}$"))


def test_only_what_can_be_trained_has_the_tab(page, server):
    page.goto(f"{server.url}/lab/echo/api")
    expect(tab_link(page, "echo", "Versions")).to_be_visible()
    expect(tab_link(page, "echo", "Train")).to_have_count(0)


# Settings


def test_details_and_scaling_are_changed(page, server):
    name = new_model(server)
    api = server.api()
    page.goto(f"{server.url}/lab/{name}/settings")
    save = page.get_by_role("button", name="Save the details")
    expect(save).to_be_disabled()
    page.get_by_label("Description").fill("Says what it is told")
    page.get_by_label("Visibility").select_option("public")
    page.get_by_label("Code", exact=False).fill("https://example.com/code")
    save.click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    expect(page.locator("header").get_by_text("Says what it is told")).to_be_visible()
    model = api.get(f"/models/lab/{name}").json()
    assert model["description"] == "Says what it is told"
    assert model["visibility"] == "public"
    assert model["github_url"] == "https://example.com/code"

    page.get_by_label("Maximum instances").fill("3")
    page.get_by_label("Snapshot").select_option(label="Off")
    scaling_form = page.get_by_role("region", name="Scaling")
    scaling_form.get_by_role("button", name="Save the scaling").click()
    expect(scaling_form.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    scaling = api.get(f"/models/lab/{name}/scaling").json()
    assert (scaling["max_instances"], scaling["snapshot"], scaling["target"]) == (3, False, None)
    page.reload()
    expect(page.get_by_label("Maximum instances")).to_have_value("3")


def test_a_model_is_deleted_by_its_name(page, server):
    name = new_model(server)
    page.goto(f"{server.url}/lab/{name}/settings")
    page.get_by_role("button", name="Delete the model").click()
    dialog = page.get_by_role("dialog")
    delete = dialog.get_by_role("button", name="Delete the model")
    expect(delete).to_be_disabled()
    dialog.get_by_role("textbox").fill(f"lab/{name}")
    delete.click()
    expect(page).to_have_url(f"{server.url}/explore")
    server.api().get(f"/models/lab/{name}", 404)


def test_what_cannot_be_deleted_says_why(page, server):
    page.goto(f"{server.url}/lab/echo/settings")
    expect(page.get_by_role("button", name="Delete the model")).to_be_disabled()
    expect(page.get_by_text("A public model cannot be deleted.")).to_be_visible()


def test_a_secret_is_set_and_never_shown(page, server):
    name = new_model(server)
    api = server.api()
    value = "hf_shown-to-nobody"
    page.goto(f"{server.url}/lab/{name}/settings")
    section = page.get_by_role("region", name="Secrets")
    expect(section.get_by_text("None is set.")).to_be_visible()
    section.get_by_label("Name").fill("PATH")
    section.get_by_label("Value").fill(value)
    section.get_by_role("button", name="Set the secret").click()
    expect(section.get_by_role("alert")).to_contain_text("PATH")
    section.get_by_label("Name").fill("HF_TOKEN")
    section.get_by_role("button", name="Set the secret").click()
    expect(section.get_by_role("status").filter(has_text="HF_TOKEN is set.")).to_be_visible()
    expect(section.get_by_label("Value")).to_have_value("")
    expect(section.get_by_role("row").filter(has_text="HF_TOKEN")).to_be_visible()
    assert [secret["name"] for secret in api.get(f"/models/lab/{name}/secrets").json()["results"]] == ["HF_TOKEN"]
    page.reload()
    expect(section.get_by_role("row").filter(has_text="HF_TOKEN")).to_be_visible()
    assert value not in page.content()

    section.get_by_role("button", name="Remove HF_TOKEN").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(section.get_by_text("None is set.")).to_be_visible()
    assert api.get(f"/models/lab/{name}/secrets").json()["results"] == []


def test_settings_are_for_the_owner(page, server):
    session = {"username": "lab", "type": "organization", "scopes": ["read", "run"]}
    page.route("**/-/session", lambda route: route.fulfill(json=session))
    page.goto(f"{server.url}/lab/echo/settings")
    expect(tab_link(page, "echo", "Examples")).to_be_visible()
    expect(tab_link(page, "echo", "Settings")).to_have_count(0)
    expect(page.get_by_role("button", name="Save the details")).to_have_count(0)
    page.goto(f"{server.url}/lab/echo/examples")
    expect(page.get_by_role("button", name="Add", exact=True)).to_have_count(0)

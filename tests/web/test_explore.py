"""Explore: what people see first."""

from urllib.parse import urlparse

from playwright.sync_api import expect


def search_box(page):
    return page.get_by_role("searchbox", name="Search models")


def card(page, name):
    return page.get_by_role("listitem").filter(has=page.get_by_role("link", name=name, exact=True)).first


def as_reader(page):
    session = {"username": "lab", "type": "organization", "scopes": ["read"]}
    page.route("**/-/session", lambda route: route.fulfill(json=session))


def test_search_as_you_type(page, server):
    page.goto(f"{server.url}/explore")
    page.get_by_role("heading", name="Explore").wait_for()
    page.keyboard.press("/")
    expect(search_box(page)).to_be_focused()
    page.keyboard.type("ech")
    expect(page).to_have_url(f"{server.url}/explore?q=ech")
    found = page.get_by_role("list", name="Models found")
    expect(found.get_by_role("link", name="lab/echo", exact=True)).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="for “ech”")).to_be_visible()

    page.reload()
    expect(search_box(page)).to_have_value("ech")
    found.get_by_role("link", name="lab/echo", exact=True).click()
    expect(page).to_have_url(f"{server.url}/lab/echo")
    page.go_back()
    expect(search_box(page)).to_have_value("ech")
    expect(found.get_by_role("link", name="lab/echo", exact=True)).to_be_visible()

    search_box(page).fill("")
    expect(page.get_by_role("list", name="All models")).to_be_visible()
    expect(page).to_have_url(f"{server.url}/explore")


def test_nothing_is_found(page, server):
    page.goto(f"{server.url}/explore?q=zyxwvuts")
    expect(page.get_by_role("heading", name="Nothing was found")).to_be_visible()
    page.get_by_role("link", name="look at all models").click()
    expect(page.get_by_role("list", name="All models")).to_be_visible()


def test_a_slash_in_the_search_is_text(page, server):
    page.goto(f"{server.url}/explore")
    search_box(page).press_sequentially("lab/echo")
    expect(search_box(page)).to_have_value("lab/echo")


def test_collections(page, server):
    api = server.api()
    body = {
        "slug": "speech",
        "name": "Speech & more",
        "description": "Models that speak",
        "models": ["lab/echo", "lab/stream", "lab/types", "lab/image", "lab/files"],
    }
    api.delete("/collections/speech")
    api.post("/collections", body, 201)

    page.goto(f"{server.url}/explore")
    section = page.get_by_role("region", name="Speech & more")
    expect(section.get_by_role("listitem")).to_have_count(4)
    expect(section.get_by_text("Models that speak")).to_be_visible()
    section.get_by_role("link", name="All 5 models of Speech & more").click()
    expect(page).to_have_url(f"{server.url}/collections/speech")
    expect(page.get_by_role("heading", name="Speech & more")).to_be_visible()
    expect(page.get_by_role("listitem")).to_have_count(5)

    page.goto(f"{server.url}/explore?q=speech")
    page.get_by_role("list", name="Collections").get_by_role("link", name="Speech & more").click()
    expect(page).to_have_url(f"{server.url}/collections/speech")

    page.goto(f"{server.url}/collections/no-such")
    expect(page.get_by_role("heading", name="There is no such collection")).to_be_visible()


def test_the_list_goes_on(page, server):
    api = server.api()
    for i in range(110):
        made = {"owner": "lab", "name": f"long-list-{i}", "visibility": "private", "hardware": "cpu"}
        assert api.post("/models", made).status_code in (201, 409)
    total, path = 0, "/models"
    while path is not None:
        found = api.get(path).json()
        total += len(found["results"])
        path = found["next"]

    page.goto(f"{server.url}/explore")
    cards = page.get_by_role("list", name="All models").get_by_role("listitem")
    expect(cards).to_have_count(100)
    while cards.count() < total:
        before = cards.count()
        cards.last.scroll_into_view_if_needed()
        expect(cards.nth(before)).to_be_attached()
    expect(cards).to_have_count(total)
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)

    link = cards.nth(105).get_by_role("link")
    name = link.get_attribute("href")
    link.click()
    expect(page).to_have_url(f"{server.url}{name}")
    page.go_back()
    expect(page.get_by_role("list", name="All models").locator(f'a[href="{name}"]')).to_be_focused()
    expect(page.get_by_role("list", name="All models").locator(f'a[href="{name}"]')).to_be_in_viewport()
    expect(cards).to_have_count(total)


def test_a_card(page, server):
    api = server.api()
    api.patch("/models/lab/echo", {"description": "Says what it was told"}, 200)
    assert api.run("echo", {"text": "hello"})["status"] == "succeeded"
    page.goto(f"{server.url}/explore?q=echo")
    echo = card(page, "lab/echo")
    expect(echo.get_by_text("Says what it was told")).to_be_visible()
    expect(echo.get_by_text("run", exact=False).first).to_be_visible()
    expect(echo.get_by_text("Warm", exact=True)).to_be_visible()

    made = {"owner": "lab", "name": "kept-secret", "visibility": "private", "hardware": "cpu"}
    assert api.post("/models", made).status_code in (201, 409)
    page.goto(f"{server.url}/explore?q=kept-secret")
    secret = card(page, "lab/kept-secret")
    expect(secret.get_by_text("Private", exact=True)).to_be_visible()
    expect(secret.get_by_text("No version", exact=True)).to_be_visible()
    expect(secret.get_by_text("Cold", exact=True)).to_be_visible()


def test_readers_see_what_is_warm(page, server):
    server.api().run("stream", {"count": 1})
    as_reader(page)
    page.goto("about:blank")
    asked = []
    page.on("request", lambda request: asked.append(urlparse(request.url).path))
    page.goto(f"{server.url}/explore?q=stream")
    expect(card(page, "lab/stream").get_by_text("Warm", exact=True)).to_be_visible()
    assert "/v1/status" not in asked


def test_texts_are_texts_and_no_other_host_is_asked(page, server):
    markup = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script> and <b>more</b>'
    cover = "https://pictures.invalid/cover.png"
    server.api().patch("/models/lab/types", {"description": markup, "cover_image_url": cover}, 200)
    hosts = []
    page.on("request", lambda request: hosts.append(urlparse(request.url).netloc))
    page.goto(f"{server.url}/explore?q=types")
    expect(card(page, "lab/types").get_by_text(markup)).to_be_visible()
    assert page.evaluate("window.hacked") is None
    assert set(hosts) == {urlparse(server.url).netloc}


def test_the_list_comes_back_after_an_outage(page, server):
    page.route("**/v1/search*", lambda route: route.abort("connectionrefused"))
    page.goto(f"{server.url}/explore?q=echo")
    expect(page.get_by_role("alert").filter(has_text="does not answer").first).to_be_visible()
    page.unroute("**/v1/search*")
    expect(card(page, "lab/echo")).to_be_visible()

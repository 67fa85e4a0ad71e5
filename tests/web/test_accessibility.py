"""axe on every page, light and dark: nothing serious."""

import pathlib

import pytest
from test_sources import BUILT

AXE = BUILT / "node_modules" / "axe-core" / "axe.min.js"
PAGES = [
    "/explore",
    "/sign-in",
    "/lab/echo",
    "/lab/types",
    "/lab/echo/api",
    "/lab/echo/examples",
    "/lab/echo/readme",
    "/lab/echo/versions",
    "/lab/trainer/train",
    "/lab/echo/settings",
    "/predictions",
    "/trainings",
    "/p/{run}",
    "/deployments",
    "/operate",
    "/operate/decisions",
    "/operate/charts",
    "/operate/accounts",
    "/operate/advice",
    "/operate/settings",
    "/operate/doctor",
    "/deployments/lab/seen",
    "/account/tokens",
    "/account/webhooks",
    "/account/files",
    "/account/weights",
    "/account/usage",
    "/nothing/here",
]
WORST = ("serious", "critical")


@pytest.fixture(scope="module")
def run(server):
    api = server.api()
    version = api.get("/models/lab/echo").json()["latest_version"]["id"]
    body = {"name": "seen", "model": "lab/echo", "version": version, "hardware": "cpu"}
    api.post("/deployments", {**body, "min_instances": 0, "max_instances": 1}, 200)
    return api.run("echo", {"text": "looked at"})


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_serious(page, server, run, theme):
    found = {}
    page.emulate_media(color_scheme=theme)
    source = pathlib.Path(AXE).read_text()
    for path in PAGES:
        page.goto(server.url + path.format(run=run["id"]))
        page.wait_for_load_state("networkidle")
        page.evaluate(source)
        result = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        bad = [
            f"{fault['id']}: {fault['nodes'][0]['html'][:200]}"
            for fault in result["violations"]
            if fault["impact"] in WORST
        ]
        if bad:
            found[path] = bad
    assert found == {}

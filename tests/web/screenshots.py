"""Pictures of the pages: screenshots.py FOLDER [WIDTH…], against the server of REPLICATE_BASE_URL with the token of
REPLICATE_API_TOKEN, light and dark. The names of models and runs are taken from what the server has."""

import os
import pathlib
import sys

import requests
from playwright.sync_api import sync_playwright

WIDTHS = (390, 820, 1280)


class Server:
    def __init__(self):
        self.url = os.environ["REPLICATE_BASE_URL"]
        self.headers = {"Authorization": f"Bearer {os.environ['REPLICATE_API_TOKEN']}"}

    def get(self, path):
        return requests.get(self.url + path, headers=self.headers, timeout=60).json()

    def link(self):
        return requests.post(f"{self.url}/-/session/links", headers=self.headers, timeout=60).json()["url"]


def pages(server):
    models = server.get("/v1/models")["results"]
    model = next(f"{m['owner']}/{m['name']}" for m in models if m["latest_version"])
    runs = server.get("/v1/predictions")["results"]
    found = {
        "explore": "/explore",
        "playground": f"/{model}",
        "api": f"/{model}/api",
        "examples": f"/{model}/examples",
        "readme": f"/{model}/readme",
        "versions": f"/{model}/versions",
        "settings": f"/{model}/settings",
        "predictions": "/predictions",
        "trainings": "/trainings",
        "deployments": "/deployments",
        "operate": "/operate",
        "decisions": "/operate/decisions",
        "charts": "/operate/charts",
        "advice": "/operate/advice",
        "server-settings": "/operate/settings",
        "doctor": "/operate/doctor",
        "tokens": "/account/tokens",
        "usage": "/account/usage",
        "webhooks": "/account/webhooks",
        "files": "/account/files",
        "weights": "/account/weights",
        "accounts": "/operate/accounts",
    }
    if runs:
        found["prediction"] = f"/p/{runs[0]['id']}"
    deployments = server.get("/v1/deployments")["results"]
    if deployments:
        found["deployment"] = f"/deployments/{deployments[0]['owner']}/{deployments[0]['name']}"
    return found


def main(folder, *widths):
    server = Server()
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(server.link())
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            for width in [int(width) for width in widths] or WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                for name, path in pages(server).items():
                    page.goto(server.url + path)
                    page.wait_for_load_state("networkidle")
                    page.screenshot(path=folder / f"{name}-{theme}-{width}.png")
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

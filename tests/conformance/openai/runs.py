"""The runs that a tool made, as the server has them."""

import time

import requests

PATIENCE_S = 180


class Runs:
    def __init__(self, url, token):
        self.url = url + "/v1/predictions"
        self.headers = {"Authorization": f"Bearer {token}"}
        self.old = {row["id"] for row in self.get(self.url)["results"]}

    def get(self, url):
        reply = requests.get(url, headers=self.headers, timeout=30)
        reply.raise_for_status()
        return reply.json()

    def made(self):
        """Since the start, the newest first."""
        return [row for row in self.get(self.url)["results"] if row["id"] not in self.old]

    def newest(self, ending):
        """Of those whose prompt ends so; tools ask for titles and the like too."""
        for row in self.made():
            run = self.get(f"{self.url}/{row['id']}")
            if (run["input"] or {}).get("prompt", "").rstrip().endswith(ending):
                return run
        return None

    def ended(self, ending, status="succeeded"):
        end = time.monotonic() + PATIENCE_S
        run = None
        while time.monotonic() < end:
            run = self.newest(ending)
            if run and run["status"] == status:
                return run
            time.sleep(0.2)
        raise SystemExit(f"no run of {ending!r} is {status}: {run}")


def show(name, value):
    print(f"ok  {name}: {value!r}"[:160], flush=True)

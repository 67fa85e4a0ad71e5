"""An HTTP client that checks what must hold for every reply."""

import requests

from rules import check_reply, own_shapes

TERMINAL = {"succeeded", "failed", "canceled", "aborted"}
TIMEOUT_S = 120


class Api:
    """Paths are given without /v1; whole URLs, and paths behind one more slash, are taken as they are."""

    def __init__(self, server, token=None):
        self.server = server
        self.token = token if token is not None else server.token
        self.session = requests.Session()
        self.session.trust_env = False

    def call(self, method, path, expect=None, headers=None, token=None, origin=None, **options):
        if path.startswith("http"):
            url = path
        else:
            url = self.server.url + (path[1:] if path.startswith("//") else "/v1" + path)
        token = self.token if token is None else token
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        sent.update(headers or {})
        reply = self.session.request(
            method,
            url,
            headers=sent,
            timeout=options.pop("timeout", TIMEOUT_S),
            allow_redirects=False,
            verify=self.server.ca or True,
            **options,
        )
        if expect is not None:
            assert reply.status_code == expect, f"{reply.status_code}: {reply.text[:2000]}"
        check_reply(
            method,
            url,
            reply.status_code,
            reply.headers,
            b"" if options.get("stream") else reply.content,
            origin or self.server.url,
            own_shapes(self.server),
        )
        return reply

    def get(self, path, expect=200, **options):
        return self.call("GET", path, expect, **options)

    def post(self, path, body=None, expect=None, **options):
        return self.call("POST", path, expect, json=body, **options)

    def delete(self, path, expect=None, **options):
        return self.call("DELETE", path, expect, **options)

    def patch(self, path, body=None, expect=None, **options):
        return self.call("PATCH", path, expect, json=body, **options)

    # What most tests want

    def create(self, model, inputs=None, expect=201, prefer=None, cancel_after=None, **more):
        headers = {}
        if prefer is not None:
            headers["Prefer"] = prefer
        if cancel_after is not None:
            headers["Cancel-After"] = cancel_after
        body = {"input": inputs or {}, **more}
        return self.post(f"/models/lab/{model}/predictions", body, expect, headers=headers).json()

    def run(self, model, inputs=None, **more):
        """Creates, and waits for the end however long it takes."""
        return self.ended(self.create(model, inputs, **more))

    def prediction(self, which):
        return self.get(f"/predictions/{which if isinstance(which, str) else which['id']}").json()

    def ended(self, which, timeout=60):
        from waiting import wait_until

        def look():
            now = self.prediction(which)
            return now if now["status"] in TERMINAL else None

        return wait_until(look, timeout, f"the end of {which}")

    def cancel(self, which, expect=200):
        return self.post(f"/predictions/{which['id']}/cancel", expect=expect).json()

    def reaches(self, which, *statuses, timeout=60):
        from waiting import wait_until

        def look():
            now = self.prediction(which)
            return now if now["status"] in statuses else None

        return wait_until(look, timeout, f"{statuses} of {which}")

    def debug(self):
        return self.get("//-/debug").json()

    def upload(self, content, name="note.txt", kind="text/plain", expect=201, **fields):
        files = {"content": (name, content, kind), **fields}
        return self.call("POST", "/files", expect, files=files).json()

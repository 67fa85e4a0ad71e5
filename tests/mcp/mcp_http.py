"""MCP by plain HTTP requests, as no client library would send them all."""

import json

import requests

MODERN = "2026-07-28"
LEGACY = ("2025-11-25", "2025-06-18", "2025-03-26")
VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
TASKS = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
BOTH = "application/json, text/event-stream"
NAMED = {
    "tools/call": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}
TIMEOUT_S = 120


def read_events(reply):
    """The messages of a stream, as they come."""
    for line in reply.iter_lines(decode_unicode=True):
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


class Mcp:
    """`revision` decides how requests look."""

    def __init__(self, server, revision=MODERN, path="/mcp", token=None, capabilities=None):
        self.server = server
        self.revision = revision
        self.path = path
        self.token = server.token if token is None else token
        self.capabilities = capabilities or {}
        self.last_id = 0

    def but(self, **options):
        named = {"revision": self.revision, "path": self.path, "token": self.token}
        return Mcp(self.server, **{**named, "capabilities": self.capabilities, **options})

    def post(self, body, headers=None, method="POST", stream=False):
        """`body`: a value or bytes; a header that is None is not sent."""
        sent = {
            "Authorization": f"Bearer {self.token}" if self.token else None,
            "Content-Type": "application/json",
            "Accept": BOTH,
            **(headers or {}),
        }
        return requests.request(
            method,
            self.server.url + self.path,
            data=body if isinstance(body, (bytes, type(None))) else json.dumps(body),
            headers={name: value for name, value in sent.items() if value is not None},
            stream=stream,
            timeout=TIMEOUT_S,
        )

    def message(self, method, params=None, progress=None):
        self.last_id += 1
        meta = {}
        if self.revision >= MODERN:
            meta = {VERSION: self.revision, CAPABILITIES: self.capabilities}
        if progress is not None:
            meta["progressToken"] = progress
        given = {**(params or {}), **({"_meta": meta} if meta else {})}
        return {"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": given}

    def headers(self, message):
        if self.revision < MODERN:
            return {"MCP-Protocol-Version": self.revision}
        name = message["params"].get(NAMED.get(message["method"]))
        return {
            "MCP-Protocol-Version": self.revision,
            "Mcp-Method": message["method"],
            "Mcp-Name": name if isinstance(name, str) else None,
        }

    def send(self, method, params=None, progress=None, headers=None, stream=False):
        message = self.message(method, params, progress)
        return self.post(message, {**self.headers(message), **(headers or {})}, stream=stream)

    def heard(self, method, params=None, progress=None, **more):
        """All messages of the answer."""
        reply = self.send(method, params, progress, stream=True, **more)
        if reply.headers["Content-Type"] == "text/event-stream":
            return list(read_events(reply))
        return [reply.json()]

    def ask(self, method, params=None, **more):
        answer = self.heard(method, params, **more)[-1]
        assert answer["jsonrpc"] == "2.0" and answer["id"] == self.last_id, answer
        return answer

    def result(self, method, params=None, **more):
        answer = self.ask(method, params, **more)
        assert "result" in answer, answer
        return answer["result"]

    def error(self, method, params=None, **more):
        answer = self.ask(method, params, **more)
        assert "error" in answer, answer
        return answer["error"]

    def call(self, tool, **arguments):
        return self.result("tools/call", {"name": tool, "arguments": arguments})

    def run(self, model, **inputs):
        return self.call("run_model", model=f"lab/{model}", input=inputs)

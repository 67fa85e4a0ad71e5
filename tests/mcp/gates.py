"""Runs that last until the test lets them end."""

import json

from mcp_http import read_events


def held(gate):
    """A call that runs until its gate is opened, and returns ["x"]: it waits for the files GATE.0, GATE.1, …"""
    inputs = {"chunks": json.dumps(["x"]), "gate": str(gate)}
    return {"name": "run_model", "arguments": {"model": "lab/pieces", "input": inputs}}


class Held:
    """Such a call on its way: it has begun, and was told of at least once."""

    def __init__(self, mcp, gate, progress=1):
        self.mcp = mcp
        self.reply = mcp.send("tools/call", held(gate), progress=progress, stream=True)
        self.events = read_events(self.reply)
        self.notes = [next(self.events)]
        self.row = mcp.server.api().get("/predictions").json()["results"][0]

    def leave(self):
        self.reply.close()

    def answer(self):
        *more, answer = self.events
        self.notes += more
        return answer["result"]

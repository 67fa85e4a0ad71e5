"""Calls of the official client, 2.x. The protocol is that of support/client_loop.py."""

import contextlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import httpx2
from client_loop import serve
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from sdk_calls import make_calls


@contextlib.asynccontextmanager
async def connect(url, token):
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=120) as http:
        async with Client(streamable_http_client(url, http_client=http)) as client:
            client.told = {"revision": client.protocol_version, "server": client.server_info.name}
            yield client


if __name__ == "__main__":
    serve(make_calls(connect), dict)

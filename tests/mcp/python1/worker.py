"""Calls of the official client, 1.x. The protocol is that of support/client_loop.py."""

import contextlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from client_loop import serve
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from sdk_calls import make_calls


@contextlib.asynccontextmanager
async def connect(url, token):
    headers = {"Authorization": f"Bearer {token}"}
    async with streamablehttp_client(url, headers=headers) as (read, write, _):
        async with ClientSession(read, write) as session:
            told = await session.initialize()
            session.told = {"revision": told.protocolVersion, "server": told.serverInfo.name}
            yield session


if __name__ == "__main__":
    serve(make_calls(connect), dict)

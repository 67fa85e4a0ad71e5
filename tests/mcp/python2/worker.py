"""Calls of the official client, 2.x. The protocol is that of support/client_loop.py."""

import contextlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import anyio
import httpx2
import mcp_types as types
from client_loop import serve
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from sdk_calls import make_calls, plain


@contextlib.asynccontextmanager
async def connect(url, token):
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, timeout=120) as http:
        async with Client(streamable_http_client(url, http_client=http)) as client:
            client.told = {"revision": client.protocol_version, "server": client.server_info.name}
            yield client


async def hear(client, resource, opens):
    """What is told of a resource, until it comes a second time; the acknowledgment makes the file `opens`."""
    heard = []
    headers = {"Authorization": f"Bearer {client['token']}"}
    wanted = types.SubscriptionFilter(resource_subscriptions=[resource])
    request = types.SubscriptionsListenRequest(params=types.SubscriptionsListenRequestParams(notifications=wanted))
    with anyio.CancelScope() as scope:

        async def take(message):
            heard.append(plain(message))
            if len(heard) == 1:
                pathlib.Path(opens).touch()
            else:
                scope.cancel()

        async with httpx2.AsyncClient(headers=headers, timeout=120) as http:
            async with Client(streamable_http_client(client["url"], http_client=http), message_handler=take) as session:
                await session.session.send_request(request, types.SubscriptionsListenResult)
    return heard


def listen(client, **arguments):
    return anyio.run(lambda: hear(client, **arguments))


if __name__ == "__main__":
    serve({**make_calls(connect), "listen": listen}, dict)

"""The calls of the suite, made with a session of any official Python client."""

import pathlib

import anyio


def plain(value):
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


async def about(session):
    return session.told


async def list_tools(session):
    return [plain(tool) for tool in (await session.list_tools()).tools]


async def list_resources(session):
    return [plain(resource) for resource in (await session.list_resources()).resources]


async def read(session, uri):
    return [plain(content) for content in (await session.read_resource(uri)).contents]


async def call(session, name, arguments=None, opens=None):
    """The result, and the notes that came before it; the first one makes the file `opens`."""
    heard = []

    async def hear(progress, total, message):
        heard.append({"progress": progress, "total": total, "message": message})
        pathlib.Path(opens).touch()

    result = await session.call_tool(name, arguments or {}, progress_callback=hear if opens else None)
    return {**plain(result), "notes": heard}


async def leave(session, name, arguments):
    """Gives the call up at its first note."""
    with anyio.CancelScope() as scope:

        async def hear(progress, total, message):
            scope.cancel()

        await session.call_tool(name, arguments, progress_callback=hear)
    return scope.cancelled_caught


def make_calls(connect):
    """`connect (url, token)` gives a session."""

    def wrap(function):
        async def run(client, arguments):
            async with connect(client["url"], client["token"]) as session:
                return await function(session, **arguments)

        return lambda client, **arguments: anyio.run(run, client, arguments)

    return {f.__name__: wrap(f) for f in (about, list_tools, list_resources, read, call, leave)}

"""Streaming through the official Python client, unmodified, and real model servers."""

import asyncio
import json

import pytest
import replicate
from replicate.exceptions import ReplicateError

import processes
import sse

FLAGS = ["--stream-keepalive", "1s"]


pytestmark = pytest.mark.usefixtures("proxy")


@pytest.fixture(scope="module")
def client(server, module_proxy):
    return replicate.Client(api_token=server.token, base_url=module_proxy.url)


@pytest.fixture(scope="module")
def https(binary, template, tmp_path_factory):
    from servers import Servers

    made = Servers(binary, template, tmp_path_factory.mktemp("https"))
    yield made("--tls-auto")
    made.close()


def texts(events):
    return [str(event) for event in events if event.event == event.EventType.OUTPUT]


def ending(events):
    return events[-1].event.value, json.loads(events[-1].data)


def test_stream(client):
    events = list(client.stream("lab/stream", input={"count": 5, "delay": 0.01}))
    assert texts(events) == [f"chunk {i}" for i in range(5)]
    assert ending(events) == ("done", {})
    assert len({event.id for event in events}) == 6


def test_stream_of_a_version(client):
    version = client.models.get("lab/stream").latest_version
    events = list(client.stream(f"lab/stream:{version.id}", input={"count": 2}))
    assert texts(events) == ["chunk 0", "chunk 1"]


def test_stream_of_a_prediction(client):
    version = client.models.get("lab/stream").latest_version
    prediction = client.predictions.create(version=version.id, input={"count": 3})
    first = list(prediction.stream())
    prediction.wait()
    again = list(prediction.stream())
    assert texts(first) == texts(again) == prediction.output
    assert [event.id for event in first] == [event.id for event in again]


def test_async_stream(client):
    async def read():
        events = await client.async_stream("lab/stream", input={"count": 3})
        return [event async for event in events]

    assert texts(asyncio.run(read())) == ["chunk 0", "chunk 1", "chunk 2"]


def test_model_without_pieces(client):
    assert texts(client.stream("lab/echo", input={"text": "a\nb"})) == ["a\nb"]


def test_failure_raises(client):
    events = client.stream("lab/stream", input={"count": 5, "fail_at": 2})
    seen = []
    with pytest.raises(RuntimeError, match="stream failed"):
        for event in events:
            seen.append(event)
    assert texts(seen) == ["chunk 0", "chunk 1"]


def test_cancel_ends_the_stream(client):
    version = client.models.get("lab/stream").latest_version
    prediction = client.predictions.create(version=version.id, input={"count": 1000, "delay": 0.1})
    seen = []
    for event in prediction.stream():
        seen.append(event)
        if len(seen) == 2:
            prediction.cancel()
    assert ending(seen) == ("done", {"reason": "canceled"})


def test_long_silence(client):
    """Longer than several keep-alives; the client must take no notice of them."""
    events = list(client.stream("lab/echo", input={"text": "late", "delay": 3}))
    assert texts(events) == ["late"]


def test_line_ends_that_only_this_client_knows(client):
    """It loses the characters themselves, and nothing that stands behind them."""
    chunks = ["one\u2028two\u2029three", "a\x0cb\x85c", "d"]
    events = client.stream("lab/pieces", input={"chunks": json.dumps(chunks)})
    assert "".join(texts(events)) == "onetwothreeabcd"


def test_unauthenticated_create_is_refused(server):
    stranger = replicate.Client(api_token="wrong", base_url=server.url)
    with pytest.raises(ReplicateError):
        list(stranger.stream("lab/stream", input={"count": 1}))


def test_files_over_https(https, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", https.ca)
    client = replicate.Client(api_token=https.token, base_url=https.url)
    events = list(client.stream("lab/frames", input={"count": 3}))
    assert ending(events) == ("done", {})
    files = [event.data for event in events if event.event == event.EventType.OUTPUT]
    assert [file.read().decode() for file in files] == ["frame 0", "frame 1", "frame 2"]


def test_a_list_of_files_is_an_event_each(api):
    notes = [api.upload(f"note {i}".encode(), f"{i}.txt")["urls"]["get"] for i in range(3)]
    made = api.create("files", {"files": notes})
    urls = sse.outputs(sse.read(made["urls"]["stream"])[1])
    assert "/v1/files/stream-" in made["urls"]["stream"]
    assert urls == api.ended(made)["output"] and len(urls) == 3
    assert [api.get(url, token="").text for url in urls] == ["NOTE 0", "NOTE 1", "NOTE 2"]


def test_other_outputs_are_json(api, server):
    made = api.create("nested", {"label": "a\u2028b"})
    (data,) = sse.outputs(sse.read(made["urls"]["stream"])[1])
    assert json.loads(data) == api.ended(made)["output"]
    assert json.loads(data)["picture"].startswith(server.url + "/v1/outputs/")


def test_lost_instance(api, server):
    """Output was returned already, so it is not run again: the readers are told."""
    made = api.create("stream", {"count": 1000, "delay": 0.2})
    with sse.Stream(made["urls"]["stream"]) as stream:
        stream.wait_events(2)
        for pid in processes.directors(server.data):
            processes.kill(pid)
        events = stream.rest()
    assert [event.event for event in events[-2:]] == ["error", "done"]
    assert json.loads(events[-1].data) == {"reason": "error"}
    assert sse.outputs(events) == api.ended(made)["output"]

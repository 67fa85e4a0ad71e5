"""The official Python client, unmodified."""

import asyncio
import io

import pytest
import replicate
from checking_proxy import make_proxy
from replicate.exceptions import ModelError, ReplicateError
from replicate.helpers import FileOutput


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


@pytest.fixture
def https_client(https, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", https.ca)
    proxy = make_proxy(https)
    yield replicate.Client(api_token=https.token, base_url=proxy.url)
    proxy.close()
    assert not proxy.faults, proxy.faults


def test_run_by_name(client):
    assert client.run("lab/echo", input={"text": "hello"}) == "hello"


def test_run_by_version(client):
    version = client.models.get("lab/echo").latest_version
    assert client.run(f"lab/echo:{version.id}", input={"text": "hello"}) == "hello"


def test_run_without_waiting(client):
    assert client.run("lab/echo", input={"text": "hello"}, wait=False) == "hello"


def test_run_with_a_short_hold(client):
    """The hold ends first; the client must not take that for the result."""
    assert client.run("lab/echo", input={"text": "late", "delay": 2}, wait=1) == "late"


def test_async_run(client):
    async def both():
        return await asyncio.gather(
            *(client.async_run("lab/echo", input={"text": str(i)}) for i in range(4))
        )

    assert asyncio.run(both()) == ["0", "1", "2", "3"]


def test_iterators_by_name_are_lists(client):
    assert client.run("lab/stream", input={"count": 3}) == ["chunk 0", "chunk 1", "chunk 2"]


@pytest.mark.parametrize("wait", [True, 1, False])
def test_iterators_by_version_are_iterators(client, wait):
    version = client.models.get("lab/stream").latest_version
    inputs = {"count": 5, "delay": 0.4}
    chunks = client.run(f"lab/stream:{version.id}", input=inputs, wait=wait)
    assert list(chunks) == [f"chunk {i}" for i in range(5)]


def test_failure_raises(client):
    with pytest.raises(ModelError, match="boom"):
        client.run("lab/faulty", input={"mode": "throw"})
    version = client.models.get("lab/stream").latest_version
    with pytest.raises(ModelError, match="stream failed"):
        list(client.run(f"lab/stream:{version.id}", input={"count": 3, "fail_at": 2}))


def test_wrong_input_raises(client):
    with pytest.raises(ReplicateError) as caught:
        client.run("lab/types", input={"count": "x"})
    assert caught.value.status == 422 and "count" in caught.value.detail


def test_wrong_token_raises(server):
    client = replicate.Client(api_token="vend_wrong_token_entirely", base_url=server.url)
    with pytest.raises(ReplicateError) as caught:
        client.models.get("lab/echo")
    assert caught.value.status == 401


def test_predictions(client):
    version = client.models.get("lab/echo").latest_version
    made = client.predictions.create(version=version.id, input={"text": "made"})
    assert made.status == "starting"
    assert client.predictions.get(made.id).id == made.id
    made.wait()
    assert made.status == "succeeded" and made.output == "made"
    assert made.metrics["predict_time"] >= 0 and made.metrics["total_time"] > 0
    assert made.id in [p.id for p in client.predictions.list()]
    made.cancel()
    assert client.predictions.get(made.id).status == "succeeded"

    running = client.models.predictions.create("lab/echo", input={"delay": 600})
    running.cancel()
    running.wait()
    assert running.status == "canceled"
    assert client.predictions.cancel(running.id).status == "canceled"


def test_models_and_account(client):
    model = client.models.get("lab/echo")
    assert model.owner == "lab" and model.latest_version.cog_version
    assert model.id in [m.id for m in client.models.list()]
    assert [v.id for v in model.versions.list()] == [model.latest_version.id]
    assert model.versions.get(model.latest_version.id).openapi_schema["info"]["title"] == "Cog"
    assert client.accounts.current().username == "lab"
    assert [h.sku for h in client.hardware.list()] == ["cpu"]
    made = client.models.create("lab", "by-client", visibility="private", hardware="cpu")
    assert made.run_count == 0
    # Follows `next` of more than one page.
    for i in range(101):
        client.models.create("lab", f"many-{i}", visibility="private", hardware="cpu")
    assert len([m for page in replicate_pages(client) for m in page]) > 101


def replicate_pages(client):
    page = client.models.list()
    while True:
        yield page.results
        if page.next is None:
            return
        page = client.models.list(page.next)


def test_files(client, tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("noted")
    made = client.files.create(path, metadata={"kind": "note"})
    assert made.name == "note.txt" and made.size == 5 and made.metadata == {"kind": "note"}
    assert client.files.get(made.id).etag == made.etag
    assert made.id in [f.id for f in client.files.list()]
    client.files.delete(made.id)
    with pytest.raises(ReplicateError):
        client.files.get(made.id)


def test_file_over_http_is_text(client, server, proxy):
    """Over plain http the client leaves URLs alone."""
    output = client.run("lab/image", input={"image": io.BytesIO(b"hello")})
    assert isinstance(output, str) and output.startswith(proxy.url + "/v1/outputs/")
    assert server.api().session.get(output, timeout=30).content == b"HELLO"


def test_file_as_data_uri(client, server):
    version = client.models.get("lab/image").latest_version
    made = client.predictions.create(
        version=version.id, input={"image": io.BytesIO(b"hello")}, file_encoding_strategy="base64"
    )
    made.wait()
    assert server.api().session.get(made.output, timeout=30).content == b"HELLO"


def test_https_run(https_client):
    assert https_client.run("lab/echo", input={"text": "secure"}) == "secure"


def test_https_file_output(https_client, tmp_path):
    path = tmp_path / "in.txt"
    path.write_bytes(b"secure")
    with open(path, "rb") as file:
        output = https_client.run("lab/image", input={"image": file, "name": "käse 1.txt"})
    assert isinstance(output, FileOutput)
    assert output.read() == b"SECURE"
    assert b"".join(output) == b"SECURE"
    assert str(output.url).startswith("https://")


def test_https_lists_and_nested_files(https_client):
    files = [io.BytesIO(b"one"), io.BytesIO(b"two")]
    outputs = https_client.run("lab/files", input={"files": files})
    assert [output.read() for output in outputs] == [b"ONE", b"TWO"]
    output = https_client.run("lab/nested", input={"label": "dog"})
    assert output["label"] == "dog" and output["picture"].read() == b"\x89PNG dog"


def test_https_async_file(https_client):
    async def go():
        output = await https_client.async_run("lab/image", input={"image": io.BytesIO(b"later")})
        return await output.aread()

    assert asyncio.run(go()) == b"LATER"

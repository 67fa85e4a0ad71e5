"""What users of the official clients do, with each of them as it is published, over https."""

import base64
import hashlib
import hmac
import json
import pathlib
import time

import pytest
from client_worker import ClientError
from receiver import Receiver
from shared_file import SharedFile
from waiting import wait_until

FLAGS = ("--tls-auto", "--webhook-allow", "127.0.0.0/8", "--deployment-delete-idle", "0")
ENDS = ("succeeded", "failed", "canceled")
MANY = 260
ROOT = pathlib.Path(__file__).resolve().parents[2]


def latest(api, name):
    return api.get(f"/models/lab/{name}").json()["latest_version"]["id"]


def file_of(text, name="input.txt"):
    return {"$file": text, "name": name}


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def many(server):
    """More predictions than two pages have; nothing runs."""
    api = server.api()
    version = latest(api, "echo")
    deployment = {"name": "paused", "model": "lab/echo", "version": version, "hardware": "cpu"}
    api.post("/deployments", {**deployment, "min_instances": 0, "max_instances": 0}, 200)
    path = "/deployments/lab/paused/predictions"
    return [api.post(path, {"input": {"text": str(i)}}, 201).json()["id"] for i in range(MANY)]


# Run


def test_run_by_name(client):
    assert client("run", ref="lab/echo", input={"text": "héllo"}) == "héllo"


def test_run_by_version(client, api):
    ref = f"lab/echo:{latest(api, 'echo')}"
    assert client("run", ref=ref, input={"text": "hello"}) == "hello"


def test_run_of_an_iterator(client, api):
    expected = [f"chunk {i}" for i in range(4)]
    assert client("run", ref="lab/stream", input={"count": 4}) == expected
    ref = f"lab/stream:{latest(api, 'stream')}"
    assert client("run", ref=ref, input={"count": 4, "delay": 0.1}) == expected


def test_run_whose_hold_ends_first(client, proxy):
    wait = {"mode": "block", "timeout": 1} if client.name == "javascript" else 1
    inputs = {"text": "late", "delay": 2}
    assert client("run", ref="lab/echo", input=inputs, wait=wait) == "late"
    (create,) = proxy.seen("POST", "/predictions")
    assert create.headers["prefer"] == "wait=1"
    assert create.status == 202 and create.reply["status"] == "starting"
    assert create.reply["output"] is None
    assert proxy.seen("GET", "/predictions/")


def test_run_without_hold(client, proxy):
    wait = {"mode": "poll", "interval": 100} if client.name == "javascript" else False
    assert client("run", ref="lab/echo", input={"text": "polled"}, wait=wait) == "polled"
    (create,) = proxy.seen("POST", "/predictions")
    assert "prefer" not in create.headers and create.status == 201


def test_failed_run_raises(client):
    with pytest.raises(ClientError, match="boom"):
        client("run", ref="lab/faulty", input={"mode": "throw"})


def test_use(client):
    assert client("use", ref="lab/echo", input={"text": "used"}) == "used"


def test_use_in_pieces(client):
    pieces = client("use_in_pieces", ref="lab/stream", input={"count": 3, "delay": 0.2})
    assert pieces == ["chunk 0", "chunk 1", "chunk 2"]


# Streams


def test_stream(client, proxy):
    events = client("stream", ref="lab/stream", input={"count": 5, "delay": 0.01})
    assert [data for event, data, _ in events if event == "output"] == [
        f"chunk {i}" for i in range(5)
    ]
    assert events[-1][:2] == ["done", "{}"]
    assert len({id for _, _, id in events}) == len(events) == 6
    (read,) = proxy.wait_over("GET", "/v1/streams/")
    assert ("authorization" in read.headers) == (client.name == "python1")
    assert "prefer" not in proxy.seen("POST", "/predictions")[0].headers


def test_stream_of_lines(client):
    events = client("stream", ref="lab/echo", input={"text": "one\ntwo\n\nthree"})
    assert events[0][:2] == ["output", "one\ntwo\n\nthree"]


def test_stream_of_files(client, proxy):
    events = client("stream", ref="lab/frames", input={"count": 2})
    assert [data["text"] for event, data, _ in events if event == "output"] == ["frame 0", "frame 1"]
    assert proxy.wait_over("GET", "/v1/files/stream-")


def test_stream_that_fails(client):
    with pytest.raises(ClientError, match="stream failed"):
        client("stream", ref="lab/stream", input={"count": 5, "fail_at": 2})


# Predictions


def test_predictions(client, api):
    made = client("create", version=latest(api, "echo"), input={"text": "made"})
    assert made["status"] == "starting" and made["model"] == "lab/echo"
    assert client("get", id=made["id"])["id"] == made["id"]
    done = client("wait", id=made["id"])
    assert (done["status"], done["output"], done["error"]) == ("succeeded", "made", None)
    assert done["metrics"]["predict_time"] >= 0
    assert made["id"] in [item["id"] for item in client("predictions")]


def test_cancel(client):
    made = client("create", model="lab/echo", input={"delay": 600})
    client("cancel", id=made["id"])
    assert client("wait", id=made["id"])["status"] == "canceled"
    assert client("cancel", id=made["id"])["status"] == "canceled"


def test_abort(client):
    ended = client("abort", ref="lab/echo", input={"delay": 600}, after="processing")
    assert client("wait", id=ended["id"])["status"] == "canceled"


def test_all_pages_of_predictions(client, proxy, many):
    seen = client("all_predictions")
    listed = set(many)
    assert [id for id in seen if id in listed] == many[::-1]
    assert len(seen) == len(set(seen))
    assert len(proxy.seen("GET", "/v1/predictions")) >= 3


# Files


def test_file_in_and_out(client, proxy):
    output = client("run", ref="lab/image", input={"image": file_of("secure"), "name": "käse 1.txt"})
    assert output["text"] == "SECURE" and output["file"].startswith(proxy.url + "/v1/outputs/")
    (create,) = proxy.seen("POST", "/v1/models/lab/image/predictions")
    assert create.reply["input"]["image"].startswith(proxy.url + "/v1/files/")


def test_files_in_lists_and_objects(client):
    inputs = {"files": [file_of("one"), file_of("two")]}
    assert [item["text"] for item in client("run", ref="lab/files", input=inputs)] == ["ONE", "TWO"]
    output = client("run", ref="lab/nested", input={"label": "dog"})
    assert output["label"] == "dog" and output["picture"]["text"].endswith("PNG dog")


def test_file_as_data_uri(client, proxy, api):
    inputs = {"image": file_of("inline")}
    if client.name == "javascript":
        # Of its own accord it does so only when uploads fail on the server's side.
        detail = b'{"detail":"no uploads here","status":503}'
        problem = (503, {"content-type": "application/problem+json"}, detail)
        proxy.before = lambda exchange: problem if exchange.path == "/v1/files" else None
        output = client("run", ref="lab/image", input=inputs)["text"]
    else:
        made = client(
            "create",
            version=latest(api, "image"),
            input=inputs,
            file_encoding_strategy="base64",
        )
        assert not proxy.seen("POST", "/v1/files")
        output = api.get(client("wait", id=made["id"])["output"], token="").text
    assert output == "INLINE"
    assert proxy.seen("POST", "/predictions")[0].reply["input"]["image"].startswith("data:")


def test_data_uris_of_javascript(client, proxy):
    """Its "data-uri" strategy puts itself in place of the inputs. When this fails, that was mended."""
    if client.name != "javascript":
        pytest.skip(f"{client.name}: has no such strategy")
    mistaken = client.but(fileEncodingStrategy="data-uri")
    with pytest.raises(ClientError, match="image is required"):
        mistaken("run", ref="lab/image", input={"image": file_of("inline")})
    assert "baseUrl" in json.loads(proxy.seen("POST")[-1].body)["input"]


def test_file_resources(client, proxy, server):
    made = client("upload", file=file_of("noted", "note.txt"), metadata={"kind": "note", "n": 1})
    assert made["name"] == "note.txt" and made["size"] == 5
    assert made["content_type"] == "text/plain"
    assert made["checksums"]["sha256"] == hashlib.sha256(b"noted").hexdigest()
    assert made["metadata"]["kind"] == "note"
    assert client("file", id=made["id"])["checksums"] == made["checksums"]
    assert made["id"] in [item["id"] for item in client("files")]
    assert client("delete_file", id=made["id"]) is True
    with pytest.raises(ClientError) as failed:
        client("file", id=made["id"])
    assert failed.value.status == 404


def test_download(client, api):
    made = api.upload(b"fetched")
    if not client.has("download"):
        client("download")
    expiry = int(time.time()) + 60
    key = api.get("/files/default/secret").json()["key"]
    mac = hmac.digest(key.encode(), f"lab {made['id']} {expiry}".encode(), "sha256")
    signature = base64.b64encode(mac).decode()
    query = {"owner": "lab", "expiry": expiry, "signature": signature}
    assert client("download", id=made["id"], **query) == "fetched"


# Models, collections, hardware, search


def test_account(client):
    account = client("account")
    assert account["username"] == "lab" and account["type"] in ("user", "organization")


def test_hardware(client):
    assert client("hardware") == [{"sku": "cpu", "name": "CPU"}]


def test_models(client):
    model = client("model", owner="lab", name="echo")
    assert model["latest_version"]["cog_version"]
    assert "echo" in [item["name"] for item in client("models")]
    name = f"made-by-{client.name}"
    made = client("create_model", owner="lab", name=name)
    assert made["name"] == name and made["run_count"] == 0
    assert name in client("all_models")


def test_change_of_a_model(client):
    client("create_model", owner="lab", name=f"changed-{client.name}")
    changed = client("update_model", owner="lab", name=f"changed-{client.name}", description="new")
    assert changed["description"] == "new"


def test_delete_of_a_model(client):
    name = f"gone-{client.name}"
    if client.has("delete_model"):
        client("create_model", owner="lab", name=name)
    assert client("delete_model", owner="lab", name=name) is True
    with pytest.raises(ClientError) as failed:
        client("model", owner="lab", name=name)
    assert failed.value.status == 404


def test_versions(client, api):
    id = latest(api, "echo")
    assert id in [item["id"] for item in client("versions", owner="lab", name="echo")]
    version = client("version", owner="lab", name="echo", id=id)
    assert "Input" in version["openapi_schema"]["components"]["schemas"]


def test_delete_of_a_version(client, api):
    """Python 1.x takes the documented 202 for a failure; the version is gone all the same."""
    name = {"python1": "setup-hangs", "python2": "setup-fails"}.get(client.name)
    id = latest(api, name) if name else ""
    gone = client("delete_version", owner="lab", name=name, id=id)
    assert gone is (client.name != "python1")
    api.get(f"/models/lab/{name}/versions/{id}", 404)
    with pytest.raises(ClientError) as failed:
        client("delete_version", owner="lab", name="echo", id="0" * 64)
    assert failed.value.status == 404


def test_readme(client, api):
    api.patch("/models/lab/echo", {"readme": "# Echo\n"}, 200)
    assert client("readme", owner="lab", name="echo") == "# Echo\n"


def test_a_page_out_of_the_files_of_a_model(client, api, server):
    pushed = server.cli("push", ROOT / "examples" / "hello", "lab/hello", "--public")
    assert pushed.returncode == 0, pushed.stderr
    one, two = client("examples", owner="lab", name="hello")
    assert one["status"] == "succeeded" and one["output"] == ["Bonjour", ", ", "Ada", "!"]
    assert one["version"] == pushed.stdout.strip().partition(":")[2]
    assert one["metrics"] == {"predict_time": 0.01}
    model = api.get("/models/lab/hello").json()
    assert model["default_example"]["id"] == one["id"] != two["id"]
    assert api.call("GET", model["cover_image_url"], 200, token="").content.startswith(b"\x89PNG")


def test_examples(client, api):
    run = api.run("echo", {"text": "shown"})
    api.post("/models/lab/echo/examples", {"prediction": run["id"]}, 201)
    assert run["id"] in [item["id"] for item in client("examples", owner="lab", name="echo")]


def test_default_example_is_no_hindrance(client, api):
    run = api.run("nested", {"label": "first"})
    api.post("/models/lab/nested/examples", {"prediction": run["id"], "default": True}, 201)
    assert client("model", owner="lab", name="nested")["default_example"]["id"] == run["id"]


def test_search_of_models(client):
    assert client("search_models", text="echo")[0]["name"] == "echo"


def test_search(client):
    found = client("search", text="echo")
    assert found["query"] == "echo" and found["models"][0]["model"]["name"] == "echo"


def test_collections(client, api):
    slug = f"of-{client.name}"
    collection = {"slug": slug, "description": "Tests", "models": ["lab/echo"]}
    api.post("/collections", collection, 201)
    assert slug in [item["slug"] for item in client("collections")]
    assert [item["name"] for item in client("collection", slug=slug)["models"]] == ["echo"]


# Deployments


def test_deployments(client, api):
    name = f"of-{client.name}"
    sizes = {"min_instances": 0, "max_instances": 1}
    made = client(
        "create_deployment",
        name=name,
        model="lab/echo",
        version=latest(api, "echo"),
        hardware="cpu",
        **sizes,
    )
    assert (made["owner"], made["name"], made["current_release"]["number"]) == ("lab", name, 1)
    assert client("deployment", owner="lab", name=name)["current_release"]["model"] == "lab/echo"
    assert name in [item["name"] for item in client("deployments")]
    done = client("run_deployment", owner="lab", name=name, input={"text": "deployed"})
    assert done["status"] == "succeeded" and done["output"] == "deployed"
    changed = client("update_deployment", owner="lab", name=name, min_instances=0, max_instances=2)
    assert changed["current_release"]["number"] == 2
    assert client("delete_deployment", owner="lab", name=name) is True
    with pytest.raises(ClientError) as failed:
        client("deployment", owner="lab", name=name)
    assert failed.value.status == 404


# Trainings

LEARNED = "it knows 2 steps, nothing"


def test_trainings(client, api):
    destination = f"tuned-{client.name}"
    client("create_model", owner="lab", name=destination)
    base = {"owner": "lab", "name": "trainer", "version": latest(api, "trainer")}
    target = {"destination": f"lab/{destination}"}
    made = client("train", **base, **target, input={"steps": 2})
    assert made["status"] == "starting" and made["model"] == "lab/trainer"
    first = wait_until(lambda: ended(client("training", id=made["id"])), what="the training")
    assert first["status"] == "succeeded", first
    assert set(first["output"]) == {"version", "weights"}
    assert first["output"]["version"].startswith(f"lab/{destination}:")
    # The version knows what its base does not, by its identifier and as the latest.
    assert client("run", ref=first["output"]["version"], input={"text": "it"}) == LEARNED
    assert client("run", ref=f"lab/{destination}", input={"text": "it"}) == LEARNED
    assert made["id"] in [item["id"] for item in client("trainings")]
    long = client("train", **base, **target, input={"steps": 100, "delay": 10})
    client("cancel_training", id=long["id"])
    assert wait_until(lambda: ended(client("training", id=long["id"])))["status"] == "canceled"


def ended(run):
    return run if run["status"] in ENDS else None


def test_training_without_destination(client, api):
    with pytest.raises(ClientError, match="The specified training destination does not exist") as failed:
        client(
            "train",
            owner="lab",
            name="trainer",
            version=latest(api, "trainer"),
            destination="lab/nothing",
            input={"steps": 1},
        )
    assert failed.value.status == 404


# Webhooks


def deliver(client, receiver, text):
    path = f"/{client.name}/{time.monotonic_ns()}"
    client(
        "create",
        model="lab/echo",
        input={"text": text, "delay": 1.0},
        webhook=receiver.url + path,
        webhook_events_filter=["completed"],
    )
    (message,) = receiver.wait_for(1, path)
    assert message.json["output"] == text
    return message


@pytest.mark.parametrize("call", ["validate", "validate_parsed"])
def test_webhooks(client, receiver, call):
    if not client.has(call):
        client(call)
    message = deliver(client, receiver, "näme <b> \u2028 1.0")
    arguments = {"headers": message.headers, "secret": client("secret")}
    assert client(call, body=message.body.decode(), **arguments) is True
    changed = message.body.decode().replace("succeeded", "canceled")
    try:
        assert client(call, body=changed, **arguments) is False
    except ClientError as error:
        assert client.name == "python1" and error.type == "InvalidSignatureError"


def test_secret(client):
    assert client("secret").startswith("whsec_")


# Errors


def test_wrong_token(client):
    with pytest.raises(ClientError, match="You did not pass a valid authentication token") as failed:
        client.but(token="vend_wrong_token_entirely")("account")
    assert failed.value.status == 401


def test_nothing_there(client):
    with pytest.raises(ClientError) as failed:
        client("get", id="nothing")
    assert failed.value.status == 404


def test_wrong_input_is_named(client, proxy):
    inputs = {"text": "fine", "count": "x"}
    with pytest.raises(ClientError, match="input.count: Invalid type. Expected: integer") as failed:
        client("run", ref="lab/types", input=inputs)
    assert failed.value.status == 422
    assert proxy.seen("POST")[-1].reply["invalid_fields"][0]["field"] == "input.count"


def test_wrong_version(client):
    with pytest.raises(ClientError, match="The specified version does not exist") as failed:
        client("run", ref="lab/echo:" + "0" * 64, input={})
    assert failed.value.status == 422


# Sent again


def test_resend_after_a_timeout_runs_once(client, proxy, server):
    """2.x gives up a held create after its timeout and sends it again, twice."""
    if client.name != "python2":
        pytest.skip(f"{client.name}: sends no create again after a timeout")
    client("run", ref="lab/echo", input={})
    record = SharedFile(server)
    inputs = {"text": "once", "delay": 2.5, "record": str(record)}
    proxy.forget()
    impatient = client.but(timeout=1.0)
    try:
        assert impatient("run", ref="lab/echo", input=inputs) == "once"
    except ClientError as error:
        # A slow machine: the third send was given up too.
        assert error.type == "APITimeoutError"
    creates = proxy.wait_over("POST", "/predictions")
    # On a slow machine the second may come so late that it sees the end.
    sent = [create.headers["x-stainless-retry-count"] for create in creates]
    assert sent in (["0", "1"], ["0", "1", "2"])
    made = [item for item in client("predictions") if item["input"].get("record") == str(record)]
    assert len(made) == 1
    assert client("wait", id=made[0]["id"])["output"] == "once"
    assert len(record.lines()) == 1


def test_resend_after_a_lost_reply_runs_once(client, proxy):
    """The server made it, the client never heard: the proxy throws the reply away."""
    if client.name != "python2":
        pytest.skip(f"{client.name}: sends no marker with a create that it sends again")
    lost = []

    def lose(exchange):
        if exchange.method == "POST" and len(lost) < 1:
            lost.append(exchange)
            exchange.drop = True

    proxy.before = lose
    made = client("create", model="lab/echo", input={"text": "heard"})
    again = [item for item in client("predictions") if item["input"] == {"text": "heard"}]
    assert [item["id"] for item in again] == [made["id"]]
    assert proxy.seen("POST")[-1].reply_headers["idempotency-replayed"] == "true"

"""The endpoints that OpenAI's clients call, as they are on the wire."""

import base64
import http.client
import json
import struct
import urllib.parse

import pytest
import requests
from shared_file import SharedFile
from waiting import wait_until


@pytest.fixture
def openai(api):
    return Openai(api)


class Openai:
    """Paths are given without the prefix."""

    def __init__(self, api, prefix="//openai/v1"):
        self.api = api
        self.prefix = prefix

    def post(self, path, body=None, expect=200, **options):
        return self.api.post(self.prefix + path, body, expect, **options)

    def get(self, path, expect=200, **options):
        return self.api.get(self.prefix + path, expect, **options)

    def chat(self, text, model="lab/talk", expect=200, headers=None, **more):
        messages = [{"role": "user", "content": text}]
        body = {"model": model, "messages": messages, **more}
        return self.post("/chat/completions", body, expect, headers=headers)

    def chunks(self, path, body):
        reply = self.post(path, {"model": "lab/talk", "stream": True, **body})
        assert reply.headers["Content-Type"] == "text/event-stream"
        events = [event for event in reply.text.split("\n\n") if event and not event.startswith(":")]
        assert events.pop() == "data: [DONE]"
        return [json.loads(event.removeprefix("data: ")) for event in events]


def said(text):
    return [{"role": "user", "content": text}]


def refusal(reply, status, param, part):
    assert reply.status_code == status, reply.text
    error = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["param"] == param and part in error["message"], error
    assert reply.headers["x-request-id"]
    return error


# Chat


def test_chat(openai, api):
    reply = openai.chat("hello there", temperature=0.5, max_tokens=50)
    whole = reply.json()
    assert whole["object"] == "chat.completion" and whole["model"] == "lab/talk"
    choice = whole["choices"][0]
    assert choice["index"] == 0 and choice["finish_reason"] == "stop" and choice["logprobs"] is None
    assert choice["message"] == {"role": "assistant", "content": "[] hello there", "refusal": None}
    assert whole["usage"]["vend_estimated"] is True and whole["usage"]["prompt_tokens"] == 3
    run = api.prediction(reply.headers["x-request-id"])
    assert whole["id"] == f"chatcmpl-{run['id']}" and run["status"] == "succeeded"
    assert run["input"] == {"prompt": "hello there", "temperature": 0.5, "max_tokens": 50}
    assert "x-vend-ignored" not in reply.headers


def test_stream(openai):
    chunks = openai.chunks("/chat/completions", {"messages": said("a b"), "stream_options": {"include_usage": True}})
    usage = chunks.pop()
    assert usage["choices"] == [] and usage["usage"]["completion_tokens"] > 0
    assert all(chunk["usage"] is None and chunk["object"] == "chat.completion.chunk" for chunk in chunks)
    assert len({chunk["id"] for chunk in chunks}) == 1
    choices = [chunk["choices"][0] for chunk in chunks]
    assert choices[0]["delta"] == {"role": "assistant", "content": ""}
    assert [choice["delta"] for choice in choices[1:]] == [{"content": "[]"}, {"content": " a"}, {"content": " b"}, {}]
    assert [choice["finish_reason"] for choice in choices] == [None] * 4 + ["stop"]


def test_what_a_prompt_is_made_of(openai, api):
    def prompt(*messages, **more):
        made = openai.post("/chat/completions", {"model": "lab/talk", "messages": list(messages), **more})
        return api.prediction(made.headers["x-request-id"])["input"]

    system, user, assistant = ({"role": role, "content": role[0]} for role in ("system", "user", "assistant"))
    assert prompt(system, user) == {"system_prompt": "s", "prompt": "u"}
    assert prompt(user, assistant, user)["prompt"] == "user: u\nassistant: a\nuser: u\nassistant:"
    parts = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "data:text/plain;base64,aGk="}}]
    given = prompt({"role": "user", "content": parts}, count=True)
    assert given == {"prompt": "x", "image": "data:text/plain;base64,aGk=", "count": True}


def test_tokens_that_a_model_counts(openai):
    whole = openai.chat("a b c", max_tokens=2, count=True).json()
    assert whole["usage"] == {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    assert whole["choices"][0]["finish_reason"] == "length"


def test_more_tokens_than_the_model_makes(openai, api):
    """An upper bound, which the model keeps."""
    reply = openai.chat("a b", max_completion_tokens=32000)
    assert api.prediction(reply.headers["x-request-id"])["input"]["max_tokens"] == 1000


def test_what_is_ignored_is_told(openai):
    reply = openai.chat("hi", top_p=0.5, user="me", n=1, stop=None, tools=[], logprobs=False)
    assert set(reply.headers["x-vend-ignored"].split(",")) == {"top_p", "user"}


@pytest.mark.parametrize(
    "field,value",
    [
        ("tools", [{"type": "function", "function": {"name": "f"}}]),
        ("response_format", {"type": "json_object"}),
        ("n", 2),
        ("logprobs", True),
        ("logit_bias", {"1": 2}),
    ],
)
def test_what_changes_the_meaning_is_refused(openai, field, value):
    refusal(openai.chat("hi", expect=400, **{field: value}), 400, field, "this model has no input for it")


REFUSED = [
    ({"messages": None}, "messages", "expected an array"),
    ({"messages": []}, "messages", "expected an array"),
    ({"messages": [{"content": "x"}]}, "messages", "messages[0]"),
    ({"messages": [{"role": "user", "content": 5}]}, "messages", "'content'"),
    ({"messages": [{"role": "user", "content": [{"type": "video"}]}]}, "messages", "parts of the types"),
    ({"temperature": 9}, "temperature", "temperature"),
    ({"max_tokens": 0}, "max_tokens", "at least 1"),
    ({"stream": "yes"}, "stream", "true or false"),
    ({"model": 5}, "model", "owner/name"),
    ({"model": "lab/vectors"}, "model", "does not fit chat.completions: there is no input 'messages' or 'prompt'"),
]


@pytest.mark.parametrize("change,param,part", REFUSED)
def test_refused(openai, api, change, param, part):
    before = api.get("/predictions").json()["results"]
    body = {"model": "lab/talk", "messages": said("hi"), **change}
    refusal(openai.post("/chat/completions", body, 400), 400, param, part)
    assert api.get("/predictions").json()["results"] == before


def test_errors_have_the_form_of_these_clients(openai, api, server):
    error = refusal(openai.chat("hi", model="lab/none", expect=404), 404, "model", "lab/none")
    assert error["code"] == "model_not_found"
    refusal(openai.get("/models/lab/none", 404), 404, "model", "lab/none")
    assert refusal(openai.get("/nothing", 404), 404, None, "not be found")["type"] == "invalid_request_error"
    refusal(openai.get("/chat/completions", 405), 405, None, "method")
    nobody = openai.post("/chat/completions", {}, 401, token="wrong")
    assert refusal(nobody, 401, None, "")["type"] == "authentication_error"
    on_v1 = api.post("/chat/completions", {}, 401, token="wrong")
    assert on_v1.json()["error"]["code"] == "invalid_api_key"
    broken = api.call("POST", "//openai/v1/chat/completions", 400, data="{", headers={"Content-Type": "application/json"})
    refusal(broken, 400, None, "")
    # The Replicate API keeps its own.
    assert api.get("/models/lab/none", 404).headers["Content-Type"] == "application/problem+json"


def test_a_model_that_fails(openai):
    reply = openai.chat("hi", fail=True, expect=500)
    error = refusal(reply, 500, None, "it lost the thread")
    assert error["code"] == "model_failed" and reply.headers["x-should-retry"] == "false"
    streamed = openai.chat("hi", fail=True, stream=True)
    events = streamed.text.strip().split("\n\n")
    assert json.loads(events[-1].removeprefix("data: ")) == {"error": error}


def test_a_private_model_of_another_account(openai, other):
    hidden = Openai(other)
    assert hidden.chat("hi").json()["choices"][0]["message"]["content"] == "[] hi"
    openai.api.patch("/models/lab/agent", {"visibility": "private"}, 200)
    refusal(hidden.chat("hi", model="lab/agent", expect=404), 404, "model", "lab/agent")
    openai.api.patch("/models/lab/agent", {"visibility": "public"}, 200)


def test_objects_with_choices_pass_through(openai, api):
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    choice = openai.chat("up", model="lab/agent", tools=tools).json()["choices"][0]
    call = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"said": "up"}'}}
    assert choice["finish_reason"] == "tool_calls" and choice["message"]["content"] is None
    assert choice["message"]["tool_calls"] == [call]
    chunks = openai.chunks("/chat/completions", {"model": "lab/agent", "messages": said("up"), "tools": tools})
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[1] == {"tool_calls": [{**call, "index": 0}]} and deltas[2] == {}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"
    whole = openai.chat("hi", model="lab/agent").json()
    assert json.loads(whole["choices"][0]["message"]["content"]) == said("hi")
    assert whole["usage"] == {"prompt_tokens": 7, "completion_tokens": 8, "total_tokens": 15}


def test_models(openai, api):
    listed = openai.get("/models").json()
    models = {model["id"]: model for model in listed["data"]}
    assert listed["object"] == "list" and "lab/echo" not in models
    talk = models["lab/talk"]
    assert talk["object"] == "model" and talk["owned_by"] == "lab" and isinstance(talk["created"], int)
    assert talk["endpoints"] == ["chat.completions", "completions", "responses"]
    assert openai.get("/models/lab/talk").json() == openai.get("/models/lab%2Ftalk").json() == talk


def test_on_v1_too(api):
    assert Openai(api, "").chat("hi").json()["choices"][0]["message"]["content"] == "[] hi"


# Completions and responses


def test_completion(openai):
    whole = openai.post("/completions", {"model": "lab/talk", "prompt": "a b"}).json()
    assert whole["object"] == "text_completion" and whole["id"].startswith("cmpl-")
    assert whole["choices"] == [{"index": 0, "text": "[] a b", "logprobs": None, "finish_reason": "stop"}]
    chunks = openai.chunks("/completions", {"prompt": ["a"]})
    assert [chunk["choices"][0]["text"] for chunk in chunks] == ["[]", " a", ""]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, "stop"]
    refusal(openai.post("/completions", {"model": "lab/talk", "prompt": [[1, 2]]}, 400), 400, "prompt", "tokens")


def events_of(reply):
    events = []
    for event in reply.text.strip().split("\n\n"):
        name, data = event.split("\n")
        events.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {events[-1]['type']}"
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    return events


def test_response(openai):
    body = {"model": "lab/talk", "instructions": "be brief", "input": "a b"}
    whole = openai.post("/responses", body).json()
    assert whole["status"] == "completed" and whole["id"].startswith("resp_")
    assert whole["output"][0]["content"][0]["text"] == "[be brief] a b"
    assert whole["usage"]["input_tokens"] > 0
    events = events_of(openai.post("/responses", {**body, "stream": True}))
    assert [event["type"].removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        *["output_text.delta"] * 4,
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert "".join(event.get("delta", "") for event in events) == "[be brief] a b"
    assert events[-1]["response"]["output"] == [{**whole["output"][0], "id": events[2]["item"]["id"]}]
    items = [{"role": "user", "content": [{"type": "input_text", "text": "x"}]}]
    assert openai.post("/responses", {**body, "input": items}).json()["output"][0]["content"][0]["text"].endswith(" x")
    refusal(openai.post("/responses", {**body, "previous_response_id": "resp_1"}, 400), 400, "previous_response_id", "")
    failed = events_of(openai.post("/responses", {**body, "fail": True, "stream": True}))
    assert [event["type"] for event in failed[-2:]] == ["response.failed", "error"]


# Clients that come again, and that leave


def test_a_request_that_comes_again_joins_its_run(openai):
    record = SharedFile(openai.api.server)
    first, again = ({"X-Stainless-Retry-Count": n} for n in "01")
    one = openai.chat("once", record=str(record), headers=first)
    two = openai.chat("once", record=str(record), headers=again)
    assert one.json()["id"] == two.json()["id"] and record.lines() == ["once"]
    key = {"Idempotency-Key": "k1"}
    whole = openai.chat("keyed", record=str(record), headers=key, stream=True).text
    assert openai.chat("keyed", record=str(record), headers=key, stream=True).text == whole
    assert record.lines() == ["once", "keyed"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_cancels(openai, api, stream):
    """The model waits, so nothing is sent that could fail."""
    record = SharedFile(api.server)
    body = {"model": "lab/talk", "messages": said("wait"), "stream": stream, "record": str(record)}
    body["gate"] = str(SharedFile(api.server))
    reply = api.session.post(
        f"{api.server.url}/openai/v1/chat/completions",
        json=body,
        headers={"Authorization": f"Bearer {api.token}", "Connection": "close"},
        stream=True,
        timeout=30,
    ) if stream else leave_early(api, body, record)
    if stream:
        wait_until(record.exists, what="the run to begin")
        run = reply.headers["x-request-id"]
        reply.close()
    else:
        run = api.get("/predictions").json()["results"][0]["id"]
    assert api.ended(run)["status"] == "canceled"


@pytest.mark.parametrize("headers", [{"Idempotency-Key": "left"}, {"X-Stainless-Retry-Count": "0"}])
def test_a_client_that_may_come_back(openai, api, headers):
    """It leaves and sends its request again, and leaves for good."""
    record, gate = SharedFile(api.server), SharedFile(api.server)
    body = {"model": "lab/talk", "messages": said("wait"), "record": str(record), "gate": str(gate)}
    leave_early(api, body, record, headers)
    run = api.get("/predictions").json()["results"][0]["id"]
    again = {**headers, **({"X-Stainless-Retry-Count": "1"} if "X-Stainless-Retry-Count" in headers else {})}
    with pytest.raises(requests.exceptions.ReadTimeout):
        openai.post("/chat/completions", body, headers=again, timeout=1)
    assert api.ended(run)["status"] == "canceled" and record.lines() == ["wait"]


def leave_early(api, body, record, more={}):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(api.server.url).netloc)
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json", **more}
    connection.request("POST", "/openai/v1/chat/completions", json.dumps(body), headers)
    wait_until(record.exists, what="the run to begin")
    connection.close()


def test_a_model_tells_what_it_fits(api, server):
    fits = api.get("/models/lab/vectors").json()["openai"]
    assert fits["endpoints"] == ["embeddings"]
    assert fits["others"]["chat.completions"] == "there is no input 'messages' or 'prompt'"
    expected = {
        "talk": ["chat.completions", "completions", "responses"],
        "agent": ["chat.completions", "responses"],
        "painter": ["images.generations", "images.edits"],
        "speaker": ["audio.speech"],
        "listener": ["audio.transcriptions", "audio.translations"],
        "echo": [],
    }
    assert {name: api.get(f"/models/lab/{name}").json()["openai"]["endpoints"] for name in expected} == expected
    assert "openai       embeddings\n" in server.cli("models", "show", "lab/vectors").stdout
    shown = server.cli("models", "show", "lab/echo").stdout
    assert "fits no endpoint" in shown and "embeddings: the output is no list of numbers" in shown


# Embeddings


def test_embeddings(openai):
    body = {"model": "lab/vectors", "input": ["abcd", "ef"]}
    plain = openai.post("/embeddings", body).json()
    assert plain["object"] == "list" and plain["model"] == "lab/vectors"
    assert [item["embedding"] for item in plain["data"]] == [[0.5, 0.5, -1.0], [0.25, 0.5, -1.0]]
    assert [item["index"] for item in plain["data"]] == [0, 1]
    assert plain["usage"] == {"prompt_tokens": 20, "total_tokens": 20}
    coded = openai.post("/embeddings", {**body, "encoding_format": "base64"}).json()
    assert struct.unpack("<3f", base64.b64decode(coded["data"][1]["embedding"])) == (0.25, 0.5, -1.0)
    assert len(openai.post("/embeddings", {**body, "input": "abcd", "user": "u"}).json()["data"]) == 1


@pytest.mark.parametrize(
    "change,param,part",
    [
        ({"input": [1, 2]}, "input", "lists of tokens are not supported"),
        ({"input": []}, "input", "a list of texts"),
        ({"input": None}, "input", "a list of texts"),
        ({"encoding_format": "hex"}, "encoding_format", "float or base64"),
        ({"dimensions": 5}, "dimensions", "no input for it"),
        ({"model": "lab/talk"}, "model", "does not fit embeddings"),
    ],
)
def test_embeddings_refused(openai, change, param, part):
    refusal(openai.post("/embeddings", {"model": "lab/vectors", "input": "x", **change}, 400), 400, param, part)


# Pictures, sounds


def test_pictures(openai):
    body = {"model": "lab/painter", "prompt": "cat", "n": 2, "size": "128x32", "quality": "high"}
    reply = openai.post("/images/generations", body)
    first, second = reply.json()["data"]
    assert reply.headers["x-vend-ignored"] == "quality"
    content = base64.b64decode(first["b64_json"])
    assert content.startswith(b"\x89PNG") and content.endswith(b"cat 128x32 0")
    assert requests.get(second["url"], timeout=60).content.endswith(b"cat 128x32 0")
    only = openai.post("/images/generations", {**body, "n": 1, "response_format": "url"}).json()["data"]
    assert [set(item) for item in only] == [{"url"}]
    only = openai.post("/images/generations", {**body, "response_format": "b64_json"}).json()["data"]
    assert [set(item) for item in only] == [{"b64_json"}] * 2
    for change in ({"size": "big"}, {"n": 0}, {"response_format": "png"}, {"prompt": 5}, {"stream": True}):
        refusal(openai.post("/images/generations", {**body, **change}, 400), 400, *change, "")
    refusal(openai.post("/images/generations", {**body, "n": 9}, 400), 400, "n", "")


def form(openai, path, files, expect=200, **fields):
    return openai.api.call("POST", openai.prefix + path, expect, files=files, data=fields)


def test_edits(openai):
    image = ("in.png", b"0123456789", "image/png")
    reply = form(openai, "/images/edits", {"image": image}, model="lab/painter", prompt="dog", n="1")
    assert base64.b64decode(reply.json()["data"][0]["b64_json"]).endswith(b"dog 64x64 10")
    large = ("in.png", b"x" * 500_000, "image/png")
    reply = form(openai, "/images/edits", [("image[]", large)], model="lab/painter", prompt="dog", width="8")
    assert base64.b64decode(reply.json()["data"][0]["b64_json"]).endswith(b"dog 8x64 500000")
    both = [("image[]", image), ("image[]", image)]
    refusal(form(openai, "/images/edits", both, 400, model="lab/painter", prompt="x"), 400, "image", "one file, got 2")
    refusal(form(openai, "/images/edits", {"mask": image}, 400, model="lab/painter", prompt="x"), 400, "image", "")
    refusal(form(openai, "/images/edits", {"image": image, "mask": image}, 400, model="lab/painter", prompt="x"), 400, "mask", "")


def test_speech(openai, api):
    body = {"model": "lab/speaker", "input": "hello", "voice": "alloy", "response_format": "mp3"}
    reply = openai.post("/audio/speech", body)
    assert reply.content.startswith(b"RIFF") and reply.content.endswith(bytes([10] * 5))
    assert reply.headers["Content-Type"] in ("audio/wav", "audio/x-wav")
    assert reply.headers["x-vend-ignored"] == "voice,response_format"
    assert openai.post("/audio/speech", {**body, "voice": "high"}).content.endswith(bytes([200] * 5))
    refusal(openai.post("/audio/speech", {**body, "voice": "nobody"}, 400), 400, "voice", "voice")
    refusal(openai.post("/audio/speech", {**body, "input": 7}, 400), 400, "input", "")


def test_transcripts(openai, api):
    def listen(path="/audio/transcriptions", expect=200, **fields):
        sound = {"file": ("a.wav", b"12345", "audio/wav")}
        return form(openai, path, sound, expect, model="lab/listener", **fields)

    assert listen().json() == {"text": "transcribe 5 bytes"}
    assert listen(response_format="text").text == "transcribe 5 bytes\n"
    assert listen(response_format="srt").text == (
        "1\n00:00:00,000 --> 00:00:01,500\ntranscribe\n\n2\n00:00:01,500 --> 01:01:01,250\n5 bytes\n\n"
    )
    assert listen(response_format="vtt").text.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.500\ntranscribe\n")
    whole = listen(response_format="verbose_json", language="de").json()
    assert whole["language"] == "de" and whole["task"] == "transcribe" and len(whole["segments"]) == 2
    assert len(whole["segments"][0]) == 10
    assert listen("/audio/translations").json() == {"text": "translate 5 bytes"}
    refusal(listen(expect=400, response_format="xml"), 400, "response_format", "")
    refusal(form(openai, "/audio/transcriptions", {"x": b"1"}, 400, model="lab/listener"), 400, "file", "")
    refusal(openai.post("/audio/transcriptions", {"model": "lab/listener"}, 415), 415, None, "")


def test_a_form_that_comes_again(openai):
    key = {"Idempotency-Key": "form"}

    def listen(content, expect=200):
        files = {"file": ("a.wav", content, "audio/wav"), "model": (None, "lab/listener")}
        return openai.api.call("POST", "//openai/v1/audio/transcriptions", expect, files=files, headers=key)

    assert listen(b"1").headers["x-request-id"] == listen(b"1").headers["x-request-id"]
    refusal(listen(b"2", 400), 400, None, "another request")


def test_videos(openai, api):
    gate = SharedFile(api.server)
    first = {"input_reference": ("a.png", b"123", "image/png")}
    asked = {"model": "lab/filmer", "prompt": "sea", "seconds": "8", "size": "64x32", "gate": str(gate)}
    video = form(openai, "/videos", first, **asked).json()
    assert video["object"] == "video" and video["status"] in ("queued", "in_progress") and video["seconds"] == "8"
    path = f"/videos/{video['id']}"
    wait_until(lambda: openai.get(path).json()["status"] == "in_progress", what="the video to be made")
    refusal(openai.get(path + "/content", 400), 400, None, "not completed")
    gate.path.touch()
    made = wait_until(lambda: (v := openai.get(path).json())["status"] == "completed" and v, what="the video")
    assert made["progress"] == 100 and made["completed_at"] >= made["created_at"]
    content = openai.get(path + "/content")
    assert content.content == b"sea 8 64x32 3" and content.headers["Content-Type"] == "video/mp4"
    assert api.prediction(video["id"].removeprefix("video_"))["status"] == "succeeded"
    deleted = openai.api.delete(openai.prefix + path, 200).json()
    assert deleted == {"id": video["id"], "object": "video.deleted", "deleted": True}
    refusal(openai.get(path + "/content", 404), 404, None, "")
    refusal(openai.get("/videos/video_none", 404), 404, None, "")
    refusal(form(openai, "/videos", first, 400, **{**asked, "seconds": "x"}), 400, "seconds", "above 0")


def test_a_video_that_is_not_wanted(openai, api):
    asked = {"model": (None, "lab/filmer"), "prompt": (None, "sea"), "gate": (None, str(SharedFile(api.server)))}
    video = form(openai, "/videos", asked).json()
    openai.api.delete(f"{openai.prefix}/videos/{video['id']}", 200)
    assert api.ended(video["id"].removeprefix("video_"))["status"] == "canceled"
    failed = openai.get(f"/videos/{video['id']}").json()
    assert failed["status"] == "failed" and failed["error"]["code"] == "canceled"


# Names and mappings that owners give


def test_aliases(openai, api, other):
    path = "/aliases/gpt-4o-mini"
    assert api.call("PUT", path, 200, json={"model": "lab/talk"}).json() == {"name": "gpt-4o-mini", "model": "lab/talk"}
    whole = openai.chat("hi", model="gpt-4o-mini").json()
    assert whole["model"] == "gpt-4o-mini" and whole["choices"][0]["message"]["content"] == "[] hi"
    assert openai.get("/models/gpt-4o-mini").json()["owned_by"] == "lab"
    assert "gpt-4o-mini" in [model["id"] for model in openai.get("/models").json()["data"]]
    # An alias is of the account that made it.
    refusal(Openai(other).chat("hi", model="gpt-4o-mini", expect=404), 404, "model", "gpt-4o-mini")
    assert other.get("/aliases").json() == {"results": []}
    api.call("PUT", path, 200, json={"model": "lab/agent"})
    assert api.get("/aliases").json() == {"results": [{"name": "gpt-4o-mini", "model": "lab/agent"}]}
    api.delete(path, 204)
    api.delete(path, 404)
    refusal(openai.chat("hi", model="gpt-4o-mini", expect=404), 404, "model", "gpt-4o-mini")


@pytest.mark.parametrize(
    "name,body,status",
    [
        ("a%20b", {"model": "lab/talk"}, 422),
        ("x" * 101, {"model": "lab/talk"}, 422),
        ("a", {"model": "lab/none"}, 422),
        ("a", {"model": "talk"}, 422),
        ("a", {"model": "lab/talk:" + "0" * 64}, 422),
        ("a", {}, 422),
        ("a", {"model": 5}, 422),
    ],
)
def test_aliases_refused(api, name, body, status):
    api.call("PUT", f"/aliases/{name}", status, json=body)
    assert api.get("/aliases").json() == {"results": []}


def test_aliases_need_the_scope(api):
    token = api.post("/tokens", {"name": "r", "scopes": ["read", "run"]}, 201).json()["token"]
    api.call("PUT", "/aliases/a", 403, json={"model": "lab/talk"}, token=token)
    api.get("/aliases", 401, token="")


def test_aliases_by_the_command_line(server):
    assert "stands for lab/talk" in server.cli("models", "alias", "fast", "lab/talk").stderr
    assert server.cli("models", "alias").stdout.split() == ["ALIAS", "MODEL", "fast", "lab/talk"]
    assert server.cli("models", "alias", "fast", "--remove").returncode == 0
    assert json.loads(server.cli("models", "alias", "--json").stdout) == {"results": []}
    assert server.cli("models", "alias", "fast").returncode == 2
    assert server.cli("models", "alias", "fast", "lab/talk", "--remove").returncode == 2


def test_a_model_that_is_deleted_takes_its_aliases(api):
    model = {"owner": "lab", "name": "short-lived", "visibility": "private", "hardware": "cpu"}
    api.post("/models", model, 201)
    api.call("PUT", "/aliases/short", 200, json={"model": "lab/short-lived"})
    api.delete("/models/lab/short-lived", 204)
    assert api.get("/aliases").json() == {"results": []}


def test_a_mapping_of_the_source(openai, api):
    """Of tests/models/mapped: its inputs have names of their own."""
    fits = api.get("/models/lab/mapped").json()["openai"]
    assert fits["endpoints"] == ["chat.completions"]
    assert fits["others"]["completions"] == "its owner does not offer it"
    reply = openai.chat("what", model="lab/mapped", max_tokens=5)
    assert reply.json()["choices"][0]["message"]["content"] == "5: what"
    refusal(openai.post("/completions", {"model": "lab/mapped", "prompt": "x"}, 400), 400, "model", "not offer it")

"""The official clients of OpenAI, as they are published, against models that fit."""

import base64
import os
import pathlib

import pytest
from client_worker import ClientError, ClientWorker
from shared_file import SharedFile
from waiting import wait_until

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
VENV = pathlib.Path(os.environ.get("VEND_TEST_VENV", ROOT / ".venv"))
VENV2 = pathlib.Path(os.environ.get("VEND_TEST_VENV2", ROOT / ".venv-replicate2"))
COMMANDS = {
    "python1": [VENV / "bin/python", HERE / "openai/worker.py"],
    "python3": [VENV2 / "bin/python", HERE / "openai/worker.py"],
    "javascript": ["node", HERE / "js/openai-worker.js"],
}
# One goes to sleep, and the next is started while a client waits.
FLAGS = ("--idle-timeout", "0s", "--account-max-queued", "3")


class Client:
    def __init__(self, name, worker, url, token):
        self.name = name
        self.worker = worker
        self.options = {"url": url, "token": token}

    def do(self, call, **arguments):
        return self.worker.call(call, self.options, **arguments)

    def __call__(self, path, extra=None, **arguments):
        if self.name != "javascript" and extra:
            extra = {"extra_body": extra}
        return self.do("call", path=path, arguments=arguments, extra=extra)

    def but(self, **options):
        other = Client(self.name, self.worker, **self.options)
        other.options.update(options)
        return other


@pytest.fixture(scope="module")
def workers():
    made = {name: ClientWorker(command) for name, command in COMMANDS.items()}
    yield made
    for worker in made.values():
        worker.close()


@pytest.fixture(params=sorted(COMMANDS))
def client(request, workers, proxy, server):
    return Client(request.param, workers[request.param], proxy.url, server.token)


def said(text):
    return [{"role": "user", "content": text}]


def test_chat(client):
    whole = client("chat.completions.create", model="lab/talk", messages=said("hello there"))
    assert whole["choices"][0]["message"]["content"] == "[] hello there"
    assert whole["choices"][0]["finish_reason"] == "stop" and whole["usage"]["total_tokens"] > 0


def test_chat_as_a_stream(client):
    chunks = client(
        "chat.completions.create",
        model="lab/talk",
        messages=said("a b"),
        stream=True,
        stream_options={"include_usage": True},
        extra={"count": True},
    )
    usage = chunks.pop()["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (2, 3)
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
    assert text == "[] a b" and chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_tools(client):
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    ask = {"model": "lab/agent", "messages": said("up"), "tools": tools}
    whole = client("chat.completions.create", **ask)
    call = whole["choices"][0]["message"]["tool_calls"][0]["function"]
    assert call == {"name": "look", "arguments": '{"said": "up"}'}
    chunks = client("chat.completions.create", stream=True, **ask)
    assert chunks[1]["choices"][0]["delta"]["tool_calls"][0]["function"] == call


def test_completions_and_responses(client):
    assert client("completions.create", model="lab/talk", prompt="a")["choices"][0]["text"] == "[] a"
    assert client.do("output_text", model="lab/talk", input="a", instructions="i") == "[i] a"
    events = client("responses.create", model="lab/talk", input="a", stream=True)
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == "[] a"


def test_models(client):
    listed = [model["id"] for model in client("models.list")["data"]]
    assert "lab/talk" in listed and "lab/echo" not in listed
    assert client("models.retrieve", model="lab/talk")["owned_by"] == "lab"


def test_embeddings(client):
    """The clients ask for base64 by themselves, and read it."""
    made = client("embeddings.create", model="lab/vectors", input=["abcd", "ef"])
    assert [item["embedding"] for item in made["data"]] == [[0.5, 0.5, -1.0], [0.25, 0.5, -1.0]]


def test_pictures_and_sounds(client):
    file = {"$bytes": base64.b64encode(b"12345").decode(), "name": "a.wav", "type": "audio/wav"}
    picture = client("images.generate", model="lab/painter", prompt="cat", size="256x256")["data"][0]
    assert base64.b64decode(picture["b64_json"]).endswith(b"cat 256x256 0")
    edited = client("images.edit", model="lab/painter", prompt="dog", image={**file, "name": "a.png", "type": "image/png"})
    assert base64.b64decode(edited["data"][0]["b64_json"]).endswith(b" 5")
    speech = client("audio.speech.create", model="lab/speaker", input="hello", voice="alloy")
    assert base64.b64decode(speech).startswith(b"RIFF")
    assert client("audio.transcriptions.create", model="lab/listener", file=file)["text"] == "transcribe 5 bytes"
    assert client("audio.translations.create", model="lab/listener", file=file)["text"] == "translate 5 bytes"


def test_videos(client):
    if client.name == "python1":
        pytest.skip("1.x has no videos")
    video = client("videos.create", model="lab/filmer", prompt="sea", seconds="8")

    def look():
        now = client("videos.retrieve", video_id=video["id"])
        return now["status"] == "completed" and now

    assert wait_until(look, what="the video")["seconds"] == "8"
    content = client("videos.download_content", video_id=video["id"])
    assert base64.b64decode(content).startswith(b"sea 8")


ERRORS = [
    ({"model": "lab/none"}, "NotFoundError", 404, "model_not_found", "model"),
    ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "BadRequestError", 400, "invalid_value", "tools"),
    ({"temperature": 9}, "BadRequestError", 400, "invalid_value", "temperature"),
]


@pytest.mark.parametrize("change,kind,status,code,param", ERRORS)
def test_errors(client, proxy, change, kind, status, code, param):
    ask = {"model": "lab/talk", "messages": said("hi"), **change}
    error = client.do("error", path="chat.completions.create", arguments=ask)
    assert [error[name] for name in ("type", "status", "code", "param")] == [kind, status, code, param]
    assert error["id"]
    assert len(proxy.seen("POST")) == 1


def test_a_wrong_token(client):
    error = client.but(token="wrong").do("error", path="models.list", arguments={})
    assert (error["type"], error["code"]) == ("AuthenticationError", "invalid_api_key")


def test_a_run_that_fails_is_not_sent_again(client, proxy, api):
    record = SharedFile(api.server)
    ask = {"model": "lab/talk", "messages": said("hi"), "extra_body": {"fail": True, "record": str(record)}}
    error = client.do("error", path="chat.completions.create", arguments=ask)
    assert (error["type"], error["code"]) == ("InternalServerError", "model_failed")
    assert "it lost the thread" in error["message"]
    assert len(proxy.seen("POST")) == 1 and record.lines() == ["hi"]
    assert api.prediction(error["id"])["status"] == "failed"
    streamed = client.do("stream_error", **ask)
    assert streamed["text"] == "[] hi" and "it lost the thread" in streamed["message"]


def test_a_reply_that_is_lost_is_not_run_twice(client, proxy, server):
    """The connection ends before the reply comes; the client sends its request again by itself."""
    record = SharedFile(server)
    proxy.before = lambda exchange: setattr(exchange, "drop", len(proxy.seen("POST")) == 1)
    whole = client("chat.completions.create", model="lab/talk", messages=said("once"), extra={"record": str(record)})
    assert whole["choices"][0]["message"]["content"] == "[] once"
    assert len(proxy.seen("POST")) == 2 and record.lines() == ["once"]


def test_a_full_queue(client, proxy, api, tmp_path):
    """As many wait as may: the client is told to try later, and does."""
    version = api.get("/models/lab/talk").json()["latest_version"]["id"]
    name = f"full-{client.name}"
    deployment = {"name": name, "model": "lab/talk", "version": version, "hardware": "cpu"}
    api.post("/deployments", {**deployment, "min_instances": 0, "max_instances": 0}, 200)
    path = f"/deployments/lab/{name}/predictions"
    waiting = [api.post(path, {"input": {"prompt": "x"}}, 201).json() for _ in range(3)]
    ask = {"model": "lab/talk", "messages": said("hi")}
    error = client.but(max_retries=1).do("error", path="chat.completions.create", arguments=ask)
    assert (error["type"], error["status"]) == ("RateLimitError", 429)
    assert len(proxy.seen("POST", "/openai/")) == 2
    for one in waiting:
        api.cancel(one)
    for one in waiting:
        api.ended(one)


def test_a_client_that_leaves_a_stream(client, api, server):
    """Not behind the proxy, which would notice late."""
    gate = SharedFile(server)
    gate.open_gate(0)
    ask = {"model": "lab/talk", "messages": said("a b"), "extra_body": {"gate": str(gate)}}
    chunk = client.but(url=server.url).do("first_chunk", **ask)
    assert chunk["choices"][0]["delta"]["content"] == "[]"
    assert api.ended(chunk["id"].removeprefix("chatcmpl-"))["status"] == "canceled"


def test_unknown_members_are_left_out(client, proxy):
    whole = client("chat.completions.create", model="lab/talk", messages=said("hi"), user="me", top_p=0.5)
    assert whole["choices"][0]["message"]["content"] == "[] hi"
    told = proxy.wait_over("POST")[0].reply_headers["x-vend-ignored"]
    assert set(told.split(",")) == {"user", "top_p"}


def test_what_a_client_sends_by_itself_is_never_refused(client):
    with pytest.raises(ClientError, match="temperature"):
        client("chat.completions.create", model="lab/talk", messages=said("hi"), temperature=3)

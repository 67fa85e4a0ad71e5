"""What the owner of a model states about OpenAI's endpoints; and texts that end an answer."""

import json
import uuid

import pytest
import requests
from shared_file import SharedFile
from waiting import wait_until

TEMPLATE = {"system": "<s>{text}</s>", "user": "<u>{text}</u>", "assistant": "<a>{text}</a>", "answer": "<a>"}


@pytest.fixture
def stating(api):
    """States something of a model until the test has ended."""
    models = set()

    def state(model, mapping, expect=200):
        models.add(model)
        return api.patch(f"/models/{model}", {"openai": mapping}, expect).json()

    yield state
    for model in models:
        api.patch(f"/models/{model}", {"openai": None}, 200)


def chat(api, *messages, model="lab/talk", expect=200, **more):
    body = {"model": model, "messages": [{"role": role, "content": text} for role, text in messages], **more}
    return api.post("//openai/v1/chat/completions", body, expect)


def input_of(api, reply):
    return api.prediction(reply.headers["x-request-id"])["input"]


# What is stated


def test_a_template_of_messages(api, stating):
    stating("lab/talk", {"template": TEMPLATE})
    reply = chat(api, ("system", "s"), ("user", "a"), ("assistant", "b"), ("user", "c"))
    assert input_of(api, reply) == {"prompt": "<s>s</s><u>a</u><a>b</a><u>c</u><a>"}
    assert input_of(api, chat(api, ("user", "a"))) == {"prompt": "<u>a</u><a>"}
    refused = chat(api, ("user", "a"), ("tool", "b"), expect=400).json()["error"]
    assert refused["param"] == "messages" and "messages[1]" in refused["message"]
    whole = api.post("//openai/v1/completions", {"model": "lab/talk", "prompt": "a"}, 200)
    assert input_of(api, whole) == {"prompt": "a"}


def test_fields_that_are_let_go(api, stating):
    tools = [{"type": "function", "function": {"name": "f"}}]
    chat(api, ("user", "a"), tools=tools, expect=400)
    stating("lab/talk", {"ignore": ["tools"]})
    reply = chat(api, ("user", "a"), tools=tools)
    assert reply.headers["x-vend-ignored"] == "tools"
    chat(api, ("user", "a"), n=2, expect=400)


def test_endpoints_and_inputs(api, stating):
    before = api.get("/models/lab/echo").json()["openai"]
    assert "stated" not in before and "chat.completions" not in before["endpoints"]
    mapping = {"endpoints": ["chat.completions"], "inputs": {"prompt": "text"}}
    shown = stating("lab/echo", mapping)["openai"]
    assert shown["endpoints"] == ["chat.completions"] and shown["stated"] == mapping
    assert shown["others"]["completions"] == "its owner does not offer it"
    assert input_of(api, chat(api, ("user", "hi"), model="lab/echo")) == {"text": "hi"}
    assert stating("lab/echo", None)["openai"] == before


@pytest.mark.parametrize(
    "mapping,part",
    [
        ([], "openai: expected a map"),
        ({"endpoint": []}, "openai: there is no 'endpoint'"),
        ({"inputs": {"prompt": "nothing"}}, "openai: inputs.prompt: the model has no input 'nothing'"),
        ({"endpoints": ["embeddings"]}, "openai: endpoints: the model does not fit embeddings"),
        ({"template": {"user": "x"}}, "openai: template.user: expected {text}"),
        ({"ignore": ["seed"]}, "openai: ignore: 'seed'"),
    ],
)
def test_refused(api, mapping, part):
    before = api.get("/models/lab/talk").json()
    refused = api.patch("/models/lab/talk", {"openai": mapping, "description": "changed"}, 422).json()
    assert part in refused["detail"]
    assert api.get("/models/lab/talk").json() == before


def test_who_may_state(api, other):
    other.patch("/models/lab/talk", {"openai": {"ignore": ["tools"]}}, 403)
    token = api.post("/tokens", {"name": "r", "scopes": ["read", "run"]}, 201).json()["token"]
    api.patch("/models/lab/talk", {"openai": {"ignore": ["tools"]}}, 403, token=token)
    assert "stated" not in api.get("/models/lab/talk").json()["openai"]


def test_by_the_command_line(server, tmp_path):
    file = tmp_path / "openai.json"
    file.write_text(json.dumps({"ignore": ["tools"]}))
    assert 'stated       {"ignore":["tools"]}' in server.cli("models", "openai", "lab/talk", "--set", file).stdout
    shown = server.cli("models", "show", "lab/talk").stdout
    assert "openai       chat.completions, completions, responses\n" in shown
    assert "  not embeddings: the output is no list of numbers, and no list of such\n" in shown
    assert json.loads(server.cli("models", "openai", "lab/talk", "--json").stdout)["stated"] == {"ignore": ["tools"]}
    assert "stated" not in server.cli("models", "openai", "lab/talk", "--clear").stdout
    file.write_text("[]")
    for words in (["--set", file], ["--set", tmp_path / "none"], ["--set", file, "--clear"]):
        assert server.cli("models", "openai", "lab/talk", *words).returncode == 2


# Texts that end an answer


def test_stop(api):
    reply = chat(api, ("user", "one two three"), stop=" two")
    choice = reply.json()["choices"][0]
    assert choice["message"]["content"] == "[] one" and choice["finish_reason"] == "stop"
    assert "stop" not in input_of(api, reply)
    whole = chat(api, ("user", "one two three"), stop=["four", "five"]).json()
    assert whole["choices"][0]["message"]["content"] == "[] one two three"
    for wrong in (5, [""], [None], ["x"] * 17):
        refused = chat(api, ("user", "hi"), stop=wrong, expect=400).json()["error"]
        assert refused["param"] == "stop"


def test_a_stream_stops_its_run(api):
    """The word after the stop never comes: its gate stays closed."""
    gate = SharedFile(api.server)
    for word in range(4):
        gate.open_gate(word)
    reply = chat(api, ("user", "one two three four five"), stop=["two thr"], stream=True, gate=str(gate))
    events = [line[6:] for line in reply.text.split("\n") if line.startswith("data: ")]
    assert events.pop() == "[DONE]"
    choices = [json.loads(event)["choices"][0] for event in events]
    assert "".join(choice["delta"].get("content", "") for choice in choices) == "[] one "
    assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["stop"]
    run = api.prediction(reply.headers["x-request-id"])
    assert run["status"] == "canceled" and "four" not in "".join(run["output"])


@pytest.mark.parametrize("path", ["/chat/completions", "/responses"])
def test_a_whole_reply_stops_its_run(api, path):
    """The same without a stream."""
    gate = SharedFile(api.server)
    for word in range(4):
        gate.open_gate(word)
    words = "one two three four five"
    said = {"input": words} if path == "/responses" else {"messages": [{"role": "user", "content": words}]}
    body = {"model": "lab/talk", **said, "stop": ["two thr"], "gate": str(gate)}
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    reply = api.post(f"//openai/v1{path}", body, 200, headers=headers)
    whole = reply.json()
    if path == "/responses":
        assert whole["output"][0]["content"][0]["text"] == "[] one " and whole["status"] == "completed"
    else:
        assert whole["choices"][0]["message"]["content"] == "[] one "
        assert whole["choices"][0]["finish_reason"] == "stop"
    run = api.prediction(reply.headers["x-request-id"])
    assert run["status"] == "canceled" and "four" not in "".join(run["output"])
    assert api.post(f"//openai/v1{path}", body, 200, headers=headers).json() == whole


def test_a_stream_whose_stop_does_not_come(api):
    reply = chat(api, ("user", "one two"), stop=["twofold"], stream=True)
    events = [json.loads(line[6:]) for line in reply.text.split("\n") if line.startswith("data: {")]
    said = "".join(event["choices"][0]["delta"].get("content", "") for event in events)
    assert said == "[] one two"
    assert wait_until(lambda: api.prediction(reply.headers["x-request-id"])["status"] == "succeeded", 10)


# Several texts for a model that takes one


def embed(api, texts, expect=200, headers=None, **more):
    body = {"model": "lab/one-vector", "input": texts, "encoding_format": "float", **more}
    return api.post("//openai/v1/embeddings", body, expect, headers=headers)


def test_a_run_for_each_text(api):
    reply = embed(api, ["a", "bb", "", "bb"])
    whole = reply.json()
    assert [item["embedding"] for item in whole["data"]] == [[n / 8, 0.5, -1.0] for n in (1, 2, 0, 2)]
    assert [item["index"] for item in whole["data"]] == [0, 1, 2, 3]
    assert whole["usage"] == {"prompt_tokens": 40, "total_tokens": 40}
    assert input_of(api, reply) == {"text": "a"}
    newest = [api.prediction(row["id"])["input"]["text"] for row in api.get("/predictions").json()["results"][:4]]
    assert sorted(newest) == ["", "a", "bb", "bb"]
    assert [len(item["embedding"]) for item in embed(api, "abc").json()["data"]] == [3]
    error = embed(api, ["x"] * 65, 400).json()["error"]
    assert error["param"] == "input" and "at most 64, got 65" in error["message"]


def test_one_of_several_texts_fails(api):
    reply = embed(api, ["a", "fail", "b"], 500)
    assert "it has no vector" in reply.json()["error"]["message"]
    assert reply.headers["x-should-retry"] == "false"
    assert api.prediction(reply.headers["x-request-id"])["input"] == {"text": "fail"}


def test_several_texts_again(api):
    """By the key of the client, or by the count that the official ones send."""
    record = SharedFile(api.server)
    for first, again in [
        ({"Idempotency-Key": "texts"}, {"Idempotency-Key": "texts"}),
        ({"X-Stainless-Retry-Count": "0"}, {"X-Stainless-Retry-Count": "1"}),
    ]:
        made = [embed(api, ["a", "b"], headers=headers, record=str(record)) for headers in (first, again)]
        assert made[0].headers["x-request-id"] == made[1].headers["x-request-id"]
        assert made[0].json() == made[1].json()
        assert sorted(record.lines()) == ["a", "b"]
        record.path.unlink()


def test_a_client_of_several_texts_leaves(api):
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.post(
            f"{api.server.url}/openai/v1/embeddings",
            json={"model": "lab/one-vector", "input": ["left", "too"], "gate": str(SharedFile(api.server))},
            headers={"Authorization": f"Bearer {api.server.token}"},
            timeout=1,
        )
    runs = api.get("/predictions").json()["results"][:2]
    assert {api.ended(run["id"])["status"] for run in runs} == {"canceled"}



def test_one_that_fails_cancels_the_others(api, server):
    """They would wait for ever."""
    reply = embed(api, ["fail", "a", "b"], 500, gate=str(SharedFile(server)))
    assert "it has no vector" in reply.json()["error"]["message"]
    runs = api.get("/predictions").json()["results"][:3]
    assert sorted(api.ended(run["id"])["status"] for run in runs) == ["canceled", "canceled", "failed"]


def test_several_texts_count_as_several_creates(servers):
    """Two a minute: the four take up two."""
    api = servers("--rate-limit-creates", "2").api()
    embed(api, ["a", "b", "c", "d"])
    refused = embed(api, "e", 429)
    assert refused.headers["ratelimit-remaining"] == "0" and int(refused.headers["Retry-After"]) > 1

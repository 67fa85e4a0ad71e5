"""The proxy of LiteLLM between the client of OpenAI and a server that runs.

    python3 -m venv /tmp/proxy && /tmp/proxy/bin/pip install 'litellm[proxy]==1.108.7' openai==3.57.0 requests
    build/vend push tests/models/talk alice/talk && build/vend push tests/models/vectors alice/vectors
    /tmp/proxy/bin/python tests/conformance/openai/try_litellm_proxy.py http://localhost:8363 TOKEN \\
        --talk alice/talk --embeddings alice/vectors [--chat alice/smollm]

It asks through the proxy and looks at the runs of the server: one for each request, none again
after a failure, and none that goes on when its client has left.
"""

import argparse
import contextlib
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import openai
import requests
from runs import Runs, show

PATIENCE_S = 180
KEY = "sk-of-the-proxy"

MODEL = """  - model_name: {name}
    litellm_params:
      model: openai/{model}
      api_base: {base}
      api_key: {token}
"""


def config_of(options):
    models = {name: getattr(options, name) for name in ("talk", "embeddings", "chat") if getattr(options, name)}
    base = options.url + "/openai/v1"
    listed = "".join(MODEL.format(name=name, model=model, base=base, token=options.token) for name, model in models.items())
    return f"model_list:\n{listed}router_settings:\n  num_retries: 0\ngeneral_settings:\n  master_key: {KEY}\n"


def free_port():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


@contextlib.contextmanager
def proxy(options):
    port = free_port()
    program = pathlib.Path(sys.executable).parent / "litellm"
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "config.yaml")
        config.write_text(config_of(options))
        log = pathlib.Path(folder, "log")
        with log.open("w") as out:
            words = [program, "--config", config, "--host", "127.0.0.1", "--port", str(port)]
            process = subprocess.Popen(words, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: answers(url + "/health/liveliness"), "the proxy", lambda: log.read_text()[-3000:])
            yield url
        finally:
            process.terminate()
            process.wait()


def answers(url):
    try:
        return requests.get(url, timeout=5).ok
    except requests.exceptions.ConnectionError:
        return False


def wait_for(look, what, details=lambda: ""):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.2)
    raise SystemExit(f"not in time: {what}\n{details()}")


def said(text):
    return [{"role": "user", "content": text}]


def try_answers(client, options):
    show("models", sorted(model.id for model in client.models.list()))
    whole = client.chat.completions.create(model="talk", messages=said("hello there"), extra_body={"count": True})
    assert whole.choices[0].message.content == "[] hello there" and whole.usage.completion_tokens == 3
    show("chat", whole.choices[0].message.content)
    chunks = list(client.chat.completions.create(model="talk", messages=said("a b c"), stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "[] a b c" and chunks[-1].usage.total_tokens > 0
    show("stream", (text, len(chunks)))
    if options.embeddings:
        made = client.embeddings.create(model="embeddings", input=["abcd", "ef"], encoding_format="float")
        assert [len(item.embedding) for item in made.data] == [3, 3]
        show("embeddings", made.data[0].embedding)
    if options.chat:
        ask = {"model": "chat", "messages": said("What is the capital of France?"), "temperature": 0}
        show("chat model", client.chat.completions.create(**ask).choices[0].message.content)


def try_errors(client, options):
    runs = Runs(options.url, options.token)
    try:
        client.chat.completions.create(model="talk", messages=said("hi"), extra_body={"fail": True})
        raise SystemExit("a run that fails must be an error")
    except openai.InternalServerError as error:
        assert "it lost the thread" in error.message, error.message
        show("a run that fails", error.message[:80])
    assert [row["status"] for row in runs.made()] == ["failed"], runs.made()
    runs = Runs(options.url, options.token)
    for change in ({"temperature": 9}, {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}):
        try:
            client.chat.completions.create(model="talk", messages=said("hi"), **change)
            raise SystemExit(f"{change} must be refused")
        except openai.BadRequestError as error:
            assert next(iter(change)) in error.message, error.message
            show("refused", error.message[:80])
    assert runs.made() == []


def try_leaving(client, options):
    """The gate of the model's second word stays closed."""
    with tempfile.TemporaryDirectory() as folder:
        gate = pathlib.Path(folder, "gate")
        runs = Runs(options.url, options.token)
        stream = client.chat.completions.create(model="talk", messages=said("a b"), stream=True, extra_body={"gate": str(gate)})
        wait_for(lambda: [row for row in runs.made() if row["status"] == "processing"], "the run")
        stream.close()
        wait_for(lambda: [row["status"] for row in runs.made()] == ["canceled"], "the end of a run whose client has left")
        show("a client that leaves", "canceled")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--talk", required=True, metavar="owner/name", help="tests/models/talk")
    parser.add_argument("--embeddings", metavar="owner/name")
    parser.add_argument("--chat", metavar="owner/name")
    options = parser.parse_args()
    with proxy(options) as url:
        client = openai.OpenAI(base_url=url, api_key=KEY, max_retries=0)
        try_answers(client, options)
        try_errors(client, options)
        try_leaving(client, options)


if __name__ == "__main__":
    main()

"""A server that is killed while clients of OpenAI's API wait: no request runs twice."""

import concurrent.futures
import json
import threading

import openai
import pytest
import requests
from shared_file import SharedFile
from waiting import wait_until

MESSAGES = [{"role": "user", "content": "a b c"}]


class Caller:
    """One request, sent again as the official clients do it: same body, count of retries in a header."""

    def __init__(self, server, port, body):
        self.url = f"http://127.0.0.1:{port}/openai/v1/chat/completions"
        self.body = body
        self.headers = {"Authorization": f"Bearer {server.token}"}

    def send(self, retry, **options):
        headers = {**self.headers, "X-Stainless-Retry-Count": str(retry)}
        return requests.post(self.url, json=self.body, headers=headers, timeout=60, **options)


def text_of(lines):
    chunks = [json.loads(line[6:]) for line in lines if line.startswith(b"data: {")]
    assert b"data: [DONE]" in lines
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)


@pytest.fixture
def killed(servers):
    """A server on a port that it has again after a kill, and a model that waits for each word."""
    server = servers()
    port = server.url.rpartition(":")[2]
    return server, port, SharedFile(server), SharedFile(server)


def open_gates(gate, *words):
    for word in words:
        gate.open_gate(word)


def check_once(server, record):
    assert record.lines() == ["a b c"]
    rows = server.api().get("/predictions").json()["results"]
    assert [row["status"] for row in rows] == ["succeeded"]
    audited = server.cli("doctor", "--audit", "--data", server.data)
    assert audited.returncode == 0, audited.stdout + audited.stderr


def test_in_the_middle_of_a_stream(killed):
    server, port, gate, record = killed
    body = {"model": "lab/talk", "messages": MESSAGES, "stream": True, "gate": str(gate), "record": str(record)}
    caller = Caller(server, port, body)
    open_gates(gate, 0)
    first = caller.send(0, stream=True)
    seen = b""
    for piece in first.iter_content(None):
        seen += piece
        if b'"content":"[]"' in seen:
            break
    server.kill()
    assert b"[DONE]" not in seen
    server.start("--listen", f"127.0.0.1:{port}")
    open_gates(gate, 1, 2, 3)
    again = caller.send(1)
    assert again.headers["x-request-id"] == first.headers["x-request-id"]
    assert text_of(again.content.split(b"\n")) == "[] a b c"
    check_once(server, record)


def test_while_a_reply_is_awaited(killed):
    server, port, gate, record = killed
    body = {"model": "lab/talk", "messages": MESSAGES, "gate": str(gate), "record": str(record)}
    caller = Caller(server, port, body)
    lost = []

    def send():
        try:
            caller.send(0)
        except requests.exceptions.RequestException as error:
            lost.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    wait_until(record.exists, what="the run to begin")
    server.kill()
    thread.join()
    assert lost
    server.start("--listen", f"127.0.0.1:{port}")
    open_gates(gate, 0, 1, 2, 3)
    assert caller.send(1).json()["choices"][0]["message"]["content"] == "[] a b c"
    check_once(server, record)


def test_the_official_client_sends_again_by_itself(killed):
    """The server is away while it tries; nothing but the client decides that it comes again."""
    server, port, gate, record = killed
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{port}/openai/v1", api_key=server.token, max_retries=12)
    more = {"gate": str(gate), "record": str(record)}
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.chat.completions.create, model="lab/talk", messages=MESSAGES, extra_body=more)
        wait_until(record.exists, what="the run to begin")
        server.kill()
        server.start("--listen", f"127.0.0.1:{port}")
        open_gates(gate, 0, 1, 2, 3)
        assert asked.result(120).choices[0].message.content == "[] a b c"
    check_once(server, record)


def test_a_model_that_has_to_start(servers):
    """Comments keep a stream open until there is something to say."""
    server = servers("--stream-keepalive", "100ms")
    body = {"model": "lab/talk", "messages": MESSAGES, "stream": True}
    reply = Caller(server, server.url.rpartition(":")[2], body).send(0)
    assert reply.content.index(b'"role":"assistant"') < reply.content.index(b": keep-alive\n\n")
    assert text_of(reply.content.split(b"\n")) == "[] a b c"


def test_runs_go_on_where_leaving_cancels_nothing(servers):
    server = servers("--openai-cancel", "false")
    gate, record = SharedFile(server), SharedFile(server)
    body = {"model": "lab/talk", "messages": MESSAGES, "stream": True, "gate": str(gate), "record": str(record)}
    reply = Caller(server, server.url.rpartition(":")[2], body).send(0, stream=True)
    wait_until(record.exists, what="the run to begin")
    reply.close()
    open_gates(gate, 0, 1, 2, 3)
    assert server.api().ended(reply.headers["x-request-id"])["status"] == "succeeded"

"""`vend webhooks`: the list, replay, the key, and the receiver for developers."""

import base64
import hashlib
import hmac
import json
import re
import signal
import time
import urllib.error
import urllib.request

import pytest


def delivery(key, state):
    return {
        "id": key,
        "prediction": "0" * 26,
        "event": "completed",
        "webhook": "https://example.com/hook",
        "state": state,
        "tries": 3,
        "last_status": 500 if state == "dead" else 200,
        "last_error": "the receiver answered 500" if state == "dead" else None,
        "created_at": "2026-01-05T10:00:00.000000Z",
        "next_try_at": None,
        "completed_at": "2026-01-05T10:01:00.000000Z",
    }


@pytest.fixture
def filled(server):
    server.deliveries = [delivery(f"msg_{i}", "dead" if i % 2 else "delivered") for i in range(7)]
    return server


def test_list(vend, filled):
    lines = vend("webhooks").stdout.splitlines()
    assert len(lines) == 8 and lines[0].split()[:3] == ["ID", "PREDICTION", "EVENT"]
    dead = vend("webhooks", "list", "--dead").stdout.splitlines()
    assert len(dead) == 4 and all("dead" in line and "answered 500" in line for line in dead[1:])
    assert len(vend("webhooks", "list", "--limit", "1").stdout.splitlines()) == 2
    body = json.loads(vend("webhooks", "list", "--dead", "--json").stdout)
    assert [d["id"] for d in body["results"]] == ["msg_1", "msg_3", "msg_5"]


def test_replay(vend, filled):
    assert vend("webhooks", "replay", "msg_1").stderr == "1 delivery queued again\n"
    assert filled.count("POST", "/v1/webhooks/deliveries/msg_1/replay") == 1
    done = vend("webhooks", "replay", "msg_0")
    assert done.returncode == 1 and "only a dead one" in done.stderr
    done = vend("webhooks", "replay", "--all-dead")
    assert done.returncode == 0 and "2 deliveries queued again" in done.stderr
    assert all(d["state"] != "dead" for d in filled.deliveries)


@pytest.mark.parametrize(
    "words,expected",
    [
        (["replay"], "either ID or --all-dead"),
        (["replay", "msg_1", "--all-dead"], "either ID or --all-dead"),
        (["replay", "../x"], "not the id of a delivery"),
        (["list", "--limit", "-1"], "--limit"),
        (["listen", "--port", "70000"], "--port"),
        (["send"], "unknown subcommand 'vend webhooks send'"),
    ],
)
def test_bad_usage(vend, server, words, expected):
    done = vend("webhooks", *words)
    assert done.returncode == 2 and expected in done.stderr and done.stdout == ""
    assert server.requests == []


def test_secret(vend, server):
    old = server.webhook_key
    assert vend("webhooks", "secret").stdout == old + "\n"
    done = vend("webhooks", "secret", "--rotate")
    assert done.stdout == server.webhook_key + "\n" != old + "\n"
    assert "2026-01-06 10:00:00" in done.stderr
    assert json.loads(vend("webhooks", "secret", "--json").stdout) == {"key": server.webhook_key}


# The receiver


@pytest.fixture
def listening(vend, server):
    started = []

    def start(*words):
        process = vend.start("webhooks", "listen", *words)
        started.append(process)
        url = re.search(r"http://127\.0\.0\.1:\d+/", process.stderr.readline())[0]
        return process, url

    yield start
    for process in started:
        process.kill()
        process.communicate()


def send(url, key, body, at=None, text=None):
    at = str(int(at if at is not None else time.time()))
    raw = text if text is not None else json.dumps(body).encode()
    mac = hmac.new(
        base64.b64decode(key.removeprefix("whsec_")), f"msg_1.{at}.".encode() + raw, hashlib.sha256
    )
    headers = {
        "Content-Type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": at,
        "webhook-signature": "v1,other v1," + base64.b64encode(mac.digest()).decode(),
    }
    try:
        with urllib.request.urlopen(urllib.request.Request(url, raw, headers)) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code


BODY = {"id": "abc", "model": "lab/echo", "status": "succeeded", "output": "grüezi\x1b[2J", "error": None}


def test_listen_checks_and_prints(listening, server):
    process, url = listening()
    assert "--webhook-allow 127.0.0.0/8" in process.stderr.readline()
    assert send(url, server.webhook_key, BODY) == 200
    line = process.stdout.readline()
    assert "verified" in line and "succeeded" in line and "lab/echo" in line and "grüezi" in line
    assert "\x1b" not in line
    assert send(url + "any/path?x=1", "whsec_" + "B" * 32, BODY) == 401
    assert "REFUSED" in process.stdout.readline()
    assert "wrong signature" in process.stdout.readline()
    assert send(url, server.webhook_key, BODY, at=time.time() - 3600) == 401
    assert "REFUSED" in process.stdout.readline()
    assert "too old" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


def test_listen_as_json(listening, server):
    process, url = listening("--json")
    assert send(url, server.webhook_key, BODY) == 200
    line = json.loads(process.stdout.readline())
    assert line == {"id": "msg_1", "verified": True, "problem": None, "body": BODY}
    assert send(url, server.webhook_key, None, text=b"{") == 401
    line = json.loads(process.stdout.readline())
    assert line["verified"] is False and line["problem"] == "no JSON" and line["body"] is None
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(url, b"{}", {"Content-Type": "application/json"}))
    assert refused.value.code == 401
    assert json.loads(process.stdout.readline())["problem"] == "not signed"


def test_listen_needs_a_key(vend, server):
    server.fail("GET", "/v1/webhooks/default/secret", status=403)
    done = vend("webhooks", "listen")
    assert done.returncode == 1 and done.stdout == ""

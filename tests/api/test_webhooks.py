"""Webhooks: what is sent, when, how it is signed, and that nothing of it is lost."""

import base64
import hashlib
import hmac
import json
import re
import socket
import threading
import time

import pytest
import replicate
from receiver import Receiver
from replicate.webhook import Webhooks
from waiting import wait_until

ALLOW = ["--webhook-allow", "127.0.0.0/8"]
FLAGS = ALLOW
ALL = ["start", "output", "logs", "completed"]


def unit(microseconds):
    """How long a second of the retry schedule lasts."""
    return {"VEND_TEST_WEBHOOK_UNIT_US": str(microseconds)}


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def deliveries(api, prediction=None, state=None):
    path = "/webhooks/deliveries" + (f"?state={state}" if state else "")
    found = api.get(path).json()["results"]
    return [d for d in found if prediction is None or d["prediction"] == prediction["id"]]


def delivery_in(api, prediction, state, timeout=60):
    """The delivery of `completed`, once it is in that state."""
    return wait_until(
        lambda: next(
            (d for d in deliveries(api, prediction, state) if d["event"] == "completed"), None
        ),
        timeout,
        f"a {state} delivery",
    )


def signatures(message, key):
    signed = b".".join([message.id.encode(), message.headers["webhook-timestamp"].encode(), message.body])
    raw = hmac.new(base64.b64decode(key.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(raw).decode()


# What is sent


def test_the_body_is_that_of_get(api, receiver):
    text = 'Grüße, 日本 🚀 "quoted"\n\x1b[0m'
    made = api.create("echo", {"text": text}, webhook=receiver.url + "/a?b=1", webhook_events_filter=["completed"])
    (message,) = receiver.wait_for(1)
    assert message.path == "/a?b=1"
    assert message.headers["content-type"] == "application/json"
    assert message.headers["user-agent"].startswith("vend")
    assert message.headers["webhook-id"].startswith("msg_")
    assert message.body == api.get(f"/predictions/{made['id']}").content
    assert "🚀".encode() in message.body and b'": ' not in message.body
    assert message.json["status"] == "succeeded" and message.json["output"] == text
    assert message.json["webhook"] == receiver.url + "/a?b=1"
    assert message.json["webhook_events_filter"] == ["completed"]
    assert message.json["urls"]["get"].startswith(api.server.url)


def test_the_body_survives_javascript(api, receiver):
    """Receivers there check the signature over what they have parsed and written again."""
    inputs = {"text": "x", "delay": 0.0, "extra": [1.0, 1e20, 1.5e-7, -0.0, 100, True, None]}
    api.create("echo", inputs, webhook=receiver.url)
    (message,) = receiver.wait_for(1)
    assert b'"delay":0,' in message.body
    assert b'"extra":[1,100000000000000000000,1.5e-7,0,100,true,null]' in message.body
    assert message.json["input"] == inputs


def test_large_members_are_left_out(api, receiver):
    text = "x" * (9 << 20)
    made = api.create(
        "echo", {"text": text}, webhook=receiver.url, webhook_events_filter=["start", "completed"]
    )
    start, end = (message.json for message in receiver.wait_for(2, timeout=120))
    assert (start["status"], start["omitted"], start["input"]) == ("processing", ["input"], None)
    assert (end["status"], end["omitted"], end["input"]) == ("succeeded", ["input"], None)
    assert end["output"] == text and end["logs"]
    assert api.prediction(made)["input"]["text"] == text
    (key,) = {api.get("/webhooks/default/secret").json()["key"]}
    for message in receiver.got():
        assert message.headers["webhook-signature"] == signatures(message, key)

    small = api.run("echo", {"text": "y" * (400 << 10)}, webhook=receiver.url, webhook_events_filter=["start"])
    told = receiver.wait_for(3)[-1].json
    assert told["input"] == small["input"] and "omitted" not in told


def test_urls_have_the_origin_of_the_create_call(servers, receiver):
    api = servers(*ALLOW, "--trusted-proxies", "127.0.0.1/32").api()
    proxy = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "models.example"}
    body = {"input": {"mode": "file"}, "webhook": receiver.url}
    api.post("/models/lab/faulty/predictions", body, 201, headers=proxy, origin="https://models.example")
    message = receiver.wait_for(1, status="succeeded")[-1].json
    assert message["urls"]["get"].startswith("https://models.example/v1/predictions/")
    assert message["output"].startswith("https://models.example/v1/outputs/")


def test_a_short_run_tells_all_that_was_asked_for(api, receiver):
    api.create("echo", {"text": "x"}, webhook=receiver.url, webhook_events_filter=ALL)
    receiver.wait_for(1, status="succeeded")
    told = [m.json["status"] for m in receiver.got()]
    assert told[0] == "processing" and told[-1] == "succeeded"
    first = receiver.got()[0].json
    assert first["output"] is None and first["started_at"] and first["completed_at"] is None


@pytest.mark.parametrize("events", [None, [], ["start"], ["output"], ["logs"], ["completed"], ["start", "completed"]])
def test_filter(api, receiver, events):
    more = {} if events is None else {"webhook_events_filter": events}
    made = api.create("stream", {"count": 4, "delay": 0.3}, webhook=receiver.url, **more)
    api.ended(made)
    wanted = events or ["output", "completed"]
    wait_until(lambda: deliveries(api, made) and not deliveries(api, made, "pending"), what="the end")
    sent = [d["event"] for d in reversed(deliveries(api, made))]
    assert set(sent) <= set(wanted) and sent[-1] == wanted[-1]
    if "output" in wanted or "logs" in wanted:
        assert 1 < len(sent) <= 5
    else:
        assert sent == wanted
    assert len(receiver.got()) == len(sent)


@pytest.mark.parametrize("events", [["output"], ["logs"], ["output", "logs"]])
def test_the_last_output_is_not_lost(api, receiver, events):
    """`completed` is not asked for, and the run ends inside of one interval."""
    api.create("stream", {"count": 50}, webhook=receiver.url, webhook_events_filter=events)
    last = receiver.wait_for(1, status="succeeded")[-1].json
    assert len(last["output"]) == 50 and last["logs"].count("line") == 50
    api.create("echo", {"text": "once"}, webhook=receiver.url + "/echo", webhook_events_filter=events)
    assert receiver.wait_for(1, "/echo", "succeeded")[-1].json["output"] == "once"


def test_output_and_logs_share_a_rhythm(api, receiver):
    api.create("stream", {"count": 60, "delay": 0.05}, webhook=receiver.url, webhook_events_filter=ALL)
    receiver.wait_for(1, status="succeeded", timeout=120)
    told = receiver.got()
    begun = [m for m in told if m.json["status"] == "processing" and m.json["logs"]]
    took = told[-1].at - told[0].at
    assert 3 <= len(begun) <= took / 0.5 + 2, (len(begun), took)
    lengths = [len(m.json["output"] or []) for m in told]
    assert lengths == sorted(lengths) and lengths[-1] == 60
    ids = [m.id for m in told]
    assert ids == sorted(ids) and len(set(ids)) == len(ids)


def test_ends_of_all_kinds_are_told(api, receiver):
    def told(path):
        return receiver.wait_for(1, path)[0].json

    api.create("faulty", {"mode": "throw"}, webhook=receiver.url + "/failed")
    assert told("/failed")["status"] == "failed" and "boom" in told("/failed")["error"]
    made = api.create("echo", {"delay": 60}, webhook=receiver.url + "/canceled")
    api.reaches(made, "processing")
    api.cancel(made)
    assert told("/canceled")["status"] == "canceled"
    api.create("setup-fails", webhook=receiver.url + "/setup")
    assert told("/setup")["status"] == "failed"


def test_held_calls_are_told_too(api, receiver):
    made = api.create("echo", {"text": "now"}, prefer="wait", webhook=receiver.url)
    assert made["status"] == "succeeded"
    assert receiver.wait_for(1)[0].json["id"] == made["id"]


def test_the_older_webhook_completed(api, receiver):
    made = api.create("stream", {"count": 3, "delay": 0.2}, webhook_completed=receiver.url)
    assert made["webhook_events_filter"] == ["completed"]
    api.ended(made)
    delivery_in(api, made, "delivered")
    assert [m.json["status"] for m in receiver.got()] == ["succeeded"]


# Signatures


def test_the_official_validator_agrees(api, receiver):
    client = replicate.Client(api_token=api.token, base_url=api.server.url)
    secret = client.webhooks.default.secret()
    assert secret.key.startswith("whsec_") and secret.key.count("_") == 1
    assert len(base64.b64decode(secret.key.removeprefix("whsec_"), validate=True)) >= 24
    assert client.webhooks.default.secret().key == secret.key
    api.create("echo", {"text": "schön"}, webhook=receiver.url)
    (message,) = receiver.wait_for(1)
    Webhooks.validate(
        headers=message.headers, body=message.body.decode(), secret=secret, tolerance=300
    )
    with pytest.raises(Exception, match="signature"):
        Webhooks.validate(headers=message.headers, body=message.body.decode() + " ", secret=secret)


def test_rotation_signs_with_both_keys(servers, receiver):
    server = servers(*ALLOW)
    api = server.api()
    client = replicate.Client(api_token=api.token, base_url=server.url)
    old = client.webhooks.default.secret()
    rotated = api.post("/webhooks/default/secret/rotate", expect=200).json()
    new = client.webhooks.default.secret()
    assert new.key == rotated["key"] != old.key and rotated["previous_expires_at"]
    api.create("echo", webhook=receiver.url)
    (message,) = receiver.wait_for(1)
    assert message.headers["webhook-signature"].split(" ") == [
        signatures(message, new.key),
        signatures(message, old.key),
    ]
    for secret in (old, new):
        Webhooks.validate(headers=message.headers, body=message.body.decode(), secret=secret)
    for _ in range(6):
        api.post("/webhooks/default/secret/rotate", expect=200)
    api.create("echo", webhook=receiver.url + "/many")
    (message,) = receiver.wait_for(1, "/many")
    assert len(message.headers["webhook-signature"].split(" ")) == 4
    log = server.log_path.read_text()
    assert "whsec_" not in log and old.key not in log


def test_accounts_have_their_own_keys_and_deliveries(api, other, receiver):
    mine = api.get("/webhooks/default/secret").json()["key"]
    assert other.get("/webhooks/default/secret").json()["key"] != mine
    made = api.create("echo", webhook=receiver.answers("/gone", 410))
    dead = delivery_in(api, made, "dead")
    assert deliveries(other, made) == []
    other.post(f"/webhooks/deliveries/{dead['id']}/replay", expect=404)
    reader = api.server.api(api.post("/tokens", {"name": "r", "scopes": ["read"]}, 201).json()["token"])
    reader.get("/webhooks/default/secret", 403)
    reader.get("/webhooks/deliveries", 200)
    reader.post("/webhooks/default/secret/rotate", expect=403)
    reader.post(f"/webhooks/deliveries/{dead['id']}/replay", expect=403)


# The command line


def test_listen_and_list(api):
    """What `vend webhooks listen` prints is what the server sends."""
    server = api.server
    listener = server.popen("webhooks", "listen", "--json")
    try:
        url = re.search(r"http://127\.0\.0\.1:\d+/", listener.stderr.readline())[0]
        made = api.create("echo", {"text": "hör zu"}, webhook=url)
        line = json.loads(listener.stdout.readline())
        assert line["verified"] and line["problem"] is None
        assert line["body"] == api.prediction(made)
        delivery_in(api, made, "delivered")
    finally:
        listener.kill()
        listener.communicate()
    assert line["id"] in server.cli("webhooks", "list", "--limit", "0").stdout
    assert server.cli("webhooks", "secret").stdout.startswith("whsec_")
    done = server.cli("webhooks", "replay", line["id"])
    assert done.returncode == 1 and "only a dead one" in done.stderr


def test_replay_of_all_dead(servers, receiver):
    server = servers(*ALLOW)
    api = server.api()
    plan = receiver.answers("/gone", 410, 410, 410, 200)
    made = [api.create("echo", webhook=plan) for _ in range(3)]
    for prediction in made:
        delivery_in(api, prediction, "dead")
    done = server.cli("webhooks", "replay", "--all-dead")
    assert done.returncode == 0 and "3 deliveries queued again" in done.stderr
    for prediction in made:
        delivery_in(api, prediction, "delivered")
    assert server.cli("webhooks", "list", "--dead").stdout.count("msg_") == 0


# Failures


def test_the_end_is_told_until_it_is_heard(servers, receiver):
    api = servers(*ALLOW, env=unit(20000)).api()
    url = receiver.answers("/flaky", "drop", 500, 404, 302, 200)
    made = api.create("echo", {"text": "x"}, webhook=url)
    done = delivery_in(api, made, "delivered")
    assert done["tries"] == 5 and done["last_status"] == 200 and done["last_error"] is None
    told = receiver.got("/flaky")
    assert len(told) == 5 and len({m.id for m in told}) == 1
    key = api.get("/webhooks/default/secret").json()["key"]
    for message in told:
        assert message.body == told[0].body
        assert abs(int(message.headers["webhook-timestamp"]) - time.time()) < 120
        assert message.headers["webhook-signature"] == signatures(message, key)


def test_only_the_end_is_tried_again(api, receiver):
    url = receiver.answers("/fails", 500)
    made = api.create("stream", {"count": 2, "delay": 0.7}, webhook=url, webhook_events_filter=ALL)
    pending = wait_until(
        lambda: next((d for d in deliveries(api, made, "pending") if d["tries"] > 1), None)
    )
    assert pending["event"] == "completed" and pending["last_status"] == 500
    assert pending["next_try_at"] > pending["created_at"] and "500" in pending["last_error"]
    dropped = deliveries(api, made, "dropped")
    assert {d["event"] for d in dropped} >= {"start", "output"} and {d["tries"] for d in dropped} == {1}


def test_redirects_are_not_followed(api, receiver):
    url = receiver.answers("/moved", receiver.url + "/elsewhere")
    made = api.create("echo", webhook=url)
    failed = wait_until(
        lambda: next((d for d in deliveries(api, made, "pending") if d["tries"] > 0), None)
    )
    assert failed["last_status"] == 302 and "not followed" in failed["last_error"]
    assert receiver.got("/elsewhere") == []


def test_gone_is_dead_at_once_and_may_be_replayed(api, receiver):
    url = receiver.answers("/gone", 410, 200)
    made = api.create("echo", {"text": "again"}, webhook=url)
    dead = delivery_in(api, made, "dead")
    assert dead["tries"] == 1 and dead["last_status"] == 410 and dead["next_try_at"] is None
    replayed = api.post(f"/webhooks/deliveries/{dead['id']}/replay", expect=202).json()
    assert replayed["state"] == "pending" and replayed["tries"] == 0
    delivery_in(api, made, "delivered")
    one, two = receiver.got("/gone")
    assert one.id == two.id and one.body == two.body
    detail = api.post(f"/webhooks/deliveries/{dead['id']}/replay", expect=409).json()["detail"]
    assert "delivered" in detail
    api.post("/webhooks/deliveries/msg_nothing/replay", expect=404)


def test_a_receiver_that_stays_away_is_given_up(servers, receiver):
    server = servers(*ALLOW, "--webhook-dead-max", "2", env=unit(20))
    api = server.api()
    made = [api.create("echo", webhook=receiver.answers("/away", "drop")) for _ in range(3)]
    assert all(api.ended(prediction)["status"] == "succeeded" for prediction in made)
    wait_until(
        lambda: sum("given up" in r.get("message", "") for r in server.log()) == 3, what="the third"
    )
    assert wait_until(lambda: not deliveries(api, state="pending"))
    dead = deliveries(api, state="dead")
    assert len(dead) == 2 and all(d["tries"] > 12 and d["last_error"] for d in dead)
    # A restart forgets none of them.
    server.restart()
    assert deliveries(server.api(), state="dead") == dead


def test_lists_have_pages_and_know_their_states(servers, receiver):
    api = servers(*ALLOW).api()
    made = [api.create("echo", webhook=receiver.url, webhook_events_filter=["completed"]) for _ in range(105)]
    wait_until(lambda: len(receiver.got()) == len(made), 120)
    first = api.get("/webhooks/deliveries").json()
    assert len(first["results"]) == 100 and first["next"]
    rest = api.get(first["next"]).json()
    assert len(rest["results"]) == 5 and rest["next"] is None
    ids = [d["id"] for d in first["results"] + rest["results"]]
    assert ids == sorted(ids, reverse=True) and len(set(ids)) == 105
    assert "state" in api.get("/webhooks/deliveries?state=lost", 422).json()["detail"]


def test_one_slow_receiver_does_not_stop_the_others(api, receiver):
    held = threading.Event()
    slow = receiver.answers("/slow", held)
    fast = Receiver("127.0.0.2")
    try:
        for _ in range(30):
            api.create("echo", webhook=slow, webhook_events_filter=["completed"])
        receiver.wait_for(4, "/slow")
        api.create("echo", {"text": "quick"}, webhook=fast.url, webhook_events_filter=["completed"])
        fast.wait_for(1)
        assert len(receiver.got("/slow")) == 4, "more than the lane's share is under way"
    finally:
        held.set()
        fast.close()
    receiver.wait_for(30, "/slow")


def test_a_killed_server_tells_it_again(servers, receiver):
    """The receiver has it, and the server does not know."""
    held = threading.Event()
    server = servers(*ALLOW)
    made = server.api().create("echo", {"text": "x"}, webhook=receiver.answers("/held", held, 200))
    (first,) = receiver.wait_for(1, "/held")
    server.kill()
    held.set()
    server.start()
    second = receiver.wait_for(2, "/held")[1]
    assert second.id == first.id and second.body == first.body
    delivery_in(server.api(), made, "delivered")


def test_a_killed_server_forgets_nothing(servers, receiver):
    """Killed while they run; they end and are told by the next one, each at least once."""
    server = servers(*ALLOW)
    api = server.api()
    made = [
        api.create("stream", {"count": 3, "delay": 0.4}, webhook=f"{receiver.url}/{i}", webhook_events_filter=ALL)
        for i in range(4)
    ]
    receiver.wait_for(1, "/0")
    server.kill()
    api = server.start().api()
    for i, prediction in enumerate(made):
        told = receiver.wait_for(1, f"/{i}", api.ended(prediction)["status"])
        assert len({m.id for m in told}) == 1
        assert [d["event"] for d in deliveries(api, prediction)].count("start") == 1


def test_no_end_is_lost_over_many_kills(servers, receiver):
    server = servers(*ALLOW)
    made = []
    for kill in range(5):
        api = server.api()
        for i in range(8):
            # Some are told by the next server, some by this one, some have not begun.
            inputs = {"count": 2, "delay": 0.02 * i * kill}
            made.append(api.create("stream", inputs, webhook=receiver.url, webhook_events_filter=ALL))
        n_told = len(receiver.got())
        wait_until(lambda: len(receiver.got()) > n_told, what="the first of these")
        server.kill()
        server.start()
    api = server.api()
    wait_until(lambda: not deliveries(api, state="pending") and all(
        api.prediction(p)["completed_at"] for p in made
    ), 120)
    wait_until(lambda: not deliveries(api, state="pending"))
    ends = [m for m in receiver.got() if m.json["completed_at"]]
    assert {m.json["id"] for m in ends} == {p["id"] for p in made}
    # However often it was sent: one message, one content.
    assert len({m.id for m in ends}) == len({m.body for m in ends}) == len(made)


# Where webhooks may go


@pytest.fixture(scope="module")
def strict(binary, template, tmp_path_factory):
    from servers import Servers

    made = Servers(binary, template, tmp_path_factory.mktemp("strict"))
    yield made()
    made.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://%31%32%37.0.0.1/",
        "http://localhost:9/",
        "http://LOCALHOST./",
        "http://a.localhost/",
        "http://0/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fd00::1]/",
        "https://[fe80::1]/",
    ],
)
def test_closed_addresses_are_refused_at_once(strict, url):
    api = strict.api()
    body = {"input": {"text": "x"}, "webhook": url}
    detail = api.post("/models/lab/echo/predictions", body, 422).json()["detail"]
    assert detail.startswith("webhook: ") and "--webhook-allow" in detail


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "http://", "http:///x", "//example.com", "http://a:b@example.com/",
            "http://a@example.com/", "https://example.com/" + "x" * 2048, "javascript:1", "http://a b/"]
)
def test_other_urls_are_refused(strict, url):
    api = strict.api()
    for field in ("webhook", "webhook_completed"):
        detail = api.post("/models/lab/echo/predictions", {"input": {}, field: url}, 422).json()["detail"]
        assert detail.startswith(field + ": ")


def test_names_are_judged_by_their_address(strict, receiver):
    """A name may point anywhere at any time: what counts is where the connection goes."""
    name = socket.gethostname()
    try:
        inside = socket.gethostbyname(name).startswith(("127.", "10.", "172.", "192.168."))
    except OSError:
        inside = False
    if not inside:
        pytest.skip("this machine's name leads nowhere")
    made = strict.api().create("echo", webhook=f"http://{name}:{receiver.server_port}/named")
    failed = wait_until(
        lambda: next((d for d in deliveries(strict.api(), made, "pending") if d["tries"] > 0), None)
    )
    assert "not a public address" in failed["last_error"] and "--webhook-allow" in failed["last_error"]
    assert failed["last_status"] is None
    assert receiver.got() == []


def test_wrong_lists_of_networks_are_told_at_start(servers):
    for flag in ("--webhook-allow", "--input-allow"):
        server = servers(flag, "10.0.0.0/8,nonsense", start=False)
        server.spawn()
        assert server.wait() == 2
        text = server.log_path.read_text()
        assert flag.removeprefix("--") in text and "nonsense" in text


def test_without_webhook_there_is_nothing(api):
    made = api.run("stream", {"count": 2})
    assert deliveries(api, made) == []
    assert "webhook" not in made and json.dumps(made).count("webhook") == 0

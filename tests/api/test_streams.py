"""Event streams: their format, replays, readers that come late, leave, or do not read."""

import json
import pathlib
import signal
import sqlite3

import pytest
import requests

import sse
from shared_file import SharedFile
from waiting import wait_until

FLAGS = ["--stream-keepalive", "0.3s", "--max-instances", "2", "--retention", "1h"]
ESTABLISHED = "01"
PIECES = ["one", " two", "", "three\nlines\n", "ünï → 🎈"]


def url_of(prediction):
    return prediction["urls"]["stream"]


def run_pieces(api, chunks, **inputs):
    return api.create("pieces", {"chunks": json.dumps(chunks), **inputs})


def check(events, chunks, ending=("done", {})):
    """`chunks` one by one, then the end; ids count up."""
    assert sse.outputs(events) == chunks
    assert (events[-1].event, json.loads(events[-1].data)) == ending
    seconds = {event.id.split(":")[0] for event in events}
    assert len(seconds) == 1
    assert [int(e.id.split(":")[1]) for e in events] == sorted(int(e.id.split(":")[1]) for e in events)
    assert len({event.id for event in events}) == len(events)


def test_url_is_there_from_creation_on(api, server):
    made = run_pieces(api, ["a"])
    url = url_of(made)
    assert url.startswith(server.url + "/v1/streams/")
    assert url_of(api.prediction(made)) == url
    assert url_of(api.ended(made)) == url
    listed = next(p for p in api.get("/predictions").json()["results"] if p["id"] == made["id"])
    assert url_of(listed) == url


@pytest.mark.parametrize("model", ["frames", "files", "image"])
def test_file_outputs_have_their_own_place(api, server, model):
    schema = api.get(f"/models/lab/{model}").json()["latest_version"]["openapi_schema"]
    assert "uri" in json.dumps(schema["components"]["schemas"]["Output"])
    if model == "frames":
        assert url_of(api.create("frames", {"count": 0})).startswith(server.url + "/v1/files/stream-")


def test_pieces_as_they_were_yielded(api):
    made = run_pieces(api, PIECES)
    stream, events = sse.read(url_of(made))
    check(events, PIECES)
    assert stream.status == 200 and stream.complete
    assert stream.head["content-type"] == "text/event-stream"
    assert stream.head["cache-control"] == "no-store"
    assert [event.event for event in events] == ["output"] * len(PIECES) + ["done"]


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Token x"])
def test_no_token_needed_and_any_tolerated(api, authorization):
    made = run_pieces(api, ["a"])
    headers = {"Authorization": authorization} if authorization else {}
    check(sse.read(url_of(made), headers=headers)[1], ["a"])


def test_replays_are_the_same(api):
    made = run_pieces(api, PIECES)
    live = sse.read(url_of(made))[1]
    api.ended(made)
    assert sse.read(url_of(made))[1] == live


@pytest.mark.parametrize("prefix", ["", "/v1/v1"])
def test_other_prefixes(api, server, prefix):
    made = run_pieces(api, ["a"])
    path = url_of(made)[len(server.url + "/v1") :]
    check(sse.read(server.url + prefix + path)[1], ["a"])


def test_outputs_that_are_no_lists_are_one_event(api):
    made = api.create("echo", {"text": "a\nb"})
    check(sse.read(url_of(made))[1], ["a\nb"])
    check(sse.read(url_of(made))[1], ["a\nb"])


def test_lines_ends_and_boundaries(api):
    """A client that ends lines at more characters than the standard must not lose what follows."""
    chunk = "a\r\nb\rc\u2028d\x0ce\u0085f"
    made = run_pieces(api, [chunk, "\u2028"])
    events = sse.read(url_of(made))[1]
    assert sse.outputs(events) == ["a\nb\nc\u2028", "d\x0c", "e\u0085", "f", "\u2028"]
    api.ended(made)
    assert sse.read(url_of(made))[1] == events
    lines = requests.get(url_of(made)).text.splitlines()
    assert all(line == "" or line.split(": ")[0] in ("event", "id", "data") for line in lines)


def test_failure(api):
    made = run_pieces(api, ["a"], fail=True)
    for _ in range(2):
        events = sse.read(url_of(made))[1]
        check(events, ["a"], ("done", {"reason": "error"}))
        assert events[-2].event == "error"
        error = api.ended(made)["error"]
        assert error.endswith('it "failed"')
        assert json.loads(events[-2].data) == {"detail": error}


def test_cancel(api):
    gate = SharedFile(api.server)
    made = run_pieces(api, ["a", "b"], gate=str(gate))
    with sse.Stream(url_of(made)) as stream:
        gate.open_gate(0)
        stream.wait_events(1)
        api.cancel(made)
        check(stream.rest(), ["a"], ("done", {"reason": "canceled"}))
    check(sse.read(url_of(made))[1], ["a"], ("done", {"reason": "canceled"}))


def test_deadline_counts_as_canceled(api, server):
    made = api.create("echo", {"text": "x", "delay": 30}, cancel_after="5s")
    with sse.Stream(url_of(made)) as stream:
        check(stream.rest(), [], ("done", {"reason": "canceled"}))


def test_each_piece_comes_when_it_is_yielded(api):
    gate = SharedFile(api.server)
    made = run_pieces(api, ["a", "b", "c"], gate=str(gate))
    with sse.Stream(url_of(made)) as early:
        gate.open_gate(0)
        early.wait_events(1)
        with sse.Stream(url_of(made)) as late:
            assert sse.outputs(late.wait_events(1)) == ["a"]
            gate.open_gate(1)
            assert sse.outputs(early.wait_events(2)) == ["a", "b"]
            assert sse.outputs(late.wait_events(2)) == ["a", "b"]
            assert api.prediction(made)["output"] == ["a", "b"]
            gate.open_gate(2)
            check(early.rest(), ["a", "b", "c"])
            assert late.rest() == early.events()


def test_goes_on_after_the_last_event(api):
    gate = SharedFile(api.server)
    made = run_pieces(api, ["a", "b", "c"], gate=str(gate))
    with sse.Stream(url_of(made)) as stream:
        gate.open_gate(0)
        gate.open_gate(1)
        last = stream.wait_events(2)[0].id
    with sse.Stream(url_of(made), headers={"Last-Event-ID": last}) as stream:
        assert sse.outputs(stream.wait_events(1)) == ["b"]
        gate.open_gate(2)
        live = stream.rest()
        check(live, ["b", "c"])
    api.ended(made)
    assert sse.read(url_of(made), headers={"Last-Event-ID": last})[1] == live


def test_last_event_id_of_the_end_and_strange_ones(api):
    made = run_pieces(api, PIECES)
    events = sse.read(url_of(made))[1]
    api.ended(made)
    over = requests.get(url_of(made), headers={"Last-Event-ID": events[-1].id})
    assert over.status_code == 204 and over.content == b""
    for strange in ["", "x", "1:2", "-1:0", f"{events[0].id}0x", ":", "99999999999999999999:1"]:
        assert sse.read(url_of(made), headers={"Last-Event-ID": strange})[1] == events
    ahead = events[0].id.split(":")[0] + ":1000"
    assert sse.read(url_of(made), headers={"Last-Event-ID": ahead})[1] == events[-1:]


def test_every_place_to_go_on_from(api):
    chunks = [f"piece {i}\n" * (i % 7) for i in range(1500)]
    made = run_pieces(api, chunks)
    events = sse.read(url_of(made))[1]
    check(events, chunks)
    api.ended(made)
    for at in [*range(0, 1500, 97), 1498, 1499]:
        rest = sse.read(url_of(made), headers={"Last-Event-ID": events[at].id})[1]
        assert rest == events[at + 1 :]


def test_quiet_streams_are_kept_alive(api):
    gate = SharedFile(api.server)
    made = run_pieces(api, ["a"], gate=str(gate))
    with sse.Stream(url_of(made)) as stream:
        stream.wait(lambda s: s.comments() >= 3, "three comments")
        gate.open_gate(0)
        check(stream.rest(), ["a"])


def test_what_is_no_stream(api, server):
    url = url_of(run_pieces(api, ["a"]))
    for wrong in [url[:-1], url + "x", url[:-1] + ("x" if url[-1] != "x" else "y"), url[: url.rfind("/") + 3]]:
        api.get(wrong, 404, token="")
    token = url.rsplit("/", 1)[1]
    other = run_pieces(api, ["a"])
    forged = other["id"] + token[len(other["id"]) :]
    api.get(f"/streams/{forged}", 404, token="")
    api.get(f"/files/stream-{forged}", 404, token="")
    api.call("POST", f"/streams/{token}", 405)
    assert api.call("HEAD", f"/streams/{token}", 200).content == b""


def test_token_is_not_in_the_log(api, server):
    token = url_of(run_pieces(api, ["a"])).rsplit("/", 1)[1]
    sse.read(f"{server.url}/v1/streams/{token}")
    assert token not in server.log_path.read_text()
    key = server.data / "capability.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_text().strip() not in server.log_path.read_text()


def test_slow_reader_is_dropped_and_comes_back(api, is_sanitized):
    chunk = "x" * 10000
    n = 400 if is_sanitized else 1000
    made = run_pieces(api, [chunk], repeat=n)
    with sse.Stream(url_of(made), receive_buffer=4096) as slow:
        slow.wait_head()
        assert sse.outputs(sse.read(url_of(made))[1]) == [chunk] * n
        wait_until(lambda: is_closed_by_server(slow.socket), what="the slow reader to be dropped")
        got = slow.rest()
        assert not slow.complete and len(got) < n
    rest = sse.read(url_of(made), headers={"Last-Event-ID": got[-1].id})[1]
    check(got + rest, [chunk] * n)


def is_closed_by_server(connection):
    """As the kernel says: the client sees it only after it has read what was sent before."""
    ports = [f":{p[1]:04X}" for p in (connection.getpeername(), connection.getsockname())]
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        if local.endswith(ports[0]) and remote.endswith(ports[1]):
            return state != ESTABLISHED
    return True


def test_many_readers_of_one(api):
    gate = SharedFile(api.server)
    made = run_pieces(api, ["a", "b"], gate=str(gate))
    streams = [sse.Stream(url_of(made)) for _ in range(200)]
    try:
        gate.open_gate(0)
        for stream in streams:
            stream.wait_events(1)
        gate.open_gate(1)
        for stream in streams:
            check(stream.rest(), ["a", "b"])
    finally:
        for stream in streams:
            stream.socket.close()


def test_files_come_one_by_one(api, server):
    gate = SharedFile(server)
    made = api.create("frames", {"count": 3, "gate": str(gate)})
    with sse.Stream(url_of(made)) as stream:
        for i in range(3):
            gate.open_gate(i)
            urls = sse.outputs(stream.wait_events(i + 1))
            assert urls[i].startswith(server.url + "/v1/outputs/")
            assert requests.get(urls[i]).text == f"frame {i}"
            if i < 2:
                assert api.prediction(made)["output"] == urls
        events = stream.rest()
    check(events, urls)
    assert api.ended(made)["output"] == urls
    assert sse.read(url_of(made))[1] == events


def test_files_have_the_origin_of_the_reader(api, server):
    made = api.create("frames", {"count": 2})
    api.ended(made)
    path = url_of(made)[len(server.url) :]
    port = server.url.rsplit(":", 1)[1]
    ours = sse.outputs(sse.read(url_of(made))[1])
    theirs = sse.outputs(sse.read(f"http://localhost:{port}{path}")[1])
    assert theirs == [url.replace("127.0.0.1", "localhost") for url in ours]


def test_the_same_files_are_stored_once(api, server):
    made = api.create("frames", {"count": 4, "text": "equal"})
    urls = sse.outputs(sse.read(url_of(made))[1])
    assert len(set(urls)) == 4
    assert api.ended(made)["output"] == urls
    with sqlite3.connect(f"file:{server.data / 'vend.db'}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT sha256 FROM outputs WHERE prediction = ?", (made["id"],)).fetchall()
    assert len(rows) == 4 and len(set(rows)) == 1


def test_after_a_restart(servers):
    server = servers()
    api = server.api()
    gate = SharedFile(server)
    ended = run_pieces(api, PIECES)
    before = sse.read(url_of(ended))[1]
    api.ended(ended)
    text = run_pieces(api, ["a", "b", "c"], gate=str(gate))
    files = api.create("frames", {"count": 3, "gate": str(gate)})
    gate.open_gate(0)
    gate.open_gate(1)
    seen = {}
    for made in (text, files):
        with sse.Stream(url_of(made)) as stream:
            seen[made["id"]] = stream.wait_events(2)[:2]
    server.kill()
    old = server.url
    server.start()
    api = server.api()

    def here(prediction):
        return url_of(prediction).replace(old, server.url)

    assert sse.read(here(ended))[1] == before
    for made in (text, files):
        was = [e.data.replace(old, server.url) for e in seen[made["id"]]]
        with sse.Stream(here(made), headers={"Last-Event-ID": seen[made["id"]][0].id}) as stream:
            assert sse.outputs(stream.wait_events(1))[0] == was[1]
            gate.open_gate(2)
            rest = stream.rest()
        assert [e.id for e in rest][:1] == [seen[made["id"]][1].id]
        assert api.ended(made)["output"] == [was[0], *sse.outputs(rest)]


def test_after_the_data_are_gone(servers):
    server = servers("--retention", "1s")
    api = server.api()
    made = run_pieces(api, ["a"])
    check(sse.read(url_of(made))[1], ["a"])
    wait_until(lambda: api.prediction(made)["data_removed"], 120, "the data to be removed")
    api.get(url_of(made), 410, token="")


def test_a_stop_sends_readers_away(servers):
    server = servers("--drain-timeout", "0.5s")
    api = server.api()
    gate = SharedFile(server)
    made = run_pieces(api, ["a", "b"], gate=str(gate))
    gate.open_gate(0)
    with sse.Stream(url_of(made)) as stream:
        stream.wait_events(1)
        assert server.stop() == 0
        assert sse.outputs(stream.rest()) == ["a"] and not stream.complete


def test_a_stop_does_not_wait_for_readers_of_the_queue(servers):
    """Nothing of the queue runs before the next start, which goes on with it."""
    server = servers("--drain-timeout", "60s", "--hardware-units", "1")
    api = server.api()
    gate = SharedFile(server)
    running = run_pieces(api, ["a"], gate=str(gate))
    api.reaches(running, "processing")
    queued = run_pieces(api, ["b"])
    with sse.Stream(url_of(queued)) as later, sse.Stream(url_of(running)) as stream:
        later.wait_head()
        server.signal(signal.SIGTERM)
        assert later.rest() == [] and not later.complete
        gate.open_gate(0)
        check(stream.rest(), ["a"])
    assert server.wait() == 0
    old = server.url
    server.start()
    check(sse.read(url_of(queued).replace(old, server.url))[1], ["b"])

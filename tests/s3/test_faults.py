"""Faults between the server and its S3 server: nothing is lost, doubled or half there."""

import hashlib
import os

import pytest
import requests

import s3 as faults
from s3 import Fault
from test_files import copies, forget_copies, upload
from waiting import wait_until

PART = 16 << 20


def is_part(method, target):
    return method == "PUT" and "partNumber=" in target


def puts_content(method, target):
    return method == "PUT" and len(target.split("?")[0].rsplit("/", 1)[-1]) == 64


def gets_content(method, target):
    return method == "GET" and len(target.split("?")[0].rsplit("/", 1)[-1]) == 64


@pytest.mark.parametrize(
    "fault",
    [
        Fault(puts_content, faults.answer(503, "SlowDown"), 2),
        Fault(puts_content, faults.answer(500, "InternalError"), 1),
        Fault(puts_content, faults.answer(400, "RequestTimeout"), 1),
        Fault(puts_content, faults.cut_request(100_000), 2),
        Fault(puts_content, faults.lost_answer, 1),
        Fault(lambda method, target: method == "POST" and "uploads=" in target, faults.lost_answer, 1),
        Fault(lambda method, target: method == "POST" and "uploadId=" in target, faults.lost_answer, 1),
        Fault(is_part, faults.change_etag, 1),
        Fault(
            lambda method, target: method == "POST" and "uploadId=" in target,
            faults.answer(200, "", b"<Error><Code>InternalError</Code></Error>"),
            1,
        ),
    ],
    ids=["slow-down", "internal", "timeout", "cut", "lost", "lost-begin", "lost-end", "etag", "error-200"],
)
@pytest.mark.parametrize("size", [300_000, PART + 300_000])
def test_upload_survives(remote, s3, proxy, fault, size):
    if size < PART and fault.matches("POST", "?uploads=&uploadId="):
        pytest.skip("one request")
    server = remote(empty=True)
    fault.hits = 0
    proxy.add(fault)
    content = os.urandom(size)
    file = upload(server.api(), content)
    stored = s3.objects(server.prefix)
    assert stored[file["checksums"]["sha256"]].read_bytes() == content
    assert len(stored) == 1
    if size > PART or not fault.matches("PUT", "?partNumber="):
        assert fault.hits == fault.times


def test_upload_while_s3_is_away(remote, s3, proxy):
    server = remote(empty=True)
    api = server.api()
    proxy.is_away = True
    reply = api.call("POST", "/files", 503, files={"content": ("a.bin", b"content")})
    assert reply.headers["Retry-After"] == "1"
    assert "the file store does not answer" in reply.json()["detail"]
    assert api.get("/files").json()["results"] == []
    assert server.spool_files() == [] and copies(server) == set()
    ready = requests.get(server.url + "/-/readyz", timeout=60)
    assert ready.status_code == 503 and ready.json()["part"] == "files"
    proxy.is_away = False
    wait_until(lambda: requests.get(server.url + "/-/readyz", timeout=60).ok, 30, "readiness")
    assert upload(api, b"content")["size"] == 7
    assert len(s3.objects(server.prefix)) == 1


def test_broken_upload_leaves_no_parts(remote, s3, proxy):
    server = remote(empty=True)
    fault = proxy.add(Fault(is_part, faults.answer(503, "SlowDown"), 1000))
    server.api().call("POST", "/files", 503, files={"content": ("a.bin", os.urandom(PART + 1))})
    assert fault.hits > 0 and s3.objects(server.prefix) == {}
    assert proxy.count("DELETE ") == sum(line.startswith("POST ") for line in proxy.seen) > 0


@pytest.mark.parametrize(
    "act", [faults.cut_answer(100_000), faults.answer(503, "SlowDown"), faults.lost_answer], ids=["cut", "slow", "lost"]
)
def test_download_survives(remote, proxy, act):
    server = remote()
    api = server.api()
    content = b"a" * 300_000
    file = upload(api, content)
    ran = api.run("files", {"files": [file["urls"]["get"]]})
    forget_copies(server)
    fault = proxy.add(Fault(gets_content, act, 2))
    reply = requests.get(ran["output"][0], timeout=60)
    assert reply.content == content.upper() and fault.hits == 2


def test_slow_bytes(remote, proxy):
    server = remote()
    api = server.api()
    ran = api.run("files", {"files": [upload(api, b"a" * 3000)["urls"]["get"]]})
    forget_copies(server)
    proxy.add(Fault(gets_content, faults.bytes_one_by_one, 1))
    assert requests.get(ran["output"][0], timeout=60).content == b"A" * 3000


def test_other_bytes_are_not_believed(remote, proxy):
    server = remote()
    api = server.api()
    ran = api.run("files", {"files": [upload(api, b"the right bytes")["urls"]["get"]]})
    forget_copies(server)
    proxy.add(Fault(gets_content, faults.spoil_bytes, 1))
    spoiled = requests.get(ran["output"][0], timeout=60)
    assert spoiled.status_code == 500 and copies(server) == set()
    assert requests.get(ran["output"][0], timeout=60).content == b"THE RIGHT BYTES"




@pytest.mark.parametrize("killed", [False, True], ids=["alive", "killed"])
def test_output_waits_for_s3(remote, s3, proxy, killed):
    """The run ends while S3 is away: its result is stored when S3 is back, once, also by the next server."""
    server = remote("--retention", "0")
    api = server.api()
    file = upload(api, b"kept by its director", "in.txt")
    assert api.run("files", {"files": []})["status"] == "succeeded"  # an instance is there
    before = proxy.count("PUT ")
    fault = proxy.add(Fault(puts_content, faults.answer(503, "SlowDown"), 10**9))
    created = api.create("files", {"files": [file["urls"]["get"]]})
    wait_until(lambda: proxy.count("PUT ") >= before + 10, 60, "tries to store the output")
    assert api.prediction(created)["status"] in ("starting", "processing")
    if killed:
        server.kill()
        fault.times = 0
        server.start()
        api = server.api()
    fault.times = 0
    ended = api.ended(created)
    assert ended["status"] == "succeeded", ended
    name = hashlib.sha256(b"KEPT BY ITS DIRECTOR").hexdigest()
    assert s3.objects(server.prefix)[name].read_bytes() == b"KEPT BY ITS DIRECTOR"
    assert requests.get(ended["output"][0], timeout=60).content == b"KEPT BY ITS DIRECTOR"
    assert len(api.get("/predictions").json()["results"]) == 2


def test_input_waits_for_s3(remote, proxy):
    """A run whose input cannot be read yet is not failed."""
    server = remote()
    api = server.api()
    file = upload(api, b"wait for me", "in.txt")
    assert api.run("files", {"files": []})["status"] == "succeeded"
    forget_copies(server)
    fault = proxy.add(Fault(gets_content, faults.answer(503, "SlowDown"), 10**9))
    created = api.create("files", {"files": [file["urls"]["get"]]})
    wait_until(lambda: fault.hits >= 6, 60, "tries to read the input")
    fault.times = 0
    assert api.ended(created)["status"] == "succeeded"

"""`account-max-stored`: what the files of an account may take, exactly and with a way out."""

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

LIMIT = 1 << 20
FLAGS = ("--account-max-stored", str(LIMIT))
HALF = LIMIT // 2


def refused(reply):
    assert reply.status_code == 413, reply.text[:500]
    problem = reply.json()
    assert "account-max-stored" in problem["detail"] and "delete" in problem["detail"]
    return problem["detail"]


def upload(api, content):
    return api.call("POST", "/files", files={"content": ("x.txt", content, "text/plain")})


def data_uri(size, byte=b"a"):
    return "data:text/plain;base64," + base64.b64encode(byte * size).decode()


@pytest.fixture
def api(servers):
    return servers(*FLAGS).api()


def test_uploads_and_creates_beyond_it(api):
    file = api.upload(b"x" * HALF)
    assert f"take {HALF} bytes" in refused(upload(api, b"y" * (HALF + 1)))
    inputs = {"input": {"image": data_uri(HALF + 1)}}
    refused(api.post("/models/lab/image/predictions", inputs))
    refused(api.post("/models/lab/image/predictions", inputs, headers={"Prefer": "wait"}))
    api.post("/predictions", {"version": "lab/echo", "input": {}}, 201)
    full = upload(api, b"y" * HALF)
    assert full.status_code == 201
    refused(upload(api, b""))
    refused(api.post("/models/lab/echo/predictions", {"input": {}}))
    api.delete(f"/files/{file['id']}", 204)
    assert api.run("echo", {"text": "there is room"})["status"] == "succeeded"


def test_what_was_accepted_keeps_its_result(api):
    ran = api.run("image", {"image": data_uri(LIMIT - 10)})
    assert ran["status"] == "succeeded", ran
    assert requests.get(ran["output"], timeout=60).content == b"A" * (LIMIT - 10)
    refused(api.post("/models/lab/echo/predictions", {"input": {}}))


def test_it_is_each_account_s_own(api):
    api.upload(b"x" * LIMIT)
    refused(upload(api, b"y"))
    api.post("/accounts", {"username": "other"}, 201)
    body = {"name": "t", "scopes": ["read", "run"], "account": "other"}
    other = api.server.api(api.post("/tokens", body, 201).json()["token"])
    assert upload(other, b"y" * LIMIT).status_code == 201


def test_the_account_tells_the_bytes_and_the_limit(api):
    def stored():
        account = api.get("/account").json()
        assert account["stored_bytes_limit"] == LIMIT
        return account["stored_bytes"]

    assert stored() == 0
    file = api.upload(b"x" * 1000)
    assert stored() == 1000
    assert "stored now: 1000 bytes of 1.0" in api.server.cli("usage").stdout
    assert "stored" not in api.server.cli("usage", "--month", "2026-01").stdout
    made = api.run("image", {"image": data_uri(HALF)})
    size = len(requests.get(made["output"], timeout=60).content)
    assert stored() == 1000 + HALF + size
    api.delete(f"/files/{file['id']}", 204)
    assert stored() == HALF + size


def test_without_a_limit_the_account_tells_null(servers):
    assert servers().api().get("/account").json()["stored_bytes_limit"] is None


def test_many_at_once_do_not_pass_it(api):
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda n: upload(api, bytes([n]) * (LIMIT // 8)), range(24)))
    assert sorted(reply.status_code for reply in replies) == [201] * 8 + [413] * 16

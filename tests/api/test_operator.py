"""What operators read: settings, the doctor, advice."""

import json
import sqlite3

import pytest

HOUR_S = 3600
FLAGS = ("--hardware-price", "cpu=0.0001", "--idle-timeout", "123s")


def test_settings(server, other):
    listed = {one["name"]: one for one in server.api().get("/settings").json()["results"]}
    assert listed["idle-timeout"]["value"] == "123s" and listed["idle-timeout"]["source"] == "flag"
    assert listed["idle-timeout"]["type"] == "duration" and listed["idle-timeout"]["help"]
    assert listed["max-body"]["value"] == listed["max-body"]["default"] and listed["max-body"]["source"] == "default"
    assert server.token not in str(listed)
    other.get("/settings", 403)


def test_the_doctor(server, other):
    report = server.api().get("/doctor").json()
    checks = {check["check"]: check for check in report["checks"]}
    assert {"python", "disk", "limits", "sandbox"} <= set(checks)
    assert str(server.data) in checks["disk"]["detail"]
    assert not {"server", "token", "token file"} & set(checks)
    assert report["ok"] is all(check["status"] != "fail" for check in report["checks"])
    other.get("/doctor", 403)


def test_no_advice_without_a_history(api):
    advice = api.get("/advice").json()
    assert advice["results"] == [] and advice["own"] is None


def test_advice(servers):
    server = servers(*FLAGS)
    api = server.api()
    ran = api.run("echo", {"text": "x"})
    server.stop()
    with sqlite3.connect(server.data / "vend.db") as connection:
        day = 24 * HOUR_S * 1_000_000
        connection.execute(
            "UPDATE predictions SET created_us = created_us - ?1, started_us = started_us - ?1, completed_us = completed_us - ?1"
            " WHERE id = ?2",
            (day, ran["id"]),
        )
    api = server.start().api()
    api.run("echo", {"text": "y"})
    advice = api.get("/advice").json()
    (echo,) = advice["results"]
    assert echo["name"] == "lab/echo" and echo["requests"] == 2 and echo["recommendation"]
    assert echo["variants"][0]["is_now"] and sum(v["is_best"] for v in echo["variants"]) == 1
    assert api.get("/advice?model=lab/stream").json()["results"] == []
    told = json.loads(server.cli("advise", "--json").stdout)["results"][0]
    tried = ("min_instances", "max_instances", "idle_timeout_seconds", "loads")
    assert [[v[name] for name in tried] for v in told["variants"]] == [[v[name] for name in tried] for v in echo["variants"]]


@pytest.mark.parametrize("query", ["model=echo", "since=yesterday", "account=nobody"])
def test_wrong_questions(api, query):
    api.get(f"/advice?{query}", 400)


def test_advice_for_others_needs_admin(api, other):
    other.get("/advice?account=lab", 403)
    assert api.get("/advice?account=other").json()["results"] == []
    assert other.get("/advice").json()["results"] == []

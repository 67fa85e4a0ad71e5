"""Search: ranking, who sees what, both spellings of QUERY, hostile texts."""

import json
import random
import sqlite3

import pytest

HOSTILE = [
    '"',
    "'",
    '""',
    '"unbalanced',
    "*",
    "nano*",
    "NEAR(a b)",
    "a NEAR/2 b",
    "AND",
    "OR OR",
    "NOT x",
    "name:nano",
    "{owner name} : x",
    "(((",
    "^x",
    "-x +y",
    "x; DROP TABLE models; --",
    "%_%",
    "\\",
    "\u0000",
    "\u2028",
    "é́",
    "日本語 モデル",
    "🦙 llama",
    "١٢٣",
    "a" * 10_000,
    "word " * 2_000,
    "\t\r\n",
    "{}",
    "[1]",
    "null",
    '{"query": "x"}',
]


@pytest.fixture(scope="module", autouse=True)
def models(server):
    api = server.api()
    for name, description, readme in (
        ("nano-banana", "Edits pictures", None),
        ("nano-banana-pro", "Edits pictures better", None),
        ("picture-editor", "Like a nano banana, only larger", None),
        ("unrelated", "Speaks", "# Speech\n\nNot a nano, not a banana.\n"),
        ("llama-small", "A language model", "Runs anywhere."),
        ("llama-large", "A language model", "Runs on one machine."),
    ):
        body = {
            "owner": "lab",
            "name": name,
            "visibility": "public",
            "hardware": "cpu",
            "description": description,
        }
        api.post("/models", body, 201)
        if readme:
            api.patch(f"/models/lab/{name}", {"readme": readme}, 200)


def query(api, text, expect=200, kind="text/plain", **options):
    data = text.encode() if isinstance(text, str) else text
    reply = api.call("QUERY", "/models", expect, data=data, headers={"Content-Type": kind}, **options)
    return [m["name"] for m in reply.json()["results"]] if expect == 200 else reply.json()


def search(api, text, **more):
    return api.call("GET", "/search", 200, params={"query": text, **more}).json()


def names(found):
    return [entry["model"]["name"] for entry in found["models"]]


def test_names_come_first_then_descriptions_then_readmes(api):
    expected = ["nano-banana", "nano-banana-pro", "picture-editor", "unrelated"]
    for text in ("nano banana", "Nano-Banana", "  nano   BANANA  ", "banana nano"):
        assert set(query(api, text)) == set(expected), text
    assert query(api, "nano banana") == expected
    assert query(api, "lab/nano-banana")[0] == "nano-banana"
    assert query(api, "nano-banana-pro")[0] == "nano-banana-pro"
    found = search(api, "nano banana")
    assert names(found) == expected and found["query"] == "nano banana" and found["pages"] == []
    scores = [entry["metadata"]["score"] for entry in found["models"]]
    assert scores == sorted(scores, reverse=True) and all(score >= 0 for score in scores)
    assert found["models"][0]["metadata"]["tags"] == []


def test_beginnings_of_words_and_other_forms(api):
    assert query(api, "ban")[:2] == ["nano-banana", "nano-banana-pro"]
    assert "nano-banana" in query(api, "picture")
    assert "nano-banana" in query(api, "editing pictures")
    assert "unrelated" in query(api, "speech")
    # No model has both; then some of the words will do.
    assert set(query(api, "llama speech")) == {"llama-small", "llama-large", "unrelated"}
    assert query(api, "xyzzy") == []


def test_what_runs_often_comes_first_of_equals(servers):
    server = servers()
    api = server.api()
    before = [n for n in query(api, "predictor lab") if n in ("echo", "stream")]
    for name in ("echo", "stream"):
        api.patch(f"/models/lab/{name}", {"description": "equal words"}, 200)
    for _ in range(2):
        api.run("stream", {"count": 1})
    assert query(api, "equal words") == ["stream", "echo"], before


def test_both_spellings(api):
    plain = query(api, "nano banana")
    assert query(api, '"nano banana"') == plain
    assert query(api, json.dumps("nano banana"), kind="application/json") == plain
    assert query(api, "nano banana", kind="application/json") == plain
    page = api.call("QUERY", "/models", 200, data=b"nano").json()
    assert page["next"] is None and page["previous"] is None
    assert page["results"][0] == api.get("/models/lab/nano-banana").json()


def test_limits_and_missing_queries(api):
    assert len(search(api, "a", limit=1)["models"]) <= 1
    assert len(search(api, "nano", limit=2)["models"]) == 2
    for text in ("0", "51", "x", "-1", "1.5", ""):
        assert "limit" in api.get(f"/search?query=x&limit={text}", 400).json()["detail"]
    for path in ("/search", "/search?query=", "/search?q=x"):
        assert api.get(path, 400).json()["detail"] == 'Query parameter "query" is required'
    assert query(api, "") == []


def test_changes_are_found_at_once(api):
    body = {"owner": "lab", "name": "changing", "visibility": "public", "hardware": "cpu"}
    api.post("/models", body, 201)
    assert query(api, "changing") == ["changing"]
    api.patch("/models/lab/changing", {"description": "zebra"}, 200)
    assert query(api, "zebra") == ["changing"]
    api.patch("/models/lab/changing", {"description": "giraffe", "readme": "okapi"}, 200)
    assert query(api, "zebra") == [] and query(api, "okapi") == ["changing"]
    api.patch("/models/lab/changing", {"visibility": "private"}, 200)
    api.delete("/models/lab/changing", 204)
    assert query(api, "giraffe") == [] and query(api, "changing") == []


def test_private_models_are_the_owners(api, other):
    body = {"owner": "lab", "name": "hidden-quokka", "visibility": "private", "hardware": "cpu"}
    api.post("/models", body, 201)
    assert query(api, "quokka") == ["hidden-quokka"]
    assert query(other, "quokka") == [] and names(search(other, "quokka")) == []
    api.post("/collections", {"slug": "quokkas", "models": ["lab/hidden-quokka"]}, 201)
    assert search(api, "quokkas")["collections"][0]["models"] == ["lab/hidden-quokka"]
    assert search(other, "quokkas")["collections"][0]["models"] == []


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_is_a_query(api, text):
    query(api, text)
    if "\u0000" not in text:
        search(api, text)


def test_random_bytes_are_queries(api):
    source = random.Random(7)
    for _ in range(200):
        query(api, bytes(source.choices(b'"*():^-+{}nano AND NOT\\\x00\xff\xc3', k=30)))


def test_who_may(api):
    for method, path in (("QUERY", "/models"), ("GET", "/search?query=x")):
        api.call(method, path, 401, token="nonsense")
    api.call("QUERY", "/models", 413, data=b"x" * (33 * 1024 * 1024))


def test_rows_of_an_older_database_are_found(servers):
    """The index is made for models that were there before it."""
    server = servers()
    server.stop()
    database = sqlite3.connect(server.data / "vend.db")
    for name, kind in database.execute(
        "SELECT name, type FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%search%'"
    ).fetchall():
        database.execute(f"DROP {kind} {name}")
    for table in ("model_search", "collection_search"):
        database.execute(f"DROP TABLE {table}")
    database.execute("DELETE FROM migrations WHERE number = 4")
    database.commit()
    database.close()
    server.start()
    assert query(server.api(), "echo")[0] == "echo"

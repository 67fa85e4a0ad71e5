"""Numbers are the same wherever they are shown, and what cannot be passed is refused by name."""

import json

import pytest
import requests
import sse
from receiver import Receiver

FLAGS = ["--webhook-allow", "127.0.0.1"]
SEED = 2**64 - 59
LIMITS = "integers from -9223372036854775808 to 18446744073709551615"
COG_YAML = 'build:\n  python_version: "3.11"\nrun: "predict.py:Runner"\n'
SOURCE = '''
from typing import Any, List, Optional

from cog import BaseRunner, Input


def nested(levels):
    value = 0
    for _ in range(levels):
        value = [value]
    return value


class Runner(BaseRunner):
    def run(
        self,
        seed: int = Input(default=18446744073709551557, ge=1, le=18446744073709551614),
        choice: int = Input(default=1, choices=[1, 18446744073709551613]),
        steps: List[int] = Input(default=[]),
        scale: Optional[float] = Input(default=None),
        data: Optional[dict] = Input(default=None),
        text: str = Input(default=""),
        kind: str = Input(default="echo"),
        levels: int = Input(default=1),
    ) -> Any:
        if kind == "nan":
            return {"a": [1.5, float("nan")]}
        if kind == "infinity":
            return float("inf")
        if kind == "half":
            return "a\\ud800"
        if kind == "nested":
            return nested(levels)
        if kind == "types":
            return [type(x).__name__ for x in [seed, *steps]]
        return {"seed": seed, "next": seed + 1, "choice": choice, "scale": scale, "data": data}
'''
OUTPUT = '"output":{"choice":1,"data":null,"next":18446744073709551558,"scale":0.1,"seed":18446744073709551557}'
INPUT = '"seed":18446744073709551557,"scale":0.1'


@pytest.fixture(scope="module")
def model(server, tmp_path_factory):
    project = tmp_path_factory.mktemp("numbers")
    (project / "cog.yaml").write_text(COG_YAML)
    (project / "predict.py").write_text(SOURCE)
    pushed = server.cli("push", project, "lab/numbers", "--public")
    assert pushed.returncode == 0, pushed.stderr
    return server.api()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def create(api, inputs, expect=201, **more):
    """`inputs` is JSON text: what is sent is what is written here."""
    body = '{"input":' + inputs + "".join(f',"{k}":{json.dumps(v)}' for k, v in more.items()) + "}"
    headers = {"Content-Type": "application/json"}
    return api.call("POST", "/models/lab/numbers/predictions", expect, data=body, headers=headers)


def run(api, inputs):
    return api.ended(create(api, inputs).json())


def without_spaces(text):
    return text.replace(" ", "").replace("\n", "")


def test_every_channel_has_the_same_digits(model, receiver, server):
    """Integers from 2^63 on were called malformed, and came out as 1.8446744073709552e+19; the event
    stream and the command line had 0.10000000000000001."""
    hook = {"webhook": receiver.answers("/numbers", 200), "webhook_events_filter": ["completed"]}
    reply = create(model, "{" + INPUT + "}", **hook)
    made = reply.json()
    assert INPUT in reply.text
    assert model.ended(made)["status"] == "succeeded"
    shown = model.get(f"/predictions/{made['id']}").text
    assert INPUT in shown and OUTPUT in shown
    assert OUTPUT in model.get("/predictions").text
    message = receiver.wait_for(1, "/numbers")[0]
    assert INPUT.encode() in message.body and OUTPUT.encode() in message.body

    stream = requests.get(
        made["urls"]["stream"],
        headers={"Authorization": f"Bearer {server.token}", "Accept": "text/event-stream"},
        timeout=60,
    )
    events, _ = sse.parse(stream.text)
    assert [e.data for e in events if e.event == "output"] == [OUTPUT.removeprefix('"output":')]

    example = model.post("/models/lab/numbers/examples", {"prediction": made["id"]}, 201)
    assert INPUT in example.text and OUTPUT in example.text
    assert OUTPUT in model.get("/models/lab/numbers/examples").text

    got = server.cli("predictions", "get", made["id"], "--json")
    assert INPUT in without_spaces(got.stdout) and OUTPUT in without_spaces(got.stdout)
    ran = server.cli("run", "lab/numbers", f"seed={SEED}", "scale=0.1")
    assert OUTPUT.removeprefix('"output":') == without_spaces(ran.stdout), ran.stderr
    ran = server.cli("run", "lab/numbers", f"seed={SEED}", "scale=0.1", "--json")
    assert OUTPUT in without_spaces(ran.stdout)


def test_schemas_keep_their_digits(model):
    text = without_spaces(model.get("/models/lab/numbers/versions").text)
    assert '"default":18446744073709551557' in text
    assert '"maximum":18446744073709551614' in text
    assert "[1,18446744073709551613]" in text
    assert run(model, "{}")["output"]["seed"] == SEED


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 2**64 - 1, -(2**63), 0])
def test_integers_within_anything(model, number):
    ended = run(model, '{"data":{"a":[%d,{"b":%d}]}}' % (number, number))
    assert ended["output"]["data"] == {"a": [number, {"b": number}]}
    assert ended["input"]["data"] == {"a": [number, {"b": number}]}


def test_choices_are_compared_exactly(model):
    assert run(model, '{"choice":18446744073709551613}')["output"]["choice"] == 2**64 - 3
    problem = create(model, '{"choice":18446744073709551612}', 422).json()
    assert problem["invalid_fields"][0]["field"] == "input.choice"
    problem = create(model, '{"seed":18446744073709551615}', 422).json()
    assert problem["invalid_fields"][0]["description"] == (
        "Must be less than or equal to 18446744073709551614"
    )


@pytest.mark.parametrize(
    "inputs, detail",
    [
        ('{"seed":18446744073709551616}', f"input.seed: 18446744073709551616 is out of range; numbers are {LIMITS}"),
        ('{"data":{"a":[1,-9223372036854775809]}}', f"input.data.a.1: -9223372036854775809 is out of range; numbers are {LIMITS}"),
        ('{"scale":1e999}', "input.scale: 1e999 is out of range; the largest real is 1.797"),
        ('{"text":"a\\u0000b"}', "input.text: text with the character NUL (\\u0000) is not taken"),
        ('{"text":"\\ud800"}', "input.text: \\ud800 is half of a character"),
        ('{"data":{"a":' + "[" * 120 + "]" * 120 + "}}", "input.data: nested deeper than 120 levels"),
        ('{"data":' + '{"a":' * 3000 + "1" + "}" * 3000 + "}", "nested deeper than 480 levels"),
    ],
)
def test_what_cannot_be_passed_is_refused_by_name(model, inputs, detail):
    assert detail in create(model, inputs, 422).json()["detail"]


def test_integers_that_only_look_like_reals(model):
    """coglet hands 1.0 to an int input as a float."""
    ended = run(model, '{"seed":1e19,"steps":[1.0,2,-0.0],"kind":"types"}')
    assert ended["output"] == ["int", "int", "int", "int"]
    assert ended["input"]["seed"] == 10**19 and ended["input"]["steps"] == [1, 2, 0]
    for wrong in ("1.5", "true", '"1"', "1e30"):
        problem = create(model, '{"seed":%s}' % wrong, 422).json()
        assert problem["invalid_fields"][0]["field"] == "input.seed"


def test_the_deepest_input_and_output(model):
    deepest = "[" * 119 + "]" * 119
    ended = run(model, '{"data":{"a":' + deepest + "}}")
    assert ended["output"]["data"] == {"a": json.loads(deepest)}
    assert run(model, '{"kind":"nested","levels":127}')["status"] == "succeeded"


@pytest.mark.parametrize(
    "inputs, error",
    [
        ('{"kind":"nan"}', "NaN or Infinity, which JSON does not have (at line 1 column "),
        ('{"kind":"infinity"}', "NaN or Infinity, which JSON does not have"),
        ('{"kind":"half"}', "half of a character (a lone surrogate), which JSON cannot carry"),
        ('{"kind":"nested","levels":129}', "nested deeper than the 127 levels"),
        ('{"kind":"nested","levels":600}', "nested deeper than the 127 levels"),
        ('{"kind":"nested","levels":900}', "nested deeper than the 127 levels"),
        ('{"kind":"nested","levels":3000}', "nested deeper than the 127 levels"),
    ],
)
def test_outputs_that_are_no_json_fail_at_once(model, inputs, error):
    """Some ended with the words of a parser, and deep ones with three crashes of the model server."""
    ended = run(model, inputs)
    assert ended["status"] == "failed" and ended.get("error_code") is None
    assert ended["error"].startswith("the output cannot be written as JSON: " + error)

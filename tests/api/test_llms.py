"""llms.txt: models as texts for programs that read."""

import subprocess


def test_the_list_names_the_models(server):
    text = server.api().get("//llms.txt").text
    assert f"[lab/echo]({server.url}/lab/echo/llms.txt)" in text
    assert text.startswith("# Vend\n\n> ")


def test_a_model_tells_its_inputs(server):
    reply = server.api().get("//lab/types/llms.txt")
    assert reply.headers["Content-Type"] == "text/markdown; charset=utf-8"
    lines = reply.text.splitlines()
    assert lines[0] == "# lab/types"
    inputs = [line for line in lines if line.startswith("- `")]
    assert inputs[0] == "- `text` (string, required): Required text"
    assert inputs[1] == "- `count` (integer, required, at least 1, at most 10): Required count"
    assert any('one of ["red","green","blue"]' in line for line in inputs)
    assert any(line.startswith("- `file` (file URL") for line in inputs)


def test_its_call_can_be_pasted(server):
    api = server.api()
    made = api.run("echo", {"text": "it's pasted"})
    api.post("/models/lab/echo/examples", {"prediction": made["id"]}, 201)
    api.patch("/models/lab/echo", {"default_example": made["id"]}, 200)
    text = api.get("//lab/echo/llms.txt").text
    script = text.partition("```sh\n")[2].partition("```")[0]
    env = {"REPLICATE_API_TOKEN": server.token, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, timeout=60, check=True)
    assert "it's pasted" in done.stdout


def test_what_one_may_not_see_has_no_text(server):
    api = server.api()
    api.get("//lab/nothing/llms.txt", 404)
    api.get("//llms.txt", 401, token="vend_nobody")

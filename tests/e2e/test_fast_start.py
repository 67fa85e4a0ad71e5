"""Models that start from a zygote, and the plain starts when that does not work out."""

import processes
from waiting import wait_until


def instances(api, model):
    return [i for i in api.debug()["instances"] if i["model"] == f"lab/{model}"]


def stop_instances(api, server, model):
    """Kills what runs the model; the next prediction starts another one."""
    for instance in instances(api, model):
        for pid in processes.directors(instance["dir"]):
            processes.kill(pid)
    wait_until(lambda: not instances(api, model), what="the instances to go")


def zygote_of(api, model):
    return next((z for z in api.debug()["zygotes"] if z["model"] == f"lab/{model}"), None)


def start_of(api, model):
    (instance,) = instances(api, model)
    return instance["start"], instance["plain_reason"]


def learn(api, server, model, inputs):
    """Runs it plainly once; there is a zygote afterwards. Returns the output."""
    output = api.run(model, inputs)["output"]
    wait_until(
        lambda: (zygote_of(api, model) or {}).get("state") == "ready", what="the zygote"
    )
    stop_instances(api, server, model)
    return output


def test_the_second_start_is_fast(servers):
    server = servers("--max-instances", "1")
    api = server.api()
    plain = api.run("echo", {"text": "a"})["output"]
    assert start_of(api, "echo") == ("plain", "its imports are not learned yet")
    wait_until(lambda: (zygote_of(api, "echo") or {}).get("state") == "ready", what="the zygote")
    stop_instances(api, server, "echo")
    assert api.run("echo", {"text": "a"})["output"] == plain
    assert start_of(api, "echo") == ("fast", None)
    stop_instances(api, server, "echo")
    assert processes.models(server.data) == []

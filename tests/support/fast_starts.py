"""Instances that start from zygotes, as /-/debug shows them."""

import processes
from waiting import wait_until


def instances(api, model):
    return [i for i in api.debug()["instances"] if i["model"] == f"lab/{model}"]


def stop_instances(api, model):
    """Kills the directors; the next prediction starts another instance."""
    for instance in instances(api, model):
        for pid in processes.directors(instance["dir"]):
            processes.kill(pid)
    wait_until(lambda: not instances(api, model), what="the instances to go")


def await_zygote(api, state="ready", model=None):
    """All that is to be learned is; the zygote that `model` asked for first, if it is named."""

    def look():
        debug = api.debug()
        if any(instance["learning"] for instance in debug["instances"]):
            return None
        asked = [z for z in debug["zygotes"] if model is None or z["model"] == f"lab/{model}"]
        settled = asked and all(z["state"] == state for z in asked)
        return asked[0] if settled else None

    return wait_until(look, what=f"a zygote that is {state}")


def start_of(api, model):
    (instance,) = instances(api, model)
    return instance["start"], instance["plain_reason"]


def await_snapshot(api, model, state="ready"):
    """That of the model's latest version."""
    version = api.get(f"/models/lab/{model}").json()["latest_version"]["id"]

    def look():
        found = [s for s in api.debug()["snapshots"] if s["version"] == version]
        if not found or found[-1]["state"] == state:
            return found and found[-1]
        # One that ends is told late: it is ready until its end was read.
        assert found[-1]["state"] != "gone", found
        return None

    return wait_until(look, what=f"a snapshot that is {state}")


def use(api, model, inputs=None):
    """One run on an instance of its own: how that started, and the run."""
    stop_instances(api, model)
    ended = api.run(model, inputs or {})
    (instance,) = instances(api, model)
    return instance, ended

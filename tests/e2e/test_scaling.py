"""Instances come, share the work, and go."""

import processes
from waiting import wait_until


def states(api, model):
    return [i["state"] for i in api.debug()["instances"] if i["model"] == f"lab/{model}"]


def test_concurrent_model_runs_in_parallel(servers):
    """Four runs wait for each other inside of one instance."""
    api = servers("--max-instances", "1").api()
    made = [api.create("concurrent", {"together": 4}) for _ in range(4)]
    assert [api.ended(p)["output"] for p in made] == ["4"] * 4
    assert api.debug()["instance_starts"] == 1
    more = [api.create("concurrent", {"together": 5, "timeout": 1}) for _ in range(5)]
    assert max(int(api.ended(p)["output"]) for p in more) == 4


def test_idle_stop_and_start_on_demand(servers):
    server = servers("--idle-timeout", "1s")
    api = server.api()
    assert processes.directors(server.data) == []
    assert api.run("echo", {"text": "one"})["output"] == "one"
    wait_until(lambda: not processes.of_data_dir(server.data / "instances"), what="the idle stop")
    wait_until(lambda: server.instance_dirs() == [], what="the directory to go")
    assert processes.models(server.data) == []
    assert api.run("echo", {"text": "two"})["output"] == "two"
    assert api.debug()["instance_starts"] == 2


def test_more_instances_while_the_queue_is_long(servers):
    server = servers(
        "--max-instances", "2", "--scale-down-delay", "1s", "--idle-timeout", "600s"
    )
    api = server.api()
    made = [api.create("echo", {"delay": 12, "text": str(i)}) for i in range(3)]
    wait_until(lambda: states(api, "echo").count("ready") == 2, what="the second instance")
    assert len(states(api, "echo")) == 2
    for prediction in made:
        api.cancel(prediction)
    wait_until(lambda: len(states(api, "echo")) == 1, what="the surplus to go")
    starts = api.debug()["instance_starts"]
    assert api.run("echo", {"text": "after"})["output"] == "after"
    assert api.debug()["instance_starts"] == starts


def test_a_run_that_was_given_ahead_is_not_stuck_behind_a_long_one(servers):
    api = servers("--max-instances", "2").api()
    for i in range(5):
        api.run("echo", {"text": str(i)})
    long = api.create("echo", {"delay": 300})
    api.reaches(long, "processing")
    behind = api.create("echo", {"text": "behind"})
    assert api.ended(behind)["output"] == "behind"
    assert api.prediction(long)["status"] == "processing"
    canceled = [api.create("echo", {"delay": 300}), api.create("echo", {"text": "never"})]
    for prediction in canceled:
        api.cancel(prediction)
    assert {api.ended(p)["status"] for p in canceled} == {"canceled"}
    api.cancel(long)


def test_an_idle_instance_makes_room_for_another_model(servers):
    server = servers("--hardware-units", "1")
    api = server.api()
    for model, inputs in (("echo", {"text": "a"}), ("stream", {}), ("echo", {"text": "b"})):
        assert api.run(model, inputs)["status"] == "succeeded"
    assert len(processes.directors(server.data)) == 1


def test_accounts_take_turns(servers):
    server = servers("--max-instances", "1")
    admin = server.api()
    admin.post("/accounts", {"username": "small"}, 201)
    token = admin.post(
        "/tokens", {"name": "t", "scopes": ["run", "read"], "account": "small"}, 201
    ).json()["token"]
    first = admin.create("echo", {"delay": 1})
    admin.reaches(first, "processing")
    many = [admin.create("echo", {"delay": 0.2}) for _ in range(8)]
    small = server.api(token)
    one = small.ended(small.create("echo", {"text": "small"}))
    done = [p for p in map(admin.prediction, many) if p["completed_at"]]
    assert len([p for p in done if p["completed_at"] < one["completed_at"]]) <= 2

"""What clients were promised against what became of it."""

import collections

from api import TERMINAL

# What may end a prediction that is not the model's own doing, while things break.
FAULTS = {"INSTANCE_LOST", "SETUP_FAILED", "SETUP_TIMEOUT", "OUTPUT_STORE_FAILED", "OUTPUT_UPLOAD_FAILED",
          "PREDICT_TIMEOUT"}  # fmt: skip
# Lost before it started: three times; while it ran: twice; and what a kill of everything hides.
MOST_RUNS = 1 + 2 + 3


def read_record(path):
    """{key: [(monotonic ns, run, what)]}"""
    moments = collections.defaultdict(list)
    if path.exists():
        for line in path.read_text().splitlines():
            words = line.split()
            if len(words) == 4:
                moments[words[1]].append((int(words[0]), words[2], words[3]))
    return moments


def check_runs(key, moments):
    """No run of it begins before the one before it is over; not too many of them."""
    runs = collections.OrderedDict()
    for at, run, _ in sorted(moments):
        first, _last = runs.get(run, (at, at))
        runs[run] = (first, at)
    faults, end = [], 0
    for run, (first, last) in sorted(runs.items(), key=lambda item: item[1]):
        if first < end:
            faults.append(f"{key}: run {run} began {(end - first) / 1e6:.0f} ms before another ended")
        end = max(end, last)
    if len(runs) > MOST_RUNS:
        faults.append(f"{key}: {len(runs)} runs")
    return faults


def check_end(asked, now, fetch):
    """What it ended with is what was asked for, or what a fault may do."""
    status, code, key = now["status"], now.get("error_code"), asked.key
    if status == "succeeded":
        if asked.mode in ("raise", "crash"):
            return [f"{key}: {asked.mode} succeeded"]
        if asked.mode == "pieces":
            right = [f"{key} {i} " for i in range(asked.inputs["count"])]
            if now["output"] != right:
                return [f"{key}: output {now['output']} instead of {right}"]
        elif asked.mode == "file":
            content = fetch(now["output"])
            if content != key.upper().encode():
                return [f"{key}: the file {now['output']} has {content!r}"]
        elif now["output"] != key.upper():
            return [f"{key}: output {now['output']}"]
        if asked.kind == "work" and now["logs"].count(f"working on {key}") != 1:
            return [f"{key}: logs {now['logs']!r}"]
        return []
    if status == "failed" and (code in FAULTS or (asked.mode == "raise" and "boom" in now["error"])):
        return []
    if status == "canceled" and (asked.canceled or asked.deadline):
        return []
    if status == "aborted" and asked.deadline:
        return []
    return [f"{key}: {asked.mode} ended {status}, {code}, {now['error']}"]


def check_client(client, listed, record, fetch):
    faults = list(client.problems)
    by_key = collections.defaultdict(list)
    for now in listed:
        by_key[now["input"].get("key")].append(now)
    for asked in client.asked:
        found = by_key.get(asked.key, [])
        if asked.id and not found:
            faults.append(f"{asked.key}: {asked.id} was promised and is lost")
        if len(found) > 1:
            faults.append(f"{asked.key}: {len(found)} predictions of one create")
        if not found:
            # No promise, so no row; the model may have run it all the same.
            continue
        now = found[0]
        if asked.id and now["id"] != asked.id:
            faults.append(f"{asked.key}: {asked.id} was promised, {now['id']} is there")
        if now["status"] not in TERMINAL or not now["completed_at"]:
            faults.append(f"{asked.key}: {now['id']} has not ended: {now['status']}")
            continue
        faults += check_end(asked, now, fetch)
        faults += check_told(asked, now)
        faults += check_runs(asked.key, record.get(asked.key, []))
    return faults


def check_told(asked, now):
    faults = []
    if asked.told:
        for name in ("id", "status", "output", "completed_at", "error"):
            if asked.told[name] != now[name]:
                faults.append(f"{asked.key}: {name} was {asked.told[name]}, is {now[name]}")
    if asked.streamed is not None and now["status"] == "succeeded":
        if asked.streamed != "".join(now["output"]):
            faults.append(f"{asked.key}: streamed {asked.streamed!r}, is {now['output']}")
    return faults


def missing_webhooks(clients, listed_by_key, receiver):
    """Keys whose end the receiver has not been told."""
    told = collections.defaultdict(set)
    for message in receiver.got():
        body = message.json
        told[message.path].add((body["id"], body["status"]))
    missing = []
    for client in clients:
        for asked in client.asked:
            now = listed_by_key.get(asked.key)
            if asked.webhook and now and (now["id"], now["status"]) not in told[f"/{asked.key}"]:
                missing.append(asked.key)
    return missing

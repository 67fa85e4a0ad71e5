"""/metrics: the text is what Prometheus reads, the numbers are true, the labels are bounded."""

import json
import pathlib
import re

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from receiver import Receiver
from waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "deploy" / "grafana-vend.json"
PAGE = ROOT / "docs" / "architecture" / "observability.md"
UNITS = ("_total", "_seconds", "_bytes", "_info", "_fds", "_predictions", "_writes", "_instances", "_streams")


def scrape(api):
    reply = api.get("//metrics")
    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {family.name: family for family in text_string_to_metric_families(reply.text)}


def value(families, name, sample=None, **labels):
    """The sum of the samples with these labels."""
    found = [
        s.value
        for s in families[name].samples
        if s.name == (sample or name) and labels.items() <= s.labels.items()
    ]
    return sum(found)


def families_of(text):
    """{name as in the text: type}."""
    found = text_string_to_metric_families(text)
    return {f.name + ("_total" if f.type == "counter" else ""): f.type for f in found}


def samples_of(families):
    ends = {"histogram": ("_bucket", "_sum", "_count")}
    return {name + end for name, kind in families.items() for end in ends.get(kind, ("",))}


def test_it_keeps_the_conventions(api):
    api.run("echo", {"text": "x"})
    text = api.get("//metrics").text
    assert text.endswith("\n")
    families = list(text_string_to_metric_families(text))
    assert len({f.name for f in families}) == len(families)
    for family in families:
        assert family.documentation and family.type in ("counter", "gauge", "histogram"), family
        assert re.fullmatch(r"(vend|process)_[a-z_]+", family.name)
        full = family.name + ("_total" if family.type == "counter" else "")
        assert full.endswith(UNITS), full
        assert text.count(f"# TYPE {full} ") == 1 and text.count(f"# HELP {full} ") == 1
        for sample in family.samples:
            assert sample.value >= 0
    keys = [(s.name, tuple(sorted(s.labels.items()))) for f in families for s in f.samples]
    assert len(keys) == len(set(keys))


def test_histograms_add_up(api):
    api.run("echo", {"text": "x"})
    for family in scrape(api).values():
        if family.type != "histogram":
            continue
        series = {}
        for sample in family.samples:
            labels = {k: v for k, v in sample.labels.items() if k != "le"}
            series.setdefault(tuple(sorted(labels.items())), []).append(sample)
        for samples in series.values():
            buckets = [(float(s.labels["le"]), s.value) for s in samples if s.name.endswith("_bucket")]
            (count,) = [s.value for s in samples if s.name.endswith("_count")]
            assert buckets == sorted(buckets) and buckets[-1] == (float("inf"), count)
            assert [n for _, n in buckets] == sorted(n for _, n in buckets)


def test_the_numbers_are_true(servers):
    api = servers("--max-instances", "1").api()
    for _ in range(3):
        api.run("echo", {"text": "x"})
    assert api.run("faulty", {"mode": "throw"})["status"] == "failed"
    now = scrape(api)
    echo = {"model": "lab/echo", "deployment": ""}
    assert value(now, "vend_predictions", "vend_predictions_total", status="succeeded", **echo) == 3
    assert value(now, "vend_predictions", "vend_predictions_total", status="failed", model="lab/faulty") == 1
    for name, n in (("vend_run_seconds", 3), ("vend_queue_wait_seconds", 3), ("vend_boot_seconds", 1)):
        assert value(now, name, name + "_count", **echo) == n, name
    boot = value(now, "vend_boot_seconds", "vend_boot_seconds_sum", **echo)
    assert 0.05 < boot < 60
    # The first one waited for the boot.
    assert value(now, "vend_queue_wait_seconds", "vend_queue_wait_seconds_sum", **echo) >= boot * 0.9
    assert value(now, "vend_instances", state="ready", **echo) == 1
    created = {"route": "/v1/models/{owner}/{name}/predictions", "method": "POST"}
    assert value(now, "vend_http_requests", "vend_http_requests_total", status="2xx", **created) == 4
    assert value(now, "vend_store_commits", "vend_store_commits_total") == value(
        now, "vend_store_commit_duration_seconds", "vend_store_commit_duration_seconds_count"
    )
    assert value(now, "process_resident_memory_bytes") > 1e6 and value(now, "process_open_fds") > 5
    assert value(now, "process_start_time_seconds") > 1.7e9


def test_gauges_follow(servers):
    api = servers("--max-instances", "1").api()
    running = api.create("faulty", {"mode": "sleep", "seconds": 30.0})
    api.reaches(running, "processing")
    waiting = [api.create("faulty") for _ in range(3)]
    now = scrape(api)
    assert value(now, "vend_queued_predictions", model="lab/faulty") == 3
    assert value(now, "vend_running_predictions", model="lab/faulty") == 1
    stream = requests.get(running["urls"]["stream"], stream=True, timeout=30)
    assert value(scrape(api), "vend_open_streams") == 1
    stream.close()
    api.cancel(running)
    for each in waiting:
        api.ended(each)
    after = wait_until(lambda: (m := scrape(api)) and value(m, "vend_open_streams") == 0 and m, what="no streams")
    assert value(after, "vend_queued_predictions") == 0 and value(after, "vend_running_predictions") == 0


def test_webhooks_are_counted(servers):
    api = servers("--webhook-allow", "127.0.0.0/8", env={"VEND_TEST_WEBHOOK_UNIT_US": "20000"}).api()
    receiver = Receiver()
    receiver.answers("/hook", 500, 200)
    try:
        api.run("echo", {"text": "x"}, webhook=receiver.url + "/hook", webhook_events_filter=["completed"])
        receiver.wait_for(2)
        tries = {"name": "vend_webhook_tries", "sample": "vend_webhook_tries_total"}
        wait_until(lambda: value(scrape(api), tries["name"], tries["sample"], outcome="delivered") == 1, what="it")
    finally:
        receiver.close()
    assert value(scrape(api), tries["name"], tries["sample"], outcome="retry") == 1


def test_labels_are_bounded(servers):
    api = servers("--metrics-series", "1").api()
    api.run("echo", {"text": "x"})
    api.run("faulty")
    api.run("stream", {"count": 1})
    for path in ("/a", "/b/c", "/v1/nothing", "/v1/models/lab/echo", "/v1/models/lab/faulty"):
        requests.get(api.server.url + path, headers={"Authorization": f"Bearer {api.token}"}, timeout=30)
    requests.request("BREW", api.server.url + "/v1/account", timeout=30)
    now = scrape(api)
    models = {s.labels["model"] for f in now.values() for s in f.samples if "model" in s.labels}
    assert models == {"lab/echo", "other"}
    assert value(now, "vend_predictions", "vend_predictions_total", model="other") == 2
    routes = [(s.labels["route"], s.labels["method"]) for s in now["vend_http_requests"].samples]
    assert ("none", "any") in routes and ("/v1/models/{owner}/{name}", "GET") in routes
    assert not {r for r, _ in routes} & {"/a", "/b/c", "/v1/models/lab/echo"}
    assert "BREW" not in {m for _, m in routes}


def test_who_may_read_it(servers, api, other):
    url = api.server.url + "/metrics"
    assert requests.get(url, timeout=30).status_code == 401
    other.get("//metrics", 403)
    assert api.call("HEAD", "//metrics", 200).content == b""
    public = servers("--metrics-public", "true").api()
    assert "vend_build_info" in public.get("//metrics", token="").text


@pytest.fixture(scope="module")
def families(server):
    api = server.api()
    api.run("echo", {"text": "x"})
    return families_of(api.get("//metrics").text)


def test_the_dashboard_uses_these_names(families):
    dashboard = json.loads(DASHBOARD.read_text())
    queries = [t["expr"] for panel in dashboard["panels"] for t in panel.get("targets", [])]
    queries += [
        item["query"] if isinstance(item["query"], str) else item["query"]["query"]
        for item in dashboard["templating"]["list"]
        if item["type"] == "query"
    ]
    used = {name for query in queries for name in re.findall(r"\b(?:vend|process)_[a-z_]+", query)}
    assert len(used) > 15 and used <= samples_of(families), used - samples_of(families)
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))


def test_the_page_has_every_name(families):
    rows = re.findall(r"^\| `((?:vend|process)_[a-z_]+)` \| (\w+) \|", PAGE.read_text(), re.M)
    assert dict(rows) == families and len(rows) == len(families)

"""`vend simulate`: traces from a file and synthetic ones, as a table and as JSON."""

import gzip
import json
import os
import subprocess

import pytest

TRACE = "time_s,model,run_s,load_s\n0,lab/a,10,10\n1,lab/b,10,10\n2,lab/a,10\n"


def test_trace_of_a_file(vend, tmp_path):
    trace = tmp_path / "trace.csv"
    trace.write_text(TRACE)
    done = vend(
        "simulate", str(trace), "--hardware", "1", "--policy", "all", "--price", "3600", "--json"
    )
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert (shown["requests"], shown["models"], shown["hardware"]) == (3, 2, 1)
    results = {result["policy"]: result for result in shown["results"]}
    assert list(results) == ["vend", "fcfs-lru", "fixed-timeout"]
    assert results["vend"]["cold_starts"] == 2
    assert results["fcfs-lru"]["cold_starts"] == 3
    assert round(results["vend"]["wait_seconds"]["max"], 3) == 39
    # Where nothing is loaded twice the last one would have waited for two loads and two runs.
    assert round(results["vend"]["wait_seconds"]["over_least_max"], 3) == 10
    assert results["vend"]["beyond"] == 0
    assert round(results["vend"]["cost"], 3) == 50


def test_table(vend, tmp_path):
    trace = tmp_path / "trace.csv"
    trace.write_text(TRACE)
    done = vend("simulate", str(trace), "--hardware", "2")
    assert done.returncode == 0, done.stderr
    heads, row = done.stdout.splitlines()
    assert heads.split()[:3] == ["POLICY", "MEAN", "P50"]
    assert row.split()[:2] == ["vend", "12.7"]


def test_waits_of_each_request(vend, tmp_path):
    trace, waits = tmp_path / "trace.csv", tmp_path / "waits.csv"
    trace.write_text(TRACE)
    done = vend("simulate", str(trace), "--hardware", "2", "--waits", str(waits))
    assert done.returncode == 0, done.stderr
    lines = waits.read_text().splitlines()
    assert lines[0] == "time_s,model,run_s,load_s,wait_s"
    assert lines[1:] == [
        "0.000000,lab/a,10.000000,10.000000,10.000000",
        "1.000000,lab/b,10.000000,10.000000,10.000000",
        "2.000000,lab/a,10.000000,10.000000,18.000000",
    ]
    both = vend("simulate", str(trace), "--policy", "all", "--waits", str(waits))
    assert both.returncode == 2 and "--waits: expected one policy" in both.stderr


def test_loads_that_change(vend, tmp_path):
    trace, waits = tmp_path / "trace.csv", tmp_path / "waits.csv"
    trace.write_text("0,lab/a,10,8\n9,lab/b,10,4\n20,lab/a,10,2\n")
    done = vend("simulate", str(trace), "--hardware", "1", "--waits", str(waits))
    assert done.returncode == 0, done.stderr
    shown = [line.split(",")[3:] for line in waits.read_text().splitlines()[1:]]
    assert shown == [
        ["8.000000", "8.000000"],
        ["4.000000", "13.000000"],
        ["2.000000", "14.000000"],
    ]


def test_bad_trace(vend, tmp_path):
    trace = tmp_path / "trace.csv"
    trace.write_text(TRACE + "3,lab/a,soon\n")
    done = vend("simulate", str(trace))
    assert done.returncode == 2
    assert "line 5: run_s is 'soon'" in done.stderr
    trace.write_text(TRACE + "3,lab/a,10,soon\n")
    assert "line 5: load_s is 'soon'" in vend("simulate", str(trace)).stderr
    assert vend("simulate", str(tmp_path / "none.csv")).returncode == 2


@pytest.mark.parametrize(
    "words,problem",
    [
        (["trace.csv", "--synthetic"], "either a trace ('trace.csv') or --synthetic"),
        ([], "a trace, - for standard input, or --synthetic"),
        (["trace.csv", "--models", "7"], "--models needs --synthetic"),
        (["trace.csv", "--hours", "24"], "--hours needs --synthetic"),
        (["trace.csv", "--rate", "0"], "--rate needs --synthetic"),
        (["trace.csv", "--seed", "1"], "--seed needs --synthetic"),
        (["--synthetic", "--seed", "-1"], "--seed: expected 0 to 4294967295"),
        (["--synthetic", "--hours", "nan"], "--hours: expected 0.01 to 8784"),
        (["--synthetic", "--rate", "0"], "--rate: expected 0.001 to 1000000"),
        (["--synthetic", "--rate", "1e6", "--hours", "21"], "at most 20000000 requests, got 21000000"),
        (["trace.csv", "--waits", "pipe"], "--waits: 'pipe' is not a plain file"),
        (["trace.csv", "--waits", "link"], "--waits: 'link' is not a plain file"),
        (["trace.csv", "--waits", "./trace.csv"], "--waits: './trace.csv' is the trace"),
    ],
)
def test_wrong_options(vend, words, problem):
    (vend.cwd / "trace.csv").write_text(TRACE)
    os.mkfifo(vend.cwd / "pipe")
    (vend.cwd / "link").symlink_to("elsewhere.csv")
    (vend.cwd / "elsewhere.csv").write_text("kept")
    done = vend("simulate", *words)
    assert done.returncode == 2 and problem in done.stderr, done.stderr
    assert done.stdout == "" and (vend.cwd / "trace.csv").read_text() == TRACE
    assert (vend.cwd / "link").is_symlink() and (vend.cwd / "link").read_text() == "kept"


def read_from(vend, data):
    words = [vend.binary, "simulate", "-", "--json"]
    return subprocess.run(words, env=vend.env, input=data, capture_output=True, timeout=60)


def test_trace_of_standard_input(vend, tmp_path):
    (tmp_path / "trace.csv.gz").write_bytes(gzip.compress(TRACE.encode()))
    with subprocess.Popen(["zcat", tmp_path / "trace.csv.gz"], stdout=subprocess.PIPE) as zcat:
        done = subprocess.run(
            [vend.binary, "simulate", "-", "--json"],
            env=vend.env,
            stdin=zcat.stdout,
            capture_output=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    (vend.cwd / "trace.csv").write_text(TRACE)
    assert done.stdout.decode() == vend("simulate", "trace.csv", "--json").stdout
    bad = read_from(vend, TRACE.encode() + b"3,lab/a,soon\n")
    assert bad.returncode == 2 and b"standard input: line 5: run_s is 'soon'" in bad.stderr
    empty = read_from(vend, b"")
    assert empty.returncode == 2 and b"standard input: no requests" in empty.stderr


def test_synthetic_is_repeatable(vend):
    words = ("simulate", "--synthetic", "--hours", "2", "--models", "10", "--json", "--seed")
    first, again, other = (vend(*words, seed).stdout for seed in ("7", "7", "8"))
    assert first == again != other
    assert json.loads(first)["requests"] > 50


@pytest.mark.parametrize("suffix,start", [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_chart(vend, tmp_path, suffix, start):
    chart = tmp_path / f"it's a chart.{suffix}"
    chart.write_text("old")
    words = ("simulate", "--synthetic", "--hours", "2", "--policy", "all", "--price", "1")
    done = vend(*words, "--chart", chart)
    assert done.returncode == 0, done.stderr
    assert "fixed-timeout" in done.stdout and chart.read_bytes().startswith(start)
    if suffix == "svg":
        drawn = chart.read_text()
        assert all(word in drawn for word in ("fcfs-lru", "fixed-timeout", "loading", "Waits of", "cost"))
    assert sorted(path.name for path in tmp_path.glob("*chart*")) == [chart.name]


def test_chart_as_text(vend, tmp_path):
    done = vend("simulate", "--synthetic", "--hours", "2", "--chart", "-")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("POLICY") and "percent of the requests" in done.stdout
    both = vend("simulate", "--synthetic", "--json", "--chart", "-")
    assert both.returncode == 2 and "either --json or --chart -" in both.stderr


def test_chart_that_cannot_be(vend, tmp_path):
    words = ("simulate", "--synthetic", "--hours", "1", "--chart")
    done = vend(*words, tmp_path / "chart.gif")
    assert done.returncode == 2 and ".svg" in done.stderr
    done = vend(*words, tmp_path / "nowhere" / "chart.svg")
    assert done.returncode == 1 and "nowhere" in done.stderr
    done = vend(*words, tmp_path / "chart.svg", PATH="/nowhere")
    assert done.returncode == 1 and "gnuplot-nox" in done.stderr and done.stdout == ""
    assert not list(tmp_path.glob("chart*"))

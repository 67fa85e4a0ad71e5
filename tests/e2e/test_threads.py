"""A server that may not have the threads it needs says so before it listens."""

from waiting import wait_until

# More than it makes at the start with the flags below.
ENOUGH = 60


def ended_or_listening(server):
    """Its exit status, or True."""
    if server.process.poll() is not None:
        return (server.process.returncode,)
    return any(record.get("message") == "listening" for record in server.log())


def test_each_thread_that_cannot_be_made_ends_the_start(shimmed):
    server, shim = shimmed("--http-threads", "2", "--build-limit", "2", start=False)
    failures = 0
    for most in range(1, ENOUGH):
        shim.set_threads(most)
        server.spawn()
        outcome = wait_until(lambda: ended_or_listening(server), what="an end or a start")
        if outcome is True:
            break
        failures += 1
        text = server.log_path.read_text()
        last = text.splitlines()[-1]
        assert outcome == (1,), (most, text)
        assert last.startswith("vend serve: ") and "hread" in last and "ulimit -u" in last, (most, text)
        assert "listening" not in text
    # Writers of the log and the store, four of the disk, two of builds, two of HTTP, and others.
    assert failures > 10 and outcome is True, failures
    assert server.stop() == 0
    shim.set_threads(0)
    server.start()
    assert server.api().run("echo", {"text": "on"})["output"] == "on"

"""Waiting for conditions; nothing in these suites sleeps for a fixed time."""

import time

DEFAULT_TIMEOUT_S = 60
POLL_S = 0.02


def wait_until(condition, timeout=DEFAULT_TIMEOUT_S, what="the condition"):
    """Returns the first true value of condition(); fails after the timeout."""
    until = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"waited {timeout} s for {what}; last value: {value!r}")
        time.sleep(POLL_S)

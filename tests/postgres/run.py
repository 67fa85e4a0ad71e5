#!/usr/bin/env python3
"""Runs pytest with the stores of all servers on PostgreSQL: `tests/postgres/run.py [WORDS OF PYTEST…]`.

Starts a server of its own, from the Debian package `postgresql`, and removes it. Without words: the part of ./test.
Tests that look into the file of SQLite are skipped; where one has stopped its server before, the others of its module fail.
"""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from postgres import Cluster  # noqa: E402

# Lists, pages, words, keys, images, outboxes and restarts: where the databases could part.
PART = [
    "tests/postgres",
    "tests/api/test_idempotency.py",
    "tests/api/test_pages.py",
    "tests/api/test_registry.py",
    "tests/api/test_run_filters.py",
    "tests/api/test_search.py",
    "tests/api/test_webhooks.py",
    "tests/e2e/test_crash.py",
]


def main(words):
    cluster = Cluster()
    try:
        env = {**os.environ, "VEND_TEST_POSTGRES": cluster.url_form}
        options = [word for word in words if word.startswith("--junitxml")]
        words = [word for word in words if word not in options] or PART
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *words]
        return subprocess.call(command, cwd=ROOT, env=env)
    finally:
        cluster.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

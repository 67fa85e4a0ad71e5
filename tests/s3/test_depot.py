"""The C tests of depots, with a server for the second one."""

import os
import pathlib
import subprocess

from conftest import KEYS
from s3 import BUCKET


def test_depots(s3, tmp_path):
    build = os.environ.get("VEND_TEST_BUILD") or pathlib.Path(__file__).parents[2] / "build-test"
    env = {
        **os.environ, **KEYS, "VEND_TEST_S3_ENDPOINT": f"http://127.0.0.1:{s3.port}",
        "VEND_TEST_S3_PLACE": f"s3://{BUCKET}/depots", "TMPDIR": str(tmp_path),
    }  # fmt: skip
    ran = subprocess.run(
        [pathlib.Path(build) / "tests/unit/test-files-depot"], env=env, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "/depot/s3/other-bytes-are-refused" in ran.stdout

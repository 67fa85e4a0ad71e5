"""A short soak of tests/soak: some faults of every sort, then the books.

VEND_SOAK_SEED repeats a run, VEND_SOAK_FAULTS makes it longer.
"""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "soak"))

from soak import Soak  # noqa: E402

SEED = int(os.environ.get("VEND_SOAK_SEED", "11"))
FAULTS = int(os.environ.get("VEND_SOAK_FAULTS", "20"))


def test_a_short_soak(binary, template, tmp_path):
    built = pathlib.Path(os.environ.get("VEND_TEST_BUILD") or ROOT / "build-test")
    library = built / "tests" / "soak" / "vend-fault-shim.so"
    soak = Soak(binary, template, library, tmp_path, SEED, clients=3)
    try:
        soak.set_up()
        soak.break_things(FAULTS, pause=0.4)
        soak.finish()
    finally:
        soak.close()
    assert not soak.problems, "\n".join([f"seed {SEED}", *soak.problems, str(soak.result())])
    assert soak.result()["predictions"] > 0

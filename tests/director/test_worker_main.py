"""What the process of the worker runs before coglet does."""

import pathlib
import subprocess
import sys

MAIN = pathlib.Path(__file__).resolve().parents[2] / "src" / "director" / "worker-main.py"

ASKS = """
import importlib.util, os, pathlib, sys, time

clock = [0.0]
time.monotonic = lambda: clock[0]
folder = pathlib.Path(os.getcwd())
sys.path[:] = [path for path in sys.path if "site-packages" not in path] + [str(folder)]
os.utime(folder, (1, 1))
searches = []

class Recorder:
    def find_spec(self, name, path=None, target=None):
        searches.append(name)

sys.meta_path.append(Recorder())

def ask():
    searches.clear()
    try:
        import numpy
    except ModuleNotFoundError as error:
        assert error.name == "numpy" and str(error) == "No module named 'numpy'", error
        return len(searches)
    return numpy.__file__

print(ask(), ask(), ask(), importlib.util.find_spec("numpy"))
(folder / "other").mkdir()
sys.path.append(str(folder / "other"))
print(ask(), ask())
(folder / "numpy.py").touch()
print(ask())
clock[0] += 0.02
print(ask())
"""


def test_an_absent_numpy_is_searched_once(tmp_path):
    """Until a folder has changed, which is seen a moment later."""
    before, _, rest = MAIN.read_text().partition("import coglet\n")
    assert rest.strip() == "coglet.server._run_worker()"
    done = subprocess.run(
        [sys.executable, "-I", "-c", before + ASKS], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["2 0 0 None", "2 0", "0", f"{tmp_path}/numpy.py"]

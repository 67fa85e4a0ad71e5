import pytest

from director_client import BINARY, VENV, Director, write_model
from models import INPUTS, SOURCE

WAYS = ("worker", "http")


@pytest.fixture(scope="session", autouse=True)
def needs():
    if not BINARY.exists():
        pytest.skip(f"{BINARY} is not built")
    if not (VENV / "bin/python").exists():
        pytest.skip(f"{VENV} has no Python with cog (VEND_TEST_VENV)")


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"), SOURCE, inputs=INPUTS)


def pytest_configure(config):
    config.addinivalue_line("markers", "ways(*names): the kinds of model servers that a test is about")


def pytest_generate_tests(metafunc):
    """Each test runs with each kind of model server, unless it says otherwise."""
    if "way" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("ways")
        metafunc.parametrize("way", marker.args if marker else WAYS)


@pytest.fixture
def start(tmp_path, model, way):
    """Starts directors that are gone, with their models, when the test ends."""
    directors = []

    def start(folder=None, **spec):
        spec.setdefault("model_server", way)
        directors.append(Director(tmp_path / f"d{len(directors)}", folder or model, **spec))
        return directors[-1]

    yield start
    for director in directors:
        director.close()

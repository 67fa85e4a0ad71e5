"""The catalogue without a token: what is public shows, and nothing else."""

import pytest
import requests
from servers import Servers


@pytest.fixture(scope="module")
def catalogue(template, binary, tmp_path_factory):
    made = Servers(binary, template, tmp_path_factory.mktemp("catalogue"))
    yield made("--public-catalogue", "true")
    made.close()


@pytest.mark.parametrize(
    "path", ["/models", "/models/lab/echo", "/models/lab/echo/versions", "/search?query=echo", "/collections"]
)
def test_public_models_show_without_a_token(catalogue, path):
    assert requests.get(f"{catalogue.url}/v1{path}", timeout=60).status_code == 200


def test_private_models_do_not(catalogue):
    admin = catalogue.api()
    body = {"owner": "lab", "name": "hidden", "visibility": "private", "hardware": "cpu"}
    admin.post("/models", body, 201)
    assert requests.get(f"{catalogue.url}/v1/models/lab/hidden", timeout=60).status_code == 404
    listed = requests.get(f"{catalogue.url}/v1/models", timeout=60).json()["results"]
    assert "hidden" not in {model["name"] for model in listed}
    assert admin.get("/models/lab/hidden").json()["name"] == "hidden"


@pytest.mark.parametrize("path", ["/predictions", "/account", "/tokens", "/files", "/deployments"])
def test_the_rest_needs_one(catalogue, path):
    assert requests.get(f"{catalogue.url}/v1{path}", timeout=60).status_code == 401


def test_nobody_runs(catalogue):
    url = f"{catalogue.url}/v1/models/lab/echo/predictions"
    assert requests.post(url, json={"input": {}}, timeout=60).status_code == 401


def test_a_wrong_token_is_told(catalogue):
    headers = {"Authorization": "Bearer nobody"}
    assert requests.get(f"{catalogue.url}/v1/models", headers=headers, timeout=60).status_code == 401


def test_who_was_signed_out_sees_what_strangers_see(catalogue):
    reply = requests.get(f"{catalogue.url}/v1/models", cookies={"vend_session": "over"}, timeout=60)
    assert reply.status_code == 200
    reply = requests.get(f"{catalogue.url}/v1/predictions", cookies={"vend_session": "over"}, timeout=60)
    assert reply.status_code == 401


def test_strangers_have_rate_limits_of_their_own(servers):
    server = servers("--public-catalogue", "true", env={"VEND_RATE_LIMIT_OTHER": "3"})

    def get(address):
        with requests.Session() as session:
            session.mount("http://", From(address))
            return session.get(f"{server.url}/v1/models", timeout=60).status_code

    assert [get("127.0.0.2") for _ in range(4)] == [200, 200, 200, 429]
    assert get("127.0.0.3") == 200


class From(requests.adapters.HTTPAdapter):
    """Calls from one address of this machine."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **options):
        super().init_poolmanager(*args, source_address=(self.address, 0), **options)

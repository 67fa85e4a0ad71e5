"""A version leaves one server as a file, and is the same version on another one without a network."""

import json

import pytest

from bundles import CUT_OFF, Bundle, bring_in, export


@pytest.fixture(scope="module")
def cut_off(binary, tmp_path_factory):
    from servers import Servers

    made = Servers(binary, None, tmp_path_factory.mktemp("cut-off"))
    yield made(empty=True, env=CUT_OFF)
    made.close()


def version_id(reference):
    return reference.partition(":")[2]


def test_a_version_travels_without_a_network(server, cut_off, tmp_path):
    archive = tmp_path / "echo.tar.zst"
    exported = export(server, "lab/echo", archive)
    imported = bring_in(cut_off, archive)
    assert imported == exported
    run = cut_off.api().run("echo", {"text": "hello"})
    assert run["output"] == "hello" and run["version"] == version_id(exported)

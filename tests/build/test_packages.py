"""Where packages come from: options beside them, indexes, hashes, and commands that install more."""

import base64
import functools
import hashlib
import http.server
import io
import subprocess
import threading
import zipfile

import pytest
from builder_client import HELLO, Build

SIX_HASH = "8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("packages")


@pytest.fixture
def build(place, request):
    made = []

    def start(files, **options):
        made.append(Build(place, files, f"{request.node.name}-{len(made)}", **options))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
        one.process.wait()


def wheel(name, version):
    """A wheel with one module that says its version."""
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\n"
    record_path = f"{name}-{version}.dist-info/RECORD"
    files[record_path] = record + f"{record_path},,\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return out.getvalue()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """An index with vend-made-package 1.0 and 2.0+local."""
    root = tmp_path_factory.mktemp("index")
    page = root / "simple/vend-made-package"
    page.mkdir(parents=True)
    links = ""
    for version in ("1.0", "2.0+local"):
        name = f"vend_made_package-{version}-py3-none-any.whl"
        (page / name).write_bytes(wheel("vend_made_package", version))
        links += f'<a href="{name}">{name}</a>\n'
    (page / "index.html").write_text(f"<html><body>{links}</body></html>")
    handler = functools.partial(Quiet, directory=root)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def packages(*lines, run=()):
    listed = "".join(f"    - {line!r}\n" for line in lines)
    commands = "".join(f"    - {line!r}\n" for line in run)
    text = f"build:\n  python_version: '3.11'\n  python_packages:\n{listed}"
    return HELLO | {"cog.yaml": text + (f"  run:\n{commands}" if run else "") + "predict: predict.py:Predictor\n"}


def requirements(text, **files):
    yaml = "build:\n  python_version: '3.11'\n  python_requirements: requirements.txt\npredict: predict.py:Predictor\n"
    return HELLO | {"cog.yaml": yaml, "requirements.txt": text} | files


def installed(place, result, module):
    python = place / "venvs" / result["launch"]["venv"] / "bin/python"
    return subprocess.check_output([python, "-c", f"import {module} as m; print(m.version)"], text=True).strip()


def test_options_on_the_line_of_a_package(build, place, index):
    one = build(
        packages(f"vend-made-package==1.0 --extra-index-url={index}/simple", "six==1.16.0"), any_package_host=True
    )
    first = one.wait_good()
    assert installed(place, first, "vend_made_package") == "1.0"
    for line in (
        [f"vend-made-package==1.0 --extra-index-url {index}/simple"],
        [f"--extra-index-url {index}/simple", "vend-made-package==1.0"],
    ):
        again = build(packages(*line, "six==1.16.0"), any_package_host=True).wait_good()
        assert again["launch"]["venv"] == first["launch"]["venv"]
    links = build(
        packages(f"vend-made-package==2.0+local -f {index}/simple/vend-made-package/", "six==1.16.0"),
        any_package_host=True,
    ).wait_good()
    assert installed(place, links, "vend_made_package") == "2.0+local"
    assert links["launch"]["venv"] != first["launch"]["venv"]


def test_the_index_is_part_of_the_environment(build, index):
    """The same name and version from elsewhere may be another package."""
    plain = build(packages("six==1.16.0")).wait_good()
    other = build(packages(f"six==1.16.0 --extra-index-url {index}/simple"), any_package_host=True).wait_good()
    assert plain["launch"]["venv"] != other["launch"]["venv"]


def test_private_indexes_need_leave(build, index):
    files = packages(f"vend-made-package --extra-index-url {index}/simple")
    error = build(files).wait_failed()
    assert error["code"] == "forbidden" and "127.0.0.1" in error["message"]
    assert "--package-allow" in error["message"]
    build(files, package_allow="127.0.0.0/8").wait_good()
    url = f"{index}/simple/vend-made-package/vend_made_package-1.0-py3-none-any.whl"
    for line in (f"vend-made-package @ {url}", url, f"git+{index}/a.git", f"-i {index}/simple"):
        assert build(packages(line)).wait_failed()["code"] == "forbidden"


def test_hashes_are_checked(build, index):
    name = "vend_made_package-1.0-py3-none-any.whl"
    right = hashlib.sha256(wheel("vend_made_package", "1.0")).hexdigest()
    text = f"six==1.16.0 \\\n    --hash=sha256:{SIX_HASH}\nvend-made-package @ {index}/simple/vend-made-package/{name} --hash=sha256:%s\n"
    good = build(requirements(text % right), any_package_host=True).wait_good()
    assert f"six==1.16.0 --hash=sha256:{SIX_HASH}" in good["manifest"]["content"]["packages"]
    bad = build(requirements(text % ("0" * 64)), any_package_host=True)
    bad.wait_failed()
    assert "ash mismatch" in bad.log


def test_a_requirements_file_as_people_write_it(build, place, index):
    files = requirements(
        "\ufeff# what the model needs\r\n-r more/base.txt  # nested\r\n--extra-index-url "
        f"{index}/simple\r\nsix==1.16.0 ; python_version >= '3.8'\r\nnever ; python_version < '3'\r\n-e .\r\ncog\r\n",
    )
    files |= {"more/base.txt": "vend_made_package \\\n  == 1.0\n-c limits.txt\n", "more/limits.txt": "six<1.17\n"}
    result = build(files, any_package_host=True).wait_good()
    names = result["manifest"]["content"]["packages"]
    assert "six==1.16.0" in names and "vend-made-package==1.0" in names
    assert not any(line.startswith("never") for line in names)


def test_a_wheel_of_the_project(build, place):
    files = requirements("./wheels/vend_made_package-1.0-py3-none-any.whl\n")
    one = build(files | {"wheels/vend_made_package-1.0-py3-none-any.whl": wheel("vend_made_package", "1.0")})
    assert installed(place, one.wait_good(), "vend_made_package") == "1.0"


def test_builds_of_pytorch_have_an_index_of_their_own(build):
    """Which cannot be reached by every test machine; what the resolver was told can be seen."""
    one = build(packages("torch==2.1.0+cpu"), env={"UV_OFFLINE": "1"})
    one.wait_failed()
    assert "torch" in one.log and "2.1.0+cpu" in one.log
    error = build(packages("torch==2.1.0+cpu", "torchvision==0.16.0+cu118")).wait_failed()
    assert "the same build" in error["message"]


def test_hints_for_docker_are_left_out(build):
    files = packages(
        "six==1.16.0", run=["--mount=type=cache,target=/var/cache/pip python -m pip install wcwidth==0.2.13"]
    )
    one = build(files, allow_build_run=True)
    one.wait_good()
    assert "warning: cog.yaml:6: build.run: the cache mount at /var/cache/pip is left out" in one.log
    assert "$ python -m pip install wcwidth==0.2.13" in one.log
    secret = packages("six", run=["--mount=type=secret,id=token,target=/t cat /t"])
    assert "needs the secret 'token'" in build(secret, allow_build_run=True).wait_failed()["message"]


def test_a_command_that_fails_says_what_is_other_here(build):
    files = packages("six==1.16.0", run=["cat /src/no-such-file"])
    message = build(files, allow_build_run=True).wait_failed()["message"]
    assert "exited with status 1" in message and "relative to that folder" in message

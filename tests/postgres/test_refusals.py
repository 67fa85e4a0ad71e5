"""What `vend serve` says of databases that it does not take, and what it never says."""

import subprocess

import pytest

from postgres import run_sql
from vend_server import Server

PASSWORD = "Secr3t/word"
IN_URL = "Secr3t%2Fword"


@pytest.fixture
def refused(binary, tmp_path):
    """Exit status and text of a start with this database."""

    def start(url, name="refused"):
        server = Server(binary, tmp_path / name, store=url)
        done = subprocess.run(
            [binary, "serve", "--data", server.data, "--listen", "127.0.0.1:0"],
            env=server.env, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert not server.sanitizer_reports()
        return done.returncode, done.stderr

    return start


@pytest.mark.parametrize("url", ["mysql://host/db", "postgres://u:Secr3t%2Fword@h:notaport/db", "postgres://u:Secr3t%2Fword@[::1/db"])
def test_urls_that_are_none(refused, url):
    status, text = refused(url)
    assert status == 2, text
    assert "store: " in text and ("postgres://USER:PASSWORD@HOST:5432/DATABASE" in text or '"port"' in text)
    assert PASSWORD not in text and IN_URL not in text


def test_no_server(refused):
    status, text = refused(f"postgres://u:{IN_URL}@127.0.0.1:1/db")
    assert status == 1, text
    assert "the database is not available" in text and "refused" in text
    assert PASSWORD not in text and IN_URL not in text


@pytest.mark.parametrize(
    "how,what",
    [("LC_COLLATE 'C.UTF-8' LOCALE_PROVIDER icu ICU_LOCALE 'en'", "collation"), ("ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'", "encoding")],
)
def test_collation_and_encoding(refused, url_form, how, what):
    run_sql(url_form % "postgres", f"CREATE DATABASE other_{what} TEMPLATE template0 {how}")
    status, text = refused(url_form % f"other_{what}")
    assert status == 2, text
    assert what in text and "createdb -T template0 -E UTF8 --lc-collate=C" in text


def test_a_database_of_a_newer_vend(empty_servers, refused):
    server = empty_servers()
    assert server.stop() == 0
    run_sql(server.store, "INSERT INTO migrations (number, applied_us) VALUES (9999, 1)")
    server.spawn()
    assert server.wait() == 1
    assert "use a newer vend" in server.log_path.read_text()


def test_a_second_server_on_one_database(empty_servers, refused):
    server = empty_servers()
    status, text = refused(server.store)
    assert status == 1, text
    assert "another data directory" in text or "another server uses the database" in text
    server.api().get("/account")


def test_a_standby_of_another_directory(empty_servers, binary, tmp_path):
    """It would have none of the files when it is needed."""
    server = empty_servers()
    server.api().post("/files", None, 201, files={"content": ("a.txt", b"abc")})
    other = empty_servers()
    other.api().post("/files", None, 201, files={"content": ("a.txt", b"abc")})
    assert other.stop() == 0
    other.env["VEND_STORE"] = server.store
    other.spawn("--standby")
    assert other.wait() == 1
    assert "belongs to another data directory" in other.log_path.read_text()


def test_a_standby_without_a_server(binary, tmp_path):
    server = Server(binary, tmp_path / "file", store="")
    server.spawn("--standby")
    assert server.wait() == 2
    assert "standby: needs a database on a server" in server.log_path.read_text()


def test_files_of_another_database(empty_servers, refused, url_form, database):
    """The sweeps would remove them."""
    server = empty_servers()
    server.api().post("/files", None, 201, files={"content": ("a.txt", b"abc")})
    assert server.stop() == 0
    own = server.store
    server.env["VEND_STORE"] = database
    server.spawn()
    assert server.wait() == 1
    assert "name the database of this directory" in server.log_path.read_text()
    server.env["VEND_STORE"] = own
    server.start()
    status, text = refused(own)
    assert status == 1, text


def test_the_password_is_shown_nowhere(empty_servers, url_form):
    server = empty_servers(start=False)
    server.env["VEND_STORE"] = server.store.replace("vend@", f"vend:{IN_URL}@")
    server.start()
    shown = server.cli("config", "get", "store").stdout + server.cli("config", "list", "--json").stdout
    shown += server.api().get("/settings").text + server.api().get("//-/debug").text
    assert "vend:***@" in shown
    server.restart()
    shown += server.log_path.read_text()
    environment = open(f"/proc/{server.pid()}/environ").read()
    assert IN_URL not in shown + environment and PASSWORD not in shown
    # A reload does not read a changed setting into what the start took away.
    server.signal(1)
    assert server.stop() == 0
    assert "store" not in [record.get("setting") for record in server.log()]

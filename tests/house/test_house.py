"""The house itself: what every other test stands on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from playwright.sync_api import sync_playwright

from tests.support.chromium import ChromiumMissing, find_chromium, launch_options
from tests.support.postgres import PostgresServer
from tests.support.store import prepare

ROOT = Path(__file__).parents[2]


@pytest.mark.unmigrated
def test_whoever_asks_for_it_gets_an_empty_database(database_url: str) -> None:
    engine = sa.create_engine(database_url)
    assert sa.inspect(engine).get_table_names() == []
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE leftover (id INTEGER)"))
    engine.dispose()


@pytest.mark.parametrize("again", [1, 2])
def test_nothing_is_left_from_the_test_before(postgres_url: str, again: int) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE leftover (id INTEGER)")


@pytest.mark.parametrize("again", [1, 2, 3])
def test_a_database_that_is_used_again_holds_no_row(postgres_url: str, again: int) -> None:
    prepare(postgres_url)
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM seen").fetchone() == (0,)
        connection.execute("INSERT INTO seen (key, at) VALUES ('update:1', 1)")


def test_a_database_in_which_somebody_still_is_goes_to_nobody(postgres: PostgresServer) -> None:
    url = postgres.take_migrated()
    with psycopg.connect(url.replace("+psycopg", "")):
        postgres.give_back(url)
    assert postgres.take_migrated() != url


def test_a_database_is_made_from_a_template(postgres: PostgresServer) -> None:
    postgres.create_database("house_template")
    with postgres.connect("house_template") as connection:
        connection.execute("CREATE TABLE kept (id INTEGER)")
    copy = postgres.create_database(template="house_template")
    with postgres.connect(copy.rpartition("/")[2]) as connection:
        connection.execute("SELECT id FROM kept")
    postgres.drop_database(copy)
    postgres.drop_database("house_template")


def test_the_server_is_not_root_and_wants_a_password(postgres: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://postgres:wrong@127.0.0.1:{postgres.port}/postgres")
    with postgres.connect() as connection:
        (data,) = connection.execute("SHOW data_directory").fetchone() or ("",)
    assert Path(data).stat().st_uid != 0


def test_no_server_outlives_a_killed_owner() -> None:
    program = (
        "import time\nfrom tests.support.postgres import postgres_server\n"
        "with postgres_server() as server:\n"
        "    print(server.port, server.password, flush=True)\n    time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    port, password = owner.stdout.readline().split()
    server = PostgresServer(int(port), password)
    server.connect().close()
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            server.connect().close()
        except psycopg.OperationalError:
            return
        time.sleep(0.1)
    pytest.fail("the server went on after its owner was killed")


def test_thai_is_drawn_by_the_browser(chromium: str) -> None:
    assert os.access(chromium, os.X_OK)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        page = browser.new_page()
        page.set_content("<p lang=th>กลับบ้าน</p>")
        assert page.inner_text("p") == "กลับบ้าน"
        browser.close()


def test_a_missing_browser_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULANG_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ChromiumMissing, match="package 'chromium'"):
        find_chromium()


def test_locks_name_no_address() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / lock).read_text()
        assert "://" not in text
        assert "--index" not in text


def test_a_skip_fails_in_ci(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text())
    (tmp_path / "test_it.py").write_text("import pytest\ndef test_it():\n    pytest.skip('later')\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        str(tmp_path),
    ]
    environment = {**os.environ, "CI": "true", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 1, done.stdout
    assert "nothing may be" in done.stdout

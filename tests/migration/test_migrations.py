"""The migrations make what the tables say, from nothing and again, and refuse what they do not know."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from referrals.catalogue import Catalogue
from referrals.errors import ConfigurationError
from storage.connection import parse_url
from storage.schema import HEAD, migrate
from storage.store import Store
from storage.tables import metadata
from tests.support.store import KEY

pytestmark = pytest.mark.unmigrated


def engine_of(url: str) -> Any:
    parsed = parse_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    return create_engine(parsed.set(drivername="sqlite" if sqlite else "postgresql+psycopg"))


def run(url: str, statement: str) -> None:
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def refused(url: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        Store.open(url, KEY, Catalogue())
    return str(caught.value)


def test_tables_and_migrations_agree(database_url: str) -> None:
    """Whoever changes a table writes a migration (before the first release: storage/migrations/draft.py)."""
    migrate(database_url)
    engine = engine_of(database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        # Alembic does not look at the conditions of indexes.
        found = {i["name"] for i in inspect(connection).get_indexes("outbox")}
        assert {index.name for index in metadata.tables["outbox"].indexes} <= found
    engine.dispose()


def test_the_head_that_a_start_expects_is_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_from_nothing_and_again(database_url: str) -> None:
    for _ in range(2):
        migrate(database_url)
    store = Store.open(database_url, KEY, Catalogue())
    store.run(lambda tx: tx.first_time("update:1"))
    store.close()
    migrate(database_url)
    store = Store.open(database_url, KEY, Catalogue())
    assert not store.run(lambda tx: tx.first_time("update:1"))
    store.close()


def test_an_empty_database_is_not_opened(database_url: str) -> None:
    assert "migrate" in refused(database_url)


def test_a_database_from_the_future_is_left_alone(database_url: str) -> None:
    migrate(database_url)
    run(database_url, "UPDATE alembic_version SET version_num = '9999'")
    assert "newer version" in refused(database_url)
    with pytest.raises(ConfigurationError, match="newer version"):
        migrate(database_url)


def test_a_migration_cut_short_leaves_nothing(database_url: str) -> None:
    """One transaction, on both databases: a table that stands in the way undoes all of it."""
    run(database_url, "CREATE TABLE wrap (wrong INTEGER)")
    with pytest.raises(Exception, match="wrap"):
        migrate(database_url)
    engine = engine_of(database_url)
    assert inspect(engine).get_table_names() == ["wrap"]
    engine.dispose()
    run(database_url, "DROP TABLE wrap")
    migrate(database_url)
    Store.open(database_url, KEY, Catalogue()).close()


@pytest.mark.parametrize(
    "content", [b"this is not a database at all" * 200, b"SQLite format 3\x00" + bytes(4000)]
)
def test_a_broken_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pulang.db"
    path.write_bytes(content)
    url = f"sqlite:///{path}"
    assert "restore a backup" in refused(url)
    with pytest.raises(ConfigurationError, match="restore a backup"):
        migrate(url)
    assert path.read_bytes() == content


def test_a_damaged_database(tmp_path: Path) -> None:
    """Its header stands, its pages are torn."""
    path = tmp_path / "pulang.db"
    url = f"sqlite:///{path}"
    migrate(url)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = bytearray(path.read_bytes())
    content[100:] = b"\xa5" * (len(content) - 100)
    path.write_bytes(content)
    assert "restore a backup" in refused(url)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "folder" in refused(f"sqlite:///{tmp_path}/nowhere/pulang.db")


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://localhost/x", "sqlite://", "sqlite:///:memory:"])
def test_addresses_that_are_none(url: str) -> None:
    assert "sqlite:////folder/pulang.db" in refused(url)


def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path}/pulang.db")
    assert {file.stat().st_mode & 0o077 for file in tmp_path.iterdir()} == {0}

"""A destroyed key is gone from the files too: a byte search, on both databases."""

from __future__ import annotations

from pathlib import Path

from referrals.model import DataClass, Record, person_holder
from referrals.ports import Tx
from storage.sql import Sql
from storage.store import Store
from storage.tx import StoreTx
from tests.support.store import open_store

COUNT = 250


def _fill(tx: Tx) -> None:
    for n in range(COUNT):
        tx.seal(Record("referral", f"r{n}"), DataClass.STORY, "note", f"story {n}", [person_holder("p1")])


def _bytes_of(tx: Tx) -> list[bytes]:
    assert isinstance(tx, StoreTx)
    numbers = tx.connection.rows(Sql("SELECT record_row, wrapped FROM wrap"))
    return [bytes(wrapped) for row, wrapped in numbers if int(row[1:]) % 2 == 0]


def _destroy_half(tx: Tx) -> None:
    for n in range(0, COUNT, 2):
        tx.destroy(Record("referral", f"r{n}"))


def _found(wraps: list[bytes], files: list[Path]) -> int:
    content = b"".join(file.read_bytes() for file in files)
    return sum(1 for wrap in wraps if wrap in content)


async def test_on_sqlite_nothing_is_left_in_database_and_wal(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    store.run(_fill)
    doomed = store.run(_bytes_of)
    assert _found(doomed, list(tmp_path.glob("pulang.db*"))) == len(doomed) == COUNT / 2
    store.run(_destroy_half)
    await store.scrub()
    assert _found(doomed, list(tmp_path.glob("pulang.db*"))) == 0
    await _the_others_open(store)
    store.close()


async def test_on_postgresql_nothing_is_left_in_the_table(postgres_url: str) -> None:
    """Its WAL is recycled in its own time (docs/threat-model.md); the table's file is rewritten at once."""
    store = open_store(postgres_url)
    store.run(_fill)
    doomed = store.run(_bytes_of)
    _checkpoint(postgres_url)
    assert _found(doomed, _table_files(postgres_url)) == len(doomed) == COUNT / 2
    store.run(_destroy_half)
    await store.scrub()
    _checkpoint(postgres_url)
    assert _found(doomed, _table_files(postgres_url)) == 0
    await _the_others_open(store)
    await store.aclose()


async def _the_others_open(store: Store) -> None:
    kept = await store.turn(lambda tx: tx.sealed_exists(Record("referral", "r1"), DataClass.STORY))
    gone = await store.turn(lambda tx: tx.sealed_exists(Record("referral", "r2"), DataClass.STORY))
    assert (kept, gone) == (True, False)


def _checkpoint(url: str) -> None:
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def _table_files(url: str) -> list[Path]:
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        row = connection.execute(
            "SELECT current_setting('data_directory'), pg_relation_filepath('wrap')"
        ).fetchone()
    assert row is not None
    return [Path(row[0]) / row[1]]

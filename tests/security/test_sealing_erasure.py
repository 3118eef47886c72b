"""A destroyed key is gone from the files too: a byte search, on both databases.

What was wrapped once is searched for in everything that the database keeps on the disk. Before the erasure
all of it must be found, or the search would prove nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from referrals.model import Actor, DataClass, Record, Role, organization_holder, person_holder
from referrals.ports import Tx
from storage.connection import parse_url, plain_url
from storage.sql import Sql
from storage.store import Store
from storage.tx import StoreTx
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.store import START, SettableClock, open_store

COUNT = 250
OWN, ORG = person_holder("p1"), organization_holder("o1")
# docs/deploy.md, 'Erasure': segments that are over are removed and not written over at some later time.
AS_DEPLOYED = {"wal_recycle": "off", "full_page_writes": "on"}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL of its own, set up as docs/deploy.md says, so that all of its WAL is this test's."""
    with postgres_server(settings=AS_DEPLOYED) as found:
        yield found


def _fill(tx: Tx) -> None:
    for n in range(COUNT):
        tx.seal(Record("referral", f"r{n}"), DataClass.STORY, "note", f"story {n}", [OWN])


def _destroy_half(tx: Tx) -> None:
    for n in range(0, COUNT, 2):
        tx.destroy(Record("referral", f"r{n}"))


def _rows(store: Store, statement: str) -> list[Any]:
    def verb(tx: Tx) -> list[Any]:
        assert isinstance(tx, StoreTx)
        return tx.connection.rows(Sql(statement))

    return store.run(verb)


def _doomed(store: Store) -> list[bytes]:
    """The wraps of the records that will be destroyed."""
    rows = _rows(store, "SELECT record_row, wrapped FROM wrap")
    return [bytes(wrapped) for row, wrapped in rows if int(row[1:]) % 2 == 0]


def _keys(store: Store, where: str) -> list[bytes]:
    """Wrapped key-encryption keys."""
    return [bytes(row[0]) for row in _rows(store, f"SELECT wrapped FROM key_encryption_key WHERE {where}")]


def _found(searched: list[bytes], files: list[Path]) -> int:
    """How many are there, by either half: a page's edge in the WAL can run through one of them."""
    content = b"".join(file.read_bytes() for file in files)
    return sum(1 for one in searched if one[: len(one) // 2] in content or one[len(one) // 2 :] in content)


def _folder(url: str) -> Path:
    with psycopg.connect(plain_url(parse_url(url)), autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute("SELECT current_setting('data_directory')").fetchone()
    assert row is not None
    return Path(row[0])


def _heap(url: str) -> list[Path]:
    """Every file of every table and index of this server, written out."""
    return [file for file in (_folder(url) / "base").rglob("*") if file.is_file()]


def _wal(url: str) -> list[Path]:
    return [file for file in (_folder(url) / "pg_wal").rglob("*") if file.is_file()]


def _wal_moves_on(url: str) -> None:
    """What a checkpoint and `archive_timeout` do in their time: the segment ends, and old ones go."""
    with psycopg.connect(plain_url(parse_url(url)), autocommit=True) as connection:
        for _ in range(2):
            connection.execute("SELECT pg_switch_wal()")
            connection.execute("CHECKPOINT")


async def test_on_sqlite_nothing_is_left_in_database_and_wal(sqlite_url: str, tmp_path: Path) -> None:
    clock = SettableClock()
    store = open_store(sqlite_url, clock)
    store.run(_fill)
    doomed, files = _doomed(store), list(tmp_path.glob("pulang.db*"))
    assert len(files) == 3  # database, WAL and its index
    assert _found(doomed, files) == len(doomed) == COUNT / 2
    store.run(_destroy_half)
    assert _found(doomed, files) > 0  # secure_delete alone leaves them in the WAL
    await store.sweep(clock())
    assert _found(doomed, list(tmp_path.glob("pulang.db*"))) == 0
    await _the_others_open(store)
    store.close()
    assert _found(doomed, list(tmp_path.glob("pulang.db*"))) == 0


async def test_on_sqlite_an_old_key_is_gone_with_its_rotation(sqlite_url: str, tmp_path: Path) -> None:
    clock = SettableClock()
    store = open_store(sqlite_url, clock)
    store.run(_fill)
    old = _keys(store, "state = 'active'")
    wraps = [bytes(row[0]) for row in _rows(store, "SELECT wrapped FROM wrap")]
    assert _found(old, list(tmp_path.glob("pulang.db*"))) == len(old) == 1
    store.run(lambda tx: tx.rotate_holder(OWN))
    await store.sweep(clock())
    assert _found(old + wraps, list(tmp_path.glob("pulang.db*"))) == 0
    await _still_opens(store)
    store.close()


async def test_on_postgresql_nothing_is_left_in_heap_and_wal(server: PostgresServer) -> None:
    url, clock = server.create_database(), SettableClock()
    store = open_store(url, clock)
    store.run(_fill)
    store.run(lambda tx: tx.rotate_holder(ORG))  # nothing yet: it holds none
    doomed, old = _doomed(store), _keys(store, "state = 'active'")
    assert _found(doomed, _heap(url)) == len(doomed) == COUNT / 2
    assert _found(doomed, _wal(url)) == len(doomed)
    store.run(_destroy_half)
    store.run(lambda tx: tx.rotate_holder(OWN))
    assert _found(doomed, _heap(url)) > 0  # deleting alone leaves them
    await store.sweep(clock())
    assert await store.last_scrub() == START
    assert _found(doomed + old, _heap(url)) == 0
    _wal_moves_on(url)
    assert _found(doomed + old, _wal(url)) == 0
    await _the_others_open(store)
    await store.aclose()
    server.drop_database(url)


async def test_on_postgresql_it_is_done_once_a_day_and_again_when_it_could_not(postgres_url: str) -> None:
    clock = SettableClock()
    store = open_store(postgres_url, clock)
    await store.sweep(clock())
    first = await store.last_scrub()
    assert first == START
    clock.advance(hours=12)
    await store.sweep(clock())
    assert await store.last_scrub() == first
    clock.advance(hours=12)
    with psycopg.connect(plain_url(parse_url(postgres_url))) as reader:
        reader.execute("SELECT count(*) FROM wrap")  # a long read holds the table
        await store.sweep(clock())
        assert await store.last_scrub() == first
    await store.sweep(clock())
    assert await store.last_scrub() == clock()
    await store.aclose()


async def _the_others_open(store: Store) -> None:
    kept = await store.turn(lambda tx: tx.sealed_exists(Record("referral", "r1"), DataClass.STORY))
    gone = await store.turn(lambda tx: tx.sealed_exists(Record("referral", "r2"), DataClass.STORY))
    assert (kept, gone) == (True, False)
    await _still_opens(store)


async def _still_opens(store: Store) -> None:
    opened = await store.turn(
        lambda tx: tx.open_sealed(Actor("p1", Role.FAMILY), Record("referral", "r1"), DataClass.STORY)
    )
    assert dict(opened) == {"note": "story 1"}

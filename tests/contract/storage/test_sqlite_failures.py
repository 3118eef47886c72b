"""What SQLite does at its worst: a full disk, a COMMIT that fails, poison in a batch, a lost connection.

The one promise: whoever was answered is on disk, whoever was not is not, and each turn stands once.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from referrals.access import Action
from referrals.errors import NotFound, StoreError
from referrals.model import Actor, AuditEntry, Role
from referrals.persons import Scrap
from referrals.ports import Tx
from storage.connection import SqliteConnection
from storage.sqlite_thread import SqliteThread
from storage.store import Store
from storage.tx import StoreTx
from tests.support.rows import add_scrap, an_offer
from tests.support.store import open_store

ENTRY = AuditEntry(Actor("p1", Role.FAMILY), Action.PERSON_SETTINGS, "person:p1")


def connection_of(tx: Tx) -> SqliteConnection:
    assert isinstance(tx, StoreTx)
    assert isinstance(tx.connection, SqliteConnection)
    return tx.connection


def write(tx: Tx, n: int, size: int = 10) -> int:
    """An ordinary turn: a dedupe key, a row, an audit entry."""
    assert tx.first_time(f"update:{n:05}")
    add_scrap(tx, f"{n:05}" + "x" * size)
    tx.audit(ENTRY)
    return n


def numbers(store: Store) -> list[int]:
    return [int(s.id[:5]) for s in store.run(lambda tx: tx.find(Scrap))]


async def crowd(store: Store, verbs: list[tuple[Callable[..., Any], tuple[Any, ...]]]) -> list[Any]:
    """Let all of these wait behind one slow turn, so that they make one batch; their answers in order."""

    def slow(_tx: Tx) -> None:
        import time

        time.sleep(0.05)

    first = asyncio.ensure_future(store.turn(slow))
    await asyncio.sleep(0.01)
    answers = await asyncio.gather(*[store.turn(v, *args) for v, args in verbs], return_exceptions=True)
    await asyncio.wait([first])
    first.exception()
    return list(answers)


async def test_a_full_database_answers_only_what_it_holds(sqlite_store: Store) -> None:
    """SQLITE_FULL ends the whole transaction: the batch's earlier turns must not be thought to stand."""
    pages = sqlite_store.run(lambda tx: connection_of(tx).execute("PRAGMA page_count")[0][0])

    def limit(tx: Tx, count: int) -> None:
        connection_of(tx).execute(f"PRAGMA max_page_count={count}")

    # The limit belongs to the connection, and a new one is made after each loss: so it is set in each turn.
    def narrow(tx: Tx, n: int, size: int) -> int:
        limit(tx, pages + 6)
        return write(tx, n, size)

    sizes = [20_000 if n % 5 == 4 else 10 for n in range(60)]
    answers = await crowd(sqlite_store, [(narrow, (n, size)) for n, size in enumerate(sizes)])
    sqlite_store.run(limit, 2**30)
    told = [a for a in answers if isinstance(a, int)]
    failed = [a for a in answers if not isinstance(a, int)]
    assert failed
    assert told
    assert all(isinstance(a, StoreError) for a in failed)
    assert numbers(sqlite_store) == told
    assert await sqlite_store.verify_audit() == []
    # And it works again as soon as there is room.
    rest = [n for n in range(60) if n not in told]
    assert await crowd(sqlite_store, [(write, (n,)) for n in rest]) == rest
    assert numbers(sqlite_store) == list(range(60))
    assert await sqlite_store.verify_audit() == []


async def test_a_commit_that_fails_answers_nobody_and_each_is_run_alone(sqlite_store: Store) -> None:
    """One turn leaves a broken foreign key to the COMMIT; the others of its batch must stand all the same."""

    def poison(tx: Tx) -> None:
        connection_of(tx).execute("PRAGMA defer_foreign_keys=ON")
        tx.add(an_offer("of1", "no such referral"))

    verbs: list[Any] = [(write, (n,)) for n in range(20)]
    verbs.insert(10, (poison, ()))
    answers = await crowd(sqlite_store, verbs)
    assert isinstance(answers.pop(10), StoreError)
    assert answers == list(range(20))
    assert numbers(sqlite_store) == list(range(20))
    assert await sqlite_store.verify_audit() == []


async def test_poison_in_the_middle_of_a_batch_is_undone_alone(sqlite_store: Store) -> None:
    def poison(tx: Tx, n: int) -> None:
        write(tx, n)
        raise NotFound

    def swallows(tx: Tx, n: int) -> int:
        """Catches the driver's error and says all is well: it is not believed."""
        write(tx, n)
        with pytest.raises(sqlite3.IntegrityError):
            write_again(tx, n)
        return n

    def write_again(tx: Tx, n: int) -> None:
        add_scrap(tx, f"{n:05}" + "x" * 10)

    bad: dict[int, Any] = {7: poison, 8: swallows, 15: poison, 22: swallows}
    answers = await crowd(sqlite_store, [(bad.get(n, write), (n,)) for n in range(30)])
    assert [n for n, answer in enumerate(answers) if isinstance(answer, BaseException)] == [7, 8, 15, 22]
    assert isinstance(answers[7], NotFound)
    assert isinstance(answers[8], StoreError)
    assert numbers(sqlite_store) == [n for n in range(30) if n not in bad]
    assert await sqlite_store.verify_audit() == []


@pytest.mark.parametrize("how", ["close", "rollback"])
async def test_a_connection_lost_in_a_batch_loses_nothing(sqlite_store: Store, how: str) -> None:
    lost: list[int] = []

    def loses(tx: Tx, n: int) -> int:
        """The first time, the ground opens under the whole batch."""
        if not lost:
            lost.append(n)
            conn = connection_of(tx)
            if how == "close":
                conn.close()
            else:
                conn.execute("ROLLBACK")  # from here on SQLite would commit each statement singly
        return write(tx, n)

    answers = await crowd(sqlite_store, [(loses if n == 12 else write, (n,)) for n in range(25)])
    assert answers == list(range(25))
    assert numbers(sqlite_store) == list(range(25))
    assert await sqlite_store.verify_audit() == []


def test_the_threads_connection_is_killed_between_turns(sqlite_store: Store) -> None:
    sqlite_store.run(write, 1)
    worker = sqlite_store._worker
    assert isinstance(worker, SqliteThread)
    assert worker.connection is not None
    worker.connection.close()
    assert sqlite_store.run(write, 2) == 2
    assert numbers(sqlite_store) == [1, 2]


async def test_somebody_else_holds_the_lock(sqlite_store: Store, sqlite_url: str) -> None:
    """Everybody is told soon, not one after the other, and nothing is lost afterwards."""
    sqlite_store.run(lambda tx: connection_of(tx).execute("PRAGMA busy_timeout=100"))
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answers = await asyncio.wait_for(crowd(sqlite_store, [(write, (n,)) for n in range(30)]), 5)
    other.execute("ROLLBACK")
    other.close()
    assert all(isinstance(answer, StoreError) for answer in answers)
    assert await crowd(sqlite_store, [(write, (n,)) for n in range(30)]) == list(range(30))


def test_settings_that_our_promises_rest_on(sqlite_store: Store, tmp_path: Path) -> None:
    def setting(name: str) -> Any:
        return sqlite_store.run(lambda tx: connection_of(tx).execute(f"PRAGMA {name}")[0][0])

    assert setting("journal_mode") == "wal"
    assert setting("synchronous") == 2
    assert setting("foreign_keys") == 1
    assert setting("secure_delete") == 1
    assert setting("busy_timeout") == 5000
    sqlite_store.run(write, 1)
    files = list(tmp_path.glob("pulang.db*"))
    assert len(files) == 3
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


def test_an_ended_store_leaves_no_wal(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    store.run(write, 1)
    store.close()
    assert [file.name for file in tmp_path.glob("pulang.db*")] == ["pulang.db"]

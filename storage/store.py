"""The store: `await store.turn(verb, …)` runs a service verb as one transaction; it answers after the commit.

The rest of the product knows this file, `ports.py` and nothing else of `storage/`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Lock
from typing import Concatenate, ParamSpec, TypeVar, cast

from sqlalchemy.engine import URL

from referrals.catalogue import Catalogue
from referrals.errors import StoreError
from referrals.ports import Dead, Delivery, Erasure, Gone, Later, Sent, Tx
from referrals.said import Timer
from storage import audit, chat, erasures, kept, lease, outbox, schema, scrub, settling, upkeep
from storage.checkpoints import Body
from storage.connection import (
    DRIVER_ERRORS,
    PostgresConnection,
    SqliteConnection,
    clear_errors,
    connect,
    database_path,
    parse_url,
)
from storage.holder_keys import KeyStatus, key_statuses
from storage.keyring import Keyring
from storage.notes import Verifier
from storage.pins import PinKeeper
from storage.postgres_threads import PostgresThreads
from storage.secret import LastingSecret, RootKey
from storage.shared import Shared
from storage.sql import Connection
from storage.sqlite_thread import SqliteThread
from storage.turns import Turn, Worker
from storage.tx import StoreTx
from storage.verifying import verify_all

T = TypeVar("T")
P = ParamSpec("P")

POSTGRES_THREADS = 4
_READ_LANE = "read"  # never written: a read-only connection takes no audit


def utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """An opened, checked database. Fulfils ports.Turns and, as `outbox`, ports.Outbox."""

    def __init__(self, url: URL, shared: Shared, worker: Worker) -> None:
        self._url, self._shared, self._worker = url, shared, worker
        self._readers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="pulang-read")
        self._closing, self._lock = False, Lock()
        self.outbox = Sender(self)
        self.pins: PinKeeper
        self.lasting: LastingSecret  # for the ledger of erasures, which lies outside the database

    @classmethod
    def open(
        cls,
        url: str,
        root_key: RootKey,
        catalogue: Catalogue,
        clock: Callable[[], datetime] = utc_now,
        seed: int | None = None,
        *,
        demo: bool = False,
        threads: int = POSTGRES_THREADS,
        worker: str = "main",
    ) -> Store:
        """Open a migrated database.

        `demo` must say what the data are (a fresh database is marked for life); `worker` names this process
        among several on one PostgreSQL. ConfigurationError when the database is away, broken, not migrated,
        of another network or sealed with another key.
        """
        parsed = parse_url(url)
        with clear_errors(parsed):
            conn = connect(parsed)
            try:
                schema.check_revision(conn, url)
                schema.check_finished(conn, url)
                lasting = schema.check_network(conn, url, root_key, demo)
                catalogue = kept.with_kept(conn, catalogue)
            finally:
                conn.close()
            shared = Shared.of(catalogue, clock, Keyring(root_key, lasting), seed)
            store = cls(parsed, shared, _worker(parsed, shared, threads, worker))
            store.pins, store.lasting = PinKeeper(lasting), lasting
            return store

    async def turn(self, verb: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one verb as one transaction; its result (or what it raised) after the commit.

        StoreError when the database could not do it; then nothing was changed (CommitInDoubt: not known).
        """
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._submit(Turn(verb, args, kwargs, waiter=waiter))
        return await waiter

    def run(self, verb: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for a thread that may wait: the command line and tests."""
        if self._worker.owns_this_thread():
            raise RuntimeError("a turn cannot wait for another turn: call the verb with this turn's tx")
        future: Future[T] = Future()
        self._submit(Turn(verb, args, kwargs, future=future))
        return future.result()

    async def read(self, verb: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A long read (an export, a report) on a read-only connection of its own: it holds up nobody.

        It sees one moment of the database. Whatever would write, opening a sealed field included (its audit
        row), raises StoreError.
        """
        return await asyncio.get_running_loop().run_in_executor(
            self._readers, lambda: self._read(cast("Callable[..., T]", verb), args, kwargs)
        )

    def _read(self, verb: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]) -> T:
        try:
            conn = connect(self._url, read_only=True)
        except (OSError, *DRIVER_ERRORS) as error:
            raise StoreError(f"the database is away ({type(error).__name__})") from None
        try:
            conn.begin()
            tx = StoreTx(conn, self._shared, _READ_LANE)
            result = verb(tx, *args, **kwargs)
            tx.finish()
            return result
        except DRIVER_ERRORS as error:
            raise StoreError(f"a read-only connection cannot do this ({type(error).__name__})") from None
        finally:
            conn.rollback()
            conn.close()

    async def due_timers(self, now: datetime, limit: int) -> Sequence[Timer]:
        """Timers that are due, the longest overdue first. Each is then taken in a turn of its own."""
        return await self._inner(lambda tx: chat.due_timers(tx.connection, now, limit))

    async def next_timer(self) -> datetime | None:
        """When the earliest timer is due; None when nothing waits."""
        return await self._inner(lambda tx: chat.next_timer(tx.connection))

    async def sweep(self, now: datetime) -> int:
        """Upkeep in small turns until nothing is left; returns how many rows were touched."""
        total = 0
        while touched := await self._inner(lambda tx: upkeep.sweep_some(tx, now)):
            total += touched
        if await self._inner(lambda tx: scrub.is_due(tx.connection, now)) and await self.scrub():
            await self._inner(lambda tx: scrub.note_scrub(tx.connection, now))
        return total

    async def scrub(self) -> bool:
        """Nothing of a destroyed key is left in the database's files (storage/scrub.py).

        A part of `sweep`: each time on SQLite, once a day on PostgreSQL, where it rewrites small tables and
        turns wait for it. False: not now, or (the log says so) not with this role. StoreError.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, scrub.scrub, self._url)
        except DRIVER_ERRORS as error:
            raise StoreError(f"the erasure could not be finished ({type(error).__name__})") from None

    async def unwritten_erasures(self, limit: int) -> list[Erasure]:
        """What was taken back for good and does not stand in the ledger yet (storage/ledger.py)."""
        return await self._inner(lambda tx: erasures.unwritten(tx.connection, limit))

    async def erasures_written(self, names: Sequence[str]) -> None:
        """They stand in the ledger, on the disk: only now are these erasures finished."""
        await self._inner(lambda tx: erasures.mark_written(tx.connection, names))

    async def write_erasures_again(self, in_ledger: Collection[str], since: datetime) -> int:
        """The ledger was lost or cut: what it should say of the time since then is unwritten; how many."""
        return await self._inner(lambda tx: erasures.write_again(tx.connection, in_ledger, since))

    async def forget_erasures(self, now: datetime) -> int:
        """Drop some of what no backup can bring back any more; how many."""
        return await self._inner(lambda tx: erasures.forget(tx.connection, now))

    async def key_statuses(self) -> list[KeyStatus]:
        """Every version of every key-encryption key."""
        return await self.read(lambda tx: key_statuses(cast("StoreTx", tx).connection))

    async def last_scrub(self) -> datetime | None:
        """When destroyed bytes were last overwritten on the disk."""
        return await self.read(lambda tx: scrub.last_scrub(cast("StoreTx", tx).connection))

    @property
    def checkpoint_key(self) -> Verifier:
        """The public key that this network's checkpoints are signed with."""
        return self._shared.keyring.checkpoint_key

    async def verify_audit(self, checkpoints: Sequence[Body] = ()) -> list[audit.Finding]:
        """Read the whole audit beside the running turns; what is wrong with it.

        It is compared with the checkpoints given here and with all that are stored.
        """
        return await self.read(lambda tx: verify_all(cast("StoreTx", tx), self.checkpoint_key, checkpoints))

    async def show_audit(self, asked: audit.Asked) -> list[audit.Written]:
        """The audit's rows that are asked for. Whoever calls this has left a row of its own before."""
        return await self.read(lambda tx: audit.show(cast("StoreTx", tx).connection, asked))

    def close(self) -> None:
        """Refuse new turns, finish what is queued, let go of the database. Twice is once."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
        self._readers.shutdown(wait=True)
        self._worker.close()

    async def aclose(self) -> None:
        """`close` for an event loop."""
        await asyncio.to_thread(self.close)

    def _submit(self, turn: Turn) -> None:
        with self._lock:
            if self._closing:
                raise StoreError("the store is closed")
            self._worker.submit(turn)

    async def _inner(self, verb: Callable[[StoreTx], T]) -> T:
        return await self.turn(cast("Callable[[Tx], T]", verb))


class Sender:
    """The sending side of the outbox (ports.Outbox)."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._name = secrets.token_urlsafe(12)  # in the lease

    async def hold(self, now: datetime) -> bool:
        return await self._store._inner(lambda tx: lease.take(tx.connection, self._name, now))

    async def take_over(self, now: datetime) -> bool:
        """At a start: take the lease of one that died, so that nobody waits for its end.

        Only on SQLite, which one process serves; on PostgreSQL another sender may be at work.
        """
        if self._store._url.get_backend_name() != "sqlite":
            return False
        return await self._store._inner(lambda tx: lease.take(tx.connection, self._name, now, by_force=True))

    async def let_go(self) -> None:
        await self._store._inner(lambda tx: lease.give_back(tx.connection, self._name))

    async def claim(self, now: datetime, limit: int, spare: int = 0) -> Sequence[Delivery]:
        keyring, name = self._store._shared.keyring, self._name
        return await self._store._inner(lambda tx: outbox.claim(tx, keyring, name, now, limit, spare))

    async def settle(self, ends: Sequence[Sent | Later | Gone | Dead], now: datetime) -> None:
        await self._store._inner(lambda tx: settling.settle(tx, self._name, ends, now))

    async def next_due(self, now: datetime) -> datetime | None:
        return await self._store._inner(lambda tx: outbox.next_due(tx, now))


def _worker(url: URL, shared: Shared, threads: int, name: str) -> Worker:
    """The threads that run turns on this kind of database."""

    def make_tx(conn: Connection, lane: str) -> StoreTx:
        return StoreTx(conn, shared, lane)

    if url.get_backend_name() == "sqlite":
        path = database_path(url)
        return SqliteThread(lambda: SqliteConnection(path), make_tx)
    return PostgresThreads(lambda: PostgresConnection(url), make_tx, threads, name)

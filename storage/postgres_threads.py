"""A few threads with one PostgreSQL connection each; every one runs one turn as one transaction.

A turn is run again when the database asks for it (deadlock, serialization failure, a row or key that another
turn was faster with) and when the server was lost before COMMIT was sent. If the server is lost during COMMIT
nobody knows whether the turn stands: it is never run again, and its caller gets a StoreError that says so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from random import SystemRandom
from time import monotonic, sleep

import psycopg

from referrals.errors import StaleRow, StoreError
from storage.connection import DRIVER_ERRORS, PostgresConnection
from storage.turns import MakeTx, Turn, answer, told

TRIES = 8
TRIES_FOR_A_KEY = 5  # somebody else's key is seen at the next try; still there, it is our own fault
PATIENCE_S = 5.0  # how long a turn waits for a server that is away

_AGAIN = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
    # Two turns met somebody new at once: the second one finds them when it is run again.
    psycopg.errors.UniqueViolation,
)
_log = logging.getLogger(__name__)
_pause = SystemRandom()


class CommitInDoubt(StoreError):
    """The server was lost while it committed: the turn may stand or not. A repeat is made safe by its key."""


class _Again(Exception):
    """Run the turn again: it has surely changed nothing."""

    def __init__(self, why: BaseException) -> None:
        super().__init__()
        self.why = why


class PostgresThreads:
    """`lanes` names the audit lanes, one for each thread."""

    def __init__(
        self, connect: Callable[[], PostgresConnection], make_tx: MakeTx, threads: int, worker: str
    ) -> None:
        self._connect, self._make_tx = connect, make_tx
        self._queue: SimpleQueue[Turn | None] = SimpleQueue()
        first = connect()  # the first one in the caller's thread, so that a wrong address is told at start
        self._threads = [
            threading.Thread(
                target=self._work,
                args=(f"{worker}-{n}", first if n == 0 else None),
                name=f"pulang-store-{n}",
                daemon=True,
            )
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, turn: Turn) -> None:
        self._queue.put(turn)

    def owns_this_thread(self) -> bool:
        return threading.current_thread() in self._threads

    def close(self) -> None:
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self, lane: str, conn: PostgresConnection | None) -> None:
        while (turn := self._queue.get()) is not None:
            conn = self._run(turn, lane, conn)
            answer([turn])
        if conn is not None:
            conn.close()

    def _run(self, turn: Turn, lane: str, conn: PostgresConnection | None) -> PostgresConnection | None:
        """Run one turn until it has a result or an error; returns the connection to go on with."""
        give_up = monotonic() + PATIENCE_S
        for attempt in range(1, TRIES + 1):
            conn, turn.error = self._connected(conn, give_up)
            if conn is None:
                return None
            try:
                turn.result = self._once(turn, lane, conn)
                return conn
            except _Again as again:
                turn.error = told(again.why)
                if isinstance(again.why, psycopg.errors.UniqueViolation) and attempt >= TRIES_FOR_A_KEY:
                    return conn
                sleep(_pause.uniform(0, 0.002 * 2**attempt))
            except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the caller
                turn.error = told(error)
                return conn
        return conn

    def _once(self, turn: Turn, lane: str, conn: PostgresConnection) -> object:
        """One try. _Again when nothing was changed and another try makes sense."""
        try:
            conn.begin()
            result = turn.call(self._make_tx(conn, lane))
        except BaseException as error:
            lost = conn.broken
            conn.rollback()
            again = (StaleRow, *_AGAIN)
            if lost or isinstance(error, again) or isinstance(error.__cause__, again):
                raise _Again(error) from error
            raise
        try:
            conn.commit()
        except DRIVER_ERRORS as error:
            lost = conn.broken
            conn.rollback()
            if isinstance(error, _AGAIN):
                raise _Again(error) from error
            if lost:
                raise CommitInDoubt("the database was lost during a commit") from error
            raise
        return result

    def _connected(
        self, conn: PostgresConnection | None, give_up: float
    ) -> tuple[PostgresConnection | None, BaseException | None]:
        """A connection that works, waiting a little for a server that is away."""
        while conn is None or conn.broken:
            try:
                conn = self._connect()
            except psycopg.Error as error:
                if monotonic() > give_up:
                    _log.warning("the database is away: %s", type(error).__name__)
                    return None, StoreError("the database is away; nothing was changed")
                sleep(_pause.uniform(0.02, 0.1))
        return conn, None

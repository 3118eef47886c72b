"""The one thread that writes to SQLite: the turns that wait run under a savepoint each, one COMMIT for all.

The rule that everything here serves: nobody is answered before a COMMIT that is known to hold their turn.
SQLite ends the whole transaction on SQLITE_FULL and the like, and a later COMMIT of nothing still says yes.
So after any error, and after each turn, we look whether the transaction still stands. If it is gone, or the
COMMIT fails, nobody is answered and each turn is run again alone.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from time import monotonic

from referrals.errors import StoreError
from storage.connection import DRIVER_ERRORS, SqliteConnection
from storage.turns import MakeTx, Turn, answer, told

LANE = "sqlite"
BATCH = 64
BATCH_SECONDS = 0.05  # a batch takes no more turns after this, so that nobody waits long for the COMMIT

_log = logging.getLogger(__name__)


class TransactionGone(Exception):
    """The transaction ended under us. Never leaves this module."""


class SqliteThread:
    """Runs turns in groups on one thread and one connection."""

    def __init__(self, connect: Callable[[], SqliteConnection], make_tx: MakeTx) -> None:
        self._connect, self._make_tx = connect, make_tx
        self._queue: SimpleQueue[Turn | None] = SimpleQueue()
        self._closing = False
        self.connection: SqliteConnection | None = connect()
        self._thread = threading.Thread(target=self._work, name="pulang-store", daemon=True)
        self._thread.start()

    def submit(self, turn: Turn) -> None:
        self._queue.put(turn)

    def owns_this_thread(self) -> bool:
        return threading.current_thread() is self._thread

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while not self._closing:
            turns = self._next_turns()
            if turns:
                self._run_group(turns)
        while turns := self._next_turns(wait=False):  # what came in while we were told to close
            self._run_group(turns)
        if self.connection is not None:
            self._tidy(self.connection)
            self.connection.close()

    def _next_turns(self, wait: bool = True) -> list[Turn]:
        """What waits now, up to one batch; blocks for the first one."""
        turns: list[Turn] = []
        while len(turns) < BATCH:
            try:
                turn = self._queue.get(block=wait and not turns)
            except Empty:
                break
            if turn is None:
                self._closing = True
                break
            turns.append(turn)
        return turns

    def _run_group(self, turns: Sequence[Turn]) -> None:
        """Run and answer all of these turns, in as few commits as possible."""
        waiting = list(turns)
        while waiting:
            batch = self._commit_together(waiting)
            if batch is None:
                break
            answer(batch)
            del waiting[: len(batch)]
        for turn in waiting:
            if self._commit_together([turn]) is None:
                turn.result, turn.error = None, StoreError("the database failed; nothing was changed")
            answer([turn])

    def _commit_together(self, turns: Sequence[Turn]) -> list[Turn] | None:
        """Run turns in one transaction; returns those that have their answer. None: nobody has one."""
        conn = self._begun()
        if conn is None:
            for turn in turns:
                turn.result, turn.error = (
                    None,
                    StoreError("the database is away or busy; nothing was changed"),
                )
            return list(turns)
        done: list[Turn] = []
        until = monotonic() + BATCH_SECONDS
        try:
            for turn in turns:
                self._run_under_savepoint(conn, turn)
                done.append(turn)
                if monotonic() > until:
                    break
            conn.commit()
        except (TransactionGone, *DRIVER_ERRORS) as error:
            kind = type(error.__cause__ or error).__name__
            _log.warning("a transaction of %d turns was lost (%s)", len(turns), kind)
            # Whatever this connection has come to is not worth knowing: a fresh one is known to be clean.
            self._reopen()
            return None
        return done

    def _begun(self) -> SqliteConnection | None:
        """A connection with a fresh transaction; None while the database is locked or cannot be opened."""
        for _ in range(2):
            if self.connection is None:
                self._reopen()
            if self.connection is not None:
                try:
                    self.connection.begin()
                    return self.connection
                except DRIVER_ERRORS as error:
                    _log.warning("no transaction could be begun (%s)", type(error).__name__)
                    if not self.connection.broken:  # somebody else holds the lock
                        return None
                    self._reopen()
        return None

    def _run_under_savepoint(self, conn: SqliteConnection, turn: Turn) -> None:
        """Run one turn; what it raises is its own and undoes it alone. TransactionGone if that cannot be."""
        turn.result, turn.error = None, None
        conn.execute("SAVEPOINT turn")
        try:
            turn.result = turn.call(self._make_tx(conn, LANE))
        except BaseException as error:
            if not conn.in_transaction:
                raise TransactionGone from error
            conn.execute("ROLLBACK TO turn")
            turn.error = told(error)
        if not conn.in_transaction:
            raise TransactionGone
        conn.execute("RELEASE turn")

    def _reopen(self) -> None:
        if self.connection is not None:
            self.connection.close()
        try:
            self.connection = self._connect()
        except (OSError, *DRIVER_ERRORS):
            self.connection = None

    @staticmethod
    def _tidy(conn: SqliteConnection) -> None:
        """Before the end: empty the WAL, where deleted keys could otherwise still be found."""
        try:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except DRIVER_ERRORS:
            _log.warning("the WAL could not be emptied at the end")

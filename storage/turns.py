"""A turn on its way to a database thread, and how its answer comes back to whoever waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg

from referrals.errors import StoreError
from storage.connection import DRIVER_ERRORS
from storage.sql import Connection
from storage.tx import StoreTx


@dataclass(eq=False, slots=True)
class Turn:
    """One verb to be run as one transaction. Exactly one of `future` and `waiter` is set."""

    verb: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    future: Future[Any] | None = None  # somebody waits in a thread
    waiter: asyncio.Future[Any] | None = None  # somebody waits on an event loop
    result: Any = None
    error: BaseException | None = None

    def call(self, tx: StoreTx) -> Any:
        """Run the verb and finish the turn's audit. Whatever it raises comes out."""
        result = self.verb(tx, *self.args, **self.kwargs)
        tx.finish()
        return result


class Worker(Protocol):
    """Runs turns on database threads."""

    def submit(self, turn: Turn) -> None: ...

    def close(self) -> None:
        """Finish what is queued, then end the threads."""

    def owns_this_thread(self) -> bool: ...


def told(error: BaseException) -> BaseException:
    """What the caller gets: everything as it is, but of a driver's error only its kind.

    PostgreSQL's errors quote the row that was refused, and whoever logs a traceback must not log that.
    """
    if isinstance(error, DRIVER_ERRORS):
        constraint = error.diag.constraint_name if isinstance(error, psycopg.Error) else None
        what = " ".join(filter(None, (type(error).__name__, constraint)))
        return StoreError(f"the database refused: {what}")
    if isinstance(error, StoreError):
        error.__cause__ = error.__context__ = None
    return error


MakeTx = Callable[[Connection, str], StoreTx]


def answer(turns: Sequence[Turn]) -> None:
    """Hand out results and errors. One wake-up for each event loop, not one for each turn."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Turn]] = {}
    for turn in turns:
        if turn.future is not None:
            if turn.error is not None:
                turn.future.set_exception(turn.error)
            else:
                turn.future.set_result(turn.result)
        elif turn.waiter is not None:
            by_loop.setdefault(turn.waiter.get_loop(), []).append(turn)
    for loop, waiting in by_loop.items():
        try:
            loop.call_soon_threadsafe(_wake, waiting)
        except RuntimeError:
            continue  # the loop has ended: nobody is left to be told, and the work stands


def _wake(turns: Sequence[Turn]) -> None:
    for turn in turns:
        waiter = turn.waiter
        if waiter is None or waiter.done():  # whoever waited was cancelled
            continue
        if turn.error is not None:
            waiter.set_exception(turn.error)
        else:
            waiter.set_result(turn.result)

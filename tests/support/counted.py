"""How often a turn asks the database: what must not grow with the rows that are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Counted:
    """A connection that counts what is asked of it."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.asked = inner, 0

    def rows(self, *args: Any) -> Any:
        self.asked += 1
        return self.inner.rows(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def asked_of(tx: Any, look: Callable[[Any], object]) -> int:
    """How many reads a look takes."""
    tx.connection = counted = Counted(tx.connection)
    look(tx)
    tx.connection = counted.inner
    return counted.asked

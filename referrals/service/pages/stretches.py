"""A long list that is shown alone: thirty rows at a time, how many there are, and the ways on and back.

A list's subject is its name, 'unmatched'; its second stretch is 'unmatched-2', and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from referrals.errors import NotFound
from referrals.views import Said, Way

ROWS = 30
Row = TypeVar("Row")


def read(subject: str) -> tuple[str, int]:
    """The list's name, and which stretch of it; NotFound for what can be none."""
    name, _, number = subject.partition("-")
    if not number:
        return subject, 1
    known = name and number.isdecimal() and number.isascii() and len(number) < 4
    if not known or int(number) < 1:
        raise NotFound
    return name, int(number)


def of(rows: Sequence[Row], number: int) -> Sequence[Row]:
    """The rows of one stretch; none past the end, since a list may have become shorter meanwhile."""
    return rows[(number - 1) * ROWS : number * ROWS]


def said(count: int, number: int) -> tuple[Said, ...]:
    """Which rows these are, where they are not all."""
    first, last = (number - 1) * ROWS + 1, min(count, number * ROWS)
    if count <= ROWS or first > last:
        return ()
    return (Said("part.rows.shown", {"first": str(first), "last": str(last), "count": str(count)}),)


def ways(page: str, count: int, number: int) -> tuple[Way, ...]:
    """To the rows before these and after them."""
    found = []
    if number > 1:
        found.append(Way(page if number == 2 else f"{page}-{number - 1}", "part.rows.before"))
    left = count - number * ROWS
    if left > 0:
        found.append(Way(f"{page}-{number + 1}", "part.rows.after", left))
    return tuple(found)

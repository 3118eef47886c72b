"""Counting what strangers do, and refusing kindly what is too much. A post's work is not counted."""

from __future__ import annotations

from referrals import limits
from referrals.errors import TooOften
from referrals.limits import Doing
from referrals.persons import Tally
from referrals.ports import Tx
from referrals.service.common import doors


def take(tx: Tx, doing: Doing, person_id: str) -> None:
    """Count it, and raise TooOften when it was one too many (which takes the count back)."""
    if _counted(tx, doing, person_id) and limits.too_many(doing, _count(tx, doing, person_id)):
        raise TooOften(minutes=limits.minutes_left(doing, tx.now))


def note(tx: Tx, doing: Doing, person_id: str) -> None:
    """Count it and refuse nothing: for what was refused already, and for what must always be possible."""
    if _counted(tx, doing, person_id):
        _count(tx, doing, person_id)


def wait(tx: Tx, doing: Doing, person_id: str, more: int = 1) -> int:
    """How many minutes to wait before doing it `more` times again; 0 when it may be done now."""
    if not _counted(tx, doing, person_id):
        return 0
    row = tx.get(Tally, limits.key(doing, person_id, tx.now))
    too_many = limits.too_many(doing, (row.count if row else 0) + more)
    return limits.minutes_left(doing, tx.now) if too_many else 0


def check(tx: Tx, doing: Doing, person_id: str, more: int = 1) -> None:
    """Raise TooOften when it was done too often already; counts nothing."""
    minutes = wait(tx, doing, person_id, more)
    if minutes:
        raise TooOften(minutes=minutes)


def everybodys(tx: Tx, doing: Doing) -> int:
    """Count it for the whole network; how many that makes in this stretch of time."""
    return _count(tx, doing, limits.NETWORK)


def _count(tx: Tx, doing: Doing, who: str) -> int:
    return tx.tally(limits.key(doing, who, tx.now), limits.ends_at(doing, tx.now))


def _counted(tx: Tx, doing: Doing, person_id: str) -> bool:
    return doing in limits.FOR_ALL or not doors.seats_of(tx, person_id)

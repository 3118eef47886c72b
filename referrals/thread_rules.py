"""Who may write in a thread at which stage, and when a read mark shows. Pure.

A read mark tells that something was opened, never by whom or when: marks show at four moments of the day
only, and never sooner than an hour after the reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from referrals.model import Stage

MARKS_EVERY = timedelta(hours=6)
NOT_BEFORE = timedelta(hours=1)

_DAWN = datetime(2020, 1, 1, tzinfo=UTC)


class Side(StrEnum):
    PERSON = "person"
    PARTNER = "partner"
    DESK = "desk"  # only while the person lets it read along


_ALL = frozenset(Side)
# Stages that are not here have no partner, so there is nobody to write to. Once a matter is closed its thread
# is read-only until the retention date; the person has one last word.
WRITES: Mapping[Stage, frozenset[Side]] = {
    Stage.ACCEPTED: _ALL,
    Stage.UNREACHABLE: _ALL,
    Stage.IN_SERVICE: _ALL,
    Stage.REPORTED: _ALL,
    Stage.DISPUTED: _ALL,
    Stage.CLOSED: frozenset({Side.PERSON}),
}
TALKING = tuple(stage for stage, sides in WRITES.items() if Side.PARTNER in sides)


def may_write(stage: Stage, side: Side) -> bool:
    """Whether this side writes at this stage at all."""
    return side in WRITES.get(stage, frozenset())


def shows_at(opened: datetime) -> datetime:
    """When the mark of what is opened now shows: the first of the day's four moments after an hour."""
    earliest = opened + NOT_BEFORE
    return _DAWN + MARKS_EVERY * -((_DAWN - earliest) // MARKS_EVERY)

"""How often somebody may do what costs others time, or guess: one table, and nothing here counts.

An emergency is never refused: whoever files one is not asked how often. Time is cut into stretches that begin
at the same instants for everybody, so that a count is one row (`Tally`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

_DAWN = datetime(2020, 1, 1, tzinfo=UTC)
NETWORK = "network"  # the one who files is everybody


class Doing(StrEnum):
    """What is counted."""

    FILING = "filing"
    DRAFT = "draft"
    SCRAP = "scrap"  # free text sent to the chat
    LINK = "link"  # invitations that do not open
    TRACK = "track"  # tracking codes that do not fit
    EXPORT = "export"  # archives of one's own: each takes a core for a while
    ATTENDANCE = "attendance"  # questions of a worker whose body asks about somebody on its own
    ATTENDANCE_BODY = "attendance_body"  # and of all workers of that body
    WRITING = "writing"  # words to a partner, each of which rings; and a yes to the desk reading along
    HANDING = "handing"  # proposals that another partner takes over, for each matter: each asks its person
    NUMBER = "number"  # ways to be called, left with an alarm: each may ring
    FLOOD = "flood"  # filings of everybody who is new, in the whole network


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` in each stretch of `within`."""

    most: int
    within: timedelta


_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)

LIMITS: Mapping[Doing, Limit] = {
    Doing.FILING: Limit(5, _DAY),
    Doing.DRAFT: Limit(12, _HOUR),
    Doing.SCRAP: Limit(20, _HOUR),
    Doing.LINK: Limit(10, _HOUR),
    Doing.TRACK: Limit(10, _HOUR),
    Doing.EXPORT: Limit(6, _HOUR),
    Doing.ATTENDANCE: Limit(10, _DAY),
    Doing.ATTENDANCE_BODY: Limit(15, _DAY),
    Doing.WRITING: Limit(200, _DAY),
    Doing.HANDING: Limit(3, _DAY),
    Doing.NUMBER: Limit(20, _DAY),
    Doing.FLOOD: Limit(60, _HOUR),
}


# Work is not limited for whoever holds a post; guessing is limited for everybody, and so is asking a person.
FOR_ALL = frozenset({Doing.LINK, Doing.TRACK, Doing.ATTENDANCE, Doing.ATTENDANCE_BODY, Doing.HANDING})


def key(doing: Doing, who: str, now: datetime) -> str:
    """The id of the tally in which this is counted now."""
    return f"{doing}:{who}:{(now - _DAWN) // LIMITS[doing].within}"


def ends_at(doing: Doing, now: datetime) -> datetime:
    """When the stretch of time that runs now is over."""
    within = LIMITS[doing].within
    return _DAWN + ((now - _DAWN) // within + 1) * within


def minutes_left(doing: Doing, now: datetime) -> int:
    """How many minutes somebody waits who has done it often enough; at least one."""
    return max(1, -((now - ends_at(doing, now)) // timedelta(minutes=1)))


def too_many(doing: Doing, count: int) -> bool:
    """Whether the count is beyond what the table gives."""
    return count > LIMITS[doing].most

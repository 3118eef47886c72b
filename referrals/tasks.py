"""A plan of several parts: what can begin, what is late and who hears it, and how the whole has ended. Pure.

A part waits for what comes before it. A partner's part needs that to be done; somebody's own part (and the
desk's) needs only that it has ended. The plan's day comes in as a value, and no instant is kept anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from referrals.casework import TaskState
from referrals.catalogue import TaskKind
from referrals.model import Outcome

SOON = timedelta(days=2)  # whoever has a part hears of it so long before its day, and again when it is over
TO_DESK = timedelta(days=2)  # the desk hears of a part that is later than this
AGAIN = timedelta(days=3)  # and again, until it is done
WEEK = timedelta(days=7)

PASSES = ("cannot_in_time", "starts_later")  # a partner's no that another day may turn into a yes

_ENDED = (TaskState.DONE, TaskState.DROPPED)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a plan as it stands.

    `taken`: a partner has accepted it. `delivered`: it says that its work is done (the person has yet to
    confirm): what comes after may begin. `outcome` of a partner's part that has ended.
    """

    kind: TaskKind
    state: TaskState
    taken: bool = False
    delivered: bool = False
    outcome: Outcome | None = None

    @property
    def done(self) -> bool:
        return self.state is TaskState.DONE or (self.state is TaskState.OPEN and self.delivered)


@dataclass(frozen=True, slots=True)
class Word:
    """What was last said about a part that nears its day or is past it: soon | late | desk, and when."""

    said: str
    on: date


def to_drop(parts: Sequence[Part]) -> tuple[str, ...]:
    """The parts that cannot be done any more, because what they need will not be."""
    by_id = {part.kind.id: part for part in parts}
    return tuple(p.kind.id for p in parts if p.state not in _ENDED and _hopeless(p, by_id))


def to_open(parts: Sequence[Part]) -> tuple[str, ...]:
    """The waiting parts that can begin now."""
    by_id = {part.kind.id: part for part in parts}
    waiting = (p for p in parts if p.state is TaskState.WAITING)
    return tuple(p.kind.id for p in waiting if not _hopeless(p, by_id) and _ready(p, by_id))


def due(kind: TaskKind, day: date | None) -> date | None:
    """The last day on which a part is in time; None while the plan has no day."""
    return None if day is None else day + timedelta(days=kind.days)


def is_now(kind: TaskKind, state: TaskState, day: date | None, today: date) -> bool:
    """Whether an open part is read as going on: what somebody does on the day, or after it, is not before it.

    A partner's part is: its partner is asked, or at work, long before.
    """
    waits_for_day = kind.by != "partner" and kind.days >= 0 and (day is None or today < day)
    return state is TaskState.OPEN and not waits_for_day


def in_order(kinds: Iterable[TaskKind]) -> list[TaskKind]:
    """Parts as they are read: whichever is due first; of the same day as the pathway has them."""
    return sorted(kinds, key=lambda kind: kind.days)


def next_due(parts: Iterable[Part], day: date | None) -> date | None:
    """The earliest day by which something still has to be done."""
    waiting = [due(p.kind, day) for p in parts if p.state not in _ENDED and not p.done]
    return min((by for by in waiting if by is not None), default=None)


def next_word(part: Part, day: date | None, today: date, last: Word | None) -> Word | None:
    """What is said about a part today, if anything: each thing once, to the desk again every three days."""
    by = due(part.kind, day)
    if by is None or part.state is not TaskState.OPEN or part.done:
        return None
    said = last.said if last else ""
    if today > by + TO_DESK:
        again = said != "desk" or last is None or today >= last.on + AGAIN
        return Word("desk", today) if again else None
    if today > by:
        return Word("late", today) if said not in ("late", "desk") else None
    return Word("soon", today) if by - today <= SOON and not said else None


def questions(day: date | None, today: date, asked: Iterable[str]) -> tuple[str, ...]:
    """Which 'did it go as planned?' is due: of the day itself, and of the week after. Never two at once."""
    if day is None:
        return ()
    known = set(asked)
    found = [each for each, at in (("day", day), ("week", day + WEEK)) if today >= at and each not in known]
    return tuple(found[-1:])


def has_ended(parts: Sequence[Part]) -> bool:
    """True when nothing that must be done is left to be done."""
    return all(part.state in _ENDED for part in parts if part.kind.required)


def outcome(parts: Sequence[Part]) -> Outcome:
    """How the whole has ended: met when all that was required was, unmet when nothing was."""
    came = [_came(part) for part in parts if part.kind.required]
    if all(each is Outcome.MET for each in came):
        return Outcome.MET
    return Outcome.UNMET if all(each is Outcome.UNMET for each in came) else Outcome.PARTLY_MET


def rivals(kinds: Sequence[TaskKind], task: str) -> Iterator[str]:
    """The parts whose organisation may not do this one too, whichever of the two says so."""
    for kind in kinds:
        if kind.id == task:
            yield from kind.not_by
        elif task in kind.not_by:
            yield kind.id


def _came(part: Part) -> Outcome:
    if part.state is not TaskState.DONE:
        return Outcome.UNMET
    return part.outcome or Outcome.MET


def _hopeless(part: Part, by_id: dict[str, Part]) -> bool:
    if any(by_id[side].state is TaskState.DROPPED for side in part.kind.between):
        return True
    first = (by_id[task] for task in part.kind.after)
    return part.kind.by == "partner" and any(before.state is TaskState.DROPPED for before in first)


def _ready(part: Part, by_id: dict[str, Part]) -> bool:
    sides = all(by_id[side].taken or by_id[side].done for side in part.kind.between)
    first = [by_id[task] for task in part.kind.after]
    return sides and all(before.done or before.state is TaskState.DROPPED for before in first)

"""Page 'desk': what waits for the desk, queue by queue; the one to look at first stands above all.

`subject` is '' for everything, or one queue's name (and which stretch of it: `stretches.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from referrals.access import Action
from referrals.errors import NotFound
from referrals.model import Urgency
from referrals.ports import Tx
from referrals.queues import Queue
from referrals.service.desk import desk_queues
from referrals.service.desk.desk_queues import Waiting
from referrals.service.pages import rota, stretches
from referrals.service.pages.page import Body, Page, Verb
from referrals.views import MatterLine, Said, Section, SectionsView, Way

FEW = 3
MOST = 8  # of one queue where all of them are shown


def desk_view(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """What waits, the most urgent first and of these the oldest; nothing of it needs the PIN."""
    subject, number = stretches.read(subject)
    if subject and subject not in list(Queue):
        raise NotFound
    found = desk_queues.waiting(tx, person_id)
    queues = desk_queues.by_queue(found)
    sections = list(_first(found, person_id)) if not subject else []
    sections += [_ways(queues, subject)] if queues else []
    if subject:
        sections.append(_alone(Queue(subject), queues.get(Queue(subject), ()), person_id, number))
    else:
        sections += [_queue(queue, those, person_id) for queue, those in queues.items()]
    if not subject:
        sections.append(rota.now(tx, person_id, (Way("rota", "part.rota.title"),)))
    count = Said("part.desk.count", {"count": str(len(found))}) if found else Said("part.desk.empty")
    return SectionsView("part.desk.title", tuple(sections), (count,))


def most_urgent(tx: Tx, person_id: str) -> tuple[MatterLine, ...]:
    """The first few, for the menu; the page has them all."""
    return tuple(_line(waiting, person_id) for waiting in desk_queues.waiting(tx, person_id)[:FEW])


def _first(found: Sequence[Waiting], person_id: str) -> Iterator[Section]:
    """What nobody has taken up yet, the most urgent one: found in one look at two in the morning."""
    free = [waiting for waiting in found if waiting.held_by is None]
    if free and len(found) > 1:
        yield Section("part.desk.first", matters=(_line(free[0], person_id),))


def _queue(queue: Queue, those: Sequence[Waiting], person_id: str) -> Section:
    """The first of a queue, and the way to all of it."""
    rows = tuple(_line(waiting, person_id) for waiting in those[:MOST])
    ways = (Way(f"desk/{queue}", "part.desk.all", len(those)),) if len(those) > MOST else ()
    hint = Said(f"part.desk.hint.{queue}")
    return Section(f"part.desk.{queue}", (hint,), count=len(those), matters=rows, ways=ways)


def _alone(queue: Queue, those: Sequence[Waiting], person_id: str, number: int) -> Section:
    """A queue by itself, stretch by stretch."""
    count = len(those)
    rows = tuple(_line(waiting, person_id) for waiting in stretches.of(those, number))
    lines = (Said(f"part.desk.hint.{queue}"), *stretches.said(count, number))
    ways = stretches.ways(f"desk/{queue}", count, number)
    return Section(f"part.desk.{queue}", lines, count=count, matters=rows, ways=ways)


def _ways(queues: Mapping[Queue, Sequence[Waiting]], subject: str) -> Section:
    ways = [Way("desk", "part.desk.everything", chosen=not subject)]
    ways += [Way(f"desk/{q}", f"part.desk.way.{q}", len(those), q == subject) for q, those in queues.items()]
    return Section("part.desk.ways", ways=tuple(ways))


def _line(waiting: Waiting, person_id: str) -> MatterLine:
    referral = waiting.referral
    return MatterLine(
        id=referral.id,
        code=referral.code,
        category_key=f"category.{referral.category}",
        stage_key=f"stage.{referral.stage}",
        next_by=waiting.next_by,
        open=True,
        urgency_key="" if referral.urgency is Urgency.NORMAL else f"urgency.{referral.urgency}",
        since=referral.stage_since,
        who_key=_who(waiting.held_by, person_id),
        next_key="part.next.desk",
    )


def _who(held_by: str | None, person_id: str) -> str:
    if held_by is None:
        return ""
    return "part.who.you" if held_by == person_id else "part.who.colleague"


DESK = Page(Verb(Action.DESK_LIST, desk_view))

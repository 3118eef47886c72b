"""Page 'desk': what waits for the desk, queue by queue; the one to look at first stands above all.

`subject` is '' for everything, or one queue's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from referrals.access import Action
from referrals.errors import NotFound
from referrals.model import Urgency
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.queues import Queue
from referrals.service import desk_queues, rota
from referrals.service.desk_queues import Waiting
from referrals.service.pages.page import Body, Page, Verb
from referrals.views import MatterLine, Said, Section, SectionsView, Way

FEW = 3
MOST = 8  # of one queue where all of them are shown
ALL = 30  # of one queue alone: in their order, so what is left out can wait the longest


def desk_view(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """What waits, the most urgent first and of these the oldest; nothing of it needs the PIN."""
    if subject and subject not in list(Queue):
        raise NotFound
    found = desk_queues.waiting(tx, person_id)
    queues = desk_queues.by_queue(found)
    sections = list(_first(found, person_id)) if not subject else []
    sections += [_ways(queues, subject)] if queues else []
    if subject:
        sections += _queue(Queue(subject), queues.get(Queue(subject), ()), person_id, ALL)
    else:
        for queue, those in queues.items():
            sections += _queue(queue, those, person_id, MOST)
    if not subject:
        sections.append(_rota(tx, person_id))
    count = Said("part.desk.count", {"count": str(len(found))}) if found else Said("part.desk.empty")
    return SectionsView("part.desk.title", tuple(sections), (count,))


def most_urgent(tx: Tx, person_id: str) -> tuple[MatterLine, ...]:
    """The first few, for the menu; the page has them all."""
    return tuple(_line(waiting, person_id) for waiting in desk_queues.waiting(tx, person_id)[:FEW])


def _first(found: Sequence[Waiting], person_id: str) -> Iterator[Section]:
    """What nobody has taken up yet, the most urgent one: found in one look at two in the morning."""
    free = [waiting for waiting in found if waiting.referral.desk_id is None]
    if free and len(found) > 1:
        yield Section("part.desk.first", matters=(_line(free[0], person_id),))


def _queue(queue: Queue, those: Sequence[Waiting], person_id: str, most: int) -> Iterator[Section]:
    rows = tuple(_line(waiting, person_id) for waiting in those[:most])
    more = len(rows) < len(those) and most == MOST
    ways = (Way(f"desk/{queue}", "part.desk.all", len(those)),) if more else ()
    hint = Said(f"part.desk.hint.{queue}")
    yield Section(f"part.desk.{queue}", (hint,), count=len(those), matters=rows, ways=ways)


def _ways(queues: Mapping[Queue, Sequence[Waiting]], subject: str) -> Section:
    ways = [Way("desk", "part.desk.everything", chosen=not subject)]
    ways += [Way(f"desk/{q}", f"part.desk.way.{q}", len(those), q == subject) for q, those in queues.items()]
    return Section("part.desk.ways", ways=tuple(ways))


def _rota(tx: Tx, person_id: str) -> Section:
    """Who is on call now and whose turn is next, by their posts; and the week's hours that nobody covers."""
    lines = [_turn("part.desk.on_call", seat, person_id) for seat in rota.on_call(tx)]
    lines = lines or [Said("part.desk.nobody_on_call")]
    lines += [_turn("part.desk.next_up", seat, person_id) for seat in rota.next_up(tx)]
    for start, end in rota.open_hours(tx)[:MOST]:
        hours = str(max(1, round((end - start).total_seconds() / 3600)))
        lines.append(Said("part.desk.uncovered", {"hours": hours}, start))
    return Section("part.desk.rota", tuple(lines))


def _turn(key: str, seat: Seat, person_id: str) -> Said:
    """A post is called by its name in the network's file; who fills it is not said."""
    return Said(f"{key}_you") if seat.person_id == person_id else Said(key, {"post": seat.id})


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
        who_key=_who(referral.desk_id, person_id),
        next_key="part.next.desk",
    )


def _who(desk_id: str | None, person_id: str) -> str:
    if desk_id is None:
        return ""
    return "part.who.you" if desk_id == person_id else "part.who.colleague"


DESK = Page(Verb(Action.DESK_LIST, desk_view))

"""Page 'work': a worker's day. What the organisation was asked and what it holds, heap by heap.

`subject` is '' for everything, 'mine', or one heap's name (and which stretch of it: `stretches.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from referrals.access import Action
from referrals.errors import NotFound
from referrals.model import Role, Urgency
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.desk import worker_day
from referrals.service.desk.worker_day import Case
from referrals.service.pages import stretches
from referrals.service.pages.page import Body, Page, Verb
from referrals.service.people import joining
from referrals.views import MatterLine, Said, Section, SectionsView, Step, Way
from referrals.workload import Heap

MINE = "mine"
MOST = 12  # of one heap where all of them are shown


def work_view(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """Each line says what comes next and by when; nothing of it needs the PIN."""
    subject, number = stretches.read(subject)
    if subject and subject not in (MINE, *Heap):
        raise NotFound
    found = worker_day.cases(tx, person_id)
    mine = worker_day.mine(found, person_id)
    shown = mine if subject == MINE else found
    heaps = {heap: tuple(c for c in shown if c.heap is heap) for heap in Heap}
    sections = [_ways(found, mine, subject)] if found else []
    for heap, those in heaps.items():
        if subject == heap:
            sections.append(_alone(heap, those, person_id, number))
        elif those and subject in ("", MINE):
            sections.append(_heap(heap, those, person_id))
    count = Said("part.work.count", {"count": str(len(found)), "mine": str(len(mine))})
    said = count if found else Said("part.work.empty")
    return SectionsView("part.work.title", (*sections, _duty(tx, person_id)), (said,))


def line(case: Case, person_id: str) -> MatterLine:
    """One matter as the partner knows it: by its offer's id and code."""
    accepted = case.piece.stage is not None
    stage = f"stage.{case.referral.stage}" if accepted else f"offer_stage.{case.offer.stage}"
    urgency = case.referral.urgency
    return MatterLine(
        id=case.offer.id,
        code=case.offer.code,
        category_key=f"category.{case.referral.category}",
        stage_key=stage,
        next_by=case.next_by,
        open=True,
        page="" if accepted else f"offer/{case.offer.id}",
        urgency_key="" if urgency is Urgency.NORMAL else f"urgency.{urgency}",
        who_key=_who(case, person_id),
        next_key=case.next_key,
    )


def _who(case: Case, person_id: str) -> str:
    if case.whose is None:
        return ""
    return "part.who.you" if case.whose == person_id else "part.who.colleague"


def _heap(heap: Heap, those: Sequence[Case], person_id: str) -> Section:
    """The first of a heap, and the way to all of it."""
    rows = tuple(line(case, person_id) for case in those[:MOST])
    ways = (Way(f"work/{heap}", "part.desk.all", len(those)),) if len(those) > MOST else ()
    return Section(f"part.work.{heap}", count=len(those), matters=rows, ways=ways)


def _alone(heap: Heap, those: Sequence[Case], person_id: str, number: int) -> Section:
    """A heap by itself, stretch by stretch."""
    count = len(those)
    rows = tuple(line(case, person_id) for case in stretches.of(those, number))
    ways = stretches.ways(f"work/{heap}", count, number)
    return Section(f"part.work.{heap}", stretches.said(count, number), count=count, matters=rows, ways=ways)


def _ways(found: Sequence[Case], mine: Sequence[Case], subject: str) -> Section:
    counts: Mapping[Heap, int] = {heap: sum(c.heap is heap for c in found) for heap in Heap}
    ways = [Way("work", "part.desk.everything", len(found), not subject)]
    ways.append(Way(f"work/{MINE}", "part.work.way.mine", len(mine), subject == MINE))
    for heap, count in counts.items():
        if count:
            ways.append(Way(f"work/{heap}", f"part.work.way.{heap}", count, subject == heap))
    return Section("part.desk.ways", ways=tuple(ways))


def _duty(tx: Tx, person_id: str) -> Section:
    """On duty or not, and who hears of one's matters meanwhile."""
    seats = [seat for seat in doors.seats_of(tx, person_id) if seat.role is Role.WORKER]
    on_duty = any(seat.on_duty for seat in seats)
    there = worker_day.meanwhile(tx, person_id)
    lines = [Said("part.work.on_duty" if on_duty else "part.work.off_duty")]
    if there.matters:
        counts = {"matters": str(there.matters), "colleagues": str(there.colleagues)}
        lines.append(
            Said("part.work.meanwhile" if there.colleagues else "part.work.meanwhile_nobody", counts)
        )
    step = Step("duty_off", "page.step.duty_off") if on_duty else Step("duty_on", "page.step.duty_on")
    return Section("part.work.duty", tuple(lines), (step,))


def _set_duty(on_duty: bool) -> Verb:
    def step(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
        joining.set_duty(tx, person_id, on_duty)
        return work_view(tx, person_id, subject, {})

    return Verb(Action.SEAT_DUTY, step)


WORK = Page(
    Verb(Action.SERVICE_HAND, work_view),
    {"duty_off": _set_duty(False), "duty_on": _set_duty(True)},
)

"""Page 'number': somebody who has raised an alarm about themselves writes how they can be called."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from referrals.access import Action
from referrals.members import Crisis
from referrals.ports import Tx
from referrals.service.alarm import alarm_numbers, alarms
from referrals.service.common import doors, emergency
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.views import Said, Section, SectionsView, Step

LEAVE, BACK = "leave_number", "number_back"


def number_view(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """What becomes of it, and a field for it. What was written is not shown again, on whichever phone."""
    _, crisis = alarm_numbers.asked(tx, person_id, subject)
    language = doors.person_by_id(tx, person_id).language
    lines = emergency.lines(tx, alarms.enrolment_of(tx, crisis).area, language)
    return SectionsView("part.number.title", (_section(tx, crisis),), emergency_lines=lines)


def _section(tx: Tx, crisis: Crisis) -> Section:
    if crisis.ended_at is not None:
        return Section("part.number.how", (Said("part.number.over"),))
    stands = alarms.has_number(tx, crisis)
    back = (Step(BACK, "page.step.number_back"),) if stands else ()
    steps = (Step(LEAVE, "page.step.leave_number", "text"), *back)
    return Section("part.number.how", tuple(_said(tx, crisis, stands)), steps)


def _said(tx: Tx, crisis: Crisis, stands: bool) -> Iterator[Said]:
    yield Said("part.number.stands" if stands else "part.number.who")
    opened = alarm_numbers.opened_at(tx, crisis) if stands else None
    if opened is not None:
        yield Said("part.number.opened", at=opened)


def _step(verb: Callable[[Tx, str, str, Body], object]) -> Verb:
    def step(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
        verb(tx, person_id, subject, body)
        return number_view(tx, person_id, subject, {})

    return Verb(Action.CRISIS_RAISE, step)


NUMBER = Page(
    Verb(Action.CRISIS_RAISE, number_view),
    {
        LEAVE: _step(lambda tx, who, it, body: alarm_numbers.leave(tx, who, it, text_of(body, "text"))),
        BACK: _step(lambda tx, who, it, body: alarm_numbers.take_back(tx, who, it)),
    },
)

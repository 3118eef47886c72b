"""Page 'members': everybody whom a mentor looks after, who is late, and a handover or a rest.

A pause, leaving and coming back are on the member's own page. Steps about one member take `{"member": id}`.
Asking who could take somebody over (`who`) shows the choices in that member's own line, because finding them
takes a look at every mentor.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from referrals.access import Action
from referrals.member_views import MemberLine, MembersView
from referrals.members import EnrolmentState
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.contact import caseload
from referrals.service.contact.caseload import Line
from referrals.service.members import enrolments, handing_members, mentoring, standing_in
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.views import Choice, Step

_WEEKS = tuple(Choice(str(n), label_key=f"button.weeks_{n}") for n in standing_in.WEEKS)
_KNOWN_WEEKS = tuple(choice.id for choice in _WEEKS)  # '²'.isdigit() is true, and int() refuses it
_AWAY = Step("away", "page.step.away", needs="reason", choices=_WEEKS)


def members_view(tx: Tx, person_id: str, subject: str, body: Body) -> MembersView:
    """All of them: those whom this person is asked about first, late ones on top."""
    lines = caseload.of(tx, person_id)
    away = standing_in.is_away(tx, person_id)
    general = Step("back", "page.step.back_again") if away else _AWAY
    mentors = any(line.part == "mentor" for line in lines)
    seats = {seat.id for seat in doors.seats_of(tx, person_id)}
    return MembersView(tuple(_line(line, seats) for line in lines), "", (general,) if mentors else ())


def who(tx: Tx, person_id: str, subject: str, body: Body) -> MembersView:
    """Who could take this member over: the best first, in that member's line."""
    enrolment = enrolments.keeping(tx, person_id, text_of(body, "member"))[1]
    own = {seat.id for seat in doors.seats_of(tx, person_id)}
    backup = [enrolment.backup_seat] if mentoring.holder_of(tx, enrolment.backup_seat) else []
    fits = mentoring.proposals(tx, mentoring.wish_of(enrolment), enrolment)
    seats = tuple(
        Choice(seat, label=seat)
        for seat in (*backup, *(fit.seat_id for fit in fits))
        if seat and seat not in own
    )
    step = Step("hand_over", "page.step.hand_over", needs="reason", choices=seats)
    shown = members_view(tx, person_id, subject, {})
    if not seats:
        return replace(shown, said_key="page.members.nobody_can")
    return replace(
        shown,
        lines=tuple(
            replace(line, steps=(step, *line.steps)) if line.id == enrolment.id else line
            for line in shown.lines
        ),
    )


def _hand_over(tx: Tx, person_id: str, member: str, chosen: str) -> None:
    actor, enrolment = enrolments.keeping(tx, person_id, member)
    handing_members.hand_over(tx, actor, enrolment, chosen)


def _away(tx: Tx, person_id: str, member: str, chosen: str) -> None:
    standing_in.away(tx, person_id, int(chosen) if chosen in _KNOWN_WEEKS else 0)


def _back(tx: Tx, person_id: str, member: str, chosen: str) -> None:
    standing_in.back(tx, person_id)


def _line(line: Line, seats: Collection[str]) -> MemberLine:
    """One member; whoever only stands in for a while hands nobody over."""
    enrolment = line.enrolment
    lasting = enrolment.mentor_seat in seats or enrolment.backup_seat in seats
    paused = enrolment.state is EnrolmentState.PAUSED
    note, until = "", None
    if paused:
        note = "page.members.paused" if enrolment.paused_until else "page.members.paused_open"
        until = enrolment.paused_until
    elif enrolment.stand_in_seat:
        note = "page.members.you_stand_in" if line.part == "stand_in" else "page.members.somebody_stands_in"
        until = enrolment.stand_in_until
    return MemberLine(
        id=enrolment.id,
        code=enrolment.code,
        programme_key=f"programme.{enrolment.programme}",
        phase_key=f"phase.{enrolment.phase}",
        part_key=f"page.members.part_{line.part}",
        at=line.at,
        late=line.late,
        note_key=note,
        until=until,
        phone=enrolment.person_id is not None,
        steps=(Step("who", "page.step.who"),) if lasting else (),
    )


def _step(action: Action, verb: Callable[[Tx, str, str, str], None], said: str) -> Verb:
    """A step: do it, then show everybody again with a word on what came of it."""

    def step(tx: Tx, person_id: str, subject: str, body: Body) -> MembersView:
        verb(tx, person_id, text_of(body, "member"), text_of(body, "reason"))
        return replace(members_view(tx, person_id, subject, {}), said_key=said)

    return Verb(action, step)


MEMBERS = Page(
    Verb(Action.MEMBER_LIST, members_view),
    {
        "who": Verb(Action.MEMBER_HAND_OVER, who),
        "hand_over": _step(Action.MEMBER_HAND_OVER, _hand_over, "page.members.said_asked"),
        "away": _step(Action.MEMBER_HAND_OVER, _away, "page.members.said_away"),
        "back": _step(Action.MEMBER_HAND_OVER, _back, "page.members.said_done"),
    },
)

"""Somebody comes into a programme: a code to be said aloud, a mentor, a backup, and the first reminder."""

from __future__ import annotations

from dataclasses import dataclass

from referrals import case_codes
from referrals.access import Action, allow
from referrals.errors import BadAnswer, CannotTakeOn
from referrals.members import Enrolment
from referrals.mentor_matching import Wish
from referrals.model import Actor, AuditEntry, Role
from referrals.ports import Tx
from referrals.schedule import known_zone
from referrals.service.common import doors, tell
from referrals.service.members import mentoring, programme_dates, reminders

GENDERS = ("", "woman", "man")


@dataclass(frozen=True, slots=True)
class Opening:
    """What the desk says of somebody new: nothing of who they are. Seats are ids; `backup` may be ''."""

    programme: str
    phase: str
    language: str
    area: str
    timezone: str
    mentor: str = ""
    backup: str = ""
    gender_wish: str = ""

    @property
    def wish(self) -> Wish:
        return Wish(self.language, self.area, self.gender_wish)


def check(tx: Tx, opening: Opening) -> None:
    """Raise BadAnswer unless all of it stands in catalogue and directory; the mentors are not looked at."""
    programme = tx.catalogue.programmes.get(opening.programme)
    if programme is None or programme.audience is not Role.MEMBER:
        raise BadAnswer
    if opening.phase not in [phase.id for phase in programme.phases]:
        raise BadAnswer
    if opening.language and opening.language not in tx.catalogue.languages:
        raise BadAnswer
    if opening.area and opening.area not in tx.directory.areas:
        raise BadAnswer
    if opening.gender_wish not in GENDERS or known_zone(opening.timezone) != opening.timezone:
        raise BadAnswer


def enrol(tx: Tx, person_id: str, opening: Opening) -> Enrolment:
    """By the desk. BadAnswer; CannotTakeOn when mentor or backup cannot (any more), or are the same."""
    actor = doors.as_seat(tx, person_id, Role.COORDINATOR)
    allow(actor, Action.MEMBER_ENROL)
    check(tx, opening)
    if not opening.mentor or opening.mentor == opening.backup:
        raise CannotTakeOn
    wish = opening.wish
    for seat_id in filter(None, (opening.mentor, opening.backup)):
        mentoring.demand(tx, wish, seat_id)
    enrolment = _begin(tx, actor, opening)
    page = ((tell.page_button("button.members", "members"),),)
    for seat_id, text in ((opening.mentor, "member.new"), (opening.backup, "member.new_backup")):
        person = mentoring.holder_of(tx, seat_id)
        if person:
            tell.tell(tx, person, text, {"code": enrolment.code}, buttons=page, slot=f"member:{enrolment.id}")
    return enrolment


def fresh(tx: Tx) -> str:
    """A case code that nobody has."""
    return case_codes.unused(_Taken(tx), tx.count(Enrolment), tx.draw)


def begun(tx: Tx, enrolment: Enrolment) -> None:
    """A new enrolment stands in the store: its programme's text is kept, and its rhythm begins."""
    programme_dates.watch(tx, enrolment)
    reminders.schedule_next(tx, enrolment)


def _begin(tx: Tx, actor: Actor, opening: Opening) -> Enrolment:
    enrolment = Enrolment(
        id=tx.new_id(),
        code=fresh(tx),
        programme=opening.programme,
        programme_version=tx.catalogue.programmes[opening.programme].version,
        phase=opening.phase,
        phase_since=tx.now,
        mentor_seat=opening.mentor,
        backup_seat=opening.backup or None,
        timezone=opening.timezone,
        area=opening.area,
        language=opening.language,
        gender_wish=opening.gender_wish,
    )
    tx.add(enrolment)
    tx.audit(AuditEntry(actor, Action.MEMBER_ENROL, f"enrolment:{enrolment.id}"))
    begun(tx, enrolment)
    return enrolment


class _Taken:
    """The codes that somebody has, asked one at a time."""

    def __init__(self, tx: Tx) -> None:
        self.tx = tx

    def __contains__(self, code: object) -> bool:
        return bool(self.tx.count(Enrolment, code=code))

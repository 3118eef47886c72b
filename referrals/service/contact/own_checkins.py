"""How are you? Members and families about themselves, on their own phones: two taps.

A member's own words go to their mentor too, a family's to nobody; 'in crisis' goes to the desk on call. To be
asked now and then is somebody's own wish (the family circle), and one press ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from referrals.access import Action, allow
from referrals.errors import NotFound
from referrals.members import CheckIn, CheckInKind, Enrolment, EnrolmentState, Source
from referrals.model import SYSTEM, AuditEntry, Role
from referrals.ports import Tx
from referrals.said import Keyboard, Notice, Priority
from referrals.service.common import doors, screens, tell
from referrals.service.contact import trends
from referrals.service.members import asking, enrolling, enrolments, programmes
from referrals.service.members.asking import Asked
from referrals.service.request import needs

ABOUT_ONESELF = (CheckInKind.OWN, CheckInKind.WELLBEING)
OFFERS_HELP = ("own.done_ask", "own.done_alarm")  # what is said where a way to ask for help stands below


def ask(
    tx: Tx, enrolment: Enrolment, at: datetime | None = None, until: datetime | None = None
) -> CheckIn | None:
    """Ask a member on their own phone, beside their mentor, where the phase has a form for it.

    `at`, `until`: from when, and until when, a reminder may come to them; None: now, and whenever.
    """
    form_id = programmes.phase_of(tx, enrolment).own_form
    if not form_id or enrolment.person_id is None or form_id not in tx.catalogue.forms:
        return None
    for open_one in tx.find(CheckIn, enrolment_id=enrolment.id, saved_at=None):
        if open_one.kind is CheckInKind.OWN:  # one question stands in a chat, not ten
            tell.quietly(tx, enrolment.person_id, asking.slot(open_one.id), "")
            tx.remove(open_one)
    form = tx.catalogue.forms[form_id]
    new = CheckIn(
        tx.new_id(), CheckInKind.OWN, enrolment.id, tx.now, enrolment.person_id, form.id, form.version,
        Source.REMINDER,
    )  # fmt: skip
    check_in = asking.begin_other(tx, new)
    notice = Notice(
        enrolment.person_id,
        asking.question(tx, check_in),
        {},
        (*asking.buttons(tx, check_in), asking.later(check_in.id)),
        Priority.ALERT,
        asking.slot(check_in.id),
        fresh=True,
        not_before=at if at is not None and at > tx.now else None,
        expires_at=until,
    )
    screens.queue(tx, notice)
    return check_in


def answered(tx: Tx, found: Asked, given: Mapping[str, str]) -> str:
    """What stands in the chat after saving, as a text key; the member's mentor hears where it is hard."""
    if found.enrolment is None:
        return "own.done"
    hard = given.get("state") == "struggling" or bool(given.get("danger"))
    if hard:
        for mentor in enrolments.mentors_of(tx, found.enrolment)[:1]:
            tell.tell(
                tx,
                mentor,
                "mentor.own_word",
                {"code": found.enrolment.code},
                slot=f"own:{found.enrolment.id}",
            )
    if given.get("danger"):
        return "own.done_alarm"
    return "own.done_ask" if hard else "own.done"


def ways_to_ask(tx: Tx, found: Asked) -> Keyboard:
    """A button for each thing that this person may ask for on their own."""
    return needs.ways_of(tx, found.actor.role)


def said_by(tx: Tx, person_id: str) -> list[dict[str, object]]:
    """What somebody said about themselves, the oldest first: for their own copy of what is held."""
    me = doors.as_author(person_id)
    found = [c for c in tx.find(CheckIn, saved_by=person_id) if c.kind in ABOUT_ONESELF and c.day]
    return [
        {"day": c.day.isoformat(), "how": trends.opened(tx, me, c).get("state", "")}
        for c in sorted(found, key=lambda c: (str(c.day), c.id))
        if c.day
    ]


# -- the family circle -------------------------------------------------------------------------------


def join(tx: Tx, person_id: str) -> Enrolment:
    """'You may ask me now and then': no name, no mentor. Whoever has left comes back; twice is once."""
    actor = doors.as_author(person_id)
    allow(actor, Action.CIRCLE_JOIN)
    person = doors.person_by_id(tx, person_id)
    mine = circle_of(tx, person_id)
    if mine is not None:
        if mine.state is EnrolmentState.LEFT:
            tx.audit(AuditEntry(actor, Action.CIRCLE_JOIN, f"enrolment:{mine.id}", "came back"))
            return enrolments.come_back(tx, SYSTEM, mine)
        return mine
    programme = next((p for p in tx.catalogue.programmes.values() if p.audience is Role.FAMILY), None)
    if programme is None:
        raise NotFound
    enrolment = Enrolment(
        id=tx.new_id(),
        code=enrolling.fresh(tx),
        programme=programme.id,
        programme_version=programme.version,
        phase=programme.phases[0].id,
        phase_since=tx.now,
        mentor_seat=None,
        backup_seat=None,
        timezone=person.timezone,
        language=person.language,
        person_id=person_id,
    )
    tx.add(enrolment)
    tx.audit(AuditEntry(actor, Action.CIRCLE_JOIN, f"enrolment:{enrolment.id}"))
    enrolling.begun(tx, enrolment)
    return enrolment


def leave(tx: Tx, person_id: str) -> None:
    """One press, and nobody asks any more; what was answered goes with its own date."""
    actor = doors.as_author(person_id)
    allow(actor, Action.CIRCLE_JOIN)
    mine = circle_of(tx, person_id)
    if mine is not None and mine.state is not EnrolmentState.LEFT:
        tx.audit(AuditEntry(actor, Action.CIRCLE_JOIN, f"enrolment:{mine.id}", "left"))
        enrolments.leave(tx, SYSTEM, mine)


def circle_of(tx: Tx, person_id: str) -> Enrolment | None:
    """This person's own place in a family's programme, left or not, locked."""
    for enrolment in tx.find(Enrolment, person_id=person_id):
        if not enrolment.mentor_seat:
            return tx.get(Enrolment, enrolment.id, lock=True)
    return None


def in_circle(tx: Tx, person_id: str) -> bool:
    """Whether this person is asked now and then."""
    mine = circle_of(tx, person_id)
    return mine is not None and mine.state is not EnrolmentState.LEFT

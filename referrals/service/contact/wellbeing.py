"""'How are YOU doing?': once a month a mentor is asked, and what they answer is sealed to them alone.

Where it is much, two ways are offered: to hand over for a while, and to talk with the desk. Nobody hears
anything of it unless the mentor presses that.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from referrals import rhythm, schedule
from referrals.access import Action, allow
from referrals.errors import NotFound
from referrals.members import CheckIn, CheckInKind, Enrolment, EnrolmentState, Source
from referrals.model import Actor, AuditEntry, Role
from referrals.persons import Person, Seat
from referrals.ports import Tx
from referrals.rhythm import Rhythm
from referrals.said import Keyboard, Notice, Priority, Timer
from referrals.service.common import screens, tell
from referrals.service.contact import reminding
from referrals.service.members import asking, reminders

ROUND, DAILY = "wellbeing_round", "daily"  # the timer that sees to it that every mentor has one of theirs
ASK = "wellbeing"  # a post's own timer
FORM = "wellbeing"
MUCH = "struggling"  # 'it is much'
EVERY, AT = "FREQ=MONTHLY", time(18)
EVERY_DAY = timedelta(days=1)
FROM = date(2024, 1, 1)
SPREAD = 28
FORGOTTEN = timedelta(days=7)  # from then on the question stands no more


def begin(tx: Tx) -> None:
    """At the product's start. A round that is further away than a day was set by a clock that was ahead."""
    waiting = tx.get(Timer, f"{ROUND}:{DAILY}")
    if waiting is not None and waiting.due_at > tx.now + EVERY_DAY:
        reminders.begin_anew(tx)
    if waiting is None or waiting.due_at > tx.now + EVERY_DAY:
        tx.set_timer(ROUND, DAILY, tx.now)


def every_day(tx: Tx, subject: str) -> None:
    """Timer: whoever has become a mentor since yesterday will be asked from now on."""
    seats = [seat for seat in tx.find(Seat, role=Role.MENTOR) if seat.person_id]
    known = {t.subject for t in tx.find(Timer, id=[f"{ASK}:{seat.id}" for seat in seats])}
    people = {p.id: p for p in tx.find(Person, id=[seat.person_id or "" for seat in seats])}
    new = [seat for seat in seats if seat.id not in known and seat.person_id in people]
    tx.set_timers((ASK, s.id, _next(s, people[s.person_id or ""], tx.now)) for s in new)
    tx.set_timer(ROUND, subject, tx.now + EVERY_DAY)


def ask(tx: Tx, seat_id: str) -> None:
    """Timer: a month is over. Whoever wants no reminders is not asked; an older question is taken away."""
    seat = tx.get(Seat, seat_id)
    person = tx.get(Person, seat.person_id or "") if seat else None
    if seat is None or person is None:
        return
    tx.set_timer(ASK, seat.id, _next(seat, person, tx.now))
    at = reminding.ready(person, tx.now)
    form = tx.catalogue.forms.get(FORM)
    if at is None or form is None:
        return
    for old in tx.find(CheckIn, seat_id=seat.id, saved_at=None):
        tell.quietly(tx, person.id, asking.slot(old.id), "")
        tx.remove(old)
    new = CheckIn(
        tx.new_id(),
        CheckInKind.WELLBEING,
        None,
        tx.now,
        person.id,
        form.id,
        form.version,
        Source.REMINDER,
        seat_id=seat.id,
    )
    check_in = asking.begin_other(tx, new)
    screens.queue(
        tx,
        Notice(
            person.id,
            asking.question(tx, check_in),
            {},
            asking.buttons(tx, check_in),
            Priority.BULK,
            asking.slot(check_in.id),
            fresh=True,
            not_before=at if at > tx.now else None,
            expires_at=at + FORGOTTEN,
        ),
        person,
    )


def answered(tx: Tx, check_in: CheckIn, state: str) -> str:
    """The text key that stands in the chat after saving; `further` are its buttons."""
    return "wellbeing.much" if state == MUCH else "wellbeing.done"


def further(check_in: CheckIn, state: str) -> Keyboard:
    """What is offered where it is much: to hand over for a while, to talk with the desk."""
    if state != MUCH:
        return ()
    return (
        (tell.page_button("button.hand_over_a_while", "members"),),
        (tell.press("button.talk_with_desk", "well.desk", check_in.id),),
    )


def talk_with_desk(tx: Tx, person_id: str, check_in_id: str) -> None:
    """'Talk with the desk': only now does anybody hear, and only that this mentor would like to talk."""
    check_in = tx.get(CheckIn, check_in_id)
    seat = tx.get(Seat, (check_in.seat_id if check_in else None) or "")
    if check_in is None or seat is None or seat.person_id != person_id:
        raise NotFound
    actor = Actor(person_id, Role.MENTOR, seat.organization_id)
    allow(actor, Action.CHECK_IN_WRITE)
    tx.audit(AuditEntry(actor, Action.CHECK_IN_WRITE, f"check_in:{check_in.id}", "talk"))
    for desk in tell.on_call(tx):
        if desk.person_id and desk.person_id != person_id:
            tell.tell(tx, desk.person_id, "desk.mentor_would_talk", {"post": seat.id}, slot=f"talk:{seat.id}")


def load(tx: Tx, person_id: str) -> int:
    """How many members somebody walks beside now, as mentor or standing in."""
    seats = [s.id for s in tx.find(Seat, person_id=person_id) if s.role is Role.MENTOR]
    active = EnrolmentState.ACTIVE
    found = {e.id for e in tx.find(Enrolment, mentor_seat=seats, state=active) if not _stood_in(e, tx.now)}
    found |= {e.id for e in tx.find(Enrolment, stand_in_seat=seats, state=active) if _stood_in(e, tx.now)}
    return len(found)


def _stood_in(enrolment: Enrolment, now: datetime) -> bool:
    until = enrolment.stand_in_until
    return enrolment.stand_in_seat is not None and (until is None or until > now)


def _next(seat: Seat, person: Person, now: datetime) -> datetime:
    """Each post has its own day of the month, so that a network is not asked all at once."""
    anchor = FROM + timedelta(days=sum(seat.id.encode()) % SPREAD)
    return rhythm.next_due(Rhythm(EVERY, AT, schedule.known_zone(person.timezone), anchor), now)

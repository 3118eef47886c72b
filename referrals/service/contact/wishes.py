"""What somebody wishes of reminders: none, not now, not this week, not at night, not on Sundays.

Wishes are kept by the one who has them, in a chat or on a page, and bind every reminder from that turn on. A
mentor who wants none is not pressed: the backup mentor is asked instead, and the desk knows.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import available_timezones

from referrals import schedule
from referrals.access import Action
from referrals.errors import AlreadyHandled, BadAnswer, NotFound
from referrals.members import CheckIn, CheckInKind, Enrolment
from referrals.model import AuditEntry, Role
from referrals.persons import Person
from referrals.ports import Tx
from referrals.service.common import doors, tell
from referrals.service.contact import reminding
from referrals.service.members import asking, enrolments, reminders
from referrals.service.members.asking import Asked
from referrals.service.members.reminders import MISSED

EVENING, MORNING = time(18), time(9)
HOUR = timedelta(hours=1)


class Until(StrEnum):
    """How long a reminder is put off."""

    HOUR = "hour"
    EVENING = "evening"
    TOMORROW = "tomorrow"


def stop(tx: Tx, person_id: str) -> None:
    """STOP: no reminders to this person. What they were asked goes to the backup mentor now."""
    person = doors.person_by_id(tx, person_id)
    if not person.reminders:
        return
    _keep(tx, replace(person, reminders=False), "off")
    for waits in _asked_of(tx, person_id):  # a night's reminder would come in the morning
        tx.recall_notices(person_id, reminders.slot(waits.id))
    for check_in in tx.find(CheckIn, asked_of=person_id, saved_at=None, missed=False):
        if check_in.waits and check_in.enrolment_id:
            tx.set_timer(MISSED, check_in.id, tx.now)
    _tell_desk(tx, person_id, "desk.reminders_off")


def start(tx: Tx, person_id: str) -> bool:
    """START: reminders come again, from the next one on. Whether they had been off."""
    person = doors.person_by_id(tx, person_id)
    if person.reminders:
        return False
    _keep(tx, replace(person, reminders=True), "on")
    _tell_desk(tx, person_id, "desk.reminders_on")
    return True


def snooze(tx: Tx, person_id: str, check_in_id: str, until: str) -> datetime:
    """Ask again later: the instant. BadAnswer for another word than those of `Until`.

    NotFound for somebody who is not asked about it, AlreadyHandled where nobody is asked any more.
    """
    check_in = _open(tx, person_id, check_in_id)
    person = doors.person_by_id(tx, person_id)
    try:
        wanted = _instant(Until(until), person, tx.now)
    except ValueError:
        raise BadAnswer from None
    at = reminding.ready(person, wanted) or wanted
    # The same rung once more: whoever was asked last is asked again then, and nobody else meanwhile.
    tx.save(replace(check_in, step=max(0, check_in.step - 1)))
    tx.set_timer(MISSED, check_in.id, at)
    _say_so(tx, person_id, check_in, f"later: {until}")
    return at


def not_this_week(tx: Tx, person_id: str, check_in_id: str) -> datetime:
    """No contact in this local week: nobody is asked, nothing is missed. When it is due again."""
    check_in = _open(tx, person_id, check_in_id)
    enrolment = tx.get(Enrolment, check_in.enrolment_id or "", lock=True)
    if enrolment is None or not may_skip(asking.asked(tx, person_id, check_in_id)):
        raise NotFound
    let_go = reminders.let_go(tx, check_in, "not this week")
    _say_so(tx, person_id, let_go, "not this week")
    kept = reminders.rhythm_of(tx, enrolment)
    today = schedule.local(tx.now, kept.timezone).date()
    monday = today + timedelta(days=7 - today.weekday())
    week_end = schedule.instant_of(monday, time(0), kept.timezone) - timedelta(seconds=1)
    return reminders.schedule_next(tx, enrolment, week_end)


def may_skip(found: Asked) -> bool:
    """A member on their own phone does not put off their mentor's contact; a family is asked alone."""
    return found.check_in.kind is CheckInKind.MEMBER or found.actor.role is Role.FAMILY


def set_quiet(tx: Tx, person_id: str, quiet_from: time | None, quiet_to: time | None) -> None:
    """Own quiet hours, local; both or none. They may wrap midnight; BadAnswer when they are of no length."""
    if (quiet_from is None) is not (quiet_to is None) or (quiet_from is not None and quiet_from == quiet_to):
        raise BadAnswer
    person = doors.person_by_id(tx, person_id)
    _keep(tx, replace(person, quiet_from=quiet_from, quiet_to=quiet_to), "quiet hours")


def set_days(tx: Tx, person_id: str, days: tuple[int, ...]) -> None:
    """The weekdays on which reminders may come (0 = Monday). All seven are stored as none."""
    if not days or not set(days) <= set(range(7)):
        raise BadAnswer
    kept = tuple(sorted(set(days)))
    person = doors.person_by_id(tx, person_id)
    _keep(tx, replace(person, days=() if len(kept) == 7 else kept), "days")


def set_zone(tx: Tx, person_id: str, timezone: str) -> None:
    """The person's own time zone, an IANA name; BadAnswer for another."""
    if timezone not in available_timezones():
        raise BadAnswer
    _keep(tx, replace(doors.person_by_id(tx, person_id), timezone=timezone), "time zone")


def choices(person: Person, now: datetime) -> tuple[Until, ...]:
    """Which 'later' make sense at this hour: 'this evening' only while that is more than an hour away."""
    zone = schedule.known_zone(person.timezone)
    far = _instant(Until.EVENING, person, now) - now > HOUR
    today = schedule.local(now, zone).time() < EVENING
    return tuple(u for u in Until if u is not Until.EVENING or (far and today))


def _instant(until: Until, person: Person, now: datetime) -> datetime:
    zone = schedule.known_zone(person.timezone)
    if until is Until.HOUR:
        return now + HOUR
    if until is Until.EVENING:
        return schedule.next_showing(EVENING, zone, now)
    tomorrow = schedule.local(now, zone).date() + timedelta(days=1)
    return schedule.next_showing(MORNING, zone, now, tomorrow)


def _open(tx: Tx, person_id: str, check_in_id: str) -> CheckIn:
    """A check-in that is still asked for, locked, for somebody who may answer it."""
    found = asking.asked(tx, person_id, check_in_id)
    if found.fresh or found.check_in.enrolment_id is None:
        raise NotFound
    if not found.check_in.waits:
        raise AlreadyHandled
    return found.check_in


def _asked_of(tx: Tx, person_id: str) -> list[CheckIn]:
    """What somebody may be asked about now: themselves, and whoever they look after."""
    asked = tx.find(CheckIn, asked_of=person_id, saved_at=None)
    return asked + [c for e in enrolments.of_person(tx, person_id) for c in reminders.open_of(tx, e)]


def _say_so(tx: Tx, person_id: str, check_in: CheckIn, how: str) -> None:
    actor = doors.as_author(person_id)
    tx.audit(AuditEntry(actor, Action.REMINDERS_SET, f"check_in:{check_in.id}", how))


def _keep(tx: Tx, person: Person, what: str) -> None:
    tx.save(person)
    actor = doors.as_author(person.id)
    tx.audit(AuditEntry(actor, Action.REMINDERS_SET, f"person:{person.id}", what))


def _tell_desk(tx: Tx, person_id: str, text: str) -> None:
    """Only of a mentor, by the post's own name: whoever is asked about members is the desk's to know."""
    for post in doors.seats_of(tx, person_id):
        if post.role is Role.MENTOR:
            for desk in tell.on_call(tx):
                if desk.person_id and desk.person_id != person_id:
                    tell.tell(tx, desk.person_id, text, {"post": post.id}, slot=f"wishes:{post.id}")

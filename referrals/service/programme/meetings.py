"""Club meetings, and classes of courses: who was there, written down by each mentor for their own members.

What is ticked lives in the buttons: a mask of the mentor's members in a fixed order, with a digest of that
order. Where the list has changed meanwhile, the ticks are asked for anew: a wrong tick would be a wrong word
about somebody. Who came is sealed; whoever was there was met, so nobody is reminded of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from referrals import club
from referrals.access import Action, allow
from referrals.catalogue import ClubMeeting
from referrals.errors import BadAnswer, NotFound, StaleButton, WrongStage
from referrals.members import Attendance, CheckIn, CheckInKind, Enrolment, Meeting, Source
from referrals.model import NETWORK, SYSTEM, Actor, AuditEntry, DataClass, Role, person_holder
from referrals.persons import Person
from referrals.ports import Tx
from referrals.schedule import instant_of, local
from referrals.service.common import doors, tell
from referrals.service.contact import checkins
from referrals.service.members import enrolments, programmes, reminders
from referrals.service.programme import courses

UNDO = timedelta(seconds=60)
HOW = ("good", "all_right", "heavy")
KEPT_FOR = timedelta(days=365)
WRITTEN_WITHIN = timedelta(days=14)  # a meeting that is longer ago is not remembered well


@dataclass(frozen=True, slots=True)
class Group:
    """One meeting as one mentor writes it down: their own members, in order. `kept`: it stands already."""

    programme: str
    meeting: ClubMeeting
    day: date
    members: tuple[Enrolment, ...]
    actor: Actor
    kept: Meeting | None

    @property
    def key(self) -> str:
        """How buttons name this meeting: 8 hexadecimal digits and the day."""
        return key_of(self.programme, self.meeting.id, self.day)

    @property
    def digest(self) -> str:
        """What tells one list of members from another."""
        return short_name("/".join(member.id for member in self.members), 6)


def key_of(programme_id: str, meeting_id: str, day: date) -> str:
    """A meeting's name in a button: short, and the same for every mentor."""
    return f"{short_name(f'{programme_id}/{meeting_id}', 8)}{day:%y%m%d}"


def slot(key: str) -> str:
    """The message in which a meeting is written down."""
    return f"group:{key}"


# -- written down ------------------------------------------------------------------------------------


def group(tx: Tx, person_id: str, key: str) -> Group:
    """A meeting for one of the programme's mentors; NotFound for everybody else, and for what was none."""
    actor = doors.as_seat(tx, person_id, Role.MENTOR)
    allow(actor, Action.MEETING_KEEP)
    day = day_of(key)
    for programme_id, meeting in meant_by(tx, key):
        members = tuple(expected(tx, person_id, programme_id, meeting, day))
        kept = kept_by(tx, person_id, programme_id, meeting, day)
        if kept is None and not _can_be_kept(tx, members, meeting, day):
            continue
        return Group(programme_id, meeting, day, members, actor, kept)
    raise NotFound


def ticked(found: Group, digest: str, mask: str) -> int:
    """The mask as a number; StaleButton when the list has changed since or the mask was forged."""
    if digest != found.digest:
        raise StaleButton
    try:
        number = int(mask or "0", 16)
    except ValueError:
        raise StaleButton from None
    if not 0 <= number < 1 << len(found.members):
        raise StaleButton
    return number


def save(tx: Tx, person_id: str, key: str, digest: str, mask: str, how: str) -> Group:
    """Who was there, and how it was. Saved twice it stays one; each who came has been met."""
    _lock(tx, person_id)
    found = group(tx, person_id, key)
    if found.kept is not None:
        return found
    came = ticked(found, digest, mask)
    if how not in HOW:
        raise BadAnswer
    holders = [person_holder(person_id), NETWORK]
    meeting = Meeting(tx.new_id(), found.programme, found.meeting.id, found.day, person_id, tx.now)
    tx.add(meeting)
    tx.seal(meeting.record, DataClass.WELLBEING, "how", how, [person_holder(person_id)])
    tx.audit(AuditEntry(found.actor, Action.MEETING_KEEP, f"meeting:{meeting.id}", "saved"))
    for position, member in enumerate(found.members):
        there = bool(came >> position & 1)
        attendance = Attendance(tx.new_id(), meeting.id, member.id)
        tx.add(attendance)
        tx.seal(attendance.record, DataClass.WELLBEING, "came", "yes" if there else "no", holders)
        tx.audit(AuditEntry(found.actor, Action.MEETING_KEEP, f"attendance:{attendance.id}", "saved"))
        if there:
            _met(tx, found, member)
    tx.set_timer("group_kept", meeting.id, tx.now + UNDO)
    return replace(found, kept=meeting)


def undo_over(tx: Tx, meeting_id: str) -> None:
    """Timer: the minute is over; the message loses its Undo button."""
    meeting = tx.get(Meeting, meeting_id)
    if meeting is not None:
        shown = slot(key_of(meeting.programme, meeting.meeting, meeting.day))
        tell.quietly(tx, meeting.kept_by, shown, "group.done")


def undo(tx: Tx, person_id: str, key: str) -> Group:
    """Within a minute: everything that was written down about it is destroyed. WrongStage afterwards."""
    _lock(tx, person_id)
    found = group(tx, person_id, key)
    if found.kept is None:
        return found
    if tx.now - found.kept.kept_at > UNDO:
        raise WrongStage
    for attendance in tx.find(Attendance, meeting_id=found.kept.id):
        _take_back(tx, found, attendance)
    _forget(tx, found.kept, found.actor, Action.MEETING_KEEP)
    return replace(found, kept=None)


def came_to(tx: Tx, enrolment_id: str, since: date) -> list[date]:
    """The days of meetings at which a member was, from that day on: for a confirmation that they asked for.

    The process opens what it holds itself; whoever calls this has passed a door and leaves the audit row.
    """
    days: set[date] = set()
    for attendance in tx.find(Attendance, enrolment_id=enrolment_id):
        meeting = tx.get(Meeting, attendance.meeting_id)
        if meeting is None or meeting.day < since:
            continue
        opened = tx.open_sealed(SYSTEM, attendance.record, DataClass.WELLBEING)
        days |= {meeting.day} if opened["came"] == "yes" else set()
    return sorted(days)


# -- its end -----------------------------------------------------------------------------------------


def retire(tx: Tx, meeting: Meeting) -> None:
    """Retention: a year after it was written down nothing of it is left."""
    _forget(tx, meeting, SYSTEM, Action.RETENTION)


# -- shared ------------------------------------------------------------------------------------------


def _met(tx: Tx, found: Group, member: Enrolment) -> None:
    """Somebody who was there was met in person: a contact, without a word about how they are."""
    form_id = programmes.phase_of(tx, member).form
    form = tx.catalogue.forms.get(form_id)
    row = CheckIn(
        tx.new_id(), CheckInKind.MEMBER, member.id,
        instant_of(found.day, found.meeting.at, member.timezone), found.actor.person_id,
        form_id, form.version if form else 1, Source.MEETING,
        saved_at=tx.now, saved_by=found.actor.person_id, day=found.day,
    )  # fmt: skip
    tx.add(row)
    answers = json.dumps({"means": "in_person"}, separators=(",", ":"))
    holders = [person_holder(m) for m in sorted(enrolments.people_of(tx, member))]
    tx.seal(row.record, DataClass.WELLBEING, checkins.FIELD, answers, holders)
    tx.audit(AuditEntry(found.actor, Action.CHECK_IN_WRITE, f"check_in:{row.id}", "meeting"))
    reminders.answered(tx, row)


def _take_back(tx: Tx, found: Group, attendance: Attendance) -> None:
    meeting = found.kept
    assert meeting is not None  # undo() looked
    contacts = tx.find(
        CheckIn, enrolment_id=attendance.enrolment_id, saved_at=meeting.kept_at, saved_by=meeting.kept_by
    )
    for contact in contacts:
        if contact.source is Source.MEETING and not contact.corrected:
            reminders.taken_back(tx, contact)
            tx.destroy(contact.record)
            tx.clear_timers(contact.id)
            tx.remove(contact)
            tx.audit(AuditEntry(found.actor, Action.CHECK_IN_WRITE, f"check_in:{contact.id}", "undone"))


def _forget(tx: Tx, meeting: Meeting, actor: Actor, action: Action) -> None:
    for attendance in tx.find(Attendance, meeting_id=meeting.id):
        _forget_attendance(tx, attendance, actor, action)
    tx.clear_timers(meeting.id)
    tx.destroy(meeting.record)
    tx.remove(meeting)
    tx.audit(AuditEntry(actor, action, f"meeting:{meeting.id}", "destroyed"))


def _forget_attendance(tx: Tx, attendance: Attendance, actor: Actor, action: Action) -> None:
    tx.destroy(attendance.record)
    tx.remove(attendance)
    tx.audit(AuditEntry(actor, action, f"attendance:{attendance.id}", "destroyed"))


def own_members(tx: Tx, person_id: str) -> list[Enrolment]:
    """The members whom this person is asked about now, in the order of their ids."""
    found = [e for e in enrolments.of_person(tx, person_id) if e.active]
    return sorted(
        (e for e in found if enrolments.mentors_of(tx, e)[:1] == (person_id,)), key=lambda each: each.id
    )


def expected(
    tx: Tx, person_id: str, programme_id: str, meeting: ClubMeeting, day: date
) -> Iterator[Enrolment]:
    """Those of this person's members who could have come: to a class, whoever is in that course."""
    for member in own_members(tx, person_id):
        if member.programme == programme_id and (
            not meeting.course or courses.in_course(tx, member, meeting.course, day)
        ):
            yield member


def _can_be_kept(tx: Tx, members: Iterable[Enrolment], meeting: ClubMeeting, day: date) -> bool:
    """Whether the club met on that day, lately, where one of these members is."""
    for member in members:
        today = local(tx.now, member.timezone).date()
        if timedelta() <= today - day <= WRITTEN_WITHIN:
            return club.held_on(meeting, day, holidays_of(tx, member.programme))
    return False


def meant_by(tx: Tx, key: str) -> list[tuple[str, ClubMeeting]]:
    """The meetings that a button means: those of the newest versions and of the kept ones."""
    known = [*tx.catalogue.programmes.values(), *tx.catalogue.kept.values()]
    found = {(p.id, m.id): m for p in reversed(known) for m in p.meetings}
    return [(p, m) for (p, _), m in found.items() if short_name(f"{p}/{m.id}", 8) == key[:8]]


def holidays_of(tx: Tx, programme_id: str) -> frozenset[date]:
    """The days on which no club of this programme meets."""
    newest = tx.catalogue.programmes.get(programme_id)
    return tx.catalogue.holidays.get(newest.holidays, frozenset()) if newest else frozenset()


def kept_by(tx: Tx, person_id: str, programme_id: str, meeting: ClubMeeting, day: date) -> Meeting | None:
    """What this mentor has written down about that meeting, if they have."""
    found = tx.find(Meeting, programme=programme_id, day=day, meeting=meeting.id, kept_by=person_id)
    return found[0] if found else None


def _lock(tx: Tx, person_id: str) -> None:
    """Two presses of one mentor write it down once."""
    if tx.get(Person, person_id, lock=True) is None:
        raise NotFound


def day_of(key: str) -> date:
    """The day of a key; NotFound for what is no key."""
    try:
        return datetime.strptime(key[8:], "%y%m%d").date()  # noqa: DTZ007 - a local day has no zone
    except ValueError:
        raise NotFound from None


def short_name(text: str, length: int) -> str:
    """A digest that stands for a longer name in a button."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]

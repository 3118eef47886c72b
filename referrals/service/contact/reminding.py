"""Asking for a contact that is due, and whom to ask when nobody answers. Timers enter here.

Once for each slot, whatever the clock did: a slot that was asked for stands in the check-in's `due_at`, and
after an outage only the last one is asked for. A reminder waits for its reader's own hours and days, several
for one reader become one message, and each is dropped once the next is due.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from referrals import rhythm, schedule
from referrals.access import Action
from referrals.members import CheckIn, CheckInKind, Enrolment, Source
from referrals.model import SYSTEM, AuditEntry, Role
from referrals.persons import Person, Presence, Seat
from referrals.ports import Tx
from referrals.rhythm import Rhythm
from referrals.said import Button, Keyboard, Notice, Priority, Timer
from referrals.service.common import screens, tell
from referrals.service.contact import own_checkins
from referrals.service.matter import member_keys
from referrals.service.members import asking, programmes, reminders, tries
from referrals.service.members.asking import ACTIONS
from referrals.service.members.reminders import AGAIN, DUE, IN_A_ROW, MISSED, UNREACHED_DESK, slot

# Who is asked on which rung, and how: 0 the mentor (or who stands in), 1 the backup. Then the desk is told.
RUNGS = (
    (0, "mentor.check_in_due", Priority.BULK),
    (0, "mentor.check_in_still_due", Priority.BULK),
    (1, "mentor.check_in_backup", Priority.ALERT),
)
SEVERAL = "mentor.several_due"
OWN_WAITS = timedelta(days=3)  # a family is asked once, and never pressed
# Whoever was in touch by themselves so lately is not asked again; of shorter rhythms less than half a turn.
FRESH_DAYS = 3
_UNPROMPTED = (Source.CASELOAD, Source.LINE, Source.MEETING, Source.LATE)


Hours = tuple[datetime, datetime | None]


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask now: the rung that was climbed, the person, the text key, from when to when it may come."""

    step: int
    person_id: str
    text: str
    priority: Priority
    at: datetime
    until: datetime | None


def remind(tx: Tx, enrolment_id: str) -> None:
    """Timer: a contact is due. After an outage there is one reminder, not ten."""
    tx.get(Enrolment, enrolment_id, lock=True)
    remind_many(tx, [enrolment_id])


def remind_many(tx: Tx, enrolment_ids: Sequence[str]) -> None:
    """The same for several at once, in few statements."""
    members = [e for e in tx.find(Enrolment, id=list(enrolment_ids)) if e.active]
    rhythms = {e.id: reminders.rhythm_of(tx, e) for e in members}
    tx.set_timers((DUE, e.id, rhythm.next_due(rhythms[e.id], tx.now)) for e in members)
    slots = {e.id: _slot(e, rhythms[e.id], tx.now) for e in members}
    seen = _look(tx, members, slots)
    asked: list[tuple[Enrolment, CheckIn, Asking | None]] = []
    for enrolment in members:
        due = slots[enrolment.id]
        reminders.tell_of_zone(tx, enrolment.timezone)
        if (enrolment.id, due) in seen.asked or enrolment.id in seen.waiting:
            continue
        if _in_touch(tx, seen, enrolment, rhythms[enrolment.id], due):
            continue
        found = seen.first[enrolment.id]
        own = enrolment.id in seen.families
        asked.append((enrolment, _check_in(tx, enrolment, due, found, own), found))
    _ask_all(tx, asked, rhythms, seen)


def _slot(enrolment: Enrolment, kept: Rhythm, now: datetime) -> datetime:
    """The slot that is asked for: the last one; now, where none has come in this phase yet (in a demo)."""
    last = rhythm.last_due(kept, now)
    return last if last is not None and last >= enrolment.phase_since else now


def climb(step: int, mentors: Sequence[str], hours: Callable[[str], Hours | None]) -> Asking | None:
    """The next rung on which somebody can be asked; None when only the desk is left. Pure."""
    for number in range(step, len(RUNGS)):
        place, text, priority = RUNGS[number]
        free = hours(mentors[place]) if place < len(mentors) else None
        if free is not None:
            return Asking(number + 1, mentors[place], text, priority, *free)
    return None


def missed(tx: Tx, check_in_id: str) -> None:
    """Timer: not answered. The mentor again, a day later the backup mentor, then the desk."""
    check_in = tx.get(CheckIn, check_in_id, lock=True)
    enrolment = tx.get(Enrolment, check_in.enrolment_id or "") if check_in else None
    if check_in is None or enrolment is None or check_in.saved_at is not None or check_in.missed:
        return
    if not enrolment.active or not check_in.waits:
        return
    if check_in.form not in tx.catalogue.forms:
        check_in = _begin_anew(tx, check_in, enrolment)
    own = check_in.kind is CheckInKind.OWN
    mentors = (check_in.asked_of or "",) if own else member_keys.mentors_of(tx, enrolment)
    found = climb(check_in.step, mentors, lambda person_id: hours_of(tx.get(Person, person_id), tx.now))
    if own and (check_in.step > 0 or found is None):  # asked once, and again only where they said 'later'
        _end(tx, check_in)
        return
    if found is None:
        _to_the_desk(tx, check_in, enrolment)
        return
    known = check_in.asked_of if check_in.asked_of in mentors else found.person_id
    climbed = tx.save(replace(check_in, step=found.step, asked_of=known))
    tx.audit(AuditEntry(SYSTEM, Action.REMIND, f"check_in:{climbed.id}", f"asked {found.step}"))
    tx.set_timer(MISSED, climbed.id, found.at + (OWN_WAITS if own else AGAIN))
    kept, buttons = reminders.rhythm_of(tx, enrolment), asking.reminder(tx, climbed)
    screens.queue(tx, _notice(tx, climbed, enrolment, found, kept, buttons))


def unreached(tx: Tx, enrolment_id: str) -> None:
    """Timer: three 'could not reach' in a row. The backup mentor is asked to try, a day later the desk."""
    enrolment = tx.get(Enrolment, enrolment_id)
    if enrolment is None or not enrolment.active or len(tries.of(tx, enrolment_id)) < IN_A_ROW:
        return
    backup = member_keys.mentors_of(tx, enrolment)[1:2]
    person = tx.get(Person, backup[0]) if backup else None
    at = ready(person, tx.now)
    if person is None or at is None:
        unreached_desk(tx, enrolment_id)
        return
    form = tx.catalogue.forms[programmes.phase_of(tx, enrolment).form]
    tx.set_timer(UNREACHED_DESK, enrolment.id, at + AGAIN)
    notice = Notice(
        person.id,
        "mentor.not_reached",
        {"code": enrolment.code},
        asking.keyboard(enrolment.id, form, {}),
        Priority.ALERT,
        reminders.tries_slot(enrolment),
        fresh=True,
        not_before=at if at > tx.now else None,
    )
    screens.queue(tx, notice, person)


def unreached_desk(tx: Tx, enrolment_id: str) -> None:
    """Timer: the backup mentor has not reached them either, a day later."""
    enrolment = tx.get(Enrolment, enrolment_id)
    if enrolment is None or not enrolment.active or len(tries.of(tx, enrolment_id)) < IN_A_ROW:
        return
    _tell_on_call(tx, "desk.not_reached", enrolment, reminders.tries_slot(enrolment))


def ready(person: Person | None, now: datetime) -> datetime | None:
    """From when a reminder may be sent to somebody; None: they want none, or cannot be written to. Pure."""
    if person is None or person.presence is not Presence.PRESENT or not person.reminders:
        return None
    return schedule.next_allowed(
        person.window, person.timezone, now, person.quiet_from, person.quiet_to, person.days
    )


def hours_of(person: Person | None, now: datetime) -> Hours | None:
    """From when, and until when, a reminder may come to somebody; None as for `ready`. Pure."""
    at = ready(person, now)
    if at is None or person is None:
        return None
    wishes = (person.quiet_from, person.quiet_to, person.days)
    return at, schedule.allowed_until(person.window, person.timezone, at, *wishes)


# -- what is looked up for all at once -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a batch has looked up: slots that were asked for, members who are asked about, posts, people."""

    now: datetime
    families: frozenset[str]  # enrolments of those who are asked themselves
    asked: frozenset[tuple[str, datetime]]
    waiting: frozenset[str]
    contacts: Mapping[str, list[CheckIn]]
    seats: dict[str, Seat] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    first: dict[str, Asking | None] = field(default_factory=dict)  # of an enrolment: whom to ask now
    buttons: dict[str, Keyboard] = field(default_factory=dict)  # below the reminder, of each form

    def first_rung(self, enrolment: Enrolment) -> Asking | None:
        """Whom to ask first of those who were looked up."""
        own = enrolment.id in self.families
        asks = (enrolment.person_id or "",) if own else self.mentors(enrolment)
        self.first[enrolment.id] = found = climb(0, asks, self.hours)
        return found

    def mentors(self, enrolment: Enrolment) -> tuple[str, ...]:
        """As `member_keys.mentors_of`, of those that were looked up."""
        until = enrolment.stand_in_until
        stand_in = enrolment.stand_in_seat if until is None or until > self.now else None
        first = self._filled(stand_in) or self._filled(enrolment.mentor_seat)
        return tuple(dict.fromkeys(p for p in (first, self._filled(enrolment.backup_seat)) if p))

    def hours(self, person_id: str) -> Hours | None:
        """As `hours_of`, of somebody who was looked up."""
        return hours_of(self.people.get(person_id), self.now)

    def _filled(self, seat_id: str | None) -> str | None:
        seat = self.seats.get(seat_id or "")
        return seat.person_id if seat else None


def _look(tx: Tx, members: Sequence[Enrolment], slots: Mapping[str, datetime]) -> _Seen:
    ids = [e.id for e in members]
    asked = tx.find(CheckIn, enrolment_id=ids, due_at=sorted(set(slots.values())))
    left = [c for c in tx.find(CheckIn, enrolment_id=ids, saved_at=None, missed=False) if c.waits]
    # What a member was asked on their own phone stands beside their mentor's question, never in its place.
    families = {e.id for e in members if programmes.of(tx, e).audience is Role.FAMILY}
    left = [c for c in left if (c.kind is CheckInKind.OWN) is (c.enrolment_id in families)]
    timers = {t.subject for t in tx.find(Timer, id=[f"{MISSED}:{c.id}" for c in left])}
    days = [(tx.now + timedelta(days=n)).date() for n in range(-FRESH_DAYS - 1, 2)]
    contacts: dict[str, list[CheckIn]] = {}
    for made in tx.find(CheckIn, enrolment_id=ids, source=_UNPROMPTED, day=days):
        contacts.setdefault(made.enrolment_id or "", []).append(made)
    seen = _Seen(
        tx.now,
        frozenset(families),
        frozenset((c.enrolment_id or "", c.due_at) for c in asked),
        frozenset(c.enrolment_id or "" for c in left if c.id in timers),
        contacts,
    )
    _read_people(tx, seen, {p for e in members for p in (e.mentor_seat, e.stand_in_seat)}, members)
    # Nearly always the mentor can be asked; only of the others a backup need be known.
    others = [e for e in members if seen.first_rung(e) is None]
    _read_people(tx, seen, {e.backup_seat for e in others})
    for enrolment in others:
        seen.first_rung(enrolment)
    return seen


def _read_people(
    tx: Tx, seen: _Seen, posts: Collection[str | None], members: Sequence[Enrolment] = ()
) -> None:
    """Who sits on these posts, and the members themselves."""
    seats = tx.find(Seat, id=sorted(post for post in posts if post))
    seen.seats.update((seat.id, seat) for seat in seats)
    wanted = {seat.person_id for seat in seats} | {e.person_id for e in members}
    found = tx.find(Person, id=sorted(p for p in wanted if p))
    seen.people.update((person.id, person) for person in found)


def _in_touch(tx: Tx, seen: _Seen, enrolment: Enrolment, kept: Rhythm, due: datetime) -> bool:
    """Whether somebody was in touch by themselves just before it came due; a try in vain is none."""
    made = seen.contacts.get(enrolment.id, [])
    if not made:
        return False
    turn = (rhythm.next_due(kept, due) - due).days
    day = schedule.local(due, kept.timezone).date()
    since = day - timedelta(days=min(FRESH_DAYS, (turn - 1) // 2))
    in_vain = tries.of(tx, enrolment.id)
    return any(c.day is not None and c.day >= since and c.id not in in_vain for c in made)


# -- asking ------------------------------------------------------------------------------------------


def _check_in(tx: Tx, enrolment: Enrolment, due: datetime, found: Asking | None, own: bool) -> CheckIn:
    form = tx.catalogue.forms[programmes.phase_of(tx, enrolment).form]
    return CheckIn(
        tx.new_id(),
        CheckInKind.OWN if own else CheckInKind.MEMBER,
        enrolment.id,
        due,
        found.person_id if found else None,
        form.id,
        form.version,
        step=found.step if found else len(RUNGS),
    )


def _begin_anew(tx: Tx, check_in: CheckIn, enrolment: Enrolment) -> CheckIn:
    """Its form's file was taken away: asked by today's, as another one, so that no old button answers it."""
    form = tx.catalogue.forms[programmes.phase_of(tx, enrolment).form]
    reminders.let_go(tx, check_in, "form is gone")
    tell.quietly(tx, check_in.asked_of or "", slot(check_in.id), "")
    return asking.begin_other(
        tx, replace(check_in, id=tx.new_id(), form=form.id, form_version=form.version, version=1)
    )


def _ask_all(
    tx: Tx,
    asked: Iterable[tuple[Enrolment, CheckIn, Asking | None]],
    rhythms: Mapping[str, Rhythm],
    seen: _Seen,
) -> None:
    notices: list[Notice] = []
    timers: list[tuple[str, str, datetime]] = []
    asked = [*asked]
    tx.add(*(check_in for _, check_in, _ in asked))
    for enrolment, check_in, found in asked:
        tx.audit(AuditEntry(SYSTEM, ACTIONS[check_in.kind], f"check_in:{check_in.id}", "asked"))
        own = seen.hours(enrolment.person_id or "")
        if check_in.kind is CheckInKind.MEMBER and own is not None:
            own_checkins.ask(tx, enrolment, *own)  # on the member's own phone, beside their mentor
        if found is None:
            _nobody(tx, check_in, enrolment)
            continue
        pause = OWN_WAITS if check_in.kind is CheckInKind.OWN else AGAIN
        timers.append((MISSED, check_in.id, found.at + pause))
        buttons = seen.buttons.get(check_in.form)
        if buttons is None:
            buttons = seen.buttons[check_in.form] = asking.reminder(tx, check_in)
        notice = _notice(tx, check_in, enrolment, found, rhythms[enrolment.id], buttons)
        person = seen.people[found.person_id]
        if person.by_text:
            screens.queue(tx, notice, person)
        else:
            notices.append(notice)
    tx.set_timers(timers)
    tx.say_many(notices)


def _notice(
    tx: Tx, check_in: CheckIn, enrolment: Enrolment, found: Asking, kept: Rhythm, buttons: Keyboard
) -> Notice:
    """One reminder. From the next slot on it is pointless: that one will ask again.

    It is dropped, too, where an outage has eaten its reader's hours: the next rung comes within them.
    """
    following = rhythm.next_due(kept, max(found.at, tx.now))
    own = check_in.kind is CheckInKind.OWN
    code = {"code": enrolment.code}
    opens = tell.press("button.code", "check", check_in.id, str(check_in.form_version), "")
    return Notice(
        found.person_id,
        asking.question(tx, check_in) if own else found.text,
        code,
        buttons,
        found.priority,
        slot(check_in.id),
        fresh=True,
        not_before=found.at if found.at > tx.now else None,
        expires_at=min(following, found.until) if found.until else following,
        merge="" if own else SEVERAL,
        gist=None if own else Button(opens.text, opens.action, params=code),
        about=check_in.id,
    )


def _end(tx: Tx, check_in: CheckIn) -> None:
    tx.save(replace(check_in, missed=True))
    tx.audit(AuditEntry(SYSTEM, Action.REMIND, f"check_in:{check_in.id}", "missed"))


def _to_the_desk(tx: Tx, check_in: CheckIn, enrolment: Enrolment) -> None:
    _end(tx, check_in)
    _tell_on_call(tx, "desk.check_in_missed", enrolment, slot(check_in.id))


def _nobody(tx: Tx, check_in: CheckIn, enrolment: Enrolment) -> None:
    """Neither mentor can be asked here. A family that wants no reminders is simply left in peace."""
    _end(tx, check_in)
    if check_in.kind is CheckInKind.MEMBER:
        _tell_on_call(tx, "desk.check_in_nobody", enrolment, slot(check_in.id))


def _tell_on_call(tx: Tx, text: str, enrolment: Enrolment, at: str) -> None:
    for seat in tell.on_call(tx):
        assert seat.person_id is not None  # on_call() lists filled seats
        tell.tell(tx, seat.person_id, text, {"code": enrolment.code}, slot=at)

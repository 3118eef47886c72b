"""A member in a programme: whose they are, who holds what is written about them, and how that changes.

`mine` is the one door to a member. Whatever changes who looks after somebody goes through `change`: it saves,
gives and takes keys, and takes the old chat's messages away, all in one turn. The rhythm of reminders follows
by a timer ('rhythm'), so that nothing here needs to know how reminders work.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from referrals import case_codes
from referrals.access import Action, allow
from referrals.errors import NoCaseCode, NotAllowed, NotFound, WrongCaseCode, WrongStage
from referrals.members import CheckIn, Enrolment, EnrolmentState, Undertaking
from referrals.model import SYSTEM, Actor, AuditEntry, Role
from referrals.persons import Session
from referrals.ports import Tx
from referrals.said import Notice
from referrals.service.common import doors, tell
from referrals.service.matter import member_keys

settle = member_keys.settle  # who holds the keys of this member's record after a change
people_of = member_keys.people_of  # mentor, backup and stand-in
nobody = member_keys.nobody  # who holds the keys while nobody looks after them
mentors_of = member_keys.mentors_of  # whoever is asked: stand-in or mentor, then backup

SOON = timedelta(days=2)  # before a pause ends its mentor hears so
PAUSE, RHYTHM, FORGET = "pause_end", "rhythm", "forget_member"  # timers
KEPT_FOR = timedelta(days=365)  # after somebody left: so long they may come back
LIST_SLOT = "members"  # the one message in a chat that lists somebody's members
_OWN_TIMERS = ".member"
# What stands in a mentor's chat about one member, besides check-ins and courses.
_SLOTS = ("member", "phase", "needs", "own", "plan", "unreached", "moved")

# -- doors -------------------------------------------------------------------------------------------


def mine(tx: Tx, person_id: str, enrolment_id: str) -> tuple[Actor, Enrolment]:
    """A member and the person as their mentor, backup or stand-in, the enrolment locked.

    NotFound for everybody else. Whether it is active is the caller's to ask.
    """
    enrolment = tx.get(Enrolment, enrolment_id, lock=True)
    if enrolment is None:
        raise NotFound
    for seat in member_keys.seats_of(tx, enrolment):
        if seat.person_id == person_id:
            actor = Actor(person_id, Role.MENTOR, seat.organization_id)
            allow(actor, Action.MEMBER_READ)
            return actor, enrolment
    raise NotFound


def active(tx: Tx, person_id: str, enrolment_id: str) -> tuple[Actor, Enrolment]:
    """The same for what makes sense only while the member is in the programme: WrongStage when they left."""
    actor, enrolment = mine(tx, person_id, enrolment_id)
    if enrolment.state is EnrolmentState.LEFT:
        raise WrongStage
    return actor, enrolment


def keeping(tx: Tx, person_id: str, enrolment_id: str) -> tuple[Actor, Enrolment]:
    """The same for what outlasts a week of standing in: NotAllowed for whoever does no more than that."""
    actor, enrolment = active(tx, person_id, enrolment_id)
    if not keeps(tx, person_id, enrolment):
        raise NotAllowed
    return actor, enrolment


def keeps(tx: Tx, person_id: str, enrolment: Enrolment) -> bool:
    """Whether somebody is this member's mentor or backup, and not only there until a date."""
    lasting = (enrolment.mentor_seat, enrolment.backup_seat)
    return any(seat.id in lasting for seat in doors.seats_of(tx, person_id))


def by_code(tx: Tx, person_id: str, typed: str) -> Enrolment:
    """The person's own member of that code, locked.

    WrongCaseCode (with `meant`) or NoCaseCode otherwise, the same whether somebody else has such a member
    or nobody: only among the person's own is anything looked for.
    """
    own = {e.code: e for e in of_person(tx, person_id)}
    code = case_codes.spoken(typed)
    found = own.get(code)
    if found is not None:
        return mine(tx, person_id, found.id)[1]
    there = [code for code, e in own.items() if e.state is not EnrolmentState.LEFT]
    meant = case_codes.probably_meant(typed, there)
    if meant is None:
        raise NoCaseCode(typed=code[:8])
    raise WrongCaseCode(typed=code[:8], meant=meant)


def of_person(tx: Tx, person_id: str) -> list[Enrolment]:
    """Everybody whom this person looks after as mentor, backup or stand-in, each once, by code."""
    seats = [seat.id for seat in doors.seats_of(tx, person_id) if seat.role is Role.MENTOR]
    found = [enrolment for enrolment in of_seats(tx, seats) if _looked_after(tx, enrolment, seats)]
    return sorted(found, key=lambda enrolment: enrolment.code)


def _looked_after(tx: Tx, enrolment: Enrolment, seats: Collection[str]) -> bool:
    """Whoever stood in until a date that has come is named nobody, even before the timer has looked."""
    now = (enrolment.mentor_seat, enrolment.backup_seat, member_keys.standing_in(tx, enrolment))
    return any(seat in seats for seat in now)


def of_seats(tx: Tx, seat_ids: Iterable[str]) -> Iterator[Enrolment]:
    """Everybody who is looked after from these posts, each once; those who left among them."""
    seats = list(seat_ids)
    if seats:
        rows = [
            *tx.find(Enrolment, mentor_seat=seats),
            *tx.find(Enrolment, backup_seat=seats),
            *tx.find(Enrolment, stand_in_seat=seats),
        ]
        yield from {enrolment.id: enrolment for enrolment in rows}.values()


def for_desk(tx: Tx, person_id: str, enrolment_id: str, action: Action) -> tuple[Actor, Enrolment]:
    """A member as the desk knows them: a code, a programme, who looks after them; locked."""
    actor = doors.as_seat(tx, person_id, Role.COORDINATOR)
    allow(actor, action)
    enrolment = tx.get(Enrolment, enrolment_id, lock=True)
    if enrolment is None:
        raise NotFound
    return actor, enrolment


# -- changes -----------------------------------------------------------------------------------------


def change(tx: Tx, actor: Actor, after: Enrolment, action: Action, detail: str) -> Enrolment:
    """Save a changed enrolment, with all that follows from it in the same turn. The caller has locked it."""
    before = tx.get(Enrolment, after.id)
    people_before = member_keys.people_of(tx, before) if before is not None else set()
    saved = tx.save(after)
    tx.audit(AuditEntry(actor, action, f"enrolment:{saved.id}", detail))
    settle(tx, saved)
    for former in sorted(people_before - member_keys.people_of(tx, saved)):
        leave_chat(tx, former, saved)
    member_keys.ask_anew(tx, saved)
    return saved


def leave_chat(tx: Tx, former: str, enrolment: Enrolment) -> None:
    """Somebody looks after this member no more: what stands or waits in their chat about them goes."""
    slots = {f"check:{c.id}" for c in tx.find(CheckIn, enrolment_id=enrolment.id, saved_at=None)}
    slots |= {LIST_SLOT, *(f"{about}:{enrolment.id}" for about in _SLOTS)}
    slots |= {f"course:{u.id}" for u in tx.find(Undertaking, enrolment_id=enrolment.id)}
    for slot in sorted(slots):
        tx.recall_notices(former, slot)
    slots |= {f"check:{c.id}" for c in tx.find(CheckIn, enrolment_id=enrolment.id)}
    for message in tx.messages_of(former):
        if message.slot in slots and not message.from_person:
            tx.say(Notice(former, "", slot=message.slot, message_id=message.message_id))
    for session in tx.find(Session, person_id=former):
        if session.page.endswith(f"/{enrolment.id}"):
            tx.remove(session)


def pause(
    tx: Tx, actor: Actor, enrolment: Enrolment, until: datetime | None, detail: str = "paused"
) -> Enrolment:
    """No reminder until then (None: until somebody says so). The mentor stays, and hears before it ends."""
    allow(actor, Action.MEMBER_CHANGE)
    if enrolment.state is EnrolmentState.LEFT or (until is not None and until <= tx.now):
        raise WrongStage
    paused = replace(enrolment, state=EnrolmentState.PAUSED, paused_until=until)
    saved = change(tx, actor, paused, Action.MEMBER_CHANGE, detail)
    _quiet(tx, saved)
    tx.clear_timer(PAUSE, timer_subject(saved))
    if until is not None:
        tx.set_timer(PAUSE, timer_subject(saved), max(tx.now, until - SOON))
    return saved


def leave(tx: Tx, actor: Actor, enrolment: Enrolment) -> Enrolment:
    """By their own wish, or at the programme's end. Code, phase and history stay, for whoever comes back."""
    allow(actor, Action.MEMBER_CHANGE)
    if enrolment.state is EnrolmentState.LEFT:
        return enrolment
    left = replace(
        enrolment,
        state=EnrolmentState.LEFT, paused_until=None, stand_in_seat=None, stand_in_until=None, person_id=None,
    )  # fmt: skip
    if not enrolment.mentor_seat:  # a family's own: the phone is all that it has
        left = replace(left, person_id=enrolment.person_id)
    saved = change(tx, actor, left, Action.MEMBER_CHANGE, "left")
    _quiet(tx, saved)
    tx.clear_timers(timer_subject(saved))
    tx.set_timer(FORGET, timer_subject(saved), tx.now + KEPT_FOR)
    return saved


def come_back(tx: Tx, actor: Actor, enrolment: Enrolment) -> Enrolment:
    """After a pause, or after having left: with the same code, phase and history."""
    allow(actor, Action.MEMBER_CHANGE)
    if enrolment.active:
        return enrolment
    back = replace(enrolment, state=EnrolmentState.ACTIVE, paused_until=None)
    saved = change(tx, actor, back, Action.MEMBER_CHANGE, "came back")
    tx.clear_timer(PAUSE, timer_subject(saved))
    tx.clear_timer(FORGET, timer_subject(saved))
    tx.set_timer(RHYTHM, saved.id, tx.now)
    return saved


def pause_ends(tx: Tx, subject: str) -> None:
    """Timer: two days before a pause ends its mentors hear so; at its end the rhythm begins anew."""
    enrolment = of_timer(tx, subject)
    if enrolment is None or enrolment.state is not EnrolmentState.PAUSED or enrolment.paused_until is None:
        return
    if enrolment.paused_until <= tx.now:
        come_back(tx, SYSTEM, enrolment)
        return
    for person_id in mentors_of(tx, enrolment)[:1]:
        params = {"code": enrolment.code, "by": tell.iso(enrolment.paused_until)}
        page = ((tell.page_button("button.look", "members"),),)
        tell.tell(tx, person_id, "member.pause_ends", params, buttons=page, slot=f"member:{enrolment.id}")
    tx.set_timer(PAUSE, subject, enrolment.paused_until)


def _quiet(tx: Tx, enrolment: Enrolment) -> None:
    """Nothing is due any more: no reminder, and what was asked is taken out of the chats."""
    tx.clear_timers(enrolment.id)
    for check_in in tx.find(CheckIn, enrolment_id=enrolment.id, saved_at=None):
        tx.clear_timers(check_in.id)
        for person_id in member_keys.people_of(tx, enrolment) | {check_in.asked_of or ""} - {""}:
            tell.quietly(tx, person_id, f"check:{check_in.id}", "")
    tx.set_timer(RHYTHM, enrolment.id, tx.now)


def timer_subject(enrolment: Enrolment) -> str:
    """A timer of its own: those of the reminders are cleared and set at each change of the rhythm."""
    return enrolment.id + _OWN_TIMERS


def of_timer(tx: Tx, subject: str) -> Enrolment | None:
    """The enrolment that such a timer is about, locked."""
    return tx.get(Enrolment, subject.removesuffix(_OWN_TIMERS), lock=True)

"""Leaving: whatever is a person's own is destroyed, their open requests are taken back first.

A device that has proved itself leaves at once. Any other one waits a day with a word in the chat and a 'keep
it' button: whoever holds a seized or borrowed phone must not be able to wipe what its owner needs
(docs/decisions/0009-leaving-without-a-pin.md).

What is begun is finished: in the first turn the person falls silent and nobody can act as them any more, then
a timer takes one matter a turn, and last the account and the row.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from referrals import schedule
from referrals.access import Action
from referrals.errors import Refused
from referrals.lifecycle import ENDED
from referrals.members import Enrolment
from referrals.model import AuditEntry, Move, Referral, Stage
from referrals.persons import Person, Presence
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service import retention
from referrals.service.attendance import attendance_ends
from referrals.service.common import doors, tell
from referrals.service.matter import member_keys, moving
from referrals.service.members import linking
from referrals.service.people import joining, people
from referrals.service.request import drafts
from referrals.service.turns import closing

PAUSE = timedelta(hours=24)
# The sealed account lives a little longer, for one thing only: to take the messages out of the chat.
LAST_WORDS = timedelta(minutes=5)
GIVE_UP = timedelta(hours=48)  # Telegram deletes nothing older
TIMER, ERASE, LAST = "delete_person", "erase_person", "forget_person"
SLOT = "delete"


class HoldsPost(Refused):
    """Somebody with a post hands it back first, so that nobody's matters are left without anybody."""

    code = "error.holds_post"


def delete(tx: Tx, person_id: str) -> datetime | None:
    """At once on a device that has proved itself (None); else when it will happen. Pressed twice is once.

    The day counts from the moment at which the person may be told of it.
    """
    person = doors.person_by_id(tx, person_id)
    if doors.seats_of(tx, person_id):
        raise HoldsPost
    if not tx.reading_locked:
        erase(tx, person_id)
        return None
    waits = waits_until(tx, person_id)
    if waits is not None:
        return waits
    told_at = schedule.next_allowed(person.window, person.timezone, tx.now) or tx.now
    due = told_at + PAUSE
    tx.set_timer(TIMER, person_id, due)
    tx.audit(AuditEntry(doors.as_author(person_id), Action.DATA_DELETE, f"person:{person_id}", "asked"))
    buttons = ((tell.press("button.keep_all", "data.keep"),),)
    params = {"by": tell.iso(due)}
    if not tell.tell(tx, person.id, "leaving.waits", params, buttons=buttons, slot=SLOT):
        # Somebody who wants answers only has just asked for this, on whichever phone.
        tell.answer(tx, person.id, "leaving.waits", params, buttons=buttons, slot=SLOT, fresh=True)
    return due


def keep(tx: Tx, person_id: str) -> None:
    """'Keep it': nothing is deleted."""
    if waits_until(tx, person_id) is not None:
        tx.clear_timer(TIMER, person_id)
        tx.audit(AuditEntry(doors.as_author(person_id), Action.DATA_DELETE, f"person:{person_id}", "kept"))
    tell.quietly(tx, person_id, SLOT, "leaving.kept")


def waits_until(tx: Tx, person_id: str) -> datetime | None:
    """When a deletion that waits will happen."""
    timer = tx.get(Timer, f"{TIMER}:{person_id}")
    return timer.due_at if timer else None


def day_over(tx: Tx, person_id: str) -> None:
    """Timer: nobody said 'keep it'. A post that was taken meanwhile stands in the way."""
    if tx.get(Person, person_id) is not None and not doors.seats_of(tx, person_id):
        erase(tx, person_id)


def erase(tx: Tx, person_id: str) -> None:
    """Destroy what is this person's own: devices and what waits now, then matters, then the chat.

    The timer stands in the database, so a process that dies in between goes on at its next start.
    """
    for move in tx.find(Move, to_person=person_id):
        moving.end(tx, move.id)
    for move in tx.find(Move, from_person=person_id):
        moving.forget(tx, move.id)
    attendance_ends.forget_phone(tx, person_id)
    linking.forget_phone(tx, person_id)
    joining.end_asking(tx, person_id)  # nobody is given a post who is not there any more
    people.hide(tx, person_id)  # sessions, scraps, what waits, what stands in the chat
    retention.forget_own(tx, person_id)
    tx.unbind_account(person_id)  # whoever writes again is a stranger
    tx.clear_timers(person_id)
    tx.set_timer(ERASE, person_id, tx.now)
    person = doors.person_by_id(tx, person_id)
    tx.save(replace(person, language="", timezone="UTC", age_group=None, presence=Presence.HIDDEN))
    tx.audit(AuditEntry(doors.as_author(person_id), Action.DATA_DELETE, f"person:{person_id}", "begun"))


def next_matter(tx: Tx, person_id: str) -> None:
    """Timer: one matter, and at once the next; a turn may take 20 ms, and somebody may have fifty."""
    found = tx.find(Referral, author_id=person_id, limit=1)
    for referral in found:
        _erase_matter(tx, person_id, doors.referral_by_id(tx, referral.id))
    tx.set_timer(ERASE if found else LAST, person_id, tx.now + (timedelta() if found else LAST_WORDS))
    if not found:
        actor = doors.as_author(person_id)
        tx.audit(AuditEntry(actor, Action.DATA_DELETE, f"person:{person_id}", "deleted"))


def last_words(tx: Tx, person_id: str) -> None:
    """Timer: the chat is empty, or cannot be emptied any more: the account and the row go too."""
    person = tx.get(Person, person_id)
    if person is None:
        return
    if tx.messages_of(person_id) and tx.now - person.last_seen_at < GIVE_UP:
        tx.set_timer(LAST, person_id, tx.now + LAST_WORDS)
        return
    retention.forget_person(tx, person)


def _erase_matter(tx: Tx, person_id: str, referral: Referral) -> None:
    if referral.stage is Stage.DRAFT:
        drafts.purge_draft(tx, referral.id)
        tx.clear_timers(referral.id)
        return
    enrolment = tx.get(Enrolment, referral.enrolment_id or "") if referral.by_word else None
    if enrolment is not None:  # a member's, not theirs: it goes to whoever looks after the member now
        member_keys.settle(tx, enrolment)
        return
    if referral.stage not in ENDED:
        closing.withdraw(tx, person_id, referral.id, aloud=False)
    standing = doors.referral_by_id(tx, referral.id)
    # A day ago, so that its date has surely come.
    tx.save(replace(standing, retain_until=tx.now - timedelta(days=1)))
    tx.clear_timers(referral.id)
    retention.retire(tx, referral.id)

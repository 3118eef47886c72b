"""Meeting people, their settings, hiding, and what they send unasked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import Enum

from referrals import schedule
from referrals.access import Action
from referrals.errors import BadAnswer, NotFound
from referrals.lifecycle import ENDED
from referrals.model import Actor, AgeGroup, AuditEntry, DataClass, Referral, Stage, person_holder
from referrals.persons import Person, Presence, Scrap, WritingWindow
from referrals.ports import Tx
from referrals.service.common import doors, screens, tell
from referrals.service.help import threads
from referrals.service.matter import matching, moving, sharing
from referrals.service.people import devices, handover, joining

SCRAP_LIFE = timedelta(minutes=15)
# Somebody who wrote once and never filed anything is forgotten after this time.
STRANGER_RETENTION = timedelta(days=90)
DEFAULT_ZONE = schedule.NETWORK_ZONE


def meet(tx: Tx, account: int, language_hint: str = "") -> Person:
    """The person of a chat; a stranger becomes one with no language chosen and no role."""
    person = tx.person_of_account(account)
    if person is not None:
        return _seen(tx, person)
    person = Person(
        id=tx.new_id(),
        language="",
        timezone=DEFAULT_ZONE,
        window=WritingWindow.ANY_TIME,
        presence=Presence.PRESENT,
        age_group=None,
        created_at=tx.now,
        last_seen_at=tx.now,
        retain_until=tx.now + STRANGER_RETENTION,
    )
    tx.add(person)
    tx.bind_account(person.id, account)
    tx.audit(AuditEntry(doors.as_author(person.id), Action.HOME, f"person:{person.id}", "met"))
    return person


def choose_language(tx: Tx, person_id: str, language: str) -> Person:
    """Store the person's own choice of language."""
    if language not in tx.catalogue.languages:
        raise BadAnswer
    return _settle(tx, person_id, "language", language=language)


def choose_window(tx: Tx, person_id: str, window: str) -> Person:
    """Store the answer to 'may we write here, and when?'."""
    try:
        chosen = WritingWindow(window)
    except ValueError:
        raise BadAnswer from None
    return _settle(tx, person_id, "window", window=chosen)


def choose_age_group(tx: Tx, person_id: str, age_group: str) -> Person:
    """Store the person's age group, which decides whom they may be sent to."""
    try:
        chosen = AgeGroup(age_group)
    except ValueError:
        raise BadAnswer from None
    return _settle(tx, person_id, "age_group", age_group=chosen)


def choose_text(tx: Tx, person_id: str, on: bool) -> Person:
    """Whether messages list their choices, to be answered by number or word, or carry buttons."""
    screens.forget(tx, person_id)
    return _settle(tx, person_id, "by_text", by_text=on)


def hide(tx: Tx, person_id: str) -> None:
    """Delete what can be deleted, silence alerts, end sessions. The matters themselves go on."""
    person = doors.person_by_id(tx, person_id)
    _fall_silent(tx, person_id)
    devices.rest(tx, person_id)
    moving.unseen(tx, person_id)
    if person.presence is not Presence.LOST:  # what the desk has set, only the desk lifts
        tx.save(replace(person, presence=Presence.HIDDEN))
    tx.audit(AuditEntry(doors.as_author(person_id), Action.PERSON_HIDE, f"person:{person_id}"))


def lost_phone(tx: Tx, by: Actor, person_id: str) -> None:
    """One desk action: this account is silent from this turn on, its devices and sessions have ended.

    Whoever holds the phone learns nothing, and /start does not bring it back; the matters go on. `by` has
    passed a door (`pages/posts.py`, `pages/matter.py`). NotFound for one's own phone: for that is /hide.
    """
    person = doors.person_by_id(tx, person_id)
    if person_id == by.person_id:
        raise NotFound
    if person.presence is Presence.LOST:
        return
    _fall_silent(tx, person_id)
    devices.end_all(tx, by, person_id, "lost")
    joining.end_asking(tx, person_id)
    moving.unseen(tx, person_id)
    tx.save(replace(person, presence=Presence.LOST))
    tx.audit(AuditEntry(by, Action.PHONE_LOST, f"person:{person_id}"))
    _tell_who_relies(tx, person_id)


def found_again(tx: Tx, by: Actor, person_id: str) -> None:
    """The desk lifts it: the bot may write here again, and the person enrols a device anew."""
    person = doors.person_by_id(tx, person_id)
    if person.presence is Presence.LOST and person_id != by.person_id:
        tx.save(replace(person, presence=Presence.PRESENT))
        tx.audit(AuditEntry(by, Action.PHONE_LOST, f"person:{person_id}", "found"))


def come_back(tx: Tx, person_id: str) -> Person:
    """/start after /hide, or a word after a block: the bot may write here again. Never after a lost phone."""
    person = doors.person_by_id(tx, person_id)
    if person.presence in (Presence.PRESENT, Presence.LOST):
        return person
    return _settle(tx, person_id, "present", presence=Presence.PRESENT)


def unblocked(tx: Tx, person_id: str) -> None:
    """The bot was let in again; somebody who had hidden before stays hidden until they say /start."""
    if doors.person_by_id(tx, person_id).presence is Presence.BLOCKED:
        come_back(tx, person_id)


def blocked(tx: Tx, person_id: str) -> None:
    """Telegram says that the person blocked the bot: no retry into the void, and nobody calls or visits.

    Told once for each time that somebody goes (the outbox may have noticed first); silence stays what it is.
    """
    if doors.person_by_id(tx, person_id).presence is Presence.PRESENT:
        tx.recall_notices(person_id)
        devices.rest(tx, person_id)
        moving.unseen(tx, person_id)
        _settle(tx, person_id, "blocked", presence=Presence.BLOCKED)
        unreachable(tx, person_id)


def unreachable(tx: Tx, person_id: str) -> None:
    """Timer and verb: whoever relies on this person is told 'not reachable here', and no more."""
    if doors.person_by_id(tx, person_id).presence is Presence.BLOCKED:
        _tell_who_relies(tx, person_id)


def _tell_who_relies(tx: Tx, person_id: str) -> None:
    for referral in tx.find(Referral, author_id=person_id):
        if referral.stage in ENDED or referral.stage is Stage.DRAFT:
            continue
        tell.tell_desk(tx, "desk.not_reachable_here", referral)
        tell.tell_partner(tx, referral, "desk.not_reachable_here")
    handover.not_reachable(tx, person_id)


def _fall_silent(tx: Tx, person_id: str) -> None:
    """Sessions end, unsaid words are destroyed, what waits is dropped and what stands in the chat deleted."""
    devices.end_sessions(tx, person_id)
    for scrap in tx.find(Scrap, person_id=person_id):
        drop_scrap(tx, scrap.id)
    screens.forget(tx, person_id)
    handover.clear_chat(tx, person_id)


def keep_scrap_moment(tx: Tx, person_id: str, text: str) -> Scrap:
    """Free text that arrived in the chat: sealed at once under a key that lives 15 minutes."""
    scrap = Scrap(tx.new_id(), person_id, tx.now)
    tx.add(scrap)
    tx.seal(scrap.record, DataClass.STORY, "text", text, [person_holder(person_id)])
    tx.set_timer("scrap", scrap.id, tx.now + SCRAP_LIFE)
    return scrap


class Kept(Enum):
    """What became of words that somebody wanted to keep."""

    KEPT = "kept"
    NOWHERE = "nowhere"  # nothing is open: destroyed
    WHICH = "which"  # several matters are open: a guess could show it to the wrong partner, so it only waits


def keep_scrap(tx: Tx, person_id: str, scrap_id: str) -> Kept:
    """'Keep it': it becomes a message in the open thread, or the note of the open request of theirs."""
    scrap = tx.get(Scrap, scrap_id)
    if scrap is None or scrap.person_id != person_id:
        raise NotFound
    author = doors.as_author(person_id)
    text = tx.open_sealed(author, scrap.record, DataClass.STORY)["text"]
    mine = [r for r in tx.find(Referral, author_id=person_id) if r.stage not in ENDED]
    # A draft may be given up at any time, and what was added to it would go unsaid.
    filed = [r for r in mine if r.stage is not Stage.DRAFT] or mine
    if len(filed) > 1:
        return Kept.WHICH
    for referral in filed:
        if threads.carries(tx, referral):
            for start in range(0, len(text), threads.LIMIT):
                threads.write(tx, person_id, referral.id, text[start : start + threads.LIMIT])
        else:
            words = matching.pathway_of(tx, referral).words
            tx.seal(referral.record, words, f"added.{scrap.id}", text, [person_holder(person_id)])
            sharing.settle(tx, referral)
            tx.audit(AuditEntry(author, Action.THREAD_WRITE, f"referral:{referral.id}", "added"))
    drop_scrap(tx, scrap_id)
    return Kept.KEPT if filed else Kept.NOWHERE


def drop_scrap_of(tx: Tx, person_id: str, scrap_id: str) -> None:
    """'Throw it away', by whoever wrote it."""
    scrap = tx.get(Scrap, scrap_id)
    if scrap is None or scrap.person_id != person_id:
        raise NotFound
    drop_scrap(tx, scrap_id)


def drop_scrap(tx: Tx, scrap_id: str) -> None:
    """Timer and 'no': the key is destroyed, and with it the text."""
    scrap = tx.get(Scrap, scrap_id)
    if scrap is not None:
        tx.destroy(scrap.record)
        tx.clear_timers(scrap_id)
        tx.remove(scrap)


def _settle(tx: Tx, person_id: str, what: str, **settings: object) -> Person:
    """Change a person's settings, with an audit row that says which, never to what."""
    person = tx.save(replace(doors.person_by_id(tx, person_id), **settings))  # type: ignore[arg-type]
    actor = doors.as_author(person_id)
    tx.audit(AuditEntry(actor, Action.PERSON_SETTINGS, f"person:{person_id}", what))
    return person


def _seen(tx: Tx, person: Person) -> Person:
    """Note the day of the last sign of life: once a day is exact enough, and spares a write a tap."""
    if tx.now - person.last_seen_at < timedelta(days=1):
        return person
    return tx.save(replace(person, last_seen_at=tx.now, retain_until=tx.now + STRANGER_RETENTION))

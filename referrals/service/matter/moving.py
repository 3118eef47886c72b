"""A matter moves to another phone: by code and PIN, or through the desk; a day later, unless it is stopped.

The day and the notice to the old phone are what protects the owner: where the old phone cannot be told, the
desk looks first. There is one move of a matter at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from referrals import codes, pin_rules, schedule
from referrals.access import Action
from referrals.errors import NotFound, PinNeeded, Refused, TooOften
from referrals.model import (
    SYSTEM,
    AuditEntry,
    Move,
    Offer,
    Referral,
    Role,
    Stage,
)
from referrals.persons import Device, DeviceState, Person, Presence
from referrals.ports import Away, Slow, Tx
from referrals.service.common import doors, tell
from referrals.service.matter import handing_over, tracking

WAITS = timedelta(hours=24)
DESK_WAITS = timedelta(days=7)  # what the desk has not allowed by then is forgotten
TRIES_A_DAY = 5
BY_PIN = "pin"
_GONE = (Stage.WITHDRAWN, Stage.EXPIRED, Stage.VOID)
# A phone that cannot be given anything: it was lost too, or wants nothing from us.
_CANNOT_HAVE = (Presence.LOST, Presence.BLOCKED)


class MoveConflict(Refused):
    """Whoever asks works for the organisation that helps: the matter would change sides."""

    code = "error.move_conflict"


def ask_with_pin(tx: Tx, person_id: str, typed: str, pin: str) -> Away:
    """First half: the try is counted and committed before the PIN is checked. Comes back as True or False.

    Counted on whoever asks and on the code: five a day. Nobody locks the owner out, who makes another code.
    """
    tries = _count(tx, person_id, tracking.fingerprint(tx, typed))
    referral = tracking.matter_of(tx, typed)
    owner = referral.author_id if referral is not None and tries <= TRIES_A_DAY else "-"
    stored = _pin_of(tx, owner)

    digits = pin_rules.normal(pin) or ""  # in whatever script, as it was when it was chosen

    def check(slow: Slow) -> bool:
        return slow.pins.fits(digits, stored)

    return Away(check, partial(_checked, person_id=person_id, typed=typed, tries=tries))


def _checked(tx: Tx, fits: bool, *, person_id: str, typed: str, tries: int) -> bool:
    referral = tracking.matter_of(tx, typed)
    if referral is None:
        return False
    if not fits:
        if tries >= TRIES_A_DAY:
            _end_code(tx, referral)
        return False
    if referral.author_id == person_id:
        return True  # it lives here already
    _ask(tx, referral, person_id, BY_PIN)
    return True


def ask_the_desk(tx: Tx, person_id: str, typed: str) -> bool:
    """With the code alone: a coordinator talks to the person, compares the number, and allows it."""
    _count(tx, person_id, tracking.fingerprint(tx, typed))
    referral = tracking.matter_of(tx, typed)
    if referral is None:
        return False
    standing = tx.get(Move, referral.id)
    free = standing is None or standing.due_at is None  # what a PIN has proved is not pushed aside by a code
    if free and referral.author_id != person_id:
        _ask(tx, referral, person_id, "")
    return True


def allow(tx: Tx, person_id: str, referral_id: str) -> Move:
    """The desk has talked to the person: from now on the day runs. PinNeeded: it opens a story to a phone."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.MOVE_ALLOW)
    if tx.reading_locked:
        raise PinNeeded
    move = _standing(tx, referral.id)
    if move.to_person == person_id:
        raise NotFound  # a colleague decides
    if _conflict(tx, referral, move.to_person):
        raise MoveConflict
    if move.due_at is not None:
        return move
    due_at = _day_over(tx, tx.get(Person, move.from_person))
    allowed = tx.save(replace(move, due_at=due_at, allowed_by=person_id))
    tx.set_timer("move_due", _subject(referral.id), due_at)
    tx.audit(AuditEntry(actor, Action.MOVE_ALLOW, f"referral:{referral.id}", "allowed"))
    _warn(tx, allowed, referral)
    tell.tell(tx, move.to_person, "move.under_way", _code(referral), slot=move_slot(referral.id))
    return allowed


def refuse(tx: Tx, person_id: str, referral_id: str) -> None:
    """The desk does not allow it."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.MOVE_ALLOW)
    move = _standing(tx, referral.id)
    if move.to_person == person_id:
        raise NotFound
    tx.audit(AuditEntry(actor, Action.MOVE_ALLOW, f"referral:{referral.id}", "refused"))
    _drop(tx, move, referral)


def stop(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """The owner says no, on the old phone. Pressed twice is pressed once."""
    actor = doors.as_author(person_id)
    referral = doors.own_referral(tx, actor, referral_id, Action.MOVE_STOP)
    move = tx.get(Move, referral.id)
    if move is not None:
        _drop(tx, move, referral)
        tracking.forget(tx, referral.id)  # somebody else knows the code
        tx.audit(AuditEntry(actor, Action.MOVE_STOP, f"referral:{referral.id}"))
    return referral


def unseen(tx: Tx, person_id: str) -> None:
    """The old phone fell silent, and its notice with the 'stop' may be gone: the desk looks first.

    What the desk itself has allowed goes on: it has talked to the person.
    """
    for found in tx.find(Move, from_person=person_id, allowed_by=BY_PIN):
        referral = doors.referral_by_id(tx, found.id)
        move = tx.get(Move, found.id)  # read again under the referral's lock
        if move is not None and move.allowed_by == BY_PIN:
            _to_desk(tx, tx.save(replace(move, due_at=None, allowed_by="")), referral)
            _note(tx, referral, "move to desk")


def due(tx: Tx, subject: str) -> None:
    """Timer: a day has passed and nobody said stop; or the desk never answered."""
    referral = tx.get(Referral, subject.removesuffix(_SUFFIX), lock=True)
    move = tx.get(Move, referral.id) if referral else None  # under the referral's lock
    if move is None or referral is None:
        return
    if move.due_at is None or referral.author_id != move.from_person or _void(tx, move, referral):
        _drop(tx, move, referral)
        _note(tx, referral, "move ended")
    elif _conflict(tx, referral, move.to_person):
        _to_desk(tx, tx.save(replace(move, due_at=None, allowed_by="")), referral)
        _note(tx, referral, "move to desk")
    else:
        forget(tx, referral.id)
        handing_over.hand_over(tx, move, referral)


def check_number(tx: Tx, move: Move) -> str:
    """Four digits that the new phone and the desk both show, to be read out."""
    about = f"{move.id} {move.to_person} {move.asked_at.isoformat()}"
    return codes.check_number(tx.fingerprint("move", about))


def moves_to(tx: Tx, person_id: str) -> Iterator[Move]:
    """The moves that somebody waits for on their new phone."""
    for move in tx.find(Move, to_person=person_id):
        referral = tx.get(Referral, move.id)
        if referral is not None and referral.stage not in _GONE:
            yield move


def end(tx: Tx, referral_id: str) -> None:
    """Whoever asked for it is gone: it stays where it is."""
    move, referral = _standing(tx, referral_id), doors.referral_by_id(tx, referral_id)
    forget(tx, referral.id)
    tell.quietly(tx, move.from_person, move_slot(referral.id), "move.stays", _code(referral))
    _note(tx, referral, "move ended")


def forget(tx: Tx, referral_id: str) -> None:
    """A matter that is destroyed moves nowhere."""
    move = tx.get(Move, referral_id)
    tx.clear_timer("move_due", _subject(referral_id))
    if move is not None:
        tx.remove(move)


def _note(tx: Tx, referral: Referral, detail: str) -> None:
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{referral.id}", detail))


def _void(tx: Tx, move: Move, referral: Referral) -> bool:
    """It was taken back meanwhile, or the new phone cannot have it."""
    to = tx.get(Person, move.to_person)
    return referral.stage in _GONE or to is None or to.presence in _CANNOT_HAVE


_SUFFIX = ".move"


def _subject(referral_id: str) -> str:
    """A timer of its own: those of the matter are cleared at every change of its stage."""
    return referral_id + _SUFFIX


def _count(tx: Tx, person_id: str, code: str) -> int:
    """Count one more try; how many this code has had today. TooOften for whoever has asked too often."""
    day, until = tx.now.date().isoformat(), _midnight(tx.now)
    if tx.tally(f"move:{person_id}:{day}", until) > TRIES_A_DAY:
        raise TooOften(minutes=tracking.minutes_until(tx.now, until))
    return tx.tally(f"move_code:{code}:{day}", until)


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _pin_of(tx: Tx, person_id: str) -> str:
    """The PIN of the device that the owner used last; '' (which nothing fits) where there is none."""
    devices = tx.find(Device, person_id=person_id, state=DeviceState.ACTIVE)
    return max(devices, key=lambda d: d.last_seen_at).pin if devices else ""


def _ask(tx: Tx, referral: Referral, person_id: str, allowed_by: str) -> None:
    doors.referral_by_id(tx, referral.id)  # locked: two phones that ask at once come one after the other
    forget(tx, referral.id)
    owner = tx.get(Person, referral.author_id)
    by_desk = not allowed_by or owner is None or not _hears(owner)
    due_at = _day_over(tx, owner)
    move = Move(
        referral.id,
        referral.author_id,
        person_id,
        tx.now,
        None if by_desk else due_at,
        "" if by_desk else allowed_by,
    )
    tx.add(move)
    tx.audit(AuditEntry(doors.as_author(person_id), Action.MOVE_ASK, f"referral:{referral.id}", allowed_by))
    if by_desk:
        _to_desk(tx, move, referral)
    else:
        tx.set_timer("move_due", _subject(referral.id), due_at)
        _warn(tx, move, referral)


def _day_over(tx: Tx, owner: Person | None) -> datetime:
    """A day, counted from the moment at which the old phone may be told."""
    told_at = schedule.next_allowed(owner.window, owner.timezone, tx.now) if owner is not None else None
    return (told_at or tx.now) + WAITS


def _hears(owner: Person) -> bool:
    """Whether a notice would reach the old phone: without it nobody could say stop."""
    return owner.presence is Presence.PRESENT and owner.window.value != "only_answers"


def _to_desk(tx: Tx, move: Move, referral: Referral) -> None:
    tx.set_timer("move_due", _subject(referral.id), tx.now + DESK_WAITS)
    once = f"move:{referral.id}:{tell.iso(move.asked_at)}:{move.version}"
    tell.tell_desk(tx, "desk.move_asked", referral, dedupe=once, slot=move_slot(referral.id))


def _warn(tx: Tx, move: Move, referral: Referral) -> None:
    assert move.due_at is not None  # callers have just set it
    tell.tell(
        tx,
        move.from_person,
        "move.asked",
        {"code": referral.code, "by": tell.iso(move.due_at)},
        buttons=((tell.press("button.stop_it", "moving.stop", referral.id),),),
        slot=move_slot(referral.id),
    )


def _drop(tx: Tx, move: Move, referral: Referral) -> None:
    """It does not happen: both phones are told, neither why."""
    forget(tx, referral.id)
    tell.quietly(tx, move.from_person, move_slot(referral.id), "move.stays", _code(referral))
    tell.tell(tx, move.to_person, "move.not_now", slot=move_slot(referral.id))


def _end_code(tx: Tx, referral: Referral) -> None:
    tracking.forget(tx, referral.id)
    tx.audit(AuditEntry(SYSTEM, Action.TRACK_MAKE, f"referral:{referral.id}", "ended"))
    tell.tell_author(tx, referral, "matter.code_ended")


def _conflict(tx: Tx, referral: Referral, person_id: str) -> bool:
    """Whether somebody works where this matter is, or is being offered."""
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    there = {referral.organization_id, offer.organization_id if offer else None} - {None}
    seats = doors.seats_of(tx, person_id)
    return any(s.role is Role.WORKER and s.organization_id in there for s in seats)


def _standing(tx: Tx, referral_id: str) -> Move:
    move = tx.get(Move, referral_id, lock=True)
    if move is None:
        raise NotFound
    return move


def _code(referral: Referral) -> dict[str, str]:
    return {"code": referral.code}


def move_slot(referral_id: str) -> str:
    """The place in both chats of what is said about a move."""
    return f"move:{referral_id}"

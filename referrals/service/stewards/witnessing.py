"""Checkpoints and their witnesses: once a day the audit's heads are signed and given out of our reach.

A witness is an organisation that keeps the notes. Whoever would change what was written down must then change
what lies with them. What a note proves and what not stands in docs/audit.md.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

from referrals import codes
from referrals.access import Action, allow
from referrals.directory import Organization
from referrals.errors import NotFound
from referrals.model import SYSTEM, Actor, AuditEntry, Checkpoint, Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Priority, Timer
from referrals.service.common import doors, tell

TIMER, NETWORK = "checkpoint", "network"
EVERY = timedelta(days=1)
LEAST = 2  # witnesses: with one, whoever leans on it has them all
SLOT = "witness"
_MARK_BYTES = 8


def begin(tx: Tx) -> None:
    """At the product's start: the first checkpoint is due at once; a timer that waits already stays.

    Unless it waits for longer than a day: the clock was ahead when it was set.
    """
    waiting = tx.get(Timer, f"{TIMER}:{NETWORK}")
    if waiting is None or waiting.due_at > tx.now + EVERY:
        tx.set_timer(TIMER, NETWORK, tx.now)


def daily(tx: Tx, subject: str) -> None:
    """Timer: make the day's checkpoint, hand it to the witnesses, and warn while they are too few."""
    tx.set_timer(TIMER, subject, tx.now + EVERY)
    made = make(tx, SYSTEM)
    witnesses = witness_seats(tx)
    for seat in witnesses:
        _hand(tx, seat, made)
    if len({seat.organization_id for seat in witnesses}) < LEAST:
        for seat in tx.find(Seat, role=Role.STEWARD):
            if seat.person_id:
                tell.tell(tx, seat.person_id, "steward.few_witnesses", slot=SLOT, priority=Priority.BULK)


def make(tx: Tx, actor: Actor) -> Checkpoint:
    """Sign where the audit stands now (before this turn's own rows), with the next number."""
    allow(actor, Action.AUDIT_CHECKPOINT)
    number = tx.count(Checkpoint) + 1
    made = Checkpoint(name_of(number), tx.now, tx.checkpoint(number))
    tx.add(made)
    tx.audit(AuditEntry(actor, Action.AUDIT_CHECKPOINT, f"checkpoint:{made.id}"))
    return made


def name_of(number: int) -> str:
    """The id of a checkpoint: its number with eight digits."""
    return f"{number:08}"


def mark_of(note: str) -> str:
    """Four words that two people compare by phone. They stand for the note's text, not its signatures.

    Enough to notice a change; whoever fears two notes made to look alike compares them letter by letter.
    """
    text = note.rpartition("\n\n")[0] + "\n"
    return codes.spell(hashlib.sha256(text.encode()).digest()[:_MARK_BYTES])


def witnesses_of(organizations: list[Organization]) -> list[Organization]:
    """Those of them that may be handed a note."""
    return [o for o in organizations if o.witness and not o.suspended]


def witness_seats(tx: Tx) -> list[Seat]:
    """The workers on duty of all witnesses."""
    names = [o.id for o in witnesses_of(list(tx.directory.organizations.values()))]
    seats = tx.find(Seat, role=Role.WORKER, organization_id=names, on_duty=True)
    return [seat for seat in seats if seat.person_id]


def seen_by(tx: Tx, person_id: str, number: str) -> tuple[Actor, Checkpoint]:
    """A checkpoint ('' the newest) as a worker of a witness may see it; NotFound for everybody else."""
    actor = _as_witness(tx, person_id)
    wanted = number or name_of(tx.count(Checkpoint))
    found = tx.get(Checkpoint, wanted)
    if found is None:
        raise NotFound
    return actor, found


def kept(tx: Tx, person_id: str, number: str) -> Checkpoint:
    """'We have put it away': noted for the organisation, once."""
    actor, found = seen_by(tx, person_id, number)
    allow(actor, Action.AUDIT_WITNESS)
    assert actor.organization_id is not None  # a witness is an organisation
    if actor.organization_id in found.kept_by:
        return found
    saved = tx.save(replace(found, kept_by=(*found.kept_by, actor.organization_id)))
    tx.audit(AuditEntry(actor, Action.AUDIT_WITNESS, f"checkpoint:{saved.id}", "kept"))
    for seat in witness_seats(tx):
        if seat.organization_id == actor.organization_id and seat.person_id:
            tell.quietly(tx, seat.person_id, SLOT, "worker.witness_kept", {"number": _short(saved)})
    return saved


def _as_witness(tx: Tx, person_id: str) -> Actor:
    names = {o.id for o in witnesses_of(list(tx.directory.organizations.values()))}
    for seat in doors.seats_of(tx, person_id):
        if seat.role is Role.WORKER and seat.organization_id in names:
            return Actor(person_id, seat.role, seat.organization_id)
    raise NotFound


def _hand(tx: Tx, seat: Seat, made: Checkpoint) -> None:
    assert seat.person_id is not None  # witness_seats() lists filled seats
    page = ((tell.page_button("button.look", f"witness/{made.id}"),),)
    number = {"number": _short(made)}
    tell.tell(tx, seat.person_id, "worker.witness", number, buttons=page, slot=SLOT, priority=Priority.BULK)


def _short(made: Checkpoint) -> str:
    return str(int(made.id))

"""What a coordinator does with one matter: take it up, let it go, give it to a colleague, take an offer back.

Taking is for order, never for rights: every coordinator goes on seeing every matter.
"""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.errors import AlreadyHandled, NotFound
from referrals.lifecycle import OPEN, is_open
from referrals.model import SYSTEM, Actor, AuditEntry, Referral
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.common import doors, tell
from referrals.service.matter import offering
from referrals.service.turns import offers

RECALLED = "desk"  # the reason of an offer that the desk has taken back


def take(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """Whoever takes it hears of it from now on. AlreadyHandled while a colleague who is there has it."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.DESK_TAKE)
    if referral.desk_id == person_id:
        return referral
    if not is_open(referral) or holder(tx, referral) is not None:
        raise AlreadyHandled
    return _give(tx, actor, referral, person_id, Action.DESK_TAKE)


def let_go(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """It is anybody's again, and whoever is on call hears so."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.DESK_TAKE)
    if referral.desk_id != person_id:
        return referral
    tell.quietly(tx, person_id, tell.desk_slot(referral), "desk.let_go_said", {"code": referral.code})
    return _anybodys(tx, actor, referral, person_id)


def departed(tx: Tx, person_id: str) -> None:
    """A coordinator's post was left: what they had taken up is anybody's, and whoever is on call hears so."""
    if any(seat.person_id == person_id for seat in tell.coordinators(tx)):
        return  # they sit at the desk still, on another post
    for found in tx.find(Referral, desk_id=person_id, stage=OPEN):
        referral = doors.referral_by_id(tx, found.id)
        if referral.desk_id == person_id:
            _anybodys(tx, SYSTEM, referral, person_id)


def _anybodys(tx: Tx, actor: Actor, referral: Referral, former: str) -> Referral:
    after = tx.save(replace(referral, desk_id=None))
    tx.audit(AuditEntry(actor, Action.DESK_TAKE, f"referral:{referral.id}", "let go"))
    for seat in tell.on_call(tx):
        if seat.person_id and seat.person_id != former and is_open(after):
            _tell(tx, seat.person_id, after, "desk.let_go")
    return after


def assign(tx: Tx, person_id: str, referral_id: str, seat_id: str) -> Referral:
    """Give it to a colleague who is on duty; one's own, or one that nobody has. Both are told."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.DESK_ASSIGN)
    seat = next((s for s in colleagues(tx, person_id, referral) if s.id == seat_id), None)
    if seat is None or seat.person_id is None:
        raise NotFound
    if referral.desk_id == seat.person_id:
        return referral
    held = holder(tx, referral)
    if not is_open(referral) or (held is not None and held.person_id != person_id):
        raise AlreadyHandled
    after = _give(tx, actor, referral, seat.person_id, Action.DESK_ASSIGN)
    _tell(tx, seat.person_id, after, "desk.assigned")
    return after


def holder(tx: Tx, referral: Referral) -> Seat | None:
    """The coordinator who has taken it up and is there: on duty, and reachable."""
    return tell.desk_holder(tx, referral)


def colleagues(tx: Tx, person_id: str, referral: Referral) -> list[Seat]:
    """The other coordinators on duty to whom it can be given; never whoever asked for it themselves."""
    not_them = (person_id, referral.author_id)
    return [seat for seat in tell.coordinators(tx) if seat.on_duty and seat.person_id not in not_them]


def recall(tx: Tx, person_id: str, referral_id: str) -> Referral:
    """Take the live offer back: its partner hears a kind word, and the next one's turn comes."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.DESK_RECALL)
    offer = offering.live_offer(tx, referral)
    if offer is None:
        raise AlreadyHandled
    tx.audit(AuditEntry(actor, Action.DESK_RECALL, f"referral:{referral.id}", f"offer:{offer.id}"))
    offers.take_back(tx, referral, offer, RECALLED, "worker.recalled")
    tell.settle_desk(tx, referral)
    return doors.referral_by_id(tx, referral.id)


def _give(tx: Tx, actor: Actor, referral: Referral, to: str, action: Action) -> Referral:
    """One has it; everybody else's alerts about it become 'a colleague has it', without a sound."""
    after = tx.save(replace(referral, desk_id=to))
    tx.audit(AuditEntry(actor, action, f"referral:{referral.id}", f"person:{to}"))
    for seat in tell.coordinators(tx):
        if seat.person_id and seat.person_id != to:
            tell.quietly(tx, seat.person_id, tell.desk_slot(after), "desk.taken", {"code": after.code})
    return after


def _tell(tx: Tx, person_id: str, referral: Referral, text: str) -> None:
    look = ((tell.page_button("button.look", f"matter/{referral.id}"),),)
    slot = tell.desk_slot(referral)
    tell.tell(tx, person_id, text, {"code": referral.code}, buttons=look, slot=slot)

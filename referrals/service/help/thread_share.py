"""The desk reads along in a thread, with the person's yes, from then on and not before.

What is written meanwhile is sealed under keys of its own (`DeskShare.record`), which the desk holds as long
as the yes stands and the same partner helps. Who holds which key, `sharing.settle` says.
"""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.casework import DeskShare
from referrals.errors import NotFound, WrongStage
from referrals.limits import Doing
from referrals.model import Actor, AuditEntry, Offer, Referral, ThreadEntry
from referrals.ports import Tx
from referrals.service.common import doors, limits, tell
from referrals.service.matter import matching, sharing
from referrals.thread_rules import TALKING


def begin(tx: Tx, person_id: str, referral_id: str) -> DeskShare:
    """The person's yes: from now on the desk reads and writes too. Pressed twice it is still one."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.DESK_SHARE)
    if not possible(tx, referral):
        raise WrongStage
    standing = of_offer(tx, referral.offer_id)
    if standing is not None:
        return standing
    limits.take(tx, Doing.WRITING, person_id)
    share = DeskShare(tx.new_id(), referral.id, referral.offer_id or "", tx.now)
    tx.add(share)
    _note(tx, actor, referral, share, "on")
    tell.tell_desk(tx, "desk.reads_along", referral, slot=slot(referral))
    return share


def end(tx: Tx, person_id: str, referral_id: str) -> None:
    """The person takes it back: the desk's keys to all of it go in this turn. Nothing is kept of nothing."""
    actor, referral = doors.author_of(tx, person_id, referral_id, Action.DESK_SHARE)
    for share in tx.find(DeskShare, referral_id=referral.id, ended_at=None):
        if tx.count(ThreadEntry, part=share.id, offer_id=share.offer_id):
            tx.save(replace(share, ended_at=tx.now))
        else:
            tx.remove(share)
        _note(tx, actor, referral, share, "off")
    sharing.settle(tx, referral)


def possible(tx: Tx, referral: Referral) -> bool:
    """Whether there is a thread to read along in, of a kind that the desk may see at all."""
    return referral.stage in TALKING and matching.pathway_of(tx, referral).desk_sees


def of_offer(tx: Tx, offer_id: str | None) -> DeskShare | None:
    """The yes that stands for one partner's thread, if there is one."""
    found = tx.find(DeskShare, offer_id=offer_id, ended_at=None) if offer_id else []
    return found[0] if found else None


def joined(tx: Tx, person_id: str, referral_id: str, action: Action) -> tuple[Actor, Offer, Referral]:
    """The door of a coordinator who reads along; NotFound for every other one."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, action)
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    if offer is None or not possible(tx, referral) or of_offer(tx, offer.id) is None:
        raise NotFound
    return actor, offer, referral


def slot(referral: Referral) -> str:
    """The one message in the desk's chats about a thread that it reads along in."""
    return f"share:{referral.id}"


def _note(tx: Tx, actor: Actor, referral: Referral, share: DeskShare, detail: str) -> None:
    tx.audit(AuditEntry(actor, Action.DESK_SHARE, f"referral:{referral.id}", detail))
    tx.audit(AuditEntry(actor, Action.DESK_SHARE, f"thread_part:{share.id}", detail))

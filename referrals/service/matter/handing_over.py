"""The moment in which a matter changes phones: keys, threads, wishes and chats, all in one turn."""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.casework import DeskShare
from referrals.model import (
    SYSTEM,
    AuditEntry,
    Consent,
    DataClass,
    Move,
    Offer,
    Record,
    Referral,
    person_holder,
)
from referrals.persons import SILENT, Person, Session
from referrals.ports import Tx
from referrals.service.common import tell
from referrals.service.matter import asked, tracking


def records_of(tx: Tx, referral: Referral) -> list[Record]:
    """Everything sealed that belongs to a matter: itself, its consents' private wishes, its threads."""
    consents = [c.record for c in tx.find(Consent, referral_id=referral.id)]
    offers = tx.find(Offer, referral_id=referral.id)
    threads = [record for o in offers for record in (o.thread, o.last_word)]
    shared = [s.record for s in tx.find(DeskShare, referral_id=referral.id)]
    return [referral.record, *consents, *threads, *shared]


def hand_over(tx: Tx, move: Move, referral: Referral) -> None:
    """The new phone gets the keys, then the old one loses them, all in this turn."""
    _give_keys(tx, move, referral)
    tx.save(replace(referral, author_id=move.to_person))
    for part in tx.find(Referral, parent_id=referral.id):
        _part_goes_too(tx, move, part)
    tracking.forget(tx, referral.id)
    _leave_old_phone(tx, move, referral)
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{referral.id}", "moved"))
    to = tx.get(Person, move.to_person)
    if to is not None and to.presence not in SILENT:
        buttons = ((tell.page_button("button.open", f"matter/{referral.id}"),),)
        tell.tell(
            tx, to.id, "move.here", {"code": referral.code}, buttons=buttons, slot=f"matter:{referral.id}"
        )


def _part_goes_too(tx: Tx, move: Move, part: Referral) -> None:
    """A plan's parts belong to whoever the plan belongs to."""
    if part.author_id != move.from_person:
        return  # its retention date has come: it is nobody's
    _give_keys(tx, move, part)
    tx.save(replace(part, author_id=move.to_person))
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{part.id}", "moved"))


def _give_keys(tx: Tx, move: Move, referral: Referral) -> None:
    old, new = person_holder(move.from_person), person_holder(move.to_person)
    for record in records_of(tx, referral):
        for data_class in DataClass:
            if old in tx.holders(record, data_class):
                tx.share(record, data_class, new)
        tx.unshare(record, old)


def _leave_old_phone(tx: Tx, move: Move, referral: Referral) -> None:
    """What stands or waits in the old chat about this matter goes; so do pages that are open on it."""
    for each in (referral, *tx.find(Referral, parent_id=referral.id)):
        for slot in asked.slots(tx, each):
            tell.quietly(tx, move.from_person, slot, "")
    for session in tx.find(Session, person_id=move.from_person):
        if session.page.endswith(f"/{referral.id}"):
            tx.remove(session)
    tell.tell(tx, move.from_person, "move.gone")

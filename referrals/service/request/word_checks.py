"""The desk asks some of the people whether the yes that was heard from them is true.

Whoever heard it does not ask. How the person can be reached is sealed for the desk alone, only where it has
to ask, and destroyed with the answer.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from referrals.access import Action
from referrals.errors import BadAnswer, NotFound, WrongStage
from referrals.lifecycle import ENDED
from referrals.members import WordReceipt
from referrals.model import DESK, SYSTEM, AuditEntry, DataClass, Record, Referral, Role, Stage
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Priority
from referrals.service.common import doors, tell
from referrals.service.turns import closing

AGAIN = timedelta(days=3)
YES, NO, NOT_REACHED = ANSWERS = ("yes", "no", "not_reached")
_TAKEN_BACK = (Stage.WITHDRAWN, Stage.EXPIRED, Stage.VOID)
_SUFFIX = ".word"


def begin(tx: Tx, referral: Referral, contact: str = "") -> None:
    """This yes is one of those about which the desk asks.

    A further yes comes without a word on how to reach them: then what was written down for the partner opens
    to the desk too, until it has asked.
    """
    if contact.strip():
        tx.seal(contact_record(referral.id), DataClass.CONTACT, "contact", contact.strip(), [DESK])
    elif reach_record(tx, referral) is None and tx.sealed_exists(referral.told, DataClass.CONTACT):
        tx.share(referral.told, DataClass.CONTACT, DESK)
        _note(tx, Action.ACCESS_GIVE, referral)
    _ask(tx, referral)


def waiting(tx: Tx, referral: Referral) -> WordReceipt | None:
    """The newest receipt about which the desk still has to ask, if there is one."""
    return max(_unanswered(tx, referral), key=lambda r: r.made_at, default=None)


def _unanswered(tx: Tx, referral: Referral) -> list[WordReceipt]:
    if not referral.by_word or referral.stage in _TAKEN_BACK:
        return []
    found = tx.find(WordReceipt, referral_id=referral.id, sampled=True)
    return [r for r in found if r.answer in ("", NOT_REACHED)]


def open_ones(tx: Tx) -> list[Referral]:
    """Matters about which the desk has not asked yet."""
    waiting = tx.find(WordReceipt, sampled=True, answer="")
    ids = sorted({r.referral_id for r in waiting if r.referral_id})
    found = tx.find(Referral, id=ids) if ids else []
    return [r for r in found if r.stage not in ENDED and r.author_id]


def answer(tx: Tx, person_id: str, referral_id: str, said: str) -> Referral:
    """The desk has asked, once for all that was heard. 'no' takes it back at once; a steward hears of it."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.CONSENT_CHECK)
    receipts = _unanswered(tx, referral)
    if said not in ANSWERS:
        raise BadAnswer
    if not receipts:
        raise WrongStage
    if any(receipt.witness_id == person_id for receipt in receipts):
        raise NotFound
    for receipt in receipts:
        tx.save(replace(receipt, asked_at=tx.now, asked_by=person_id, answer=said))
    tx.audit(AuditEntry(actor, Action.CONSENT_CHECK, f"referral:{referral.id}", said))
    if said == NOT_REACHED:
        tx.set_timer("word_check", _subject(referral.id), tx.now + AGAIN)
        return referral
    end(tx, referral)
    if said == YES or referral.stage in ENDED:
        return referral
    after = closing.cut(tx, actor, referral, Action.CONSENT_CHECK, "not true")
    tell.tell_author(tx, after, "matter.taken_back")
    for seat in tx.find(Seat, role=Role.STEWARD):
        if seat.person_id:
            tell.tell(tx, seat.person_id, "steward.yes_not_true", {"code": referral.code})
    return after


def due(tx: Tx, subject: str) -> None:
    """Timer: the desk has not asked, or has not reached them. It hears so again until it has."""
    referral = doors.referral_by_id(tx, subject.removesuffix(_SUFFIX))
    if waiting(tx, referral) is None or referral.stage in ENDED or not referral.author_id:
        if reach_record(tx, referral) is not None:  # nobody will ask any more
            tx.audit(AuditEntry(SYSTEM, Action.RETENTION, f"referral:{referral.id}", "word check"))
            end(tx, referral)
        return
    _ask(tx, referral)


def end(tx: Tx, referral: Referral) -> None:
    """There is nothing more to ask."""
    tx.clear_timer("word_check", _subject(referral.id))
    tx.destroy(contact_record(referral.id))
    if DESK in tx.holders(referral.told, DataClass.CONTACT):
        tx.unshare(referral.told, DESK, DataClass.CONTACT)
        _note(tx, Action.ACCESS_CUT, referral)
    for seat in tx.find(Seat, role=Role.COORDINATOR):
        if seat.person_id:
            tell.quietly(tx, seat.person_id, slot(referral.id), "desk.handled", {"code": referral.code})


def forget(tx: Tx, referral_id: str) -> None:
    """Past the matter's date no code of it does anything, and nobody is asked about it."""
    tx.destroy(contact_record(referral_id))
    tx.clear_timer("word_check", _subject(referral_id))
    for receipt in tx.find(WordReceipt, referral_id=referral_id):
        tx.remove(receipt)


def contact_record(referral_id: str) -> Record:
    """How the desk reaches them to ask."""
    return Record("word_check", referral_id)


def reach_record(tx: Tx, referral: Referral) -> Record | None:
    """Where the desk reads how to reach them; None where nobody wrote it down, or it has asked."""
    own = contact_record(referral.id)
    if tx.sealed_exists(own, DataClass.CONTACT):
        return own
    return referral.told if DESK in tx.holders(referral.told, DataClass.CONTACT) else None


def slot(referral_id: str) -> str:
    """A place of its own in the desk's chats: it must not push another alert out."""
    return f"word:{referral_id}"


def _ask(tx: Tx, referral: Referral) -> None:
    shown = slot(referral.id)
    tell.tell_desk(tx, "desk.ask_whether_true", referral, priority=Priority.BULK, slot=shown)
    tx.set_timer("word_check", _subject(referral.id), tx.now + AGAIN)


def _note(tx: Tx, action: Action, referral: Referral) -> None:
    record = referral.told
    tx.audit(AuditEntry(SYSTEM, action, f"{record.table}:{record.row}", f"{DataClass.CONTACT}:{DESK}"))


def _subject(referral_id: str) -> str:
    """A timer of its own: those of the matter are cleared at every change of its stage."""
    return referral_id + _SUFFIX

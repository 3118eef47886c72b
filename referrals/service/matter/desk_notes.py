"""What coordinators note for each other about a matter: sealed for the desk, and gone with the matter.

Other coordinators read it, with the PIN and within the day's number. Stewards hold no key to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from referrals.access import Action
from referrals.casework import DeskNote
from referrals.errors import BadAnswer, TooLong, WrongStage
from referrals.model import DESK, Actor, AuditEntry, DataClass, Referral, Stage
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.matter import reading

LIMIT = 2000
CUT = (Stage.WITHDRAWN, Stage.EXPIRED, Stage.VOID)
NOTE = "note"
SHOWN = 10  # the newest ones, opened with the page: each that is opened leaves a row in the audit


@dataclass(frozen=True, slots=True)
class Noted:
    """A note that was opened."""

    text: str
    at: datetime
    mine: bool


def note(tx: Tx, person_id: str, referral_id: str, text: str) -> DeskNote:
    """Write something down for whoever looks at this matter at the desk."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.DESK_NOTE)
    if referral.stage in CUT:  # whoever took it back has nothing more noted about them
        raise WrongStage
    words = text.strip()
    if not words:
        raise BadAnswer
    if len(words) > LIMIT:
        raise TooLong(limit=LIMIT, length=len(words))
    written = DeskNote(tx.new_id(), referral.id, person_id, tx.now)
    tx.add(written)
    tx.seal(written.record, DataClass.STORY, NOTE, words, [DESK])
    tx.audit(AuditEntry(actor, Action.DESK_NOTE, f"referral:{referral.id}"))
    return written


def notes(tx: Tx, actor: Actor, referral: Referral) -> Sequence[Noted]:
    """The newest notes, newest first; the reader passed `doors.desk_referral`. PinNeeded, TooOften."""
    return _opened(tx, actor, referral, _written(tx, referral)[:SHOWN])


def earlier(tx: Tx, person_id: str, referral_id: str) -> Sequence[Noted]:
    """All notes that are older than those, newest first. PinNeeded, TooOften."""
    actor, referral = doors.desk_referral(tx, person_id, referral_id, Action.DESK_NOTE)
    return _opened(tx, actor, referral, _written(tx, referral)[SHOWN:])


def has_earlier(tx: Tx, referral: Referral) -> bool:
    """Whether more was noted than a page opens at once."""
    return tx.count(DeskNote, referral_id=referral.id) > SHOWN


def _written(tx: Tx, referral: Referral) -> list[DeskNote]:
    return sorted(tx.find(DeskNote, referral_id=referral.id), key=lambda n: (n.at, n.id), reverse=True)


def _opened(tx: Tx, actor: Actor, referral: Referral, written: Sequence[DeskNote]) -> list[Noted]:
    found: list[Noted] = []
    for each in written:
        text = reading.open_for(tx, actor, referral, each.record, DataClass.STORY)[NOTE]
        found.append(Noted(text, each.at, each.by == actor.person_id))
    return found


def has_notes(tx: Tx, referral: Referral) -> bool:
    """Whether anything was noted."""
    return tx.count(DeskNote, referral_id=referral.id) > 0


def forget(tx: Tx, referral_id: str) -> None:
    """The retention date: notes go with their matter."""
    for each in tx.find(DeskNote, referral_id=referral_id):
        tx.destroy(each.record)
        tx.remove(each)

"""A tracking code: from another phone it shows how far a matter is and when something is due, nothing else.

No organisation, no category, no thread, no withdrawal. A code that never was, one that was replaced, one of a
matter that has ended and one that was mistyped get the same words after the same work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from referrals import codes
from referrals.access import Action
from referrals.errors import WrongStage
from referrals.lifecycle import ENDED
from referrals.limits import Doing
from referrals.model import AuditEntry, Offer, Referral, Stage, Tracking
from referrals.ports import Tx
from referrals.service.common import doors, limits
from referrals.service.matter import asked

PURPOSE = "tracking"
_NOBODYS = "-"  # an id that no row has: what is not there is looked for as long as what is

# Coarse on purpose: 'declined by three' or 'on a waiting list' would tell a stranger how it goes.
COARSE: Mapping[Stage, str] = {
    Stage.AWAITING_CONSENT: "asking",
    Stage.MATCHING: "asking",
    Stage.OFFERED: "asking",
    Stage.WAITLISTED: "asking",
    Stage.UNMATCHED: "asking",
    Stage.ACCEPTED: "helping",
    Stage.UNREACHABLE: "helping",
    Stage.IN_SERVICE: "helping",
    Stage.REPORTED: "your_word",
    Stage.DISPUTED: "helping",
}
# The timers whose due time is a promise to the person.
PROMISES = ("match", "unmatched", "first_contact", "unreachable", "confirm_wait", "dispute_wait")
TURN = ("offer_end", *asked.TIMERS)  # of an offer: until when somebody says something about it


@dataclass(frozen=True, slots=True)
class Seen:
    """What a code shows: a text key, and until when the next thing is promised."""

    stage_key: str
    next_by: datetime | None


def may_follow(referral: Referral) -> bool:
    """Whether it can have a code: a part of a plan goes where its plan goes, and a member has a receipt's."""
    return referral.stage in COARSE and not referral.by_word and referral.parent_id is None


def follow(tx: Tx, person_id: str, referral_id: str) -> str:
    """A new code for somebody's own matter; older ones end. The words are shown once and never stored."""
    actor = doors.as_author(person_id)
    referral = doors.own_referral(tx, actor, referral_id, Action.TRACK_MAKE)
    if not may_follow(referral):
        raise WrongStage
    forget(tx, referral.id)
    words = codes.spell(tx.secret(codes.TRACKING_BYTES))
    tx.add(Tracking(tx.fingerprint(PURPOSE, words), referral.id, tx.now))
    tx.audit(AuditEntry(actor, Action.TRACK_MAKE, f"referral:{referral.id}"))
    return words


def forget(tx: Tx, referral_id: str) -> None:
    """Every code of a matter ends."""
    for code in tx.find(Tracking, referral_id=referral_id):
        tx.remove(code)


def look(tx: Tx, person_id: str, typed: str) -> Seen | None:
    """What the code shows; None for every code that shows nothing. TooOften after ten looks in an hour."""
    limits.take(tx, Doing.TRACK, person_id)
    referral = matter_of(tx, typed)
    due = next_by(tx, referral)
    return None if referral is None else Seen(f"page.track.stage.{COARSE[referral.stage]}", due)


def matter_of(tx: Tx, typed: str) -> Referral | None:
    """The matter that a code belongs to; None, after the same work, where it belongs to none that is open."""
    words = codes.normal(typed, codes.TRACKING_BYTES)
    found = tx.get(Tracking, fingerprint(tx, typed))
    referral = tx.get(Referral, found.referral_id if found else _NOBODYS)
    if words is None or referral is None or referral.stage in ENDED or referral.stage not in COARSE:
        return None
    return referral


def fingerprint(tx: Tx, typed: str) -> str:
    """Under what a code (or what somebody typed instead) is looked up and its tries are counted."""
    return tx.fingerprint(PURPOSE, codes.normal(typed, codes.TRACKING_BYTES) or typed[:64])


def minutes_until(now: datetime, then: datetime) -> int:
    """Whole minutes, rounded up."""
    return -(-int((then - now).total_seconds()) // 60)


def next_by(tx: Tx, referral: Referral | None) -> datetime | None:
    """Until when the next thing is promised."""
    offer = tx.get(Offer, (referral.offer_id if referral else None) or _NOBODYS)
    timers = tx.timers_of(referral.id if referral else _NOBODYS)
    turn = [t.due_at for t in tx.timers_of(offer.id if offer else _NOBODYS) if t.kind in TURN]
    if referral is not None and referral.stage in (Stage.OFFERED, Stage.WAITLISTED) and offer is not None:
        return min(turn, default=offer.decide_by)
    return min((t.due_at for t in timers if t.kind in PROMISES), default=None)

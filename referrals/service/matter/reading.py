"""The door to what is sealed about a matter: whoever reads much is slowed down, and stewards hear numbers.

Nobody is shut out: beyond the day's number one more matter opens every quarter of an hour, and whoever has
accepted an emergency always reads it. Nothing of one's own is ever counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from referrals.access import Action
from referrals.errors import TooOften
from referrals.model import SYSTEM, Actor, AuditEntry, DataClass, Offer, Record, Referral, Role, Urgency
from referrals.persons import Seat, Tally
from referrals.ports import Tx
from referrals.said import Priority
from referrals.service.common import tell

# How many different matters somebody in a post opens in a day (UTC) before it goes more slowly.
MOST: Mapping[Role, int] = {Role.WORKER: 40, Role.MENTOR: 40, Role.COORDINATOR: 60, Role.STEWARD: 20}
EARLY = 0.8  # of that number: the stewards hear of it before it is reached
SLOW = timedelta(minutes=15)
# To accept, to read and to give back again: so often in such a stretch of time is worth a look.
RETURNS, RETURNS_WITHIN = 3, timedelta(days=30)

_DAWN = datetime(2020, 1, 1, tzinfo=UTC)


def open_for(
    tx: Tx, actor: Actor, referral: Referral, record: Record, data_class: DataClass
) -> Mapping[str, str]:
    """Open one class of a matter's record. NotSealedFor, PinNeeded; TooOften where `wait` is not 0."""
    minutes = wait(tx, actor, referral)
    if minutes:
        raise TooOften(minutes=minutes)
    return tx.open_sealed(actor, record, data_class)


def open_about(
    tx: Tx,
    actor: Actor,
    subject: str,
    record: Record,
    data_class: DataClass,
    *,
    own: bool = False,
    entrusted: bool = False,
) -> Mapping[str, str]:
    """The same for what is no matter: `subject` is what is counted once a day."""
    minutes = wait_about(tx, actor, subject, own=own, entrusted=entrusted)
    if minutes:
        raise TooOften(minutes=minutes)
    return tx.open_sealed(actor, record, data_class)


def wait(tx: Tx, actor: Actor, referral: Referral) -> int:
    """How many minutes until this matter opens for them; 0 when it opens now, which counts it for the day."""
    own = referral.author_id == actor.person_id
    return wait_about(tx, actor, referral.id, own=own, entrusted=_entrusted(actor, referral))


def wait_about(tx: Tx, actor: Actor, subject: str, *, own: bool = False, entrusted: bool = False) -> int:
    """The same for what is no matter. `own` is never counted, `entrusted` counts and never waits."""
    most = MOST.get(actor.role)
    if most is None or own:
        return 0
    day = _stretch(tx.now, timedelta(days=1))
    opened = f"read:{actor.person_id}:{day}:{subject}"
    if tx.get(Tally, opened) is not None:
        return 0
    total = f"read:{actor.person_id}:{day}"
    before = tx.get(Tally, total)
    if before is not None and before.count >= most and not entrusted:
        minutes = _slowly(tx, actor)
        if minutes:
            return minutes
    until = _DAWN + timedelta(days=day + 1)
    tx.tally(opened, until)
    _warn(tx, actor, tx.tally(total, until), most)
    return 0


def returned(tx: Tx, actor: Actor, offer: Offer, referral: Referral) -> None:
    """A partner gives back what it had accepted. If it was read, that counts; often: a steward hears.

    `offer` as it stood before it was given back.
    """
    since = offer.decided_at or offer.sent_at
    read = tx.readings(referral.told, offer.thread)
    if not any(r.organization_id == offer.organization_id and r.at >= since for r in read):
        return
    stretch = _stretch(tx.now, RETURNS_WITHIN)
    until = _DAWN + RETURNS_WITHIN * (stretch + 1)
    if tx.tally(f"returned:{actor.person_id}:{stretch}", until) % RETURNS == 0:
        _tell_stewards(tx, actor, "steward.returns", {"count": str(RETURNS)}, "returns")


def _slowly(tx: Tx, actor: Actor) -> int:
    """Beyond the day's number: one in each stretch, and the minutes to the next for whoever has had it."""
    stretch = _stretch(tx.now, SLOW)
    key, ends = f"read-slow:{actor.person_id}:{stretch}", _DAWN + SLOW * (stretch + 1)
    if tx.get(Tally, key) is not None:
        return max(1, -((tx.now - ends) // timedelta(minutes=1)))
    tx.tally(key, ends)
    return 0


def _entrusted(actor: Actor, referral: Referral) -> bool:
    return referral.urgency is Urgency.EMERGENCY and referral.accepted_by == actor.person_id


def _warn(tx: Tx, actor: Actor, count: int, most: int) -> None:
    if count in (int(most * EARLY), most):
        _tell_stewards(tx, actor, "steward.reading", {"count": str(count), "most": str(most)}, str(count))


def _tell_stewards(tx: Tx, actor: Actor, text: str, params: Mapping[str, str], code: str) -> None:
    """Numbers only, in the chat; who it is about stands in the audit."""
    tx.audit(AuditEntry(SYSTEM, Action.READING_CAP, f"person:{actor.person_id}", code))
    for seat in tx.find(Seat, role=Role.STEWARD):
        if seat.person_id:
            tell.tell(tx, seat.person_id, text, params, priority=Priority.BULK)


def _stretch(now: datetime, within: timedelta) -> int:
    return (now - _DAWN) // within

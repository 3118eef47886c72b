"""Every kind of timer and the verb that it calls. A timer enters by the same verbs as a tap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from referrals.ports import Tx
from referrals.service import (
    checkins,
    closing,
    conversations,
    crisis,
    desk,
    devices,
    ending,
    filing,
    joining,
    leaving,
    letting_in,
    matching,
    moving,
    mydata,
    offers,
    people,
    retention,
    witnessing,
    working,
)

TIMERS: Mapping[str, Callable[[Tx, str], None]] = {
    "match": matching.match,
    "offer_acknowledge": offers.unacknowledged,
    "offer_half": offers.half_time,
    "offer_three_quarters": offers.three_quarters,
    "offer_end": offers.lapse,
    "unmatched": desk.unmatched_overdue,
    "first_contact": working.contact_overdue,
    "heartbeat": working.heartbeat,
    "cut_off": working.still_cut_off,
    "consent_end": ending.consent_over,
    "agreement_end": ending.agreement_turned,
    "confirm_wait": closing.close_unconfirmed,
    "dispute_wait": desk.dispute_overdue,
    "draft_purge": filing.purge_draft,
    "retention": retention.retire,
    "sweep": retention.sweep,
    "delete_person": leaving.day_over,
    "forget_person": leaving.last_words,
    "download": mydata.download_over,
    "move_due": moving.due,
    "device_ready": letting_in.ready,
    "device_unused": devices.unused,
    "conversation": conversations.expire,
    "scrap": people.drop_scrap,
    "check_in": checkins.remind,
    "check_in_missed": checkins.missed,
    "undo_over": checkins.undo_over,
    "crisis": crisis.escalate,
    "unreachable_person": people.unreachable,
    "invitation": joining.expire,
    "checkpoint": witnessing.daily,
}


def begin(tx: Tx) -> None:
    """At each start of the product: what every network waits for; what waits already stays as it is."""
    witnessing.begin(tx)
    retention.begin(tx)


def fire(tx: Tx, timer_id: str, due_at: datetime) -> None:
    """Take one due timer and do what it stands for, in this one transaction.

    A timer that was moved, cleared or taken meanwhile does nothing.
    """
    timer = tx.take_timer(timer_id, due_at)
    if timer is not None:
        TIMERS[timer.kind](tx, timer.subject)

"""What ends by itself: a person's yes, an organisation's agreement. Access ends with it, and nobody waits on.

A suspension comes from a network file (`network.py`) and goes the same way as an agreement's end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta

from referrals import schedule
from referrals.access import Action
from referrals.catalogue import Handling
from referrals.directory import Agreement
from referrals.lifecycle import ENDED, HELD, LIVE_OFFERS, OPEN
from referrals.model import SYSTEM, AuditEntry, Consent, Offer, OfferStage, Referral, Stage
from referrals.ports import Tx
from referrals.service.alarm import safety_sharing
from referrals.service.attendance import attendance_ends
from referrals.service.common import doors, tell
from referrals.service.help import working
from referrals.service.joint import transfers
from referrals.service.lasting import agreements
from referrals.service.matter import asked, matching, offering, sharing
from referrals.service.turns import offers

AGREEMENT = "agreement_end"  # the timer of an agreement's first and last day


def consent_over(tx: Tx, consent_id: str) -> None:
    """Timer: a yes has run out. The partner's keys go; the person, the partner and the desk are told."""
    given = tx.get(Consent, consent_id)
    if given is None or given.withdrawn_at is not None:
        return
    referral = doors.referral_by_id(tx, given.referral_id)
    if doors.consent_in_force(tx, referral) is not None:
        return  # a newer yes holds
    sharing.settle(tx, referral)
    if referral.stage in ENDED:
        return
    if referral.stage in (Stage.OFFERED, Stage.MATCHING, Stage.WAITLISTED):
        offer = offering.live_offer(tx, referral)
        if offer is not None:
            offers.take_back(tx, referral, offer, "consent_over")
        offering.run_out(tx, doors.referral_by_id(tx, referral.id), "matter.consent_over")
        return
    if referral.next_offer_id is not None:  # whoever was to take over may not either
        offers.recall_next(tx, referral)
        referral = tx.save(replace(referral, next_offer_id=None))
    if referral.organization_id is not None:
        _cut_off(tx, referral)
    own = not referral.parent_id and matching.pathway_of(tx, referral).handling is Handling.OFFER
    again = own and referral.stage in (*HELD, Stage.DISPUTED)  # its page asks for a yes again (`going_on.py`)
    tell.tell_author(tx, referral, "matter.consent_over_again" if again else "matter.consent_over")


def agreement_turned(tx: Tx, agreement_id: str) -> None:
    """Timer: an agreement's first day has begun, or its last one is over, in the organisation's zone."""
    agreement = next((a for a in tx.directory.agreements if a.id == agreement_id), None)
    if agreement is not None:
        watch(tx, agreement)
        review(tx, agreement.organization_id)


def watch(tx: Tx, agreement: Agreement) -> None:
    """Set the timer of an agreement to the next instant at which it comes into force or out of it."""
    coming = [at for at in _turns(tx, agreement) if at > tx.now]
    if coming:
        tx.set_timer(AGREEMENT, agreement.id, min(coming))
    else:
        tx.clear_timer(AGREEMENT, agreement.id)
    agreements.watch(tx, agreement)


def review(tx: Tx, organization_id: str) -> None:
    """After a change of what binds an organisation: its keys, its offers, and whoever waits for it."""
    safety_sharing.review(tx, organization_id)
    attendance_ends.review(tx, organization_id)
    transfers.review(
        tx, (s.id for s in tx.directory.services.values() if s.organization_id == organization_id)
    )
    for offer in tx.find(Offer, organization_id=organization_id, stage=LIVE_OFFERS):
        referral = doors.referral_by_id(tx, offer.referral_id)
        if not offers.may_decide(tx, offer, referral):
            offers.take_back(tx, referral, offer, "agreement_over")
    for referral in tx.find(Referral, organization_id=organization_id, stage=(*OPEN, Stage.CLOSED)):
        if referral.stage is Stage.CLOSED and not matching.pathway_of(tx, referral).classes.get(Stage.CLOSED):
            continue  # its partner's keys went when it was closed
        sharing.settle(tx, referral)
        review_matter(tx, referral)


def review_matter(tx: Tx, referral: Referral) -> None:
    """The same for one matter, whose keys are settled: its partner stops, or works on, where that is new."""
    known = any(t.kind == working.CUT_OFF for t in tx.timers_of(referral.id))
    if referral.stage in ENDED or known is not bool(sharing.readable(tx, referral)):
        return
    if known:
        _goes_on(tx, referral)
    else:
        _cut_off(tx, referral)
        tell.tell_author(tx, referral, "matter.partner_stopped")


def service_gone(tx: Tx, service_id: str) -> None:
    """A service is in the network file no more: its offers are taken back, and the desk looks at the rest.

    Who has accepted goes on for now: the person said yes to that partner, whose agreement still binds.
    """
    transfers.review(tx, (service_id,))
    for offer in tx.find(Offer, service_id=service_id, stage=(*LIVE_OFFERS, OfferStage.ACCEPTED)):
        referral = doors.referral_by_id(tx, offer.referral_id)
        if offer.id not in (referral.offer_id, referral.next_offer_id) or referral.stage in ENDED:
            continue
        if offer.stage is OfferStage.ACCEPTED:
            working.escalate(tx, referral, "desk.service_gone")
        else:
            offers.take_back(tx, referral, offer, "service_gone")


def _goes_on(tx: Tx, referral: Referral) -> None:
    """What had cut the partner off is over: it may work on, and nobody moves the matter any more."""
    tx.clear_timer(working.CUT_OFF, referral.id)
    after = tx.save(replace(referral, escalated=False))
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{referral.id}", "goes on"))
    tell.settle_desk(tx, after)
    tell.tell_partner(tx, after, "worker.goes_on", opens="button.open")
    tell.tell_author(tx, after, "matter.partner_back")


def _cut_off(tx: Tx, referral: Referral) -> None:
    """The partner may not work on: it hears so, and the desk holds the matter until it has moved it."""
    tell.tell_partner(tx, referral, "worker.cut_off")
    transfers.drop(tx, referral)
    asked.dates_over(tx, referral)
    working.escalate(tx, referral, "desk.cut_off")
    tx.set_timer(working.CUT_OFF, referral.id, tx.now + working.OVERDUE_EVERY)


def _turns(tx: Tx, agreement: Agreement) -> Iterator[datetime]:
    """Midnight before the first day and after the last, in the organisation's own zone."""
    organization = tx.directory.organizations.get(agreement.organization_id)
    if organization is not None:
        for day in (agreement.starts_on, agreement.ends_on + timedelta(days=1)):
            yield schedule.instant_of(day, time(0), organization.timezone)

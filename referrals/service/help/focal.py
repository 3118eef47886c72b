"""What the desk would hear of and may not: a complaint that is late, disputed, or that nobody can take.

Another focal point hears that something waits; where none is left, the stewards hear that and a code. What a
coordinator would decide about any other matter is decided here by rule, because no coordinator may see it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from referrals.access import Action
from referrals.consent import agreement_for, day_of
from referrals.lifecycle import ENDED, Step, move
from referrals.model import SYSTEM, AuditEntry, Referral, Role, Stage
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.common import complaints, doors, tell
from referrals.service.matter import matching, offering, sharing
from referrals.service.turns import closing, offers

AGAIN = timedelta(days=1)  # the stewards hear of it so often, as long as nobody has moved it
SAID = ("worker.focal_waits", "steward.focal_waits")
_HELD = (Stage.ACCEPTED, Stage.IN_SERVICE)


def due(tx: Tx, referral_id: str) -> None:
    """Timer: something about a complaint waits for a human. Whoever is left hears of it; by rule it moves on.

    A focal point that is late is reminded like every partner; late for a second day it loses the complaint to
    the next one of the consented plan. One whose answer the person does not accept, or that may read nothing
    of it any more, loses it at once.
    """
    referral = doors.referral_by_id(tx, referral_id)
    if referral.stage in ENDED or not complaints.hidden(tx, referral):
        return
    if _loses_it(tx, referral):
        _move_on(tx, referral)
        return
    if referral.stage is Stage.UNREACHABLE and _late_again(tx, referral):
        closing.close_unreached(tx, referral)
        return
    _tell(tx, referral)


def _loses_it(tx: Tx, referral: Referral) -> bool:
    if referral.stage not in _HELD:
        return referral.stage is Stage.DISPUTED
    agreed = doors.consent_in_force(tx, referral) is not None  # else nobody else may be asked either
    return (agreed and not sharing.readable(tx, referral)) or _late_again(tx, referral)


def _late_again(tx: Tx, referral: Referral) -> bool:
    if not referral.escalated:
        return False
    since = referral.stage_since.isoformat()
    return tx.tally(f"focal:{referral.id}:{since}", tx.now + timedelta(days=60)) > 1


def _move_on(tx: Tx, referral: Referral) -> None:
    """The next focal point of the plan that the person has agreed to; without one, it is theirs to choose."""
    step = Step.RETURN if referral.stage in _HELD else Step.REMATCH
    moved = move(referral, step, tx.now)
    offers.recall(tx, referral, "worker.no_longer_open")
    refused = {offer.service_id for offer in matching.refusals(tx, referral)}
    done = [service for service in referral.plan if service in refused]
    left = [service for service in referral.plan if service not in refused]
    restarted = replace(closing.restarted(moved), plan=(*done, *left), position=len(done))
    after = tx.save(restarted)
    sharing.settle(tx, after)
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{after.id}", "another focal point"))
    tx.clear_timers(after.id)
    offering.start_matching(tx, after)
    tell.tell_author(tx, after, "matter.returned")


def _tell(tx: Tx, referral: Referral) -> None:
    """Another focal point, else the stewards: never anybody whom it may be about."""
    concerned = complaints.concerned(tx, referral) | {referral.author_id}
    others = [s for s in _other_focal_points(tx, referral) if s.person_id not in concerned]
    stewards = [s for s in tx.find(Seat, role=Role.STEWARD) if s.person_id not in concerned]
    heard = False
    for seat in others:
        if seat.person_id:
            slot = f"focal:{referral.id}"
            heard |= tell.tell(tx, seat.person_id, "worker.focal_waits", slot=slot)
    for seat in () if heard else stewards:
        if seat.person_id:
            code = {"code": referral.code}
            tell.tell(tx, seat.person_id, "steward.focal_waits", code, slot=f"focal:{referral.id}")
    if not heard:
        tx.set_timer(tell.WITHOUT_DESK, referral.id, tx.now + AGAIN)


def _other_focal_points(tx: Tx, referral: Referral) -> list[Seat]:
    """Workers of the organisations that take such matters, but for those too close and whose turn it is."""
    offer = offering.live_offer(tx, referral)
    pathway = matching.pathway_of(tx, referral)
    turn = {referral.organization_id, offer.organization_id if offer else None}
    not_these = turn | complaints.too_close(tx, referral)
    found: list[Seat] = []
    for service in tx.directory.services_of_category.get(referral.category, ()):
        organization = tx.directory.organizations[service.organization_id]
        day = day_of(organization, tx.now)
        bound = agreement_for(tx.directory, organization.id, pathway.id, day, pathway.purposes)
        if bound is not None and organization.id not in not_these and not organization.suspended:
            found += tell.workers(tx, organization.id)
            not_these |= {organization.id}
    return found

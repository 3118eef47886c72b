"""From 'matching' to one live offer, or to the desk: the consented plan is walked in its order.

Consent and agreement are checked again at every offer. An offer of a normal matter leaves after a random
pause; at most `max_hops` partners are asked without the desk.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from referrals import consent as consents
from referrals import routing, schedule
from referrals.access import Action
from referrals.directory import OpeningTimes
from referrals.lifecycle import HELD, LIVE_OFFERS, OFFER_DELAY_S, OfferStep, Step, move, move_offer
from referrals.model import SYSTEM, AuditEntry, Offer, OfferStage, Referral, Stage, Urgency
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Keyboard, Priority
from referrals.service.common import complaints, doors, tell
from referrals.service.matter import asked, matching, matter_codes

LADDER = ("offer_acknowledge", "offer_half", "offer_three_quarters", "offer_end")


def save_step(tx: Tx, before: Referral, step: Step, actor_detail: str = "", **changes: object) -> Referral:
    """Apply one step as the system, write it down, and return the saved referral."""
    after = tx.save(replace(move(before, step, tx.now), **changes))  # type: ignore[arg-type]
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{before.id}", actor_detail or step.value))
    return after


def start_matching(tx: Tx, referral: Referral) -> None:
    """Set the timer that looks for the next partner. Call it whenever a referral enters `matching`."""
    pause = timedelta(seconds=tx.draw(*OFFER_DELAY_S)) if referral.urgency is Urgency.NORMAL else timedelta()
    tx.set_timer("match", referral.id, tx.now + pause)


def match(tx: Tx, referral_id: str) -> None:
    """Offer the referral to the plan's next partner, or hand it to the desk (timer 'match')."""
    referral = doors.referral_by_id(tx, referral_id)
    if referral.stage is not Stage.MATCHING:
        return
    given = doors.consent_in_force(tx, referral)
    pathway = matching.pathway_of(tx, referral)
    if given is not None and not consents.stands_for(given, referral, pathway):
        # Nobody new is asked without a new yes, and the page says what is different.
        choose = tell.page_button("button.choose", tell.plan_page(referral))
        run_out(tx, referral, "matter.ask_anew", ((choose,),))
        return
    if given is None or referral.hops >= pathway.max_hops:
        run_out(tx, referral)
        return
    need = matching.need_of(tx, referral, matching.exclusions_of(tx, referral))
    for position in range(referral.position, len(referral.plan)):
        service_id = referral.plan[position]
        if not consents.covers(given, service_id, tx.now):
            continue
        if routing.still_fits(need, service_id, tx.directory) is not None:
            continue
        but = tuple(complaints.concerned(tx, referral))
        worker = _next_worker(tx, tx.directory.services[service_id].organization_id, but)
        if worker is not None:
            _offer(tx, replace(referral, position=position + 1), service_id, worker)
            return
    run_out(tx, replace(referral, position=len(referral.plan)))


def run_out(
    tx: Tx, referral: Referral, text: str = "matter.desk_looks", buttons: Keyboard | None = None
) -> None:
    """Nobody is left in the consented plan: the desk holds it now, and the person is told so."""
    tx.clear_timer("match", referral.id)
    if complaints.hidden(tx, referral):  # no desk looks for another way: the person chooses anew
        text, buttons = "matter.focal_none", ((tell.page_button("button.choose", tell.plan_page(referral)),),)
    after = save_step(tx, referral, Step.RUN_OUT, offer_id=None, escalated=True)
    wait = matching.pathway_of(tx, after).deadlines[after.urgency].unmatched
    tx.set_timer("unmatched", after.id, tx.now + schedule.elapsed(wait))
    tell.tell_desk(tx, "desk.unmatched", after, priority=_priority(after))
    tell.tell_author(tx, after, text, buttons=buttons)


def end_turn(tx: Tx, referral: Referral, offer: Offer, step: OfferStep, reason: str | None) -> None:
    """A partner's turn is over without a yes: close the offer and let the next one's turn come."""
    clear_ladder(tx, offer.id)
    asked.over(tx, referral, offer)
    decided = replace(move_offer(offer, step), decided_at=tx.now, reason=reason)
    tx.save(decided)
    if referral.next_offer_id == offer.id:
        _stays(tx, referral)
        return
    after = save_step(tx, referral, Step.PASS_ON, f"offer:{step}", offer_id=None)
    start_matching(tx, after)


def _stays(tx: Tx, referral: Referral) -> None:
    """Whoever was asked to take over does not: the partner who helps goes on, and nothing has changed."""
    after = tx.save(replace(referral, next_offer_id=None))
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{after.id}", "stays"))
    tell.tell_partner(tx, after, "worker.stays", slot=":transfer")
    tell.tell_author(tx, after, "matter.stays")


def offer_beside(tx: Tx, referral: Referral, service_id: str) -> Offer | None:
    """An offer to take over from the partner who helps until then; None where nobody may be asked any more.

    The yes is minutes old, or hours where the product stood still: what binds is looked at as at every offer.
    """
    given = doors.consent_in_force(tx, referral)
    if given is None or not consents.covers(given, service_id, tx.now):
        return None
    if not matching.may_ask(tx, referral, service_id):
        return None
    but = tuple(complaints.concerned(tx, referral))
    worker = _next_worker(tx, tx.directory.services[service_id].organization_id, but)
    if worker is None or worker.person_id is None:
        return None
    offer = _new_offer(tx, referral, service_id, worker.person_id)
    tx.add(offer)
    set_ladder(tx, referral, offer, tx.now)
    alert_worker(tx, referral, offer, worker.person_id, "worker.new_offer")
    return offer


def clear_ladder(tx: Tx, offer_id: str) -> None:
    """Drop every timer of an offer."""
    for kind in (*LADDER, *asked.TIMERS):
        tx.clear_timer(kind, offer_id)


def live_offer(tx: Tx, referral: Referral) -> Offer | None:
    """The offer that somebody still has to decide, if there is one."""
    if referral.offer_id is None:
        return None
    offer = tx.get(Offer, referral.offer_id)
    return offer if offer is not None and offer.stage in LIVE_OFFERS else None


def second_worker(tx: Tx, offer: Offer) -> Seat | None:
    """Another worker of the same organisation who has not been told yet."""
    referral = doors.referral_by_id(tx, offer.referral_id)
    return _next_worker(tx, offer.organization_id, (*offer.told, *complaints.concerned(tx, referral)))


def alert_worker(tx: Tx, referral: Referral, offer: Offer, person_id: str, text: str) -> None:
    """Tell one worker that an offer waits; what it is about shows after a tap."""
    tell.tell(
        tx,
        person_id,
        text,
        {"code": offer.code, "by": tell.iso(offer.decide_by)},
        buttons=tell.column([tell.press("button.show", "offer.show", offer.id)]),
        slot=tell.offer_slot(offer.id),
        priority=_priority(referral),
    )


def opening_times(tx: Tx, organization_id: str, service_id: str = "") -> OpeningTimes:
    """The partner's own working time; that of the very service where it has hours of its own."""
    service = tx.directory.services.get(service_id)
    return tx.directory.times_of(service) if service else tx.directory.opening_times(organization_id)


def _offer(tx: Tx, referral: Referral, service_id: str, worker: Seat) -> None:
    assert worker.person_id is not None  # _next_worker returns filled seats
    offer = _new_offer(tx, referral, service_id, worker.person_id)
    tx.add(offer)
    after = save_step(tx, referral, Step.OFFER, offer_id=offer.id, hops=referral.hops + 1)
    set_ladder(tx, after, offer, tx.now)
    alert_worker(tx, after, offer, worker.person_id, "worker.new_offer")
    text = "matter.asked" if after.hops == 1 else "matter.next_asked"
    tell.tell_author(tx, after, text, {"by": tell.iso(offer.decide_by)})


def _new_offer(tx: Tx, referral: Referral, service_id: str, worker_id: str) -> Offer:
    service = tx.directory.services[service_id]
    times = opening_times(tx, service.organization_id, service_id)
    deadlines = matching.pathway_of(tx, referral).deadlines[referral.urgency]
    clock = complaints.clock(tx, referral)
    return Offer(
        id=tx.new_id(),
        referral_id=referral.id,
        service_id=service_id,
        organization_id=service.organization_id,
        stage=OfferStage.SENT,
        sent_at=tx.now,
        acknowledge_by=schedule.deadline(deadlines.acknowledge, times, tx.now, clock),
        decide_by=schedule.deadline(deadlines.decide, times, tx.now, clock),
        told=(worker_id,),
        code=matter_codes.fresh(tx),
    )


def set_ladder(tx: Tx, referral: Referral, offer: Offer, start: datetime) -> None:
    """Acknowledge, half time, three quarters, end: measured in the partner's own working time."""
    times = opening_times(tx, offer.organization_id, offer.service_id)

    def part(share: float) -> datetime:
        return schedule.part_way(times, start, offer.decide_by, share, complaints.clock(tx, referral))

    if offer.seen_at is None:
        tx.set_timer("offer_acknowledge", offer.id, offer.acknowledge_by)
    tx.set_timer("offer_half", offer.id, part(0.5))
    tx.set_timer("offer_three_quarters", offer.id, part(0.75))
    tx.set_timer("offer_end", offer.id, offer.decide_by)


def _next_worker(tx: Tx, organization_id: str, told: tuple[str, ...]) -> Seat | None:
    free = [seat for seat in tell.workers(tx, organization_id) if seat.person_id not in told]
    load = {seat.id: tx.count(Referral, accepted_by=seat.person_id, stage=HELD) for seat in free}
    return min(free, key=lambda seat: (load[seat.id], seat.id), default=None)


def _priority(referral: Referral) -> Priority:
    return Priority.CRISIS if referral.urgency is Urgency.EMERGENCY else Priority.ALERT

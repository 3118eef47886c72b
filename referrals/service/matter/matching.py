"""From 'matching' to one live offer, or to the desk: the consented plan is walked in its order.

Consent and agreement are checked again at every offer. An offer of a normal matter leaves after a random
pause; at most `max_hops` partners are asked without the desk.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from referrals import consent as consents
from referrals import freshness, routing, schedule, tasks
from referrals.access import Action
from referrals.catalogue import Pathway
from referrals.directory import Capacity, OpeningTimes, OrganizationKind
from referrals.lifecycle import HELD, LIVE_OFFERS, OFFER_DELAY_S, OfferStep, Step, move, move_offer
from referrals.members import Enrolment
from referrals.model import (
    SYSTEM,
    Actor,
    AuditEntry,
    Consent,
    DataClass,
    Offer,
    OfferStage,
    Outcome,
    Referral,
    Role,
    Stage,
    Urgency,
)
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Keyboard, Priority
from referrals.service.common import complaints, doors, tell
from referrals.service.matter import asked, matter_codes

# Why an accepted offer was taken back: a yes or an agreement had ended, and that is nobody's no.
CUT_OFF = "cut_off"
FULL = "full"
_NOT_THEIRS = (OfferStage.DECLINED, OfferStage.RECALLED)
LATELY = timedelta(days=14)  # whoever was asked within these days is asked after others that are as fit
NEWEST = 50
LADDER = ("offer_acknowledge", "offer_half", "offer_three_quarters", "offer_end")


class Standings(Mapping[str, routing.Standing]):
    """Load and kept promises of an organisation, counted when a plan asks; nothing older than two years."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def __getitem__(self, organization_id: str) -> routing.Standing:
        now, offers = self._tx.now, self.offers(organization_id)
        kept, missed = freshness.promises(offers, now)
        seats = self._tx.find(Seat, organization_id=organization_id, role=Role.WORKER)
        return routing.Standing(
            live=self.held(organization_id),
            kept=kept,
            missed=missed,
            recent=sum(now - offer.sent_at <= LATELY for offer in offers),
            seats=sum(seat.person_id is not None for seat in seats),
        )

    def offers(self, organization_id: str) -> list[Offer]:
        """Its newest offers: so many that a plan stays quick."""
        start = self._tx.now - freshness.REMEMBERED
        return self._tx.since(Offer, "sent_at", start, NEWEST, organization_id=organization_id)

    def held(self, organization_id: str) -> int:
        """How many matters it has."""
        return self._tx.count(Referral, organization_id=organization_id, stage=(*HELD, Stage.WAITLISTED))

    def __iter__(self) -> Iterator[str]:
        return iter(self._tx.directory.organizations)

    def __len__(self) -> int:
        return len(self._tx.directory.organizations)


def pathway_of(tx: Tx, referral: Referral) -> Pathway:
    """The pathway that the referral was filed under."""
    return tx.catalogue.pathways[referral.pathway]


def need_of(tx: Tx, referral: Referral, exclusions: routing.Exclusions) -> routing.Need:
    """What the rules need to know of a referral in order to match it."""
    return routing.Need(
        pathway=pathway_of(tx, referral),
        category=referral.category,
        area=referral.area,
        urgency=referral.urgency,
        language=referral.language,
        age_group=referral.age_group,
        exclusions=exclusions,
        author_organizations=_too_close(tx, referral) | rivals(tx, referral),
        now=tx.now,
        gender=referral.gender,
        receivers=_receivers(tx, referral),
    )


def rivals(tx: Tx, referral: Referral) -> frozenset[str]:
    """Who does a part of the same plan that the same must not do too: an evaluator is never the provider."""
    if not referral.parent_id:
        return frozenset()
    others = set(tasks.rivals(pathway_of(tx, referral).tasks, referral.task))
    parts = tx.find(Referral, parent_id=referral.parent_id)
    return frozenset(p.organization_id for p in parts if p.task in others and p.organization_id)


def _receivers(tx: Tx, referral: Referral) -> tuple[OrganizationKind, ...]:
    """Of a part of a plan the kinds that its task names; () where it names none."""
    kinds = pathway_of(tx, referral).tasks if referral.task else ()
    return next((kind.receivers for kind in kinds if kind.id == referral.task), ())


def _too_close(tx: Tx, referral: Referral) -> frozenset[str]:
    """Where somebody works who asks, who filed it for them, or who walks beside the member as a mentor; and
    whom a complaint is about.
    """
    enrolment = tx.get(Enrolment, referral.enrolment_id or "") if referral.enrolment_id else None
    near = {referral.author_id, referral.referrer_id or ""} - {""}
    seats = [seat for person_id in sorted(near) for seat in doors.seats_of(tx, person_id)]
    if enrolment is not None:
        ids = filter(None, (enrolment.mentor_seat, enrolment.backup_seat, enrolment.stand_in_seat))
        seats += [seat for seat_id in ids if (seat := tx.get(Seat, seat_id)) is not None]
    works = frozenset(seat.organization_id for seat in seats if seat.organization_id)
    return works | complaints.too_close(tx, referral)


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
    pathway = pathway_of(tx, referral)
    if given is not None and not consents.stands_for(given, referral, pathway):
        # Nobody new is asked without a new yes, and the page says what is different.
        choose = tell.page_button("button.choose", tell.plan_page(referral))
        run_out(tx, referral, "matter.ask_anew", ((choose,),))
        return
    if given is None or referral.hops >= pathway.max_hops:
        run_out(tx, referral)
        return
    exclusions = exclusions_of(tx, referral)
    for position in range(referral.position, len(referral.plan)):
        service_id = referral.plan[position]
        if not consents.covers(given, service_id, tx.now) or _unfit(tx, referral, service_id, exclusions):
            continue
        but = tuple(complaints.concerned(tx, referral))
        worker = _next_worker(tx, tx.directory.services[service_id].organization_id, but)
        if worker is not None:
            _offer(tx, replace(referral, position=position + 1), service_id, worker)
            return
    run_out(tx, replace(referral, position=len(referral.plan)))


def exclusions_of(tx: Tx, referral: Referral) -> routing.Exclusions:
    """The private wishes of the consent in force, opened by the matching process alone."""
    given = doors.consent_in_force(tx, referral)
    return wishes_of(tx, SYSTEM, given) if given else routing.Exclusions()


def wishes_of(tx: Tx, actor: Actor, given: Consent) -> routing.Exclusions:
    """The private wishes of one consent, opened by whoever holds a key to them."""
    opened = tx.open_sealed(actor, given.record, DataClass.STORY)
    return routing.Exclusions(
        organizations=frozenset(opened.get("exclude_organizations", "").split()),
        kinds=frozenset(OrganizationKind(k) for k in opened.get("exclude_kinds", "").split()),
        lacks=frozenset(opened.get("lacks", "").split()),
        helper=opened.get("helper", ""),
    )


def sealed_wishes(wishes: routing.Exclusions) -> dict[str, str]:
    """The columns of a consent under which private wishes are sealed; `wishes_of` reads them again."""
    return {
        "exclude_organizations": " ".join(sorted(wishes.organizations)),
        "exclude_kinds": " ".join(sorted(wishes.kinds)),
        "lacks": " ".join(sorted(wishes.lacks)),
        "helper": wishes.helper,
    }


def refusals(tx: Tx, referral: Referral) -> list[Offer]:
    """Offers whose partner said no, or said yes and did not keep it: no means no.

    Of a part of a plan also what was said when it had begun before, as a matter of its own each time.
    """
    ended = tx.find(Offer, referral_id=referral.id, stage=_NOT_THEIRS)
    said = [o for o in ended if o.decided_by is not None and o.reason != CUT_OFF]
    if not referral.parent_id:
        return said
    times = tx.find(Referral, parent_id=referral.parent_id, task=referral.task)
    return said + [o for each in times if each.id != referral.id for o in _earlier(tx, each)]


def refused(tx: Tx, referral: Referral, passes: Collection[str] = ()) -> frozenset[str]:
    """The services of those, but for a no with one of these reasons: it may be a yes by now."""
    return frozenset(no.service_id for no in refusals(tx, referral) if no.reason not in passes)


def from_the_start(referral: Referral, noes: Collection[str]) -> Referral:
    """The referral with its whole plan before it, but for those who have said no: their turn is over."""
    over, left = ([s for s in referral.plan if (s in noes) is said] for said in (True, False))
    return replace(referral, plan=(*over, *left), position=len(over))


def _earlier(tx: Tx, before: Referral) -> Iterator[Offer]:
    """Who said no that time, or tried and could not; who was full may have said since that there is room."""
    could_not = (OfferStage.ACCEPTED,) if before.outcome is Outcome.UNMET else ()
    for offer in tx.find(Offer, referral_id=before.id, stage=(*_NOT_THEIRS, *could_not)):
        decided = offer.decided_by is not None and offer.reason != CUT_OFF
        if decided and not (offer.reason == FULL and _has_room(tx, offer)):
            yield offer


def _has_room(tx: Tx, offer: Offer) -> bool:
    service = tx.directory.services.get(offer.service_id)
    if service is None or service.capacity_confirmed_on is None or offer.decided_at is None:
        return False
    day = consents.day_of(tx.directory.organizations[service.organization_id], offer.decided_at)
    return service.capacity is not Capacity.FULL and service.capacity_confirmed_on > day


def run_out(
    tx: Tx, referral: Referral, text: str = "matter.desk_looks", buttons: Keyboard | None = None
) -> None:
    """Nobody is left in the consented plan: the desk holds it now, and the person is told so."""
    tx.clear_timer("match", referral.id)
    if complaints.hidden(tx, referral):  # no desk looks for another way: the person chooses anew
        text, buttons = "matter.focal_none", ((tell.page_button("button.choose", tell.plan_page(referral)),),)
    after = save_step(tx, referral, Step.RUN_OUT, offer_id=None, escalated=True)
    wait = pathway_of(tx, after).deadlines[after.urgency].unmatched
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
    if (
        given is None
        or not consents.covers(given, service_id, tx.now)
        or not may_ask(tx, referral, service_id)
    ):
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


def may_ask(tx: Tx, referral: Referral, service_id: str) -> bool:
    """Whether a service of a plan can be asked now, by every rule and by the person's own wishes."""
    return not _unfit(tx, referral, service_id, exclusions_of(tx, referral))


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
    deadlines = pathway_of(tx, referral).deadlines[referral.urgency]
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


def _unfit(tx: Tx, referral: Referral, service_id: str, exclusions: routing.Exclusions) -> bool:
    need = need_of(tx, referral, exclusions)
    return routing.still_fits(need, service_id, tx.directory) is not None


def _next_worker(tx: Tx, organization_id: str, told: tuple[str, ...]) -> Seat | None:
    free = [seat for seat in tell.workers(tx, organization_id) if seat.person_id not in told]
    load = {seat.id: tx.count(Referral, accepted_by=seat.person_id, stage=HELD) for seat in free}
    return min(free, key=lambda seat: (load[seat.id], seat.id), default=None)


def _priority(referral: Referral) -> Priority:
    return Priority.CRISIS if referral.urgency is Urgency.EMERGENCY else Priority.ALERT

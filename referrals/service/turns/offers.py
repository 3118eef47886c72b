"""A partner's turn: see, accept, decline; and the ladder of timers when nobody answers.

Guards stand here, never only in a button. Buttons are safe to press twice: the second press of the same
person finds the work done and says so kindly.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from referrals import schedule
from referrals.access import Action
from referrals.errors import AlreadyHandled, BadAnswer, DoesAnotherPart, NoConsent, NotFound, OfferOver
from referrals.lifecycle import LIVE_OFFERS, OfferStep, Step, move, move_offer
from referrals.model import SYSTEM, Actor, AuditEntry, Offer, OfferStage, Referral, Stage, Urgency
from referrals.ports import Tx
from referrals.said import Priority
from referrals.service.common import complaints, doors, tell
from referrals.service.matter import asked, capacity, matching, offering, plan_parts, sharing
from referrals.service.turns import beginning
from referrals.views import Choice, OfferView

HANDED_OVER = "handed_over"  # why an accepted offer ended: another partner has taken over
AT_ONCE = timedelta(minutes=15)  # two reminders closer than this are one too many


def see(tx: Tx, person_id: str, offer_id: str) -> tuple[Offer, Referral]:
    """A worker looks at a blind offer: it counts as acknowledged. Returns what may be shown."""
    actor, offer, referral = doors.offer_for(tx, person_id, offer_id, Action.OFFER_SEE)
    if offer.stage is OfferStage.SENT:
        offer = tx.save(replace(move_offer(offer, OfferStep.SEE), seen_at=tx.now, seen_by=person_id))
        tx.clear_timer("offer_acknowledge", offer.id)
        _note(tx, actor, Action.OFFER_SEE, offer)
    return offer, referral


def blind_view(tx: Tx, person_id: str, offer_id: str) -> OfferView:
    """Page 'offer': need, urgency, language and the coarsest area that the service covers, never who."""
    offer, referral = see(tx, person_id, offer_id)
    language = doors.person_by_id(tx, person_id).language
    reasons = matching.pathway_of(tx, referral).decline_reasons
    live = may_decide(tx, offer, referral)
    if not live and not _holds(offer, referral):
        return _over(offer)
    return OfferView(
        code=offer.code,
        category_key=f"category.{referral.category}",
        urgency_key=f"urgency.{referral.urgency}",
        language=tx.catalogue.languages[referral.language].name,
        area=_coarse_area(tx, referral, offer, language) if live else "",
        age_key=f"form.age_group.{referral.age_group}",
        decide_by=offer.decide_by,
        stage_key=f"offer_stage.{offer.stage}",
        decline_reasons=tuple(Choice(r, label_key=f"decline.{r}") for r in reasons) if live else (),
        may_decide=live,
        may_ask=False,
    )


def _over(offer: Offer) -> OfferView:
    """It waits for no answer and is not theirs: how it ended, and no word of what was needed."""
    stage = f"offer_stage.{offer.stage}"
    return OfferView(
        offer.code, "", "", "", "", "", offer.decide_by, stage, (), may_decide=False, may_ask=False
    )


def accept(tx: Tx, person_id: str, offer_id: str) -> Referral:
    """The partner takes it: what consent and agreement allow is unlocked for the organisation, now."""
    see(tx, person_id, offer_id)
    actor, offer, referral = doors.offer_for(tx, person_id, offer_id, Action.OFFER_ACCEPT)
    if _holds(offer, referral) and offer.decided_by == person_id:
        return referral
    still_mine(offer, referral)
    sharing.granted(tx, referral, offer, Stage.ACCEPTED)
    if offer.organization_id in matching.rivals(tx, referral):
        raise DoesAnotherPart
    offering.clear_ladder(tx, offer.id)
    asked.over(tx, referral, offer)
    tx.save(replace(move_offer(offer, OfferStep.ACCEPT), decided_at=tx.now, decided_by=person_id))
    handed = referral.next_offer_id == offer.id
    if handed:
        _first_partner_ends(tx, referral)
    taken = tx.save(
        replace(
            move(referral, Step.TRANSFER if handed else Step.ACCEPT, tx.now),
            offer_id=offer.id,
            next_offer_id=None,
            organization_id=offer.organization_id,
            accepted_by=person_id,
            escalated=False,
        )
    )
    sharing.settle(tx, taken)
    _note(tx, actor, Action.OFFER_ACCEPT, offer)
    span = matching.pathway_of(tx, taken).deadlines[taken.urgency].first_contact
    contact_by = tx.now + schedule.elapsed(span)
    tx.set_timer("first_contact", taken.id, contact_by)
    plan_parts.taken(tx, taken)
    tell_colleagues(tx, offer, taken, person_id, "worker.colleague_took")
    tell.settle_desk(tx, taken)
    said = beginning.words(tx, taken, "matter.accepted")
    tell.tell_author(tx, taken, said, {"by": tell.iso(contact_by)})
    capacity.ask_after(tx, person_id, offer, taken)
    return taken


def _first_partner_ends(tx: Tx, referral: Referral) -> None:
    """Another partner takes over: whoever helped until now hears it, and reads nothing from this turn on."""
    first = tx.get(Offer, referral.offer_id or "")
    if first is not None:
        asked.over(tx, referral, first)
        asked.dates_over(tx, referral)
        tx.save(replace(move_offer(first, OfferStep.RECALL), decided_at=tx.now, reason=HANDED_OVER))
    tx.clear_timers(referral.id)
    tell.tell_partner(tx, referral, "worker.handed_over")


def code_of(tx: Tx, offer_id: str) -> str:
    """The code by which a partner knows the matter: never the one that its person and the desk use."""
    offer = tx.get(Offer, offer_id)
    if offer is None:
        raise NotFound
    return offer.code


def decline(tx: Tx, person_id: str, offer_id: str, reason: str) -> Referral:
    """The partner says no, with a coded reason; the next partner's turn comes."""
    see(tx, person_id, offer_id)
    actor, offer, referral = doors.offer_for(tx, person_id, offer_id, Action.OFFER_DECLINE)
    if offer.stage is OfferStage.DECLINED and offer.decided_by == person_id:
        return referral
    if reason not in matching.pathway_of(tx, referral).decline_reasons:
        raise BadAnswer
    still_mine(offer, referral)
    tell_colleagues(tx, offer, referral, person_id, "worker.colleague_declined")
    _note(tx, actor, Action.OFFER_DECLINE, offer, reason)
    offering.end_turn(tx, referral, replace(offer, decided_by=person_id), OfferStep.DECLINE, reason)
    capacity.ask_after(tx, person_id, offer, referral)
    return doors.referral_by_id(tx, referral.id)


def unacknowledged(tx: Tx, offer_id: str) -> None:
    """Timer: nobody has even looked. The same workers are asked again; in an emergency the desk hears.

    Where half of the time is over at the same moment, that is not said besides.
    """
    offer, referral = for_timer(tx, offer_id)
    if offer is None or referral is None or offer.stage is not OfferStage.SENT:
        return
    _remind(tx, referral, offer, "worker.still_waiting")
    if any(t.kind == "offer_half" and t.due_at <= tx.now + AT_ONCE for t in tx.timers_of(offer.id)):
        tx.clear_timer("offer_half", offer.id)
    if referral.urgency is Urgency.EMERGENCY:
        tell.tell_desk(tx, "desk.not_acknowledged", referral, priority=Priority.CRISIS)


def half_time(tx: Tx, offer_id: str) -> None:
    """Timer: half of the time is over; whoever was told is reminded."""
    offer, referral = for_timer(tx, offer_id)
    if offer is not None and referral is not None:
        _remind(tx, referral, offer, "worker.half_time")


def three_quarters(tx: Tx, offer_id: str) -> None:
    """Timer: a second worker of the same organisation is asked."""
    offer, referral = for_timer(tx, offer_id)
    if offer is None or referral is None:
        return
    second = offering.second_worker(tx, offer)
    if second is not None and second.person_id is not None:
        offer = tx.save(replace(offer, told=(*offer.told, second.person_id)))
        _note(tx, SYSTEM, Action.REFERRAL_STEP, offer, "second")
        offering.alert_worker(tx, referral, offer, second.person_id, "worker.second")


def lapse(tx: Tx, offer_id: str) -> None:
    """Timer: the time is over; the next partner's turn comes and nobody is left in silence."""
    offer, referral = for_timer(tx, offer_id)
    if offer is None or referral is None:
        return
    tell_colleagues(tx, offer, referral, "", "worker.lapsed")
    offering.end_turn(tx, referral, offer, OfferStep.LAPSE, None)


def take_back(
    tx: Tx, referral: Referral, offer: Offer, reason: str, text: str = "worker.no_longer_open"
) -> None:
    """A live offer that may not be answered any more (a yes or an agreement ended): the next turn comes."""
    tell_colleagues(tx, offer, referral, "", text)
    offering.end_turn(tx, referral, offer, OfferStep.RECALL, reason)
    _keeper_hears(tx, offer, text)


def _keeper_hears(tx: Tx, offer: Offer, text: str) -> None:
    """Who kept a place hears it aloud: a message from weeks ago is not there to be edited."""
    if offer.stage is OfferStage.WAITLISTED and offer.told:
        tell.tell(tx, offer.told[0], text, {"code": offer.code}, slot=tell.offer_slot(offer.id))


def recall(tx: Tx, referral: Referral, text: str, *, aloud: bool = True) -> None:
    """Take back the live or accepted offer of a referral that its person or the desk has ended.

    `aloud`: whoever was working on it hears it, and not only by a quiet edit.
    """
    recall_next(tx, referral)
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    if offer is None or offer.stage not in (*LIVE_OFFERS, OfferStage.ACCEPTED):
        return
    offering.clear_ladder(tx, offer.id)
    asked.over(tx, referral, offer)
    cut_off = offer.stage is OfferStage.ACCEPTED and not sharing.readable(tx, referral)
    reason = matching.CUT_OFF if cut_off else offer.reason
    tx.save(replace(move_offer(offer, OfferStep.RECALL), decided_at=tx.now, reason=reason))
    tell_colleagues(tx, offer, referral, "", text)
    if offer.stage is OfferStage.ACCEPTED:
        _leaves_chats(tx, offer, referral)
    if aloud and offer.stage is OfferStage.ACCEPTED:
        tell.tell_partner(tx, referral, text)
    if aloud:
        _keeper_hears(tx, offer, text)


def _leaves_chats(tx: Tx, offer: Offer, referral: Referral) -> None:
    """What was new about it goes from the partner's chats: its page does not open there any more."""
    for person_id in tell.partners(tx, referral):
        for about in (":added", ":thread", ":plan"):
            tell.quietly(tx, person_id, tell.offer_slot(offer.id) + about, "")


def recall_next(tx: Tx, referral: Referral) -> None:
    """Whoever was asked to take over is asked no more: what they would have taken over has moved on."""
    offer = tx.get(Offer, referral.next_offer_id) if referral.next_offer_id else None
    if offer is not None and offer.stage in LIVE_OFFERS:
        offering.clear_ladder(tx, offer.id)
        asked.over(tx, referral, offer)
        tx.save(replace(move_offer(offer, OfferStep.RECALL), decided_at=tx.now))
        tell_colleagues(tx, offer, referral, "", "worker.no_longer_open")


def may_decide(tx: Tx, offer: Offer, referral: Referral) -> bool:
    """True while this offer waits for an answer, and consent and agreement still allow one."""
    if offer.organization_id in matching.rivals(tx, referral):
        return False
    try:
        return _is_live(offer, referral) and bool(sharing.granted(tx, referral, offer, Stage.OFFERED))
    except NoConsent:
        return False


def still_mine(offer: Offer, referral: Referral) -> None:
    """Raise AlreadyHandled unless this offer waits for its partner's answer now."""
    if not _is_live(offer, referral):
        raise AlreadyHandled if offer.stage is OfferStage.ACCEPTED else OfferOver


def _is_live(offer: Offer, referral: Referral) -> bool:
    return offer.stage in LIVE_OFFERS and offer.id in (referral.offer_id, referral.next_offer_id)


def _holds(offer: Offer, referral: Referral) -> bool:
    return offer.stage is OfferStage.ACCEPTED and referral.offer_id == offer.id


def for_timer(tx: Tx, offer_id: str) -> tuple[Offer | None, Referral | None]:
    """The offer and its referral, if a timer still has something to do there."""
    found = tx.get(Offer, offer_id)
    if found is None:
        return None, None
    referral = doors.referral_by_id(tx, found.referral_id)
    offer = tx.get(Offer, offer_id)
    if offer is None or not _is_live(offer, referral):
        return None, None
    return offer, referral


def _remind(tx: Tx, referral: Referral, offer: Offer, text: str) -> None:
    """Whoever was told and still works there; if none of them does, colleagues take their place."""
    there = {seat.person_id for seat in tell.workers(tx, offer.organization_id)}
    there -= complaints.concerned(tx, referral)
    for person_id in [p for p in offer.told if p in there] or sorted(filter(None, there)):
        offering.alert_worker(tx, referral, offer, person_id, text)


def dealing(tx: Tx, offer: Offer, referral: Referral) -> list[str]:
    """Whoever deals with an offer, else every colleague on duty there; never anybody whom it may be about."""
    here = {seat.person_id for seat in tell.workers(tx, offer.organization_id) if seat.person_id}
    there = sorted(here - complaints.concerned(tx, referral))
    return [p for p in offer.told[:1] if p in there] or there


def tell_colleagues(tx: Tx, offer: Offer, referral: Referral, but: str, text: str) -> None:
    """Whoever else was told of an offer learns without a sound what became of it."""
    for person_id in offer.told:
        if person_id != but:
            tell.quietly(tx, person_id, tell.offer_slot(offer.id), text, {"code": offer.code})


def _coarse_area(tx: Tx, referral: Referral, offer: Offer, language: str) -> str:
    """The widest area of the service that holds the person's: the place itself shows after acceptance."""
    service = tx.directory.services.get(offer.service_id)
    line = tx.directory.ancestors.get(referral.area, ())
    areas = tx.directory.areas_of(service) if service is not None else ()
    covered = [area for area in line if area in areas]
    if not covered:
        return ""
    names = tx.directory.areas[covered[-1]].names
    return names.get(language) or names.get("en", covered[-1])


def _note(tx: Tx, actor: Actor, action: Action, offer: Offer, detail: str = "") -> None:
    tx.audit(AuditEntry(actor, action, f"offer:{offer.id}", detail))

"""From 'accepted' to 'reported': contact, heartbeat, return, and how the partner says it ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from referrals.access import Action
from referrals.casework import Appointment, AppointmentState
from referrals.errors import BadAnswer, NoConsent
from referrals.lifecycle import ENDED, LIVE_OFFERS, STAGE_WAITS, OfferStep, Step, move, move_offer
from referrals.members import CheckIn, CheckInKind
from referrals.model import SYSTEM, AuditEntry, Offer, Outcome, Referral, Stage, ThreadEntry
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.common import doors, tell
from referrals.service.matter import asked, circle_sides, matching, offering, plan_parts, reading, sharing
from referrals.service.members import asking
from referrals.service.turns import beginning, offers

# An overdue contact stays with the partner, and the desk hears of it again every day until it is mended.
OVERDUE_EVERY = timedelta(days=1)
HELP_FORM = "worker-check-in"  # the short monthly form about the help that a matter gets
CUT_OFF = "cut_off"  # the timer of a matter whose partner may read nothing any more


def contacted(tx: Tx, person_id: str, offer_id: str) -> Referral:
    """The partner has reached the person: help is under way."""
    actor, _, referral = doors.served_referral(tx, person_id, offer_id, Action.SERVICE_CONTACT)
    if referral.stage is Stage.IN_SERVICE:
        return referral
    if not sharing.readable(tx, referral):
        raise NoConsent  # whoever may not work on takes it from nobody: the desk has it
    after = tx.save(replace(move(referral, Step.CONTACT, tx.now), escalated=False))
    tx.audit(AuditEntry(actor, Action.SERVICE_CONTACT, f"referral:{referral.id}"))
    tx.clear_timers(referral.id)
    set_heartbeat(tx, after)
    tell.settle_desk(tx, after)
    tell.tell_author(tx, after, beginning.words(tx, after, "matter.in_service"))
    circle_sides.in_touch(tx, after)
    return after


def report(tx: Tx, person_id: str, offer_id: str, outcome: str, reason: str = "") -> Referral:
    """The partner says how it ended (outcome code; 'unmet' needs a coded reason)."""
    actor, _, referral = doors.served_referral(tx, person_id, offer_id, Action.SERVICE_REPORT)
    if referral.stage is Stage.REPORTED and referral.outcome == outcome:
        return referral
    ended = _outcome(outcome)
    reasons = matching.pathway_of(tx, referral).unmet_reasons
    if (ended is Outcome.UNMET or reason) and reason not in reasons:
        raise BadAnswer
    after = tx.save(
        replace(
            move(referral, Step.REPORT, tx.now),
            outcome=ended,
            outcome_reason=reason or None,
            escalated=False,
        )
    )
    offers.recall_next(tx, referral)
    tx.audit(AuditEntry(actor, Action.SERVICE_REPORT, f"referral:{referral.id}", ended.value))
    tx.clear_timers(referral.id)
    tell.settle_desk(tx, after)
    plan_parts.stir(tx, after)
    tx.set_timer("confirm_wait", after.id, tx.now + STAGE_WAITS[Stage.REPORTED].of(after.urgency))
    ask_whether_helped(tx, after)
    return after


def give_back(tx: Tx, person_id: str, offer_id: str) -> Referral:
    """The partner returns what it had accepted: access ends at once, the next partner's turn comes."""
    actor, offer, referral = doors.served_referral(tx, person_id, offer_id, Action.SERVICE_RETURN)
    tx.clear_timers(referral.id)
    reading.returned(tx, actor, offer, referral)
    position = _whose_turn(tx, referral)
    offers.recall_next(tx, referral)
    tx.save(replace(move_offer(offer, OfferStep.RECALL), decided_at=tx.now, reason="returned"))
    after = tx.save(
        replace(
            move(referral, Step.RETURN, tx.now),
            organization_id=None,
            accepted_by=None,
            offer_id=None,
            next_offer_id=None,
            position=position,
            escalated=False,
        )
    )
    sharing.settle(tx, after)
    tx.audit(AuditEntry(actor, Action.SERVICE_RETURN, f"referral:{referral.id}"))
    asked.dates_over(tx, after)
    tell.settle_desk(tx, after)
    offering.start_matching(tx, after)
    tell.tell_author(tx, after, "matter.returned")
    return after


def _whose_turn(tx: Tx, referral: Referral) -> int:
    """Who was asked to take over, and has not answered, comes next: the person has said yes to them."""
    asked_beside = tx.get(Offer, referral.next_offer_id) if referral.next_offer_id else None
    if asked_beside is None or asked_beside.stage not in LIVE_OFFERS:
        return referral.position
    waiting = asked_beside.service_id in referral.plan
    return referral.plan.index(asked_beside.service_id) if waiting else referral.position


def contact_overdue(tx: Tx, referral_id: str) -> None:
    """Timer: nobody has contacted the person in the promised time."""
    referral = doors.referral_by_id(tx, referral_id)
    if referral.stage is not Stage.ACCEPTED:
        return
    tx.set_timer("first_contact", referral_id, tx.now + OVERDUE_EVERY)
    if not sharing.readable(tx, referral):
        return  # a partner that may not work on is not called late, and the desk hears of it anyway
    escalate(tx, referral, "desk.contact_overdue")
    said, begun = (
        beginning.words(tx, referral, key) for key in ("worker.contact_overdue", "button.in_touch")
    )
    tell.tell_partner(tx, referral, said, opens="button.open", presses=(begun, "end.touch"))
    if not referral.escalated and beginning.reaches(tx, referral):
        tell.tell_author(tx, referral, "matter.contact_overdue")


def heartbeat(tx: Tx, referral_id: str) -> None:
    """Timer: a month without news. The worker is asked; a second month without news goes to the desk too.

    What the partner writes on the page is news, and so is the one tap of the form. A partner who may read
    nothing any more (the yes has run out, the agreement has ended) cannot help on: that is the desk's.
    """
    referral = doors.referral_by_id(tx, referral_id)
    if referral.stage is not Stage.IN_SERVICE:
        return
    month = STAGE_WAITS[Stage.IN_SERVICE].of(referral.urgency)
    news = _last_news(tx, referral)
    if not sharing.readable(tx, referral):
        still_cut_off(tx, referral_id)
    elif news + month > tx.now:
        tx.set_timer("heartbeat", referral.id, news + month)
        return
    else:
        late = tx.now - news > month * 1.5
        if late:
            escalate(tx, referral, "desk.no_news")
        _ask_about_help(tx, referral, or_desk=not late)
    set_heartbeat(tx, referral)


def heard(tx: Tx, check_in: CheckIn, progress: str) -> None:
    """The worker's one tap: 'going_well' and 'slow' are news; where help has stopped the desk looks."""
    offer = tx.get(Offer, check_in.offer_id or "")
    if offer is not None and progress == "stopped":
        escalate(tx, doors.referral_by_id(tx, offer.referral_id), "desk.help_stopped")


def _ask_about_help(tx: Tx, referral: Referral, *, or_desk: bool) -> None:
    """How is it going? One question a matter, for whoever holds it at the partner; nobody: the desk's."""
    offer = tx.get(Offer, referral.offer_id) if referral.offer_id else None
    form = tx.catalogue.forms[HELP_FORM]
    if offer is None:
        return
    asked = [c for c in tx.find(CheckIn, offer_id=offer.id) if c.saved_at is None]
    there = tell.partners(tx, referral)
    new = CheckIn(
        tx.new_id(), CheckInKind.SERVICE, None, tx.now, there[0] if there else None, form.id, form.version,
        offer_id=offer.id,
    )  # fmt: skip
    check_in = asked[0] if asked else asking.begin_other(tx, new)
    opens = ((tell.page_button("button.open", f"matter/{offer.id}"),),)
    ended = ((tell.press("button.how_ended", "end", offer.id),),)
    buttons = (*asking.buttons(tx, check_in), *ended, *opens)
    for person_id in there:
        slot = asking.slot(check_in.id)
        tell.tell(tx, person_id, "worker.heartbeat", {"code": offer.code}, buttons=buttons, slot=slot)
    if or_desk and not there:
        tell.tell_desk(tx, "desk.no_news", referral)


def still_cut_off(tx: Tx, referral_id: str) -> None:
    """Timer: the partner may still not work on; every day all coordinators hear it, until it is moved."""
    referral = doors.referral_by_id(tx, referral_id)
    if referral.stage in ENDED or referral.organization_id is None or sharing.readable(tx, referral):
        return
    tell.tell_desk(tx, "desk.cut_off", referral, everybody=True)
    tx.set_timer(CUT_OFF, referral_id, tx.now + OVERDUE_EVERY)


def set_heartbeat(tx: Tx, referral: Referral) -> None:
    """Ask for news again when the stage's wait is over."""
    tx.set_timer("heartbeat", referral.id, tx.now + STAGE_WAITS[Stage.IN_SERVICE].of(referral.urgency))


def ask_whether_helped(tx: Tx, referral: Referral) -> None:
    """'Did somebody help?': answered with one tap, in the chat."""
    tell.tell_author(tx, referral, at_its_end(referral), buttons=helped_or_not(referral))


def at_its_end(referral: Referral) -> str:
    """What the person is asked (a text key): a plan has no partner, and a partner may have said no."""
    if referral.organization_id is None:
        return "matter.plan_over"
    return "matter.could_not" if referral.outcome is Outcome.UNMET else "matter.did_help"


def helped_or_not(referral: Referral) -> Keyboard:
    """The answers to 'did somebody help?'."""
    said = [
        tell.press(f"button.helped_{each}", "matter.helped", referral.id, each)
        for each in ("yes", "partly", "no")
    ]
    return tell.column([*said, tell.page_button("button.open", f"matter/{referral.id}")])


def _outcome(code: str) -> Outcome:
    try:
        return Outcome(code)
    except ValueError:
        raise BadAnswer from None


def escalate(tx: Tx, referral: Referral, text: str) -> None:
    """Mark a matter for the desk, and tell it why."""
    if not referral.escalated:
        referral = tx.save(replace(referral, escalated=True))
        tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{referral.id}", "escalated"))
    tell.tell_desk(tx, text, referral)


def _last_news(tx: Tx, referral: Referral) -> datetime:
    written = tx.find(ThreadEntry, offer_id=referral.offer_id, from_partner=True)
    tapped = (c.saved_at for c in tx.find(CheckIn, offer_id=referral.offer_id) if c.saved_at)
    kept = tx.find(Appointment, offer_id=referral.offer_id, state=AppointmentState.KEPT)
    met = (appointment.at for appointment in kept)
    return max([referral.stage_since, *(entry.written_at for entry in written), *tapped, *met])

"""Somebody leaves a post, or is not reachable any more: what waited for them goes on to others.

No notice says who it was or why: 'not reachable here', no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from referrals.access import Action
from referrals.directory import DutySwap
from referrals.lifecycle import LIVE_OFFERS, OPEN
from referrals.members import CheckIn
from referrals.model import SYSTEM, AuditEntry, Offer, OfferStage, Referral, Role, Stage, organization_holder
from referrals.persons import Person, Presence, Seat
from referrals.ports import Tx
from referrals.said import Notice
from referrals.service.alarm import crisis
from referrals.service.common import doors, tell
from referrals.service.desk import desk_work, rota, swaps
from referrals.service.help import working
from referrals.service.matter import offering
from referrals.service.members import asking, mentor_posts
from referrals.service.people import devices

# Alerts of a post stand in the chat under slots that begin so; all else there is the person's own.
_SLOTS_OF = {
    Role.WORKER: ("offer:", "share:"),
    Role.COORDINATOR: ("desk:", "young:", "crisis:", "share:", "desk-first", "seat:", "post:", "swap:"),
    Role.STEWARD: ("seat:", "post:", "share", "rota"),
    Role.MENTOR: (
        "check:",
        "alarm:",
        "plan:",
        "share:",
        "members",
        "member:",
        "hand:",
        "link:",
        "stand-in",
        "group:",
        "course:",
        "phase:",
    ),
}


def departed(tx: Tx, before: Seat, told: str) -> None:
    """Whoever held the post until this turn: sessions end, alerts go, matters go on, keys are renewed.

    `before` is the seat as it was; the new one is saved already, so that a successor counts as colleague.
    `told` is what the person hears. Their other posts and their own requests stay. The caller audits it.
    """
    if before.person_id is None:
        return
    devices.end_sessions(tx, before.person_id)
    for slot in _slots(tx, before, before.person_id):
        tx.recall_notices(before.person_id, slot)
    _clear_chat(tx, before.person_id, _SLOTS_OF.get(before.role, ()))
    if before.role is Role.WORKER and before.organization_id:
        if before.organization_id not in organizations_of(tx, before.person_id):
            put_offers_to_colleagues(tx, before.person_id, before.organization_id)
            _hand_over_matters(tx, before.person_id, before.organization_id)
        tx.rotate_holder(organization_holder(before.organization_id))
    mentor_posts.departed(tx, before)
    if before.role is Role.COORDINATOR:
        desk_work.departed(tx, before.person_id)
        swaps.departed(tx, before.id)
        rota.warn(tx)
    crisis.departed(tx, before.person_id)
    tell.tell(tx, before.person_id, told, slot=f"post:{before.id}")


def not_reachable(tx: Tx, person_id: str) -> None:
    """A post whose holder does not hear us: colleagues and who looks after posts are told, and no more."""
    for organization_id in organizations_of(tx, person_id):
        put_offers_to_colleagues(tx, person_id, organization_id)
        for seat in tell.workers(tx, organization_id):
            if seat.person_id and seat.person_id != person_id:
                tell.tell(tx, seat.person_id, "worker.colleague_not_reachable", slot=f"post:{seat.id}")
    crisis.departed(tx, person_id)
    held = doors.seats_of(tx, person_id)
    if held:
        page = ((tell.page_button("button.look", "posts"),),)
        for other in looking_after(tx):
            if other != person_id:
                slot = f"post:{held[0].id}"
                tell.tell(tx, other, "desk.post_not_reachable", buttons=page, slot=slot)


def looking_after(tx: Tx) -> list[str]:
    """Whoever holds a coordinator's or steward's post and can be written to, each once."""
    seats = tx.find(Seat, role=(Role.COORDINATOR, Role.STEWARD))
    found = sorted({s.person_id for s in seats if s.person_id})
    return [p for p in found if presence_of(tx, p) is Presence.PRESENT]


def presence_of(tx: Tx, person_id: str) -> Presence | None:
    """Whether somebody may be written to; None for whoever is no person with a chat."""
    person = tx.get(Person, person_id)
    return person.presence if person else None


def organizations_of(tx: Tx, person_id: str) -> list[str]:
    """Where somebody works."""
    seats = [s for s in doors.seats_of(tx, person_id) if s.role is Role.WORKER]
    return sorted({s.organization_id for s in seats if s.organization_id})


def clear_chat(tx: Tx, person_id: str) -> None:
    """Drop what is queued, and delete what may still be deleted in the chat."""
    tx.recall_notices(person_id)
    _clear_chat(tx, person_id, ("",))


def put_offers_to_colleagues(tx: Tx, person_id: str, organization_id: str) -> None:
    """Live offers that only this person knew of are put to a colleague; without one, to the next partner."""
    there = {seat.person_id for seat in tell.workers(tx, organization_id)} - {person_id}
    for found in tx.find(Offer, organization_id=organization_id, stage=LIVE_OFFERS):
        if person_id not in found.told or there.intersection(found.told):
            continue
        referral = doors.referral_by_id(tx, found.referral_id)
        offer = tx.get(Offer, found.id)  # read again under the referral's lock
        if offer is None or offer.stage not in LIVE_OFFERS:
            continue
        colleague = offering.second_worker(tx, offer)
        if colleague is None or colleague.person_id is None:
            tx.set_timer("offer_end", offer.id, tx.now)
            continue
        put = tx.save(replace(offer, told=(*offer.told, colleague.person_id)))
        tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"offer:{offer.id}", "handed over"))
        offering.alert_worker(tx, referral, put, colleague.person_id, "worker.second")


def _hand_over_matters(tx: Tx, person_id: str, organization_id: str) -> None:
    """What they had accepted is their organisation's: colleagues are told, or the desk if there are none."""
    for found in tx.find(Referral, organization_id=organization_id, accepted_by=person_id, stage=OPEN):
        referral = doors.referral_by_id(tx, found.id)
        after = tx.save(replace(referral, accepted_by=None))
        tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{after.id}", "handed over"))
        if tell.partners(tx, after):
            ended = ("button.how_ended", "end") if after.stage is Stage.IN_SERVICE else None
            tell.tell_partner(tx, after, "worker.handed_over", opens="button.open", presses=ended)
        else:
            working.escalate(tx, after, "desk.nobody_there")


def _slots(tx: Tx, seat: Seat, person_id: str) -> Iterator[str]:
    """Slots of a post in which something may still wait to be sent."""
    yield from ("desk-first", f"post:{seat.id}")
    if seat.role is Role.WORKER:
        stages = (*LIVE_OFFERS, OfferStage.ACCEPTED)
        for offer in tx.find(Offer, organization_id=seat.organization_id, stage=stages):
            yield tell.offer_slot(offer.id)
    elif seat.role is Role.COORDINATOR:
        held = tx.find(Referral, stage=(Stage.UNMATCHED, Stage.DISPUTED))
        for referral in (*held, *tx.find(Referral, escalated=True)):
            yield from (tell.desk_slot(referral), f"young:{referral.id}")
        for swap in tx.find(DutySwap, for_seat_id=seat.id):
            yield swaps.slot(swap)
    elif seat.role is Role.MENTOR:
        for check_in in tx.find(CheckIn, asked_of=person_id, saved_at=None):
            yield asking.slot(check_in.id)


def _clear_chat(tx: Tx, person_id: str, slots: tuple[str, ...]) -> None:
    for message in tx.messages_of(person_id):
        if message.slot.startswith(slots):
            tx.say(Notice(person_id, "", slot=message.slot, message_id=message.message_id))

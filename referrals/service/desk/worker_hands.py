"""A matter goes from one worker to another of the same organisation, and a ready-made reply into its thread.

What may be read is the organisation's, so no key moves: what changes is who hears of it and who owes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from referrals.access import Action
from referrals.errors import AlreadyHandled, BadAnswer, NotFound
from referrals.lifecycle import is_open
from referrals.model import AuditEntry, Offer, Referral, Role, Stage
from referrals.persons import Person, Presence, Seat
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.common import complaints, doors, tell
from referrals.service.help import threads
from referrals.service.turns import beginning

REPLY = "reply."  # text keys of ready-made replies: a programme adds one with its words


def hand(tx: Tx, person_id: str, offer_id: str, seat_id: str) -> Referral:
    """To a colleague, or to oneself: both are told. Pressed twice it is done once."""
    actor, offer, referral = doors.served_referral(tx, person_id, offer_id, Action.SERVICE_HAND)
    if not is_open(referral):
        raise AlreadyHandled
    seat = next((s for s in people_there(tx, offer, referral) if s.id == seat_id), None)
    if seat is None or seat.person_id is None:
        raise NotFound
    before, to = referral.accepted_by, seat.person_id
    if before == to:
        return referral
    after = tx.save(replace(referral, accepted_by=to))
    tx.audit(AuditEntry(actor, Action.SERVICE_HAND, f"referral:{referral.id}", f"seat:{seat.id}"))
    if to != person_id:
        slot, ways = tell.offer_slot(offer.id), _ways_on(tx, after, offer)
        tell.tell(tx, to, "worker.handed_to_you", {"code": offer.code}, buttons=ways, slot=slot)
    for one in {before, person_id} - {to, None}:
        _has_left(tx, str(one), offer, aloud=one != person_id)
    return after


def _ways_on(tx: Tx, referral: Referral, offer: Offer) -> Keyboard:
    """What whoever had it could press, they can press too."""
    if referral.stage is Stage.ACCEPTED:
        return beginning.keyboard(tx, referral, offer.id)
    rows = [tell.page_button("button.open", f"matter/{offer.id}")]
    if referral.stage is Stage.IN_SERVICE:
        rows.append(tell.press("button.how_ended", "end", offer.id))
    return tell.column(rows)


def people_there(tx: Tx, offer: Offer, referral: Referral) -> list[Seat]:
    """The workers of that organisation who can be reached; never whoever asked for it themselves."""
    found = []
    for seat in tx.find(Seat, organization_id=offer.organization_id, role=Role.WORKER):
        person = tx.get(Person, seat.person_id) if seat.person_id else None
        there = person is not None and person.presence is Presence.PRESENT
        if there and complaints.may_know(tx, str(seat.person_id), referral):
            found.append(seat)
    return found


def replies(tx: Tx) -> Mapping[str, str]:
    """Ready-made replies: id to text key, in the order of the texts."""
    keys = [key for key in tx.catalogue.texts.get("en", {}) if key.startswith(REPLY)]
    return {key.removeprefix(REPLY): key for key in keys}


def reply(tx: Tx, person_id: str, offer_id: str, reply_id: str) -> None:
    """Write one of them, in the language in which the person asked."""
    _, _, referral = doors.served_referral(tx, person_id, offer_id, Action.THREAD_WRITE)
    key = replies(tx).get(reply_id)
    if key is None:
        raise BadAnswer
    threads.write(tx, person_id, offer_id, tx.catalogue.words(key, referral.language))


def _has_left(tx: Tx, person_id: str, offer: Offer, *, aloud: bool) -> None:
    """Whoever had it hears that a colleague has it now: aloud where somebody else has decided so."""
    slot, code = tell.offer_slot(offer.id), {"code": offer.code}
    if aloud:
        tell.tell(tx, person_id, "worker.handed_on", code, slot=slot)
    else:
        tell.quietly(tx, person_id, slot, "worker.handed_on", code)

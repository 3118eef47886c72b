"""Page 'offer': the blind offer, and its answer."""

from __future__ import annotations

from collections.abc import Callable

from referrals.access import Action
from referrals.ports import Tx
from referrals.service.common import tell
from referrals.service.matter import tracking
from referrals.service.pages import matter, offer_turns
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.service.turns import beginning, offers
from referrals.views import MatterView, OfferView


def offer_view(tx: Tx, person_id: str, subject: str, body: Body) -> OfferView:
    """Page 'offer': the blind offer."""
    return offer_turns.with_turns(tx, person_id, subject, offers.blind_view(tx, person_id, subject))


def _step(action: Action, verb: Callable[[Tx, str, str, Body], None]) -> Verb:
    """Do it, and show the offer as it stands now."""

    def step(tx: Tx, person_id: str, subject: str, body: Body) -> OfferView:
        verb(tx, person_id, subject, body)
        return offer_view(tx, person_id, subject, {})

    return Verb(action, step)


def offer_accept(tx: Tx, person_id: str, subject: str, body: Body) -> MatterView:
    """Accept, and read on at once; the offer in the chat quietly becomes what it is now."""
    referral = offers.accept(tx, person_id, subject)
    by = tell.iso(tracking.next_by(tx, referral) or tx.now)
    code = offers.code_of(tx, subject)
    said = beginning.words(tx, referral, "worker.accepted")
    read = beginning.keyboard(tx, referral, subject)
    tell.quietly(tx, person_id, tell.offer_slot(subject), said, {"code": code, "by": by}, read)
    return matter.matter_view(tx, person_id, subject, {})


def offer_decline(tx: Tx, person_id: str, subject: str, body: Body) -> OfferView:
    """Decline with a coded reason."""
    offers.decline(tx, person_id, subject, text_of(body, "reason"))
    code = {"code": offers.code_of(tx, subject)}
    tell.quietly(tx, person_id, tell.offer_slot(subject), "worker.declined", code)
    return offer_view(tx, person_id, subject, {})


OFFER = Page(
    Verb(Action.OFFER_SEE, offer_view),
    {
        "accept": Verb(Action.OFFER_ACCEPT, offer_accept),
        "decline": Verb(Action.OFFER_DECLINE, offer_decline),
        "ask": _step(Action.OFFER_ASK, offer_turns.ask),
        "waitlist": _step(Action.OFFER_WAITLIST, offer_turns.put_on_list),
        "still": _step(Action.OFFER_WAITLIST, offer_turns.still),
    },
)

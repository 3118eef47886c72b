"""The partner's own words on a matter's page: in touch, how it ended, given back.

The same is said by a tap in the chat. What stands there is quietly changed to what is so now: nobody is left
with 'please be in touch' and its buttons when they have been.
"""

from __future__ import annotations

from referrals.access import Action
from referrals.model import Offer, Referral
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.service.common import tell
from referrals.service.help import working
from referrals.service.pages.page import Body, Verb, text_of
from referrals.service.pages.part import Part


def _contacted(tx: Tx, person_id: str, offer_id: str, body: Body) -> None:
    after = working.contacted(tx, person_id, offer_id)
    ended = tell.column([tell.press("button.how_ended", "end", offer_id)])
    _stands(tx, person_id, offer_id, after, "worker.in_touch", ended)


def _report(tx: Tx, person_id: str, offer_id: str, body: Body) -> None:
    after = working.report(tx, person_id, offer_id, text_of(body, "outcome"), text_of(body, "reason"))
    _stands(tx, person_id, offer_id, after, "worker.ended_told")


def _give_back(tx: Tx, person_id: str, offer_id: str, body: Body) -> None:
    after = working.give_back(tx, person_id, offer_id)
    _stands(tx, person_id, offer_id, after, "worker.no_longer_open")


def _stands(
    tx: Tx, person_id: str, offer_id: str, after: Referral, text: str, buttons: Keyboard = ()
) -> None:
    """In the chat of whoever said it, and of the colleague who holds the matter."""
    offer = tx.get(Offer, offer_id)
    assert offer is not None  # the verb has just passed its door
    for someone in filter(None, {person_id, after.accepted_by}):
        tell.quietly(tx, someone, tell.offer_slot(offer_id), text, {"code": offer.code}, buttons)


PART = Part(
    lambda tx, actor, referral: (),  # its steps stand first on the page, with those of the stage
    {
        "contacted": Verb(Action.SERVICE_CONTACT, _contacted),
        "report": Verb(Action.SERVICE_REPORT, _report),
        "return": Verb(Action.SERVICE_RETURN, _give_back),
    },
)

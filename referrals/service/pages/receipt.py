"""Page 'receipt': what was agreed to, in the exact words, and the way to take it back. Asks for no PIN."""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.lifecycle import ENDED
from referrals.ports import Tx
from referrals.service.pages.page import Body, Page, Verb
from referrals.service.request import receipts
from referrals.service.turns import closing
from referrals.views import Said, SectionsView, Step

_TAKE_BACK = Step("take_back", "page.step.withdraw", needs="yes", danger=True)


def receipt_view(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """Every yes of one's own matter, the newest first."""
    referral = receipts.own(tx, person_id, subject)
    *shown, last = receipts.sections(tx, person_id, referral)
    if referral.stage not in ENDED:
        last = replace(last, steps=(_TAKE_BACK,))
    lines = (Said("part.receipt.code", {"code": referral.code}),)
    return SectionsView("part.receipt.title", (*shown, last), lines)


def take_back(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """Every partner's access is cut in this turn."""
    closing.withdraw(tx, person_id, subject)
    return receipt_view(tx, person_id, subject, {})


RECEIPT = Page(
    Verb(Action.REFERRAL_READ, receipt_view),
    {"take_back": Verb(Action.REFERRAL_WITHDRAW, take_back)},
)

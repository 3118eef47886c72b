"""What stands on page 'plan' once a mentor has said yes on a member's behalf: they can say no themselves."""

from __future__ import annotations

from referrals.lifecycle import ENDED
from referrals.model import Referral
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.views import Said, Section, SectionsView, Step


def view(tx: Tx, person_id: str, referral: Referral) -> SectionsView:
    """Who agreed and why, for their own phone; their no, as long as it has not ended."""
    if referral.stage in ENDED:
        return SectionsView("part.behalf.title", (), (Said("part.behalf.over"),))
    language = doors.person_by_id(tx, person_id).language
    said = {
        "reason": tx.catalogue.words(f"behalf.{referral.behalf}", language),
        "agreed": tx.catalogue.words(f"agreed.{referral.behalf_agreed}", language),
    }
    lines = (Said("part.behalf.for_you"), Said("part.behalf.why", said))
    return SectionsView(
        "part.behalf.title", (Section("part.behalf.title", lines, (Step("no", "page.plan.no"),)),)
    )

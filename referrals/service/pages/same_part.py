"""What stands on the page 'plan' while the same need is open already: add to that, or ask anew?"""

from __future__ import annotations

from referrals.model import Referral
from referrals.views import Said, Section, SectionsView, Step

_STEPS = (Step("add_there", "page.step.add_there", needs="text"), Step("anew", "page.step.anew"))


def question(same: Referral) -> SectionsView:
    """Two ways, and neither is taken for them. What waits for their yes is only said to be there."""
    steps = _STEPS if same.plan else _STEPS[1:]
    said = Said("part.same.asked" if same.plan else "part.same.waits", at=same.created_at)
    return SectionsView("part.same.title", (Section("part.same.choose", (said,), steps),))

"""Asking for help as the page does it: choices as a body, the words that were shown, the yes."""

from __future__ import annotations

from typing import Any

from referrals.model import AgeGroup
from referrals.service.common import doors
from referrals.service.pages import PAGES
from referrals.service.request import drafts
from tests.support.network import Small

WHERE = {"area": "pattani-mueang", "urgency": "urgent"}


def drafted(
    net: Small, person_id: str, age: AgeGroup = AgeGroup.ADULT, category: str = "family.visits"
) -> str:
    """A draft as the chat leaves it."""
    actor = doors.as_author(person_id)
    return net.store.run(drafts.start_draft, actor, "family-support", category, age, "en").id


def agreed(net: Small, person_id: str, matter: str, **body: Any) -> Any:
    """Page 'plan': look at the plan for these choices, and say yes to the words that it shows."""
    asked = {**WHERE, **body}
    shown = net.store.run(PAGES["plan"].steps["preview"], person_id, matter, asked)
    written = {"consent_digest": shown.consent_digest, "story": "a story", "contact": "081 000 0000", **asked}
    return net.store.run(PAGES["plan"].steps["file"], person_id, matter, written)


def asked_for(net: Small, person_id: str, age: AgeGroup = AgeGroup.ADULT, /, **body: Any) -> str:
    """A filed request; returns its id."""
    matter = drafted(net, person_id, age)
    agreed(net, person_id, matter, **body)
    return matter

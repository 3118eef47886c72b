"""What a page offers its reader, and how it could be filled in: for people who press whatever they see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from referrals.views import Step

# What would end a matter by another way than its own, or concerns somebody's phone.
NEVER = ("void", "lost_phone", "found", "follow", "move_stop")
OUTCOMES = ("met", "met", "partly_met", "unmet")


def offered_by(view: Any) -> list[tuple[Step, Mapping[str, str]]]:
    """Every step of a page that leads on, with what goes along with it; of an offer, its two answers."""
    found = [(step, part.body) for part in getattr(view, "sections", ()) for step in part.steps]
    found += [(step, {}) for step in getattr(view, "steps", ()) if isinstance(step, Step)]
    if getattr(view, "may_decide", False):
        found += [(Step("accept", ""), {}), (Step("decline", "", choices=view.decline_reasons), {})]
    return [(step, body) for step, body in found if step.id not in NEVER]


def filled(step: Step, now: datetime, number: int) -> dict[str, object]:
    """A body for a step; `number` (0 or more) decides what is chosen."""
    choices = [choice.id for choice in step.choices] or ["full"]
    chosen = choices[number % len(choices)]
    soon = now + timedelta(days=1 + number)
    return {
        "yes": True,
        "reason": chosen,
        "chosen": [chosen],
        "outcome": OUTCOMES[number % len(OUTCOMES)],
        "text": "some words",
        "day": f"{soon:%Y-%m-%d}",
        "moment": f"{soon:%Y-%m-%dT%H:%M}",
    }

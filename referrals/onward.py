"""Onward referral: how a chain of needs may go on, so that it always ends. Pure.

A partner who sees a further need proposes another referral from the one that it holds. A chain never comes
back to a need or an organisation that is in it already, and has at most five links: whoever needs more asks
anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Link:
    """One referral of a chain: what it was for, and who took it ('' while nobody has)."""

    category: str
    organization_id: str = ""


def may_go_on(chain: Sequence[Link], category: str) -> bool:
    """Whether a chain may go on to this need."""
    return len(chain) < DEEPEST and category not in {link.category for link in chain}


def not_again(chain: Sequence[Link]) -> frozenset[str]:
    """The organisations that a chain has been to."""
    return frozenset(link.organization_id for link in chain if link.organization_id)

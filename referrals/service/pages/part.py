"""What a part of a matter's page is: sections that need no script, and steps. `matter_parts` lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from referrals.model import Actor, Referral
from referrals.ports import Tx
from referrals.service.pages.page import Verb
from referrals.views import Section


@dataclass(frozen=True, slots=True)
class Part:
    """`sections(tx, actor, referral)`: what this reader sees of it now; `actor.role` says who reads.

    `steps`: verbs that get the matter's subject (for a partner its offer's id). After each of them the whole
    matter is shown again.
    """

    sections: Callable[[Tx, Actor, Referral], Iterable[Section]]
    steps: Mapping[str, Verb] = field(default_factory=dict)

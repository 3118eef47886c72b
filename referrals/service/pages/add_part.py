"""Part of a matter's page: the person adds something to what they wrote."""

from __future__ import annotations

from collections.abc import Iterator

from referrals.access import Action
from referrals.model import Actor, Referral, Role
from referrals.ports import Tx
from referrals.service.pages.page import Verb, text_of
from referrals.service.pages.part import Part
from referrals.service.request import same_need
from referrals.views import Section, Step

_ADD = Step("add", "page.step.add", needs="text")


def sections(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """For whoever filed it, as long as it is open."""
    if actor.role not in (Role.WORKER, Role.COORDINATOR) and referral.stage in same_need.FILED:
        yield Section("part.add.title", steps=(_ADD,))


PART = Part(
    sections,
    {
        "add": Verb(
            Action.MATTER_ADD,
            lambda tx, who, it, body: same_need.add(tx, who, it, text_of(body, "text")),
        )
    },
)

"""What a matter's page shows besides the matter itself: each part has its own steps and sections.

A part is a module of its own (`pages/<name>_part.py`) and one line here; its sections need no script.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from referrals.model import Actor, Referral, Role
from referrals.ports import Tx
from referrals.service.pages import (
    add_part,
    after_part,
    circle_part,
    consent_part,
    desk_part,
    onward_part,
    partner_part,
    tasks_part,
    thread_part,
    turns_part,
    why_part,
    worker_part,
)
from referrals.service.pages.page import Verb
from referrals.service.pages.part import Part
from referrals.views import Section

PARTS: tuple[Part, ...] = (
    partner_part.PART,
    consent_part.PART,
    thread_part.PART,
    tasks_part.PART,
    worker_part.PART,
    onward_part.PART,
    add_part.PART,
    after_part.PART,
    desk_part.PART,
    turns_part.PART,
    circle_part.PART,
    why_part.PART,
)


# What nobody opened the page for: it stands below the story and the thread.
LATER: tuple[Part, ...] = (
    consent_part.PART,
    thread_part.PART,
    add_part.PART,
    worker_part.PART,
    why_part.PART,
)
LATER_AT_PARTNER: tuple[Part, ...] = (*LATER, onward_part.PART)


def sections_of(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """Every part's sections, in the order of `PARTS`; those of `LATER` say so."""
    later = LATER_AT_PARTNER if actor.role is Role.WORKER else LATER
    for part in PARTS:
        for section in part.sections(tx, actor, referral):
            yield replace(section, later=True) if part in later else section


def steps() -> dict[str, Verb]:
    """Every part's steps; no two parts have one of the same name."""
    found: dict[str, Verb] = {}
    for part in PARTS:
        assert not found.keys() & part.steps.keys(), "two parts have a step of the same name"
        found |= part.steps
    return found

"""Sharing for safety: default deny. Which organisation may be told, and until when it may read. Pure.

It never goes anywhere by itself: a coordinator asks, a steward agrees, and an agreement in force must name
both the purpose and the class at every read (domain.md, 'Programmes, check-ins, reminders').
"""

from __future__ import annotations

from datetime import datetime, timedelta

from referrals.consent import day_of
from referrals.directory import Directory, Organization
from referrals.members import SafetyShare
from referrals.model import DataClass

PURPOSE = "safety"  # what an agreement's purposes must name
LASTS = timedelta(hours=72)
# Why it is shared, why the person is not told: codes of texts 'page.safety.why.<code>', '….silent.<code>'.
REASONS = ("life", "others", "child")
SILENT = ("endangers_person", "endangers_other")


def may_be_told(directory: Directory, organization_id: str, now: datetime) -> bool:
    """Whether an agreement in force lets this organisation be told what keeps somebody safe."""
    organization = directory.organizations.get(organization_id)
    if organization is None or organization.suspended:
        return False
    day = day_of(organization, now)
    return any(
        agreement.in_force(day) and PURPOSE in agreement.purposes and DataClass.SAFETY in agreement.classes
        for agreement in directory.agreements_of.get(organization_id, ())
    )


def possible(directory: Directory, now: datetime) -> tuple[Organization, ...]:
    """Every organisation that may be told, by id."""
    return tuple(o for _, o in sorted(directory.organizations.items()) if may_be_told(directory, o.id, now))


def is_open(share: SafetyShare, now: datetime) -> bool:
    """Agreed to, neither ended nor over."""
    return share.agreed_at is not None and share.ended_at is None and now < (share.until or now)


def waits(share: SafetyShare) -> bool:
    """Asked for, and no steward has said anything yet."""
    return share.agreed_at is None and share.refused_at is None and share.ended_at is None


def readable(share: SafetyShare, directory: Directory, now: datetime) -> bool:
    """Whether its organisation may read it at this moment."""
    return is_open(share, now) and may_be_told(directory, share.organization_id, now)

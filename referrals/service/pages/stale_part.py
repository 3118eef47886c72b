"""On page 'posts': what of the directory nobody has confirmed for a month, the longest silent first."""

from __future__ import annotations

from referrals.access import Action, allow
from referrals.directory import Service
from referrals.freshness import stale
from referrals.model import Actor
from referrals.ports import Tx
from referrals.service.common import names
from referrals.views import Said, Section

MOST = 12


def sections(tx: Tx, actor: Actor, language: str) -> tuple[Section, ...]:
    """One section, or none where everything was said lately."""
    allow(actor, Action.DIRECTORY_STALE)
    found = stale(tx.directory, tx.now.date())
    if not found:
        return ()
    lines = [Said("part.stale.hint"), *(line(tx, service, language) for service in found[:MOST])]
    if len(found) > MOST:
        lines.append(Said("part.stale.more", {"count": str(len(found) - MOST)}))
    return (Section("part.stale.title", tuple(lines)),)


def line(tx: Tx, service: Service, language: str) -> Said:
    """One entry: whose it is, what it offers, and when somebody last said whether there is room."""
    organization = tx.directory.organizations[service.organization_id]
    params = {
        "organization": names.named(organization.names, language),
        "service": names.named(service.names, language),
    }
    said = service.capacity_confirmed_on
    if said is None:
        return Said("part.stale.never", params)
    return Said("part.stale.line", params | {"day": names.day_in_words(tx.catalogue, said, language)})

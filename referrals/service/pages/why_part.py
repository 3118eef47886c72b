"""A matter at the desk, behind a heading: why each partner of its plan is in it, and why others are not."""

from __future__ import annotations

from collections.abc import Iterator

from referrals.access import Action, allow
from referrals.lifecycle import ENDED
from referrals.model import Actor, Referral, Role
from referrals.ports import Tx
from referrals.service.common import doors, names
from referrals.service.desk import why
from referrals.service.pages import desk_part
from referrals.service.pages.part import Part
from referrals.service.request import plans
from referrals.views import Said, Section

MOST = 12  # names for one reason


def sections(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """For coordinators; where looking again is possible, what that would bring stands there instead."""
    if actor.role is not Role.COORDINATOR or referral.stage in ENDED or not referral.plan:
        return
    if desk_part.can_look_again(tx, referral):
        return
    allow(actor, Action.REFERRAL_READ)
    language = doors.person_by_id(tx, actor.person_id).language
    found = why.explain(tx, referral)
    lines = [line for planned in found.planned for line in _planned(tx, planned, language)]
    yield Section("part.why.title", tuple(lines), folded=True)
    others = tuple(_others(tx, found, language))
    if others:
        yield Section("part.why.not_title", others, folded=True)


def _planned(tx: Tx, planned: why.Planned, language: str) -> Iterator[Said]:
    service = tx.directory.services.get(planned.service_id)
    if service is None:
        yield Said("part.why.gone")
        return
    yield Said(f"part.why.{planned.mark}", {"service": _named(tx, planned.organization_id, language)})
    if planned.unfit:
        yield Said("part.why.unfit", {"reason": tx.catalogue.words(planned.unfit, language)})
    elif planned.reasons:
        words = (
            tx.catalogue.words(r.key, language, **plans.shown(tx, dict(r.params), language))
            for r in planned.reasons
        )
        yield Said("part.why.reasons", {"reasons": " · ".join(words)})


def _others(tx: Tx, found: why.Explained, language: str) -> Iterator[Said]:
    """One line for each reason, with the organisations that it keeps out."""
    by_reason: dict[str, list[str]] = {}
    for out in found.others:
        named = _named(tx, out.organization_id, language)
        if named not in (known := by_reason.setdefault(out.reason_key, [])):
            known.append(named)
    for key in sorted(by_reason):
        shown = sorted(by_reason[key], key=names.in_order)
        services = ", ".join(shown[:MOST]) + (" …" if len(shown) > MOST else "")
        yield Said("part.why.not", {"reason": tx.catalogue.words(key, language), "services": services})


def _named(tx: Tx, organization_id: str, language: str) -> str:
    found = tx.directory.organizations.get(organization_id)
    return names.named(found.names, language) if found else organization_id


PART = Part(sections)

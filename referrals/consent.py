"""What may be shared with whom. Default deny: without a yes and an agreement, both in force, nothing is.

Checked again at every offer and every read; a class that is not returned here must not be opened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from referrals.catalogue import Pathway
from referrals.directory import STATE_KINDS, Agreement, Directory, Organization
from referrals.model import Consent, DataClass, Referral, Stage
from referrals.schedule import local

OWN_NO = "own_no"  # why a matter was withdrawn: whom it is for has said no

# 'Which classes travel from which stage on': a stage opens its own classes and those of the stages before it
# on the way of one offer. Stages that are not here have no partner, so nothing is open in them. Once a matter
# is closed, its partner goes on reading only what the pathway names for `closed`, until the retention date.
_OFFER = (Stage.OFFERED,)
_SERVED = (Stage.OFFERED, Stage.ACCEPTED)
OPENED_BY: Mapping[Stage, tuple[Stage, ...]] = {
    Stage.OFFERED: _OFFER,
    Stage.WAITLISTED: (*_OFFER, Stage.WAITLISTED),
    Stage.ACCEPTED: _SERVED,
    Stage.UNREACHABLE: (*_SERVED, Stage.UNREACHABLE),
    Stage.IN_SERVICE: (*_SERVED, Stage.IN_SERVICE),
    Stage.REPORTED: (*_SERVED, Stage.IN_SERVICE, Stage.REPORTED),
    Stage.DISPUTED: (*_SERVED, Stage.IN_SERVICE, Stage.REPORTED, Stage.DISPUTED),
    Stage.CLOSED: (Stage.CLOSED,),
}


def day_of(organization: Organization, now: datetime) -> date:
    """The day by which an organisation's agreements are in force: that of its own zone."""
    return local(now, organization.timezone).date()


def agreement_for(
    directory: Directory, organization_id: str, pathway_id: str, day: date, purposes: Collection[str] = ()
) -> Agreement | None:
    """The agreement binding this organisation for this pathway on this day; of several the first by id.

    `purposes` of the pathway: the agreement must have one of them (all do for a pathway that names none).
    """
    for agreement in directory.agreements_of.get(organization_id, ()):
        if pathway_id in agreement.pathways and agreement.in_force(day) and _serves(agreement, purposes):
            return agreement
    return None


def _serves(agreement: Agreement, purposes: Collection[str]) -> bool:
    return not purposes or not set(purposes).isdisjoint(agreement.purposes)


def in_force(consent: Consent, now: datetime) -> bool:
    """True while the yes has neither been taken back nor run out."""
    return consent.withdrawn_at is None and now < consent.until


def covers(consent: Consent, service_id: str, now: datetime) -> bool:
    """True when the yes is in force and this service stood in the plan that it was given to."""
    return in_force(consent, now) and service_id in consent.plan


def stands_for(consent: Consent, referral: Referral, pathway: Pathway) -> bool:
    """False once what the yes was given to is not what would be asked for or shared any more.

    Another need, or a pathway that shares further classes by now: then nobody new is asked without a new yes.
    What was agreed to, goes on: the classes of a yes never widen (`classes_for`).
    """
    if consent.category not in ("", referral.category):
        return False
    return set(pathway.classes.get(Stage.ACCEPTED, ())) <= set(consent.classes)


@dataclass(frozen=True, slots=True)
class Difference:
    """What is new in a yes that is asked for, and what no longer stands in it: organisation ids, classes."""

    new_partners: tuple[str, ...] = ()
    gone_partners: tuple[str, ...] = ()
    new_classes: tuple[DataClass, ...] = ()
    gone_classes: tuple[DataClass, ...] = ()
    category: str = ""  # the need of the earlier yes, where it is another one

    def __bool__(self) -> bool:
        return any(
            (self.new_partners, self.gone_partners, self.new_classes, self.gone_classes, self.category)
        )


def difference(
    before: Consent,
    before_partners: tuple[str, ...],
    partners: tuple[str, ...],
    classes: tuple[DataClass, ...],
    category: str,
) -> Difference:
    """How a plan with these partners and classes differs from what an earlier yes was given to."""
    return Difference(
        tuple(p for p in partners if p not in before_partners),
        tuple(p for p in before_partners if p not in partners),
        tuple(c for c in classes if c not in before.classes),
        tuple(c for c in before.classes if c not in classes),
        before.category if before.category not in ("", category) else "",
    )


def classes_for(
    pathway: Pathway,
    agreement: Agreement | None,
    organization: Organization,
    consent: Consent,
    stage: Stage,
    now: datetime,
) -> tuple[DataClass, ...]:
    """The classes that may be opened to this organisation at this stage, in the order of DataClass.

    Each needs the pathway's stage, the agreement and the consent to name it. Only `routing`, without which
    there is no offer, goes without saying, and for a body of the state not even that does (domain.md, 'The
    directory'). Empty without an agreement in force that is this organisation's and names this pathway with
    every class that it needs, and from the instant at which the consent was withdrawn or has run out.
    """
    if agreement is None or not _binds(agreement, organization, pathway, day_of(organization, now)):
        return ()
    if not in_force(consent, now):
        return ()
    travels = {c for opened in OPENED_BY.get(stage, ()) for c in pathway.classes.get(opened, ())}
    named = set(agreement.classes) & set(consent.classes)
    if organization.kind not in STATE_KINDS:
        named.add(DataClass.ROUTING)
    return tuple(c for c in DataClass if c in travels and c in named)


def digest(text: str) -> str:
    """A short name for exact words: the first 32 hex digits of their SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _binds(agreement: Agreement, organization: Organization, pathway: Pathway, day: date) -> bool:
    return (
        agreement.organization_id == organization.id
        and pathway.id in agreement.pathways
        and agreement.in_force(day)
        and _serves(agreement, pathway.purposes)
        and set(pathway.needs_classes) <= set(agreement.classes)
    )

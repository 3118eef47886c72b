"""Small directories, pathways and needs for the tests of the rules."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from referrals.catalogue import Catalogue, Deadlines, Form, Language, Pathway, Span
from referrals.directory import (
    Agreement,
    Area,
    Directory,
    Hours,
    Organization,
    OrganizationKind,
    Service,
)
from referrals.model import AgeGroup, Consent, DataClass, Role, Stage, Urgency
from referrals.routing import Need

DAY = date(2026, 11, 23)  # a Monday
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)  # 11:00 in Bangkok
BKK = "Asia/Bangkok"
GROWN_UP = (AgeGroup.YOUNG, AgeGroup.ADULT, AgeGroup.OLDER)
OFFICE_HOURS = tuple(Hours(day, time(9), time(17)) for day in range(5))
BLIND = (DataClass.ROUTING,)
OPENED = (DataClass.ROUTING, DataClass.CONTACT, DataClass.STORY)
HOLDS_PEOPLE = {OrganizationKind.POLICE, OrganizationKind.CORRECTIONS, OrganizationKind.PROBATION}

_HOUR = Span(hours=1)
PATHWAY = Pathway(
    id="help",
    version=1,
    may_file=(Role.FAMILY,),
    receivers=tuple(kind for kind in OrganizationKind if kind not in HOLDS_PEOPLE),
    categories=("visits", "letters"),
    form=Form("help", 1, ()),
    classes={Stage.OFFERED: BLIND, Stage.ACCEPTED: OPENED},
    deadlines={urgency: Deadlines(_HOUR, _HOUR, _HOUR, _HOUR) for urgency in Urgency},
    decline_reasons=("full", "other"),
    unmet_reasons=("other",),
    max_hops=3,
    consent_days=180,
    retention_days=180,
)
CATALOGUE = Catalogue(
    languages={"en": Language("en", "English"), "th": Language("th", "ไทย")},
    pathways={"help": PATHWAY},
    categories=PATHWAY.categories,
)


def area(area_id: str, parent: str | None = None) -> Area:
    return Area(area_id, parent, {"en": area_id})


AREAS = (
    area("land"),
    area("north", "land"),
    area("south", "land"),
    area("town", "south"),
    area("bay", "south"),
)


def organization(organization_id: str = "bua", **changes: object) -> Organization:
    said: dict[str, object] = {"kind": OrganizationKind.CSO, "hours": OFFICE_HOURS, **changes}
    return Organization(organization_id, {"en": organization_id}, timezone=BKK, **said)  # type: ignore[arg-type]


def service(service_id: str = "bua-visits", organization_id: str = "bua", **changes: object) -> Service:
    said: dict[str, object] = {
        "categories": ("visits",),
        "areas": ("town",),
        "languages": ("th", "en"),
        "ages": GROWN_UP,
        "capacity_confirmed_on": DAY - timedelta(days=7),
        **changes,
    }
    return Service(service_id, organization_id, {"en": service_id}, **said)  # type: ignore[arg-type]


def agreement(organization_id: str = "bua", **changes: object) -> Agreement:
    said: dict[str, object] = {
        "purposes": ("support",),
        "pathways": ("help",),
        "classes": OPENED,
        "starts_on": date(2026, 1, 1),
        "ends_on": date(2026, 12, 31),
        "review_on": date(2026, 6, 1),
        "signatories": ("both",),
        **changes,
    }
    return Agreement(f"{organization_id}-2026", organization_id, **said)  # type: ignore[arg-type]


def directory(
    organizations: Iterable[Organization],
    services: Iterable[Service],
    agreements: Iterable[Agreement] | None = None,
) -> Directory:
    """A directory of these; every organisation has an agreement unless others are given."""
    known = {each.id: each for each in organizations}
    return Directory(
        areas={each.id: each for each in AREAS},
        organizations=known,
        services={each.id: each for each in services},
        agreements=tuple(agreement(each) for each in known) if agreements is None else tuple(agreements),
    )


def need(**changes: object) -> Need:
    said: dict[str, object] = {
        "pathway": PATHWAY,
        "category": "visits",
        "area": "town",
        "urgency": Urgency.NORMAL,
        "language": "th",
        "age_group": AgeGroup.ADULT,
        "now": NOW,
        **changes,
    }
    return Need(**said)  # type: ignore[arg-type]


def consent(**changes: object) -> Consent:
    said: dict[str, object] = {
        "plan": ("bua-visits",),
        "classes": OPENED,
        "text": "yes",
        "language": "en",
        "given_at": NOW,
        "until": NOW + timedelta(days=30),
        **changes,
    }
    return Consent("consent-1", "referral-1", **said)  # type: ignore[arg-type]

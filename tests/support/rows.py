"""Small rows for the tests of the store."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from referrals.directory import Organization, OrganizationKind, Service
from referrals.model import AgeGroup, Offer, OfferStage, Referral, Stage, Urgency
from referrals.persons import Person, Presence, Scrap, WritingWindow
from referrals.ports import Tx

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
DAY = date(2026, 11, 24)
NINE = time(9, 30)


def a_person(person_id: str, **changes: Any) -> Person:
    values: dict[str, Any] = {
        "language": "en",
        "timezone": "Asia/Bangkok",
        "window": WritingWindow.DAYTIME,
        "presence": Presence.PRESENT,
        "age_group": None,
        "created_at": NOW,
        "last_seen_at": NOW,
        "retain_until": NOW + timedelta(days=30),
    }
    return Person(person_id, **{**values, **changes})


def a_referral(referral_id: str, **changes: Any) -> Referral:
    values: dict[str, Any] = {
        "code": f"R-{referral_id}",
        "pathway": "family-support",
        "pathway_version": 1,
        "author_id": "p1",
        "category": "family.visits",
        "language": "th",
        "urgency": Urgency.URGENT,
        "area": "pattani",
        "age_group": AgeGroup.ADULT,
        "stage": Stage.MATCHING,
        "stage_since": NOW,
        "created_at": NOW,
    }
    return Referral(referral_id, **{**values, **changes})


def an_offer(offer_id: str, referral_id: str, **changes: Any) -> Offer:
    values: dict[str, Any] = {
        "service_id": "s1",
        "organization_id": "o1",
        "stage": OfferStage.SENT,
        "sent_at": NOW,
        "acknowledge_by": NOW,
        "decide_by": NOW,
    }
    return Offer(offer_id, referral_id, **{**values, **changes})


def an_organization(organization_id: str, **changes: Any) -> Organization:
    values: dict[str, Any] = {
        "names": {"en": "Open Door"},
        "kind": OrganizationKind.CSO,
        "timezone": "Asia/Bangkok",
    }
    return Organization(organization_id, **{**values, **changes})


def a_service(service_id: str, organization_id: str) -> Service:
    ages = (AgeGroup.ADULT, AgeGroup.OLDER)
    return Service(
        service_id, organization_id, {"en": "Visits"}, ("family.visits",), ("south",), ("th",), ages
    )


def add_person(tx: Tx, person_id: str, account: int) -> None:
    """A verb: somebody who can be written to."""
    tx.add(a_person(person_id))
    tx.bind_account(person_id, account)


def add_scrap(tx: Tx, row_id: str) -> str:
    """A verb: the smallest row there is."""
    tx.add(Scrap(row_id, "p1", tx.now))
    return row_id

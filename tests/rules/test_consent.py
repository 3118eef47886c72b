"""What may be opened to whom: every stage, class, kind of body, agreement and consent together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import chain, combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.consent import agreement_for, classes_for, covers, difference, digest, stands_for
from referrals.directory import OrganizationKind
from referrals.model import AgeGroup, DataClass, Referral, Stage, Urgency
from tests.support.networks import (
    DAY,
    NOW,
    OPENED,
    PATHWAY,
    agreement,
    consent,
    directory,
    organization,
    service,
)

ROUTING, CONTACT, STORY = OPENED
STATE = {"government", "police", "corrections", "probation"}
# Written out by hand: what a pathway with 'offered: routing; accepted: contact, story' opens at each stage.
STAGE_OPENS: dict[Stage, set[DataClass]] = {stage: set() for stage in Stage} | {
    Stage.OFFERED: {ROUTING},
    Stage.WAITLISTED: {ROUTING},
    Stage.ACCEPTED: set(OPENED),
    Stage.UNREACHABLE: set(OPENED),
    Stage.IN_SERVICE: set(OPENED),
    Stage.REPORTED: set(OPENED),
    Stage.DISPUTED: set(OPENED),
}
SUBSETS = list(chain.from_iterable(combinations(OPENED, n) for n in range(4)))


@pytest.mark.parametrize("kind", OrganizationKind)
def test_every_stage_agreement_and_consent(kind: OrganizationKind) -> None:
    """11 kinds x 15 stages x 8 agreements x 8 consents, against the rule in its own words."""
    partner = organization(kind=kind)
    for stage, in_agreement, in_consent in product(Stage, SUBSETS, SUBSETS):
        opened = classes_for(
            PATHWAY, agreement(classes=in_agreement), partner, consent(classes=in_consent), stage, NOW
        )
        implied = set() if kind.value in STATE else {ROUTING}
        both_name = set(in_agreement) & set(in_consent)
        assert set(opened) == STAGE_OPENS[stage] & (both_name | implied), (kind, stage)
        assert list(opened) == [c for c in DataClass if c in opened]


@pytest.mark.parametrize(
    "broken",
    [
        None,
        agreement("other"),
        agreement(pathways=("something-else",)),
        agreement(ends_on=DAY - timedelta(days=1)),
        agreement(starts_on=DAY + timedelta(days=1)),
    ],
)
def test_nothing_is_shared_without_an_agreement_in_force(broken) -> None:
    assert classes_for(PATHWAY, broken, organization(), consent(), Stage.ACCEPTED, NOW) == ()


@pytest.mark.parametrize(
    "ended", [consent(withdrawn_at=NOW), consent(until=NOW - timedelta(days=1)), consent(classes=())]
)
def test_nothing_but_routing_is_shared_without_a_yes(ended) -> None:
    opened = classes_for(PATHWAY, agreement(), organization(), ended, Stage.ACCEPTED, NOW)
    assert opened == ((ROUTING,) if ended.withdrawn_at is None and ended.until > NOW else ())


@pytest.mark.parametrize(
    ("given_yes", "service_id", "expected"),
    [
        (consent(), "bua-visits", True),
        (consent(), "bua-letters", False),
        (consent(withdrawn_at=NOW), "bua-visits", False),
        (consent(until=NOW), "bua-visits", False),
        (consent(until=NOW + timedelta(seconds=1)), "bua-visits", True),
    ],
)
def test_a_yes_covers_the_shown_plan_until_its_end(given_yes, service_id: str, expected: bool) -> None:
    assert covers(given_yes, service_id, NOW) is expected


def test_of_several_agreements_one_in_force_is_found() -> None:
    over = agreement(ends_on=DAY - timedelta(days=1))
    now = agreement(starts_on=DAY)
    known = directory([organization()], [service()], [over, now])
    assert agreement_for(known, "bua", "help", DAY) == now
    assert agreement_for(known, "bua", "help", DAY - timedelta(days=1)) == over
    assert agreement_for(known, "bua", "other", DAY) is None
    assert agreement_for(known, "nobody", "help", DAY) is None


@given(st.text(), st.text())
def test_a_digest_names_exact_words(one: str, other: str) -> None:
    assert len(digest(one)) == 32
    assert (digest(one) == digest(other)) == (one == other)


def test_an_agreement_serves_for_its_purposes_only() -> None:
    known = directory([organization()], [service()], [agreement(purposes=("work",))])
    assert agreement_for(known, "bua", "help", DAY, ("support",)) is None
    assert agreement_for(known, "bua", "help", DAY, ("support", "work")) is not None
    narrow = replace(PATHWAY, purposes=("support",))
    assert not classes_for(narrow, agreement(purposes=("work",)), organization(), consent(), *_ACCEPTED)
    assert classes_for(narrow, agreement(purposes=("support",)), organization(), consent(), *_ACCEPTED)


def test_a_yes_stands_for_the_need_and_the_classes_that_it_was_given_to() -> None:
    matter = referral(category="visits")
    assert stands_for(consent(category="visits"), matter, PATHWAY)
    assert not stands_for(consent(category="letters"), matter, PATHWAY)
    wider = replace(PATHWAY, classes={**PATHWAY.classes, Stage.ACCEPTED: (*OPENED, DataClass.IDENTITY)})
    assert not stands_for(consent(category="visits"), matter, wider)
    narrower = replace(PATHWAY, classes={**PATHWAY.classes, Stage.ACCEPTED: (ROUTING,)})
    assert stands_for(consent(category="visits"), matter, narrower), "less is never asked for anew"


def test_a_difference_names_what_is_new_and_what_is_gone() -> None:
    before = consent(classes=(ROUTING, CONTACT), category="letters")
    found = difference(before, ("bua", "mosque"), ("bua", "two"), (ROUTING, STORY), "visits")
    assert (found.new_partners, found.gone_partners) == (("two",), ("mosque",))
    assert (found.new_classes, found.gone_classes) == ((STORY,), (CONTACT,))
    assert found.category == "letters"
    assert not difference(before, ("bua",), ("bua",), (ROUTING, CONTACT), "letters")


def referral(**changes: object) -> Referral:
    said = {"category": "visits", **changes}
    return Referral(
        "referral-1", "3H2-F34", "help", 1, "p1", str(said["category"]), "en", Urgency.NORMAL, "town",
        AgeGroup.ADULT, Stage.MATCHING, NOW, NOW,
    )  # fmt: skip


_ACCEPTED = (Stage.ACCEPTED, NOW)

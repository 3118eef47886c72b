"""The network of `bot demo`: it reads without a fault, and holds what its story needs."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from referrals.consent import agreement_for, classes_for
from referrals.directory import STATE_KINDS
from referrals.model import AgeGroup, DataClass, Role, Stage, Urgency
from referrals.routing import Exclusions, Need, make_plan, why_not
from referrals.schedule import local, on_duty
from storage.catalogue_files import read_catalogue, read_network
from tests.support.networks import OPENED, consent

FOLDER = Path(__file__).parents[2] / "catalogue"
CATALOGUE = read_catalogue(FOLDER)
NETWORK = read_network(FOLDER / "demo" / "network.toml", CATALOGUE)
DIRECTORY = NETWORK.directory()
PEOPLE = tomllib.loads((FOLDER / "demo" / "people.toml").read_text(encoding="utf-8"))["person"]
PATHWAY = CATALOGUE.pathways["family-support"]
DAY = date(2026, 11, 23)


def visits(*excluded: str) -> Need:
    return Need(
        PATHWAY,
        "family.visits",
        "pattani-mueang",
        Urgency.NORMAL,
        "th",
        AgeGroup.ADULT,
        datetime(2026, 11, 23, 4, tzinfo=UTC),
        Exclusions(frozenset(excluded)),
    )


def test_three_partners_serve_one_is_excluded_and_the_next_has_its_turn() -> None:
    assert make_plan(visits(), DIRECTORY, {}, DAY).service_ids == (
        "bua-visits",
        "two-rivers-visits",
        "open-door-visits",
    )
    without = make_plan(visits("bua-house"), DIRECTORY, {}, DAY)
    assert without.service_ids == ("two-rivers-visits", "open-door-visits")


def test_the_plan_is_this_one_byte_for_byte() -> None:
    first = make_plan(visits(), DIRECTORY, {}, DAY, limit=1)
    assert repr(first) == (
        "Plan(lines=(Line(service_id='bua-visits', organization_id='bua-house', reasons=("
        "Reason(key='why.area_exact', params=(('area', 'pattani-mueang'),)), "
        "Reason(key='why.language', params=(('language', 'th'),)), "
        "Reason(key='why.capacity_fresh', params=())), task=''),))"
    )


def test_the_partner_whose_agreement_ran_out_is_never_asked() -> None:
    reasons = {left.service_id: left.reason_key for left in why_not(visits(), DIRECTORY)}
    assert reasons["old-bridge-visits"] == "why_not.agreement"


def test_agreements_hold_for_years_but_for_one() -> None:
    others = [a for a in NETWORK.agreements if a.id != "old-bridge-2026"]
    assert {a.organization_id for a in others} == {o.id for o in NETWORK.organizations} - {"old-bridge"}
    assert all(a.in_force(date(2026, 1, 1)) and a.in_force(date(2036, 12, 31)) for a in others)


def test_a_body_of_the_state_gets_no_story() -> None:
    office = DIRECTORY.organizations["family-office"]
    bound = agreement_for(DIRECTORY, office.id, PATHWAY.id, DAY)
    opened = classes_for(PATHWAY, bound, office, consent(classes=OPENED), Stage.ACCEPTED, visits().now)
    assert opened == (DataClass.ROUTING, DataClass.CONTACT)


def test_bodies_of_the_state_get_exactly_what_their_agreements_name() -> None:
    named: dict[str, dict[str, list[str]]] = {
        o.id: {} for o in NETWORK.organizations if o.kind in STATE_KINDS
    }
    for agreement in NETWORK.agreements:
        for pathway in agreement.pathways if agreement.organization_id in named else ():
            named[agreement.organization_id][pathway] = [c.value for c in agreement.classes]
    assert named == {
        "family-office": {
            pathway: ["routing", "contact"]
            for pathway in ("family-support", "member-support", "release-plan")
        },
        "border-corrections": {"custody-programme": ["routing"], "release-plan": ["routing", "safety"]},
        "border-probation": {"attendance-confirmation": ["routing", "identity"]},
    }


def test_a_focal_point_does_nothing_else_here() -> None:
    focal = {s.organization_id for s in DIRECTORY.services_of_category["complaint.abuse"]}
    assert len(focal) == 2
    assert all(a.pathways == ("complaint",) for a in NETWORK.agreements if a.organization_id in focal)
    assert all(
        s.organization_id not in focal for s in NETWORK.services if "complaint.help" not in s.categories
    )


@pytest.mark.parametrize("category", PATHWAY.categories)
def test_everything_can_be_asked_for_in_pattani(category: str) -> None:
    asked = Need(
        PATHWAY, category, "pattani-mueang", Urgency.NORMAL, "en", AgeGroup.ADULT, visits().now, Exclusions()
    )
    assert len(make_plan(asked, DIRECTORY, {}, DAY).lines) >= 2


def test_every_organisation_that_can_be_asked_has_somebody_to_ask() -> None:
    workers = {s.organization_id for s in NETWORK.seats if s.role is Role.WORKER}
    asked = {s.organization_id for s in NETWORK.services}
    # Whoever supervises people is asked for nothing: it may be sent an attendance, and may ask for one.
    assert asked - {"old-bridge"} == workers - {"border-probation"}
    for organization in ("bua-house", "two-rivers"):
        assert sum(s.organization_id == organization for s in NETWORK.seats) == 2


def test_every_hour_of_the_week_has_a_coordinator() -> None:
    minutes = [datetime(2026, 11, 22, 17, tzinfo=UTC) + timedelta(minutes=5 * n) for n in range(7 * 24 * 12)]
    assert all(any(on_duty(duty, at) for duty in NETWORK.duties) for at in minutes)
    assert local(minutes[0], "Asia/Bangkok").hour == 0


def test_every_seat_has_one_person_and_every_person_a_phone() -> None:
    seats = [p["seat"] for p in PEOPLE if p["seat"]]
    assert sorted(seats) == sorted(s.id for s in NETWORK.seats)
    assert [p["name"] for p in PEOPLE if not p["seat"]] == ["mali", "aree"]
    assert {p["language"] for p in PEOPLE} == set(CATALOGUE.languages)
    assert all(set(p) == {"name", "telegram_id", "language", "seat"} for p in PEOPLE)
    assert all(a["telegram_id"] < b["telegram_id"] for a, b in pairwise(PEOPLE))
    assert all(p["name"].isascii() and p["name"].islower() for p in PEOPLE)


def test_both_mentors_have_members_and_a_backup() -> None:
    assert {e.mentor_seat for e in NETWORK.enrolments} == {"mentor-1", "mentor-2"}
    assert all(e.backup_seat for e in NETWORK.enrolments)


def test_areas_and_organisations_have_names_in_both_languages() -> None:
    names = [each.names for each in NETWORK.areas]
    names += [each.names for each in NETWORK.organizations]
    names += [each.names for each in NETWORK.services]
    assert all(set(each) == {"en", "th"} for each in names)


def test_every_place_knows_whom_to_call() -> None:
    for area_id in DIRECTORY.areas:
        assert any(DIRECTORY.areas[a].emergency_lines for a in DIRECTORY.ancestors[area_id])

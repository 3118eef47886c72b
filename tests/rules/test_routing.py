"""Who is asked, in which order and why: each filter and its reason, laws of order, wishes that win."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.directory import Capacity, Directory, Hours, OrganizationKind
from referrals.model import AgeGroup, Urgency
from referrals.routing import (
    Exclusions,
    Need,
    Plan,
    Standing,
    make_plan,
    still_fits,
    why_not,
)
from tests.support.networks import AREAS, DAY, PATHWAY, agreement, directory, need, organization, service

SUNDAY = datetime(2026, 11, 22, 4, tzinfo=UTC)


def why_not_bua(asked: Need, known: Directory) -> str | None:
    """What all three views say of the one service 'bua-visits', which must agree."""
    reason = still_fits(asked, "bua-visits", known)
    assert {left.service_id: left.reason_key for left in why_not(asked, known)}.get("bua-visits") == reason
    assert ("bua-visits" in make_plan(asked, known, {}, DAY).service_ids) == (reason is None)
    return reason


ORGANIZATION_FILTERS = [
    ("why_not.kind", {"kind": OrganizationKind.POLICE}, {}),
    ("why_not.suspended", {"suspended": True}, {}),
    ("why_not.conflict", {}, {"author_organizations": frozenset({"bua"})}),
    ("why_not.closed", {}, {"urgency": Urgency.EMERGENCY, "now": SUNDAY}),
    ("why_not.private_wish", {}, {"exclusions": Exclusions(organizations=frozenset({"bua"}))}),
    ("why_not.private_wish", {}, {"exclusions": Exclusions(kinds=frozenset({OrganizationKind.CSO}))}),
]


@pytest.mark.parametrize(("reason", "changed", "asked"), ORGANIZATION_FILTERS)
def test_an_organisation_that_cannot_be_asked(
    reason: str, changed: Mapping[str, Any], asked: Mapping[str, object]
) -> None:
    known = directory([organization(**changed)], [service()])
    assert why_not_bua(need(**asked), known) == reason


FOR_FAMILIES = replace(PATHWAY, audience="family")
VETTED = replace(PATHWAY, vetted_days=365)
EVERY_DAY = tuple(Hours(day, time(8), time(20)) for day in range(7))
MORNINGS = tuple(Hours(day, time(7), time(11)) for day in range(7))
WITHOUT_ANYTHING = Exclusions(lacks=frozenset({"papers", "fee", "address"}))

SERVICE_FILTERS = [
    ("why_not.category", {"categories": ("letters",)}, {}),
    ("why_not.area", {"areas": ("bay",)}, {}),
    ("why_not.area", {}, {"area": "south"}),  # whoever serves a town does not serve the whole south
    ("why_not.area", {}, {"area": "nowhere"}),
    ("why_not.full", {"capacity": Capacity.FULL}, {}),
    ("why_not.paused", {"capacity": Capacity.PAUSED}, {}),
    ("why_not.language", {"languages": ("en",)}, {}),
    ("why_not.served", {"ages": (AgeGroup.OLDER,)}, {}),
    ("why_not.children", {"ages": tuple(AgeGroup)}, {"age_group": AgeGroup.CHILD}),
    ("why_not.full", {"capacity": Capacity.FULL, "capacity_confirmed_on": DAY - timedelta(days=90)}, {}),
    ("why_not.full", {"capacity": Capacity.FULL, "capacity_confirmed_on": None}, {}),
    ("why_not.paused", {"capacity": Capacity.PAUSED, "capacity_confirmed_on": DAY - timedelta(days=400)}, {}),
    ("why_not.gender", {"genders": ("woman",)}, {"gender": "man"}),
    ("why_not.gender", {"genders": ("woman",)}, {}),  # nobody guesses what was not said
    ("why_not.audience", {"audiences": ("member",)}, {"pathway": FOR_FAMILIES}),
    ("why_not.vetting", {}, {"pathway": VETTED}),
    ("why_not.vetting", {"vetted_on": DAY - timedelta(days=366)}, {"pathway": VETTED}),
    ("why_not.vetting", {"vetted_on": DAY + timedelta(days=1)}, {"pathway": VETTED}),
    ("why_not.kind", {}, {"receivers": (OrganizationKind.HEALTH,)}),
    # Its own hours, not its organisation's: mornings only, and it is eleven o'clock.
    ("why_not.closed", {"hours": MORNINGS}, {"urgency": Urgency.EMERGENCY}),
    ("why_not.private_wish", {}, {"exclusions": Exclusions(lacks=frozenset({"papers"}))}),
    ("why_not.private_wish", {"not_needed": ("papers",)}, {"exclusions": WITHOUT_ANYTHING}),
    ("why_not.private_wish", {}, {"exclusions": Exclusions(helper="woman")}),
    ("why_not.private_wish", {"helpers": ("man",)}, {"exclusions": Exclusions(helper="woman")}),
]


@pytest.mark.parametrize(("reason", "changed", "asked"), SERVICE_FILTERS)
def test_a_service_that_does_not_fit(
    reason: str, changed: Mapping[str, Any], asked: Mapping[str, object]
) -> None:
    known = directory([organization()], [service(**changed)])
    assert why_not_bua(need(**asked), known) == reason


@pytest.mark.parametrize(
    "agreements",
    [
        [],
        [agreement("other")],
        [agreement(pathways=("something-else",))],
        [agreement(ends_on=DAY - timedelta(days=1))],
        [agreement(starts_on=DAY + timedelta(days=1))],
    ],
)
def test_nobody_is_asked_without_an_agreement_in_force(agreements: list) -> None:
    known = directory([organization()], [service()], agreements)
    assert why_not_bua(need(), known) == "why_not.agreement"


@pytest.mark.parametrize("day", ["first", "last"])
def test_an_agreement_holds_on_its_first_and_last_day(day: str) -> None:
    edges: dict[str, Any] = {"starts_on": DAY} if day == "first" else {"ends_on": DAY}
    assert why_not_bua(need(), directory([organization()], [service()], [agreement(**edges)])) is None


@pytest.mark.parametrize(
    ("changed", "asked"),
    [
        ({}, {}),
        ({"areas": ("land",)}, {}),
        ({"capacity": Capacity.LIMITED}, {}),
        ({"capacity_confirmed_on": None}, {}),
        ({"round_the_clock": True}, {"urgency": Urgency.EMERGENCY, "now": SUNDAY}),
        ({}, {"urgency": Urgency.EMERGENCY}),
        ({}, {"urgency": Urgency.URGENT, "now": SUNDAY}),
        ({"ages": tuple(AgeGroup), "children_vetted": True}, {"age_group": AgeGroup.CHILD}),
        # Full three months and a day ago: nobody knows any more.
        ({"capacity": Capacity.FULL, "capacity_confirmed_on": DAY - timedelta(days=91)}, {}),
        ({"genders": ("woman",)}, {"gender": "woman"}),
        ({"audiences": ("family", "harmed")}, {"pathway": FOR_FAMILIES}),
        ({"audiences": ("member",)}, {}),
        ({"vetted_on": DAY - timedelta(days=365)}, {"pathway": VETTED}),
        ({}, {"receivers": (OrganizationKind.CSO,)}),
        ({"hours": EVERY_DAY}, {"urgency": Urgency.EMERGENCY, "now": SUNDAY}),
        ({"hours": MORNINGS}, {}),
        ({"not_needed": ("papers", "fee", "address")}, {"exclusions": WITHOUT_ANYTHING}),
        ({"helpers": ("woman",)}, {"exclusions": Exclusions(helper="woman")}),
    ],
)
def test_who_fits_is_asked(changed: Mapping[str, Any], asked: Mapping[str, object]) -> None:
    assert why_not_bua(need(**asked), directory([organization()], [service(**changed)])) is None


def test_a_holiday_of_its_organisation_closes_a_service_with_hours_of_its_own() -> None:
    known = directory([organization(holidays=(DAY,))], [service(hours=EVERY_DAY)])
    assert why_not_bua(need(urgency=Urgency.EMERGENCY), known) == "why_not.closed"


def test_a_wish_is_named_last_so_that_it_shows_only_when_nothing_else_explains() -> None:
    wish = Exclusions(organizations=frozenset({"bua"}))
    known = directory([organization(suspended=True)], [service()])
    assert why_not_bua(need(exclusions=wish), known) == "why_not.suspended"


def test_what_is_gone_no_longer_fits() -> None:
    orphan = directory([], [service()])
    assert still_fits(need(), "never-was", orphan) == "why_not.gone"
    assert why_not_bua(need(), orphan) == "why_not.gone"


# -- order and reasons -------------------------------------------------------------------------------


def order_of(known: Directory, standings: Mapping[str, Standing] | None = None) -> list[str]:
    return [line.organization_id for line in make_plan(need(), known, standings or {}, DAY).lines]


@pytest.mark.parametrize(
    "worse",
    [
        {"languages": ("en", "th")},
        {"areas": ("south",)},
        {"capacity": Capacity.LIMITED},
        {"capacity_confirmed_on": DAY - timedelta(days=31)},
        {"capacity_confirmed_on": DAY - timedelta(days=91)},
        {"capacity_confirmed_on": None},
        {"capacity": Capacity.FULL, "capacity_confirmed_on": DAY - timedelta(days=91)},
    ],
)
def test_the_better_fit_is_asked_first(worse: Mapping[str, Any]) -> None:
    services = [service("a", "first", **worse), service("b", "second")]
    assert order_of(directory([organization("first"), organization("second")], services)) == [
        "second",
        "first",
    ]


def test_the_order_of_the_orders() -> None:
    """Language before nearness before freshness before load before promises before the id."""
    last_places: list[dict[str, Any]] = [
        {"languages": ("en", "th")},
        {"areas": ("land",)},
        {"areas": ("south",)},
        {"capacity_confirmed_on": None, "capacity": Capacity.LIMITED},
        {"capacity_confirmed_on": None},
        {"capacity": Capacity.LIMITED},
        {},
        {},
        {},
        {},
    ]
    names = [f"o{n}" for n in range(len(last_places))]
    known = directory(
        [organization(name) for name in names],
        [service(f"s-{name}", name, **place) for name, place in zip(names, last_places, strict=True)],
    )
    standings = {"o6": Standing(live=2), "o7": Standing(kept=1, missed=5), "o9": Standing(kept=3)}
    plan = make_plan(need(), known, standings, DAY, limit=99)
    expected = ["o9", "o8", "o7", "o6", "o5", "o4", "o3", "o2", "o1", "o0"]
    assert [line.organization_id for line in plan.lines] == expected


def in_two(first: Standing, second: Standing) -> list[str]:
    known = directory([organization("a"), organization("b")], [service("a", "a"), service("b", "b")])
    return order_of(known, {"a": first, "b": second})


def test_load_is_what_each_who_works_there_has_at_hand() -> None:
    assert in_two(Standing(live=4, seats=1), Standing(live=6, seats=3)) == ["b", "a"]
    assert in_two(Standing(live=2, seats=2), Standing(live=4, seats=3)) == ["a", "b"]  # one each


def test_whoever_was_asked_lately_is_not_always_asked_first() -> None:
    assert in_two(Standing(recent=2), Standing()) == ["b", "a"]
    assert in_two(Standing(recent=1), Standing()) == ["a", "b"]  # once is no burden


def test_nobody_there_yet_counts_as_one_who_works_there() -> None:
    assert Standing(live=3, seats=0).load == 3


def test_an_organisation_stands_in_the_plan_once_with_its_best_service() -> None:
    services = [service("a", areas=("land",)), service("b"), service("c", areas=("town", "land"))]
    assert make_plan(need(), directory([organization()], services), {}, DAY).service_ids == ("b",)


def reasons_of(plan: Plan) -> list[tuple[str, dict[str, str]]]:
    return [(reason.key, dict(reason.params)) for reason in plan.lines[0].reasons]


def test_reasons_name_place_language_room_and_promises() -> None:
    known = directory([organization()], [service()])
    assert reasons_of(make_plan(need(), known, {"bua": Standing(kept=2, missed=1)}, DAY)) == [
        ("why.area_exact", {"area": "town"}),
        ("why.language", {"language": "th"}),
        ("why.capacity_fresh", {}),
        ("why.kept_promises", {}),
    ]


def test_reasons_of_a_wide_service_for_a_child_in_an_emergency() -> None:
    wide = service(
        areas=("land", "north"),
        ages=(AgeGroup.CHILD,),
        children_vetted=True,
        capacity=Capacity.LIMITED,
        capacity_confirmed_on=None,
    )
    asked = need(urgency=Urgency.EMERGENCY, age_group=AgeGroup.CHILD)
    assert reasons_of(make_plan(asked, directory([organization()], [wide]), {}, DAY)) == [
        ("why.area_above", {"area": "land"}),
        ("why.language", {"language": "th"}),
        ("why.children", {}),
        ("why.open_now", {}),
        ("why.capacity_unknown", {}),
    ]


@pytest.mark.parametrize(("days_ago", "believed"), [(0, True), (30, True), (31, False)])
def test_an_old_word_about_room_is_no_reason(days_ago: int, believed: bool) -> None:
    known = directory([organization()], [service(capacity_confirmed_on=DAY - timedelta(days=days_ago))])
    keys = [key for key, _ in reasons_of(make_plan(need(), known, {}, DAY))]
    assert keys == ["why.area_exact", "why.language", *(["why.capacity_fresh"] if believed else [])]


class Counted(dict[str, Standing]):
    """Standings that cost something: each look is a query to the database."""

    looks = 0

    def get(self, key: str, default: Standing | None = None) -> Standing | None:  # type: ignore[override]
        self.looks += 1
        return super().get(key, default)


def test_standings_are_looked_at_only_where_they_decide() -> None:
    near = [service(f"n{n}", f"near{n}") for n in range(3)]
    far = [service(f"f{n}", f"far{n}", areas=("land",)) for n in range(50)]
    known = directory([organization(s.organization_id) for s in near + far], near + far)
    standings = Counted()
    assert len(make_plan(need(), known, standings, DAY, limit=3).lines) == 3
    assert standings.looks == 3


# -- laws --------------------------------------------------------------------------------------------

ORGANIZATIONS = [f"o{n}" for n in range(8)]
some = st.sampled_from
organizations_drawn = st.tuples(
    *(
        st.builds(
            organization,
            st.just(name),
            kind=some(OrganizationKind),
            suspended=some([False, False, False, True]),
        )
        for name in ORGANIZATIONS
    )
)
a_service = st.fixed_dictionaries(
    {
        "organization_id": some(ORGANIZATIONS),
        "categories": some([("visits",), ("visits", "letters"), ("letters",)]),
        "areas": st.lists(some([a.id for a in AREAS]), min_size=1, max_size=3, unique=True).map(tuple),
        "languages": some([("th",), ("en", "th"), ("th", "en"), ("en",)]),
        "ages": some([tuple(AgeGroup), (AgeGroup.ADULT,), (AgeGroup.CHILD, AgeGroup.YOUNG)]),
        "children_vetted": st.booleans(),
        "capacity": some(Capacity),
        "capacity_confirmed_on": some([None, *(DAY - timedelta(days=n) for n in (0, 30, 31, 90, 91))]),
        "round_the_clock": st.booleans(),
        "hours": some([(), (), EVERY_DAY, MORNINGS]),
        "genders": some([(), (), ("woman",), ("woman", "man")]),
        "audiences": some([(), (), ("family",), ("member", "harmed")]),
        "vetted_on": some([None, DAY, DAY - timedelta(days=400)]),
        "not_needed": some([(), ("papers",), ("papers", "fee", "address")]),
        "helpers": some([(), ("woman",), ("woman", "man")]),
    }
)
services_drawn = st.lists(a_service, max_size=24).map(
    lambda rows: [service(f"s{n:02}", **row) for n, row in enumerate(rows)]
)
agreements_drawn = st.lists(
    st.builds(agreement, some(ORGANIZATIONS), ends_on=some([DAY, DAY, DAY, DAY - timedelta(days=1)])),
    min_size=4,
    max_size=12,
    unique_by=lambda a: a.organization_id,
)
directories = st.builds(directory, organizations_drawn, services_drawn, agreements_drawn)
wishes = st.builds(
    Exclusions,
    st.frozensets(some(ORGANIZATIONS), max_size=3),
    st.frozensets(some(OrganizationKind), max_size=2),
    st.frozensets(some(["papers", "fee", "address"]), max_size=1),
    some(["", "", "woman", "man"]),
)
needs = st.builds(
    need,
    category=some(["visits", "letters"]),
    area=some([a.id for a in AREAS]),
    urgency=some(Urgency),
    language=some(["th", "en"]),
    age_group=some(AgeGroup),
    now=some([need().now, SUNDAY]),
    exclusions=wishes,
    author_organizations=st.frozensets(some(ORGANIZATIONS), max_size=1),
    gender=some(["", "woman", "man"]),
    pathway=some([PATHWAY, PATHWAY, FOR_FAMILIES, VETTED]),
    receivers=some([(), (), (OrganizationKind.CSO, OrganizationKind.HEALTH)]),
)
standings_drawn = st.dictionaries(
    some(ORGANIZATIONS), st.builds(Standing, *(st.integers(0, 3) for _ in range(5)))
)


@given(needs, directories, standings_drawn, st.randoms(use_true_random=False))
def test_the_same_input_gives_the_same_plan_byte_for_byte(
    asked: Need, known: Directory, standings: Mapping[str, Standing], rng: random.Random
) -> None:
    def shuffled(rows: Mapping) -> dict:
        return dict(rng.sample(list(rows.items()), len(rows)))

    other = replace(
        known,
        areas=shuffled(known.areas),
        organizations=shuffled(known.organizations),
        services=shuffled(known.services),
        agreements=tuple(rng.sample(known.agreements, len(known.agreements))),
    )
    plans = [make_plan(asked, each, standings, DAY) for each in (known, known, other)]
    assert len({repr(plan).encode() for plan in plans}) == 1
    assert why_not(asked, known) == why_not(asked, other)


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_another_process_makes_the_same_plan_byte_for_byte(hash_seed: str) -> None:
    """Sets and dictionaries come in another order there; the plan does not."""
    theirs = subprocess.run(
        [sys.executable, "-c", "from tests.rules.test_routing import a_plan_as_bytes as p; print(p())"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert theirs == a_plan_as_bytes()


def a_plan_as_bytes() -> str:
    """The fingerprint of a plan and of why others are not in it, over a network drawn with a fixed seed."""
    chance = random.Random(5)
    everywhere = [each.id for each in AREAS]
    people = [organization(f"o{n}", kind=chance.choice(list(OrganizationKind))) for n in range(40)]
    found = [
        service(
            f"s{n}",
            f"o{n % 40}",
            areas=tuple(chance.sample(everywhere, 2)),
            not_needed=tuple(chance.sample(["papers", "fee", "address"], 2)),
            capacity=chance.choice(list(Capacity)),
        )
        for n in range(200)
    ]
    known = directory(people, found)
    wished = Exclusions(frozenset({"o1", "o2", "o3"}), lacks=frozenset({"papers", "fee"}))
    standings = {f"o{n}": Standing(n % 3, n % 4, n % 2, n % 5, n % 3) for n in range(40)}
    asked = need(exclusions=wished)
    whole = repr((make_plan(asked, known, standings, DAY, limit=99), why_not(asked, known)))
    return hashlib.sha256(whole.encode()).hexdigest()


@given(needs, directories, standings_drawn)
def test_wishes_always_win_and_change_nothing_else(
    asked: Need, known: Directory, standings: Mapping[str, Standing]
) -> None:
    plan = make_plan(asked, known, standings, DAY, limit=99)
    wished = asked.exclusions
    assert not any(wished.hit(known.organizations[x.organization_id]) for x in plan.lines)
    assert not any(wished.misses(known.services[x.service_id]) for x in plan.lines)
    # Its organisation may come in with another service, so each service is compared by itself.
    without = replace(asked, exclusions=Exclusions())
    fits = {s for s in known.services if still_fits(without, s, known) is None}
    wanted = {
        s.id
        for s in known.services.values()
        if s.id in fits and not wished.hit(known.organizations[s.organization_id]) and not wished.misses(s)
    }
    assert {s for s in known.services if still_fits(asked, s, known) is None} == wanted


@given(needs, directories, standings_drawn)
def test_everybody_is_in_the_plan_or_told_apart_by_a_reason(
    asked: Need, known: Directory, standings: Mapping[str, Standing]
) -> None:
    left_out = {left.service_id: left.reason_key for left in why_not(asked, known)}
    for service_id in known.services:
        assert still_fits(asked, service_id, known) == left_out.get(service_id)
    fitting = {s.organization_id for s in known.services.values() if s.id not in left_out}
    plan = make_plan(asked, known, standings, DAY, limit=99)
    assert sorted(x.organization_id for x in plan.lines) == sorted(fitting)
    assert not set(plan.service_ids) & set(left_out)


@given(needs, directories, standings_drawn, st.integers(0, 9))
def test_a_shorter_plan_is_the_beginning_of_a_longer_one(
    asked: Need, known: Directory, standings: Mapping[str, Standing], limit: int
) -> None:
    longest = make_plan(asked, known, standings, DAY, limit=99)
    assert make_plan(asked, known, standings, DAY, limit).lines == longest.lines[:limit]


@given(needs, directories, standings_drawn)
def test_a_plan_is_sorted_by_fit(asked: Need, known: Directory, standings: Mapping[str, Standing]) -> None:
    def rank(service_id: str) -> tuple:
        found = known.services[service_id]
        standing = standings.get(found.organization_id, Standing())
        above = known.ancestors[asked.area]
        said = found.capacity_confirmed_on
        days = (DAY - said).days if said is not None else 1_000
        return (
            found.languages.index(asked.language) > 0,
            min(above.index(a) for a in found.areas if a in above),
            (days > 30) + (days > 90),
            found.capacity is Capacity.LIMITED,
            (2 * standing.live + standing.recent) // (2 * max(1, standing.seats)),
            -(standing.kept + 1) / (standing.kept + standing.missed + 2),
            found.id,
        )

    ids = make_plan(asked, known, standings, DAY, limit=99).service_ids
    assert list(ids) == sorted(ids, key=rank)

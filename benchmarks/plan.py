"""A plan over 10,000 services in 1,000 areas, with its reasons; the floor is a bare look at every one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from time import perf_counter

from benchmarks.harness import Row, in_turns, milliseconds, percentile, ratios
from benchmarks.processes import ROOT
from referrals.catalogue import Pathway
from referrals.directory import (
    Agreement,
    Area,
    Capacity,
    Directory,
    Hours,
    Organization,
    OrganizationKind,
    Service,
)
from referrals.model import AgeGroup, DataClass, Urgency
from referrals.routing import Exclusions, Need, Standing, make_plan
from storage.catalogue_files import read_catalogue

SERVICES, ORGANIZATIONS, REGIONS, PROVINCES = 10_000, 2_000, 10, 90
DISTRICTS = 1_000 - 1 - REGIONS - PROVINCES
DAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
OFFICE_HOURS = tuple(Hours(day, time(9), time(17)) for day in range(5))
LANGUAGES = (("th", "en"), ("en", "th"), ("th",))
Once = Callable[[Need], None]
GROWN_UP = (AgeGroup.YOUNG, AgeGroup.ADULT, AgeGroup.OLDER)


def measure(quick: bool) -> Iterator[Row]:
    """Needs drawn at random, and the worst: one that every service in the land would fit."""
    chance = Random(1)
    catalogue = read_catalogue(ROOT / "catalogue")
    pathway = catalogue.pathways["family-support"]
    directory = make_directory(chance, pathway)
    standings = {
        o: Standing(*(chance.randrange(n) for n in (9, 9, 3, 5, 6))) for o in directory.organizations
    }
    needs = [draw_need(chance, pathway, directory) for _ in range(200 if quick else 1_000)]
    # The directory's indexes are built with the first plan after each change of it.
    found = [len(make_plan(need, directory, standings, DAY).lines) for need in needs]
    assert sum(found) > len(needs), "a plan that finds nobody is quick, and measures nothing"
    rounds = 3 if quick else 7

    def plan(need: Need) -> None:
        make_plan(need, directory, standings, DAY)

    def scan(need: Need) -> None:
        _bare_scan(need, directory)

    yield from _rows("plan, needs at random", needs, plan, scan, rounds, "<= 5 ms")
    everywhere = everything_fits(directory)

    def plan_worst(need: Need) -> None:
        make_plan(need, everywhere, standings, DAY)

    worst = [replace(need, urgency=Urgency.NORMAL, exclusions=Exclusions()) for need in needs[:20]]
    assert all(make_plan(need, everywhere, standings, DAY).lines for need in worst)
    yield from _rows("plan, all 10,000 fit", worst, plan_worst, scan, rounds)


def make_directory(chance: Random, pathway: Pathway) -> Directory:
    """A tree of 1,000 areas, 2,000 organisations with an agreement each, 10,000 services somewhere in it."""
    areas = [Area("land", None, {"en": "land"})]
    areas += [Area(f"region-{n}", "land", {"en": "r"}) for n in range(REGIONS)]
    areas += [Area(f"province-{n}", f"region-{n % REGIONS}", {"en": "p"}) for n in range(PROVINCES)]
    areas += [Area(f"district-{n}", f"province-{n % PROVINCES}", {"en": "d"}) for n in range(DISTRICTS)]
    kinds = list(OrganizationKind)
    organizations = [
        Organization(f"org-{n}", {"en": "o"}, chance.choice(kinds), "Asia/Bangkok", OFFICE_HOURS)
        for n in range(ORGANIZATIONS)
    ]
    return Directory(
        areas={area.id: area for area in areas},
        organizations={organization.id: organization for organization in organizations},
        services={s.id: s for s in (_service(chance, n, pathway) for n in range(SERVICES))},
        agreements=tuple(_agreement(organization, pathway) for organization in organizations),
    )


def draw_need(chance: Random, pathway: Pathway, directory: Directory) -> Need:
    """Somebody in some district, with a wish now and then."""
    unwanted = frozenset({f"org-{chance.randrange(ORGANIZATIONS)}"} if chance.random() < 0.3 else ())
    return Need(
        pathway=pathway,
        category=chance.choice(pathway.categories),
        area=f"district-{chance.randrange(DISTRICTS)}",
        urgency=chance.choice(list(Urgency)),
        language=chance.choice(("th", "en")),
        age_group=chance.choice(list(AgeGroup)),
        now=NOW,
        exclusions=Exclusions(
            organizations=unwanted,
            lacks=frozenset({"papers"} if chance.random() < 0.2 else ()),
            helper="woman" if chance.random() < 0.1 else "",
        ),
        gender=chance.choice(("", "woman", "man")),
    )


def everything_fits(directory: Directory) -> Directory:
    """The same network if every partner did everything, everywhere, for everybody."""
    categories = tuple({c for service in directory.services.values() for c in service.categories})
    services = {
        s.id: replace(
            s,
            categories=categories,
            areas=("land",),
            languages=("th", "en"),
            ages=tuple(AgeGroup),
            children_vetted=True,
            capacity=Capacity.OPEN,
            genders=(),
        )
        for s in directory.services.values()
    }
    organizations = {o.id: replace(o, kind=OrganizationKind.CSO) for o in directory.organizations.values()}
    return replace(directory, services=services, organizations=organizations)


def _service(chance: Random, n: int, pathway: Pathway) -> Service:
    place = chance.random()
    if place < 0.02:
        areas: tuple[str, ...] = ("land",)
    elif place < 0.1:
        areas = (f"region-{chance.randrange(REGIONS)}",)
    elif place < 0.4:
        areas = tuple(f"province-{chance.randrange(PROVINCES)}" for _ in range(2))
    else:
        areas = tuple(f"district-{chance.randrange(DISTRICTS)}" for _ in range(3))
    return Service(
        id=f"service-{n}",
        organization_id=f"org-{n % ORGANIZATIONS}",
        names={"en": "s"},
        categories=tuple(chance.sample(pathway.categories, min(2, len(pathway.categories)))),
        areas=areas,
        languages=chance.choice(LANGUAGES),
        ages=tuple(AgeGroup) if chance.random() < 0.2 else GROWN_UP,
        children_vetted=chance.random() < 0.5,
        capacity=chance.choice((Capacity.OPEN, Capacity.OPEN, Capacity.LIMITED, Capacity.FULL)),
        capacity_confirmed_on=DAY - timedelta(days=chance.randrange(120)),
        not_needed=("papers", "fee", "address") if chance.random() < 0.7 else (),
        genders=("woman",) if chance.random() < 0.1 else (),
        helpers=("woman", "man") if chance.random() < 0.5 else (),
        hours=OFFICE_HOURS if chance.random() < 0.3 else (),
        vetted_on=DAY - timedelta(days=chance.randrange(700)),
    )


def _agreement(organization: Organization, pathway: Pathway) -> Agreement:
    return Agreement(
        f"{organization.id}-2026",
        organization.id,
        pathway.purposes or ("support",),
        (pathway.id,),
        (DataClass.ROUTING, DataClass.CONTACT, DataClass.STORY),
        date(2026, 1, 1),
        date(2026, 12, 31),
        date(2026, 6, 1),
        ("both",),
    )


def _bare_scan(need: Need, directory: Directory) -> list[Service]:
    """Two tests for each service: what it does, and whether it is here or above here."""
    here = set(directory.ancestors[need.area])
    found = directory.services.values()
    return [s for s in found if need.category in s.categories and not here.isdisjoint(s.areas)]


def _rows(
    name: str, needs: Sequence[Need], plan: Once, scan: Once, rounds: int, bar: str = ""
) -> Iterator[Row]:
    times: dict[str, list[list[float]]] = {"plan": [], "scan": []}

    def way(key: str, once: Once) -> Callable[[], float]:
        def run() -> float:
            times[key].append([_seconds(once, need) for need in needs])
            return sum(times[key][-1])

        return run

    found = in_turns({"plan": way("plan", plan), "scan": way("scan", scan)}, rounds)
    plans, scans = times["plan"][1:], times["scan"][1:]
    for label, share in (("p50", 0.5), ("p95", 0.95)):
        ours, floor = ([percentile(each, share) for each in side] for side in (plans, scans))
        in_ms = [value * 1000 for value in ours]
        shown = milliseconds(ours), milliseconds(floor)
        yield Row(f"{name}: {label}", in_ms, *shown, "ms", bar if label == "p95" else "")
    yield Row(f"{name}: time to a bare scan's", ratios(found["plan"], found["scan"]))


def _seconds(once: Once, need: Need) -> float:
    begin = perf_counter()
    once(need)
    return perf_counter() - begin

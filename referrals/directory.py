"""Who can help, where, for whom, and under which agreement: HSDS names, all frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from enum import StrEnum
from functools import cached_property

from referrals.model import AgeGroup, DataClass


class OrganizationKind(StrEnum):
    CSO = "cso"
    INGO = "ingo"
    FAITH = "faith"
    ACADEMIC = "academic"
    HEALTH = "health"
    EDUCATION = "education"
    EMPLOYER = "employer"
    GOVERNMENT = "government"
    POLICE = "police"
    CORRECTIONS = "corrections"
    PROBATION = "probation"


# 'A government body gets a data class only where its agreement AND the consent both name it.'
STATE_KINDS = frozenset(
    {
        OrganizationKind.GOVERNMENT,
        OrganizationKind.POLICE,
        OrganizationKind.CORRECTIONS,
        OrganizationKind.PROBATION,
    }
)


# Bodies that hold people or supervise them: they hear nobody's yes.
SUPERVISING = frozenset({OrganizationKind.POLICE, OrganizationKind.CORRECTIONS, OrganizationKind.PROBATION})


class Capacity(StrEnum):
    OPEN = "open"
    LIMITED = "limited"
    FULL = "full"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Hours:
    """One opening on one weekday (0 = Monday), in local time, closing after opening on the same day."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class OpeningTimes:
    """A schedule in a time zone. No hours at all means round the clock."""

    timezone: str
    hours: tuple[Hours, ...] = ()
    holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class EmergencyLine:
    """A number to call when it cannot wait, and what it is called, by language id ('Ambulance')."""

    number: str
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Area:
    """A node of the area tree. `names` by language id."""

    id: str
    parent: str | None
    names: Mapping[str, str]
    emergency_lines: tuple[EmergencyLine, ...] = ()
    formerly: tuple[str, ...] = ()  # ids of areas that were split or joined into this one
    version: int = 1


@dataclass(frozen=True, slots=True)
class Organization:
    id: str
    names: Mapping[str, str]
    kind: OrganizationKind
    timezone: str
    hours: tuple[Hours, ...] = ()
    holidays: tuple[date, ...] = ()
    suspended: bool = False
    vetted_on: date | None = None
    witness: bool = False  # keeps the audit's checkpoints outside of our reach
    version: int = 1


@dataclass(frozen=True, slots=True)
class Service:
    """What an organisation offers. Areas cover everything below them in the tree."""

    id: str
    organization_id: str
    names: Mapping[str, str]
    categories: tuple[str, ...]
    areas: tuple[str, ...]
    languages: tuple[str, ...]
    ages: tuple[AgeGroup, ...]
    children_vetted: bool = False  # vetted for under 18
    capacity: Capacity = Capacity.OPEN
    capacity_confirmed_on: date | None = None
    round_the_clock: bool = False
    not_needed: tuple[str, ...] = ()  # what a person need NOT have: "papers", "fee", "address"
    genders: tuple[str, ...] = ()  # whom it serves: woman, man; empty: everybody
    audiences: tuple[str, ...] = ()  # family, member, harmed; empty: everybody
    vetted_on: date | None = None  # whoever does the work was vetted then (a scholar, a provider)
    hours: tuple[Hours, ...] = ()  # its own, in its organisation's zone; empty: its organisation's
    helpers: tuple[str, ...] = ()  # somebody may ask to be helped by one of these: woman, man
    version: int = 1


@dataclass(frozen=True, slots=True)
class Agreement:
    """Between the network and one organisation. Nothing is shared without one in force."""

    id: str
    organization_id: str
    purposes: tuple[str, ...]
    pathways: tuple[str, ...]
    classes: tuple[DataClass, ...]
    starts_on: date
    ends_on: date
    review_on: date
    signatories: tuple[str, ...]
    version: int = 1

    def in_force(self, day: date) -> bool:
        """True from the first to the last day, both included."""
        return self.starts_on <= day <= self.ends_on


@dataclass(frozen=True, slots=True)
class Duty:
    """One stretch of the on-call rota: a coordinator's seat, by weekday and local hours (24:00 as 23:59)."""

    id: str
    seat_id: str
    weekday: int
    starts: time
    ends: time
    timezone: str
    version: int = 1


@dataclass(frozen=True, slots=True)
class DutySwap:
    """Two coordinators' posts exchange one turn each, once; from the other's yes (`agreed_at`) on.

    `seat_id` has `duty_id` on `day` and asks for `for_duty_id` of `for_seat_id` on `for_day`, or gives it to
    `for_seat_id` and asks for nothing; days are local to each duty's zone. It names posts, never people, and
    goes when its turns are over.
    """

    id: str
    duty_id: str
    day: date
    seat_id: str
    for_duty_id: str | None
    for_day: date | None
    for_seat_id: str
    asked_at: datetime
    agreed_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Poster:
    """A public deep link. `id` is the start payload; nothing about the person can be read from it."""

    id: str
    pathway: str
    language: str = ""
    version: int = 1


@dataclass(frozen=True)
class Directory:
    """One consistent picture of the network, indexed for matching. Built by the store, read by the rules."""

    areas: Mapping[str, Area] = field(default_factory=dict)
    organizations: Mapping[str, Organization] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    agreements: tuple[Agreement, ...] = ()
    duties: tuple[Duty, ...] = ()
    posters: Mapping[str, Poster] = field(default_factory=dict)

    @cached_property
    def agreements_of(self) -> Mapping[str, tuple[Agreement, ...]]:
        """Organisation id to its agreements, in the order of their ids."""
        found: dict[str, tuple[Agreement, ...]] = {}
        for agreement in sorted(self.agreements, key=lambda a: a.id):
            found[agreement.organization_id] = (*found.get(agreement.organization_id, ()), agreement)
        return found

    @cached_property
    def services_of_category(self) -> Mapping[str, tuple[Service, ...]]:
        """Category id to the services that list it, in the order of their ids."""
        found: dict[str, list[Service]] = {}
        for service in sorted(self.services.values(), key=lambda s: s.id):
            for category in service.categories:
                found.setdefault(category, []).append(service)
        return {category: tuple(services) for category, services in found.items()}

    @cached_property
    def services_at(self) -> Mapping[tuple[str, str], tuple[Service, ...]]:
        """(Category id, area id) to the services that name both, in the order of their ids."""
        found: dict[tuple[str, str], list[Service]] = {}
        for category, services in self.services_of_category.items():
            for service in services:
                for area in self.areas_of(service):
                    found.setdefault((category, area), []).append(service)
        return {place: tuple(services) for place, services in found.items()}

    @cached_property
    def ancestors(self) -> Mapping[str, tuple[str, ...]]:
        """Area id to itself and its ancestors, nearest first.

        The id of an area that was split or joined leads to all that it is now, and to what lies above them.
        """
        lines = {area: self._line(area) for area in self.areas}
        for old, now in self.successors.items():
            each = [lines[area] for area in now]
            lines[old] = (*now, *dict.fromkeys(a for line in each for a in line if a not in now))
        return lines

    @cached_property
    def successors(self) -> Mapping[str, tuple[str, ...]]:
        """Ids that the tree had once, to the areas that they are now, in the order of their ids."""
        found: dict[str, list[str]] = {}
        for area in sorted(self.areas.values(), key=lambda a: a.id):
            for old in area.formerly:
                if old not in self.areas:
                    found.setdefault(old, []).append(area.id)
        return {old: tuple(now) for old, now in found.items()}

    def areas_of(self, service: Service) -> tuple[str, ...]:
        """The areas that a service names, each once; those that are gone as what they are now."""
        return tuple(dict.fromkeys(now for area in service.areas for now in self.now_called(area)))

    def now_called(self, area_id: str) -> tuple[str, ...]:
        """What an area is today: itself, or what it was split or joined into; an unknown one is itself."""
        return (area_id,) if area_id in self.areas else self.successors.get(area_id, (area_id,))

    def _line(self, area_id: str) -> tuple[str, ...]:
        line: list[str] = []
        at: str | None = area_id
        while at is not None and at in self.areas and at not in line:
            line.append(at)
            at = self.areas[at].parent
        return tuple(line)

    def emergency_lines(self, area_id: str) -> tuple[EmergencyLine, ...]:
        """The lines of the nearest area that names any; without an area those of the widest one."""
        roots = sorted(area.id for area in self.areas.values() if area.parent is None)
        for found in (*self.ancestors.get(area_id, ()), *roots):
            if lines := self.areas[found].emergency_lines:
                return lines
        return ()

    def opening_times(self, organization_id: str) -> OpeningTimes:
        """An organisation's own working time (KeyError for an unknown one)."""
        organization = self.organizations[organization_id]
        return OpeningTimes(organization.timezone, organization.hours, frozenset(organization.holidays))

    def times_of(self, service: Service) -> OpeningTimes:
        """A service's working time: its own hours where it has any, with its organisation's holidays.

        `round_the_clock` is about emergencies alone: its other deadlines run in these hours.
        """
        times = self.opening_times(service.organization_id)
        return replace(times, hours=service.hours) if service.hours else times

"""Who can help, in which order, and why; and why the others cannot (domain.md, 'Routing').

Hard filters first, each naming its reason; then an order by fit. Same input, same plan, byte for byte.
Reasons are text keys whose parameters are catalogue or directory ids, never words.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from referrals.catalogue import Pathway
from referrals.consent import agreement_for, day_of
from referrals.directory import Capacity, Directory, Organization, OrganizationKind, Service
from referrals.freshness import Belief, belief, room
from referrals.model import AgeGroup, Urgency
from referrals.schedule import is_open


@dataclass(frozen=True, slots=True)
class Exclusions:
    """The person's private wishes: 'not this mosque', 'not the police', 'I have no papers'. They always win.

    `lacks`: what they do not have (papers, fee, address). `helper`: only a woman, or only a man, may help.
    All of it is sealed with the consent, never stands in a blind offer, and to the desk it is 'private wish'.
    """

    organizations: frozenset[str] = frozenset()
    kinds: frozenset[OrganizationKind] = frozenset()
    lacks: frozenset[str] = frozenset()
    helper: str = ""

    def hit(self, organization: Organization) -> bool:
        """True when the person does not want this organisation."""
        return organization.id in self.organizations or organization.kind in self.kinds

    def joined(self, other: Exclusions) -> Exclusions:
        """Both together; where each names who may help, the first does."""
        return Exclusions(
            self.organizations | other.organizations,
            self.kinds | other.kinds,
            self.lacks | other.lacks,
            self.helper or other.helper,
        )

    def misses(self, service: Service) -> bool:
        """True when the service asks for what the person lacks, or does not promise who helps there."""
        return not self.lacks <= set(service.not_needed) or self.helper not in ("", *service.helpers)


@dataclass(frozen=True, slots=True)
class Need:
    """What is asked for.

    `author_organizations`: those too close to it, so never asked: where its author or its mentor works, and
    whom a complaint is about. `receivers`: the kinds that one task may go to, where it names any.
    """

    pathway: Pathway
    category: str
    area: str
    urgency: Urgency
    language: str
    age_group: AgeGroup
    now: datetime
    exclusions: Exclusions = field(default_factory=Exclusions)
    author_organizations: frozenset[str] = frozenset()
    gender: str = ""  # '', woman or man: only where it was said
    receivers: tuple[OrganizationKind, ...] = ()

    @property
    def kinds(self) -> tuple[OrganizationKind, ...]:
        """The kinds of organisation that may be asked."""
        return self.receivers or self.pathway.receivers


@dataclass(frozen=True, slots=True)
class Standing:
    """How an organisation stands: matters it holds now, and promises (deadlines) it kept and missed.

    `recent`: offers of the last weeks, whatever came of them. `seats`: how many people work there. Promises
    are weighted by their age (`freshness.promises`).
    """

    live: int = 0
    kept: float = 0
    missed: float = 0
    recent: int = 0
    seats: int = 1

    @property
    def load(self) -> int:
        """Whole matters for each person who works there; being asked lately counts as half of one.

        Whole ones, so that small differences leave the word to kept promises.
        """
        return (2 * self.live + self.recent) // (2 * max(1, self.seats))

    @property
    def reliability(self) -> float:
        """Share of promises kept, from 0 to 1; a newcomer starts in the middle and a few do not decide."""
        return (self.kept + 1) / (self.kept + self.missed + 2)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a partner is in the plan: a text key, and ids as its parameters (`area`, `language`)."""

    key: str
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One partner of the plan."""

    service_id: str
    organization_id: str
    reasons: tuple[Reason, ...]
    task: str = ""  # of a plan of several parts: which one


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One service that does not fit, with the first filter that says so. For the desk only."""

    service_id: str
    organization_id: str
    reason_key: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The partners to ask, in order. An organisation stands in it once, with its best service."""

    lines: tuple[Line, ...] = ()

    @property
    def service_ids(self) -> tuple[str, ...]:
        return tuple(line.service_id for line in self.lines)


PRIVATE_WISH = "why_not.private_wish"
_NEWCOMER = Standing()
Fit = tuple[bool, int, int]  # second language, distance in the area tree, how little the capacity is believed
Candidate = tuple[Fit, str]  # an organisation's best fit, and the id of that service


def make_plan(
    need: Need, directory: Directory, standings: Mapping[str, Standing], day: date, limit: int = 5
) -> Plan:
    """The best partners for a need, at most `limit`; `standings` by organisation id, `day` for freshness.

    Order: the service's own main language before others it speaks; the nearest area that covers the place;
    room that was said lately before what is older and what nobody knows, and of those the open before the
    limited; fewer matters at hand for each who works there; more promises kept; service id.
    """
    best: dict[str, Candidate] = {}
    may_ask = _Asking(need, directory)
    for fit, services in _by_fit(need, directory, day):
        if len(best) >= limit:
            break  # whoever comes now fits less well than enough others
        for service in services:
            if service.organization_id not in best and may_ask(service):
                best[service.organization_id] = fit, service.id
    chosen = heapq.nsmallest(limit, _ranks(best, standings))
    return Plan(tuple(_line(need, directory, rank, day) for rank in chosen))


def why_not(need: Need, directory: Directory) -> tuple[LeftOut, ...]:
    """Every service of the directory that does not fit, with its first reason, in the order of their ids.

    Not part of `make_plan`, because only the desk asks, and rarely.
    """
    reasons = ((s, _unfit(need, s, directory)) for s in _by_id(directory.services.values()))
    return tuple(LeftOut(s.id, s.organization_id, reason) for s, reason in reasons if reason)


def still_fits(need: Need, service_id: str, directory: Directory) -> str | None:
    """None while a planned partner can be asked; else the text key of why it no longer can."""
    service = directory.services.get(service_id)
    if service is None:
        return "why_not.gone"
    return _unfit(need, service, directory)


def why(
    need: Need, service_id: str, directory: Directory, standing: Standing, day: date
) -> tuple[Reason, ...]:
    """Why a service that fits would be in a plan made now (see `still_fits`; KeyError for an unknown one)."""
    service = directory.services[service_id]
    covered = directory.areas_of(service)  # an area that was split goes by its new names
    distance = next(at for at, area in enumerate(directory.ancestors[need.area]) if area in covered)
    rank = _Rank(_fit(need, service, distance, day), standing.load, 0, service_id, standing)
    return _line(need, directory, rank, day).reasons


# -- filters ---------------------------------------------------------------------------------------
# In an order that tells the least: what anybody could know comes first, a private wish last.


def _unfit(need: Need, service: Service, directory: Directory) -> str | None:
    """The first filter that a service fails."""
    organization = directory.organizations.get(service.organization_id)
    if organization is None:
        return "why_not.gone"
    return (
        _misplaced(need, service, directory)
        or _organization_unfit(need, organization, directory)
        or _service_unfit(need, service, _at_work(need, organization.id, directory), directory)
        or _unwanted(need, organization)
        or _missed(need, service)
    )


def _misplaced(need: Need, service: Service, directory: Directory) -> str | None:
    if need.category not in service.categories:
        return "why_not.category"
    if not set(directory.ancestors.get(need.area, ())) & set(directory.areas_of(service)):
        return "why_not.area"
    return None


def _organization_unfit(need: Need, organization: Organization, directory: Directory) -> str | None:
    if organization.kind not in need.kinds:
        return "why_not.kind"
    today = day_of(organization, need.now)
    agreement = agreement_for(directory, organization.id, need.pathway.id, today, need.pathway.purposes)
    if agreement is None or not set(need.pathway.needs_classes) <= set(agreement.classes):
        return "why_not.agreement"  # a designated contact is one whose agreement names what it must hear
    if organization.suspended:
        return "why_not.suspended"
    if organization.id in need.author_organizations:
        return "why_not.conflict"
    return None


def _service_unfit(need: Need, service: Service, at_work: bool, directory: Directory) -> str | None:
    """The first of a service's own filters that it fails. `at_work`: its organisation is, now."""
    if service.capacity in _NO_ROOM and room(service, need.now.date()) in _NO_ROOM:
        return _NO_ROOM[service.capacity]
    # A partner who does not speak the person's language is not asked at all: a blind offer cannot settle who
    # translates. Where nobody does, the matter comes to the desk, which can.
    if need.language not in service.languages:
        return "why_not.language"
    return _unserved(need, service) or _unvetted(need, service) or _closed(need, service, at_work, directory)


_NO_ROOM = {Capacity.FULL: "why_not.full", Capacity.PAUSED: "why_not.paused"}


def _unserved(need: Need, service: Service) -> str | None:
    """Whom a service is for: ages, genders (somebody whose own was not said is not guessed), audiences."""
    if need.age_group not in service.ages:
        return "why_not.served"
    if need.age_group is AgeGroup.CHILD and not service.children_vetted:
        return "why_not.children"
    if service.genders and need.gender not in service.genders:
        return "why_not.gender"
    if need.pathway.audience and need.pathway.audience not in (service.audiences or (need.pathway.audience,)):
        return "why_not.audience"
    return None


def _unvetted(need: Need, service: Service) -> str | None:
    """A pathway may ask that whoever does the work was looked at lately."""
    longest = need.pathway.vetted_days
    if not longest:
        return None
    today, vetted = need.now.date(), service.vetted_on
    if vetted is None or vetted > today or today - vetted > timedelta(days=longest):
        return "why_not.vetting"
    return None


def _closed(need: Need, service: Service, at_work: bool, directory: Directory) -> str | None:
    """Only in an emergency: who is closed now and does not work round the clock."""
    if need.urgency is not Urgency.EMERGENCY or service.round_the_clock:
        return None
    if service.hours:
        at_work = is_open(directory.times_of(service), need.now)
    return None if at_work else "why_not.closed"


def _at_work(need: Need, organization_id: str, directory: Directory) -> bool:
    """False only in an emergency, while the organisation is closed."""
    if need.urgency is not Urgency.EMERGENCY:
        return True
    return is_open(directory.opening_times(organization_id), need.now)


def _unwanted(need: Need, organization: Organization) -> str | None:
    return PRIVATE_WISH if need.exclusions.hit(organization) else None


def _missed(need: Need, service: Service) -> str | None:
    return PRIVATE_WISH if need.exclusions.misses(service) else None


class _Asking:
    """Whether a service whose category and area fit may be asked: the same filters as `_unfit`.

    An organisation's own are looked at once.
    """

    def __init__(self, need: Need, directory: Directory) -> None:
        self._need, self._directory = need, directory
        self._asked: dict[str, tuple[bool, bool]] = {}  # organisation id to (may be asked, at work)

    def __call__(self, service: Service) -> bool:
        key = service.organization_id
        if key not in self._asked:
            self._asked[key] = self._organization(key)
        may_be_asked, at_work = self._asked[key]
        if not may_be_asked or _service_unfit(self._need, service, at_work, self._directory):
            return False
        return not self._need.exclusions.misses(service)

    def _organization(self, organization_id: str) -> tuple[bool, bool]:
        organization = self._directory.organizations.get(organization_id)
        if organization is None or _unwanted(self._need, organization):
            return False, False
        if _organization_unfit(self._need, organization, self._directory):
            return False, False
        return True, _at_work(self._need, organization_id, self._directory)


# -- order and reasons -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class _Rank:
    """Less is better; the fields are what `make_plan` orders by, in that order."""

    fit: Fit
    load: int
    unreliability: float
    service_id: str
    standing: Standing = field(compare=False)


def _fit(need: Need, service: Service, distance: int, day: date) -> Fit:
    return service.languages[0] != need.language, distance, _believed_less(service, day)


def _believed_less(service: Service, day: date) -> int:
    return 2 * belief(service, day) + (service.capacity is Capacity.LIMITED)


def _by_fit(need: Need, directory: Directory, day: date) -> Iterator[tuple[Fit, list[Service]]]:
    """Services of this category that cover the place, those that fit best first, and by their ids.

    Nobody looks at the rest once enough are found. One that names several areas around the place comes again.
    """
    for second in (False, True):
        for distance, area in enumerate(directory.ancestors.get(need.area, ())):
            alike: dict[int, list[Service]] = {}
            for service in directory.services_at.get((need.category, area), ()):
                if (service.languages[0] != need.language) is second:
                    alike.setdefault(_believed_less(service, day), []).append(service)
            for believed in sorted(alike):
                yield (second, distance, believed), alike[believed]


def _ranks(best: Mapping[str, Candidate], standings: Mapping[str, Standing]) -> Iterator[_Rank]:
    """A standing may cost its owner a query, so it is asked only where fit alone does not decide."""
    for organization_id, (fit, service_id) in best.items():
        standing = standings.get(organization_id, _NEWCOMER)
        yield _Rank(fit, standing.load, 1 - standing.reliability, service_id, standing)


def _line(need: Need, directory: Directory, rank: _Rank, day: date) -> Line:
    service = directory.services[rank.service_id]
    covering = directory.ancestors[need.area][rank.fit[1]]
    reasons = _reasons(need, service, covering, rank.standing, day)
    return Line(service.id, service.organization_id, tuple(reasons))


def _reasons(need: Need, service: Service, covering: str, standing: Standing, day: date) -> Iterator[Reason]:
    near = "why.area_exact" if covering == need.area else "why.area_above"
    yield Reason(near, (("area", covering),))
    yield Reason("why.language", (("language", need.language),))
    if need.age_group is AgeGroup.CHILD:
        yield Reason("why.children")
    if need.urgency is Urgency.EMERGENCY:
        yield Reason("why.open_now")
    if service.genders:
        yield Reason(f"why.for_{need.gender}")
    if need.pathway.vetted_days:
        yield Reason("why.vetted")
    yield from _room_reasons(service, day)
    if standing.kept > standing.missed:
        yield Reason("why.kept_promises")


def _room_reasons(service: Service, day: date) -> Iterator[Reason]:
    believed = belief(service, day)
    if believed is Belief.UNKNOWN:
        yield Reason("why.capacity_unknown")
    elif service.capacity is Capacity.LIMITED:
        yield Reason("why.capacity_limited")
    elif believed is Belief.SAID:
        yield Reason("why.capacity_fresh")


def _by_id(services: Iterable[Service]) -> list[Service]:
    return sorted(services, key=lambda service: service.id)

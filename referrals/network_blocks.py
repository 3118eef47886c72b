"""The blocks of a network file, each read into its directory value. What each block must hold stands here;
how blocks must fit together stands in `network_checks.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from referrals import case_codes
from referrals.catalogue import Catalogue
from referrals.directory import (
    Agreement,
    Area,
    Capacity,
    Duty,
    EmergencyLine,
    Hours,
    Organization,
    OrganizationKind,
    Poster,
    Service,
)
from referrals.members import Enrolment
from referrals.model import AgeGroup, DataClass, Role
from referrals.pathway_parsing import AUDIENCES
from referrals.persons import MentorProfile, Seat
from referrals.toml_blocks import Block, clock_of, is_clock

T = TypeVar("T")
Placed = tuple[Block, T]  # a value, and the block it was read from, to name its place

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# What a person need NOT have (domain.md, 'The directory').
NOT_NEEDED = ("papers", "fee", "address")
GENDERS = ("", "woman", "man")
FOCAL = ("children",)  # what a seat can be the focal point for
SEAT_ROLES = (Role.MEMBER, Role.MENTOR, Role.WORKER, Role.COORDINATOR, Role.STEWARD)

_DAYS = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?")
_OPENING = re.compile(r"(\S+) (\d\d:\d\d)-(\d\d:\d\d)")
_CALLED = re.compile(r"[+*#(]?\d[\d ()*#-]{0,24}")  # what can be dialled
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what Telegram allows after /start
UNSAID = datetime(1970, 1, 1, tzinfo=UTC)  # when somebody came into a phase: a network file does not say
_GROWN_UP = (AgeGroup.YOUNG, AgeGroup.ADULT, AgeGroup.OLDER)


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that a file holds, in its order."""

    areas: list[Placed[Area]]
    organizations: list[Placed[Organization]]
    services: list[Placed[Service]]
    agreements: list[Placed[Agreement]]
    seats: list[Placed[Seat]]
    duties: list[Placed[Duty]]
    posters: list[Placed[Poster]]
    mentors: list[Placed[MentorProfile]]
    enrolments: list[Placed[Enrolment]]


def read_network(block: Block, catalogue: Catalogue) -> Reading:
    """Every block of the file. Faults are noted in the block's `faults`."""
    languages = catalogue.languages
    return Reading(
        areas=_each(block, "area", lambda b: _area(b, languages)),
        organizations=_each(block, "organization", lambda b: _organization(b, languages)),
        services=_each(block, "service", lambda b: _service(b, catalogue)),
        agreements=_each(block, "agreement", lambda b: _agreement(b, catalogue)),
        seats=_each(block, "seat", _seat),
        duties=[(b, duty) for b in block.tables("duty") for duty in _duties(b)],
        posters=_each(block, "poster", lambda b: _poster(b, catalogue)),
        mentors=_each(block, "mentor", lambda b: _mentor(b, languages)),
        enrolments=_each(block, "enrolment", lambda b: _enrolment(b, catalogue)),
    )


def _each(block: Block, key: str, read: Callable[[Block], T]) -> list[Placed[T]]:
    found = []
    for inner in block.tables(key):
        found.append((inner, read(inner)))
        inner.done()
    return found


def _area(block: Block, languages: Container[str]) -> Area:
    return Area(
        id=block.id(),
        parent=block.text("parent") if block.has("parent") else None,
        names=_names(block, languages),
        emergency_lines=tuple(_emergency_lines(block, languages)),
        formerly=block.texts("formerly", ()),
    )


def _emergency_lines(block: Block, languages: Container[str]) -> Iterator[EmergencyLine]:
    """`emergency_lines = [{ number = "1669", names = { en = "Ambulance" } }]`; a number alone is read too."""
    example = 'emergency_lines = [{ number = "1669", names = { en = "Ambulance" } }]'
    seen: set[str] = set()
    for inner in block.inline("emergency_lines", "number", f"a list of numbers with names: {example}"):
        line = EmergencyLine(inner.text("number"), _names(inner, languages) if inner.has("names") else {})
        inner.done()
        if line.number and not _CALLED.fullmatch(line.number):
            inner.wrong("number", f"is {line.number!r}", "write what is dialled: digits, blanks, + - ( )")
        elif line.number in seen:
            block.wrong("emergency_lines", f"names {line.number!r} twice", "take one of them out")
        seen.add(line.number)
        yield line


def _organization(block: Block, languages: Container[str]) -> Organization:
    organization = Organization(
        id=block.id(),
        names=_names(block, languages),
        kind=block.one_of("kind", OrganizationKind),
        timezone=_timezone(block),
        hours=_hours(block),
        holidays=block.days("holidays"),
        suspended=block.flag("suspended", default=False),
        vetted_on=block.optional_day("vetted_on"),
        witness=block.flag("witness", default=False),
    )
    if organization.holidays and not organization.hours:
        block.wrong("holidays", "means nothing", "without 'hours' it is open round the clock: add hours")
    return organization


def _service(block: Block, catalogue: Catalogue) -> Service:
    vetted = block.flag("children_vetted", default=False)
    service = Service(
        id=block.id(),
        organization_id=block.text("organization"),
        names=_names(block, catalogue.languages),
        categories=block.known("categories", catalogue.categories),
        areas=block.texts("areas"),
        languages=block.known("languages", catalogue.languages),
        ages=block.many_of("ages", AgeGroup, tuple(AgeGroup) if vetted else _GROWN_UP),
        children_vetted=vetted,
        capacity=block.one_of("capacity", Capacity, Capacity.OPEN),
        capacity_confirmed_on=block.optional_day("capacity_confirmed_on"),
        round_the_clock=block.flag("round_the_clock", default=False),
        not_needed=block.known("not_needed", NOT_NEEDED, ()),
        genders=block.known("genders", GENDERS[1:], ()),
        audiences=block.known("audiences", AUDIENCES, ()),
        vetted_on=block.optional_day("vetted_on"),
        hours=_hours(block),
        helpers=block.known("helpers", GENDERS[1:], ()),
    )
    if AgeGroup.CHILD in service.ages and not vetted:
        block.wrong("ages", "names children", "take 'child' out, or vet it and set children_vetted = true")
    return service


def _agreement(block: Block, catalogue: Catalogue) -> Agreement:
    agreement = Agreement(
        id=block.id(),
        organization_id=block.text("organization"),
        purposes=block.texts("purposes"),
        pathways=block.known("pathways", catalogue.pathways),
        classes=block.many_of("classes", DataClass),
        starts_on=block.day("starts_on"),
        ends_on=block.day("ends_on"),
        review_on=block.day("review_on"),
        signatories=block.texts("signatories"),
    )
    if agreement.ends_on < agreement.starts_on:
        block.wrong("ends_on", "is before starts_on", "correct one of the two dates")
    elif not agreement.starts_on <= agreement.review_on <= agreement.ends_on:
        block.wrong("review_on", "is not within the agreement", "choose a day from starts_on to ends_on")
    return agreement


def _seat(block: Block) -> Seat:
    role = block.one_of("role", Role)
    organization = block.text("organization") if block.has("organization") else None
    if role not in SEAT_ROLES:
        block.wrong("role", f"is {role.value!r}", "families need no seat: use a [[poster]] instead")
    if role is Role.WORKER and organization is None:
        block.wrong("organization", "is missing", 'a worker belongs to one: add organization = "…"')
    return Seat(block.id(), role, organization, None, focal=block.known("focal", FOCAL, ()))


def _duties(block: Block) -> Iterator[Duty]:
    """A block names several weekdays; each becomes a stretch of its own, 'ID.mon', 'ID.tue' …"""
    duty_id, seat_id, timezone = block.id(), block.text("seat"), _timezone(block)
    starts, ends = block.clock("from"), block.clock("to")
    weekdays = _weekdays(block.text("days"))
    if starts >= ends:
        block.wrong(
            "to", "is not after 'from'", "for a night, write two blocks: one to 24:00, one from 00:00"
        )
    if block.has("days") and not weekdays:
        block.wrong("days", f"is {block.data['days']!r}", "write a day or a range: 'mon-fri', 'sat'")
    block.done()
    for day in weekdays:
        yield Duty(f"{duty_id}.{WEEKDAYS[day]}", seat_id, day, starts, ends, timezone)


def _poster(block: Block, catalogue: Catalogue) -> Poster:
    payload = block.text("id")
    if payload and not _PAYLOAD.fullmatch(payload):
        block.wrong("id", f"is {payload!r}", "a link carries at most 64 of A-Z a-z 0-9 _ -")
    pathway = block.one_known("pathway", catalogue.pathways)
    found = catalogue.pathways.get(pathway)
    if found is not None and Role.FAMILY not in found.may_file:
        block.wrong("pathway", f"is {pathway!r}", "families may not file it, and a poster is for them")
    language = block.one_known("language", catalogue.languages) if block.has("language") else ""
    return Poster(payload, pathway, language)


def _mentor(block: Block, languages: Collection[str]) -> MentorProfile:
    """What matching needs to know of whoever sits on a mentor's post; `id` is the post's."""
    codes = block.texts("not_with", ())
    for code in codes:
        if not case_codes.is_code(code):
            block.wrong("not_with", f"holds {code!r}", "write case codes such as K7-29")
    return MentorProfile(
        id=block.id(),
        languages=block.known("languages", languages),
        areas=block.texts("areas"),
        gender=_gender(block, "gender"),
        most=block.whole("most", 12, high=100),
        not_with=tuple(case_codes.spoken(code) for code in codes),
    )


def _gender(block: Block, key: str) -> str:
    value = block.text(key) if block.has(key) else ""
    if value not in GENDERS:
        block.wrong(key, f"is {value!r}", "write woman or man, or take the line out")
    return value


def _enrolment(block: Block, catalogue: Catalogue) -> Enrolment:
    """How somebody begins; what becomes of it afterwards lives in the store alone (decision 11)."""
    code = block.text("code")
    if code and not case_codes.is_code(code):
        block.wrong("code", f"is {code!r}", "a case code looks like K7-29, and its last sign checks it")
    programme, phase = block.one_known("programme", catalogue.programmes), block.text("phase")
    if programme in catalogue.programmes:
        phases = [p.id for p in catalogue.programmes[programme].phases]
        if phase and phase not in phases:
            block.faults.unknown(block.at("phase"), "the phase", phase, phases)
    return Enrolment(
        id=code,
        code=code,
        programme=programme,
        programme_version=catalogue.programmes[programme].version if programme in catalogue.programmes else 0,
        phase=phase,
        phase_since=UNSAID,
        mentor_seat=block.text("mentor"),
        backup_seat=block.text("backup") if block.has("backup") else None,
        timezone=_timezone(block),
        area=block.text("area") if block.has("area") else "",
        language=block.one_known("language", catalogue.languages) if block.has("language") else "",
        gender_wish=_gender(block, "gender_wish"),
    )


# -- shared parts ------------------------------------------------------------------------------------


def _names(block: Block, languages: Container[str]) -> Mapping[str, str]:
    """`names = { en = "…", th = "…" }`: English is what every reader falls back to."""
    inner = block.table("names")
    names = {key: inner.text(key) for key in inner.data if key in languages}
    if block.has("names") and "en" not in names:
        inner.wrong("en", "is missing", 'add en = "…": other readers fall back to it')
    for key in inner.data:
        if key not in languages:
            inner.wrong(key, "is no language of the catalogue", "add it to languages.toml, or take it out")
    return names


def _timezone(block: Block) -> str:
    name = block.text("timezone")
    try:
        ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        block.wrong("timezone", f"{name!r} is not known", "use an IANA name such as Asia/Bangkok")
        return "UTC"
    return name


def _hours(block: Block) -> tuple[Hours, ...]:
    """`hours = ["mon-fri 08:30-12:00", "sat 09:00-12:00"]`; none at all means round the clock."""
    found: list[Hours] = []
    for text in block.texts("hours", ()):
        hours = _opening(text)
        if not hours:
            block.wrong("hours", f"holds {text!r}", "write days and times: 'mon-fri 08:30-12:00'")
        if any(_overlap(new, old) for new in hours for old in found):
            block.wrong("hours", f"{text!r} overlaps with another opening", "join them, or correct one")
        found.extend(hours)
    return tuple(sorted(found, key=lambda h: (h.weekday, h.opens)))


def _opening(text: str) -> list[Hours]:
    match = _OPENING.fullmatch(text)
    if match is None or not (is_clock(match[2]) and is_clock(match[3])):
        return []
    opens, closes = clock_of(match[2]), clock_of(match[3])
    return [Hours(day, opens, closes) for day in _weekdays(match[1])] if opens < closes else []


def _overlap(one: Hours, other: Hours) -> bool:
    return one.weekday == other.weekday and one.opens < other.closes and other.opens < one.closes


def _weekdays(text: str) -> list[int]:
    """'mon-fri' or 'sat' as weekday numbers (0 = Monday), 'fri-mon' over the weekend; none for nonsense."""
    match = _DAYS.fullmatch(text)
    if match is None or not {match[1], match[2] or match[1]} <= set(WEEKDAYS):
        return []
    first, last = WEEKDAYS.index(match[1]), WEEKDAYS.index(match[2] or match[1])
    return [(first + step) % 7 for step in range((last - first) % 7 + 1)]

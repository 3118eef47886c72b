"""Programme files and holiday files: a TOML block in, one checked Programme or Holidays out. Pure.

A rhythm is checked here, so that a rule which never comes, or comes every second, is found at the start and
not in somebody's chat. Every mistake names file, block and mend.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from dateutil.rrule import rrule, rrulestr

from referrals.catalogue import ClubMeeting, Course, CourseKind, Milestone, Onward, Phase, Programme
from referrals.errors import ConfigurationError
from referrals.model import Role
from referrals.toml_blocks import Block, Faults, named_like_its_file, once, read_block

HOLIDAYS = "holidays"

# A rhythm is counted from some day of this month: it must come round from each of them.
_ANCHOR = datetime.combine(date(2024, 1, 1), time())
_ANCHORS = (0, 9, 18, 27)
_COMES_WITHIN = timedelta(days=400)
_PARTS = {
    "FREQ": r"DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": r"[1-9]\d?",
    "BYDAY": r"(?:[+-]?[1-5])?(?:MO|TU|WE|TH|FR|SA|SU)(?:,(?:[+-]?[1-5])?(?:MO|TU|WE|TH|FR|SA|SU))*",
    "BYMONTHDAY": r"-?(?:[1-9]|[12]\d|3[01])(?:,-?(?:[1-9]|[12]\d|3[01]))*",
}
_RULE_MEND = 'write every = "FREQ=WEEKLY;INTERVAL=2", with FREQ, INTERVAL, BYDAY or BYMONTHDAY'


@dataclass(frozen=True, slots=True)
class Holidays:
    """The days of one file on which nobody is reminded; it knows them up to `until`."""

    id: str
    days: frozenset[date]
    until: date


def parse_programme(block: Block, holidays: Container[str], forms: Container[str]) -> Programme:
    """One programme; faults go to the block. `holidays`, `forms`: the ids of the files that there are."""
    audience = block.one_of("audience", Role, Role.MEMBER)
    if audience not in (Role.MEMBER, Role.FAMILY):
        block.wrong("audience", f"is {audience.value!r}", "write 'member' or 'family'")
    programme = Programme(
        id=named_like_its_file(block),
        version=block.whole("version"),
        phases=tuple(_phases(block, forms)),
        audience=audience,
        holidays=_file(block, "holidays", "", holidays),
        meetings=tuple(_meetings(block)),
        courses=tuple(_courses(block)),
    )
    _check_onward(block, programme.phases)
    _check_classes(block, programme)
    block.done()
    return programme


def parse_kept(source: str, where: str) -> Programme:
    """A version as it was kept in the database; ConfigurationError when it cannot be read any more."""
    faults = Faults()
    block = read_block(source, f"{where.partition('@')[0]}.toml", faults)
    programme = parse_programme(block, _Anything(), _Anything())
    if faults.found:
        raise ConfigurationError(
            f"the kept text of programme {where}",
            "; ".join(f"{fault.where}: {fault.what}" for fault in faults.found),
            "this version of the product reads programmes differently: "
            "move its people to a newer version with the product that kept it ('programmes apply')",
        )
    return programme


def parse_holidays(block: Block) -> Holidays:
    """One holiday file: `until`, and [[day]] with `on` and `name`."""
    found: list[date] = []
    holidays_id, until = named_like_its_file(block), block.day("until")
    for each in block.tables("day"):
        day = each.day("on")
        each.text("name")
        if day in found:
            each.wrong("on", f"{day} stands here for the second time", "take one of them out")
        if day > until and block.has("until"):
            each.wrong("on", f"{day} is after 'until'", "move 'until', or take the day out")
        found.append(day)
        each.done()
    if not found:
        block.wrong("day", "is missing", 'add [[day]] with on = 2027-01-01 and name = "…"')
    block.done()
    return Holidays(holidays_id, frozenset(found), until)


def programme_keys(programme: Programme) -> set[str]:
    """The text keys that a programme's own codes need in each language."""
    keys = {f"programme.{programme.id}"}
    keys |= {f"phase.{phase.id}" for phase in programme.phases}
    keys |= {f"milestone.{each}" for phase in programme.phases for each in phase.milestones}
    keys |= {f"meeting.{meeting.id}" for meeting in programme.meetings}
    keys |= {f"course.{course.id}" for course in programme.courses}
    return keys | {f"course_step.{m.id}" for course in programme.courses for m in course.milestones}


def wrong_rule(every: str) -> str:
    """What is wrong with a rhythm, '' when nothing is. Only whole days, without beginning and end."""
    parts = [part.partition("=") for part in every.split(";")]
    names = [name for name, _, _ in parts]
    for name, _, value in parts:
        if name not in _PARTS:
            return f"holds {name!r}, which a rhythm here does not take"
        if not re.fullmatch(_PARTS[name], value):
            return f"holds {name}={value}, which is none"
    if len(set(names)) < len(names):
        return "says something twice"
    if "FREQ" not in names:
        return "lacks FREQ"
    values = {name: value for name, _, value in parts}
    if values["FREQ"] in ("DAILY", "WEEKLY") and re.search(r"\d", values.get("BYDAY", "")):
        return "counts weekdays in a rhythm of days or weeks"
    if values["FREQ"] == "WEEKLY" and "BYMONTHDAY" in values:
        return "names days of the month in a rhythm of weeks"
    return "" if _comes(every) else "has no day within a year: nobody would ever be asked"


def _comes(every: str) -> bool:
    """Whether a day follows within the year, from whichever day the rhythm is counted."""
    for days in _ANCHORS:
        begin = _ANCHOR + timedelta(days=days)
        rule = rrulestr(every, dtstart=begin)
        assert isinstance(rule, rrule)  # one line is one rule
        # `until` bounds the search: a rule without any day would be looked for up to the year 9999.
        if rule.replace(until=begin + _COMES_WITHIN).after(begin) is None:
            return False
    return True


def _every(block: Block) -> str:
    every = block.text("every")
    fault = wrong_rule(every) if every else ""
    if fault:
        block.wrong("every", f"{every!r} {fault}", _RULE_MEND)
    return every


def _phases(block: Block, forms: Container[str]) -> list[Phase]:
    found: list[Phase] = []
    for each in block.tables("phase"):
        milestones = _ids(each, "milestones")
        for milestone in milestones:
            if any(milestone in phase.milestones for phase in found):
                each.wrong(
                    "milestones", f"names {milestone!r}, as an earlier phase does", "give it another id"
                )
        phase = Phase(
            id=each.id(),
            every=_every(each),
            at=each.clock("at"),
            form=_file(each, "form", "check-in", forms),
            own_form=_file(each, "own_form", "", forms),
            milestones=milestones,
            onward=_onward(each),
        )
        once(each, phase.id, [p.id for p in found])
        found.append(phase)
        each.done()
    if not found:
        block.wrong("phase", "is missing", 'add [[phase]] with id, every and at = "HH:MM"')
    return found


def _onward(block: Block) -> Onward | None:
    if not block.has("onward"):
        return None
    inner = block.table("onward")
    onward = Onward(
        to=inner.text("to"),
        after_days=inner.whole("after_days", 0, low=0, high=3650),
        milestones=_ids(inner, "milestones"),
    )
    if not onward.after_days and not onward.milestones:
        inner.wrong("after_days", "and 'milestones' are missing", "say after how many days, or after which")
    inner.done()
    return onward


def _check_onward(block: Block, phases: tuple[Phase, ...]) -> None:
    """A phase leads to another one of this programme, by milestones that can be reached in it or before."""
    ids = [phase.id for phase in phases]
    reached: set[str] = set()
    for phase in phases:
        reached |= set(phase.milestones)
        if phase.onward is None:
            continue
        where = f"{block.where}: [[phase]] {phase.id}: [onward]"
        if phase.onward.to == phase.id:
            block.faults.add(where, "leads to itself", "name another phase, or take [phase.onward] out")
        elif phase.onward.to not in ids:
            block.faults.unknown(where, "the phase", phase.onward.to, ids)
        for milestone in phase.onward.milestones:
            if milestone not in reached:
                block.faults.unknown(where, "the milestone", milestone, reached)


def _meetings(block: Block) -> list[ClubMeeting]:
    found: list[ClubMeeting] = []
    for each in block.tables("meeting"):
        meeting = ClubMeeting(each.id(), _every(each), each.clock("at"), each.text("course", ""))
        once(each, meeting.id, [m.id for m in found])
        found.append(meeting)
        each.done()
    return found


def _check_classes(block: Block, programme: Programme) -> None:
    """A class is of a course that there is; nobody comes to a grant."""
    courses = [course.id for course in programme.courses if course.kind is CourseKind.COURSE]
    for meeting in programme.meetings:
        if meeting.course and meeting.course not in courses:
            where = f"{block.where}: [[meeting]] {meeting.id}"
            block.faults.unknown(where, "the course", meeting.course, courses)


def _courses(block: Block) -> list[Course]:
    found: list[Course] = []
    for each in block.tables("course"):
        course = Course(
            id=each.id(),
            kind=each.one_of("kind", CourseKind, CourseKind.COURSE),
            milestones=tuple(_course_milestones(each)),
            places=each.whole("places", 0, low=0, high=1000),
        )
        once(each, course.id, [c.id for c in found])
        found.append(course)
        each.done()
    return found


def _course_milestones(block: Block) -> list[Milestone]:
    found: list[Milestone] = []
    for each in block.tables("milestone"):
        milestone = Milestone(each.id(), each.whole("within_days", high=730))
        once(each, milestone.id, [m.id for m in found])
        found.append(milestone)
        each.done()
    if not found:
        block.wrong("milestone", "is missing", "add [[course.milestone]] with id and within_days")
    return found


def _file(block: Block, key: str, default: str, known: Container[str]) -> str:
    """The name of another file of the catalogue; '' for none."""
    found = block.text(key, default)
    if found and found not in known:
        shown = known if isinstance(known, Collection) else ()
        block.faults.unknown(block.at(key), "the file", f"{found}.toml", [f"{each}.toml" for each in shown])
    return found


def _ids(block: Block, key: str) -> tuple[str, ...]:
    found = block.texts(key, ())
    for each in found:
        if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", each) or len(each) > 30:
            block.wrong(key, f"holds {each!r}", "use small letters and digits joined by -, at most 30")
    return found


class _Anything(Container[str]):
    """Names that were checked when the text was kept."""

    def __contains__(self, _: object) -> bool:
        return True

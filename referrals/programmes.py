"""How programmes move people, and what a newer version would change for whom. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from referrals.catalogue import Course, Phase, Programme
from referrals.errors import BadAnswer
from referrals.members import Enrolment


def by_date(phase: Phase, since: datetime) -> datetime | None:
    """When this phase ends by itself; None when no date ends it."""
    if phase.onward is None or not phase.onward.after_days:
        return None
    return since + timedelta(days=phase.onward.after_days)


def by_milestones(phase: Phase, reached: Collection[str]) -> str:
    """The phase to which the milestones that are reached lead on; '' when they do not yet."""
    onward = phase.onward
    if onward is None or not onward.milestones or not set(onward.milestones) <= set(reached):
        return ""
    return onward.to


def milestones_of(programme: Programme) -> tuple[str, ...]:
    """All milestones of a programme, phase by phase."""
    return tuple(each for phase in programme.phases for each in phase.milestones)


def knows(programme: Programme, phase_id: str) -> bool:
    """Whether the programme has such a phase."""
    return any(phase.id == phase_id for phase in programme.phases)


def step_after(milestones: Sequence[str], reached: str) -> str:
    """The milestone after the one that was reached last ('': none yet); '' after the last one.

    BadAnswer for one that is not among them: a programme was changed, or a button was forged.
    """
    if reached and reached not in milestones:
        raise BadAnswer
    at = milestones.index(reached) + 1 if reached else 0
    return milestones[at] if at < len(milestones) else ""


# -- versions ----------------------------------------------------------------------------------------


class Changed(StrEnum):
    """What a newer version changes; the words of the preview."""

    PHASE_GONE = "phase gone"
    PHASE_NEW = "new phase"
    RHYTHM = "rhythm"
    FORM = "form"
    ONWARD = "way on"
    MILESTONES = "milestones"
    MEETINGS = "meetings"
    COURSES = "courses"
    HOLIDAYS = "holidays"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs. `phase` '' : the whole programme."""

    what: Changed
    phase: str
    before: str
    after: str

    def line(self) -> str:
        """As the preview prints it."""
        where = f"phase {self.phase}: " if self.phase else ""
        return f"{where}{self.what.value}: {self.before or '-'} -> {self.after or '-'}"


def differences(old: Programme, new: Programme) -> tuple[Difference, ...]:
    """What differs between two versions of a programme, in the order of the older one's phases."""
    found: list[Difference] = []
    for phase in old.phases:
        if knows(new, phase.id):
            found += _in_phase(phase, new.phase(phase.id))
        else:
            found.append(Difference(Changed.PHASE_GONE, phase.id, phase.id, ""))
    for phase in new.phases:
        if not knows(old, phase.id):
            found.append(Difference(Changed.PHASE_NEW, phase.id, "", rhythm_line(phase)))
    whole = (
        (Changed.MEETINGS, _meetings(old), _meetings(new)),
        (Changed.COURSES, _courses(old), _courses(new)),
        (Changed.HOLIDAYS, old.holidays, new.holidays),
    )
    return (*found, *(Difference(what, "", a, b) for what, a, b in whole if a != b))


def landing(new: Programme, phase_id: str, renamed: Mapping[str, str]) -> str:
    """The phase of the newer version in which somebody of that phase goes on; '' when nobody has said."""
    phase_id = renamed.get(phase_id, phase_id)
    return phase_id if knows(new, phase_id) else ""


def moved(enrolment: Enrolment, new: Programme, renamed: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """The phase and the milestones that an enrolment has in the newer version; phase '' when it is gone."""
    known = milestones_of(new)
    return landing(new, enrolment.phase, renamed), tuple(m for m in enrolment.milestones if m in known)


def changes_rhythm(old: Phase, new: Phase) -> bool:
    """Whether a mentor notices: other days or another time."""
    return (old.every, old.at) != (new.every, new.at)


def _in_phase(old: Phase, new: Phase) -> list[Difference]:
    pairs = (
        (Changed.RHYTHM, rhythm_line(old), rhythm_line(new)),
        (Changed.FORM, old.form, new.form),
        (Changed.ONWARD, _onward(old), _onward(new)),
        (Changed.MILESTONES, ", ".join(old.milestones), ", ".join(new.milestones)),
    )
    return [Difference(what, old.id, a, b) for what, a, b in pairs if a != b]


def rhythm_line(phase: Phase) -> str:
    """A rhythm as the preview prints it."""
    return f"{phase.every} at {phase.at:%H:%M}"


def _onward(phase: Phase) -> str:
    if phase.onward is None:
        return ""
    days = f"after {phase.onward.after_days} days" if phase.onward.after_days else ""
    return " ".join(filter(None, ("to", phase.onward.to, days, ", ".join(phase.onward.milestones))))


def _meetings(programme: Programme) -> str:
    return "; ".join(
        f"{m.id} {m.every} at {m.at:%H:%M}" + (f" of {m.course}" if m.course else "")
        for m in programme.meetings
    )


def _courses(programme: Programme) -> str:
    return "; ".join(map(_course, programme.courses))


def _course(course: Course) -> str:
    steps = ", ".join(f"{m.id} in {m.within_days} days" for m in course.milestones)
    return f"{course.id} ({course.kind.value}, {course.places or 'no limit of'} places): {steps}"

"""Vocational courses and start-up grants of a member, step by step to their end (a grant: to its use).

Places are counted when a course begins: who finds none waits, and the mentor hears when one is free. What is
reached is asked for, never demanded; that it is done is the mentor's to know and nobody else's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from referrals import programmes as rules
from referrals.access import Action, allow
from referrals.catalogue import Course
from referrals.errors import BadAnswer, NotFound, WrongStage
from referrals.members import Enrolment, Undertaking, UndertakingState
from referrals.model import SYSTEM, Actor, AuditEntry
from referrals.ports import Tx
from referrals.said import Keyboard
from referrals.schedule import local
from referrals.service.common import tell
from referrals.service.members import enrolments, programmes

DUE, PLACE = "course", "course_place"  # timers
ASK_AGAIN = timedelta(days=14)
UNDO = timedelta(seconds=60)
RUNNING = (UndertakingState.WAITING, UndertakingState.OPEN)


@dataclass(frozen=True, slots=True)
class Offered:
    """A course that somebody could begin. `free` places; None: no limit."""

    course: Course
    free: int | None


def of(tx: Tx, enrolment_id: str) -> list[Undertaking]:
    """All courses and grants of a member, the newest first. The caller has passed a door to the member."""
    found = tx.find(Undertaking, enrolment_id=enrolment_id)
    return sorted(found, key=lambda each: (each.since, each.id), reverse=True)


def offered(tx: Tx, enrolment: Enrolment) -> list[Offered]:
    """What this member could begin now: courses of their programme in which they are not already."""
    running = {u.item for u in of(tx, enrolment.id) if u.state in RUNNING}
    courses = [c for c in programmes.of(tx, enrolment).courses if c.id not in running]
    return [Offered(course, _free(tx, enrolment.programme, course)) for course in courses]


def in_course(tx: Tx, enrolment: Enrolment, item: str, day: date) -> bool:
    """Whether this member takes part in a course, or did on that day. The caller has passed a door."""
    found = [u for u in of(tx, enrolment.id) if u.item == item and u.programme == enrolment.programme]
    return any(
        u.state is UndertakingState.OPEN
        or (u.state not in RUNNING and local(u.since, enrolment.timezone).date() >= day)
        for u in found
    )


def next_step(tx: Tx, undertaking: Undertaking) -> str:
    """The milestone that comes next; '' after the last one."""
    return rules.step_after(_steps(_course_of(tx, undertaking)), undertaking.step)


def start(
    tx: Tx, person_id: str, enrolment_id: str, item: str, referral_id: str | None = None
) -> Undertaking:
    """Begin a course or grant for a member; without a free place it waits for one.

    BadAnswer for what the programme has not; the one that runs already is returned, not doubled.
    """
    actor, enrolment = _door(tx, person_id, enrolment_id)
    course = _find(programmes.of(tx, enrolment).courses, item)
    for running in of(tx, enrolment.id):
        if running.item == item and running.state in RUNNING:
            return running
    _hold_places(tx, enrolment.programme, item)
    free = _free(tx, enrolment.programme, course)
    state = UndertakingState.WAITING if free == 0 else UndertakingState.OPEN
    new = Undertaking(
        tx.new_id(), enrolment.id, enrolment.programme, enrolment.programme_version, item, "", tx.now,
        _next_by(tx, course, "") if state is UndertakingState.OPEN else None, state, referral_id,
    )  # fmt: skip
    tx.add(new)
    _note(tx, actor, new, state.value)
    _ask_then(tx, new)
    return new


def step(tx: Tx, person_id: str, undertaking_id: str, milestone: str) -> Undertaking:
    """The next milestone is reached; after the last one it is done, and its place is free.

    Pressed twice it is one step: a milestone that was reached before changes nothing. BadAnswer for another.
    """
    actor, found = mine(tx, person_id, undertaking_id)
    course = _course_of(tx, found)
    steps = _steps(course)
    if milestone not in steps:
        raise BadAnswer
    if found.step and steps.index(milestone) <= steps.index(found.step):
        return found
    if found.state is not UndertakingState.OPEN:
        raise WrongStage
    if milestone != rules.step_after(steps, found.step):
        raise BadAnswer
    last = milestone == steps[-1]
    state = UndertakingState.DONE if last else UndertakingState.OPEN
    by = None if last else _next_by(tx, course, milestone)
    saved = tx.save(replace(found, step=milestone, since=tx.now, next_by=by, state=state))
    _note(tx, actor, saved, "step")
    _settle(tx, saved)
    return saved


def later(tx: Tx, person_id: str, undertaking_id: str) -> Undertaking:
    """Not yet: asked again in two weeks."""
    actor, found = mine(tx, person_id, undertaking_id)
    if found.state is not UndertakingState.OPEN:
        return found
    saved = tx.save(replace(found, next_by=tx.now + ASK_AGAIN))
    _note(tx, actor, saved, "later")
    _ask_then(tx, saved)
    return saved


def give_up(tx: Tx, person_id: str, undertaking_id: str) -> Undertaking:
    """It is given up, or waited for no more; its place is free after a minute."""
    actor, found = mine(tx, person_id, undertaking_id)
    return _end(tx, actor, found) if found.state in RUNNING else found


def undo(tx: Tx, person_id: str, undertaking_id: str) -> Undertaking:
    """Within a minute: the last step, or the giving up, is taken back. WrongStage afterwards."""
    actor, found = mine(tx, person_id, undertaking_id)
    if tx.now - found.since > UNDO:
        raise WrongStage
    course = _course_of(tx, found)
    if found.state is UndertakingState.GIVEN_UP:
        before = found.step
    elif found.step:
        before = _before(_steps(course), found.step)
    else:
        return found
    again = replace(found, step=before, state=UndertakingState.OPEN, next_by=_next_by(tx, course, before))
    saved = tx.save(again)
    _note(tx, actor, saved, "undone")
    _ask_then(tx, saved)
    return saved


def ended_with(tx: Tx, enrolment_id: str) -> None:
    """The member has left: what runs is given up, so that places become free for others."""
    for found in of(tx, enrolment_id):
        if found.state in RUNNING:
            _end(tx, SYSTEM, found)


# -- timers ------------------------------------------------------------------------------------------


def due(tx: Tx, undertaking_id: str) -> None:
    """Timer: a step was expected by now. The mentor is asked how it is going, and again in two weeks."""
    found = tx.get(Undertaking, undertaking_id, lock=True)
    enrolment = tx.get(Enrolment, found.enrolment_id) if found else None
    if found is None or enrolment is None or found.state is not UndertakingState.OPEN:
        return
    tx.set_timer(DUE, found.id, tx.now + ASK_AGAIN)
    if enrolment.active:
        _tell(tx, enrolment, found, "mentor.course_due")


def place(tx: Tx, subject: str) -> None:
    """Timer: a place may be free. Whoever has waited longest begins, and their mentor hears so."""
    programme_id, _, item = subject.partition("/")
    _hold_places(tx, programme_id, item)
    waiting = tx.find(Undertaking, programme=programme_id, item=item, state=UndertakingState.WAITING)
    for found in sorted(waiting, key=lambda each: (each.since, each.id)):
        course = _course_of(tx, found)
        enrolment = tx.get(Enrolment, found.enrolment_id)
        if enrolment is None or not enrolment.active:
            continue
        if _free(tx, programme_id, course) == 0:
            return
        begun = replace(found, state=UndertakingState.OPEN, since=tx.now, next_by=_next_by(tx, course, ""))
        saved = tx.save(begun)
        _note(tx, SYSTEM, saved, "open")
        _ask_then(tx, saved)
        _tell(tx, enrolment, saved, "mentor.place_free")


# -- shared ------------------------------------------------------------------------------------------


def slot(undertaking_id: str) -> str:
    """The message that asks about one course."""
    return f"course:{undertaking_id}"


def answers(undertaking: Undertaking, expected: str) -> Keyboard:
    """The three answers to 'has this been reached?'."""
    return tell.column(
        (
            tell.press("button.reached", "course.reached", undertaking.id, expected),
            tell.press("button.in_two_weeks", "course.later", undertaking.id),
            tell.press("button.given_up", "course.stop", undertaking.id),
        )
    )


def mine(tx: Tx, person_id: str, undertaking_id: str) -> tuple[Actor, Undertaking]:
    """A course of one of the person's own members, locked; NotFound for everybody else."""
    found = tx.get(Undertaking, undertaking_id)
    if found is None:
        raise NotFound
    actor, _ = _door(tx, person_id, found.enrolment_id)
    locked = tx.get(Undertaking, undertaking_id, lock=True)
    if locked is None:
        raise NotFound
    return actor, locked


def _door(tx: Tx, person_id: str, enrolment_id: str) -> tuple[Actor, Enrolment]:
    actor, enrolment = enrolments.active(tx, person_id, enrolment_id)
    allow(actor, Action.COURSE_FOLLOW)
    return actor, enrolment


def _end(tx: Tx, actor: Actor, found: Undertaking) -> Undertaking:
    saved = tx.save(replace(found, state=UndertakingState.GIVEN_UP, since=tx.now, next_by=None))
    _note(tx, actor, saved, UndertakingState.GIVEN_UP.value)
    _settle(tx, saved)
    return saved


def _settle(tx: Tx, saved: Undertaking) -> None:
    """Timers that fit the state. A place is given on after the minute in which it may be taken back."""
    _ask_then(tx, saved)
    if saved.state not in RUNNING:
        tx.set_timer(PLACE, f"{saved.programme}/{saved.item}", tx.now + UNDO + timedelta(seconds=1))


def _ask_then(tx: Tx, found: Undertaking) -> None:
    if found.next_by is None or found.state is not UndertakingState.OPEN:
        tx.clear_timer(DUE, found.id)
    else:
        tx.set_timer(DUE, found.id, found.next_by)


def _tell(tx: Tx, enrolment: Enrolment, found: Undertaking, text: str) -> None:
    look = ((tell.press("button.look", "course.show", found.id),),)
    for person_id in enrolments.mentors_of(tx, enrolment)[:1]:
        tell.tell(tx, person_id, text, {"code": enrolment.code}, buttons=look, slot=slot(found.id))


def _hold_places(tx: Tx, programme_id: str, item: str) -> None:
    """Whoever counts places now does it alone: two mentors who begin at once cannot both get the last one."""
    tx.tally(f"places:{programme_id}/{item}", tx.now + ASK_AGAIN)


def _free(tx: Tx, programme_id: str, course: Course) -> int | None:
    if not course.places:
        return None
    taken = tx.count(Undertaking, programme=programme_id, item=course.id, state=UndertakingState.OPEN)
    return max(0, course.places - taken)


def _course_of(tx: Tx, found: Undertaking) -> Course:
    programme = programmes.in_version(tx, found.programme, found.programme_version)
    return _find(programme.courses, found.item)


def _find(courses: tuple[Course, ...], item: str) -> Course:
    for course in courses:
        if course.id == item:
            return course
    raise BadAnswer


def _steps(course: Course) -> tuple[str, ...]:
    return tuple(milestone.id for milestone in course.milestones)


def _before(steps: tuple[str, ...], step_id: str) -> str:
    at = steps.index(step_id) if step_id in steps else 0
    return steps[at - 1] if at else ""


def _next_by(tx: Tx, course: Course, reached: str) -> datetime | None:
    days: Mapping[str, int] = {m.id: m.within_days for m in course.milestones}
    following = rules.step_after(_steps(course), reached)
    return tx.now + timedelta(days=days[following]) if following else None


def _note(tx: Tx, actor: Actor, found: Undertaking, detail: str) -> None:
    tx.audit(AuditEntry(actor, Action.COURSE_FOLLOW, f"undertaking:{found.id}", detail))

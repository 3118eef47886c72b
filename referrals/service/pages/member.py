"""Page 'member': one member as mentor, backup or stand-in sees them; NotFound for everybody else.

What was answered and noted opens after the PIN; to write something down never asks for it. A correction shows
what stood before, and is reading.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from referrals import trend
from referrals.access import Action
from referrals.errors import BadAnswer, NotFound
from referrals.member_views import MarkLine, MemberView, UndertakingLine
from referrals.members import CheckIn, Enrolment, EnrolmentState, Undertaking
from referrals.ports import Tx
from referrals.schedule import local
from referrals.service.alarm import crisis, safety_plans
from referrals.service.contact import checkins, trends
from referrals.service.matter import reading
from referrals.service.members import enrolments, programmes
from referrals.service.pages import member_lines
from referrals.service.pages.me import lines_of
from referrals.service.pages.page import Body, Page, Verb, day_of, text_of
from referrals.service.programme import courses, phases
from referrals.service.request import needs
from referrals.views import Choice, Step

SHOWN = 12  # contacts that are opened, for the trend
LISTED = 6  # of them, with what was answered and noted
WEEKS = ("1", "2", "4", "8")  # a pause


def member_view(tx: Tx, person_id: str, subject: str, body: Body) -> MemberView:
    """Everything about one member on one page."""
    actor, enrolment = enrolments.mine(tx, person_id, subject)
    phase = programmes.phase_of(tx, enrolment)
    made = [c for c in trends.all_of(tx, enrolment) if c.saved_at is not None][:SHOWN]
    wait = 0 if tx.reading_locked or not made else reading.wait_about(tx, actor, f"member:{enrolment.id}")
    opened = {} if tx.reading_locked or wait else {c.id: member_lines.columns(tx, actor, c) for c in made}
    contacts = [
        trend.Contact(c.day, member_lines.state(opened, c))
        for c in made
        if member_lines.counts(c, opened) and c.day
    ]
    form = tx.catalogue.forms[phase.form]
    today = local(tx.now, enrolment.timezone).date()
    due = [t.due_at for t in tx.timers_of(enrolment.id) if t.kind == "check_in"]
    return MemberView(
        id=enrolment.id,
        code=enrolment.code,
        programme_key=f"programme.{enrolment.programme}",
        phase_key=f"phase.{enrolment.phase}",
        since=enrolment.phase_since,
        state_key=f"page.member.{enrolment.state}",
        next_at=min(due, default=None) if enrolment.active else None,
        marks=tuple(
            MarkLine(m.day.isoformat(), f"state.{m.state}" if m.state else "means.not_reached", m.level)
            for m in trend.marks(contacts)
        ),
        harder=trend.getting_harder([m.state for m in trend.marks(contacts)]),
        contacts=tuple(
            member_lines.line(tx, person_id, form, c, opened.get(c.id, {})) for c in made[:LISTED]
        ),
        form=member_lines.questions(form),
        days=tuple((today - timedelta(days=n)).isoformat() for n in range(1, checkins.LATE_FOR + 1)),
        emergency_lines=crisis.emergency_lines(tx, enrolment.area, ""),
        milestones=tuple(
            Choice(m, label_key=f"milestone.{m}", chosen=m in enrolment.milestones) for m in phase.milestones
        ),
        courses=tuple(_course(tx, each) for each in courses.of(tx, enrolment.id)),
        needs=lines_of(tx, needs.of_member(tx, enrolment)),
        steps=_steps(tx, enrolment),
        plan_written=safety_plans.exists(tx, enrolment.id),
        note_limit=checkins.NOTE_LIMIT,
        locked=tx.reading_locked and bool(made),
        wait_minutes=wait,
    )


# -- steps -------------------------------------------------------------------------------------------


def _steps(tx: Tx, enrolment: Enrolment) -> tuple[Step, ...]:
    """What may be done about a member, from where they stand."""
    if enrolment.state is EnrolmentState.LEFT:
        return (Step("come_back", "page.step.come_back", needs="yes"),)
    others = [p.id for p in programmes.of(tx, enrolment).phases if p.id != enrolment.phase]
    found = [_choosing("phase", "phase", others)]
    found.append(_choosing("course", "course", [o.course.id for o in courses.offered(tx, enrolment)]))
    if enrolment.active:
        found.append(_choosing("pause", "weeks", WEEKS))
    else:
        found.append(Step("come_back", "page.step.come_back"))
    found.append(Step("leave", "page.step.member_leaves", needs="yes", danger=True))
    return tuple(step for step in found if step.choices or step.needs != "reason")


def _choosing(step: str, keys: str, among: list[str] | tuple[str, ...]) -> Step:
    choices = tuple(Choice(each, label_key=f"{keys}.{each}") for each in among)
    return Step(step, f"page.step.{step}", needs="reason", choices=choices)


def _course(tx: Tx, found: Undertaking) -> UndertakingLine:
    running = found.state in courses.RUNNING
    following = courses.next_step(tx, found) if running else ""
    steps = []
    if following:
        choice = (Choice(following, label_key=f"course_step.{following}"),)
        steps.append(Step("course_step", "page.step.course_step", needs="reason", choices=choice))
    if running:
        steps.append(Step("course_end", "page.step.course_end", needs="yes", danger=True))
    return UndertakingLine(
        id=found.id,
        item_key=f"course.{found.item}",
        step_key=f"course_step.{found.step}" if found.step else "",
        state_key=f"page.member.course_{found.state}",
        next_by=found.next_by if running else None,
        steps=tuple(steps),
    )


def _answers(tx: Tx, person_id: str, subject: str, body: Body) -> dict[str, str]:
    """The form's answers as a body holds them: texts, and a list where several may be ticked."""
    _, enrolment = enrolments.mine(tx, person_id, subject)
    form = tx.catalogue.forms[programmes.phase_of(tx, enrolment).form]
    found: dict[str, str] = {}
    for question in form.questions:
        value = body.get(question.id)
        text = ",".join(str(each) for each in value) if isinstance(value, list) else value
        if isinstance(text, str) and text:
            found[question.id] = text
    return found


def _late(tx: Tx, who: str, it: str, body: Body) -> None:
    checkins.late(tx, who, it, day_of(body), _answers(tx, who, it, body), text_of(body, "note"))


def _correct(tx: Tx, who: str, it: str, body: Body) -> None:
    checkins.correct(tx, who, _of(tx, it, body), _answers(tx, who, it, body))


def _note(tx: Tx, who: str, it: str, body: Body) -> None:
    checkins.add_note(tx, who, _of(tx, it, body), text_of(body, "text"))


def _of(tx: Tx, enrolment_id: str, body: Body) -> str:
    """A contact of this very member."""
    check_in = tx.get(CheckIn, text_of(body, "check_in"))
    if check_in is None or check_in.enrolment_id != enrolment_id:
        raise NotFound
    return check_in.id


def _course_of(tx: Tx, enrolment_id: str, body: Body) -> str:
    found = tx.get(Undertaking, text_of(body, "undertaking"))
    if found is None or found.enrolment_id != enrolment_id:
        raise NotFound
    return found.id


def _pause(tx: Tx, who: str, it: str, body: Body) -> None:
    weeks = text_of(body, "reason")
    if weeks not in WEEKS:
        raise BadAnswer
    enrolments.pause(tx, *enrolments.mine(tx, who, it), tx.now + timedelta(weeks=int(weeks)))


Did = Callable[[Tx, str, str, Body], object]


def _step(action: Action, verb: Did) -> Verb:
    """Do it, then show the member as they stand."""

    def step(tx: Tx, person_id: str, subject: str, body: Body) -> MemberView:
        verb(tx, person_id, subject, body)
        return member_view(tx, person_id, subject, {})

    return Verb(action, step)


def _move(tx: Tx, who: str, it: str, body: Body) -> None:
    phases.move(tx, *enrolments.active(tx, who, it), text_of(body, "reason"))


def _reach(tx: Tx, who: str, it: str, body: Body) -> None:
    phases.reach(tx, *enrolments.active(tx, who, it), text_of(body, "milestone"))


def _unreach(tx: Tx, who: str, it: str, body: Body) -> None:
    phases.not_reached(tx, *enrolments.active(tx, who, it), text_of(body, "milestone"))


MEMBER = Page(
    Verb(Action.MEMBER_READ, member_view),
    {
        "late": _step(Action.CHECK_IN_WRITE, _late),
        "correct": _step(Action.CHECK_IN_WRITE, _correct),
        "note": _step(Action.CHECK_IN_WRITE, _note),
        "reach": _step(Action.MEMBER_CHANGE, _reach),
        "unreach": _step(Action.MEMBER_CHANGE, _unreach),
        "phase": _step(Action.MEMBER_CHANGE, _move),
        "pause": _step(Action.MEMBER_CHANGE, _pause),
        "come_back": _step(
            Action.MEMBER_CHANGE,
            lambda tx, who, it, body: enrolments.come_back(tx, *enrolments.mine(tx, who, it)),
        ),
        "leave": _step(
            Action.MEMBER_CHANGE,
            lambda tx, who, it, body: enrolments.leave(tx, *enrolments.mine(tx, who, it)),
        ),
        "course": _step(
            Action.COURSE_FOLLOW,
            lambda tx, who, it, body: courses.start(tx, who, it, text_of(body, "reason")),
        ),
        "course_step": _step(
            Action.COURSE_FOLLOW,
            lambda tx, who, it, body: courses.step(
                tx, who, _course_of(tx, it, body), text_of(body, "reason")
            ),
        ),
        "course_end": _step(
            Action.COURSE_FOLLOW,
            lambda tx, who, it, body: courses.give_up(tx, who, _course_of(tx, it, body)),
        ),
    },
)

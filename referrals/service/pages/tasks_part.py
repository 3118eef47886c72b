"""Part of a matter's page: the plan that it is, or the part of a plan; the page of plans shows the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from referrals import schedule, tasks
from referrals.access import Action
from referrals.casework import Task, TaskState
from referrals.catalogue import TaskKind
from referrals.errors import NotSealedFor
from referrals.model import Actor, DataClass, Referral, Role, Stage
from referrals.ports import Tx
from referrals.service.common import doors, names
from referrals.service.joint import plan_days
from referrals.service.joint import tasks as running
from referrals.service.matter import matching, plan_parts, reading, sharing, task_people
from referrals.service.pages.page import Body, Verb, day_of, text_of
from referrals.service.pages.part import Part
from referrals.service.request import task_plans
from referrals.views import Choice, Said, Section, Step

_DONE = Step("task_done", "page.step.task_done")
_SPOKEN = Step("task_spoken", "page.step.task_spoken")
_STILL = (Step("task_still", "page.step.task_still"), Step("task_again", "page.step.task_again"))
_DAY = Step("plan_day", "page.step.plan_day", needs="day")
_PLACE = Step("plan_place", "page.step.plan_place", needs="text")
_KIND = DataClass.SAFETY


def sections(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """What this reader sees of a plan: its people and the desk all of it, a partner its own part."""
    if task_plans.is_split(tx, referral) and actor.role is not Role.WORKER:
        yield from of_plan(tx, actor, referral)
    elif referral.parent_id and actor.role is Role.WORKER:
        plan = tx.get(Referral, referral.parent_id)
        if plan is not None:
            yield from _of_part(tx, actor, plan, referral)


def of_plan(tx: Tx, actor: Actor, plan: Referral) -> Iterator[Section]:
    """The plan as a whole, and what this reader can do in it."""
    language = doors.person_by_id(tx, actor.person_id).language
    sealed = _opened(tx, actor, plan, plan)
    day = plan_days.day_in(sealed)
    standing = {task.kind: task for task in tx.find(Task, referral_id=plan.id)}
    kinds = [kind for kind in matching.pathway_of(tx, plan).tasks if kind.id in standing]
    may_plan = actor.role is not Role.COORDINATOR and plan.stage in _PLANNED
    when = tuple(_when(tx, plan, sealed, language, mine=may_plan))
    if when or may_plan:
        yield Section("part.tasks.title", when, (_DAY, _PLACE) if may_plan else ())
    yours = {kind.id: tuple(_mine(tx, actor, plan, kind, standing[kind.id], day, language)) for kind in kinds}
    for mine in yours.values():
        yield from mine
    heaps: dict[str, list[TaskKind]] = {}
    today = schedule.local(tx.now, doors.person_by_id(tx, actor.person_id).timezone).date()
    for kind in tasks.in_order(kind for kind in kinds if not yours[kind.id]):
        heaps.setdefault(_heap(kind, standing[kind.id], day, today), []).append(kind)
    for heading in (_NOW, _LATER, _OVER):
        lines = [_line(tx, plan, kind, standing[kind.id], day, language) for kind in heaps.get(heading, ())]
        if lines:
            yield Section(heading, tuple(lines), count=len(lines), folded=heading == _OVER)


_PLANNED = (Stage.MATCHING, Stage.UNMATCHED, Stage.IN_SERVICE)
# What happens next is read first.
_NOW, _LATER, _OVER = "part.tasks.now", "part.tasks.later", "part.tasks.over"


def _heap(kind: TaskKind, task: Task, day: date | None, today: date) -> str:
    if task.state in (TaskState.DONE, TaskState.DROPPED):
        return _OVER
    return _NOW if tasks.is_now(kind, task.state, day, today) else _LATER


def _mine(
    tx: Tx, actor: Actor, plan: Referral, kind: TaskKind, task: Task, day: date | None, language: str
) -> Iterator[Section]:
    """One part that this reader does, with its step."""
    does = kind.by not in ("partner", "both") and task_people.doer(tx, actor.person_id, plan, kind.by)
    if not does or plan.stage is not Stage.IN_SERVICE:
        return
    name = tx.catalogue.words(f"task.{kind.id}", language)
    body = {"task": task.id}
    if task.still_asked:
        yield Section("part.tasks.yours", (Said("part.tasks.still", {"task": name}),), _STILL, body)
    elif task.state is TaskState.OPEN:
        words = {"task": name, "due": _due(tx, kind, day, language)}
        yield Section("part.tasks.yours", (Said("part.tasks.your_part", words),), (_DONE,), body)


def _of_part(tx: Tx, actor: Actor, plan: Referral, child: Referral) -> Iterator[Section]:
    """A partner's own part: the day, if it may know it, and the handover, if it is a side of it."""
    language = doors.person_by_id(tx, actor.person_id).language
    allowed = _KIND in sharing.readable(tx, child)
    sealed = _opened(tx, actor, plan, child) if allowed else {}
    standing = {task.kind: task for task in tx.find(Task, referral_id=plan.id)}
    sides = {side for kind in matching.pathway_of(tx, plan).tasks for side in kind.between}
    if allowed:
        may_plan = child.task in sides
        steps = (_DAY, _PLACE) if may_plan else ()
        shown = tuple(_when(tx, plan, sealed, language, mine=True))
        yield Section("part.tasks.title", shown, steps)
    for each in standing.values():
        if task_people.is_asked(tx, plan, each, child):
            name = tx.catalogue.words(f"task.{each.kind}", language)
            line = Said("part.tasks.still", {"task": name})
            yield Section("part.tasks.yours", (line,), _STILL, {"task": each.id})
    works_on = sharing.readable(tx, child)
    for kind in matching.pathway_of(tx, plan).tasks if works_on else ():
        task = standing.get(kind.id)
        if task is not None and child.task in kind.between and task.state is TaskState.OPEN:
            yield _handover(tx, plan, child, kind, task, language)


def _handover(tx: Tx, plan: Referral, child: Referral, kind: TaskKind, task: Task, language: str) -> Section:
    """Which organisation is the other side, and whether it has said that they have spoken."""
    other = next(side for side in kind.between if side != child.task)
    there = next(
        (p for p in tx.find(Referral, parent_id=plan.id) if p.task == other and p.organization_id), None
    )
    organization = tx.directory.organizations.get(there.organization_id or "") if there else None
    name = names.named(organization.names, language) if organization else ""
    lines = [Said("part.tasks.handover", {"other": name})]
    if child.task in task.spoken:
        return Section("part.tasks.yours", (*lines, Said("part.tasks.waits_half")))
    if task.spoken:
        lines.append(Said("part.tasks.half"))
    return Section("part.tasks.yours", tuple(lines), (_SPOKEN,), {"task": task.id})


def _line(tx: Tx, plan: Referral, kind: TaskKind, task: Task, day: date | None, language: str) -> Said:
    say = tx.catalogue.words
    by = "desk" if kind.by == "mentor" and not task_people.mentors(tx, plan) else kind.by
    child = tx.get(Referral, task.child_id) if task.child_id else None
    organization = tx.directory.organizations.get((child.organization_id if child else None) or "")
    who = names.named(organization.names, language) if organization else say(f"part.by.{by}", language)
    due = _due(tx, kind, day, language) if task.state in (TaskState.WAITING, TaskState.OPEN) else ""
    alone = "_alone" if task.state is TaskState.DROPPED and by == "partner" and not organization else ""
    said = {"task": say(f"task.{kind.id}", language), "who": who, "due": due}
    return Said(f"part.tasks.{task.state}{alone}", said)


def _due(tx: Tx, kind: TaskKind, day: date | None, language: str) -> str:
    by = tasks.due(kind, day)
    if by is None:
        return ""
    return tx.catalogue.words("part.tasks.due", language, day=names.day_in_words(tx.catalogue, by, language))


def _when(tx: Tx, plan: Referral, sealed: Mapping[str, str], language: str, *, mine: bool) -> Iterator[Said]:
    """The day and the place, for whoever may open them."""
    if tx.reading_locked and mine:
        yield Said("part.tasks.day_with_pin")
        return
    day = plan_days.day_in(sealed)
    if day is not None:
        yield Said("part.tasks.day", {"day": names.day_in_words(tx.catalogue, day, language)})
    elif mine:
        yield Said("part.tasks.no_day")
    if sealed.get("place"):
        yield Said("part.tasks.place", {"place": sealed["place"]})


def _opened(tx: Tx, actor: Actor, plan: Referral, counted: Referral) -> Mapping[str, str]:
    """Day and place, for a reader who holds a key; nothing for anybody else, or before the PIN."""
    if tx.reading_locked or not tx.sealed_exists(plan.record, _KIND):
        return {}
    if reading.wait(tx, actor, counted):
        return {}
    try:
        return reading.open_for(tx, actor, counted, plan.record, _KIND)
    except NotSealedFor:
        return {}


def _task(body: Body) -> str:
    return text_of(body, "task")


def which(tx: Tx, actor: Actor, plan: Referral, step: Step) -> Step:
    """Where all of a plan is done, the desk says which part of it is to be done once more."""
    if step.id != "rematch" or not task_plans.is_split(tx, plan) or plan_parts.left_to_do(tx, plan):
        return step
    language = doors.person_by_id(tx, actor.person_id).language
    done = {task.kind for task in tx.find(Task, referral_id=plan.id, state=TaskState.DONE)}
    kinds = (kind.id for kind in matching.pathway_of(tx, plan).tasks if kind.id in done)
    choices = tuple(Choice(kind, label=tx.catalogue.words(f"task.{kind}", language)) for kind in kinds)
    return replace(step, label_key="page.step.once_more", needs="reason", choices=choices)


STEPS = {
    "task_done": Verb(Action.TASK_DO, lambda tx, who, it, body: running.done(tx, who, _task(body))),
    "task_spoken": Verb(Action.TASK_DO, lambda tx, who, it, body: running.spoken(tx, who, it, _task(body))),
    "task_still": Verb(
        Action.TASK_DO, lambda tx, who, it, body: plan_days.stands(tx, who, it, _task(body), yes=True)
    ),
    "task_again": Verb(
        Action.TASK_DO, lambda tx, who, it, body: plan_days.stands(tx, who, it, _task(body), yes=False)
    ),
    "plan_day": Verb(
        Action.TASK_PLAN, lambda tx, who, it, body: plan_days.move_day(tx, who, it, day=day_of(body))
    ),
    "plan_place": Verb(
        Action.TASK_PLAN,
        lambda tx, who, it, body: plan_days.move_day(tx, who, it, place=text_of(body, "text")),
    ),
}

PART = Part(sections, STEPS)

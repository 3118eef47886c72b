"""Who does a part of a plan, and hears of it: never what, never when, never where."""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.casework import Task, TaskState
from referrals.catalogue import TaskKind
from referrals.lifecycle import HELD
from referrals.members import Enrolment
from referrals.model import Actor, Referral, Role, Stage
from referrals.ports import Tx
from referrals.service.common import doors, tell
from referrals.service.matter import matching, member_keys

TAKEN = (*HELD, Stage.REPORTED, Stage.DISPUTED)


def doer(tx: Tx, person_id: str, plan: Referral, by: str) -> Actor | None:
    """The person as whoever does such a part, if they do: the author, a mentor of the member, or the desk."""
    if by == "family" and plan.author_id == person_id:
        return doors.author_of(tx, person_id, plan.id, Action.TASK_DO)[0]
    if by == "mentor" and person_id in mentors(tx, plan):
        return doors.as_seat(tx, person_id, Role.MENTOR)
    desk = by == "desk" or (by == "mentor" and not mentors(tx, plan))
    if desk and plan.author_id != person_id and _sits_at_desk(tx, person_id):
        return doors.as_seat(tx, person_id, Role.COORDINATOR)
    return None


def mentors(tx: Tx, plan: Referral) -> tuple[str, ...]:
    """Who walks beside the member now; nobody, for somebody who is in no programme."""
    enrolment = tx.get(Enrolment, plan.enrolment_id or "") if plan.enrolment_id else None
    return member_keys.mentors_of(tx, enrolment) if enrolment is not None else ()


def tell_doer(tx: Tx, plan: Referral, task: Task, text: str, but: str = "") -> None:
    """Tell whoever does a part that something is to be done: never what, never when."""
    if task.by in ("partner", "both"):
        # Whose work is done and confirmed is asked too whether it still stands.
        there = (*TAKEN, Stage.CLOSED) if task.still_asked else TAKEN
        for child in _sides(tx, plan, task):
            if child.stage in there and but not in tell.partners(tx, child):
                tell.tell_partner(tx, child, text, opens="button.open", slot=":plan", or_desk=True)
        return
    people = (plan.author_id,) if task.by == "family" else mentors(tx, plan) if task.by == "mentor" else ()
    if not people:
        tell.tell_desk(tx, f"desk.{text}", plan, slot=desk_slot(task))
    for person_id in [each for each in people[:1] if each != but]:
        button = ((tell.page_button("button.open", page(plan)),),)
        tell.tell(tx, person_id, text, {"code": plan.code}, buttons=button, slot=slot(plan))


def with_desk_part(tx: Tx) -> list[Referral]:
    """The plans under way with an open part of the desk's: its own, or a mentor's where there is none."""
    by = ("desk", "mentor")
    tasks = [*tx.find(Task, by=by, state=TaskState.OPEN), *tx.find(Task, by=by, still_asked=True)]
    desks = {task.referral_id for task in tasks if task.by == "desk"}
    plans = tx.find(Referral, id=sorted({task.referral_id for task in tasks}), stage=Stage.IN_SERVICE)
    return [plan for plan in plans if plan.id in desks or not mentors(tx, plan)]


def does(tx: Tx, plan: Referral, task: Task, child: Referral) -> bool:
    """Whether the partner of this matter does that part: its own, or as a side of what two do together."""
    kind = kind_of(tx, plan, task)
    return kind is not None and (task.child_id == child.id or child.task in kind.between)


def is_asked(tx: Tx, plan: Referral, task: Task, child: Referral) -> bool:
    """Whether this matter's partner is asked if that part still stands, and has not said yes."""
    said = child.task in task.spoken
    runs = plan.stage is Stage.IN_SERVICE
    return runs and task.still_asked and not said and does(tx, plan, task, child)


def asked_again(tx: Tx, plan: Referral, task: Task, person_id: str) -> Task:
    """What was done, and this person has moved the date: each side is asked, but for one that moved it."""
    kind = kind_of(tx, plan, task)
    if kind is None or not kind.between:
        return replace(task, still_asked=True)
    both = [part for part in tx.find(Task, referral_id=plan.id) if part.kind in kind.between]
    children = ((part.kind, tx.get(Referral, part.child_id)) for part in both if part.child_id)
    moved = tuple(side for side, child in children if child and person_id in tell.partners(tx, child))
    return replace(task, still_asked=set(moved) != set(kind.between), spoken=moved)


def still_stands(tx: Tx, plan: Referral, task: Task, child: Referral | None) -> Task:
    """'Yes, it stands', of a partner's matter or of whoever else does it: two sides must both say so."""
    kind = kind_of(tx, plan, task)
    if child is None or kind is None or child.task not in kind.between:
        return replace(task, still_asked=False)
    said = tuple(side for side in kind.between if side in (*task.spoken, child.task))
    return replace(task, spoken=said, still_asked=said != kind.between)


def settle(tx: Tx, plan: Referral, task: Task, text: str = "plan.handled") -> None:
    """What asked for a part that is done (or not needed any more) goes from the chats, without a sound."""
    if task.by == "desk" or (task.by == "mentor" and not mentors(tx, plan)):
        for person_id in {s.person_id for s in tell.coordinators(tx) if s.person_id}:
            tell.quietly(tx, person_id, desk_slot(task), "desk.handled", {"code": plan.code})
        return
    for person_id in {plan.author_id, *mentors(tx, plan)}:
        tell.quietly(tx, person_id, slot(plan), text, {"code": plan.code})


def _sides(tx: Tx, plan: Referral, task: Task) -> list[Referral]:
    """The matters of the partners who do a part: its own, or those of the two sides that have not spoken.

    Where both have, and a date has moved, `spoken` begins anew: are they to speak with each other again?
    """
    kind = kind_of(tx, plan, task)
    between = kind.between if kind else ()
    wanted = [side for side in between if side not in task.spoken] if between else [task.kind]
    children = [t.child_id for t in tx.find(Task, referral_id=plan.id) if t.kind in wanted and t.child_id]
    return [child for child_id in children if (child := tx.get(Referral, child_id)) is not None]


def page(plan: Referral) -> str:
    """Where a plan is read and its parts are done."""
    return f"tasks/{plan.id}"


def slot(plan: Referral) -> str:
    return f"plan:{plan.id}"


def desk_slot(task: Task) -> str:
    return f"desk-task:{task.id}"


def kind_of(tx: Tx, plan: Referral, task: Task | None) -> TaskKind | None:
    """A part's place in its plan's pathway; None where it has none (any more)."""
    if task is None or task.referral_id != plan.id:
        return None
    return next((kind for kind in matching.pathway_of(tx, plan).tasks if kind.id == task.kind), None)


def _sits_at_desk(tx: Tx, person_id: str) -> bool:
    return any(seat.role is Role.COORDINATOR for seat in doors.seats_of(tx, person_id))

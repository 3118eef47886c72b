"""What every matter's way has to know of plans: a part that moved stirs its plan, an end ends the parts.

No verb here knows what a plan is made of; that is `tasks.py`.
"""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.casework import Task, TaskState
from referrals.errors import BadAnswer
from referrals.lifecycle import ENDED
from referrals.model import SYSTEM, AuditEntry, Outcome, Record, Referral, Stage
from referrals.ports import Tx
from referrals.service.matter import task_people

TIMER = "plan_day"
GONE = (Stage.WITHDRAWN, Stage.EXPIRED, Stage.VOID)


def stir(tx: Tx, child: Referral) -> None:
    """A part has moved: its plan is looked at as soon as this turn is over."""
    if child.parent_id:
        tx.set_timer(TIMER, child.parent_id, tx.now)


def taken(tx: Tx, child: Referral) -> None:
    """A partner has taken a part: whatever the one before had said to the other side, it has said nothing."""
    plan = tx.get(Referral, child.parent_id) if child.parent_id else None
    if plan is None:
        return
    for task in tx.find(Task, referral_id=plan.id, state=(TaskState.OPEN, TaskState.DONE)):
        kind = task_people.kind_of(tx, plan, task)
        if kind is None or child.task not in kind.between:
            continue
        others = () if task.still_asked else tuple(side for side in task.spoken if side != child.task)
        after = replace(task, spoken=others, still_asked=False, state=TaskState.OPEN)
        if after != task:
            tx.save(replace(after, since=tx.now))
            tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{plan.id}", f"{task.kind}:again"))
    stir(tx, child)


def left_to_do(tx: Tx, plan: Referral) -> bool:
    """Whether a plan would go on: something that must be done was given up, or has not come to an end yet."""
    for task in tx.find(Task, referral_id=plan.id):
        kind = task_people.kind_of(tx, plan, task)
        if kind is None or not kind.required:
            continue
        child = tx.get(Referral, task.child_id) if task.child_id else None
        if child is None and task.state is not TaskState.DONE:
            return True
        if child is not None and not (has_helped(child) or child.stage in GONE):
            return True
    return False


def once_more(tx: Tx, plan: Referral, kind: str) -> None:
    """The desk chooses a part that was done: it is to be done again. BadAnswer for what is none."""
    done = tx.find(Task, referral_id=plan.id, state=TaskState.DONE)
    task = next((task for task in done if task.kind == kind), None)
    if task is None:
        raise BadAnswer
    waits = replace(task, state=TaskState.WAITING, since=tx.now, child_id=None, spoken=())
    tx.save(replace(waits, still_asked=False))
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{plan.id}", f"{task.kind}:again"))


def has_helped(child: Referral) -> bool:
    """Whether a partner's part is done: its person says so, or has had the time to say otherwise."""
    return child.stage is Stage.CLOSED and child.outcome in (Outcome.MET, Outcome.PARTLY_MET)


def is_latest(tx: Tx, child: Referral) -> bool:
    """False for a part that has begun anew as another matter: only the newest one of a part goes on."""
    same = (t for t in tx.find(Task, referral_id=child.parent_id or "-") if t.kind == child.task)
    return all(task.child_id == child.id for task in same)


def opened_again(tx: Tx, child: Referral) -> None:
    """Its person has opened a part again: so is it in a plan that goes on, and what was given up with it."""
    plan = tx.get(Referral, child.parent_id) if child.parent_id else None
    if plan is None or plan.stage is not Stage.IN_SERVICE:
        return
    for task in tx.find(Task, referral_id=plan.id, state=TaskState.DROPPED):
        own = task.child_id == child.id
        if own or task.child_id is None:
            tx.save(replace(task, state=TaskState.OPEN if own else TaskState.WAITING, since=tx.now))
            tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{plan.id}", f"{task.kind}:again"))
    stir(tx, child)


def ended(tx: Tx, plan: Referral) -> None:
    """A plan has ended, whoever ended it: nothing of it waits for anybody any more.

    A partner who still helps with what need not be done goes on, and so does that part.
    """
    for task in tx.find(Task, referral_id=plan.id, state=(TaskState.WAITING, TaskState.OPEN)):
        child = tx.get(Referral, task.child_id) if task.child_id else None
        if child is not None and child.stage not in ENDED:
            continue
        tx.save(replace(task, state=TaskState.DROPPED, since=tx.now))
        if task.state is TaskState.OPEN and task.by not in ("partner", "both"):
            task_people.settle(tx, plan, task, "matter.asked_over")
        tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{plan.id}", f"{task.kind}:dropped"))


def standing_parts(tx: Tx, plan: Referral) -> list[Referral]:
    """The matters of its parts that go on, or have come to an end that could be reopened."""
    return [
        child for child in tx.find(Referral, parent_id=plan.id) if child.author_id and child.stage not in GONE
    ]


def looked(plan_id: str) -> Record:
    """Where the process notes what it has said already, sealed for itself alone: it tells of the day."""
    return Record("plan_look", plan_id)


def forget(tx: Tx, plan_id: str) -> None:
    """The retention date has come: who did what, goes."""
    tx.destroy(looked(plan_id))
    for task in tx.find(Task, referral_id=plan_id):
        tx.remove(task)

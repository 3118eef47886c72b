"""What every matter's way has to know of plans: a part that moved stirs its plan, an end ends the parts.

No verb here knows what a plan is made of; that is `tasks.py`.
"""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.casework import Task, TaskState
from referrals.model import SYSTEM, AuditEntry, Record, Referral, Stage
from referrals.ports import Tx
from referrals.service import task_people

TIMER = "plan_day"
_GONE = (Stage.WITHDRAWN, Stage.EXPIRED, Stage.VOID)


def stir(tx: Tx, child: Referral) -> None:
    """A part has moved: its plan is looked at as soon as this turn is over."""
    if child.parent_id:
        tx.set_timer(TIMER, child.parent_id, tx.now)


def ended(tx: Tx, plan: Referral) -> None:
    """A plan has ended, whoever ended it: nothing of it waits for anybody any more."""
    for task in tx.find(Task, referral_id=plan.id, state=(TaskState.WAITING, TaskState.OPEN)):
        tx.save(replace(task, state=TaskState.DROPPED, since=tx.now))
        if task.state is TaskState.OPEN and task.by not in ("partner", "both"):
            task_people.settle(tx, plan, task, "matter.asked_over")
        tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{plan.id}", f"{task.kind}:dropped"))


def standing_parts(tx: Tx, plan: Referral) -> list[Referral]:
    """The matters of its parts that go on, or have come to an end that could be reopened."""
    return [
        child
        for child in tx.find(Referral, parent_id=plan.id)
        if child.author_id and child.stage not in _GONE
    ]


def looked(plan_id: str) -> Record:
    """Where the process notes what it has said already, sealed for itself alone: it tells of the day."""
    return Record("plan_look", plan_id)


def forget(tx: Tx, plan_id: str) -> None:
    """The retention date has come: who did what, goes."""
    tx.destroy(looked(plan_id))
    for task in tx.find(Task, referral_id=plan_id):
        tx.remove(task)

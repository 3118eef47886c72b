"""A plan of several parts while it runs: what begins, what has ended, who says 'done', how the whole ends.

Whatever may move a plan on sets its timer to now (`plan_parts.stir`), and `plan_days.look` calls `advance`:
so no verb has to know of plans. A partner's part is a matter of its own, with offers, deadlines and an end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from referrals import tasks
from referrals.access import Action, allow
from referrals.casework import Task, TaskState
from referrals.catalogue import TaskKind
from referrals.errors import NotFound, WrongStage
from referrals.lifecycle import ENDED, STAGE_WAITS, Step, move
from referrals.model import (
    NETWORK,
    SYSTEM,
    Actor,
    AuditEntry,
    Consent,
    DataClass,
    Outcome,
    Referral,
    Stage,
    Urgency,
    person_holder,
)
from referrals.ports import Tx
from referrals.service.common import doors, tell
from referrals.service.help import working
from referrals.service.matter import matching, matter_codes, offering, plan_parts, task_people
from referrals.tasks import Part

_HELPED = (Outcome.MET, Outcome.PARTLY_MET)


def begin(tx: Tx, referral_id: str) -> None:
    """After the yes (timer 'match'): every part that needs nothing before it begins at once.

    The same after a return to the plan: what could not be done is tried again, by whom it was not tried yet;
    what is done stays done, and what goes on goes on. Where nothing is left to do, the desk looks.
    """
    referral = doors.referral_by_id(tx, referral_id)
    if referral.stage is not Stage.MATCHING:
        return
    given = doors.consent_in_force(tx, referral)
    if given is None or not plan_parts.left_to_do(tx, referral):
        offering.run_out(tx, referral)
        return
    running = offering.save_step(tx, referral, Step.SPLIT, escalated=False)
    for task in tx.find(Task, referral_id=running.id, state=TaskState.DROPPED):
        _begin_again(tx, running, task)
    tx.set_timer(plan_parts.TIMER, running.id, tx.now)
    tell.tell_author(
        tx, running, "plan.begun", buttons=((tell.page_button("button.open", task_people.page(running)),),)
    )


def _begin_again(tx: Tx, plan: Referral, task: Task) -> None:
    """What was given up; what the person took back, or the desk voided, stays so."""
    child = tx.get(Referral, task.child_id) if task.child_id else None
    if child is not None and child.stage not in ENDED:
        _save(tx, plan, task, TaskState.OPEN)
    elif child is not None and plan_parts.has_helped(child):
        _save(tx, plan, task, TaskState.DONE)
    elif child is None or child.stage not in plan_parts.GONE:
        _save(tx, plan, replace(task, child_id=None, spoken=()), TaskState.WAITING)


def advance(tx: Tx, plan: Referral) -> Referral:
    """Begin what can begin, give up what cannot be done any more, and end the whole once nothing is left."""
    take_note(tx, plan)
    while True:
        standing = parts(tx, plan)
        dropped, opened = tasks.to_drop(standing), tasks.to_open(standing)
        if not dropped and not opened:
            return _complete(tx, plan, standing) if tasks.has_ended(standing) else plan
        for task in _of(tx, plan, dropped):
            _give_up(tx, plan, task)
        for task in _of(tx, plan, opened):
            _open(tx, plan, task)


def parts(tx: Tx, plan: Referral) -> list[Part]:
    """Every part of a plan as it stands, in the pathway's order."""
    standing = {task.kind: task for task in tx.find(Task, referral_id=plan.id)}
    kinds = matching.pathway_of(tx, plan).tasks
    return [_part(tx, kind, standing[kind.id]) for kind in kinds if kind.id in standing]


def done(tx: Tx, person_id: str, task_id: str) -> Task:
    """Whoever does a part says that it is done. Pressed twice is pressed once; a partner's part reports."""
    actor, task, plan = as_doer(tx, person_id, task_id)
    if task.state is TaskState.DONE and not task.still_asked:
        return task
    if task.state not in (TaskState.OPEN, TaskState.DONE):
        raise WrongStage
    saved = tx.save(replace(task, state=TaskState.DONE, since=tx.now, done_by=person_id, still_asked=False))
    tx.audit(AuditEntry(actor, Action.TASK_DO, f"referral:{plan.id}", task.kind))
    task_people.settle(tx, plan, task)
    tx.set_timer(plan_parts.TIMER, plan.id, tx.now)
    return saved


def spoken(tx: Tx, person_id: str, offer_id: str, task_id: str) -> Task:
    """One side of a handover says that it has spoken with the other; done, once both have said so."""
    actor, offer, child = doors.served_referral(tx, person_id, offer_id, Action.TASK_DO)
    plan = doors.referral_by_id(tx, child.parent_id or "")
    task = tx.get(Task, task_id)
    kind = task_people.kind_of(tx, plan, task)
    if task is None or kind is None or child.task not in kind.between or offer.id != child.offer_id:
        raise NotFound
    if child.task in task.spoken:
        return task
    if task.state is not TaskState.OPEN:
        raise WrongStage
    said = (*task.spoken, child.task)
    both = set(said) >= set(kind.between)
    tx.audit(AuditEntry(actor, Action.TASK_DO, f"referral:{plan.id}", task.kind))
    after = replace(task, spoken=said, state=TaskState.DONE if both else task.state, since=tx.now)
    saved = tx.save(replace(after, done_by=person_id) if both else after)
    if both:
        tx.set_timer(plan_parts.TIMER, plan.id, tx.now)
    return saved


def as_doer(tx: Tx, person_id: str, task_id: str) -> tuple[Actor, Task, Referral]:
    """The part that this person does, under its plan's lock; NotFound for everybody else."""
    found = tx.get(Task, task_id)
    if found is None:
        raise NotFound
    plan = doors.referral_by_id(tx, found.referral_id)
    task = tx.get(Task, task_id)  # read again under the plan's lock
    actor = task_people.doer(tx, person_id, plan, found.by)
    if task is None or actor is None or plan.stage is not Stage.IN_SERVICE:
        raise NotFound
    allow(actor, Action.TASK_DO)
    return actor, task, plan


def anew(tx: Tx, plan: Referral, task: Task) -> None:
    """The day has moved, and a partner's part is to be done once more: its plan is asked from the start."""
    kind = task_people.kind_of(tx, plan, task)
    if kind is not None:
        child = _child(tx, plan, task, kind, tasks.PASSES)
        _save(tx, plan, replace(task, child_id=child.id), TaskState.OPEN)


def _part(tx: Tx, kind: TaskKind, task: Task) -> Part:
    child = tx.get(Referral, task.child_id) if task.child_id else None
    if child is None:
        return Part(kind, task.state)
    delivered = child.stage is Stage.REPORTED and child.outcome in _HELPED
    return Part(kind, task.state, child.stage in task_people.TAKEN, delivered, child.outcome)


def take_note(tx: Tx, plan: Referral) -> None:
    """A partner's part ends and begins again with its own matter."""
    for task in tx.find(Task, referral_id=plan.id, state=(TaskState.OPEN, TaskState.DONE)):
        child = tx.get(Referral, task.child_id) if task.child_id else None
        if child is None:
            continue
        given_up = TaskState.DROPPED if child.stage in ENDED else TaskState.OPEN
        state = TaskState.DONE if plan_parts.has_helped(child) else given_up
        if state is not task.state:
            _save(tx, plan, task, state)


def _give_up(tx: Tx, plan: Referral, task: Task) -> None:
    """It cannot be done any more. Where a partner is at it, or is asked, the desk looks."""
    _save(tx, plan, task, TaskState.DROPPED)
    child = tx.get(Referral, task.child_id) if task.child_id else None
    if child is not None and child.stage not in ENDED:
        working.escalate(tx, child, "desk.plan_went_wrong")


def _open(tx: Tx, plan: Referral, task: Task) -> None:
    kind = task_people.kind_of(tx, plan, task)
    assert kind is not None  # only parts of the pathway are opened
    if task.by == "partner":
        child = _child(tx, plan, task, kind)
        task = replace(task, child_id=child.id)
    opened = _save(tx, plan, task, TaskState.OPEN)
    if task.by != "partner":
        task_people.tell_doer(tx, plan, opened, "plan.yours")


def _child(tx: Tx, plan: Referral, task: Task, kind: TaskKind, passes: tuple[str, ...] = ()) -> Referral:
    """A partner's part as a matter of its own, under the very yes that was given to the plan.

    Whoever said no to it before is not asked again, unless for one of these reasons.
    """
    draft = replace(
        plan,
        id=tx.new_id(),
        code=matter_codes.fresh(tx),
        category=kind.category,
        stage=Stage.DRAFT,
        created_at=tx.now,
        hops=0,
        offer_id=None,
        organization_id=None,
        accepted_by=None,
        escalated=False,
        outcome=None,
        outcome_reason=None,
        confirmed=None,
        why="",
        retain_until=None,
        parent_id=plan.id,
        task=kind.id,
        onward_from=None,
        desk_id=None,
        version=1,
    )
    whole = replace(draft, plan=task.plan)
    child = move(matching.from_the_start(whole, matching.refused(tx, draft, passes)), Step.FILE, tx.now)
    tx.add(child)
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{child.id}", f"task:{kind.id}"))
    given = doors.consent_in_force(tx, plan)
    if given is not None:
        _agreed(tx, plan, child, given)
    offering.start_matching(tx, child)
    return child


def _agreed(tx: Tx, plan: Referral, child: Referral, given: Consent) -> None:
    """The yes to the plan, for one of its parts: the same words, the same wishes, the same end."""
    theirs = replace(
        given, id=tx.new_id(), referral_id=child.id, plan=child.plan, category=child.category, version=1
    )
    tx.add(theirs)
    tx.set_timer("consent_end", theirs.id, theirs.until)
    wishes = matching.sealed_wishes(matching.wishes_of(tx, SYSTEM, given))
    for column, text in wishes.items():
        tx.seal(theirs.record, DataClass.STORY, column, text, [person_holder(plan.author_id), NETWORK])


def _complete(tx: Tx, plan: Referral, standing: list[Part]) -> Referral:
    came = tasks.outcome(standing)
    reasons = (c.outcome_reason for c in tx.find(Referral, parent_id=plan.id) if c.outcome_reason)
    reason = next(reasons, "other") if came is Outcome.UNMET else None
    for task in tx.find(Task, referral_id=plan.id, state=TaskState.WAITING):
        _save(tx, plan, task, TaskState.DROPPED)
    ended = offering.save_step(tx, plan, Step.COMPLETE, outcome=came, outcome_reason=reason, escalated=False)
    tx.clear_timers(plan.id)
    tx.set_timer("confirm_wait", plan.id, tx.now + STAGE_WAITS[Stage.REPORTED].of(Urgency.NORMAL))
    tell.settle_desk(tx, ended)
    working.ask_whether_helped(tx, ended)
    return ended


def _save(tx: Tx, plan: Referral, task: Task, state: TaskState) -> Task:
    tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{plan.id}", f"{task.kind}:{state}"))
    return tx.save(replace(task, state=state, since=tx.now))


def _of(tx: Tx, plan: Referral, kinds: tuple[str, ...]) -> Iterator[Task]:
    yield from (task for task in tx.find(Task, referral_id=plan.id) if task.kind in kinds)

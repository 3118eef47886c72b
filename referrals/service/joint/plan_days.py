"""The day and the place of a plan: sealed for safety, moved by whoever planned it, looked at once a day.

No timer stands at a time from which the day can be computed: every plan is looked at each morning, and the
process opens the sealed day by itself. What it has said already is sealed too, for nobody but itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any

from referrals import schedule, tasks
from referrals.access import Action, allow
from referrals.casework import Task, TaskState
from referrals.errors import BadAnswer, NotFound, TooLong, WrongStage
from referrals.lifecycle import ENDED
from referrals.model import (
    NETWORK,
    SYSTEM,
    Actor,
    AuditEntry,
    DataClass,
    Offer,
    Referral,
    Role,
    Stage,
    person_holder,
)
from referrals.ports import Tx
from referrals.service.common import doors, tell
from referrals.service.help import working
from referrals.service.joint import tasks as running
from referrals.service.matter import matching, plan_parts, sharing, task_people
from referrals.service.request import task_plans

MORNING = time(9)
PLACE_LIMIT = 300
FARTHEST = timedelta(days=3660)
NO_DAY_EVERY = timedelta(days=7)
_KIND = DataClass.SAFETY


@dataclass(frozen=True, slots=True)
class Looked:
    """What has been said of a plan: by part, which questions, and when its planner was asked for a day."""

    words: Mapping[str, tasks.Word]
    asked: tuple[str, ...] = ()
    no_day: date | None = None


def move_day(
    tx: Tx, person_id: str, matter_id: str, day: date | None = None, place: str | None = None
) -> Referral:
    """Set or move the day (or the place); None leaves it as it is. Everybody who has a part hears of it.

    Whoever had done theirs is asked whether it still stands. BadAnswer, TooLong, NotFound, WrongStage.
    """
    actor, plan = planner(tx, person_id, matter_id)
    if plan.stage in ENDED:
        raise WrongStage
    if day is not None and abs(day - tx.now.date()) > FARTHEST:
        raise BadAnswer
    if place is not None and len(place) > PLACE_LIMIT:
        raise TooLong(limit=PLACE_LIMIT, length=len(place))
    before = opened(tx, plan)
    new = {"day": day.isoformat() if day else None, "place": place.strip() if place is not None else None}
    changed = {name: text for name, text in new.items() if text is not None and text != before.get(name, "")}
    if not changed:
        return plan
    for name, text in changed.items():
        tx.seal(plan.record, _KIND, name, text, [person_holder(plan.author_id), NETWORK])
    sharing.settle(tx, plan)
    tx.audit(AuditEntry(actor, Action.TASK_PLAN, f"referral:{plan.id}", " ".join(sorted(changed))))
    if plan.stage is Stage.IN_SERVICE:
        if "day" in changed:
            _note(tx, plan, Looked({}))
        _everybody_hears(tx, plan, person_id, moved="day" in changed and "day" in before)
        tx.set_timer(plan_parts.TIMER, plan.id, tx.now)
    return plan


def planner(tx: Tx, person_id: str, matter_id: str) -> tuple[Actor, Referral]:
    """Whoever may set a plan's day: its author, the member's mentor, a side of its handover that knows it."""
    if tx.get(Offer, matter_id) is not None:
        actor, _, child = doors.served_referral(tx, person_id, matter_id, Action.TASK_PLAN)
        plan = doors.referral_by_id(tx, child.parent_id or "")
        sides = {side for kind in matching.pathway_of(tx, plan).tasks for side in kind.between}
        if child.task not in sides or _KIND not in sharing.readable(tx, child):
            raise NotFound
        return actor, plan
    plan = doors.referral_by_id(tx, matter_id)
    if not task_plans.is_split(tx, plan) or not plan.author_id:
        raise NotFound
    if plan.author_id == person_id:
        return doors.author_of(tx, person_id, plan.id, Action.TASK_PLAN)
    if person_id not in task_people.mentors(tx, plan):
        raise NotFound
    actor = doors.as_seat(tx, person_id, Role.MENTOR)
    allow(actor, Action.TASK_PLAN)
    return actor, plan


def stands(tx: Tx, person_id: str, subject: str, task_id: str, yes: bool) -> Task:
    """After a date has moved: does what was done still stand? If not, it is to be done anew."""
    child: Referral | None = None
    if tx.get(Offer, subject) is not None:
        actor, _, child = doors.served_referral(tx, person_id, subject, Action.TASK_DO)
        plan, task = doors.referral_by_id(tx, child.parent_id or ""), tx.get(Task, task_id)
        if task is None or not task_people.does(tx, plan, task, child):
            raise NotFound
    else:
        actor, task, plan = running.as_doer(tx, person_id, task_id)
    if not task.still_asked:
        return task
    if plan.stage is not Stage.IN_SERVICE:
        raise WrongStage  # of a plan that is over nothing is done anew
    after = task_people.still_stands(tx, plan, task, child) if yes else replace(task, still_asked=False)
    if not yes and task.by != "partner":
        after = replace(after, state=TaskState.OPEN, spoken=())
    if after == task:
        return task
    saved = tx.save(replace(after, since=tx.now))
    tx.audit(
        AuditEntry(actor, Action.TASK_DO, f"referral:{plan.id}", f"{task.kind}:{'yes' if yes else 'no'}")
    )
    if not yes and task.by == "partner":
        running.anew(tx, plan, saved)
    tx.set_timer(plan_parts.TIMER, plan.id, tx.now)
    return saved


def went(tx: Tx, person_id: str, plan_id: str, yes: bool) -> Referral:
    """'Did it go as planned?': the person's or mentor's word; a no goes to the desk at once."""
    actor, plan = planner(tx, person_id, plan_id)
    if actor.role is Role.WORKER:  # a side of the handover sets the day, and speaks for nobody
        raise NotFound
    if plan.stage is not Stage.IN_SERVICE:
        raise WrongStage
    allow(actor, Action.TASK_DO)
    tx.seal(plan.record, _KIND, "went", "yes" if yes else "no", [person_holder(plan.author_id), NETWORK])
    sharing.settle(tx, plan)
    tx.audit(AuditEntry(actor, Action.TASK_DO, f"referral:{plan.id}", "went"))
    if not yes:
        working.escalate(tx, plan, "desk.plan_went_wrong")
    text = "plan.went_well" if yes else "plan.went_wrong"
    tell.answer(tx, person_id, text, {"code": plan.code}, slot=f"plan-went:{plan.id}")
    return plan


def look(tx: Tx, plan_id: str) -> None:
    """Timer, each morning and whenever a part has moved: go on, remind whoever is late, ask how it went."""
    plan = doors.referral_by_id(tx, plan_id)
    if not task_plans.is_split(tx, plan):
        return
    if plan.stage is not Stage.IN_SERVICE:
        running.take_note(tx, plan)  # a part may outlive the whole
        return
    plan = running.advance(tx, plan)
    if plan.stage is Stage.IN_SERVICE:
        tx.set_timer(plan_parts.TIMER, plan.id, schedule.next_showing(MORNING, schedule.NETWORK_ZONE, tx.now))
        _remind(tx, plan)


def opened(tx: Tx, plan: Referral) -> Mapping[str, str]:
    """Day and place as the process itself may know them: to remind, and to see whether anything changes.

    Before there is one, what stands beside them ('it is not safe at home') is none of its business.
    """
    if NETWORK not in tx.holders(plan.record, _KIND):
        return {}
    return tx.open_sealed(SYSTEM, plan.record, _KIND)


def day_in(sealed: Mapping[str, str]) -> date | None:
    """The plan's day, once it is known."""
    return date.fromisoformat(sealed["day"]) if sealed.get("day") else None


def _everybody_hears(tx: Tx, plan: Referral, but: str, *, moved: bool) -> None:
    """One word for each who has a part, and the planners: nobody is left untold.

    Whoever has a part to do and one that is done hears the question, so what is done comes last.
    """
    for task in sorted(tx.find(Task, referral_id=plan.id), key=lambda t: t.state is TaskState.DONE):
        if task.state is TaskState.DONE and moved:
            asked = tx.save(task_people.asked_again(tx, plan, task, but))
            task_people.tell_doer(tx, plan, asked, "plan.still", but)
        elif task.state is TaskState.OPEN:
            task_people.tell_doer(tx, plan, task, "plan.moved" if moved else "plan.day_known", but)
    own = {t.by for t in tx.find(Task, referral_id=plan.id) if t.still_asked}
    if plan.author_id != but and "family" not in own:
        button = tell.page_button("button.open", task_people.page(plan))
        text = "plan.moved" if moved else "plan.day_known"
        code, slot = {"code": plan.code}, task_people.slot(plan)
        tell.tell(tx, plan.author_id, text, code, buttons=((button,),), slot=slot)


def _remind(tx: Tx, plan: Referral) -> None:
    day, looked = day_in(opened(tx, plan)), _looked(tx, plan)
    today = schedule.local(tx.now, schedule.NETWORK_ZONE).date()
    if day is None:
        _ask_for_day(tx, plan, looked, today)
        return
    parts = running.parts(tx, plan)
    new = {p.kind.id: w for p in parts if (w := tasks.next_word(p, day, today, looked.words.get(p.kind.id)))}
    by_kind = {task.kind: task for task in tx.find(Task, referral_id=plan.id)}
    for kind, word in new.items():
        last = looked.words.get(kind)
        if last is None or last.said not in ("late", "desk"):  # whoever knows that it is late is not nagged
            text = "plan.soon" if word.said == "soon" else "plan.late"
            task_people.tell_doer(tx, plan, by_kind[kind], text)
    if any(word.said == "desk" for word in new.values()):
        working.escalate(tx, plan, "desk.plan_late")
    asked = tasks.questions(day, today, looked.asked)
    if asked:
        _ask_how_it_went(tx, plan)
    if new or asked:
        _note(tx, plan, Looked({**looked.words, **new}, (*looked.asked, *_with_earlier(asked))))


def _with_earlier(asked: tuple[str, ...]) -> tuple[str, ...]:
    return ("day", *asked) if asked == ("week",) else asked


def _ask_for_day(tx: Tx, plan: Referral, looked: Looked, today: date) -> None:
    """A plan without a day makes nobody late: whoever planned it is asked for one, once a week."""
    if looked.no_day is not None and today < looked.no_day + NO_DAY_EVERY:
        return
    if looked.no_day is not None:  # at the start the planner has the plan in their hands
        tell.tell_author(tx, plan, "plan.no_day", buttons=_open(plan))
    _note(tx, plan, replace(looked, no_day=today))


def _ask_how_it_went(tx: Tx, plan: Referral) -> None:
    for person_id in {plan.author_id, *task_people.mentors(tx, plan)[:1]}:
        yes = tell.press("button.went_yes", "plan.went", plan.id, "yes")
        no = tell.press("button.went_no", "plan.went", plan.id, "no")
        buttons = (*tell.column([yes, no]), *_open(plan))
        slot = f"plan-went:{plan.id}"
        tell.tell(tx, person_id, "plan.did_it_go", {"code": plan.code}, buttons=buttons, slot=slot)


def _open(plan: Referral) -> Any:
    return ((tell.page_button("button.open", task_people.page(plan)),),)


def _looked(tx: Tx, plan: Referral) -> Looked:
    record = plan_parts.looked(plan.id)
    if not tx.sealed_exists(record, _KIND):
        return Looked({})
    kept = json.loads(tx.open_sealed(SYSTEM, record, _KIND)["said"])
    words = {kind: tasks.Word(said, date.fromisoformat(on)) for kind, (said, on) in kept["words"].items()}
    no_day = date.fromisoformat(kept["no_day"]) if kept["no_day"] else None
    return Looked(words, tuple(kept["asked"]), no_day)


def _note(tx: Tx, plan: Referral, looked: Looked) -> None:
    """Sealed at one length as good as another; the audit's row says only that the plan was looked at."""
    kept = {
        "words": {kind: (word.said, word.on.isoformat()) for kind, word in looked.words.items()},
        "asked": looked.asked,
        "no_day": looked.no_day.isoformat() if looked.no_day else "",
    }
    tx.seal(plan_parts.looked(plan.id), _KIND, "said", json.dumps(kept), [NETWORK])
    tx.audit(AuditEntry(SYSTEM, Action.REMIND, f"plan_look:{plan.id}", "plan"))

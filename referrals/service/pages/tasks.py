"""Page 'tasks': a plan of several parts, for whoever does one of them; and staff propose one for somebody.

Without a subject it is the way in: the plans that somebody has a part in, and what staff may propose.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from referrals.access import Action
from referrals.catalogue import Handling
from referrals.errors import NotFound
from referrals.lifecycle import OPEN
from referrals.model import Actor, Referral, Role, Stage
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.joint import plan_days, proposing
from referrals.service.matter import matching, plan_parts, task_people
from referrals.service.members import enrolments
from referrals.service.pages import me, tasks_part
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.service.request import task_plans
from referrals.views import Said, Section, SectionsView, Step

_TITLE = "page.tasks.title"
_RUNNING = tuple(stage for stage in OPEN if stage not in (Stage.DRAFT, Stage.AWAITING_CONSENT))
_PROPOSE = Step("propose", "page.step.propose", needs="code")


def tasks_view(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """Page 'tasks': one plan; without a subject the ways to this reader's, and what may be proposed."""
    if not subject:
        return _way_in(tx, person_id)
    actor, plan = _reader(tx, person_id, subject)
    shown = (*tasks_part.of_plan(tx, actor, plan), *_parts(tx, actor, plan))
    return SectionsView(_TITLE, shown, locked=tx.reading_locked and actor.role is not Role.COORDINATOR)


def _reader(tx: Tx, person_id: str, plan_id: str) -> tuple[Actor, Referral]:
    """Whoever planned it, the member's mentor, or the desk; NotFound for everybody else."""
    plan = doors.referral_by_id(tx, plan_id)
    if not task_plans.is_split(tx, plan):
        raise NotFound
    if plan.author_id == person_id or person_id in task_people.mentors(tx, plan):
        return plan_days.planner(tx, person_id, plan_id)
    return doors.desk_referral(tx, person_id, plan_id, Action.TASK_DO)


def _parts(tx: Tx, actor: Actor, plan: Referral) -> Iterator[Section]:
    """The way to each part that a partner does, by the code under which the chat speaks of it."""
    if actor.role is not Role.COORDINATOR and plan.author_id != actor.person_id:
        return  # whoever walks beside them sees the plan; each part's words are its person's
    places = {kind.id: place for place, kind in enumerate(matching.pathway_of(tx, plan).tasks)}
    standing = plan_parts.standing_parts(tx, plan)
    place_of = {part.id: places.get(part.task, len(places)) for part in standing}
    rows = sorted(me.lines_of(tx, standing), key=lambda row: place_of[row.id])
    if rows:
        yield Section("part.tasks.parts", matters=tuple(rows))


def _way_in(tx: Tx, person_id: str) -> SectionsView:
    shown = (*_running(tx, person_id), *_proposals(tx, person_id))
    return SectionsView(_TITLE, shown, () if shown else (Said("part.tasks.none"),))


def _running(tx: Tx, person_id: str) -> Iterator[Section]:
    """Plans that go on: one's own, and those of whom one accompanies now."""
    pathways = sorted(p.id for p in tx.catalogue.pathways.values() if p.handling is Handling.TASKS)
    plans: dict[str, Any] = {"pathway": pathways, "stage": _RUNNING, "parent_id": None}
    found = {plan.id: plan for plan in tx.find(Referral, author_id=person_id, **plans)}
    members = [enrolment.id for enrolment in enrolments.of_person(tx, person_id)]
    for plan in tx.find(Referral, enrolment_id=members, **plans):
        if plan.author_id and person_id in task_people.mentors(tx, plan):
            found[plan.id] = plan
    rows = me.lines_of(tx, list(found.values()))
    if rows:
        yield Section(
            "part.tasks.running", matters=tuple(replace(row, page=f"tasks/{row.id}") for row in rows)
        )


def _proposals(tx: Tx, person_id: str) -> Iterator[Section]:
    language = doors.person_by_id(tx, person_id).language
    how = Said("part.tasks.propose_how")
    for pathway in proposing.pathways(tx, person_id):
        what = Said("part.tasks.which", {"what": tx.catalogue.words(f"pathway.{pathway.id}", language)})
        yield Section("part.tasks.propose", (what, how), (_PROPOSE,), {"pathway": pathway.id})


def _propose(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    proposing.propose(tx, person_id, text_of(body, "pathway"), text_of(body, "code"))
    return replace(_way_in(tx, person_id), lines=(Said("part.tasks.proposed"),))


def _step(verb: Verb) -> Verb:
    def step(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
        verb.do(tx, person_id, subject, body)
        return tasks_view(tx, person_id, subject, {})

    return Verb(verb.action, step)


TASKS = Page(
    Verb(Action.TASK_DO, tasks_view),
    {
        **{name: _step(verb) for name, verb in tasks_part.STEPS.items()},
        "propose": Verb(Action.TASK_PLAN, _propose),
    },
)

"""Page 'tasks': a plan of several parts, for whoever does one of them; and staff propose one for somebody."""

from __future__ import annotations

from dataclasses import replace

from referrals.access import Action
from referrals.errors import NotFound
from referrals.model import Actor, Referral, Role
from referrals.ports import Tx
from referrals.service import doors, plan_days, proposing, task_people, task_plans
from referrals.service.pages import tasks_part
from referrals.service.pages.page import Body, Page, Verb, text_of
from referrals.views import Said, Section, SectionsView, Step

_TITLE = "page.tasks.title"
_PROPOSE = Step("propose", "page.step.propose", needs="code")


def tasks_view(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    """Page 'tasks': one plan; without a subject what staff of a body may propose."""
    if not subject:
        return _proposals(tx, person_id)
    actor, plan = _reader(tx, person_id, subject)
    shown = tuple(tasks_part.of_plan(tx, actor, plan))
    return SectionsView(_TITLE, shown, locked=tx.reading_locked and actor.role is not Role.COORDINATOR)


def _reader(tx: Tx, person_id: str, plan_id: str) -> tuple[Actor, Referral]:
    """Whoever planned it, the member's mentor, or the desk; NotFound for everybody else."""
    plan = doors.referral_by_id(tx, plan_id)
    if not task_plans.is_split(tx, plan):
        raise NotFound
    if plan.author_id == person_id or person_id in task_people.mentors(tx, plan):
        return plan_days.planner(tx, person_id, plan_id)
    return doors.desk_referral(tx, person_id, plan_id, Action.TASK_DO)


def _proposals(tx: Tx, person_id: str) -> SectionsView:
    language = doors.person_by_id(tx, person_id).language
    how = Said("part.tasks.propose_how")
    shown = tuple(
        Section(
            "part.tasks.propose",
            (Said("part.tasks.which", {"what": tx.catalogue.words(f"pathway.{p.id}", language)}), how),
            (_PROPOSE,),
            {"pathway": p.id},
        )
        for p in proposing.pathways(tx, person_id)
    )
    return SectionsView(_TITLE, shown, () if shown else (Said("part.tasks.none"),))


def _propose(tx: Tx, person_id: str, subject: str, body: Body) -> SectionsView:
    proposing.propose(tx, person_id, text_of(body, "pathway"), text_of(body, "code"))
    return replace(_proposals(tx, person_id), lines=(Said("part.tasks.proposed"),))


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

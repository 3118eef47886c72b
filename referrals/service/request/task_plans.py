"""A plan of several parts, as it is read and agreed to: one yes, and for each part who would be asked.

What is agreed to is written down part by part (`casework.Task`), and begins with `tasks.begin`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from referrals import routing, tasks
from referrals.casework import Task, TaskState
from referrals.catalogue import Handling, TaskKind
from referrals.model import Referral
from referrals.ports import Tx
from referrals.service.common import names
from referrals.service.matter import matching

_UNBEGUN = (TaskState.WAITING, TaskState.DROPPED)


def is_split(tx: Tx, referral: Referral) -> bool:
    """Whether a matter is a plan of several parts (and not one of its parts)."""
    return not referral.task and matching.pathway_of(tx, referral).handling is Handling.TASKS


def make(tx: Tx, wished: Referral, exclusions: routing.Exclusions) -> routing.Plan:
    """Whom each partner's part leads to, one part after the other; exclusions hold for all of them.

    Whoever could do one part is not asked for one that must not be done by the same.
    """
    kinds, standings = matching.pathway_of(tx, wished).tasks, matching.Standings(tx)
    asked: dict[str, tuple[routing.Line, ...]] = {}
    for kind in (kind for kind in kinds if kind.by == "partner"):
        rivals = {
            line.organization_id for other in tasks.rivals(kinds, kind.id) for line in asked.get(other, ())
        }
        part = replace(wished, id="", category=kind.category, task=kind.id, parent_id=wished.id)
        noes = {no.organization_id for no in matching.refusals(tx, part)}
        without = replace(exclusions, organizations=exclusions.organizations | rivals | noes)
        plan = routing.make_plan(matching.need_of(tx, part, without), tx.directory, standings, tx.now.date())
        asked[kind.id] = tuple(replace(line, task=kind.id) for line in plan.lines)
    return routing.Plan(tuple(line for lines in asked.values() for line in lines))


def words(tx: Tx, referral: Referral, plan: routing.Plan, language: str) -> str:
    """The parts in plain words, a line each: what is done, and by whom, partners in their order."""
    kinds = matching.pathway_of(tx, referral).tasks
    shown = (f"{n}. {_line(tx, kind, plan, language)}" for n, kind in enumerate(kinds, 1))
    return "\n".join(shown)


def prepare(tx: Tx, filed: Referral, plan: routing.Plan) -> None:
    """Write down what was agreed to, part by part; what has begun or is done stays as it is."""
    standing = {task.kind: task for task in tx.find(Task, referral_id=filed.id)}
    for kind in matching.pathway_of(tx, filed).tasks:
        services = tuple(line.service_id for line in plan.lines if line.task == kind.id)
        found = standing.get(kind.id)
        if found is None:
            tx.add(Task(tx.new_id(), filed.id, kind.id, kind.by, TaskState.WAITING, tx.now, plan=services))
        elif found.state in _UNBEGUN:
            tx.save(replace(found, plan=services))


def offered(tx: Tx, category_of: Referral) -> Iterator[str]:
    """Every need that the parts of a plan have; of a matter without parts its own."""
    if not is_split(tx, category_of):
        yield category_of.category
    yield from (t.category for t in matching.pathway_of(tx, category_of).tasks if t.category)


def _line(tx: Tx, kind: TaskKind, plan: routing.Plan, language: str) -> str:
    say = tx.catalogue.words
    asked = [
        names.named(tx.directory.organizations[line.organization_id].names, language)
        for line in plan.lines
        if line.task == kind.id
    ]
    who = say("consent.then", language).join(asked) if asked else say(f"consent.by.{kind.by}", language)
    return say("consent.part", language, task=say(f"task.{kind.id}", language), who=who)

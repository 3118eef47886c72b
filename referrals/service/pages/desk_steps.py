"""What a coordinator can do with a matter, by its stage; what would change nothing is not offered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from referrals import queues
from referrals.lifecycle import ENDED
from referrals.model import Actor, Referral, Stage
from referrals.ports import Tx
from referrals.service.desk import desk, plan_preview
from referrals.service.matter import matching, plan_parts, sharing
from referrals.service.pages import tasks_part
from referrals.service.request import task_plans
from referrals.views import Choice, Step

_STEPS: Mapping[Stage, tuple[str, ...]] = {
    Stage.UNMATCHED: ("rematch", "ask_person", "give_up"),
    Stage.DISPUTED: ("resume", "rematch", "give_up"),
    Stage.UNREACHABLE: ("give_up",),
}
_NEEDS = {"give_up": "reason", "void": "yes"}


def of(tx: Tx, actor: Actor, referral: Referral) -> tuple[Step, ...]:
    """The steps of the desk, what helps first; what was entered in error can be ended in every stage."""
    reasons = matching.pathway_of(tx, referral).unmet_reasons
    unmet = tuple(Choice(r, label_key=f"unmet.{r}") for r in reasons)
    steps = (
        Step(
            s,
            _label(referral, s),
            needs=_NEEDS.get(s, ""),
            danger=s == "void",
            choices=unmet if s == "give_up" else (),
        )
        for s in _named(tx, referral)
    )
    return tuple(tasks_part.which(tx, actor, referral, step) for step in steps)


def _named(tx: Tx, referral: Referral) -> tuple[str, ...]:
    if referral.stage in ENDED:
        return ()
    moved = ("rematch",) if desk.may_move(tx, referral) else ()
    in_vain = set(_in_vain(tx, referral))
    steps = (step for step in _STEPS.get(referral.stage, ()) if step not in in_vain)
    return (*moved, *steps, "void")


def _in_vain(tx: Tx, referral: Referral) -> Iterator[str]:
    """What would change nothing now."""
    if referral.stage is Stage.UNMATCHED and not plan_preview.anybody(tx, referral):
        yield "rematch"  # it would come back in five seconds
    if referral.stage is Stage.UNMATCHED and desk.asked_today(tx, referral):
        yield "ask_person"
    if task_plans.is_split(tx, referral) and not plan_parts.left_to_do(tx, referral):
        yield "ask_person"  # a new yes to a plan of which all is done asks nobody
    if referral.stage is Stage.DISPUTED and not sharing.readable(tx, referral):
        yield "resume"  # that partner may not work on


def _label(referral: Referral, step: str) -> str:
    """Where nobody was asked yet, the desk does not look 'again'."""
    first = step == "rematch" and queues.is_held(referral)
    return "page.step.ask_now" if first else f"page.step.{step}"

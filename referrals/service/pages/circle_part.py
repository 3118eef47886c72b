"""A circle on a matter's page and on its own: what one side says for itself, or whoever leads it does."""

from __future__ import annotations

from collections.abc import Iterator

from referrals import circles as rules
from referrals.access import Action
from referrals.casework import Circle, CircleSide, CircleState
from referrals.model import Actor, Referral, Role
from referrals.ports import Tx
from referrals.schedule import local
from referrals.service.common import doors
from referrals.service.joint import circles
from referrals.service.matter import circle_sides
from referrals.service.pages.page import Verb, chosen_of
from referrals.service.pages.part import Part
from referrals.views import Choice, Said, Section, Step

_STOP = Step("circle_stop", "page.step.circle_stop")
_BEGIN = Section(
    "part.circle.title", (Said("part.circle.not_begun"),), (Step("circle_begin", "page.step.circle_begin"),)
)


def sections(tx: Tx, actor: Actor, referral: Referral) -> Iterator[Section]:
    """One section for a side, or for the organisation that prepares it; the desk sees none of it."""
    if not circle_sides.is_circle(tx, referral) or actor.role is Role.COORDINATOR:
        return
    side = circle_sides.side_of(tx, referral)
    circle = tx.get(Circle, side.circle_id) if side is not None else None
    if actor.role is Role.WORKER:
        if side is None or circle is None:
            yield _BEGIN
        elif circle.organization_id == actor.organization_id:
            yield _lead_section(tx, side, circle)
    elif side is not None and circle is not None:
        yield _own_section(tx, actor, side, circle)


def _own_section(tx: Tx, actor: Actor, side: CircleSide, circle: Circle) -> Section:
    shown = rules.shown(circle, side, tx.now)
    lines = [Said(f"part.circle.own.{shown}")]
    if shown in ("waits", "preparing", "second", "said"):
        lines += [Said(f"part.circle.step.{step}") for step in side.steps]
    if shown != "over":
        lines.append(Said("part.circle.free"))
    return Section("part.circle.title", tuple(lines), tuple(_own_steps(tx, actor, side, shown)))


def _own_steps(tx: Tx, actor: Actor, side: CircleSide, shown: str) -> Iterator[Step]:
    if shown == "first":
        yield Step("circle_yes", "page.step.circle_yes", needs="yes")
    elif shown == "second" and _another_day(tx, actor, side):
        yield Step("circle_yes_again", "page.step.circle_yes_again", needs="yes")
    elif shown == "said":
        yield Step("circle_unsay", "page.step.circle_unsay")
    if shown != "over":
        yield _STOP


def _another_day(tx: Tx, actor: Actor, side: CircleSide) -> bool:
    zone = doors.person_by_id(tx, actor.person_id).timezone
    return (
        side.first_yes_at is not None and local(tx.now, zone).date() > local(side.first_yes_at, zone).date()
    )


def _lead_section(tx: Tx, side: CircleSide, circle: Circle) -> Section:
    other = next((each for each in circle_sides.of_circle(tx, circle.id) if each.id != side.id), None)
    lines = [Said(f"part.circle.lead.{circle.state}"), _progress("this", side)]
    lines += [_progress("other", other)] if other is not None else []
    return Section("part.circle.title", tuple(lines), tuple(_lead_steps(side, circle)))


def _progress(which: str, side: CircleSide) -> Said:
    """How far a side is: counts and yeses, which whoever prepares both sides needs to know."""
    yeses = sum(at is not None for at in (side.first_yes_at, side.second_yes_at))
    done = {"done": str(len(side.steps)), "of": str(len(rules.PREPARED)), "yeses": str(yeses)}
    return Said(f"part.circle.{which}_side", done)


def _lead_steps(side: CircleSide, circle: Circle) -> Iterator[Step]:
    state = circle.state
    left = [step for step in rules.PREPARED if step not in side.steps]
    if left and side.first_yes_at and state in (CircleState.ONE_SIDE, CircleState.PREPARING):
        choices = tuple(Choice(step, label_key=f"part.circle.step.{step}") for step in left)
        yield Step("circle_prepared", "page.step.circle_prepared", needs="several", choices=choices)
    if state is CircleState.READY:
        yield Step("circle_held", "page.step.circle_held", needs="yes")
    if state is CircleState.HELD:
        yield Step("circle_followed", "page.step.circle_followed")
    if not rules.over(circle):
        yield Step("circle_end", "page.step.circle_end")


STEPS = {
    "circle_begin": Verb(Action.CIRCLE_LEAD, lambda tx, who, it, body: circles.begin(tx, who, it)),
    "circle_prepared": Verb(
        Action.CIRCLE_LEAD, lambda tx, who, it, body: circles.prepare(tx, who, it, chosen_of(body))
    ),
    "circle_held": Verb(Action.CIRCLE_LEAD, lambda tx, who, it, body: circles.hold(tx, who, it)),
    "circle_followed": Verb(Action.CIRCLE_LEAD, lambda tx, who, it, body: circles.follow(tx, who, it)),
    "circle_end": Verb(Action.CIRCLE_LEAD, lambda tx, who, it, body: circles.end(tx, who, it)),
    "circle_yes": Verb(Action.CIRCLE_SAY, lambda tx, who, it, body: circles.say_first(tx, who, it)),
    "circle_yes_again": Verb(Action.CIRCLE_SAY, lambda tx, who, it, body: circles.say_second(tx, who, it)),
    "circle_unsay": Verb(Action.CIRCLE_SAY, lambda tx, who, it, body: circles.take_back(tx, who, it)),
    "circle_stop": Verb(Action.CIRCLE_SAY, lambda tx, who, it, body: circles.stop(tx, who, it)),
}
PART = Part(sections, STEPS)

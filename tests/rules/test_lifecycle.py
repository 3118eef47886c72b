"""Every stage x step of both tables, against domain.md's table written out again by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from referrals.errors import WrongStage
from referrals.lifecycle import (
    ENDED,
    LIVE_OFFERS,
    OFFER_STEPS,
    OPEN,
    REFERRAL_STEPS,
    STAGE_WAITS,
    STEP_BY,
    OfferStep,
    Step,
    draw,
    is_open,
    move,
    move_offer,
)
from referrals.model import AgeGroup, Offer, OfferStage, Referral, Stage, Urgency

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

# domain.md, 'A referral, and its offers', column 'Leaves to', plus withdrawal 'at any time' and void.
LEAVES_TO = {
    "draft": {"awaiting_consent", "matching", "expired"},
    "awaiting_consent": {"matching", "withdrawn", "expired"},
    "matching": {"offered", "unmatched", "in_service"},  # a plan of several parts: each goes its own way
    "offered": {"accepted", "waitlisted", "matching", "unmatched"},
    "waitlisted": {"accepted", "matching", "withdrawn"},
    "unmatched": {"matching", "closed"},
    "accepted": {"in_service", "unreachable", "matching", "accepted"},  # to itself: another partner took over
    "unreachable": {"in_service", "closed", "accepted", "matching"},  # decision 21
    "in_service": {"reported", "matching", "accepted"},
    "reported": {"closed", "disputed"},
    "disputed": {"in_service", "matching", "closed"},
    "closed": {"matching"},
    "withdrawn": set(),
    "expired": set(),
    "void": set(),
}

OFFER_LEAVES_TO = {
    "sent": {"seen", "lapsed", "recalled"},
    "seen": {"accepted", "declined", "waitlisted", "question", "lapsed", "recalled"},
    "question": {"seen", "accepted", "declined", "lapsed", "recalled"},
    "waitlisted": {"accepted", "declined", "lapsed", "recalled"},
    "accepted": {"recalled"},
    "declined": set(),
    "lapsed": set(),
    "recalled": set(),
}


def a_referral(stage: Stage) -> Referral:
    return Referral(
        id="r1",
        code="234-567",
        pathway="family-support",
        pathway_version=1,
        author_id="p1",
        category="family.visits",
        language="en",
        urgency=Urgency.NORMAL,
        area="a1",
        age_group=AgeGroup.ADULT,
        stage=stage,
        stage_since=NOW - timedelta(days=1),
        created_at=NOW - timedelta(days=1),
    )


def an_offer(stage: OfferStage) -> Offer:
    return Offer("o1", "r1", "s1", "org1", stage, NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=2))


@pytest.mark.parametrize(("stage", "step"), list(product(Stage, Step)))
def test_every_stage_takes_exactly_the_steps_of_the_table(stage: Stage, step: Step) -> None:
    target = REFERRAL_STEPS[stage].get(step)
    if target is None:
        with pytest.raises(WrongStage):
            move(a_referral(stage), step, NOW)
        return
    moved = move(a_referral(stage), step, NOW)
    assert (moved.stage, moved.stage_since) == (target, NOW)
    anywhere = {"withdrawn", "void"} if stage in OPEN else set()
    assert target.value in LEAVES_TO[stage.value] | anywhere


@pytest.mark.parametrize("stage", list(Stage))
def test_the_table_has_every_edge_of_the_domain(stage: Stage) -> None:
    reached = {target.value for target in REFERRAL_STEPS[stage].values()}
    assert LEAVES_TO[stage.value] <= reached


@pytest.mark.parametrize(("stage", "step"), list(product(OfferStage, OfferStep)))
def test_every_offer_stage_takes_exactly_the_steps_of_the_table(stage: OfferStage, step: OfferStep) -> None:
    target = OFFER_STEPS[stage].get(step)
    if target is None:
        with pytest.raises(WrongStage):
            move_offer(an_offer(stage), step)
        return
    assert move_offer(an_offer(stage), step).stage is target
    assert target.value in OFFER_LEAVES_TO[stage.value]


@pytest.mark.parametrize("stage", list(OfferStage))
def test_the_offer_table_has_every_edge_of_the_domain(stage: OfferStage) -> None:
    assert {t.value for t in OFFER_STEPS[stage].values()} == OFFER_LEAVES_TO[stage.value]


def test_open_and_ended_share_out_all_stages() -> None:
    assert set(OPEN) | set(ENDED) == set(Stage)
    assert not set(OPEN) & set(ENDED)
    assert all(is_open(a_referral(stage)) == (stage in OPEN) for stage in Stage)
    assert all(Step.WITHDRAW in REFERRAL_STEPS[stage] for stage in OPEN)


def test_every_live_offer_can_lapse_and_be_recalled() -> None:
    assert all({OfferStep.LAPSE, OfferStep.RECALL} <= set(OFFER_STEPS[stage]) for stage in LIVE_OFFERS)


def test_everybody_who_moves_a_referral_is_named() -> None:
    assert set(STEP_BY) == set(Step)


def test_which_open_stages_take_their_wait_from_elsewhere() -> None:
    from_the_pathway = {Stage.OFFERED, Stage.UNMATCHED, Stage.ACCEPTED}
    assert set(OPEN) - set(STAGE_WAITS) == from_the_pathway | {Stage.MATCHING, Stage.WAITLISTED}


def test_the_drawing_shows_every_edge() -> None:
    drawing = draw()
    edges = sum(len(steps) for steps in REFERRAL_STEPS.values()) + sum(len(s) for s in OFFER_STEPS.values())
    assert drawing.count(" --> ") - drawing.count("[*]") == edges

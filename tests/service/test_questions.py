"""One question before a partner decides: the clock stands still, and nothing is ever left open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from referrals.errors import (
    AlreadyHandled,
    BadAnswer,
    NoMoreQuestions,
    NotFound,
    OfferOver,
    TurnOver,
    WrongStage,
)
from referrals.model import Offer, OfferStage, Stage, Urgency
from referrals.service.matter import asked, tracking
from referrals.service.pages import PAGES
from referrals.service.turns import closing, offers, questions
from tests.support.network import Small

pytestmark = pytest.mark.on_both("test_a_question_is_answered_and_the_partner_says_yes")

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUESTION, CHOICE = "travel", "with_help"


class Turns(Small):
    """A family, Bua House's two workers, Two Rivers and the desk."""

    def people(self) -> Turns:
        self.family = self.person(1)
        self.worker, self.colleague = self.person(11, "bua-1"), self.person(12, "bua-2")
        self.next, self.desk = self.person(13, "two-rivers-1"), self.person(14, "desk-1")
        return self

    def asked(self, urgency: Urgency = Urgency.URGENT, alone: bool = False) -> str:
        """A request that Bua House has been asked about and has looked at; `alone`: nobody else could be."""
        others = frozenset({"two-rivers", "open-door"}) if alone else frozenset()
        self.matter = self.filed(self.family, urgency, without=others)
        self.passes(timedelta(minutes=6))
        self.store.run(offers.see, self.worker, self.offer.id)
        self.said()
        return self.matter

    @property
    def offer(self) -> Offer:
        found = self.live_offer(self.matter)
        assert found is not None, self.referral(self.matter).stage
        return found

    def offer_by(self, offer_id: str) -> Offer:
        found = self.store.run(lambda tx: tx.get(Offer, offer_id))
        assert found is not None
        return found

    def mark(self, row_id: str) -> str:
        """How the family's chat names an offer."""
        return self.store.run(asked.mark, row_id)

    def told(self, person_id: str) -> list[str]:
        """What one of them hears now."""
        return [text for who, text in self.said() if who == person_id]


@pytest.fixture
def net(database_url: str) -> Iterator[Turns]:
    with Turns.opened(database_url) as net:
        yield net.people()


def test_a_question_is_answered_and_the_partner_says_yes(net: Turns) -> None:
    net.asked()
    before = net.offer
    net.clock.advance(hours=1)
    net.store.run(questions.ask, net.worker, before.id, QUESTION)
    told = net.said()
    assert (net.family, "matter.asks") in told
    referral, coded = net.store.run(questions.open_question, net.family, net.matter, net.mark(before.id))
    assert (referral.id, coded.id) == (net.matter, QUESTION)
    net.passes(2 * HOUR)
    assert net.said() == []  # nobody is reminded while the clock stands
    net.store.run(questions.answer, net.family, net.matter, net.mark(before.id), CHOICE)
    after = net.offer
    assert (after.stage, after.answer) == (OfferStage.SEEN, CHOICE)
    assert after.decide_by == before.decide_by + HOUR  # the other hour was lunch
    assert {t.kind: t.due_at for t in net.timers() if t.subject == after.id}["offer_end"] == after.decide_by
    told = net.said()
    assert (net.worker, "worker.answered") in told
    assert (net.family, "matter.answered") in told
    assert net.store.run(tracking.next_by, net.referral(net.matter)) == after.decide_by
    view = net.store.run(PAGES["offer"].view, net.worker, after.id, {})
    assert not view.may_ask
    lines = [line.key for section in view.sections for line in section.lines]
    assert f"ask.{QUESTION}.{CHOICE}" in lines
    net.store.run(offers.accept, net.worker, after.id)
    assert net.referral(net.matter).stage is Stage.ACCEPTED


def test_pressed_twice_or_answered_twice_it_is_one(net: Turns) -> None:
    net.asked()
    offer = net.offer
    net.store.run(questions.ask, net.worker, offer.id, QUESTION)
    net.said()
    net.store.run(questions.ask, net.worker, offer.id, QUESTION)
    assert net.said() == []
    turn = net.mark(offer.id)
    net.store.run(questions.answer, net.family, net.matter, turn, CHOICE)
    decide_by = net.offer.decide_by
    net.said()
    net.store.run(questions.answer, net.family, net.matter, turn, CHOICE)
    assert net.said() == []
    assert net.offer.decide_by == decide_by
    with pytest.raises(TurnOver):
        net.store.run(questions.answer, net.family, net.matter, turn, "no")
    with pytest.raises(NoMoreQuestions):
        net.store.run(questions.ask, net.worker, offer.id, "when")


def test_without_an_answer_the_clock_goes_on_after_two_days_and_both_are_told(net: Turns) -> None:
    net.asked()
    before = net.offer
    net.store.run(questions.ask, net.worker, before.id, QUESTION)
    net.said()
    net.passes(2 * DAY - HOUR)
    assert not {net.worker, net.family} & {who for who, _ in net.said()}
    net.passes(HOUR)
    told = net.said()
    assert {(net.worker, "worker.no_answer"), (net.family, "matter.no_answer")} <= set(told)
    assert net.offer.stage is OfferStage.SEEN
    assert net.offer.decide_by > before.decide_by
    net.passes(4 * DAY)  # and then the next partner's turn comes, as always
    assert net.offer_by(before.id).stage is OfferStage.LAPSED
    assert net.referral(net.matter).hops > 1


def test_a_reminder_comes_once_before_or_after_the_question(net: Turns) -> None:
    net.asked()
    offer_id = net.offer.id
    half = next(t.due_at for t in net.timers() if t.kind == "offer_half" and t.subject == offer_id)
    net.passes(half - net.clock.now + timedelta(minutes=1))
    assert net.told(net.worker) == ["worker.half_time"]
    net.store.run(questions.ask, net.worker, offer_id, QUESTION)
    net.passes(HOUR)
    net.store.run(questions.answer, net.family, net.matter, net.mark(offer_id), CHOICE)
    kinds = {t.kind for t in net.timers() if t.subject == offer_id}
    assert kinds == {"offer_three_quarters", "offer_end"}


@pytest.mark.parametrize("how", ["withdrawn", "accepted", "declined"])
def test_when_the_turn_ends_the_question_ends_everywhere(net: Turns, how: str) -> None:
    net.asked()
    offer = net.offer
    net.store.run(questions.ask, net.worker, offer.id, QUESTION)
    net.said()
    if how == "withdrawn":
        net.store.run(closing.withdraw, net.family, net.matter)
    elif how == "accepted":
        net.store.run(offers.accept, net.colleague, offer.id)
    else:
        net.store.run(offers.decline, net.worker, offer.id, "full")
    assert "matter.asked_over" in net.told(net.family)
    assert not [t for t in net.timers() if t.kind == asked.QUESTION]
    stands = net.referral(net.matter)
    with pytest.raises((TurnOver, NotFound)):
        net.store.run(questions.answer, net.family, net.matter, net.mark(offer.id), CHOICE)
    assert net.referral(net.matter) == stands


def test_nobody_asks_in_an_emergency_or_what_the_pathway_does_not_know(net: Turns) -> None:
    net.asked()
    with pytest.raises(BadAnswer):
        net.store.run(questions.ask, net.worker, net.offer.id, "who are you?")
    assert not net.offer.question_used
    net.asked(Urgency.EMERGENCY)
    with pytest.raises(NoMoreQuestions):
        net.store.run(questions.ask, net.worker, net.offer.id, QUESTION)
    view = net.store.run(PAGES["offer"].view, net.worker, net.offer.id, {})
    assert not view.may_ask
    assert view.sections == ()


def test_only_who_asked_for_help_answers_and_only_with_its_choices(net: Turns) -> None:
    net.asked()
    offer = net.offer
    net.store.run(questions.ask, net.worker, offer.id, QUESTION)
    turn = net.mark(offer.id)
    for other in (net.worker, net.desk, net.person(77)):
        with pytest.raises(NotFound):
            net.store.run(questions.answer, other, net.matter, turn, CHOICE)
    with pytest.raises(BadAnswer):
        net.store.run(questions.answer, net.family, net.matter, turn, "nonsense")
    with pytest.raises(TurnOver):
        net.store.run(questions.answer, net.family, net.matter, "0123456789", CHOICE)
    with pytest.raises(NotFound):
        net.store.run(questions.ask, net.next, offer.id, "when")


def test_decisions_on_what_is_over_are_refused_kindly_and_change_nothing(net: Turns) -> None:
    net.asked()
    withdrawn, one = net.matter, net.offer.id
    net.store.run(closing.withdraw, net.family, withdrawn)
    net.asked()
    lapsed, two = net.matter, net.offer.id
    net.passes(5 * DAY)
    net.asked()
    taken, three = net.matter, net.offer.id
    net.store.run(offers.accept, net.worker, three)
    for matter, offer_id in ((withdrawn, one), (lapsed, two)):
        stands = (net.referral(matter), net.offer_by(offer_id))
        for verb, more in ((offers.accept, ()), (offers.decline, ("full",)), (questions.ask, (QUESTION,))):
            with pytest.raises(OfferOver):
                net.store.run(verb, net.worker, offer_id, *more)
        assert (net.referral(matter), net.offer_by(offer_id)) == stands
    with pytest.raises(AlreadyHandled) as late:
        net.store.run(offers.accept, net.colleague, three)
    assert late.value.code == "error.already_handled"  # somebody was faster, and that is good news
    with pytest.raises(WrongStage):
        net.store.run(questions.ask, net.colleague, three, QUESTION)
    assert net.referral(taken).accepted_by == net.worker

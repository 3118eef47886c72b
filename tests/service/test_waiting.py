"""A waiting list: only with the person's yes, looked at by both, and nobody is forgotten on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from referrals.errors import BadAnswer, CannotWait, NotFound, OfferOver, TurnOver
from referrals.model import OfferStage, Stage, Urgency
from referrals.service.matter import asked, matching
from referrals.service.pages import PAGES
from referrals.service.turns import closing, offers, waiting
from tests.service.test_questions import DAY, Turns


class Lists(Turns):
    """Bua House has a queue."""

    def proposed(self, days: int = 30, alone: bool = False) -> str:
        self.asked(alone=alone)
        self.first = self.offer.id
        self.day = self.clock.now.date() + timedelta(days=days)
        self.store.run(waiting.propose, self.worker, self.first, self.day)
        return self.first

    def says(self, yes: bool) -> None:
        self.store.run(waiting.answer, self.family, self.matter, self.mark(self.first), yes)

    def waits(self, days: int = 30, alone: bool = False) -> str:
        self.proposed(days, alone)
        self.says(True)
        self.said()
        return self.first


@pytest.fixture
def net(database_url: str) -> Iterator[Lists]:
    with Lists.opened(database_url) as found:
        found.people()
        yield found


@pytest.fixture
def one(sqlite_url: str) -> Iterator[Lists]:
    """The same on one database."""
    with Lists.opened(sqlite_url) as found:
        found.people()
        yield found


def test_a_yes_to_waiting_two_reviews_and_room_at_last(net: Lists) -> None:
    net.proposed(60)
    told = net.said()
    assert (net.family, "matter.will_you_wait") in told
    assert net.referral(net.matter).stage is Stage.OFFERED  # nobody waits who has not said so
    net.says(True)
    told = net.said()
    assert (net.worker, "worker.they_wait") in told
    assert (net.family, "matter.waiting") in told
    assert net.referral(net.matter).stage is Stage.WAITLISTED
    assert [o.id for o in net.store.run(waiting.listed, net.colleague)] == [net.first]
    for _ in range(2):
        net.passes(14 * DAY)
        told = net.said()
        assert {(net.worker, "worker.wait_review"), (net.family, "matter.wait_review")} <= set(told)
        net.store.run(waiting.still, net.worker, net.first)
        net.says(True)
        net.said()
    view = net.store.run(PAGES["offer"].view, net.worker, net.first, {})
    assert view.may_decide
    net.store.run(offers.accept, net.worker, net.first)
    assert net.referral(net.matter).stage is Stage.ACCEPTED
    assert "matter.accepted" in net.told(net.family)
    assert {t.kind for t in net.timers() if t.subject == net.first} == set()


def test_a_no_is_no_fault_and_the_next_partner_is_asked(net: Lists) -> None:
    net.proposed()
    net.says(False)
    ended = net.offer_by(net.first)
    assert (ended.stage, ended.reason) == (OfferStage.RECALLED, waiting.NOT_WAITING)
    referral = net.referral(net.matter)
    assert net.store.run(matching.refusals, referral) == []
    net.passes(timedelta(minutes=6))
    assert net.offer.organization_id != ended.organization_id
    with pytest.raises(TurnOver):
        net.says(True)


def test_no_answer_in_three_days_is_no(one: Lists) -> None:
    one.proposed()
    one.said()
    one.passes(3 * DAY - timedelta(minutes=1))
    assert one.offer.id == one.first
    one.passes(timedelta(minutes=1))
    assert "matter.wait_no_answer" in one.told(one.family)
    one.passes(timedelta(minutes=6))
    assert one.offer.id != one.first


def test_a_partner_that_does_not_look_at_its_list_loses_the_turn(one: Lists) -> None:
    one.waits()
    one.passes(14 * DAY)
    one.said()
    one.passes(7 * DAY)
    assert one.offer_by(one.first).stage is OfferStage.LAPSED
    assert "matter.wait_lapsed" in one.told(one.family)
    one.passes(timedelta(minutes=6))
    assert one.offer.id != one.first


def test_a_person_who_is_silent_at_a_review_keeps_the_place_and_whoever_says_no_does_not(one: Lists) -> None:
    one.waits()
    one.passes(14 * DAY)
    one.store.run(waiting.still, one.worker, one.first)
    one.passes(10 * DAY)
    assert one.referral(one.matter).stage is Stage.WAITLISTED
    one.said()
    one.says(False)
    assert "worker.not_waiting" in one.told(one.worker)  # they kept a place: they hear it
    assert one.referral(one.matter).stage is Stage.MATCHING


def test_another_day_is_said_to_the_person(one: Lists) -> None:
    one.waits()
    one.store.run(waiting.propose, one.worker, one.first, one.day + 7 * DAY)
    assert "matter.new_day" in one.told(one.family)
    assert one.referral(one.matter).stage is Stage.WAITLISTED
    one.store.run(waiting.propose, one.worker, one.first, one.day + 7 * DAY)
    assert one.said() == []


def test_the_named_day_is_a_review(one: Lists) -> None:
    one.waits(5)
    due = next(t.due_at for t in one.timers() if t.kind == asked.WAIT_REVIEW)
    assert due.date() == one.day


@pytest.mark.parametrize("waits", [False, True])
def test_withdrawn_while_waiting_nothing_stays_open(one: Lists, waits: bool) -> None:
    one.proposed()
    if waits:
        one.says(True)
    one.said()
    one.store.run(closing.withdraw, one.family, one.matter)
    assert one.offer_by(one.first).stage is OfferStage.RECALLED
    assert not [t for t in one.timers() if t.subject in (one.first, one.matter) and t.kind != "retention"]
    assert "worker.withdrawn" in one.told(one.worker)
    for verb in (offers.accept, waiting.still):
        with pytest.raises(OfferOver):
            one.store.run(verb, one.worker, one.first)


def test_a_yes_that_runs_out_on_the_list_goes_to_the_desk(one: Lists) -> None:
    one.waits(300)
    for _ in range(14):  # the partner and the person say yes for half a year
        if one.referral(one.matter).stage is not Stage.WAITLISTED:
            break
        one.passes(14 * DAY)
        if one.referral(one.matter).stage is Stage.WAITLISTED:
            one.store.run(waiting.still, one.worker, one.first)
    assert one.referral(one.matter).stage is Stage.UNMATCHED
    assert one.offer_by(one.first).stage is OfferStage.RECALLED


def test_who_needs_help_at_once_is_put_on_no_list_and_days_make_sense(one: Lists) -> None:
    one.asked(Urgency.EMERGENCY)
    with pytest.raises(CannotWait):
        one.store.run(waiting.propose, one.worker, one.offer.id, one.clock.now.date() + 9 * DAY)
    one.asked()
    for day in (date(2020, 1, 1), one.clock.now.date() + timedelta(days=1000)):
        with pytest.raises(BadAnswer):
            one.store.run(waiting.propose, one.worker, one.offer.id, day)
    for other in (one.family, one.desk, one.next):
        with pytest.raises(NotFound):
            one.store.run(waiting.propose, other, one.offer.id, one.clock.now.date() + 9 * DAY)

"""Nobody answers the partner's call: three tries, somebody who can help, and the desk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from referrals.casework import Attempt
from referrals.errors import BadAnswer, NotFound, TooLong, WrongStage
from referrals.model import Outcome, Stage, Urgency
from referrals.service.help import attempts, working
from referrals.service.pages import PAGES
from referrals.service.turns import closing, offers
from tests.service.test_by_word import Club
from tests.service.test_questions import DAY, HOUR, Turns


class Calls(Turns):
    """A matter that Bua House has taken."""

    def taken(self, urgency: Urgency = Urgency.URGENT) -> str:
        self.asked(urgency)
        self.turn = self.offer.id
        self.store.run(offers.accept, self.worker, self.turn)
        self.said()
        return self.turn

    def tries(self, how: str = "call", wait: timedelta = 5 * HOUR) -> None:
        self.passes(wait)
        self.store.run(attempts.tried, self.worker, self.turn, how)

    def stands(self) -> Stage:
        return self.referral(self.matter).stage


@pytest.fixture
def net(database_url: str) -> Iterator[Calls]:
    with Calls.opened(database_url) as found:
        found.people()
        yield found


@pytest.fixture
def club(sqlite_url: str) -> Iterator[Club]:
    with Club.opened(sqlite_url) as found:
        found.settle_in()
        yield found


def test_three_tries_a_new_way_and_they_are_reached(net: Calls) -> None:
    net.taken()
    net.tries()
    net.store.run(attempts.tried, net.worker, net.turn, "call")  # pressed twice is one try
    assert len(net.store.run(lambda tx: tx.find(Attempt, offer_id=net.turn))) == 1
    assert "matter.tried" in net.told(net.family)
    net.tries("message")
    assert not [text for _, text in net.said() if "unreachable" in text]
    net.said()
    net.tries("visit")
    assert net.stands() is Stage.UNREACHABLE
    told = net.said()
    assert {(net.family, "matter.unreachable"), (net.desk, "desk.unreachable")} <= set(told)
    assert not [t for t in net.timers() if t.kind == "first_contact"]
    net.store.run(attempts.new_way, net.family, net.matter, "at my aunt's, after six")
    assert "worker.new_way" in net.told(net.worker)
    seen = net.store.run(PAGES["matter"].view, net.worker, net.turn, {})
    assert seen.contact == "at my aunt's, after six"
    net.store.run(attempts.try_again, net.family, net.matter)
    assert "worker.try_again" in net.told(net.worker)
    net.store.run(attempts.try_again, net.family, net.matter)
    assert "worker.try_again" not in net.told(net.worker)  # nobody is nagged twice a day
    net.store.run(working.contacted, net.worker, net.turn)
    assert net.stands() is Stage.IN_SERVICE
    assert not [t for t in net.timers() if t.kind == attempts.TIMER]


def test_three_days_later_the_desk_hears_again_and_may_close_with_a_reason(net: Calls) -> None:
    net.taken()
    for _ in range(3):
        net.tries()
    net.said()
    net.passes(72 * HOUR)
    told = net.said()
    assert {(net.desk, "desk.unreachable"), (net.worker, "worker.still_unreachable")} <= set(told)
    net.store.run(closing.give_up, net.desk, net.matter, "no_contact")
    closed = net.referral(net.matter)
    assert (closed.stage, closed.outcome, closed.outcome_reason) == (
        Stage.CLOSED, Outcome.UNMET, "no_contact",
    )  # fmt: skip
    net.passes(30 * DAY)
    assert not {"desk.unreachable", "worker.still_unreachable"} & {text for _, text in net.said()}


def test_a_members_mentor_is_asked_before_the_desk(club: Club) -> None:
    matter = club.ticked()
    club.hears_yes(matter)
    club.passes(10 * timedelta(seconds=1))
    offer = club.at_partner(matter)
    club.store.run(offers.accept, club.worker, offer)
    for _ in range(3):
        club.passes(5 * HOUR)
        club.said()
        club.store.run(attempts.tried, club.worker, offer, "call")
    assert club.referral(matter).stage is Stage.UNREACHABLE
    told = club.said()
    assert (club.mentor, "matter.unreachable_member") in told
    assert club.desk not in {who for who, text in told if text == "desk.unreachable"}
    club.store.run(attempts.try_again, club.mentor, matter)
    assert (club.worker, "worker.try_again") in club.said()
    club.passes(72 * HOUR)
    assert (club.desk, "desk.unreachable") in club.said()


def test_who_may_log_what_and_when(net: Calls) -> None:
    net.taken()
    for other in (net.family, net.desk, net.next):
        with pytest.raises(NotFound):
            net.store.run(attempts.tried, other, net.turn, "call")
    with pytest.raises(BadAnswer):
        net.store.run(attempts.tried, net.worker, net.turn, "shouted")
    for other in (net.worker, net.desk, net.next):
        with pytest.raises(NotFound):
            net.store.run(attempts.new_way, other, net.matter, "here")
    for text, error in (("  ", BadAnswer), ("x" * 5000, TooLong)):
        with pytest.raises(error):
            net.store.run(attempts.new_way, net.family, net.matter, text)
    net.store.run(working.contacted, net.worker, net.turn)
    for verb, args in (
        (attempts.tried, (net.worker, net.turn, "call")),
        (attempts.try_again, (net.family, net.matter)),
    ):
        with pytest.raises(WrongStage):
            net.store.run(verb, *args)

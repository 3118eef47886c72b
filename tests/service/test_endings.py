"""Closing takes three: yes, partly and no, each with its reasons; and how it was, as nobody's word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers import router
from handlers.incoming import Did, Incoming
from referrals.casework import ClosingAnswer, UnmetNeed
from referrals.catalogue import Coded
from referrals.errors import BadAnswer, NotFound, WrongStage
from referrals.model import Outcome, Stage
from referrals.ports import Delivery
from referrals.service.desk import desk
from referrals.service.help import working
from referrals.service.pages import PAGES
from referrals.service.turns import after_help, closing, offers
from referrals.views import MatterView
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

DAY = timedelta(days=1)
ASKED = (Coded("in_time", ("yes", "partly", "no")), Coded("treated_well", ("yes", "partly", "no")))
FAMILY_SUPPORT = replace(CATALOGUE.pathways["family-support"], closing=ASKED)
OURS = replace(CATALOGUE, pathways={**CATALOGUE.pathways, "family-support": FAMILY_SUPPORT})


class End:
    """A family whom Bua House has helped, as it says."""

    def __init__(self, net: Small, outcome: str = "met") -> None:
        self.net = net
        self.family, self.worker = net.person(1), net.person(11, "bua-1")
        self.desk = net.person(14, "desk-1")
        net.person(13, "two-rivers-1")
        self.matter = net.filed(self.family)
        net.passes(timedelta(seconds=5))
        self.offer = net.at_partner(self.matter)
        net.store.run(offers.accept, self.worker, self.offer)
        net.store.run(working.contacted, self.worker, self.offer)
        net.store.run(
            working.report, self.worker, self.offer, outcome, "no_place" if outcome == "unmet" else ""
        )
        net.said()

    def page(self, who: str) -> MatterView:
        subject = self.offer if who == self.worker else self.matter
        view = self.net.store.run(PAGES["matter"].view, who, subject, {})
        assert isinstance(view, MatterView)
        return view

    def step(self, name: str, **body: object) -> None:
        self.net.store.run(PAGES["matter"].steps[name], self.family, self.matter, body)

    def presses(self, data: str) -> None:
        self.pressed = getattr(self, "pressed", 0) + 1
        did = Incoming(900 + self.pressed, 1, Did.PRESS, data=f"1:{data}", message_id=5)
        self.net.store.run(router.handle, did)

    def sees(self) -> Delivery:
        """The newest message in the family's chat."""
        return [d for d in self.net.deliveries() if d.person_id == self.family and d.text][-1]

    def sections(self, who: str) -> list[str]:
        return [section.title_key for section in self.page(who).sections]


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    yield from _network(sqlite_url)


@pytest.fixture
def either(database_url: str) -> Iterator[Small]:
    yield from _network(database_url)


def _network(url: str) -> Iterator[Small]:
    clock = SettableClock()
    store = open_store(url, clock, OURS)
    yield Small(store, clock)
    store.close()


def test_how_it_was_is_asked_one_tap_each_and_leads_to_nobody(either: Small) -> None:
    net, end = either, End(either)
    end.step("helped")
    assert [s for s in end.sections(end.family) if s.startswith("ask.")] == [
        "ask.in_time",
        "ask.treated_well",
    ]
    assert not [s for s in end.sections(end.worker) if s.startswith("ask.")]
    end.step("afterwards", question="in_time", reason="partly")
    end.step("afterwards", question="in_time", reason="no")  # a change of mind
    assert [s for s in end.sections(end.family) if s.startswith("ask.")] == ["ask.treated_well"]
    with pytest.raises(BadAnswer):
        end.step("afterwards", question="in_time", reason="a word of my own")
    assert net.store.run(lambda tx: tx.count(ClosingAnswer)) == 0, "written down when the month is over"
    net.passes(40 * DAY)
    (fact,) = net.store.run(lambda tx: tx.find(ClosingAnswer))
    assert (fact.organization_id, fact.question, fact.answer) == ("bua-house", "in_time", "no")
    assert fact.month == datetime(2026, 11, 1, tzinfo=UTC).date(), "a month, and no day"
    assert not {end.matter, end.family, end.offer} & {str(v) for v in (fact.id, fact.pathway, fact.category)}
    assert not [s for s in end.sections(end.family) if s.startswith("ask.")], "and not asked for ever"
    with pytest.raises(WrongStage):
        end.step("afterwards", question="treated_well", reason="yes")


def test_it_can_be_said_in_the_chat_and_skipped(net: Small) -> None:
    end = End(net)
    end.presses(f"matter.helped:{end.matter}:yes")
    end.presses(f"after:{end.matter}")
    asked = end.sees()
    assert asked.text == "matter.how_was_it"
    assert all(len(b.action.encode()) <= 64 for row in asked.buttons for b in row)
    end.presses(f"after:{end.matter}:in_time:-")
    assert end.sees().params["question"] == "@ask.treated_well"
    end.presses(f"after:{end.matter}:treated_well:yes")
    assert end.sees().text == "matter.how_was_it", "the skipped one is still open"
    end.presses(f"after:{end.matter}:in_time:-")
    assert end.sees().text == "matter.thanks"


def test_partly_closes_it_and_keeps_what_is_missing(net: Small) -> None:
    end = End(net)
    end.step("partly_helped")
    closed = net.referral(end.matter)
    assert (closed.stage, closed.outcome, closed.confirmed) == (Stage.CLOSED, Outcome.PARTLY_MET, True)
    net.passes(40 * DAY)
    (fact,) = net.store.run(lambda tx: tx.find(UnmetNeed))
    assert (fact.category, fact.reason) == ("family.visits", "partly_met")


def test_whoever_waits_for_nobody_and_takes_it_back_is_kept_as_an_unmet_need(net: Small) -> None:
    family = net.person(2)
    matter = net.filed(family, area="pattani-mueang")
    net.passes(timedelta(seconds=5))
    assert net.referral(matter).stage is Stage.UNMATCHED, "nobody is on duty"
    net.store.run(closing.withdraw, family, matter)
    net.passes(40 * DAY)
    (fact,) = net.store.run(lambda tx: tx.find(UnmetNeed))
    assert fact.reason == "nobody"


@pytest.mark.parametrize("then", ["resume", "rematch", "give_up"])
def test_a_dispute_is_heard_by_all_and_its_reason_by_the_desk_alone(net: Small, then: str) -> None:
    end = End(net)
    end.presses(f"matter.helped:{end.matter}:no")
    heard = net.said()
    assert (end.desk, "desk.disputed") in heard
    assert (end.worker, "worker.disputed") in heard
    end.presses(f"matter.why:{end.matter}:not_treated_well")
    assert net.referral(end.matter).why == "not_treated_well"
    assert "part.not_over.title" in end.sections(end.desk)
    assert "part.not_over.title" not in end.sections(end.worker)
    net.said()
    verb: Any = {"resume": desk.resume, "rematch": desk.rematch, "give_up": closing.give_up}[then]
    reason = ("no_place",) if then == "give_up" else ()
    net.store.run(verb, end.desk, end.matter, *reason)
    heard = net.said()
    words = {
        "resume": ("matter.in_service", "worker.resumed"),
        "rematch": ("matter.asked_again", "worker.withdrawn"),
        "give_up": ("matter.unmet", "worker.no_longer_open"),
    }[then]
    assert (end.family, words[0]) in heard
    assert (end.worker, words[1]) in heard
    with pytest.raises(WrongStage):
        net.store.run(after_help.why, end.family, end.matter, "other")


def test_a_closed_matter_is_opened_again_with_a_reason(net: Small) -> None:
    end = End(net)
    end.step("helped")
    end.step("afterwards", question="in_time", reason="yes")
    end.step("reopen", reason="came_back")
    again = net.referral(end.matter)
    assert (again.stage, again.why) == (Stage.MATCHING, "came_back")
    net.passes(40 * DAY)
    assert net.store.run(lambda tx: tx.count(ClosingAnswer)) == 0, "it was not over"


def test_a_matter_that_is_opened_again_does_not_ask_who_is_not_there_for_it(net: Small) -> None:
    """A no for want of time or room may be a yes by now; 'that is not what we do' stays one."""
    family, worker, other = net.person(3), net.person(11, "bua-1"), net.person(13, "two-rivers-1")
    for reason, first in (("not_our_service", "two-rivers"), ("full", "bua-house")):
        matter = net.filed(family)
        net.passes(timedelta(seconds=5))
        net.store.run(offers.decline, worker, net.at_partner(matter), reason)
        net.passes(timedelta(seconds=5))
        offer = net.at_partner(matter)
        net.store.run(offers.accept, other, offer)
        net.store.run(working.contacted, other, offer)
        net.store.run(working.report, other, offer, "met")
        net.store.run(closing.helped, family, matter, True)
        net.store.run(closing.reopen, family, matter, "came_back")
        net.passes(timedelta(seconds=5))
        live = net.live_offer(matter)
        assert live is not None
        assert live.organization_id == first


def test_nobody_but_the_person_says_any_of_it(net: Small) -> None:
    end = End(net)
    end.step("not_helped")
    for who in (end.worker, end.desk, net.person(99)):
        with pytest.raises(NotFound):
            net.store.run(after_help.why, who, end.matter, "other")
        with pytest.raises(NotFound):
            net.store.run(after_help.answer, who, end.matter, "in_time", "yes")


def test_every_pathways_questions_fit_on_their_buttons() -> None:
    for pathway in CATALOGUE.pathways.values():
        for question in pathway.closing:
            for choice in (*question.choices, "-"):
                assert len(f"1:after:{'x' * 16}:{question.id}:{choice}") <= 64


def test_void_counts_as_nobodys_need(net: Small) -> None:
    end = End(net, "unmet")
    net.store.run(closing.void, end.desk, end.matter)
    net.passes(40 * DAY)
    assert net.store.run(lambda tx: tx.count(UnmetNeed)) == 0


def test_whoever_could_not_help_is_not_said_to_be_done(net: Small) -> None:
    """The partner says so itself, and the person is asked about that; their no is no word against it."""
    end = End.__new__(End)
    end.net, end.family, end.worker = net, net.person(1), net.person(11, "bua-1")
    end.desk, end.matter = net.person(14, "desk-1"), net.filed(end.family)
    net.passes(timedelta(seconds=5))
    offer = net.at_partner(end.matter)
    net.store.run(offers.accept, end.worker, offer)
    net.store.run(working.contacted, end.worker, offer)
    net.store.run(working.report, end.worker, offer, "unmet", "no_place")
    heard = net.said()
    assert (end.family, "matter.could_not") in heard
    assert (end.family, "matter.did_help") not in heard
    end.presses(f"matter.helped:{end.matter}:no")
    heard = net.said()
    assert (end.desk, "desk.disputed") in heard, "the desk looks for another way"
    assert (end.worker, "worker.agrees") in heard
    assert (end.worker, "worker.disputed") not in heard

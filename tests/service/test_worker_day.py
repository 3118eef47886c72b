"""A worker's day: what lies there, what comes next, a colleague who takes over, quick replies, three taps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from referrals.casework import Appointment
from referrals.errors import BadAnswer, NotFound, WrongStage
from referrals.model import Outcome, Referral, Stage, Urgency
from referrals.ports import Delivery, Tx
from referrals.service import pages
from referrals.service.desk import worker_day, worker_hands
from referrals.service.help import how_ended, threads, working
from referrals.service.matter import tracking
from referrals.service.turns import offers
from referrals.workload import Heap
from tests.service.test_desk import Desk
from tests.support.chats import LONGEST_SCREEN, Chats, Phone, Shown
from tests.support.counted import asked_of
from tests.support.network import CATALOGUE


class Work(Desk):
    """Bua and Nok at the House."""

    def accepted(self, account: int, urgency: Urgency = Urgency.URGENT, helping: bool = False) -> str:
        """The offer by which Bua holds a matter."""
        referral_id = self.offered(account, urgency)
        offer_id = self.at_partner(referral_id)
        self.store.run(offers.accept, self.bua, offer_id)
        if helping:
            self.store.run(working.contacted, self.bua, offer_id)
        return offer_id

    def of(self, offer_id: str) -> Referral:
        found = [c.referral for c in self.store.run(worker_day.cases, self.bua) if c.offer.id == offer_id]
        return found[0]

    def heaps(self, who: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for case in self.store.run(worker_day.cases, who):
            found.setdefault(case.heap.value, []).append(case.offer.id)
        return found


@pytest.fixture
def net(database_url: str) -> Iterator[Work]:
    yield from _work(database_url)


@pytest.fixture
def small(sqlite_url: str) -> Iterator[Work]:
    yield from _work(sqlite_url)


def _work(url: str) -> Iterator[Work]:
    with Work.opened(url) as net:
        net.people()
        yield net


def test_a_long_list_of_one_s_own_costs_no_more_than_a_short_one(small: Work) -> None:
    small.accepted(1, helping=True)
    one = small.of(small.heaps(small.bua)[Heap.RUNNING][0])

    def asked() -> int:
        view = pages.PAGES["me"].view
        return small.store.run(lambda tx: asked_of(tx, lambda t: view(t, one.author_id, "", {})))

    small.offered(1)
    few = asked()
    small.store.run(_copies, one, 8)
    assert asked() == few
    found = small.store.run(lambda tx: tx.find(Referral, author_id=one.author_id))
    each = small.store.run(lambda tx: {r.id: tracking.next_by(tx, r) for r in found})
    assert len(found) == 10
    assert {line.id: line.next_by for line in small.page(one.author_id, "me", "").mine} == each


def test_a_day_at_the_house(net: Work) -> None:
    """One late, one new, one who wrote, one to meet today: each on its heap, with what comes next."""
    late = net.accepted(1)
    net.passes(timedelta(days=4))
    wrote = net.accepted(2, helping=True)
    author = net.of(wrote).author_id
    net.store.run(threads.write, author, net.of(wrote).id, "When do we leave?")
    meets = net.accepted(3, helping=True)
    at = net.clock.now + timedelta(minutes=5)
    row = Appointment("date-1", net.of(meets).id, meets, at, net.bua, net.clock.now)
    net.store.run(lambda tx: tx.add(row))
    new = net.at_partner(net.offered(4))
    found = net.heaps(net.bua)
    assert found == {Heap.OVERDUE: [late], Heap.WAITING: [wrote], Heap.TODAY: [meets], Heap.NEW: [new]}
    lines = {line.id: line for line in _lines(net.page(net.bua, "work", ""))}
    assert (lines[meets].next_key, lines[meets].next_by) == ("part.next.appointment", at)
    assert lines[new].page == f"offer/{new}"
    assert lines[wrote].next_key == "part.next.news"
    assert {line.who_key for line in lines.values() if line.id != new} == {"part.who.you"}
    assert [line.id for line in _lines(net.page(net.bua, "work", "waiting"))] == [wrote]
    assert [line.id for line in _lines(net.page(net.nok, "work", "mine"))] in ([], [new])

    net.does(net.bua, "hand", wrote, reason="bua-2")
    assert net.of(wrote).accepted_by == net.nok
    (handed,) = [one for one in net.deliveries() if one.text == "worker.handed_to_you"]
    assert (handed.person_id, _presses(handed)) == (net.nok, ["end"]), "three taps from here say how it ended"
    net.does(net.bua, "hand", late, reason="bua-2")
    (handed,) = [one for one in net.deliveries() if one.text == "worker.handed_to_you"]
    assert _presses(handed) == ["try"]
    net.does(net.bua, "hand", late, reason="bua-1")
    net.does(net.nok, "reply", wrote, reason="read")
    assert wrote not in net.heaps(net.nok).get(Heap.WAITING, [])


def _presses(told: Delivery) -> list[str]:
    return [b.action.split(":")[1] for row in told.buttons for b in row if b.action]


def test_other_houses_and_strangers_see_nothing_of_it(small: Work) -> None:
    offer = small.accepted(1)
    other = small.person(13, "two-rivers-1")
    assert small.heaps(other) == {}
    for step in ("hand", "reply"):
        with pytest.raises(NotFound):
            small.does(other, step, offer, reason="two-rivers-1")
    with pytest.raises(NotFound):  # nobody gives it to another organisation by this way
        small.does(small.bua, "hand", offer, reason="two-rivers-1")
    with pytest.raises(NotFound):
        small.page(small.bua, "work", "nothing")


def test_a_colleague_takes_over_and_both_are_told(small: Work) -> None:
    offer = small.accepted(1)
    small.said()
    small.does(small.nok, "hand_to_me", offer, reason="bua-2")
    assert small.of(offer).accepted_by == small.nok
    assert [text for who, text in small.said() if who == small.bua] == ["worker.handed_on"]
    small.does(small.nok, "hand_to_me", offer, reason="bua-2")  # twice is once
    assert not small.said()


def test_forty_cases_ask_the_database_as_often_as_two(small: Work) -> None:
    def asked(page: str) -> int:
        view = pages.PAGES[page].view
        return small.store.run(lambda tx: asked_of(tx, lambda t: view(t, small.bua, "", {})))

    for account in (1, 2):
        small.accepted(account, helping=True)
    few = {page: asked(page) for page in ("work", "me")}
    one = small.of(small.heaps(small.bua)[Heap.RUNNING][0])
    small.store.run(_copies, one, 40)
    assert len(small.store.run(worker_day.cases, small.bua)) == 42
    assert {page: asked(page) for page in ("work", "me")} == few


def test_ready_made_replies_are_in_the_persons_language(small: Work) -> None:
    offer = small.accepted(1, helping=True)
    matter = small.of(offer)
    small.store.run(lambda tx: tx.save(replace(_of(tx, matter.id), language="th")))
    small.does(small.bua, "reply", offer, reason="call")
    shown = small.page(matter.author_id, "matter", matter.id)
    assert [line.text for line in shown.thread] == [CATALOGUE.texts["th"]["reply.call"]]
    with pytest.raises(BadAnswer):
        small.does(small.bua, "reply", offer, reason="nonsense")
    assert len(small.store.run(worker_hands.replies)) >= 3


def test_off_duty_says_who_hears_of_ones_matters(small: Work) -> None:
    chats = Chats(small)
    bua = chats.phone(11)
    assert "off duty" in bua.says("/offduty")
    bua.says("/onduty")
    small.accepted(1)
    bua.says("/offduty")
    assert _sees(bua, "colleagues on duty: 1").weight <= LONGEST_SCREEN
    nok = chats.phone(12)
    assert "off duty" in nok.says("/offduty")
    bua.says("/onduty")
    bua.says("/offduty")
    assert _sees(bua, "still comes to you").weight <= LONGEST_SCREEN
    shown = small.page(small.bua, "work", "")
    assert [step.id for step in shown.sections[-1].steps] == ["duty_on"]


def test_three_taps_say_how_it_ended_and_a_minute_takes_it_back(small: Work) -> None:
    chats = Chats(small)
    bua = chats.phone(11)
    offer = small.accepted(1)
    small.passes(timedelta(days=4))  # nobody was in touch: the reminder has the first button
    chats.deliver()
    bua.presses("We are in touch")
    bua.presses("It has ended")
    bua.presses(CATALOGUE.texts["en"]["outcome.met"])
    assert "Take it back" in _sees(bua, "In a minute").buttons
    small.passes(timedelta(seconds=50))
    assert small.of(offer).stage is Stage.IN_SERVICE
    bua.presses("Take it back")
    small.passes(timedelta(minutes=3))
    assert small.of(offer).stage is Stage.IN_SERVICE
    bua.presses("It has ended")
    bua.presses(CATALOGUE.texts["en"]["outcome.unmet"])
    assert _sees(bua, "in the way").weight <= LONGEST_SCREEN
    bua.presses(CATALOGUE.texts["en"]["unmet.no_place"])
    small.passes(timedelta(seconds=61))
    ended = small.of(offer)
    assert (ended.stage, ended.outcome, ended.outcome_reason) == (Stage.REPORTED, Outcome.UNMET, "no_place")
    said = [text for who, text in small.said() if who == ended.author_id]
    assert said[-1] == "matter.could_not"


def test_what_was_said_in_the_chat_is_nobodys_after_a_return(small: Work) -> None:
    offer = small.accepted(1, helping=True)
    small.store.run(how_ended.report, small.bua, offer, "met")
    small.store.run(working.give_back, small.bua, offer)
    small.passes(timedelta(minutes=2))
    for verb in (how_ended.ask, how_ended.undo):
        with pytest.raises(NotFound):
            small.store.run(verb, small.bua, offer)


def test_what_is_no_end_is_refused(small: Work) -> None:
    offer = small.accepted(1)
    with pytest.raises(WrongStage):  # nobody has been in touch yet
        small.store.run(how_ended.report, small.bua, offer, "met")
    small.store.run(working.contacted, small.bua, offer)
    for outcome, reason in (
        ("", ""),
        ("great", ""),
        ("unmet", ""),
        ("unmet", "nonsense"),
        ("met", "no_place"),
    ):
        with pytest.raises(BadAnswer):
            small.store.run(how_ended.report, small.bua, offer, outcome, reason)
    small.store.run(how_ended.report, small.bua, offer, "met")
    small.store.run(how_ended.report, small.nok, offer, "partly_met")  # the later word counts
    small.passes(timedelta(minutes=2))
    assert small.of(offer).outcome is Outcome.PARTLY_MET


def test_a_matter_that_is_late_shows_what_is_owed(small: Work) -> None:
    small.accepted(1)
    small.passes(timedelta(days=4))
    line = _lines(small.page(small.bua, "work", "overdue"))[0]
    assert (line.next_key, line.urgency_key) == ("part.next.contact", "urgency.urgent")


def _lines(view: Any) -> list[Any]:
    return [line for section in view.sections for line in section.matters]


def _sees(phone: Phone, words: str) -> Shown:
    return next(shown for shown in phone.standing.values() if words in shown.text)


def _of(tx: Tx, referral_id: str) -> Referral:
    found = tx.get(Referral, referral_id)
    assert found is not None
    return found


def _copies(tx: Tx, one: Referral, count: int) -> None:
    """As many matters like this one."""
    offer = tx.get(type(offers.see(tx, one.accepted_by or "", one.offer_id or "")[0]), one.offer_id or "")
    assert offer is not None
    for n in range(count):
        made = replace(offer, id=f"copy-offer-{n:04}", referral_id=f"copy-{n:012}", version=1)
        tx.add(replace(one, id=made.referral_id, code=f"C{n:03}", offer_id=made.id, version=1))
        tx.add(made)
        tx.set_timer("heartbeat", made.referral_id, tx.now + timedelta(days=n))

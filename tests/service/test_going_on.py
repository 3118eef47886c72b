"""Help goes on past the day on which the yes ends: with a new yes, and never without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from referrals.errors import BadAnswer, NotFound, WrongStage
from referrals.model import Consent, DataClass, Stage
from referrals.service import awaited
from referrals.service.desk import desk
from referrals.service.help import threads, working
from referrals.service.lasting import going_on
from referrals.service.matter import matching
from referrals.service.pages import PAGES
from referrals.service.request.filing import PlanChanged
from referrals.service.turns import closing, offers
from referrals.views import MatterView, Section
from storage.store import Store
from tests.service.test_by_word import Club
from tests.service.test_transfers import TICKS
from tests.service.test_what_vanishes import happens, suspended
from tests.support.network import CATALOGUE, Small
from tests.support.parts import Parts
from tests.support.store import SettableClock, open_store

DAY = timedelta(days=1)
# A yes for twenty days instead of months: a year's timers would be lived through for nothing.
SHORT = {
    name: replace(CATALOGUE.pathways[name], consent_days=20)
    for name in ("family-support", "member-support", "release-plan")
}
OURS = replace(CATALOGUE, pathways={**CATALOGUE.pathways, **SHORT})
pytestmark = pytest.mark.on_both("test_two_weeks_before_its_end_the_person_is_asked_and_it_goes_on")


class Helped:
    """A family whom Bua House helps, some days before their yes ends (it was given for twenty)."""

    def __init__(self, net: Small, days_before: int = 13) -> None:
        self.net = net
        self.family, self.worker = net.person(1), net.person(11, "bua-1")
        self.other, self.desk = net.person(13, "two-rivers-1"), net.person(14, "desk-1")
        self.matter = net.filed(self.family, without=frozenset({"two-rivers"}))
        net.passes(timedelta(seconds=5))
        self.offer = net.at_partner(self.matter)
        net.store.run(offers.accept, self.worker, self.offer)
        net.store.run(working.contacted, self.worker, self.offer)
        net.said()
        self.passes_until(days_before)

    def passes_until(self, days_before: int) -> None:
        self.net.passes(self.given().until - self.net.clock.now - days_before * DAY)

    def given(self) -> Consent:
        found = self.net.store.run(lambda tx: tx.find(Consent, referral_id=self.matter))
        return max(found, key=lambda consent: consent.given_at)

    def told(self) -> list[str]:
        return [text for person, text in self.net.said() if person == self.family]

    def part(self, who: str = "") -> Section | None:
        who = who or self.family
        subject = self.offer if who == self.worker else self.matter
        view = self.net.store.run(PAGES["matter"].view, who, subject, {})
        assert isinstance(view, MatterView)
        return next((s for s in view.sections if s.title_key == "part.goes_on.title"), None)

    def says_yes(self, **changed: str) -> None:
        part = self.part()
        body = {**(part.body if part else {}), **changed}
        self.net.store.run(PAGES["matter"].steps["goes_on"], self.family, self.matter, body)

    def reads(self) -> bool:
        """Whether the partner holds the key of the story at this moment."""
        referral = self.net.referral(self.matter)
        return "org:bua-house" in self.net.store.run(lambda tx: tx.holders(referral.record, DataClass.STORY))


@contextmanager
def _opened(url: str) -> Iterator[tuple[Store, SettableClock]]:
    store = open_store(url, clock := SettableClock(), OURS)
    yield store, clock
    store.close()


@pytest.fixture
def helped(database_url: str) -> Iterator[Helped]:
    with _opened(database_url) as (store, clock):
        yield Helped(Small(store, clock))


@pytest.fixture
def fresh(sqlite_url: str) -> Iterator[Small]:
    with _opened(sqlite_url) as (store, clock):
        yield Small(store, clock)


def test_two_weeks_before_its_end_the_person_is_asked_and_it_goes_on(helped: Helped) -> None:
    assert helped.told().count("matter.goes_on_asked") == 1
    first = helped.given()
    part = helped.part()
    assert part is not None
    read = "\n".join(line.params["words"] for line in part.lines[1:])
    assert "Bua House" in read
    assert "Two Rivers" not in read, "whom the person left out"
    assert helped.part(helped.worker) is None
    helped.says_yes()
    given = helped.given()
    assert given.until > first.until + 6 * DAY
    assert [line for line in given.text.splitlines() if line] == read.splitlines()
    assert "matter.yes_again" in helped.told()
    wishes = helped.net.store.run(matching.exclusions_of, helped.net.referral(helped.matter))
    assert wishes.organizations == {"two-rivers"}, "private wishes go on to hold"
    assert helped.part() is None
    helped.net.passes(14 * DAY)
    assert helped.reads(), "the first yes would be over by now"
    assert not {"matter.consent_over", "matter.consent_over_again"} & set(helped.told())


def test_without_an_answer_it_ends_on_its_day_and_may_go_on_later(helped: Helped) -> None:
    helped.net.passes(14 * DAY)
    assert helped.told().count("matter.consent_over_again") == 1
    assert not helped.reads()
    part = helped.part()
    assert part is not None
    assert part.lines[0].key == "part.goes_on.over"
    helped.says_yes()
    assert helped.reads()
    said = helped.net.said()
    assert (helped.worker, "worker.goes_on") in said
    assert not helped.net.referral(helped.matter).escalated, "the desk need not move it"
    helped.net.store.run(threads.write, helped.worker, helped.offer, "we go on")


def test_help_that_begins_in_those_last_days_is_asked_about_too(fresh: Small) -> None:
    """Whoever waited long and has just found help would hear of it only when it stops."""
    net = fresh
    family, desk_id, worker = net.person(1), net.person(14, "desk-1"), net.person(11, "bua-1")
    matter = net.filed(family, without=frozenset({"two-rivers"}))
    net.passes(10 * DAY)
    assert net.referral(matter).stage is Stage.UNMATCHED
    net.store.run(desk.rematch, desk_id, matter)
    net.passes(timedelta(minutes=6))
    net.store.run(offers.accept, worker, net.at_partner(matter))
    net.said()
    net.passes(DAY)
    assert (family, "matter.goes_on_asked") in net.said()
    net.passes(2 * DAY)
    assert (family, "matter.goes_on_asked") not in net.said(), "asked once"


def test_pressed_twice_is_one_yes(helped: Helped) -> None:
    part = helped.part()
    assert part is not None
    helped.says_yes()
    given = helped.given()
    helped.says_yes(**part.body)
    assert helped.given() == given


def test_other_words_than_those_that_were_read_are_not_agreed_to(helped: Helped) -> None:
    with pytest.raises(PlanChanged):
        helped.says_yes(consent_digest="0" * 32)


def test_nobody_else_says_it(helped: Helped) -> None:
    part = helped.part()
    assert part is not None
    for who in (helped.worker, helped.other, helped.desk, helped.net.person(2)):
        for subject in (helped.matter, helped.offer):
            with pytest.raises(NotFound):
                helped.net.store.run(PAGES["matter"].steps["goes_on"], who, subject, dict(part.body))


def _ends(helped: Helped) -> None:
    helped.net.store.run(closing.withdraw, helped.family, helped.matter)


def _is_over(helped: Helped) -> None:
    helped.net.store.run(working.report, helped.worker, helped.offer, "met", "")
    helped.net.store.run(closing.helped, helped.family, helped.matter, True)


def _partner_stopped(helped: Helped) -> None:
    happens(helped, suspended("bua-house"))  # type: ignore[arg-type]


@pytest.mark.parametrize("end", [_ends, _is_over, _partner_stopped])
def test_what_is_over_is_not_asked_about(helped: Helped, end: Callable[[Helped], None]) -> None:
    part = helped.part()
    assert part is not None
    end(helped)
    assert helped.part() is None
    with pytest.raises(WrongStage):
        going_on_with(helped, part)


def going_on_with(helped: Helped, part: Section) -> None:
    helped.net.clock.advance(days=14)  # the first yes is over by then
    helped.net.store.run(going_on.agree, helped.family, helped.matter, part.body["consent_digest"])


def test_while_nobody_helps_nobody_is_asked(sqlite_url: str) -> None:
    with _opened(sqlite_url) as (store, clock):
        net = Small(store, clock)
        family = net.person(1)
        net.person(14, "desk-1")
        matter = net.filed(family)
        net.passes(timedelta(seconds=5))
        assert net.referral(matter).stage is Stage.UNMATCHED
        net.passes(21 * DAY)
        assert "matter.goes_on_asked" not in [text for who, text in net.said() if who == family]


def test_by_word_it_is_read_out_and_has_a_code_of_its_own(sqlite_url: str) -> None:
    with _opened(sqlite_url) as (store, clock):
        club = Club(store, clock)
        club.settle_in()
        matter = club.ticked()
        club.hears_yes(matter)
        club.passes(timedelta(minutes=6))
        live = club.live_offer(matter)
        assert live is not None
        club.store.run(offers.accept, club.worker, live.id)
        club.store.run(working.contacted, club.worker, live.id)
        given = club.store.run(lambda tx: tx.find(Consent, referral_id=matter))[0]
        club.passes(given.until - club.clock.now - 10 * DAY)
        assert (club.mentor, "matter.goes_on_asked") in club.said()
        view = club.store.run(PAGES["matter"].view, club.mentor, matter, {})
        part = next(s for s in view.sections if s.title_key == "part.goes_on.title")
        step = PAGES["matter"].steps["goes_on"]
        with pytest.raises(BadAnswer):
            club.store.run(step, club.mentor, matter, dict(part.body))
        club.clock.advance(minutes=1)
        after = club.store.run(step, club.mentor, matter, {**part.body, "chosen": list(TICKS)})
        assert after.sections[0].title_key == "part.transfer.code_title"
        newest = max(
            club.store.run(lambda tx: tx.find(Consent, referral_id=matter)), key=lambda c: c.given_at
        )
        assert (newest.witness_id, newest.language) == (club.mentor, given.language)
        assert newest.until > given.until


def test_of_a_plan_of_parts_it_is_said_once_that_the_yes_is_over(sqlite_url: str) -> None:
    """One yes was given; six parts would ring six times."""
    with _opened(sqlite_url) as (store, clock):
        net = Parts(store, clock)
        net.settle_in()
        plan = net.plan("release-plan")
        net.taken(plan, "papers", "roof")
        (given,) = net.store.run(lambda tx: tx.find(Consent, referral_id=plan))
        net.said()
        net.passes(given.until - net.clock.now + timedelta(minutes=1))
        heard = [text for who, text in net.said() if who == net.family]
        assert heard.count("matter.consent_over") == 1
        assert "matter.goes_on_asked" not in heard
        part = net.part(plan, "roof")
        whole = net.referral(plan)
        holders = net.store.run(lambda tx: tx.holders(whole.record, DataClass.STORY))
        assert part.escalated, "the desk has each of them"
        assert not any(holder.startswith("org:") for holder in holders)


def test_the_question_is_found_again_once_its_message_has_left_the_chat(helped: Helped) -> None:
    def found() -> list[str]:
        asks = helped.net.store.run(awaited.of_person, helped.family)
        return [ask.text for ask in asks]

    assert found() == ["matter.goes_on_asked"]
    helped.passes_until(-1)
    assert found() == ["matter.consent_over_again"]
    helped.says_yes()
    assert found() == []

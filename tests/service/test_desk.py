"""The desk at work: what waits, who has it, notes, an offer taken back, and looking again with open eyes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from referrals.casework import DeskNote
from referrals.directory import Organization
from referrals.errors import AlreadyHandled, BadAnswer, NotFound, NotSealedFor, PinNeeded, TooLong
from referrals.model import Actor, AgeGroup, DataClass, OfferStage, Referral, Role, Stage, Urgency
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.queues import Queue
from referrals.said import Priority
from referrals.service import pages
from referrals.service.common import tell
from referrals.service.desk import desk_queues, desk_work, plan_preview
from referrals.service.matter import desk_notes, reading
from referrals.service.people import handover, joining, people
from referrals.service.turns import closing, offers
from referrals.views import MatterView, SectionsView
from tests.support.chats import LONGEST_SCREEN, Chats
from tests.support.counted import asked_of
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

pytestmark = pytest.mark.on_both()  # its rows are those of the referral machine, which runs on both

SOON = timedelta(seconds=10)
FAR = frozenset({"bua-house"})  # the only ones near: without them the desk looks


class Desk(Small):
    """Dao and Somchai at the desk, Bua's people at a partner."""

    def people(self) -> Desk:
        self.dao, self.chai = self.person(21, "desk-1"), self.person(22, "desk-2")
        self.bua, self.nok = self.person(11, "bua-1"), self.person(12, "bua-2")
        return self

    def stuck(self, account: int, urgency: Urgency = Urgency.URGENT) -> str:
        """A matter for which nobody is left: the desk's."""
        found = self.filed(self.person(account), urgency, without=FAR)
        self.passes(timedelta(minutes=6) if urgency is Urgency.NORMAL else SOON)
        assert self.referral(found).stage is Stage.UNMATCHED
        return found

    def offered(self, account: int, urgency: Urgency = Urgency.URGENT) -> str:
        found = self.filed(self.person(account), urgency)
        self.passes(SOON)
        assert self.referral(found).stage is Stage.OFFERED
        return found

    def queues(self, who: str) -> dict[str, list[str]]:
        found = desk_queues.by_queue(self.store.run(desk_queues.waiting, who))
        return {queue.value: [w.referral.id for w in those] for queue, those in found.items()}

    def page(self, who: str, name: str, subject: str, locked: bool = False) -> Any:
        def shown(tx: Tx) -> Any:
            if locked:
                tx.lock_reading()
            return pages.PAGES[name].view(tx, who, subject, {})

        return self.store.run(shown)

    def does(self, who: str, step: str, subject: str, **body: object) -> Any:
        return self.store.run(pages.PAGES["matter"].steps[step], who, subject, body)


@pytest.fixture
def net(database_url: str) -> Iterator[Desk]:
    with Desk.opened(database_url) as net:
        yield net.people()


@pytest.fixture
def small(sqlite_url: str) -> Iterator[Desk]:
    with Desk.opened(sqlite_url) as net:
        yield net.people()


def test_a_night_at_the_desk(net: Desk) -> None:
    """Four things wait; the oldest urgent one stands first. One is taken, noted, given on, and moved."""
    calm, old = net.stuck(1, Urgency.NORMAL), net.stuck(2)
    net.passes(timedelta(minutes=5))
    younger, unseen = net.stuck(3), net.offered(4)
    net.passes(timedelta(hours=5))
    net.said()
    waiting = net.queues(net.dao)
    assert waiting[Queue.UNMATCHED] == [old, younger, calm]
    assert waiting[Queue.UNANSWERED] == [unseen]
    first = next(s for s in net.page(net.dao, "desk", "").sections if s.title_key == "part.desk.first")
    assert [row.id for row in first.matters] == [old]

    net.does(net.dao, "desk_take", old)
    with pytest.raises(AlreadyHandled):
        net.store.run(desk_work.take, net.chai, old)
    net.does(net.dao, "desk_note", old, text="Called the aunt: call again after six.")
    shown = net.does(net.dao, "desk_assign", old, reason="desk-2")
    assert net.referral(old).desk_id == net.chai
    assert (net.chai, "desk.assigned") in net.said()
    assert any(line.key == "part.desk.colleague" for s in shown.sections for line in s.lines)
    read = net.page(net.chai, "matter", old)
    noted = [line for s in read.sections for line in s.lines if line.key == "part.desk.note_theirs"]
    assert [line.params["text"] for line in noted] == ["Called the aunt: call again after six."]

    net.does(net.chai, "give_up", old, reason="no_place")
    assert net.referral(old).stage is Stage.CLOSED
    assert old not in net.queues(net.dao)[Queue.UNMATCHED]
    net.passes(timedelta(days=800))
    assert net.store.run(lambda tx: tx.count(DeskNote, referral_id=old)) == 0


def test_each_matter_stands_in_one_queue(small: Desk) -> None:
    disputed = small.offered(1)
    offer = small.at_partner(disputed)
    small.store.run(offers.accept, small.bua, offer)
    for step, body in (("contacted", {}), ("report", {"outcome": "met"})):
        small.store.run(pages.PAGES["matter"].steps[step], small.bua, offer, body)
    small.store.run(closing.helped, small.referral(disputed).author_id, disputed, False)
    young = small.offered(2)
    small.store.run(lambda tx: tx.save(replace(_of(tx, young), age_group=AgeGroup.CHILD)))
    late = small.offered(3)
    small.store.run(offers.accept, small.bua, small.at_partner(late))
    small.passes(timedelta(days=4))
    found = small.queues(small.dao)
    assert found[Queue.DISPUTED] == [disputed]
    assert found[Queue.OVERDUE] == [late]
    everywhere = [one for those in found.values() for one in those]
    assert sorted(everywhere) == sorted(set(everywhere))
    assert young in everywhere


def test_the_desk_sees_neither_its_own_matters_nor_what_it_may_not_open(small: Desk) -> None:
    stuck = small.stuck(1)
    assert stuck in small.queues(small.dao)[Queue.UNMATCHED]
    small.store.run(lambda tx: tx.save(replace(_of(tx, stuck), author_id=small.dao)))
    assert small.queues(small.dao) == {}
    assert stuck in small.queues(small.chai)[Queue.UNMATCHED]
    small.store.run(lambda tx: tx.save(replace(_of(tx, stuck), pathway="complaint")))
    assert small.queues(small.chai) == {}
    with pytest.raises(NotFound):
        small.queues(small.bua)


def test_a_full_desk_asks_the_database_as_often_as_an_almost_empty_one(small: Desk) -> None:
    def asked() -> int:
        return small.store.run(
            lambda tx: asked_of(tx, lambda t: pages.PAGES["desk"].view(t, small.dao, "", {}))
        )

    small.stuck(1)
    small.offered(2)
    small.passes(timedelta(hours=5))
    few = asked()
    for account in range(100, 112):
        small.stuck(account)
    small.passes(timedelta(hours=5))
    assert asked() <= few
    assert len(small.store.run(desk_queues.waiting, small.dao)) == 14


def test_alerts_go_to_whoever_has_it_while_on_duty(small: Desk) -> None:
    stuck = small.stuck(1)
    small.said()
    small.store.run(desk_work.take, small.chai, stuck)
    assert small.said() == [] or all(text == "desk.taken" for _, text in small.said())
    small.passes(timedelta(hours=25))  # it is late: first for whoever has it …
    assert {who for who, text in small.said() if text == "desk.still_unmatched"} == {small.chai}
    small.passes(timedelta(hours=25))  # … and from then on for everybody
    told = {who for who, text in small.said() if text == "desk.still_unmatched"}
    assert told == {small.dao, small.chai}

    def hears() -> set[str | None]:
        found = small.store.run(
            lambda tx: tell.desk_hears(tx, _of(tx, stuck), Priority.ALERT, everybody=False)
        )
        return {seat.person_id for seat in found}

    assert hears() == {small.chai}
    small.store.run(joining.set_duty, small.chai, False)
    assert small.chai not in hears()  # off duty: whoever is on call
    small.store.run(desk_work.take, small.dao, stuck)  # and anybody may take it over
    assert hears() == {small.dao}


def test_an_emergency_that_is_taken_still_wakes_whoever_is_on_call(small: Desk) -> None:
    stuck = small.stuck(1, Urgency.EMERGENCY)
    small.store.run(desk_work.take, small.chai, stuck)
    small.said()
    small.passes(timedelta(minutes=61))
    assert {who for who, text in small.said() if text == "desk.still_unmatched"} == {small.dao, small.chai}


def test_letting_go_and_what_cannot_be_given(small: Desk) -> None:
    stuck = small.stuck(1)
    small.store.run(desk_work.take, small.dao, stuck)
    small.store.run(desk_work.take, small.dao, stuck)  # twice is once
    small.store.run(lambda tx: tx.add(Seat("desk-3", Role.COORDINATOR, None, None)))
    small.person(23, "desk-3")
    with pytest.raises(AlreadyHandled):
        small.store.run(desk_work.assign, small.chai, stuck, "desk-3")
    for nobody in ("desk-9", "bua-1", ""):
        with pytest.raises(NotFound):
            small.store.run(desk_work.assign, small.dao, stuck, nobody)
    small.said()
    small.store.run(desk_work.let_go, small.dao, stuck)
    assert small.referral(stuck).desk_id is None
    assert small.dao not in {who for who, text in small.said() if text == "desk.let_go"}
    small.store.run(desk_work.let_go, small.dao, stuck)  # there is nothing to let go of
    small.store.run(desk_work.assign, small.dao, stuck, "desk-2")
    assert small.referral(stuck).desk_id == small.chai


def test_a_page_opens_the_newest_notes_and_the_older_ones_when_they_are_asked_for(small: Desk) -> None:
    stuck = small.stuck(1)
    for n in range(desk_notes.SHOWN + 2):
        small.store.run(desk_notes.note, small.dao, stuck, f"note {n}")
        small.passes(timedelta(minutes=1))
    shown = small.page(small.chai, "matter", stuck)
    assert _noted(shown, "part.desk.notes") == [f"note {n}" for n in range(desk_notes.SHOWN + 1, 1, -1)]
    again = small.does(small.chai, "desk_earlier", stuck)
    assert _noted(again, "part.desk.notes_earlier") == ["note 1", "note 0"]

    def locked(tx: Tx) -> None:
        tx.lock_reading()
        desk_notes.earlier(tx, small.chai, stuck)

    with pytest.raises(PinNeeded):
        small.store.run(locked)
    small.store.run(closing.withdraw, small.referral(stuck).author_id, stuck)
    assert _noted(small.does(small.dao, "desk_earlier", stuck), "part.desk.notes_earlier")


def _noted(shown: MatterView, title: str) -> list[str]:
    section = next(s for s in shown.sections if s.title_key == title)
    return [str(line.params["text"]) for line in section.lines]


def test_whoever_asked_for_it_is_given_nothing_of_it(small: Desk) -> None:
    stuck = small.stuck(1)
    small.store.run(lambda tx: tx.save(replace(_of(tx, stuck), author_id=small.chai)))
    with pytest.raises(NotFound):
        small.store.run(desk_work.assign, small.dao, stuck, "desk-2")
    with pytest.raises(NotFound):
        small.store.run(desk_work.take, small.chai, stuck)
    with pytest.raises(NotFound):
        small.store.run(desk_notes.note, small.chai, stuck, "hm")


def test_notes_are_the_desks_alone_and_open_with_the_pin(small: Desk) -> None:
    stuck = small.stuck(1)
    note = small.store.run(desk_notes.note, small.dao, stuck, "  a word  ")
    steward = small.person(31, "steward-1")
    for actor in (Actor(steward, Role.STEWARD), Actor(small.bua, Role.WORKER, "bua-house")):
        with pytest.raises(NotSealedFor):
            small.store.run(_opens, actor, note)
    locked = small.page(small.chai, "matter", stuck, locked=True)
    assert locked.locked
    assert "a word" not in str(locked)
    assert "a word" in str(small.page(small.chai, "matter", stuck))
    author = small.referral(stuck).author_id
    assert "part.desk" not in str(small.page(author, "matter", stuck))
    for text, error in (("", BadAnswer), ("x" * 2001, TooLong)):
        with pytest.raises(error):
            small.store.run(desk_notes.note, small.dao, stuck, text)

    def opened_locked(tx: Tx) -> None:
        tx.lock_reading()
        desk_notes.notes(tx, Actor(small.dao, Role.COORDINATOR), _of(tx, stuck))

    with pytest.raises(PinNeeded):
        small.store.run(opened_locked)
    assert reading.MOST[Role.COORDINATOR]  # and within the day's number (test_reading_caps)


def test_an_offer_is_taken_back_kindly_and_the_next_turn_comes(small: Desk) -> None:
    matter = small.offered(1)
    offer = small.live_offer(matter)
    assert offer is not None
    small.said()
    small.does(small.dao, "desk_recall", matter, yes=True)
    again = small.store.run(lambda tx: tx.get(type(offer), offer.id))
    assert again is not None
    assert again.stage is OfferStage.RECALLED
    assert "worker.recalled" in {text for _, text in small.said()}
    small.passes(SOON)
    after = small.live_offer(matter)
    assert after is None or after.organization_id != offer.organization_id
    with pytest.raises(AlreadyHandled):  # a partner that answers now is told kindly
        small.store.run(offers.accept, small.bua, offer.id)
    small.store.run(lambda tx: tx.save(replace(_of(tx, matter), offer_id=None)))
    with pytest.raises(AlreadyHandled):
        small.store.run(desk_work.recall, small.dao, matter)


def test_looking_again_shows_first_whom_it_would_ask_and_changes_nothing(small: Desk) -> None:
    matter = small.offered(1)
    small.store.run(offers.decline, small.bua, small.at_partner(matter), "full")
    small.passes(timedelta(days=3))
    assert small.referral(matter).stage is Stage.UNMATCHED
    before = small.referral(matter)
    found = small.store.run(lambda tx: plan_preview.preview(tx, _of(tx, matter)))
    assert small.referral(matter) == before
    reasons = {out.organization_id: out.reason_key for out in found.left_out}
    assert reasons["bua-house"] == plan_preview.SAID_NO
    assert "bua-house" not in [line.organization_id for line in found.asked]
    shown = small.page(small.dao, "matter", matter)
    plan = next(s for s in shown.sections if s.title_key == "part.desk.plan")
    assert any(line.key == "part.desk.plan_not" for line in plan.lines)
    assert not found.asked
    assert _first_step(shown) == "ask_person", "whoever looks again would ask nobody"
    assert "rematch" not in {step.id for step in shown.steps}
    small.does(small.dao, "rematch", matter)  # from a page that was opened before
    small.passes(SOON)
    assert small.live_offer(matter) is None


def test_the_person_is_asked_for_a_new_plan_once_a_day_whoever_of_the_desk_presses(small: Desk) -> None:
    matter = small.stuck(1)
    family = small.referral(matter).author_id
    small.said()
    for who in (small.dao, small.chai):
        small.does(who, "ask_person", matter)
    shown = small.does(small.dao, "ask_person", matter)
    assert [text for who, text in small.said() if who == family] == ["matter.choose_again"]
    assert "ask_person" not in {step.id for step in shown.steps}
    plan = next(s for s in shown.sections if s.title_key == "part.desk.plan")
    assert plan.lines[0].key == "part.desk.asked_person"
    small.passes(timedelta(days=1))
    assert _first_step(small.does(small.dao, "desk_take", matter)) == "ask_person"
    small.said()
    small.does(small.dao, "ask_person", matter)
    assert (family, "matter.choose_again") in small.said()


def test_where_somebody_can_be_asked_again_that_is_the_first_thing_to_do(small: Desk) -> None:
    matter = small.offered(1)
    small.store.run(lambda tx: tx.save(replace(_of(tx, matter), hops=3)))
    small.passes(timedelta(days=3))  # it lapses, and three partners are enough without the desk
    assert small.referral(matter).stage is Stage.UNMATCHED
    found = small.store.run(lambda tx: plan_preview.preview(tx, _of(tx, matter)))
    assert _first_step(small.page(small.dao, "matter", matter)) == "rematch"
    small.does(small.dao, "rematch", matter)
    small.passes(SOON)
    asked = small.live_offer(matter)
    assert asked is not None
    assert asked.service_id == found.asked[0].service_id


def test_a_private_wish_shows_as_nothing_but_that(small: Desk) -> None:
    stuck = small.stuck(1)
    found = small.store.run(lambda tx: plan_preview.preview(tx, _of(tx, stuck)))
    theirs = [out for out in found.left_out if out.organization_id == "bua-house"]
    assert {out.reason_key for out in theirs} == {"why_not.private_wish"}


def test_the_chat_shows_counts_and_a_button_for_each_queue(small: Desk) -> None:
    for account in (1, 2, 3):
        small.stuck(account)
    small.offered(4)
    small.passes(timedelta(hours=5))
    chats = Chats(small)
    dao = chats.phone(21)
    for language in ("en", "th"):
        small.store.run(_speaks, small.dao, language)
        dao.says("/desk")
        assert dao.newest.weight <= LONGEST_SCREEN
        assert any(label.endswith(": 3") for label in dao.newest.buttons)
        assert any(page.endswith("/p/desk/unanswered") for page in dao.newest.buttons.values())


def test_two_coordinators_take_at_once_and_one_has_it(postgres_url: str) -> None:
    clock = SettableClock()
    store = open_store(postgres_url, clock, CATALOGUE)
    try:
        net = Desk(store, clock).people()
        stuck = net.stuck(1)

        async def together() -> list[object]:
            turns = (store.turn(desk_work.take, who, stuck) for who in (net.dao, net.chai))
            return await asyncio.gather(*turns, return_exceptions=True)

        ends = asyncio.run(together())
        assert sorted(isinstance(end, AlreadyHandled) for end in ends) == [False, True]
        winner = next(end for end in ends if isinstance(end, Referral))
        assert net.referral(stuck).desk_id == winner.desk_id
    finally:
        store.close()


def test_a_page_of_the_desk_is_short(small: Desk) -> None:
    for account in range(100, 115):
        small.stuck(account)
    shown = small.page(small.dao, "desk", "")
    assert isinstance(shown, SectionsView)
    queue = next(s for s in shown.sections if s.title_key == "part.desk.unmatched")
    assert (len(queue.matters), queue.count, queue.ways[0].page) == (8, 15, "desk/unmatched")
    all_of_them = small.page(small.dao, "desk", "unmatched").sections[-1]
    assert len(all_of_them.matters) == 15
    with pytest.raises(NotFound):
        small.page(small.dao, "desk", "nothing")


def test_what_a_colleague_who_is_away_had_taken_up_is_looked_at_first_again(small: Desk) -> None:
    stuck, younger = small.stuck(1), small.stuck(2)
    small.store.run(desk_work.take, small.chai, stuck)

    def first() -> tuple[str, str]:
        shown = next(
            s for s in small.page(small.dao, "desk", "").sections if s.title_key == "part.desk.first"
        )
        return shown.matters[0].id, shown.matters[0].who_key

    assert first() == (younger, "")
    small.store.run(joining.set_duty, small.chai, False)
    assert first() == (stuck, ""), "nobody who is there has it"
    small.store.run(joining.set_duty, small.chai, True)
    assert first() == (younger, "")


def test_what_a_coordinator_had_taken_up_is_told_to_whoever_is_on_call_when_they_leave(small: Desk) -> None:
    stuck = small.stuck(1)
    small.store.run(desk_work.take, small.chai, stuck)
    small.said()
    small.store.run(_leaves, "desk-2")
    assert small.referral(stuck).desk_id is None
    assert (small.dao, "desk.let_go") in small.said()
    small.store.run(desk_work.departed, small.chai)  # once is once
    assert "desk.let_go" not in [text for _, text in small.said()]


def test_whoever_left_the_desk_has_nothing_any_more(small: Desk) -> None:
    stuck = small.stuck(1)
    small.store.run(desk_work.take, small.chai, stuck)
    seat = small.store.run(lambda tx: tx.get(Seat, "desk-2"))
    assert seat is not None
    small.store.run(lambda tx: tx.save(replace(seat, person_id=None)))
    small.store.run(desk_work.take, small.dao, stuck)
    assert small.referral(stuck).desk_id == small.dao
    assert small.store.run(desk_queues.waiting, small.dao)


def _leaves(tx: Tx, seat_id: str) -> None:
    seat = tx.get(Seat, seat_id)
    assert seat is not None
    tx.save(replace(seat, person_id=None))
    handover.departed(tx, seat, "join.post_ended")


def _first_step(shown: Any) -> str:
    return str(shown.steps[0].id)


def _of(tx: Tx, referral_id: str) -> Referral:
    found = tx.get(Referral, referral_id)
    assert found is not None
    return found


def _opens(tx: Tx, actor: Actor, note: DeskNote) -> object:
    return tx.open_sealed(actor, note.record, DataClass.STORY)


def _speaks(tx: Tx, person_id: str, language: str) -> None:
    people.choose_language(tx, person_id, language)


def test_the_page_says_who_is_on_call_and_what_nobody_covers(small: Desk) -> None:
    rota = small.page(small.dao, "desk", "").sections[-1]
    assert rota.title_key == "part.desk.rota"
    assert {line.key.removesuffix("_you") for line in rota.lines} >= {
        "part.desk.on_call",
        "part.desk.next_up",
    }
    small.store.run(joining.set_duty, small.dao, False)
    small.store.run(joining.set_duty, small.chai, False)
    keys = [line.key for line in small.page(small.dao, "desk", "").sections[-1].lines]
    assert keys[0] == "part.desk.nobody_on_call"


def test_a_family_asks_by_text_where_things_stand_and_until_when(small: Desk) -> None:
    first = small.offered(1)
    second = small.filed(small.referral(first).author_id)
    small.passes(SOON)
    mali = Chats(small).phone(1)
    said = ""
    for language in ("en", "th"):
        small.store.run(_speaks, small.referral(first).author_id, language)
        said = mali.says("status")
        for matter in (first, second):
            assert small.referral(matter).code in said
        assert ("next step by" if language == "en" else "ภายใน") in said
        assert mali.newest.weight <= LONGEST_SCREEN
    named = [names["en"] for names in (o.names for o in _organizations(small))]
    assert not [name for name in named if name in said]


def _organizations(small: Desk) -> list[Organization]:
    return small.store.run(lambda tx: list(tx.directory.organizations.values()))

"""Faults that a review has found, each as the sequence that showed it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers import router
from handlers.incoming import Did, Incoming
from referrals import routing
from referrals.directory import Agreement, Organization
from referrals.errors import AlreadyHandled, NoConsent, NotAllowed, NotFound, StaleLink, WrongStage
from referrals.members import CheckIn
from referrals.model import SYSTEM, AgeGroup, DataClass, Role, Stage, ThreadEntry, Urgency
from referrals.persons import Conversation, Presence, Scrap
from referrals.ports import Tx
from referrals.service import pages
from referrals.service.common import doors
from referrals.service.contact import checkins
from referrals.service.desk import desk
from referrals.service.help import threads, working
from referrals.service.people import conversations, joining, people
from referrals.service.request import drafts, filing, plans
from referrals.service.stewards import network
from referrals.service.turns import closing, offers
from tests.support.network import CATALOGUE, NETWORK, STEWARD, Small
from tests.support.store import SettableClock, open_store

DAYS = timedelta(days=1)
SECONDS = timedelta(seconds=1)


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    with Small.opened(sqlite_url) as net:
        yield net


# -- who reads ---------------------------------------------------------------------------------------


def test_a_class_that_the_agreement_has_dropped_is_read_no_more(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    referral_id = _accepted(net, family, worker)
    assert _page(net, "matter", worker, net.at_partner(referral_id)).story == "a story"
    net.store.run(_amend, Agreement, "bua-house-2026", classes=(DataClass.ROUTING, DataClass.CONTACT))
    seen = _page(net, "matter", worker, net.at_partner(referral_id))
    assert (seen.story, seen.contact) == (None, "a contact")
    assert not seen.can_write
    with pytest.raises(NoConsent):
        net.store.run(threads.write, worker, net.at_partner(referral_id), "may I?")


def test_a_body_whose_agreement_names_no_story_gets_no_thread(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "family-office-1")
    draft = net.draft(family, "family.income")
    wishes = plans.Wishes("pattani-mueang", Urgency.URGENT, routing.Exclusions(frozenset({"two-rivers"})))
    view = net.store.run(plans.plan_view, family, draft, wishes)
    net.store.run(filing.file_request, family, draft, filing.Filing(wishes, view.consent_digest, "s", "c"))
    _accept(net, draft, worker)
    assert not _page(net, "matter", family, draft).can_write
    with pytest.raises(NoConsent):
        net.store.run(threads.write, family, draft, "my whole story")


def test_a_partner_neither_sees_who_read_before_nor_the_place_after_the_yes_has_run_out(net: Small) -> None:
    family, first, second = net.person(1), net.person(11, "bua-1"), net.person(13, "two-rivers-1")
    referral_id = _accepted(net, family, first)
    _page(net, "matter", first, net.at_partner(referral_id))
    net.store.run(working.give_back, first, net.at_partner(referral_id))
    net.passes(6 * SECONDS)
    _accept(net, referral_id, second)
    seen = _page(net, "matter", second, net.at_partner(referral_id))
    assert (seen.readers, bool(seen.area)) == ((), True)
    assert len({line.organization for line in _page(net, "matter", family, referral_id).readers}) == 2
    net.clock.advance(days=181)
    assert _page(net, "matter", second, net.at_partner(referral_id)).area == ""


def test_what_was_taken_back_cannot_be_opened_any_more(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    referral_id = _accepted(net, family, worker)
    net.store.run(closing.withdraw, family, referral_id)
    with pytest.raises(NotFound):
        _page(net, "matter", worker, net.at_partner(referral_id))


def test_an_offer_that_is_over_tells_no_place(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    referral_id = net.filed(family)
    net.passes(6 * SECONDS)
    offer = net.live_offer(referral_id)
    assert offer is not None
    assert _page(net, "offer", worker, offer.id).area
    net.store.run(_amend, Organization, "bua-house", suspended=True)
    seen = _page(net, "offer", worker, offer.id)
    assert (seen.area, seen.may_decide) == ("", False)


# -- private wishes and a no -------------------------------------------------------------------------


def test_a_new_plan_keeps_private_wishes_and_asks_nobody_who_said_no(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    net.person(14, "desk-1")
    referral_id = net.filed(family, without=frozenset({"two-rivers"}))
    net.passes(6 * SECONDS)
    offer = net.live_offer(referral_id)
    assert offer is not None
    net.store.run(offers.decline, worker, offer.id, "full")
    net.passes(6 * SECONDS)
    assert net.referral(referral_id).stage is Stage.UNMATCHED
    view = _page(net, "plan", family, referral_id)
    assert [c.id for c in view.organizations if c.chosen] == ["two-rivers"]
    assert [line.service_id for line in view.plan] == ["open-door-visits"]


def test_after_a_dispute_the_next_partner_is_asked_and_the_earlier_one_knows(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    net.person(13, "two-rivers-1")
    coordinator = net.person(14, "desk-1")
    referral_id = _accepted(net, family, worker)
    accepted = net.referral(referral_id).offer_id or ""
    net.store.run(working.contacted, worker, net.at_partner(referral_id))
    net.store.run(working.report, worker, net.at_partner(referral_id), "met")
    net.store.run(closing.helped, family, referral_id, False)
    net.said()
    net.store.run(desk.rematch, coordinator, referral_id)
    assert (worker, "worker.withdrawn") in net.said()
    net.passes(6 * SECONDS)
    offer = net.live_offer(referral_id)
    assert offer is not None
    assert offer.organization_id == "two-rivers"
    with pytest.raises(AlreadyHandled):
        net.store.run(offers.accept, worker, accepted)


def test_a_reopened_matter_is_no_longer_the_earlier_partners(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    referral_id = _accepted(net, family, worker)
    accepted = net.referral(referral_id).offer_id or ""
    net.store.run(working.contacted, worker, net.at_partner(referral_id))
    net.store.run(working.report, worker, net.at_partner(referral_id), "met")
    net.store.run(closing.helped, family, referral_id, True)
    net.store.run(closing.reopen, family, referral_id)
    with pytest.raises(AlreadyHandled):
        net.store.run(offers.accept, worker, accepted)


# -- silence -----------------------------------------------------------------------------------------


def test_a_message_reaches_whoever_sits_there_now(net: Small) -> None:
    family, gone, colleague = net.person(1), net.person(11, "bua-1"), net.person(12, "bua-2")
    referral_id = _accepted(net, family, gone)
    successor = net.person(13)
    net.store.run(joining.invite, SYSTEM, "bua-1", "a-token-of-128-bits-xx")
    net.store.run(joining.ask, successor, "a-token-of-128-bits-xx")
    net.said()
    net.store.run(threads.write, family, referral_id, "hello?")
    told = net.said()
    assert {(colleague, "thread.waiting"), (successor, "thread.waiting")} <= set(told)
    assert gone not in dict(told)


def test_a_message_to_a_partner_where_nobody_is_left_goes_to_the_desk(net: Small) -> None:
    family, worker, coordinator = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    referral_id = _accepted(net, family, worker)
    net.store.run(people.hide, worker)
    net.said()
    net.store.run(threads.write, family, referral_id, "hello?")
    assert net.said() == [(coordinator, "desk.no_news")]


def test_whoever_wants_no_message_is_not_counted_as_asked(net: Small) -> None:
    family, silent = net.person(1), net.person(11, "bua-1")
    willing = net.person(13, "two-rivers-1")
    net.store.run(people.choose_window, silent, "only_answers")
    net.filed(family)
    net.passes(6 * SECONDS)
    assert (willing, "worker.new_offer") in net.said()


def test_the_desk_hears_even_when_the_one_on_call_wants_no_message(net: Small) -> None:
    family = net.person(1)
    first, second = net.person(14, "desk-1"), net.person(15, "desk-2")
    for on_call, other in ((first, second), (second, first)):
        net.store.run(people.choose_window, on_call, "only_answers")
        net.store.run(people.choose_window, other, "any_time")
        referral_id = net.filed(family)
        net.passes(6 * SECONDS)
        assert net.referral(referral_id).stage is Stage.UNMATCHED
        assert (other, "desk.unmatched") in net.said()


def test_an_emergency_of_a_child_is_told_as_an_emergency(net: Small) -> None:
    family, coordinator = net.person(1), net.person(14, "desk-1")
    net.store.run(people.choose_window, coordinator, "daytime")
    net.clock.advance(hours=12)  # 22:00
    draft = net.store.run(
        drafts.start_draft, doors.as_author(family), "family-support", "family.visits", AgeGroup.CHILD, "en"
    )
    wishes = plans.Wishes("pattani-mueang", Urgency.EMERGENCY, routing.Exclusions())
    view = net.store.run(plans.plan_view, family, draft.id, wishes)
    net.store.run(filing.file_request, family, draft.id, filing.Filing(wishes, view.consent_digest))
    assert (coordinator, "desk.emergency_filed") in net.said()


def test_the_desk_can_move_what_a_suspended_partner_holds(net: Small) -> None:
    family, worker, coordinator = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    other, third = net.person(13, "two-rivers-1"), net.person(16, "open-door-1")
    held, asked = _accepted(net, family, worker), net.filed(family, without=frozenset({"two-rivers"}))
    net.passes(6 * SECONDS)
    with pytest.raises(WrongStage):
        net.store.run(desk.rematch, coordinator, held)
    net.said()
    file = replace(
        NETWORK,
        organizations=tuple(
            replace(o, suspended=o.suspended or o.id == "bua-house") for o in NETWORK.organizations
        ),
    )
    changes = net.store.run(network.preview, file)
    net.store.run(network.apply, STEWARD, file, network.digest(changes))
    assert (coordinator, "desk.cut_off") in net.said()
    assert net.referral(held).escalated
    net.passes(12 * SECONDS)
    assert (third, "worker.new_offer") in net.said()  # the live offer did not wait for its end
    assert net.live_offer(asked) is not None
    assert "rematch" in {s.id for s in _page(net, "matter", coordinator, held).steps}
    net.store.run(desk.rematch, coordinator, held)
    assert (family, "matter.returned") in net.said()
    net.passes(6 * SECONDS)
    moved = net.live_offer(held)
    assert moved is not None
    assert moved.told == (other,)
    with pytest.raises(NotFound):
        _page(net, "matter", worker, net.at_partner(held))


def test_help_whose_yes_has_run_out_comes_to_the_desk(net: Small) -> None:
    family, worker, coordinator = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    referral_id = _accepted(net, family, worker)
    net.store.run(working.contacted, worker, net.at_partner(referral_id))
    for _ in range(5):
        net.passes(30 * DAYS)
        net.store.run(threads.write, worker, net.at_partner(referral_id), "it goes on")
    assert "desk.no_news" not in {key for _, key in net.said()}  # a word on the page is news
    net.passes(31 * DAYS)
    assert (coordinator, "desk.cut_off") in net.said()


def test_the_partner_hears_that_somebody_cannot_be_reached(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    _accepted(net, family, worker)
    net.said()
    net.store.run(people.blocked, family)
    assert (worker, "desk.not_reachable_here") in net.said()


def test_a_check_in_that_was_missed_once_is_not_the_last(net: Small) -> None:
    mentor = net.person(21, "mentor-1")
    reminded: Counter[str | None] = Counter()
    for _ in range(40):
        net.passes(DAYS)
        told = {key for who, key in net.said() if who == mentor}
        if told & {"mentor.check_in_due", "mentor.several_due"}:
            new = net.store.run(lambda tx: tx.find(CheckIn, step=1))
            reminded.update(c.enrolment_id for c in new if c.due_at > net.clock.now - DAYS)
    assert len(reminded) == 4
    assert min(reminded.values()) > 0
    assert max(reminded.values()) > 1, "once missed, and never asked again"


# -- told twice, too loud, or wrongly ----------------------------------------------------------------


def test_undoing_what_was_no_crisis_alarms_nobody(net: Small) -> None:
    mentor, coordinator = net.person(21, "mentor-1"), net.person(14, "desk-1")
    check_in = _due(net, mentor)
    net.store.run(checkins.save, mentor, check_in, {"means": "call", "state": "well"})
    net.said()
    net.store.run(checkins.undo, mentor, check_in)
    assert coordinator not in dict(net.said())


def test_whoever_asked_not_to_be_written_to_is_not_woken_by_their_own_emergency(net: Small) -> None:
    silent, family, coordinator = net.person(1), net.person(2), net.person(14, "desk-1")
    net.store.run(people.choose_window, silent, "only_answers")
    net.filed(silent, Urgency.EMERGENCY)
    net.filed(family, Urgency.EMERGENCY)
    net.said()
    told: list[tuple[str, str]] = []
    for _ in range(12):
        net.passes(timedelta(minutes=15))
        told += net.said()
    assert silent not in dict(told)
    assert told.count((family, "matter.nobody_yet_call")) == 1
    assert told.count((coordinator, "desk.still_unmatched")) > 4


def test_half_time_and_no_acknowledgement_are_not_told_at_once(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    net.filed(family, Urgency.NORMAL)
    told: list[tuple[str, str]] = []
    for _ in range(4 * 26):
        net.passes(timedelta(minutes=15))
        told += net.said()
    mine = [key for who, key in told if who == worker]
    assert mine == ["worker.new_offer", "worker.still_waiting"]


# -- the chat ----------------------------------------------------------------------------------------


def test_hide_takes_its_own_word_out_of_the_chat_and_nothing_is_answered(net: Small) -> None:
    chat = _Chat(net, 77)
    chat.says("/start")
    chat.says("/hide", message_id=501)
    assert ("", 501) in chat.queued()
    for words in ("/help", "/desk", "hello?", "start"):
        chat.says(words, message_id=600)
        assert {text for text, _ in chat.queued()} == {""}
    chat.says("/start")
    assert chat.queued()[-1][0]


def test_words_after_a_command_do_not_stay_in_the_chat(net: Small) -> None:
    chat = _Chat(net, 77)
    for words in ("/note my brother", "/help my brother"):
        chat.says(words, message_id=502)
        assert ("", 502) in chat.queued()


def test_whoever_writes_is_not_blocked_any_more(net: Small) -> None:
    chat = _Chat(net, 77)
    chat.says("/start")
    person = net.store.run(people.meet, 77)
    net.store.run(people.blocked, person.id)
    chat.says("hello?")
    assert net.store.run(people.meet, 77).presence is Presence.PRESENT


def test_a_poster_opened_again_goes_on_and_no_to_an_invitation_ends_nothing(net: Small) -> None:
    chat = _Chat(net, 77)
    chat.says("/start welcome")
    person = net.store.run(people.meet, 77)
    net.store.run(conversations.reply, person, "language", "en")
    before = _talk(net)
    chat.says("/start welcome")
    assert _talk(net) == before
    net.store.run(joining.invite, SYSTEM, "bua-1", "a-token-of-128-bits-xx")
    chat.says("/start i-a-token-of-128-bits-xx")
    chat.presses("1:seat.not_now")
    assert _talk(net) == before


def test_duty_is_for_those_who_have_a_post(net: Small) -> None:
    chat = _Chat(net, 77)
    chat.says("/start")
    with pytest.raises(NotAllowed):
        chat.says("/offduty")


def test_kept_words_never_guess_between_two_partners(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    _accepted(net, family, worker)
    net.draft(family)  # a form that somebody began does not take what belongs to the matter
    scrap = net.store.run(people.keep_scrap_moment, family, "y" * 4096)
    assert net.store.run(people.keep_scrap, family, scrap.id) is people.Kept.KEPT
    assert net.store.run(lambda tx: tx.count(ThreadEntry)) == 2  # all 4,096 letters, in two messages
    _accepted(net, family, worker)
    scrap = net.store.run(people.keep_scrap_moment, family, "for which of the two?")
    assert net.store.run(people.keep_scrap, family, scrap.id) is people.Kept.WHICH
    assert net.store.run(lambda tx: tx.count(ThreadEntry)) == 2
    assert net.store.run(lambda tx: tx.count(Scrap)) == 1  # its own quarter of an hour goes on


def test_joining_twice_is_joining_once_and_only_for_whoever_joined(net: Small) -> None:
    worker, thief = net.person(11), net.person(12)
    net.store.run(joining.invite, SYSTEM, "bua-1", "a-token-of-128-bits-xx")
    first = net.store.run(joining.ask, worker, "a-token-of-128-bits-xx")
    assert net.store.run(joining.ask, worker, "a-token-of-128-bits-xx") == first
    with pytest.raises(StaleLink):
        net.store.run(joining.ask, thief, "a-token-of-128-bits-xx")


def test_a_forged_button_opens_no_form_that_is_not_this_persons(sqlite_url: str) -> None:
    pathway = replace(CATALOGUE.pathways["family-support"], may_file=(Role.MENTOR,))
    catalogue = replace(CATALOGUE, pathways={pathway.id: pathway})
    store = open_store(sqlite_url, SettableClock(), catalogue)
    try:
        person = store.run(people.meet, 77)
        with pytest.raises(StaleLink):
            store.run(conversations.begin, person, pathway.id)
    finally:
        store.close()


# -- helpers -----------------------------------------------------------------------------------------


class _Chat:
    """One person's chat, without Telegram."""

    def __init__(self, net: Small, account: int) -> None:
        self.net, self.account, self.update, self.seen = net, account, 0, 0

    def says(self, words: str, message_id: int = 400) -> None:
        name, _, argument = words.removeprefix("/").partition(" ")
        what: dict[str, Any] = {"did": Did.TEXT, "text": words}
        if words.startswith("/"):
            what = {"did": Did.COMMAND, "text": name, "argument": argument}
        self._does(Incoming(self._next(), self.account, message_id=message_id, **what))

    def presses(self, data: str) -> None:
        self._does(Incoming(self._next(), self.account, Did.PRESS, data=data, message_id=7))

    def queued(self) -> list[tuple[str, int | None]]:
        """(text, message id) of what was queued since the last look."""
        return self.net.store.run(self._queued)

    def _next(self) -> int:
        self.update += 1
        return self.account * 1000 + self.update

    def _does(self, incoming: Incoming) -> None:
        self.queued()
        self.net.store.run(router.handle, incoming)

    def _queued(self, tx: Tx) -> list[tuple[str, int | None]]:
        from storage.sql import Sql

        rows = tx.connection.rows(  # type: ignore[attr-defined]
            Sql("SELECT id, text, message_id FROM outbox WHERE id > :seen ORDER BY id"), {"seen": self.seen}
        )
        self.seen = max([self.seen, *(row[0] for row in rows)])
        return [(row[1], row[2]) for row in rows]


def _amend(tx: Tx, /, kind: type[Any], row_id: str, **changes: Any) -> None:
    row: Any = tx.get(kind, row_id)
    tx.save(replace(row, **changes))


def _page(net: Small, name: str, who: str, subject: str) -> Any:
    return net.store.run(pages.PAGES[name].view, who, subject, {})


def test_a_message_whose_answer_was_lost_is_not_written_twice(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    matter_id = _accepted(net, family, worker)
    for _ in range(2):
        net.store.run(threads.write_once, family, matter_id, "see you at seven", "mark-1")
    net.store.run(threads.write_once, family, matter_id, "see you at seven", "mark-2")
    assert net.store.run(lambda tx: tx.count(ThreadEntry)) == 2
    with pytest.raises(NotFound):  # a known mark tells a stranger nothing
        net.store.run(threads.write_once, net.person(99), matter_id, "x", "mark-1")
    net.store.run(closing.withdraw, family, matter_id)
    with pytest.raises(WrongStage):
        net.store.run(threads.write_once, family, matter_id, "more", "mark-3")


def _accepted(net: Small, family: str, worker: str) -> str:
    referral_id = net.filed(family)
    net.passes(6 * SECONDS)
    _accept(net, referral_id, worker)
    return referral_id


def _accept(net: Small, referral_id: str, worker: str) -> None:
    net.passes(6 * SECONDS)
    offer = net.live_offer(referral_id)
    assert offer is not None
    net.store.run(offers.accept, worker, offer.id)


def _talk(net: Small) -> list[Any]:
    return net.store.run(lambda tx: [(c.id, c.step) for c in tx.find(Conversation)])


def _due(net: Small, mentor: str) -> str:
    for _ in range(8):
        net.passes(DAYS)
        for check_in in net.store.run(lambda tx: tx.find(CheckIn, asked_of=mentor)):
            if check_in.saved_at is None:
                return check_in.id
    raise AssertionError("no check-in in eight days")

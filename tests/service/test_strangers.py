"""People whom nobody knows: how often is too often, what never waits, and the desk that looks first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from referrals import limits as table
from referrals.errors import NotAllowed, NotFound, TooOften, WrongStage
from referrals.limits import LIMITS, Doing
from referrals.model import Stage, Urgency
from referrals.persons import Switch, Tally
from referrals.service import pages
from referrals.service.desk import desk, desk_queues
from referrals.service.help import working
from referrals.service.request import desk_first
from referrals.service.turns import closing, offers
from storage.sql import Sql
from tests.support.chat import Chat
from tests.support.network import Small

MOST = LIMITS[Doing.FILING].most
SECONDS = timedelta(seconds=1)


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    with Small.opened(database_url) as net:
        yield net


# -- limits --------------------------------------------------------------------------------------------


def test_a_stranger_files_so_often_a_day_and_an_emergency_always(net: Small) -> None:
    family = net.person(1)
    for _ in range(MOST):
        net.filed(family)
    with pytest.raises(TooOften) as refused:
        net.filed(family)
    assert 1 <= int(str(refused.value.params["minutes"])) <= 24 * 60
    for _ in range(3):
        net.filed(family, Urgency.EMERGENCY)
    net.filed(net.person(2))  # somebody else is not concerned
    net.clock.advance(days=1)
    net.filed(family)


def test_the_page_shows_where_to_call_even_to_whoever_may_not_file(net: Small) -> None:
    family = net.person(1)
    for _ in range(MOST):
        net.filed(family)
    view = net.store.run(pages.PAGES["plan"].view, family, net.draft(family), {})
    assert view.emergency_lines


def test_who_opens_form_after_form_can_still_file_an_emergency(net: Small) -> None:
    family = net.person(1)
    for _ in range(LIMITS[Doing.DRAFT].most):
        net.draft(family)
    with pytest.raises(TooOften):
        net.filed(family)
    net.filed(family, Urgency.EMERGENCY)
    net.clock.advance(hours=1)
    net.filed(family)


def test_posts_are_not_counted(net: Small) -> None:
    mentor = net.person(1, "mentor-1")
    for _ in range(MOST + 1):
        net.filed(mentor)
    assert net.store.run(lambda tx: [t for t in tx.find(Tally) if mentor in t.id]) == []


def test_words_sent_again_and_again_are_taken_out_all_the_same(net: Small) -> None:
    someone = Chat(net, 7)
    someone.says("/start")
    for _ in range(LIMITS[Doing.SCRAP].most):
        someone.says("my brother")
        assert someone.hears_at_last().text == "chat.text_taken_out"
    someone.deleted()
    someone.says("my brother")
    assert 401 in someone.deleted()
    someone.seen = 0
    said = someone.hears_at_last()
    assert said.text == "chat.too_often"
    assert said.params["lines"] != "—"


def test_counts_are_swept_when_their_time_is_over(net: Small) -> None:
    family = net.person(1)
    net.filed(family)
    assert net.store.run(lambda tx: tx.count(Tally))
    net.clock.advance(days=2)
    asyncio.run(net.store.sweep(net.clock.now))
    assert net.store.run(lambda tx: tx.count(Tally)) == 0


# -- desk-first ----------------------------------------------------------------------------------------


def test_a_flood_asks_the_desk_once_an_hour(net: Small) -> None:
    desk_chat = _desk(net)
    most = LIMITS[Doing.FLOOD].most
    key = table.key(Doing.FLOOD, table.NETWORK, net.clock.now)
    net.store.run(lambda tx: tx.add(Tally(key, most, net.clock.now + timedelta(hours=1))))
    for account in (1, 2, 3):
        net.filed(net.person(account))
    heard = [h for h in desk_chat.hears() if h.text == "desk.many_requests"]
    assert [h.params["count"] for h in heard] == [str(most + 1)]
    desk_chat.presses(heard[0].button("button.desk_first_on"))
    assert desk_chat.hears_at_last().text == "desk.first_is_on"
    assert net.store.run(desk_first.is_on)


def test_while_it_is_on_a_stranger_waits_for_the_desk_and_is_told_so(net: Small) -> None:
    desk_chat, _ = _desk(net), net.person(11, "bua-1")
    net.store.run(desk_first.throw, desk_chat.person, True)
    family = Chat(net, 1)
    net.person(1)
    referral_id = net.filed(family.person)
    assert family.hears_at_last().text == "family.filed_desk_first"
    assert net.referral(referral_id).stage is Stage.UNMATCHED
    net.passes(timedelta(minutes=10))
    assert net.live_offer(referral_id) is None  # nobody is asked by itself
    assert referral_id in [w.referral.id for w in net.store.run(desk_queues.waiting, desk_chat.person)]
    assert "desk.first_look" in [h.text for h in desk_chat.hears()]
    shown = net.store.run(pages.PAGES["matter"].view, desk_chat.person, referral_id, {})
    assert shown.next_key == "next.desk.first_look"  # and not 'nobody could help': nobody was asked
    assert shown.steps[0].label_key == "page.step.ask_now"
    net.store.run(desk.rematch, desk_chat.person, referral_id)
    net.passes(6 * SECONDS)
    assert net.live_offer(referral_id) is not None


def test_choosing_anew_does_not_lead_around_the_desk(net: Small) -> None:
    desk_chat = _desk(net)
    net.store.run(desk_first.throw, desk_chat.person, True)
    family = net.person(1)
    referral_id = net.filed(family)
    _files_again(net, family, referral_id)
    assert net.referral(referral_id).stage is Stage.UNMATCHED
    _files_again(net, family, referral_id, Urgency.EMERGENCY)  # but an emergency always goes on
    assert net.referral(referral_id).stage is Stage.MATCHING


def test_an_emergency_goes_on_at_once_and_the_desk_hears(net: Small) -> None:
    desk_chat = _desk(net)
    net.store.run(desk_first.throw, desk_chat.person, True)
    referral_id = net.filed(net.person(1), Urgency.EMERGENCY)
    assert net.referral(referral_id).stage is Stage.MATCHING
    assert "desk.emergency_filed" in [h.text for h in desk_chat.hears()]


def test_whom_we_know_does_not_wait(net: Small) -> None:
    desk_chat, worker, family = _desk(net), net.person(11, "bua-1"), net.person(1)
    first = net.filed(family)
    net.passes(6 * SECONDS)
    offer = net.live_offer(first)
    assert offer is not None
    net.store.run(offers.accept, worker, offer.id)
    net.store.run(working.contacted, worker, offer.id)
    net.store.run(working.report, worker, offer.id, "met")
    net.store.run(closing.helped, family, first, True)
    net.store.run(desk_first.throw, desk_chat.person, True)
    assert net.referral(net.filed(family)).stage is Stage.MATCHING
    assert net.referral(net.filed(net.person(12, "mentor-1"))).stage is Stage.MATCHING


def test_what_nobody_can_do_is_no_first_look(net: Small) -> None:
    """The page puts it under 'Nobody found', so the count of the message must not say otherwise."""
    desk_chat = _desk(net)
    net.store.run(desk_first.throw, desk_chat.person, True)
    everybody = frozenset(net.store.run(lambda tx: tuple(tx.directory.organizations)))
    alone = net.filed(net.person(1), without=everybody)
    assert net.referral(alone).stage is Stage.UNMATCHED
    assert [h.text for h in desk_chat.hears()][-1] == "desk.unmatched"
    net.filed(net.person(2))
    assert desk_chat.hears_at_last().params["count"] == "1"
    assert net.store.run(desk_first.held) == 1


def test_switching_off_forgets_nothing(net: Small) -> None:
    desk_chat = _desk(net)
    net.store.run(desk_first.throw, desk_chat.person, True)
    held = [net.filed(net.person(account)) for account in (1, 2)]
    assert net.store.run(desk_first.throw, desk_chat.person, False) == 2
    assert net.referral(net.filed(net.person(3))).stage is Stage.MATCHING
    desk_chat.hears()
    net.passes(timedelta(days=2))
    assert "desk.still_unmatched" in [h.text for h in desk_chat.hears()]
    waiting = {w.referral.id for w in net.store.run(desk_queues.waiting, desk_chat.person)}
    assert set(held) <= waiting


def test_only_a_coordinator_throws_the_switch(net: Small) -> None:
    steward, family = Chat(net, 21), Chat(net, 1)
    net.person(21, "steward-1")
    net.person(1)
    for chat in (steward, family):
        assert chat.presses("1:desk.first:on").text == "error.not_allowed"
        with pytest.raises((NotAllowed, NotFound)):
            net.store.run(desk_first.throw, chat.person, True)
    assert net.store.run(lambda tx: tx.count(Switch)) == 0


def test_many_that_wait_ring_once(net: Small) -> None:
    desk_chat = _desk(net)
    net.store.run(desk_first.throw, desk_chat.person, True)
    desk_chat.hears()
    for account in range(1, 5):
        net.filed(net.person(account))
    assert [t for _, t in net.said() if t == "desk.first_look"] == ["desk.first_look"]
    net.filed(net.person(9))
    rows = _fresh(net, "desk.first_look")
    assert not any(rows[1:])


# -- void ----------------------------------------------------------------------------------------------


def test_the_desk_ends_what_was_entered_in_error(net: Small) -> None:
    desk_chat, worker = _desk(net), net.person(11, "bua-1")
    family = Chat(net, 1)
    net.person(1)
    referral_id = net.filed(family.person)
    net.passes(6 * SECONDS)
    offer = net.live_offer(referral_id)
    assert offer is not None
    net.store.run(offers.accept, worker, offer.id)
    family.hears()
    step = pages.PAGES["matter"].steps["void"]
    net.store.run(step, desk_chat.person, referral_id, {})
    ended = net.referral(referral_id)
    assert (ended.stage, ended.retain_until is not None) == (Stage.VOID, True)
    assert family.hears_at_last().text == "matter.void"
    with pytest.raises(NotFound):
        net.store.run(pages.PAGES["matter"].view, worker, offer.id, {})
    net.store.run(step, desk_chat.person, referral_id, {})  # twice is once
    with pytest.raises(WrongStage):
        net.store.run(closing.withdraw, family.person, referral_id)


def _desk(net: Small) -> Chat:
    net.person(22, "desk-1")
    return Chat(net, 22)


def _files_again(net: Small, family: str, referral_id: str, urgency: Urgency = Urgency.URGENT) -> None:
    page = pages.PAGES["plan"]
    wishes = {"area": "pattani-mueang", "urgency": urgency.value}
    view = net.store.run(page.steps["preview"], family, referral_id, wishes)
    net.store.run(page.steps["file"], family, referral_id, {**wishes, "consent_digest": view.consent_digest})


def _fresh(net: Small, text: str) -> list[Any]:
    asked = Sql("SELECT fresh FROM outbox WHERE text = :text ORDER BY id")
    rows = net.store.run(lambda tx: tx.connection.rows(asked, {"text": text}))  # type: ignore[attr-defined]
    return [row[0] for row in rows]

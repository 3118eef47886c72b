"""Somebody with a post asks for themselves: a colleague decides, never they; urgent words are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from referrals.errors import NotFound
from referrals.model import Urgency
from referrals.persons import Seat
from referrals.ports import Sent, Tx
from referrals.said import Notice, Priority
from referrals.service.desk import desk
from referrals.service.people import people
from referrals.service.turns import offers
from tests.support.network import Small


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    with Small.opened(database_url) as net:
        yield net


def test_a_coordinator_decides_nothing_about_their_own_request(net: Small) -> None:
    dao, rin = net.person(1, "desk-1"), net.person(2, "desk-2")
    referral_id = net.filed(dao, Urgency.URGENT)
    net.passes(timedelta(seconds=6))  # no worker sits anywhere: unmatched
    with pytest.raises(NotFound):
        net.store.run(desk.rematch, dao, referral_id)
    net.store.run(desk.rematch, rin, referral_id)


def test_whoever_joins_the_partner_later_does_not_answer_their_own_request(net: Small) -> None:
    family = net.person(1)
    first = net.person(11, "bua-1")
    referral_id = net.filed(family, Urgency.URGENT)
    net.passes(timedelta(seconds=6))
    net.store.run(_takes, family, "bua-2")
    offer = net.live_offer(referral_id)
    assert offer is not None
    with pytest.raises(NotFound):
        net.store.run(offers.accept, family, offer.id)
    net.store.run(offers.accept, first, offer.id)


def test_an_urgent_word_is_not_given_up_for_one_that_waits(net: Small) -> None:
    dao = net.person(1, "desk-1")
    urgent = Notice(dao, "desk.emergency_filed", {"code": "x"}, (), Priority.CRISIS, "desk:1", fresh=True)
    later = replace(
        urgent,
        text="desk.still_unmatched",
        priority=Priority.ALERT,
        not_before=net.clock.now + timedelta(hours=9),
    )
    net.store.run(_says, urgent, later)
    assert (dao, "desk.emergency_filed") in net.said()
    net.clock.advance(hours=9)
    assert (dao, "desk.still_unmatched") in net.said()


def _takes(tx: Tx, person_id: str, seat_id: str) -> None:
    seat = tx.get(Seat, seat_id)
    assert seat is not None
    tx.save(replace(seat, person_id=person_id))


def _says(tx: Tx, *notices: Notice) -> None:
    for notice in notices:
        tx.say(notice)


def test_what_was_on_its_way_when_somebody_hid_is_deleted(net: Small) -> None:
    family = net.person(1)
    net.store.run(_says, Notice(family, "home.hello", slot="talk"))
    (sent,) = asyncio.run(net.store.outbox.claim(net.clock.now, 10))
    net.store.run(people.hide, family)
    asyncio.run(net.store.outbox.settle([Sent(sent.id, 77)], net.clock.now))
    (deletion,) = asyncio.run(net.store.outbox.claim(net.clock.now, 10))
    assert (deletion.text, deletion.message_id) == ("", 77)

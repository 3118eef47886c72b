"""A directory that stays fresh: one tap after an answer, one a week, and who hears of what grows old."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from handlers import router
from handlers.incoming import Did, Incoming
from referrals.access import Action
from referrals.directory import Capacity
from referrals.errors import BadAnswer, NotFound
from referrals.freshness import stale
from referrals.model import AuditEntry, Urgency
from referrals.network_file import NetworkFile
from referrals.ports import Tx
from referrals.service.matter import capacity
from referrals.service.pages.posts import posts_view
from referrals.service.pages.room import ROOM
from referrals.service.stewards import network
from referrals.service.turns import offers
from tests.support.network import CATALOGUE, NETWORK, STEWARD, Small
from tests.support.store import SettableClock, open_store

TODAY = date(2026, 11, 24)
OPEN, LIMITED, FULL, PAUSED = Capacity


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    with Small.opened(database_url) as net:
        yield net


@pytest.fixture
def quick(sqlite_url: str) -> Iterator[Small]:
    store = open_store(sqlite_url, clock := SettableClock(), CATALOGUE)
    yield Small(store, clock)
    store.close()


def room(net: Small, service_id: str) -> tuple[Capacity, date | None]:
    found = net.store.run(lambda tx: tx.directory.services[service_id])
    return found.capacity, found.capacity_confirmed_on


def asks_bua(net: Small, urgency: Urgency = Urgency.URGENT) -> str:
    """Somebody's request; the id of the offer that Ban Bua's house has of it."""
    referral_id = net.filed(net.person(1), urgency)
    net.passes(timedelta(seconds=6))
    offer = net.live_offer(referral_id)
    assert offer is not None
    assert offer.service_id == "bua-visits"
    return offer.id


def presses(net: Small, account: int, data: str, update: int = 1) -> None:
    net.store.run(router.handle, Incoming(update, account, Did.PRESS, data=data, message_id=update))


def set_room(net: Small, service_id: str, said: Capacity, on: date | None) -> None:
    """As some file or somebody had it said before."""

    def save(tx: Tx) -> None:
        tx.save(replace(tx.directory.services[service_id], capacity=said, capacity_confirmed_on=on))
        tx.audit(AuditEntry(STEWARD, Action.NETWORK_APPLY, f"service:{service_id}"))

    net.store.run(save)


def test_after_an_answer_one_tap_says_whether_there_is_room(net: Small) -> None:
    worker, colleague = net.person(11, "bua-1"), net.person(12, "bua-2")
    offer_id = asks_bua(net)
    net.store.run(offers.decline, worker, offer_id, "full")
    asked = [d for d in net.deliveries() if d.text == "worker.room"]
    assert [d.person_id for d in asked] == [worker]
    buttons = [b for row in asked[0].buttons for b in row]
    assert [b.text for b in buttons] == ["button.room_open", "button.room_limited", "button.room_full"]
    assert all(len(b.action.encode()) <= 64 for b in buttons)

    presses(net, 11, buttons[2].action)
    assert room(net, "bua-visits") == (FULL, TODAY)
    assert room(net, "bua-letters") == (OPEN, date(2026, 11, 16)), "nothing was said of that"
    presses(net, 11, buttons[2].action, 2)  # twice is once
    assert room(net, "bua-visits") == (FULL, TODAY)
    assert (worker, "worker.room_thanks") in net.said()

    # From this commit on nobody is sent there.
    second = net.filed(net.person(2))
    assert "bua-visits" not in net.referral(second).plan
    assert colleague not in [person for person, _ in net.said()]


def test_the_same_is_not_asked_twice_a_day_and_never_in_an_emergency(net: Small) -> None:
    worker = net.person(11, "bua-1")
    offer_id = asks_bua(net)
    net.store.run(capacity.say_after, worker, offer_id, "open")
    net.store.run(offers.accept, worker, offer_id)
    assert (worker, "worker.room") not in net.said()

    net.passes(timedelta(days=1))
    urgent = asks_bua(net, Urgency.EMERGENCY)
    net.store.run(offers.accept, worker, urgent)
    assert (worker, "worker.room") not in net.said()


def test_only_whoever_works_there_says_it(quick: Small) -> None:
    net = quick
    net.person(11, "bua-1")
    offer_id = asks_bua(net)
    for person in (net.person(1), net.person(13, "two-rivers-1"), net.person(14, "desk-1")):
        with pytest.raises(NotFound):
            net.store.run(capacity.say_after, person, offer_id, "full")
        with pytest.raises(NotFound):
            net.store.run(capacity.say_all, person, "bua-house", "full")
        with pytest.raises(NotFound):
            net.store.run(capacity.say_one, person, "bua-visits", "full")
    assert room(net, "bua-visits") == (OPEN, date(2026, 11, 16))


def test_what_nobody_offers_is_refused(quick: Small) -> None:
    worker = quick.person(11, "bua-1")
    for said in ("paused", "", "empty"):
        with pytest.raises(BadAnswer):
            quick.store.run(capacity.say_one, worker, "bua-visits", said)
    with pytest.raises(NotFound):
        quick.store.run(capacity.say_one, worker, "nothing", "open")


def test_a_paused_service_is_not_asked_about_and_stays_paused(quick: Small) -> None:
    worker = quick.person(11, "bua-1")
    offer_id = asks_bua(quick)
    set_room(quick, "bua-visits", PAUSED, None)
    quick.store.run(capacity.say_after, worker, offer_id, "open")
    quick.store.run(capacity.say_all, worker, "bua-house", "open")
    assert room(quick, "bua-visits") == (PAUSED, None)
    assert room(quick, "bua-letters") == (OPEN, TODAY)


def test_once_a_week_one_tap_for_all_that_an_organisation_offers(net: Small) -> None:
    first, second = net.person(11, "bua-1"), net.person(12, "bua-2")
    net.store.run(capacity.begin)
    net.passes(timedelta(days=2))
    asked = [d for d in net.deliveries() if d.text == "worker.room_week"]
    assert sorted(d.person_id for d in asked) == sorted([first, second]), "one message each, for all"

    same = next(b for row in asked[0].buttons for b in row if b.text == "button.room_same")
    assert len(same.action.encode()) <= 64
    presses(net, 11 if asked[0].person_id == first else 12, same.action)
    day = date(2026, 11, 26)
    assert room(net, "bua-visits") == (OPEN, day)
    assert room(net, "bua-rooms") == (LIMITED, day), "each as it was"
    other = second if asked[0].person_id == first else first
    assert (other, "worker.room_said") in net.said(), "quietly: nobody is asked about what is said"

    net.passes(timedelta(days=5))
    assert not [t for _, t in net.said() if t == "worker.room_week"], "it was just said"
    net.passes(timedelta(days=3))
    assert [t for _, t in net.said() if t == "worker.room_week"]


def test_a_new_organisation_is_asked_from_then_on_and_one_that_has_gone_is_not(quick: Small) -> None:
    net = quick
    net.store.run(capacity.begin)
    net.passes(timedelta(hours=1))
    waiting = {t.subject for t in net.timers() if t.kind == capacity.WEEKLY}
    assert waiting == set(net.store.run(lambda tx: sorted(tx.directory.organizations)))
    net.store.run(capacity.weekly, "never-was")
    net.store.run(capacity.begin)  # a restart sets nothing anew
    assert sum(t.kind == capacity.ROUND for t in net.timers()) == 1


def test_suspended_ones_are_not_asked(quick: Small) -> None:
    net = quick
    net.person(11, "bua-1")

    def suspend(tx: Tx) -> None:
        tx.save(replace(tx.directory.organizations["bua-house"], suspended=True))
        tx.audit(AuditEntry(STEWARD, Action.NETWORK_APPLY, "organization:bua-house"))

    net.store.run(suspend)
    net.passes(timedelta(days=30))
    net.store.run(capacity.weekly, "bua-house")
    assert not [t for _, t in net.said() if t == "worker.room_week"]


def test_stewards_hear_once_a_week_of_what_nobody_confirms(quick: Small) -> None:
    net = quick
    steward = net.person(15, "steward-1")
    net.store.run(capacity.begin)
    net.passes(timedelta(days=7))
    assert (steward, "steward.stale") not in net.said(), "all of it was said this month"
    net.passes(timedelta(days=28))
    assert net.said().count((steward, "steward.stale")) in (1, 2)

    shown = net.store.run(posts_view, steward, "", {})
    assert shown.sections[0].title_key == "part.stale.title"
    found = net.store.run(lambda tx: stale(tx.directory, tx.now.date()))
    assert found
    assert all(s.capacity is not PAUSED for s in found)


def test_the_page_says_it_for_each_service_by_itself(quick: Small) -> None:
    worker = quick.person(11, "bua-1")
    shown = quick.store.run(ROOM.view.do, worker, "", {})
    subjects = {section.body["service"] for section in shown.sections}
    assert subjects == {s.id for s in NETWORK.services if s.organization_id == "bua-house"}
    body = {"service": "bua-rooms", "reason": "full"}
    quick.store.run(ROOM.steps["room"].do, worker, "", body)
    assert room(quick, "bua-rooms") == (FULL, TODAY)
    with pytest.raises(NotFound):
        quick.store.run(ROOM.steps["room"].do, worker, "", body | {"service": "two-rivers-visits"})
    with pytest.raises(NotFound):
        quick.store.run(ROOM.view.do, quick.person(1), "", {})


def test_an_older_file_does_not_undo_what_a_partner_has_said(net: Small) -> None:
    worker = net.person(11, "bua-1")
    net.store.run(capacity.say_one, worker, "bua-visits", "full")
    assert net.store.run(network.preview, NETWORK) == (), "the file says less than is known"

    newer = _with(NETWORK, "bua-visits", capacity=LIMITED, capacity_confirmed_on=date(2026, 11, 25))
    changes = net.store.run(network.preview, newer)
    assert [change.row for change in changes] == ["bua-visits"]
    net.store.run(network.apply, STEWARD, newer, network.digest(changes))
    assert room(net, "bua-visits") == (LIMITED, date(2026, 11, 25))

    # All else in the file counts as ever, with the newest word about room beside it.
    changed = _with(NETWORK, "bua-visits", languages=("th",))
    changes = net.store.run(network.preview, changed)
    net.store.run(network.apply, STEWARD, changed, network.digest(changes))
    assert room(net, "bua-visits") == (LIMITED, date(2026, 11, 25))


def _with(whole: NetworkFile, service_id: str, **changes: Any) -> NetworkFile:
    services = tuple(replace(s, **changes) if s.id == service_id else s for s in whole.services)
    return replace(whole, services=services)

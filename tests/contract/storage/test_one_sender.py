"""One process sends: by lease, with fail-over; room for the urgent; what has become pointless is not sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from referrals.persons import Person, Presence
from referrals.ports import Delivery, Later, Sent, Tx
from referrals.said import Notice, Priority
from storage.lease import HELD_FOR
from storage.outbox import EXPIRED_AT_ONCE
from storage.store import Store
from tests.support.rows import NOW, add_person
from tests.support.store import SettableClock, open_store

MINUTE = timedelta(minutes=1)
EVERYBODY = ("p1", "p2", "p3")


@pytest.fixture
def people(store: Store) -> Store:
    """Three people who can be written to."""
    for n, person_id in enumerate(EVERYBODY):
        store.run(add_person, person_id, 1000 + n)
    return store


@pytest.fixture
def other(people: Store, database_url: str, clock: SettableClock) -> Iterator[Store]:
    """Another process on the same database."""
    store = open_store(database_url, clock, seed=None, worker="other")
    yield store
    store.close()


def say(store: Store, person_id: str, text: str, **more: Any) -> None:
    store.run(lambda tx: tx.say(Notice(person_id, text, **more)))


async def claimed(store: Store, clock: SettableClock, limit: int = 50, spare: int = 0) -> list[Delivery]:
    return list(await store.outbox.claim(clock(), limit, spare))


async def test_only_one_sender_claims_and_another_takes_over_when_it_is_silent(
    people: Store, other: Store, clock: SettableClock
) -> None:
    for person_id in EVERYBODY:
        say(people, person_id, "hello")
    assert await people.outbox.hold(clock())
    assert not await other.outbox.hold(clock())
    (first,) = await claimed(people, clock, 1)
    assert await claimed(other, clock) == []
    clock.advance(seconds=HELD_FOR.total_seconds() - 1)
    assert await people.outbox.hold(clock())  # renewed
    clock.advance(seconds=HELD_FOR.total_seconds() - 1)
    assert not await other.outbox.hold(clock())
    clock.advance(seconds=1)
    assert HELD_FOR.total_seconds() < 15
    assert await other.outbox.hold(clock())
    # What the silent one had claimed is due at once, and it claims and puts off nothing more.
    assert await claimed(people, clock) == []
    assert not await people.outbox.hold(clock())
    again = await claimed(other, clock)
    assert len(again) == 3
    await people.outbox.settle([Later(first.id, clock() + MINUTE)], clock())
    await other.outbox.settle([Sent(one.id, 5) for one in again], clock())
    assert await other.outbox.next_due(clock()) is None


async def test_what_the_silent_one_had_sent_counts(people: Store, other: Store, clock: SettableClock) -> None:
    say(people, "p1", "hello")
    assert await people.outbox.hold(clock())
    (first,) = await claimed(people, clock)
    clock.advance(seconds=HELD_FOR.total_seconds())
    assert await other.outbox.hold(clock())
    await people.outbox.settle([Sent(first.id, 5)], clock())
    assert await claimed(other, clock) == []


async def test_after_a_clean_stop_another_begins_at_once(
    people: Store, other: Store, clock: SettableClock
) -> None:
    assert await people.outbox.hold(clock())
    await other.outbox.let_go()  # nothing of its own
    assert not await other.outbox.hold(clock())
    await people.outbox.let_go()
    assert await other.outbox.hold(clock())


async def test_a_lease_of_a_clock_that_was_ahead_binds_nobody(
    people: Store, other: Store, clock: SettableClock
) -> None:
    clock.advance(days=1)
    assert await people.outbox.hold(clock())
    clock.now = NOW
    assert await other.outbox.hold(clock())


async def test_places_are_kept_for_what_is_urgent(people: Store, clock: SettableClock) -> None:
    for person_id, priority in zip(EVERYBODY, (Priority.BULK, Priority.REPLY, Priority.ALERT), strict=True):
        say(people, person_id, priority.value, priority=priority)
    assert [d.text for d in await claimed(people, clock, 3, spare=3)] == ["alert"]
    assert [d.text for d in await claimed(people, clock, 3, spare=2)] == ["reply"]
    assert [d.text for d in await claimed(people, clock, 1)] == ["bulk"]


async def test_what_has_become_pointless_is_never_sent(people: Store, clock: SettableClock) -> None:
    say(people, "p1", "meeting today", expires_at=NOW + MINUTE)
    say(people, "p2", "meeting today", expires_at=NOW + MINUTE)
    (one,) = await claimed(people, clock, 1)
    await people.outbox.settle([Later(one.id, NOW + 2 * MINUTE)], clock())
    clock.advance(minutes=2)
    say(people, "p3", "hello")
    assert [d.text for d in await claimed(people, clock)] == ["hello"]
    assert sorted(people.run(_states)) == ["expired", "expired", "waiting"]


async def test_a_whole_storm_that_expired_holds_up_nobody(people: Store, clock: SettableClock) -> None:
    more = EXPIRED_AT_ONCE + 20

    def many(tx: Tx) -> None:
        for n in range(more):
            tx.say(Notice(EVERYBODY[n % 2], "news", priority=Priority.BULK, expires_at=NOW + MINUTE))

    people.run(many)
    clock.advance(minutes=1)
    say(people, "p3", "hello")
    assert [d.text for d in await claimed(people, clock, 1)] == ["hello"]
    assert await claimed(people, clock, 1) == []
    assert people.run(_states).count("expired") == more


async def test_nothing_that_waited_is_said_to_a_phone_that_fell_silent(
    people: Store, clock: SettableClock
) -> None:
    say(people, "p1", "alert", priority=Priority.ALERT)
    say(people, "p1", "", message_id=5)
    people.run(_fall_silent)
    assert [d.text for d in await claimed(people, clock)] == [""]
    assert sorted(people.run(_states)) == ["expired", "waiting"]


def _fall_silent(tx: Tx) -> None:
    from dataclasses import replace

    person = tx.get(Person, "p1")
    assert person is not None
    tx.save(replace(person, presence=Presence.LOST))


def _states(tx: Any) -> list[str]:
    from storage.sql import Sql

    return [row[0] for row in tx.connection.rows(Sql("SELECT state FROM outbox"))]

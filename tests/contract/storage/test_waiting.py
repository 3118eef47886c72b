"""Timers, messages that stand in chats, and what is swept away: on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from referrals.ports import Sent, Tx
from referrals.said import Notice, Timer
from storage.store import Store
from storage.tx import StoreTx
from tests.support.rows import NOW, add_person
from tests.support.store import SettableClock

HOUR = timedelta(hours=1)


def test_setting_a_timer_again_moves_it(store: Store) -> None:
    store.run(lambda tx: tx.set_timer("match", "r1", NOW + HOUR))
    store.run(lambda tx: tx.set_timer("match", "r1", NOW + 2 * HOUR))
    store.run(lambda tx: tx.set_timer("retention", "r1", NOW))
    store.run(lambda tx: tx.set_timer("match", "r2", NOW))
    assert store.run(lambda tx: tx.timers_of("r1")) == [
        Timer("match:r1", "match", "r1", NOW + 2 * HOUR),
        Timer("retention:r1", "retention", "r1", NOW),
    ]
    store.run(lambda tx: tx.clear_timer("match", "r1"))
    store.run(lambda tx: tx.clear_timer("match", "never set"))
    assert [t.id for t in store.run(lambda tx: tx.find(Timer))] == ["match:r2", "retention:r1"]
    store.run(lambda tx: tx.clear_timers("r1"))
    assert [t.id for t in store.run(lambda tx: tx.find(Timer))] == ["match:r2"]


async def test_due_timers_come_longest_overdue_first(store: Store, clock: SettableClock) -> None:
    assert await store.next_timer() is None

    def fill(tx: Tx) -> None:
        for n in range(10):
            tx.set_timer("k", f"s{n}", NOW - n * HOUR)
        tx.set_timer("k", "later", NOW + HOUR)

    await store.turn(fill)
    assert [t.subject for t in await store.due_timers(NOW, 3)] == ["s9", "s8", "s7"]
    assert len(await store.due_timers(NOW, 100)) == 10
    assert await store.next_timer() == NOW - 9 * HOUR


async def test_a_timer_is_taken_once_by_however_many(store: Store) -> None:
    await store.turn(lambda tx: tx.set_timer("k", "s", NOW))
    taken = await asyncio.gather(*[store.turn(lambda tx: tx.take_timer("k:s", NOW)) for _ in range(20)])
    assert [t for t in taken if t is not None] == [Timer("k:s", "k", "s", NOW)]


def test_a_timer_that_was_moved_or_is_early_is_not_taken(store: Store, clock: SettableClock) -> None:
    store.run(lambda tx: tx.set_timer("k", "s", NOW + HOUR))
    assert store.run(lambda tx: tx.take_timer("k:s", NOW)) is None  # moved
    assert store.run(lambda tx: tx.take_timer("k:s", NOW + HOUR)) is None  # early
    clock.advance(hours=1)
    assert store.run(lambda tx: tx.take_timer("k:s", NOW + HOUR)) is not None


def test_a_turn_that_fails_gives_its_timer_back_and_it_is_postponed(
    store: Store, clock: SettableClock
) -> None:
    store.run(lambda tx: tx.set_timer("k", "s", NOW))

    def fails(tx: Tx) -> None:
        tx.take_timer("k:s", NOW)
        raise KeyError

    try:
        store.run(fails)
    except KeyError:
        store.run(lambda tx: tx.postpone_timer("k:s", NOW + HOUR, 1))
    assert store.run(lambda tx: tx.find(Timer)) == [Timer("k:s", "k", "s", NOW + HOUR, 1)]
    # What a service has moved meanwhile is not touched.
    store.run(lambda tx: tx.postpone_timer("k:s", NOW + 9 * HOUR, 2))
    assert store.run(lambda tx: tx.find(Timer))[0].due_at == NOW + HOUR


async def test_messages_are_due_after_24_hours_and_forgotten_when_deleted(
    store: Store, clock: SettableClock
) -> None:
    def told(tx: Tx) -> None:
        add_person(tx, "p1", 1)
        tx.heard("p1", 100)
        tx.heard("p1", 100)  # redelivered
        tx.say(Notice("p1", "hello"))

    await store.turn(told)
    delivery = (await store.outbox.claim(clock(), 10))[0]
    clock.advance(hours=1)
    await store.outbox.settle([Sent(delivery.id, 101)], clock())
    found = await store.turn(lambda tx: tx.messages_of("p1"))
    assert [(m.message_id, m.from_person) for m in found] == [(100, True), (101, False)]
    assert await store.turn(lambda tx: tx.messages_due(tx.now, 10)) == []

    clock.advance(hours=23)
    due = await store.turn(lambda tx: tx.messages_due(tx.now, 10))
    assert [m.message_id for m in due] == [100]
    await store.turn(lambda tx: tx.say(Notice("p1", "", message_id=100)))
    delivery = (await store.outbox.claim(clock(), 10))[0]
    assert (delivery.text, delivery.message_id) == ("", 100)
    await store.outbox.settle([Sent(delivery.id, None)], clock())
    assert await store.turn(lambda tx: tx.messages_due(tx.now, 10)) == []  # gone with its deletion

    await store.turn(lambda tx: tx.forget_message(found[1].id))
    assert await store.turn(lambda tx: tx.messages_of("p1")) == []


async def test_messages_older_than_telegram_deletes_are_not_offered(
    store: Store, clock: SettableClock
) -> None:
    await store.turn(lambda tx: tx.heard("p1", 100))
    clock.advance(hours=48)
    assert await store.turn(lambda tx: tx.messages_of("p1")) == []


async def test_sweep_keeps_what_is_young_and_drops_what_is_old(store: Store, clock: SettableClock) -> None:
    def fill(tx: Tx) -> None:
        add_person(tx, "p1", 1)
        for n in range(700):
            tx.first_time(f"update:{n}")
        tx.heard("p1", 100)
        tx.say(Notice("p1", "hello"))
        tx.say(Notice("p1", "never sent", not_before=NOW + timedelta(days=30)))

    await store.turn(fill)
    delivery = (await store.outbox.claim(clock(), 10))[0]
    await store.outbox.settle([Sent(delivery.id, 101)], clock())
    clock.advance(hours=48)
    await store.sweep(clock())
    assert not await store.turn(lambda tx: tx.first_time("update:0"))  # 48 h are kept
    clock.advance(hours=1)
    assert await store.sweep(clock()) == 700
    assert await store.turn(lambda tx: tx.first_time("update:0"))
    clock.advance(days=8)
    await store.sweep(clock())
    assert await store.turn(lambda tx: _count(tx, "outbox")) == 1  # what waits is never swept
    assert await store.turn(lambda tx: _count(tx, "message")) == 0
    assert await store.sweep(clock()) == 0


def _count(tx: Tx, table: str) -> int:
    from storage.sql import Sql

    assert isinstance(tx, StoreTx)
    return int(tx.connection.rows(Sql(f"SELECT count(*) FROM {table}"))[0][0])


def test_several_timers_are_set_and_taken_in_one_go(store: Store, clock: SettableClock) -> None:
    due = [("k", f"s{n}", NOW - n * HOUR) for n in range(5)]
    store.run(lambda tx: tx.set_timers([*due, ("k", "moved", NOW), ("k", "early", NOW + HOUR)]))
    found = store.run(lambda tx: tx.find(Timer))
    store.run(lambda tx: tx.set_timer("k", "moved", NOW - HOUR))  # by another turn, meanwhile
    taken = store.run(lambda tx: tx.take_timers(found))
    assert [t.subject for t in taken] == ["s4", "s3", "s2", "s1", "s0"]
    assert store.run(lambda tx: tx.take_timers(found)) == []
    assert store.run(lambda tx: tx.take_timers([])) == []
    assert {t.subject for t in store.run(lambda tx: tx.find(Timer))} == {"moved", "early"}


async def test_two_heartbeats_that_take_many_share_them_out(store: Store) -> None:
    await store.turn(lambda tx: tx.set_timers([("k", f"s{n}", NOW) for n in range(50)]))
    found = list(await store.due_timers(NOW, 100))
    several = [store.turn(lambda tx: tx.take_timers(found)) for _ in range(4)]
    taken = [timer.subject for timers in await asyncio.gather(*several) for timer in timers]
    assert sorted(taken) == sorted(t.subject for t in found)


async def test_several_notices_are_queued_in_one_go(store: Store) -> None:
    ids = ["p71", "p72"]
    for number, person_id in enumerate(ids, 71):
        await store.turn(add_person, person_id, number)
    notices = [Notice(person, "t", {"n": "1"}, slot=f"s:{person}", dedupe=f"d:{person}") for person in ids]
    await store.turn(lambda tx: tx.say_many(notices))
    await store.turn(lambda tx: tx.say_many(notices))  # the same once more: known already
    await store.turn(lambda tx: tx.say_many([]))
    assert sorted(d.person_id for d in await store.outbox.claim(NOW, 10)) == sorted(ids)

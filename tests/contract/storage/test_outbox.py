"""What is said leaves once, in order, to the right message of the right chat: on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from referrals.persons import Person, Presence
from referrals.ports import Dead, Delivery, Gone, Later, Sent, Tx
from referrals.said import Button, Notice, Priority, Timer
from storage.outbox import LEASE
from storage.store import Store
from storage.tx import StoreTx
from tests.support.rows import NOW, add_person
from tests.support.store import SettableClock, open_store

MINUTE = timedelta(minutes=1)


@pytest.fixture
def people(store: Store) -> Store:
    """Three people who can be written to; p1's account is 1001, and so on."""
    for n in (1, 2, 3):
        store.run(add_person, f"p{n}", 1000 + n)
    return store


def say(store: Store, person_id: str, text: str, **more: Any) -> None:
    store.run(lambda tx: tx.say(Notice(person_id, text, **more)))


async def claimed(store: Store, clock: SettableClock, limit: int = 50) -> list[Delivery]:
    return list(await store.outbox.claim(clock(), limit))


async def sends(store: Store, clock: SettableClock, delivery: Delivery, message_id: int | None) -> None:
    await store.outbox.settle([Sent(delivery.id, message_id)], clock())


async def send_all(store: Store, clock: SettableClock, first_id: int = 500) -> list[tuple[str, int | None]]:
    """Deliver whatever can be delivered; (text, edited or deleted message) in the order of sending."""
    sent: list[tuple[str, int | None]] = []
    while deliveries := await claimed(store, clock):
        for delivery in deliveries:
            sent.append((delivery.text, delivery.message_id))
            new = None if delivery.message_id is not None else first_id + len(sent)
            await sends(store, clock, delivery, new)
    return sent


async def test_a_delivery_says_everything_that_sending_needs(people: Store, clock: SettableClock) -> None:
    buttons = ((Button("b.yes", action="y1", params={"n": "1"}), Button("b.page", page="/p/plan")),)
    say(
        people,
        "p2",
        "hello",
        params={"code": "R-1"},
        buttons=buttons,
        priority=Priority.ALERT,
        slot="offer:1",
    )
    (delivery,) = await claimed(people, clock)
    assert delivery == Delivery(
        id=delivery.id,
        person_id="p2",
        account=1002,
        language="en",
        text="hello",
        params={"code": "R-1"},
        buttons=buttons,
        rank=Priority.ALERT.rank,
        slot="offer:1",
        message_id=None,
        attempts=0,
        queued_at=NOW,
        timezone="Asia/Bangkok",
    )


async def test_nothing_leaves_before_the_commit_or_its_time(people: Store, clock: SettableClock) -> None:
    def fails(tx: Tx) -> None:
        tx.say(Notice("p1", "never"))
        raise KeyError

    with pytest.raises(KeyError):
        people.run(fails)
    say(people, "p1", "later", not_before=NOW + MINUTE)
    assert await claimed(people, clock) == []
    assert await people.outbox.next_due(clock()) == NOW + MINUTE
    clock.advance(minutes=1)
    assert [d.text for d in await claimed(people, clock)] == ["later"]


async def test_best_rank_first_one_in_flight_and_in_order(people: Store, clock: SettableClock) -> None:
    say(people, "p1", "bulk", priority=Priority.BULK)
    say(people, "p1", "reply 1")
    say(people, "p1", "reply 2")
    say(people, "p2", "alert", priority=Priority.ALERT)
    say(people, "p1", "crisis", priority=Priority.CRISIS)
    first = await claimed(people, clock)
    assert [d.text for d in first] == ["crisis", "alert"]
    assert await claimed(people, clock) == []
    for n, delivery in enumerate(first):
        await sends(people, clock, delivery, n)
    assert [text for text, _ in await send_all(people, clock)] == ["reply 1", "reply 2", "bulk"]


async def test_claims_are_limited_to_what_was_asked(people: Store, clock: SettableClock) -> None:
    for n in (1, 2, 3):
        say(people, f"p{n}", "hello")
    assert len(await claimed(people, clock, 2)) == 2
    assert len(await claimed(people, clock, 2)) == 1


async def test_a_repeated_notice_vanishes(people: Store, clock: SettableClock) -> None:
    for _ in range(3):
        say(people, "p1", "once", dedupe="reminder:1")
    assert [text for text, _ in await send_all(people, clock)] == ["once"]
    say(people, "p1", "once", dedupe="reminder:1")
    assert await send_all(people, clock) == []


async def test_the_claim_of_a_dead_sender_comes_back(people: Store, clock: SettableClock) -> None:
    say(people, "p1", "one")
    say(people, "p1", "two")
    assert [d.text for d in await claimed(people, clock)] == ["one"]
    assert await people.outbox.next_due(clock()) == NOW + LEASE
    clock.now = NOW + LEASE
    assert [d.text for d in await claimed(people, clock)] == ["one"]
    # The first sender was only slow: told twice is told once.
    (again,) = await _waiting_ids(people, claimed_only=True)
    await people.outbox.settle([Sent(again, 7)], clock())
    await people.outbox.settle([Sent(again, 7)], clock())
    assert [d.text for d in await claimed(people, clock)] == ["two"]


async def test_a_crisis_passes_a_dead_senders_claim(people: Store, clock: SettableClock) -> None:
    say(people, "p1", "bulk", priority=Priority.BULK)
    await claimed(people, clock)
    say(people, "p1", "crisis", priority=Priority.CRISIS)
    clock.now = NOW + LEASE
    assert [d.text for d in await claimed(people, clock)] == ["crisis"]


async def test_later_holds_back_only_this_person_and_counts_only_real_tries(
    people: Store, clock: SettableClock
) -> None:
    for text in ("one", "two"):
        say(people, "p1", text)
    say(people, "p2", "other")
    by_text = {d.text: d for d in await claimed(people, clock)}
    slow = Later(by_text["one"].id, NOW + MINUTE, attempt=False)  # 429 for this chat
    await people.outbox.settle([slow, Sent(by_text["other"].id, 1)], clock())
    assert await claimed(people, clock) == []
    assert await people.outbox.next_due(clock()) == NOW + MINUTE
    clock.advance(minutes=1)
    (one,) = await claimed(people, clock)
    assert (one.text, one.attempts) == ("one", 0)
    await people.outbox.settle([Later(one.id, NOW + 2 * MINUTE)], clock())
    clock.advance(minutes=1)
    assert [(d.text, d.attempts) for d in await claimed(people, clock)] == [("one", 1)]


async def test_a_delayed_notice_holds_back_nobody(people: Store, clock: SettableClock) -> None:
    say(people, "p1", "in a minute", not_before=NOW + MINUTE)
    say(people, "p1", "now")
    assert [d.text for d in await claimed(people, clock)] == ["now"]


async def test_a_slot_is_edited_then_deleted(people: Store, clock: SettableClock) -> None:
    say(people, "p1", "offer", slot="offer:1")
    say(people, "p2", "offer", slot="offer:1")
    assert await send_all(people, clock) == [("offer", None), ("offer", None)]
    say(people, "p1", "accepted", slot="offer:1")
    assert await send_all(people, clock) == [("accepted", 501)]
    say(people, "p1", "", slot="offer:1")
    assert await send_all(people, clock) == [("", 501)]
    assert people.run(lambda tx: [m.message_id for m in tx.messages_of("p1")]) == []
    say(people, "p1", "", slot="offer:1")  # nothing stands: nothing is deleted
    say(people, "p1", "handled", slot="offer:1", quiet=True)
    assert await send_all(people, clock) == []
    assert await people.outbox.next_due(clock()) is None


async def test_what_vanishes_makes_way_within_the_same_claim(people: Store, clock: SettableClock) -> None:
    say(people, "p1", "", slot="nothing")
    say(people, "p1", "handled", slot="nothing", quiet=True)
    say(people, "p1", "hello")
    assert [d.text for d in await claimed(people, clock)] == ["hello"]


async def test_fresh_sends_anew_and_deletes_the_older(people: Store, clock: SettableClock) -> None:
    say(people, "p1", "offer", slot="offer:1")
    await send_all(people, clock)
    say(people, "p1", "reminder", slot="offer:1", fresh=True)
    assert await send_all(people, clock, 600) == [("reminder", None), ("", 501)]
    say(people, "p1", "accepted", slot="offer:1")
    assert await send_all(people, clock) == [("accepted", 601)]
    assert people.run(lambda tx: [m.message_id for m in tx.messages_of("p1")]) == [601]


async def test_a_message_named_by_its_number_takes_the_slot(people: Store, clock: SettableClock) -> None:
    say(people, "p1", "menu")
    await send_all(people, clock)
    say(people, "p1", "step 1", slot="talk", message_id=501)
    say(people, "p1", "step 2", slot="talk")
    assert await send_all(people, clock) == [("step 2", None)]  # the newer one took its place
    say(people, "p1", "step 3", slot="talk", message_id=501)
    assert await send_all(people, clock) == [("step 3", 501)]


async def test_the_newest_of_a_slot_is_what_is_sent(people: Store, clock: SettableClock) -> None:
    """A reminder that still waits must not overwrite 'accepted', whatever their ranks."""
    say(people, "p1", "reminder", slot="offer:1", priority=Priority.BULK)
    say(people, "p1", "accepted", slot="offer:1", priority=Priority.ALERT)
    assert await send_all(people, clock) == [("accepted", None)]
    say(people, "p1", "delayed", slot="offer:1", not_before=NOW + MINUTE)
    say(people, "p1", "now", slot="offer:1")
    assert await send_all(people, clock) == [("now", 501)]
    clock.advance(minutes=1)
    assert await send_all(people, clock) == [("delayed", 501)]


async def test_a_failed_notice_is_dropped_when_a_newer_one_waits(people: Store, clock: SettableClock) -> None:
    say(people, "p1", "old", slot="offer:1", priority=Priority.BULK)
    (old,) = await claimed(people, clock)
    say(people, "p1", "new", slot="offer:1", priority=Priority.ALERT)
    await people.outbox.settle([Later(old.id, NOW + MINUTE)], clock())
    assert await send_all(people, clock) == [("new", None)]
    clock.advance(minutes=2)
    assert await send_all(people, clock) == []


async def test_a_message_that_cannot_be_edited_any_more_is_sent_anew(
    people: Store, clock: SettableClock
) -> None:
    say(people, "p1", "offer", slot="offer:1")
    await send_all(people, clock)
    say(people, "p1", "accepted", slot="offer:1")
    (edit,) = await claimed(people, clock)
    assert edit.message_id == 501
    await people.outbox.settle([Later(edit.id, NOW, forget_message=True)], clock())
    assert await send_all(people, clock, 700) == [("accepted", None)]


async def test_gone_ends_everything_for_this_person(people: Store, clock: SettableClock) -> None:
    for text in ("one", "two"):
        say(people, "p1", text)
    say(people, "p2", "other")
    by_text = {d.text: d for d in await claimed(people, clock)}
    await people.outbox.settle([Gone(by_text["one"].id)], clock())
    person = people.run(lambda tx: tx.get(Person, "p1"))
    assert person is not None
    assert (person.presence, person.version) == (Presence.BLOCKED, 2)
    assert people.run(lambda tx: tx.find(Timer)) == [
        Timer("unreachable_person:p1", "unreachable_person", "p1", NOW)
    ]
    assert await claimed(people, clock) == []
    await sends(people, clock, by_text["other"], 1)
    assert await people.outbox.next_due(clock()) is None


async def test_dead_keeps_a_code_and_what_a_human_needs(people: Store, clock: SettableClock) -> None:
    say(people, "p1", "hello", params={"code": "R-1"})
    say(people, "p1", "next")
    (delivery,) = await claimed(people, clock)
    await people.outbox.settle([Dead(delivery.id, "bad_request")], clock())
    row = people.run(lambda tx: _row(tx, delivery.id))
    assert row == ("dead", "bad_request", '{"code":"R-1"}', "[]")
    assert [t.id for t in people.run(lambda tx: tx.find(Timer))] == ["undelivered:outbox"]
    assert [d.text for d in await claimed(people, clock)] == ["next"]


async def test_somebody_without_an_account_stops_nobody(people: Store, clock: SettableClock) -> None:
    say(people, "nobody", "hello")
    say(people, "p1", "hello")
    assert [d.person_id for d in await claimed(people, clock)] == ["p1"]
    clock.now = NOW + LEASE
    assert [d.person_id for d in await claimed(people, clock)] == ["p1"]


async def test_recall_drops_what_waits(people: Store, clock: SettableClock) -> None:
    say(people, "p1", "flying")
    await claimed(people, clock)
    for slot in ("a", "b"):
        say(people, "p1", slot, slot=slot)
        say(people, "p2", slot, slot=slot)
    people.run(lambda tx: tx.recall_notices("p1", "a"))
    assert sorted(await _texts(people)) == ["a", "b", "b", "flying"]
    people.run(lambda tx: tx.recall_notices("p1"))
    assert sorted(await _texts(people)) == ["a", "b", "flying"]  # p2's two, and what is being sent


async def test_many_senders_send_each_notice_once_and_in_order(
    database_url: str, clock: SettableClock
) -> None:
    """Four senders (on PostgreSQL each with a store of its own) and 40 people with ten notices each."""
    stores = [open_store(database_url, clock, seed=None)]
    if database_url.startswith("postgresql"):
        stores += [open_store(database_url, clock, seed=None, worker=f"w{n}") for n in range(3)]
    for n in range(40):
        stores[0].run(add_person, f"p{n}", n)
    for k in range(10):
        stores[0].run(_say_to_all, f"{k}")
    sent: list[tuple[str, str]] = []
    in_flight: set[str] = set()

    async def sender(store: Store) -> None:
        while await store.outbox.next_due(clock()) is not None:
            for delivery in await claimed(store, clock, 7):
                assert delivery.person_id not in in_flight
                in_flight.add(delivery.person_id)
                await asyncio.sleep(0)
                sent.append((delivery.person_id, delivery.text))
                in_flight.discard(delivery.person_id)
                await sends(store, clock, delivery, len(sent))

    await asyncio.gather(*[sender(stores[n % len(stores)]) for n in range(4)])
    for store in stores:
        store.close()
    assert len(sent) == 400
    for n in range(40):
        assert [text for person, text in sent if person == f"p{n}"] == [str(k) for k in range(10)]


def _say_to_all(tx: Tx, text: str) -> None:
    for n in range(40):
        tx.say(Notice(f"p{n}", text))


def _row(tx: Tx, row_id: int) -> tuple[Any, ...]:
    from storage.sql import Sql

    assert isinstance(tx, StoreTx)
    return tuple(
        tx.connection.rows(
            Sql("SELECT state, code, params, buttons FROM outbox WHERE id = :id"), {"id": row_id}
        )[0]
    )


async def _texts(store: Store) -> list[str]:
    return [row[0] for row in await _select(store, "SELECT text FROM outbox WHERE state = 'waiting'")]


async def _waiting_ids(store: Store, *, claimed_only: bool) -> list[int]:
    where = "claimed" if claimed_only else "state = 'waiting'"
    return [row[0] for row in await _select(store, f"SELECT id FROM outbox WHERE {where}")]


async def _select(store: Store, statement: str) -> list[tuple[Any, ...]]:
    from storage.sql import Sql

    def verb(tx: Tx) -> list[tuple[Any, ...]]:
        assert isinstance(tx, StoreTx)
        return tx.connection.rows(Sql(statement))

    return await store.turn(verb)

"""One verb, one transaction, one answer after the commit: on both databases."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest

from referrals.access import Action
from referrals.errors import NotFound, StaleRow, StoreError
from referrals.model import Actor, AuditEntry, Role
from referrals.persons import Person, Scrap
from referrals.ports import Tx
from storage.store import Store
from tests.support.rows import a_person, add_scrap
from tests.support.store import SettableClock, open_store

SYSTEM_ENTRY = AuditEntry(Actor("p1", Role.FAMILY), Action.PERSON_SETTINGS, "person:p1")


def scraps(store: Store) -> list[str]:
    return [s.id for s in store.run(lambda tx: tx.find(Scrap))]


def test_a_turn_answers_and_stands(store: Store) -> None:
    assert store.run(add_scrap, "a") == "a"
    assert scraps(store) == ["a"]


@pytest.mark.parametrize("error", [NotFound(), KeyError("x"), ZeroDivisionError()])
def test_a_turn_that_raises_is_undone_and_its_caller_gets_the_error(store: Store, error: Exception) -> None:
    def fails(tx: Tx) -> None:
        add_scrap(tx, "a")
        tx.audit(SYSTEM_ENTRY)
        tx.first_time("update:1")
        raise error

    with pytest.raises(type(error)) as caught:
        store.run(fails)
    assert caught.value is error
    assert scraps(store) == []
    assert store.run(lambda tx: tx.first_time("update:1"))


async def test_many_at_once_fail_alone(store: Store) -> None:
    """Every third turn of a crowd is poison, half of it by a database error."""

    def verb(tx: Tx, n: int) -> int:
        add_scrap(tx, f"{n:03}")
        if n % 6 == 0:
            raise NotFound
        if n % 3 == 0:
            add_scrap(tx, f"{n:03}")  # the same id twice
        return n

    answers = await asyncio.gather(*[store.turn(verb, n) for n in range(120)], return_exceptions=True)
    for n, answer in enumerate(answers):
        if n % 3:
            assert answer == n
        else:
            assert isinstance(answer, NotFound if n % 6 == 0 else StoreError)
    assert scraps_of(await store.turn(lambda tx: tx.find(Scrap))) == [f"{n:03}" for n in range(120) if n % 3]


def scraps_of(found: list[Scrap]) -> list[str]:
    return [s.id for s in found]


async def test_64_writers_of_one_row_lose_nothing(store: Store) -> None:
    """Each reads, then writes what it read plus one: with a lock nobody's work is lost."""
    store.run(lambda tx: tx.add(a_person("p1", language="0")))

    def count_up(tx: Tx, writer: int, step: int) -> str:
        tx.audit(SYSTEM_ENTRY)
        add_scrap(tx, f"{writer}-{step}")
        person = tx.get(Person, "p1", lock=True)
        assert person is not None
        return tx.save(replace(person, language=str(int(person.language) + 1))).language

    async def writer(number: int) -> list[str]:
        return [await store.turn(count_up, number, step) for step in range(5)]

    answers = await asyncio.gather(*[writer(n) for n in range(64)])
    told = sorted(int(answer) for some in answers for answer in some)
    assert told == list(range(1, 321))  # each number was handed out once
    assert await store.turn(lambda tx: tx.count(Scrap)) == 320
    assert await store.verify_audit() == []


async def test_writers_without_a_lock_are_run_again(store: Store) -> None:
    store.run(lambda tx: tx.add(a_person("p1", language="0")))

    def count_up(tx: Tx) -> None:
        person = tx.get(Person, "p1")
        assert person is not None
        tx.save(replace(person, language=str(int(person.language) + 1)))

    answers = await asyncio.gather(*[store.turn(count_up) for _ in range(40)], return_exceptions=True)
    failed = [a for a in answers if isinstance(a, BaseException)]
    assert all(isinstance(error, StaleRow) for error in failed)  # after many tries, and told so
    person = store.run(lambda tx: tx.get(Person, "p1"))
    assert person is not None
    assert int(person.language) == 40 - len(failed)


async def test_a_redelivered_update_is_handled_once(store: Store) -> None:
    """At least once from Telegram, once here: whatever the order and however many at once."""

    def handle(tx: Tx, update: int) -> bool:
        if not tx.first_time(f"update:{update}"):
            return False
        add_scrap(tx, f"u{update}")
        return True

    deliveries = [update for update in range(50) for _ in range(4)]
    answers = await asyncio.gather(*[store.turn(handle, update) for update in deliveries])
    assert sum(answers) == 50
    assert store.run(lambda tx: tx.count(Scrap)) == 50


async def test_two_who_meet_the_same_stranger(store: Store) -> None:
    """Both find nobody and add the person: the second is run again and finds the first."""

    def meet(tx: Tx, account: int) -> str:
        person = tx.person_of_account(account)
        if person is None:
            person = a_person(tx.new_id())
            tx.add(person)
            tx.bind_account(person.id, account)
        return person.id

    for account in range(10):
        ids = await asyncio.gather(*[store.turn(meet, account) for _ in range(8)])
        assert len(set(ids)) == 1
    assert store.run(lambda tx: tx.count(Person)) == 10


def test_a_turn_has_one_instant_and_knows_the_clock(store: Store, clock: SettableClock) -> None:
    assert store.run(lambda tx: (tx.now, tx.now)) == (clock.now, clock.now)
    later = clock.advance(hours=1)
    assert store.run(lambda tx: tx.now) == later


def test_ids_and_draws(store: Store) -> None:
    ids = store.run(lambda tx: [tx.new_id() for _ in range(1000)])
    assert len(set(ids)) == 1000
    assert all(len(i) == 16 for i in ids)
    assert all(60 <= n <= 300 for n in store.run(lambda tx: [tx.draw(60, 300) for _ in range(100)]))


def test_a_turn_inside_a_turn_is_refused_and_not_waited_for(store: Store) -> None:
    with pytest.raises(RuntimeError, match="this turn's tx"):
        store.run(lambda tx: store.run(add_scrap, "a"))


async def test_a_cancelled_caller_harms_nobody(store: Store) -> None:
    waiting = [asyncio.ensure_future(store.turn(add_scrap, f"{n:02}")) for n in range(20)]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [a for a in answers if isinstance(a, str)] == [f"{n:02}" for n in range(1, 20, 2)]


async def test_long_reads_are_beside_the_turns_and_cannot_write(store: Store) -> None:
    store.run(add_scrap, "a")
    started, go_on = threading.Event(), threading.Event()

    def slow(tx: Tx) -> tuple[int, int]:
        before = tx.count(Scrap)
        started.set()
        assert go_on.wait(10)
        return before, tx.count(Scrap)

    reading = asyncio.ensure_future(store.read(slow))
    await asyncio.to_thread(started.wait, 10)
    await asyncio.wait_for(store.turn(add_scrap, "b"), 5)
    go_on.set()
    assert await reading == (1, 1)  # one moment, whatever was committed meanwhile
    with pytest.raises(StoreError):
        await store.read(add_scrap, "c")
    with pytest.raises(StoreError):
        await store.read(lambda tx: tx.audit(SYSTEM_ENTRY))
    assert scraps(store) == ["a", "b"]


async def test_close_finishes_what_is_queued_and_refuses_what_comes_after(
    database_url: str, clock: SettableClock
) -> None:
    store = open_store(database_url, clock)
    waiting = [asyncio.ensure_future(store.turn(add_scrap, f"{n:03}")) for n in range(200)]
    await asyncio.sleep(0)
    await store.aclose()
    store.close()
    assert await asyncio.gather(*waiting) == [f"{n:03}" for n in range(200)]
    with pytest.raises(StoreError):
        await store.turn(add_scrap, "late")
    again = open_store(database_url, clock)
    assert len(scraps(again)) == 200
    again.close()


def test_results_may_be_anything(store: Store) -> None:
    answer: Any = object()
    assert store.run(lambda tx: answer) is answer

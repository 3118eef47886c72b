"""Timers of a kind that share a turn: none is lost when one fails, and a subject's order holds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest

from bot.clock import TOGETHER, Clock, FireTogether, Heartbeat
from referrals.ports import Tx
from referrals.said import Timer
from storage.store import Store
from tests.support.store import open_store

NOW = Clock().now()


class Fired:
    """Takes timers and notes them; the subject 'broken' cannot be done."""

    def __init__(self) -> None:
        self.alone: list[str] = []
        self.together: list[list[str]] = []

    def fire(self, tx: Tx, timer_id: str, due_at: datetime) -> None:
        timer = tx.take_timer(timer_id, due_at)
        if timer is not None:
            if timer.subject == "broken":
                raise ValueError("broken")
            self.alone.append(timer.id)

    def fire_many(self, tx: Tx, timers: Sequence[Timer]) -> None:
        subjects = [timer.subject for timer in tx.take_timers(timers)]
        if "broken" in subjects:
            raise ValueError("broken")
        self.together.append(subjects)


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    opened = open_store(sqlite_url, clock=lambda: NOW)
    yield opened
    opened.close()


def beat(store: Store, fired: Fired) -> Heartbeat:
    return Heartbeat(store, fired.fire, Clock(), lambda: None, FireTogether({"many"}, fired.fire_many))


async def set_timers(store: Store, *timers: tuple[str, str]) -> None:
    await store.turn(lambda tx: tx.set_timers([(*t, NOW - timedelta(seconds=1)) for t in timers]))


async def test_those_of_a_kind_share_turns_and_a_subject_with_two_goes_in_order(store: Store) -> None:
    fired = Fired()
    several = [("many", f"s{n:03}") for n in range(TOGETHER * 3 // 2)]
    await set_timers(store, *several, ("many", "two"), ("other", "two"), ("other", "s"))
    assert await beat(store, fired)._timers() == len(several) + 3
    assert sorted(map(len, fired.together)) == [TOGETHER // 2, TOGETHER]
    assert sorted(fired.alone) == ["many:two", "other:s", "other:two"]


async def test_one_that_fails_holds_up_nobody(store: Store) -> None:
    fired = Fired()
    await set_timers(store, *[("many", f"s{n}") for n in range(5)], ("many", "broken"))
    await beat(store, fired)._timers()
    assert fired.together == []
    assert sorted(fired.alone) == [f"many:s{n}" for n in range(5)]
    left = store.run(lambda tx: tx.find(Timer))
    assert [(t.subject, t.attempts) for t in left] == [("broken", 1)]


async def test_what_a_turn_made_due_at_once_waits_for_no_beat(store: Store) -> None:
    fired = Fired()
    heart = beat(store, fired)
    heart.start()
    try:
        heart._scheduler.pause()  # no beat of its own: only the look is left
        await set_timers(store, ("other", "now"))
        for _ in range(100):
            heart.look()
        async with asyncio.timeout(10):
            while not fired.alone:
                await asyncio.sleep(0.005)
    finally:
        await heart.stop()
    assert fired.alone == ["other:now"]

"""The running product does its own upkeep: keys move and old bytes go without a command, beside the beats."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.clock import UPKEEP_EVERY, Clock, Heartbeat
from referrals.model import DataClass, Record, person_holder
from referrals.ports import Tx
from storage.store import Store
from tests.support.store import open_store

OWN = person_holder("p1")


class Slow(Store):
    """The real store; its upkeep waits to be let go on."""

    may_go_on: asyncio.Event

    async def sweep(self, now: datetime) -> int:
        await self.may_go_on.wait()
        return await super().sweep(now)


def _heart(store: Store, clock: Clock) -> Heartbeat:
    return Heartbeat(store, lambda *_: None, clock, lambda: None)


def _seal(tx: Tx) -> None:
    tx.seal(Record("referral", "r1"), DataClass.STORY, "note", "a story", (OWN,))


async def _rotated(store: Store) -> None:
    await store.turn(_seal)
    await store.turn(lambda tx: tx.rotate_holder(OWN))


async def _states(store: Store) -> list[str]:
    return [key.state for key in await store.key_statuses()]


async def test_an_hour_later_the_old_key_is_destroyed(database_url: str, tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock.json")
    store = open_store(database_url, clock.now)
    heart = _heart(store, clock)
    await _rotated(store)
    await heart.beat()
    assert await _states(store) == ["retiring", "active"]
    clock.advance(UPKEEP_EVERY)
    await heart.beat()
    await asyncio.gather(*[task for task in asyncio.all_tasks() if task.get_name() == "upkeep"])
    assert await _states(store) == ["destroyed", "active"]
    assert await store.last_scrub() is not None
    await store.aclose()


class Turned(Clock):
    """A clock that somebody sets right."""

    off = timedelta()

    def now(self) -> datetime:
        return super().now() + self.off


async def test_upkeep_goes_on_when_a_clock_that_was_ahead_is_set_right(sqlite_url: str) -> None:
    clock = Turned()
    store = open_store(sqlite_url, clock.now)
    heart = _heart(store, clock)
    clock.off = timedelta(days=30)
    await heart.beat()
    await asyncio.gather(*[task for task in asyncio.all_tasks() if task.get_name() == "upkeep"])
    clock.off = timedelta()
    await _rotated(store)
    await heart.beat()
    await asyncio.gather(*[task for task in asyncio.all_tasks() if task.get_name() == "upkeep"])
    assert await _states(store) == ["destroyed", "active"]
    await store.aclose()


async def test_long_upkeep_holds_up_no_beat_and_no_stop(sqlite_url: str, tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock.json")
    open_store(sqlite_url, clock.now).close()
    store = open_store(sqlite_url, clock.now)
    store.__class__ = Slow
    assert isinstance(store, Slow)
    store.may_go_on = asyncio.Event()
    heart = _heart(store, clock)
    heart.start()
    await _rotated(store)
    for _ in range(3):
        clock.advance(UPKEEP_EVERY)
        await heart.beat()  # comes back although the upkeep waits; never two at once
    assert sum(task.get_name() == "upkeep" for task in asyncio.all_tasks()) == 1
    assert clock.now() - datetime.now(UTC) > timedelta(hours=2)
    await heart.stop()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "upkeep"]
    assert await _states(store) == ["retiring", "active"]
    await store.aclose()

"""Five thousand reminders due at once: how long until all are queued, and does the event loop stand still?

The product's own heartbeat and verbs on a network of 500 mentors with ten members each. Meanwhile a ticker on
the same loop notes the longest gap between two of its ticks: what a webhook would have waited.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import perf_counter

from benchmarks.harness import Row, milliseconds, progress
from benchmarks.stores import POSTGRES, SQLITE, Databases, databases, open_store
from bot.clock import Clock, FireTogether, Heartbeat
from referrals import case_codes
from referrals.members import Enrolment
from referrals.model import Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.people import people
from referrals.service.timers import TOGETHER, fire, fire_many
from storage.store import Store

MENTORS, MEMBERS_EACH = 500, 10
FIRST_ACCOUNT = 9_000_000
TICK_S = 0.001


def measure(quick: bool) -> Iterator[Row]:
    """Seconds until all are queued, and the longest gap of the loop."""
    rounds = 3 if quick else 7
    with databases() as made:
        for kind in (SQLITE, POSTGRES):
            yield from _bursts(made, kind, rounds)


def _bursts(made: Databases, kind: str, rounds: int) -> Iterator[Row]:
    progress(f"due: {MENTORS * MEMBERS_EACH:,} reminders at once on {kind}")
    url = made.create(kind)
    store = open_store(url, made.key_file(url))
    store.run(_add_mentors)
    members = [m for n in range(0, MENTORS, 50) for m in store.run(_add_members, n)]
    took, gaps = [], []
    gc.collect()
    gc.freeze()  # as the product does when it starts
    for _ in range(rounds + 1):
        _make_due(store, members)
        seconds, gap = asyncio.run(_one_beat(store))
        took.append(seconds)
        gaps.append(gap)
    store.close()
    took, gaps = took[1:], gaps[1:]  # the first one warms up
    name = f"{len(members):,} due at once, {kind}"
    yield Row(f"{name}: until all are queued", took, milliseconds(took), "", "s", "<= 0.5 s")
    yield Row(
        f"{name}: longest gap in the loop", [g * 1000 for g in gaps], milliseconds(gaps), "", "ms", "<= 20 ms"
    )


async def _one_beat(store: Store) -> tuple[float, float]:
    beat = Heartbeat(store, fire, Clock(), lambda: None, FireTogether(TOGETHER, fire_many))
    ticker = asyncio.create_task(_longest_gap())
    await asyncio.sleep(TICK_S * 5)
    begin = perf_counter()
    await beat._timers()
    seconds = perf_counter() - begin
    ticker.cancel()
    gap = (await asyncio.gather(ticker, return_exceptions=True))[0]
    waiting = await store.turn(lambda tx: tx.count(Enrolment))
    if waiting != MENTORS * MEMBERS_EACH:
        raise RuntimeError("members were lost")
    return seconds, float(str(gap))


async def _longest_gap() -> float:
    longest, before = 0.0, perf_counter()
    try:
        while True:
            await asyncio.sleep(TICK_S)
            now = perf_counter()
            longest, before = max(longest, now - before), now
    except asyncio.CancelledError:
        return longest


def _make_due(store: Store, members: list[str]) -> None:
    """As if an hour had come: everybody's reminder is due, and nobody has been asked yet."""

    def set_back(tx: Tx) -> None:
        from referrals.members import CheckIn

        for check_in in tx.find(CheckIn):
            tx.clear_timers(check_in.id)
            tx.remove(check_in)

    store.run(set_back)
    due = datetime.now(UTC) - timedelta(seconds=1)
    store.run(lambda tx: tx.set_timers([("check_in", member, due) for member in members]))


def _add_mentors(tx: Tx) -> None:
    for n in range(MENTORS):
        person = people.meet(tx, FIRST_ACCOUNT + n)
        people.choose_language(tx, person.id, "en")
        tx.add(Seat(f"mentor-{n}", Role.MENTOR, None, person.id))


def _add_members(tx: Tx, first: int) -> list[str]:
    programme = tx.catalogue.programmes["return-home-club"]
    rows = [
        Enrolment(
            id=tx.new_id(),
            code=case_codes.numbered(mentor * MEMBERS_EACH + n, case_codes.LONG),
            programme=programme.id,
            programme_version=programme.version,
            phase="first-90-days",
            phase_since=tx.now,
            mentor_seat=f"mentor-{mentor}",
            backup_seat=f"mentor-{(mentor + 1) % MENTORS}",
            timezone="Asia/Bangkok",
        )
        for mentor in range(first, first + 50)
        for n in range(MEMBERS_EACH)
    ]
    tx.add(*rows)
    return [row.id for row in rows]

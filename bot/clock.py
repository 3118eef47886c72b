"""The product's clock, and the heartbeat that finds what is due.

The scheduler is only a heartbeat: what waits is a row with a due time, each taken in a turn of its own, so a
beat that comes late, twice or not at all loses and repeats nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Protocol, cast

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from referrals.errors import PulangError, StoreError
from referrals.ports import Turns, Tx
from referrals.said import Notice, Priority, Timer
from storage.tx import StoreTx

BEAT_S = 1.0
LOOK_S = 0.05  # what a turn made due at once waits no longer than this
BATCH = 500
TOGETHER = 100  # timers of one kind that share a turn: a turn takes at most 20 ms
BUNDLES = 2  # such turns under way: a press waits for no more of them, and the event loop gets its share
POSTPONE_S = (5, 30, 120, 600, 1800, 3600)
UPKEEP_EVERY = timedelta(hours=1)
DELETE_AGAIN_AFTER = timedelta(hours=1)

log = structlog.get_logger("bot.clock")

Fire = Callable[[Tx, str, datetime], None]


@dataclass(frozen=True, slots=True)
class FireTogether:
    """Kinds of timers of which thousands can be due at once, and the verb that takes several of one kind."""

    kinds: Container[str] = ()
    fire: Callable[[Tx, Sequence[Timer]], None] = lambda _tx, _timers: None


class Clock:
    """Aware UTC. In a demo it can be moved forward, and the offset outlives a restart."""

    def __init__(self, kept_in: Path | None = None) -> None:
        self._kept_in = kept_in
        self._offset = timedelta()
        if kept_in is not None and kept_in.exists():
            self._offset = timedelta(seconds=float(json.loads(kept_in.read_text())["offset_s"]))

    def now(self) -> datetime:
        """The instant."""
        return datetime.now(UTC) + self._offset

    @property
    def offset_s(self) -> float:
        """How far it was moved."""
        return self._offset.total_seconds()

    def advance(self, by: timedelta) -> None:
        """Move forward; only a clock with a file can be moved."""
        if self._kept_in is None:
            raise ValueError("only a demo's clock can be moved")
        self._offset += max(by, timedelta())

    def keep(self) -> None:
        """Write the offset down."""
        if self._kept_in is not None:
            fresh = self._kept_in.with_suffix(".new")
            fresh.write_text(json.dumps({"offset_s": self.offset_s}))
            fresh.replace(self._kept_in)


class Waiting(Turns, Protocol):
    """What the heartbeat needs of the store."""

    async def due_timers(self, now: datetime, limit: int) -> Sequence[Timer]: ...

    async def sweep(self, now: datetime) -> int: ...


class Heartbeat:
    """Takes what is due. `fire` is the door of all timers; `committed` wakes the outbox."""

    def __init__(
        self,
        store: Waiting,
        fire: Fire,
        clock: Clock,
        committed: Callable[[], None],
        together: FireTogether | None = None,
    ) -> None:
        self._store = store
        self._fire = fire
        self._together = together or FireTogether()
        self._clock = clock
        self._committed = committed
        self._one_at_a_time = asyncio.Lock()
        self._few_bundles = asyncio.Semaphore(BUNDLES)
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._upkeep_at = clock.now() + timedelta(minutes=5)
        self._upkeep: asyncio.Task[None] | None = None
        self._look: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Beat from now on."""
        self._scheduler.add_job(
            self.beat, "interval", seconds=BEAT_S, max_instances=1, coalesce=True, misfire_grace_time=None
        )
        self._scheduler.start()

    def look(self) -> None:
        """A turn was just committed: what it made due at once does not wait for the next beat.

        Many turns share a look, so that presses in thousands cost twenty small queries a second.
        """
        if self._scheduler.running and self._look is None:
            self._look = asyncio.create_task(self._soon(), name="look")

    async def _soon(self) -> None:
        await asyncio.sleep(LOOK_S)
        self._look = None
        await self.beat()

    async def stop(self) -> None:
        """No further beat; the one under way is finished."""
        if not self._scheduler.running:
            return
        self._scheduler.pause()
        if self._look is not None:
            self._look.cancel()
        async with self._one_at_a_time:  # shutting down cancels a beat that runs, so let it end first
            self._scheduler.shutdown(wait=False)
        if self._upkeep is not None:
            self._upkeep.cancel()  # between two of its small turns; the next start goes on
            await asyncio.gather(self._upkeep, return_exceptions=True)

    async def beat(self) -> int:
        """Everything that is due now: timers, old messages, at times upkeep. Returns how much that was."""
        async with self._one_at_a_time:
            try:
                done = await self._timers() + await self._old_messages()
                now, due = self._clock.now(), self._upkeep_at
                if now >= due or due - now > UPKEEP_EVERY:  # the latter: a clock that was ahead was set right
                    self._upkeep_at = now + UPKEEP_EVERY
                    self._begin_upkeep()
                return done
            except StoreError as error:
                log.warning("beat_failed", code=error.code)
                return 0

    def _begin_upkeep(self) -> None:
        """Beside the beats: after a rotation there can be many wraps to move, and no alert waits for that."""
        if self._upkeep is None or self._upkeep.done():
            self._upkeep = asyncio.create_task(self._sweep(), name="upkeep")

    async def _sweep(self) -> None:
        try:
            await self._store.sweep(self._clock.now())
        except StoreError as error:
            log.warning("upkeep_failed", code=error.code)

    async def _timers(self) -> int:
        done = 0
        while timers := await self._store.due_timers(self._clock.now(), BATCH):
            await self._fire_all(timers)
            self._committed()
            done += len(timers)
        return done

    async def _fire_all(self, timers: Sequence[Timer]) -> None:
        """Those of one subject in their order, different subjects side by side, and some kinds together."""
        ordered = sorted(timers, key=lambda t: (t.subject, t.due_at))
        by_subject = [list(group) for _, group in groupby(ordered, key=lambda t: t.subject)]
        alone = [group for group in by_subject if not self._fires_together(group)]
        many = sorted((g[0] for g in by_subject if self._fires_together(g)), key=lambda t: (t.kind, t.due_at))
        bundles = [
            same[at : at + TOGETHER]
            for same in (list(group) for _, group in groupby(many, key=lambda t: t.kind))
            for at in range(0, len(same), TOGETHER)
        ]
        await asyncio.gather(*map(self._in_order, alone), *map(self._bundle, bundles))

    def _fires_together(self, of_subject: Sequence[Timer]) -> bool:
        """One that failed before goes alone, and so does a subject with several: their order counts."""
        first = of_subject[0]
        return len(of_subject) == 1 and first.kind in self._together.kinds and not first.attempts

    async def _bundle(self, timers: Sequence[Timer]) -> None:
        """Several in one turn. If it fails, each is taken alone, so that one of them holds up nobody."""
        try:
            async with self._few_bundles:
                await self._store.turn(self._together.fire, timers)
        except StoreError:
            raise
        except Exception as error:
            log.error("timers_failed", kind=timers[0].kind, count=len(timers), exc_info=error)
            await asyncio.gather(*(self._fire_one(timer) for timer in timers))

    async def _in_order(self, timers: Iterable[Timer]) -> None:
        for timer in timers:
            await self._fire_one(timer)

    async def _fire_one(self, timer: Timer) -> None:
        try:
            await self._store.turn(self._fire, timer.id, timer.due_at)
        except StoreError:
            raise
        except Exception as error:
            code = error.code if isinstance(error, PulangError) else ""
            # The subject is an id of somebody's matter: only the kind is told.
            log.error("timer_failed", kind=timer.kind, attempts=timer.attempts + 1, code=code, exc_info=error)
            pause = POSTPONE_S[min(timer.attempts, len(POSTPONE_S) - 1)]
            await self._store.turn(_postpone, timer, self._clock.now() + timedelta(seconds=pause))

    async def _old_messages(self) -> int:
        count = await self._store.turn(delete_old_messages, BATCH)
        if count:
            self._committed()
        return count


def _postpone(tx: Tx, timer: Timer, due_at: datetime) -> None:
    cast("StoreTx", tx).postpone_timer(timer.id, due_at, timer.attempts + 1)


def delete_old_messages(tx: Tx, limit: int) -> int:
    """A turn: queue the deletion of old messages; again each hour until done."""
    due = cast("StoreTx", tx).messages_due(tx.now, limit)
    for message in due:
        tx.say(Notice(message.person_id, "", priority=Priority.BULK, message_id=message.message_id))
        tx.save(replace(message, delete_at=tx.now + DELETE_AGAIN_AFTER))
    return len(due)

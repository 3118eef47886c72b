"""What the product keeps beside the root key: the ledger of erasures, and an end to old backup keys.

An erasure is finished when its line is on the disk outside the database. No turn waits for that disk: the
lines are written here, about a second after their commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog

from bot.clock import Clock
from referrals.errors import PulangError
from referrals.ports import Erasure
from storage.backup_keys import expire_keys, folder_beside
from storage.ledger import KEEP, Ledger, ledger_beside
from storage.store import Store

BEAT_S = 1.0
AFTER_FAILURE_S = 30.0
BATCH = 500
TIDY_EVERY = timedelta(hours=1)

log = structlog.get_logger("bot.keeping")


class Kept(Protocol):
    """What the keeper needs of the store."""

    async def unwritten_erasures(self, limit: int) -> list[Erasure]: ...

    async def erasures_written(self, names: list[str]) -> None: ...

    async def write_erasures_again(self, in_ledger: Collection[str], since: datetime) -> int: ...

    async def forget_erasures(self, now: datetime) -> int: ...


class Keeper:
    """Writes the ledger behind the turns; hourly it drops what no backup can outlive."""

    def __init__(self, store: Kept, ledger: Ledger, keys: Path, clock: Clock) -> None:
        self._store, self._ledger, self._keys, self._clock = store, ledger, keys, clock
        self._tidied_at: datetime | None = None

    @classmethod
    def of(cls, store: Store, root_key_file: Path, clock: Clock) -> Keeper:
        """The keeper of an opened network."""
        return cls(store, ledger_beside(root_key_file, store.lasting), folder_beside(root_key_file), clock)

    def check(self) -> None:
        """At a start, before anything is taken in: the ledger can be written. ConfigurationError."""
        self._ledger.check(self._clock.now())

    async def run(self) -> None:
        """Until it is cancelled. A disk that is full or away is told in the log, and tried again."""
        behind = True
        while True:
            pause = BEAT_S
            try:
                if behind:
                    await self.catch_up()
                    behind = False
                await self.flush()
                await self.tidy()
            except (OSError, PulangError) as error:
                code = error.code if isinstance(error, PulangError) else type(error).__name__
                log.error("ledger_failed", code=code)
                pause = AFTER_FAILURE_S
            await asyncio.sleep(pause)

    async def catch_up(self) -> int:
        """At a start: what the database knows and the ledger, lost or cut, does not say is written again."""
        since = self._clock.now() - KEEP
        told = await asyncio.to_thread(self._ledger.read)
        lacking = await self._store.write_erasures_again({e.name for e in told.erasures}, since)
        if lacking:
            log.warning("ledger_lacked_lines", count=lacking)
        return lacking

    async def flush(self) -> int:
        """Write everything that is not in the ledger yet; how much that was. OSError, PulangError."""
        done = 0
        while waiting := await self._store.unwritten_erasures(BATCH):
            await asyncio.to_thread(self._ledger.write, waiting, self._clock.now())
            await self._store.erasures_written([erasure.name for erasure in waiting])
            done += len(waiting)
        return done

    async def finish(self) -> None:
        """At the end: what the last turns erased. What cannot be written now is written at the next start."""
        try:
            await self.flush()
        except (OSError, PulangError) as error:
            log.error("ledger_failed", code=type(error).__name__)

    async def tidy(self) -> None:
        """Hourly, and at the start: expired keys go, old lines go, and a mark says that we were here.

        Nothing goes while the clock may have leapt: what is destroyed a month too early is gone for good.
        """
        now, before = self._clock.now(), self._tidied_at
        if before is not None and before <= now < before + TIDY_EVERY:
            return
        self._tidied_at = now
        if await asyncio.to_thread(self._ledger.steady, now):
            await self._destroy_old(now)
        await asyncio.to_thread(self._ledger.write, (), now)

    async def _destroy_old(self, now: datetime) -> None:
        gone = await asyncio.to_thread(expire_keys, self._keys, now)
        if gone:
            log.info("backup_keys_expired", count=len(gone))
        await asyncio.to_thread(self._ledger.prune, now)
        while await self._store.forget_erasures(now):
            continue

"""Delivers what is due: claims in batches, sends side by side within Telegram's limits, settles in batches.

Nothing is sent before its turn's commit, and nothing is forgotten: a claim is a lease, so a crash between
sending and settling repeats a message at worst. Priorities hold at the moment of sending, because only as
much is claimed as may leave at once.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.pace import Pace
from bot.telegram_out import GIVE_UP_AFTER, End, Flood, Messenger, Trouble
from referrals.errors import StoreError
from referrals.ports import Dead, Delivery, Later, Outbox

POLL_S = 1.0
PARALLEL = 64
LONGEST_HOLD_S = 5.0  # longer waits go back to the outbox, so that no lease runs out
SOON_S = 10.0
DRAIN_S = 25.0
LONGEST_TROUBLE_S = 30.0

log = structlog.get_logger("bot.outbox")


class Deliverer:
    """One sender; several processes may run one each. `clock` gives aware UTC."""

    def __init__(
        self,
        outbox: Outbox,
        messenger: Messenger,
        pace: Pace,
        clock: Callable[[], datetime],
        parallel: int = PARALLEL,
    ) -> None:
        self._outbox = outbox
        self._messenger = messenger
        self._pace = pace
        self._clock = clock
        self._parallel = parallel
        self._sending: dict[int, asyncio.Task[None]] = {}
        self._ends: dict[int, End] = {}
        self._soon: dict[int, float] = {}
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()
        self._claiming = asyncio.Lock()
        self._stopping = False
        self._trouble_s = 0.0
        self._dice = random.Random()  # noqa: S311 - only spreads what is tried again

    def wake(self) -> None:
        """A turn was committed: look now. Many wake-ups become one look."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until `stop`; what is under way then is finished and settled."""
        settling = asyncio.create_task(self._settle_until_stopped())
        while not self._stopping:
            self._wake.clear()
            if not await self._claim():
                await self._idle()
        if self._sending:
            await asyncio.wait(self._sending.values())
        self._ended.set()
        await settling

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping = True
        self._wake.set()
        self._ended.set()

    async def drain(self) -> None:
        """Return when nothing is due and nothing under way, soon repeated tries included."""
        deadline = time.monotonic() + DRAIN_S
        while time.monotonic() < deadline and not self._stopping:
            claimed = await self._claim()
            waiting = self._sending or self._ends or self._soon_again()
            if not claimed and not waiting and self._pace.room(time.monotonic()):
                return
            if not claimed:
                await asyncio.sleep(0.01)

    def _soon_again(self) -> bool:
        now = time.monotonic()
        self._soon = {known: at for known, at in self._soon.items() if at > now}
        return bool(self._soon)

    async def _claim(self) -> int:
        """Lease as much as may leave now and start sending it; how many that was."""
        async with self._claiming:
            room = min(self._parallel - len(self._sending), self._pace.room(time.monotonic()))
            if room <= 0 or self._stopping:
                return 0
            try:
                deliveries = await self._outbox.claim(self._clock(), room)
            except StoreError as error:
                log.warning("claim_failed", code=error.code)
                return 0
            for delivery in deliveries:
                # A lease that ran out while its end could not be written down: sent already, so not again.
                if delivery.id not in self._ends and delivery.id not in self._sending:
                    self._pace.leave(time.monotonic())
                    self._soon.pop(delivery.id, None)
                    self._sending[delivery.id] = asyncio.create_task(self._send(delivery))
            return len(deliveries)

    async def _idle(self) -> None:
        """Until a turn is committed, something ended, or a second has passed."""
        now = time.monotonic()
        wait = POLL_S if self._pace.room(now) else min(POLL_S, max(0.01, self._pace.until_room(now)))
        try:
            await asyncio.wait_for(self._wake.wait(), wait)
        except TimeoutError:
            return

    async def _send(self, delivery: Delivery) -> None:
        """One delivery to its end; the end is settled with others."""
        try:
            self._ends[delivery.id] = await self._attempt(delivery)
        except Exception as error:
            log.error("delivery_failed", key=delivery.text, exc_info=error)
            # Counted like any other try: what can never be sent must not hold back for ever what follows.
            given_up = delivery.attempts >= GIVE_UP_AFTER
            end = Dead(delivery.id, "unexpected") if given_up else Later(delivery.id, self._in(60))
            self._ends[delivery.id] = end
        finally:
            self._sending.pop(delivery.id, None)
            self._ended.set()

    async def _attempt(self, delivery: Delivery) -> End:
        wait = self._pace.chat_wait(delivery.account, time.monotonic()) if delivery.text else 0.0
        if wait > LONGEST_HOLD_S or (wait and self._pace.paused(delivery.account, time.monotonic())):
            return self._again(delivery, wait)
        if wait:
            await asyncio.sleep(wait)
        outcome = await self._messenger.deliver(delivery, self._clock(), self._dice.random())
        now = time.monotonic()
        if isinstance(outcome, Flood):
            self._pace.flood(delivery.account, outcome.seconds, now)
            log.info("flood", seconds=round(outcome.seconds))
            return self._again(delivery, outcome.seconds)
        if isinstance(outcome, Trouble):
            self._trouble_s = min(LONGEST_TROUBLE_S, max(1.0, self._trouble_s * 2))
            self._pace.pause_all(self._trouble_s, now)
            log.warning("telegram_trouble", code=outcome.code, seconds=round(self._trouble_s))
            return self._again(delivery, self._trouble_s)
        self._trouble_s = 0.0
        if isinstance(outcome, Later):
            self._expect(delivery.id, (outcome.at - self._clock()).total_seconds())
        return outcome

    def _again(self, delivery: Delivery, seconds: float) -> Later:
        """Not the message's fault: later, without counting a try."""
        self._expect(delivery.id, seconds)
        return Later(delivery.id, self._in(seconds), attempt=False)

    def _expect(self, delivery_id: int, seconds: float) -> None:
        if seconds <= SOON_S:
            self._soon[delivery_id] = time.monotonic() + seconds + 1

    def _in(self, seconds: float) -> datetime:
        return self._clock() + timedelta(seconds=seconds)

    async def _settle_until_stopped(self) -> None:
        """Write ends down as they come; whatever gathers while one batch is written is the next batch."""
        while not (self._stopping and not self._sending and not self._ends):
            await self._ended.wait()
            self._ended.clear()
            if self._ends and not await self._settle() and self._stopping:
                return

    async def _settle(self) -> bool:
        batch = dict(self._ends)
        try:
            await self._outbox.settle(list(batch.values()), self._clock())
        except StoreError as error:
            log.warning("settle_failed", code=error.code, count=len(batch))
            await asyncio.sleep(POLL_S)
            self._ended.set()
            return False
        for delivery_id in batch:
            self._ends.pop(delivery_id, None)
        self._wake.set()
        return True

"""Delivers what is due: claims in batches, sends side by side within Telegram's limits, settles in batches.

Nothing is sent before its turn's commit, and nothing is forgotten: a claim is a lease, so a crash between
sending and settling repeats a message at worst. Priorities hold at the moment of sending, because only as
much is claimed as may leave at once. Of several processes one sends: it holds the sender's lease, and begins
no call after the instant at which another could have taken it.
"""

from __future__ import annotations

import asyncio
import math
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
CALM = 48  # of them for what is not urgent: calls that hang must not take every place
LONGEST_HOLD_S = 5.0  # longer waits go back to the outbox, so that no lease runs out
SOON_S = 10.0
DRAIN_S = 25.0
LONGEST_TROUBLE_S = 30.0
RENEW_S = 3.0
SURE_S = 9.0  # a second less than the lease: a call that begins late is none of ours any more
ASK_AGAIN_S = 0.5  # how soon after a clean stop elsewhere this sender begins

log = structlog.get_logger("bot.outbox")


class Deliverer:
    """The sender of a process: it sends while it holds the lease. `clock` gives aware UTC."""

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
        self._asked_at = self._sure_until = -math.inf
        self._dice = random.Random()  # noqa: S311 - only spreads what is tried again

    def wake(self) -> None:
        """A turn was committed: look now. Many wake-ups become one look."""
        self._wake.set()

    async def run(self) -> None:
        """Deliver until `stop`; what is under way then is finished and settled, and the lease given back."""
        settling = asyncio.create_task(self._settle_until_stopped())
        while not self._stopping:
            self._wake.clear()
            if not await self._claim():
                await self._idle()
        if self._sending:
            await asyncio.wait(self._sending.values())
        self._ended.set()
        await settling
        try:
            await self._outbox.let_go()
        except StoreError as error:
            log.warning("lease_not_given_back", code=error.code)

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
            if not claimed and not waiting and self._pace.room(time.monotonic(), urgent=False):
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
            try:
                if self._stopping or not await self._hold():
                    return 0
                room, calm = self._room()
                if room <= 0:
                    return 0
                deliveries = await self._outbox.claim(self._clock(), room, room - calm)
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

    async def _hold(self) -> bool:
        """Whether this process is the one sender; asks for the lease, and renews it in time."""
        now = time.monotonic()
        if now < self._asked_at + RENEW_S:
            return True
        sender = now < self._sure_until
        if not await self._outbox.hold(self._clock()):
            if sender:
                log.warning("another_sender")
            self._sure_until = -math.inf
            return False
        if not sender:
            log.info("sender")
        self._asked_at, self._sure_until = now, now + SURE_S
        return True

    def _room(self) -> tuple[int, int]:
        """How many may leave now, and how many of them if they are not urgent."""
        now, under_way = time.monotonic(), len(self._sending)
        room = min(self._parallel - under_way, self._pace.room(now))
        places = max(1, self._parallel * CALM // PARALLEL)
        free = places - under_way
        if free < places // 4:  # a few at a time would cost a turn for each few
            free = 0
        calm = min(free, self._pace.room(now, urgent=False), room)
        return max(0, room), max(0, calm)

    async def _idle(self) -> None:
        """Until a turn is committed, something ended, a place is free, or a second has passed."""
        now = time.monotonic()
        if now >= self._sure_until:
            wait = ASK_AGAIN_S
        elif self._pace.room(now, urgent=False):
            wait = POLL_S
        else:
            wait = min(POLL_S, max(0.001, self._pace.until_room(now, urgent=False)))
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
        if time.monotonic() >= self._sure_until:  # stood still for too long: another may be at it
            return self._again(delivery, 0.0)
        outcome = await self._messenger.deliver(delivery, self._clock(), self._dice.random())
        now = time.monotonic()
        if isinstance(outcome, Flood):
            self._pace.flood(delivery.account, outcome.seconds, now)
            log.info("flood", seconds=round(outcome.seconds), rate=round(self._pace.estimate, 1))
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

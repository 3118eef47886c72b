"""Moves a demo's clock. Imported by `bot demo` alone: no setting of a real network leads here."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from aiohttp import web

from bot.clock import Clock, Heartbeat

LONGEST_STEP = timedelta(hours=6)  # Telegram deletes nothing older than 48 hours, so old messages go in time
FURTHEST_S = 400 * 24 * 3600.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")

MoveSimulator = Callable[[float], Awaitable[None]]


class TimeMachine:
    """Steps through every due instant on the way, so that a ladder runs rung by rung.

    `move_simulator` moves Telegram's stand-in by so many seconds, always before the product's own clock:
    launch data must never come from the future.
    """

    def __init__(
        self,
        clock: Clock,
        heartbeat: Heartbeat,
        drain: Callable[[], Awaitable[None]],
        next_due: Callable[[], Awaitable[datetime | None]],
        move_simulator: MoveSimulator,
    ) -> None:
        self._clock = clock
        self._heartbeat = heartbeat
        self._drain = drain
        self._next_due = next_due
        self._move_simulator = move_simulator
        self._one_at_a_time = asyncio.Lock()

    def add_to(self, app: web.Application) -> None:
        """Register /demo/clock."""
        app.router.add_post("/demo/clock", self.answer)

    async def answer(self, request: web.Request) -> web.Response:
        """POST /demo/clock {"advance_s"}: answers when everything due is done and its messages are sent."""
        # Only JSON: a page of another origin cannot send it without asking first.
        if request.content_type != "application/json":
            return web.json_response({"error": "send application/json"}, status=415)
        try:
            body = await request.json()
            seconds = float(body["advance_s"])
        except (ValueError, TypeError, KeyError):
            seconds = math.nan
        if not 0 <= seconds <= FURTHEST_S:
            return web.json_response(
                {"error": '{"advance_s"} must be a number of seconds, 0 or more'}, status=400
            )
        await self.advance(seconds)
        return web.json_response({"now": self._clock.now().isoformat()})

    async def advance(self, seconds: float) -> None:
        """Returns when everything due until then is done, and its messages are sent."""
        async with self._one_at_a_time:
            left = timedelta(seconds=seconds)
            await self._settle()
            while left > timedelta():
                step = min(left, LONGEST_STEP, await self._until_due())
                await self._move_simulator(step.total_seconds())
                self._clock.advance(step)
                left -= step
                await self._settle()
            self._clock.keep()

    async def _until_due(self) -> timedelta:
        """How long until something is due; at least a second, so that nothing is waited for in vain."""
        due = await self._next_due()
        if due is None:
            return LONGEST_STEP
        return max(timedelta(seconds=1), due - self._clock.now() + timedelta(milliseconds=1))

    async def _settle(self) -> None:
        """Do and send until nothing more follows from it."""
        await self._drain()
        while await self._heartbeat.beat():
            await self._drain()


@web.middleware
async def loopback_only(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuses names that are not this machine's: a page on the net could point its own name here."""
    host = request.url.host or ""
    if host in LOOPBACK or host.endswith(".localhost"):
        return await handler(request)
    return web.json_response({"error": "a demo is reached by a loopback name only"}, status=421)

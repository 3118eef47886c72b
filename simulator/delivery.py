"""Hands updates to the bot, at least once, as Telegram does: by webhook or by long polling, never both.

Webhook: one in flight per key, in order within a key; anything but 2xx is tried again with growing pauses
or after Retry-After; moving the simulated clock tries at once. Polling: an update is gone when a larger
offset confirms it.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from itertools import chain, islice, takewhile
from typing import Any

import aiohttp

from simulator.botsettings import remember_allowed
from simulator.errors import conflict
from simulator.faults import Faults
from simulator.journal import encode
from simulator.model import Json, Pending
from simulator.world import World

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 8.0
WAIT_FOR_ANSWER = 60.0
LONGEST_POLL = 50
JSON_TYPE = {"Content-Type": "application/json"}
ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
OTHER_POLL = "terminated by other getUpdates request; make sure that only one bot instance is running"


class Delivery:
    """The queues by key and whoever is polling."""

    def __init__(self, world: World, faults: Faults, call: Callable[[str, Json], Any]) -> None:
        self._world = world
        self._faults = faults
        self._call = call
        self._queues: dict[str, deque[Pending]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(40)
        self._hurry = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None
        self._poll: asyncio.Future[str | None] | None = None
        world.on_update.append(self._arrived)

    async def start(self) -> None:
        """Begin with what was left over before a restart."""
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=WAIT_FOR_ANSWER, connect=10)
        self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        self.webhook_changed()

    async def stop(self) -> None:
        """End all workers and pollers."""
        self._end_workers()
        self._wake_poll(None)
        if self._session is not None:
            await self._session.close()

    def hurry(self) -> None:
        """The clock has moved: drop what is too old, and try everything else at once."""
        self._world.drop_expired()
        self._world.commit()
        self._hurry.set()
        self._hurry = asyncio.Event()

    def forget(self) -> None:
        """The world was reset: nothing is left to deliver."""
        self._end_workers()
        self._queues.clear()

    def webhook_changed(self) -> None:
        """`setWebhook` or deleteWebhook was called: queue anew what is undelivered."""
        self._end_workers()
        self._queues.clear()
        if self._world.webhook.url:
            self._slots = asyncio.Semaphore(self._world.webhook.max_connections)
            self._wake_poll("terminated by setWebhook request")
            for pending in list(self._world.pending.values()):
                self._arrived(pending)

    def _end_workers(self) -> None:
        for worker in self._workers.values():
            worker.cancel()
        self._workers.clear()

    def _arrived(self, pending: Pending) -> None:
        if not self._world.webhook.url:
            self._wake_poll(None)
            return
        self._queues.setdefault(pending.key, deque()).append(pending)
        if pending.key not in self._workers and self._session is not None:
            self._workers[pending.key] = asyncio.create_task(self._drain(pending.key))

    # -- webhook --

    async def _drain(self, key: str) -> None:
        """Deliver one key's updates in order until there are none."""
        # First let whoever caused the update commit and answer.
        await asyncio.sleep(0)
        queue = self._queues.get(key)
        while queue:
            await self._until_taken(queue[0])
            queue.popleft()
        self._workers.pop(key, None)
        self._queues.pop(key, None)

    async def _until_taken(self, pending: Pending) -> None:
        pause = FIRST_PAUSE
        world = self._world
        while pending.seq in world.pending:
            if pending.expired(world.clock.now()):
                world.forget_update(pending.seq)
                break
            wait = await self._post(pending)
            if wait is None:
                if self._faults.for_delivery():
                    await self._post(pending)
                world.forget_update(pending.seq)
                break
            await self._pause(wait or pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        world.commit()

    async def _post(self, pending: Pending) -> float | None:
        """One attempt: None when taken, else the seconds of Retry-After (0: none named)."""
        if self._session is None:
            return 0.0
        hook = self._world.webhook
        headers = (
            {**JSON_TYPE, "X-Telegram-Bot-Api-Secret-Token": hook.secret_token}
            if hook.secret_token
            else JSON_TYPE
        )
        body = encode(pending.update).encode("utf-8", "replace")
        async with self._slots:
            try:
                async with self._session.post(
                    hook.url, data=body, headers=headers, allow_redirects=False
                ) as answer:
                    words = await answer.read()
                    if 200 <= answer.status < 300:
                        self._answered_with(words)
                        return None
                    self._world.webhook_failed(
                        f"Wrong response from the webhook: {answer.status} {answer.reason}"
                    )
                    return _seconds(answer.headers.get("Retry-After"))
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                self._world.webhook_failed(f"Connection failed: {type(error).__name__}")
                return 0.0

    def _answered_with(self, words: bytes) -> None:
        """A webhook may answer with one method call as JSON; anything else in the body is ignored."""
        if not words.lstrip().startswith(b"{"):
            return
        try:
            call = json.loads(words)
        except ValueError:
            return
        method = call.pop("method", None)
        if isinstance(method, str):
            self._call(method, call)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._hurry.wait(), seconds)
        except TimeoutError:
            return

    # -- polling --

    async def get_updates(self, params: Json) -> list[Json]:
        """`getUpdates`; 409 where a webhook is set, or when another poller comes."""
        if self._world.webhook.url:
            raise conflict(ACTIVE)
        self._wake_poll(OTHER_POLL)
        remember_allowed(self._world, params)
        limit = min(max(params.get("limit") or 100, 1), 100)
        again = self._confirm(params.get("offset") or 0)
        # Confirmed is confirmed, whatever becomes of this connection.
        self._world.commit()
        found = self._ready(limit, again)
        deadline = asyncio.get_running_loop().time() + min(max(params.get("timeout") or 0, 0), LONGEST_POLL)
        while not found and await self._something_new(deadline):
            found = self._ready(limit, [])
        return found

    def _confirm(self, offset: int) -> list[Pending]:
        """Forget what lies below the offset; returns what a fault delivers again all the same."""
        ordered = self._world.in_order()
        if offset < 0:
            confirmed = list(ordered)[:offset]
        else:
            confirmed = list(takewhile(lambda p: p.update_id < offset, ordered))
        again = [p for p in confirmed if self._faults.for_delivery()]
        for pending in confirmed:
            self._world.forget_update(pending.seq)
        return again

    def _ready(self, limit: int, again: list[Pending]) -> list[Json]:
        now = self._world.clock.now()
        found = list(islice(chain(again, self._world.in_order()), limit))
        if any(pending.expired(now) for pending in found):
            self._world.drop_expired()
            found = list(islice(chain(again, self._world.in_order()), limit))
        return [pending.update for pending in found]

    async def _something_new(self, deadline: float) -> bool:
        """Wait for an update or the deadline; raises 409 when this poll is ended by another."""
        poll: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._poll = poll
        try:
            words = await asyncio.wait_for(poll, max(0.0, deadline - asyncio.get_running_loop().time()))
        except TimeoutError:
            return False
        finally:
            if self._poll is poll:
                self._poll = None
        if words:
            raise conflict(words)
        return True

    def _wake_poll(self, words: str | None) -> None:
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(words)


def _seconds(header: str | None) -> float:
    try:
        return min(max(float(header or 0), 0.0), 3600.0)
    except ValueError:
        return 0.0

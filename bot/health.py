"""/health/live: the process answers. /health/ready: it can work, or says which part cannot."""

from __future__ import annotations

import asyncio

from aiohttp import web

from referrals.errors import StoreError
from referrals.persons import Seat
from referrals.ports import Turns, Tx

PATIENCE_S = 2.0


class Health:
    """What the parts say of themselves."""

    def __init__(self, store: Turns) -> None:
        self._store = store
        self.telegram = False
        self.stopping = False

    def add_to(self, app: web.Application) -> None:
        """Register both addresses."""
        app.router.add_get("/health/live", self.live)
        app.router.add_get("/health/ready", self.ready)

    async def live(self, _: web.Request) -> web.Response:
        """Always well, or no answer at all."""
        return web.json_response({"live": True})

    async def ready(self, _: web.Request) -> web.Response:
        """200 when updates can be taken; 503 otherwise. Tells nothing but yes and no."""
        well = {"store": await self._store_works(), "telegram": self.telegram, "stopping": self.stopping}
        good = well["store"] and well["telegram"] and not well["stopping"]
        return web.json_response(well, status=200 if good else 503)

    async def _store_works(self) -> bool:
        try:
            await asyncio.wait_for(self._store.turn(_look), PATIENCE_S)
        except (StoreError, TimeoutError):
            return False
        return True


def _look(tx: Tx) -> None:
    tx.get(Seat, "")

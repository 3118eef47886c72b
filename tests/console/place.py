"""The application over a real database and the real registry, and people who open its pages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import aiohttp
from aiohttp import web

from console.app import PREFIX, build
from referrals.ports import Slow
from referrals.service.pages import PAGES
from storage import archive
from storage.store import Store
from tests.console.stand import words
from tests.security.test_init_data import KEY, TOKEN, TRUST, query, signed
from tests.support.device import Device, DeviceSession
from tests.support.network import CATALOGUE, Small
from tests.support.people import PIN
from tests.support.store import SettableClock, open_store


@dataclass
class Place:
    """A server over a database, and the time that both live in."""

    origin: str
    net: Small
    clock: SettableClock
    http: aiohttp.ClientSession
    launches: int = 0
    devices: dict[int, Device] = field(default_factory=dict)

    def proof(self, account: int) -> str:
        self.launches += 1
        user = json.dumps({"id": account, "first_name": "x", "language_code": "th"})
        date = str(int(self.clock.now.timestamp()))
        return query(signed({"query_id": f"AAE{self.launches}", "user": user, "auth_date": date}, key=KEY))

    async def opens(self, account: int, page: str, device: Device | None = None) -> DeviceSession:
        """A page on the account's phone (or on another device of theirs)."""
        device = device or self.devices.setdefault(account, Device())
        _, session = await DeviceSession.open(self.http, self.origin, device, page, self.proof(account))
        return session

    async def reads(self, account: int, page: str) -> DeviceSession:
        """The same, with a PIN chosen or typed."""
        session = await self.opens(account, page)
        step = {"enrol": "enrol", "pin": "prove"}.get(session.opened["reading"]["state"])
        if step is not None:
            status, answer = await session.device_does(step, pin=PIN)
            assert status == 200, answer
        return session


@asynccontextmanager
async def a_place(url: str, pins: Any = None) -> AsyncIterator[Place]:
    """`pins`: a quicker stand-in where thousands of PINs are tried and their strength is not the question."""
    clock = SettableClock()
    store: Store = open_store(url, clock, CATALOGUE)
    app = build(
        store,
        PAGES,
        bot_token=TOKEN,
        bot_id=TRUST.bot_id,
        telegram_public_key=TRUST.public_key,
        texts=cache(words),
        clock=clock,
        slow=Slow(pins or store.pins, archive.pack),
    )
    root = web.Application()
    root.add_subapp(PREFIX, app)
    runner = web.AppRunner(root)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession() as http:
        yield Place(f"http://{host}:{port}", Small(store, clock), clock, http)
    await runner.cleanup()
    store.close()

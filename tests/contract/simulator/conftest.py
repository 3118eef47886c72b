"""A simulator of its own for each test, met over real HTTP on a free loopback port."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from simulator.app import WORLD, Options, build
from tests.contract.simulator.playing import PEOPLE, Hook, Program, Sim


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as one:
        yield one


@pytest.fixture
async def sim(tmp_path: Path, session: aiohttp.ClientSession) -> AsyncIterator[Sim]:
    people = tmp_path / "people.json"
    people.write_text(json.dumps(PEOPLE))
    app = build(Options(people=people))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield Sim(f"http://127.0.0.1:{runner.addresses[0][1]}", app[WORLD].identity.token, session)
    await runner.cleanup()


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    app = web.Application()
    one = Hook("")
    app.router.add_post("/hook", one.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield one
    await runner.cleanup()


@pytest.fixture
async def program(tmp_path: Path, session: aiohttp.ClientSession) -> AsyncIterator[Program]:
    one = Program(tmp_path, session)
    yield one
    if one.process is not None:
        await one.end()

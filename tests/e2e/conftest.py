"""A demo of its own for each story."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support.demo import Demo, a_demo
from tests.support.people import World


@pytest_asyncio.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[Demo, World]]:
    async with a_demo(tmp_path) as found:
        yield found


@pytest_asyncio.fixture
async def world(running: tuple[Demo, World]) -> World:
    return running[1]

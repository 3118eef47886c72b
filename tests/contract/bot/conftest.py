"""The running product with small doors of its own, met over HTTP from the simulator's side."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.bot.product import Product
from tests.support.simulator import Telegram, a_simulator


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[Telegram]:
    async with a_simulator(tmp_path) as one:
        yield one


@pytest.fixture
async def product(tmp_path: Path, telegram: Telegram) -> AsyncIterator[Product]:
    """Not started yet: a test says in which mode."""
    one = Product(tmp_path, telegram)
    yield one
    await one.stop()

"""One demo for all tests of a file: each test brings people of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.demo import a_demo
from tests.support.people import World


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with a_demo(tmp_path_factory.mktemp("chat")) as (_, found):
        yield found

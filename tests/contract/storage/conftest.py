"""A migrated, open store on each kind of database, and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from storage.store import Store
from tests.support.store import SettableClock, open_store


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def store(database_url: str, clock: SettableClock) -> Iterator[Store]:
    opened = open_store(database_url, clock)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_store(sqlite_url: str, clock: SettableClock) -> Iterator[Store]:
    opened = open_store(sqlite_url, clock)
    yield opened
    opened.close()

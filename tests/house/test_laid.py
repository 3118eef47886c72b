"""A network that is laid row by row is the one that the product's own verb makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.sql import Sql
from storage.store import Store
from storage.tables import metadata
from tests.support import laid
from tests.support.network import CATALOGUE, Small, _apply
from tests.support.store import START, SettableClock, open_store

OF_EACH_DATABASE = {"lasting", "directory"}  # drawn anew each time: its secret, its directory's token


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Store]]:
    """Three stores in which nothing has happened."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    urls = [server.take_migrated() if server else f"sqlite:///{tmp_path / name}.db" for name in "abc"]
    found = [open_store(url, SettableClock(), CATALOGUE) for url in urls]
    yield found
    for store, url in zip(found, urls, strict=True):
        store.close()
        if server:
            server.give_back(url)


def everything(store: Store) -> dict[str, list[Any]]:
    """Every row of every table. Which thread wrote the audit is chance, so lanes are left out."""

    def read(tx: Any) -> dict[str, list[Any]]:
        found = {}
        for table in metadata.sorted_tables:
            columns = ", ".join(f'"{column.name}"' for column in table.columns if column.name != "lane")
            rows = tx.connection.rows(Sql(f'SELECT {columns} FROM "{table.name}"'))
            found[table.name] = sorted(repr(row) for row in rows if row[0] not in OF_EACH_DATABASE)
        return found

    return store.run(read)


def test_nobody_can_tell_them_apart(stores: list[Store]) -> None:
    made, first, second = stores
    made.run(_apply)
    for store in (first, second):  # the first one may still be made, the second is laid
        laid.lay(store, _apply, START)
    wanted, found = everything(made), everything(second)
    for table, rows in wanted.items():
        if table not in {"audit", "audit_lane"}:
            assert found[table] == rows, table
    assert len(found["audit"]) == len(wanted["audit"])
    nets = [Small.around(store, SettableClock()) for store in (made, second)]
    ids = [net.filed(net.person(700)) for net in nets]
    assert ids[0] == ids[1], "what follows draws the same ids"
    assert nets[0].said() == nets[1].said()


async def test_its_audit_is_whole(stores: list[Store]) -> None:
    for store in stores:
        laid.lay(store, _apply, START)
        assert await store.verify_audit() == []

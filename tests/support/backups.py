"""Backups in tests: a place with keys, a story to be backed up, the rows of a database to compare."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from referrals.ports import Erasure, Tx
from storage.backup import Made, make_backup
from storage.backup_keys import BackupKeys
from storage.backup_rows import TABLES
from storage.connection import connect, parse_url
from storage.ledger import Ledger, ledger_beside
from storage.restore import Found, Ledgers, look_into, restore
from storage.sql import Sql
from storage.store import Store
from tests.support.network import CATALOGUE, Small
from tests.support.store import KEY, SettableClock, open_store, prepare


@dataclass
class Place:
    """A folder as a host has it: keys apart from data, backups apart from both."""

    folder: Path
    clock: SettableClock

    def __post_init__(self) -> None:
        for name in ("keys", "backups"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)

    @property
    def keys(self) -> BackupKeys:
        return BackupKeys(self.folder / "keys" / "root.key", KEY)

    def ledger(self, store: Store) -> Ledger:
        return ledger_beside(self.folder / "keys" / "root.key", store.lasting)

    def backup(self, url: str, ledger_at: int = 0) -> Made:
        out = self.folder / "backups" / f"{self.clock.now:%Y%m%d-%H%M%S}.backup"
        return make_backup(url, KEY.network_id, self.keys, out, self.clock.now, ledger_at)

    def found(self, path: Path) -> Found:
        return look_into(path, KEY, self.keys, self.clock.now)

    def restore(
        self,
        path: Path,
        url: str,
        taken: Sequence[Erasure] = (),
        after: Callable[[Tx], Any] = lambda _: None,
    ) -> Any:
        """Into an empty, migrated database at `url`; `taken`: the whole ledger, as the product keeps it."""
        prepare(url)
        found = self.found(path)
        pending = [erasure for erasure in taken if erasure.name not in found.known]
        names = frozenset(erasure.name for erasure in taken)
        ledgers = Ledgers(pending, names)
        return restore(url, KEY, self.keys, found, ledgers, CATALOGUE, self.clock, after)


def rows_of(url: str, *, but: Sequence[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that a backup holds, in an order that both databases share."""
    conn = connect(parse_url(url))
    try:
        return {
            table.name: sorted(
                (tuple(_plain(value) for value in row) for row in conn.rows(Sql(table.select()))), key=repr
            )
            for table in TABLES
            if table.name not in but
        }
    finally:
        conn.close()


def _plain(value: Any) -> Any:
    """SQLite has no truth values of its own."""
    return int(value) if isinstance(value, bool) else value


def a_network(url: str, clock: SettableClock) -> Small:
    """The demo's network with a matter in every state that is easily reached."""
    net = Small(open_store(url, clock, CATALOGUE), clock)
    family = net.person(401)
    net.person(501, "bua-1")
    net.filed(family)
    net.passes(timedelta(seconds=10))
    net.draft(net.person(402))
    return net


def later(clock: SettableClock, **duration: float) -> datetime:
    return clock.advance(**duration)

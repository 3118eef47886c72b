"""The demo's network, applied once by the product's own verb and then written as rows for each further store.

A store gets rows instead of the verb only where the verb would have written exactly these: nothing has
happened in it, and its clock, its chance and its catalogue are those of the store that they were read from.
Its chance goes on as if the verb had run, so whatever follows has the same ids either way.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from referrals.catalogue import Catalogue
from referrals.ports import Tx
from storage.sql import Connection, Sql
from storage.store import Store
from storage.tables import metadata

# Each database has its own secret, written by whoever opens it first.
_OWN = "('network_id', 'key_check', 'demo', 'lasting')"
_TABLES = [table.name for table in metadata.sorted_tables]
_HAPPENED = Sql("SELECT 1 FROM audit LIMIT 1")
_MARKS = Sql(f"SELECT key, value FROM meta WHERE key NOT IN {_OWN}")
_ADD_MARK = Sql("INSERT INTO meta (key, value) VALUES (:key, :value)")


@dataclass(frozen=True)
class Laid:
    """What the verb had written, and where chance stood then."""

    catalogue: Catalogue
    tables: dict[str, Any]
    marks: list[Any]
    chance: Any


_laid: dict[Hashable, Laid] = {}


def lay(store: Store, verb: Callable[[Tx], None], now: datetime) -> None:
    """Leave `store` as `verb` leaves it."""
    shared = store._shared
    key = (verb, store._url.get_backend_name(), now, shared.seeded and shared.chance.getstate())
    known = _laid.get(key)
    if not shared.seeded or not store.run(_nothing_has_happened):
        store.run(verb)
    elif known is None:
        store.run(verb)
        tables, marks = store.run(_read)
        _laid[key] = Laid(shared.catalogue, tables, marks, shared.chance.getstate())
    elif known.catalogue != shared.catalogue:
        store.run(verb)
    else:
        store.run(_write, known)
        shared.chance.setstate(known.chance)


def _nothing_has_happened(tx: Tx) -> bool:
    return not _connection(tx).rows(_HAPPENED)


def _read(tx: Tx) -> tuple[dict[str, Any], list[Any]]:
    connection = _connection(tx)
    tables = {name: _DIALECTS[connection.dialect][0](connection, name) for name in _TABLES if name != "meta"}
    return {name: rows for name, rows in tables.items() if rows}, connection.rows(_MARKS)


def _write(tx: Tx, known: Laid) -> None:
    connection = _connection(tx)
    for name, rows in known.tables.items():
        _DIALECTS[connection.dialect][1](connection, name, rows)
    connection.change_many(_ADD_MARK, [{"key": key, "value": value} for key, value in known.marks])


def _connection(tx: Tx) -> Connection:
    """Below whatever watches it."""
    connection: Any = tx.connection  # type: ignore[attr-defined]
    found: Connection = getattr(connection, "inner", connection)
    return found


def _read_sqlite(connection: Any, table: str) -> list[Any]:
    found: list[Any] = connection._driver.execute(f'SELECT * FROM "{table}"').fetchall()
    return found


def _write_sqlite(connection: Any, table: str, rows: list[Any]) -> None:
    marks = ", ".join("?" * len(rows[0]))
    connection._driver.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)


def _read_postgres(connection: Any, table: str) -> bytes:
    with connection._driver.cursor() as cursor, cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
        return b"".join(bytes(part) for part in copy)


def _write_postgres(connection: Any, table: str, rows: bytes) -> None:
    with connection._driver.cursor() as cursor, cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
        copy.write(rows)


_DIALECTS: dict[str, tuple[Callable[..., Any], Callable[..., None]]] = {
    "sqlite": (_read_sqlite, _write_sqlite),
    "postgresql": (_read_postgres, _write_postgres),
}

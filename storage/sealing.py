"""Sealed fields as rows: nothing sealed is read but through `Seals.open`, by whoever holds a wrap.

What the keys are and how their bytes are bound to their place stands in `keyring.py`. Only cheap
cryptography happens here: a few microseconds of AES-GCM inside the turn.
"""

# ruff: noqa: S608 - statements are put together from constants of this file

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referrals.errors import NotSealedFor
from referrals.model import DESK, NETWORK, Actor, DataClass, Record, Role, organization_holder, person_holder
from storage.holder_keys import HolderKeys
from storage.keyring import Field, Keyring, Wrap
from storage.secret import KEY_BYTES
from storage.sql import Connection, Sql

_WHERE = "record_table = :t AND record_row = :r AND data_class = :c"
_WRAPS = Sql(
    "SELECT w.holder, w.key_id, w.wrapped, k.id, k.wrapped, k.version, k.data_class, k.holder, k.state"
    " FROM wrap w JOIN key_encryption_key k ON k.id = w.kek_id"
    " WHERE w.record_table = :t AND w.record_row = :r AND w.data_class = :c ORDER BY w.holder"
)
_FIELDS = Sql(f"SELECT column_name, key_id, version, ciphertext FROM sealed WHERE {_WHERE}")
_VERSION = Sql(f"SELECT version FROM sealed WHERE {_WHERE} AND column_name = :column")
_WRITE = Sql(
    "INSERT INTO sealed (record_table, record_row, data_class, column_name, key_id, version, ciphertext)"
    " VALUES (:t, :r, :c, :column, :key_id, :version, :ciphertext)"
    " ON CONFLICT (record_table, record_row, data_class, column_name) DO UPDATE SET"
    " key_id = excluded.key_id, version = excluded.version, ciphertext = excluded.ciphertext"
)
_DROP_CLASS = Sql(f"DELETE FROM sealed WHERE {_WHERE}")
_ADD_WRAP = Sql(
    "INSERT INTO wrap (record_table, record_row, data_class, holder, key_id, kek_id, wrapped)"
    " VALUES (:t, :r, :c, :holder, :key_id, :kek_id, :wrapped)"
)
_UNSHARE = Sql("DELETE FROM wrap WHERE record_table = :t AND record_row = :r AND holder = :holder")
_UNSHARE_CLASS = Sql(f"DELETE FROM wrap WHERE {_WHERE} AND holder = :holder")
_HOLDERS = Sql(f"SELECT holder FROM wrap WHERE {_WHERE}")
_DESTROY = (
    Sql("DELETE FROM wrap WHERE record_table = :t AND record_row = :r"),
    Sql("DELETE FROM sealed WHERE record_table = :t AND record_row = :r"),
)
_EXISTS = Sql(
    "SELECT 1 FROM sealed s JOIN wrap w ON w.record_table = s.record_table AND w.record_row = s.record_row"
    " AND w.data_class = s.data_class"
    " WHERE s.record_table = :t AND s.record_row = :r AND s.data_class = :c LIMIT 1"
)


def holders_of(actor: Actor) -> tuple[str, ...]:
    """Through which holders this actor opens, best first (ports.Tx.open_sealed)."""
    if actor.role is Role.SYSTEM:
        return (NETWORK,)
    own = person_holder(actor.person_id)
    if actor.role is Role.WORKER and actor.organization_id:
        return (organization_holder(actor.organization_id), own)
    if actor.role is Role.COORDINATOR:
        return (DESK, own)
    return (own,)


class Seals:
    """What one turn seals and opens. `now` in microseconds."""

    def __init__(self, keyring: Keyring, conn: Connection, now: int) -> None:
        self._keyring, self._conn = keyring, conn
        self.keys = HolderKeys(keyring, conn, now)

    def seal(
        self, record: Record, data_class: DataClass, column: str, text: str, holders: Iterable[str]
    ) -> None:
        """See ports.Tx.seal. ValueError when a fresh key would have no holder at all."""
        at, wraps = _at(record, data_class), self._wraps(record, data_class)
        wanted = dict.fromkeys(holders)
        if wraps:
            any_wrap = next(iter(wraps.values()))
            key_id, key = any_wrap.key_id, self._unwrap(record, data_class, any_wrap)
            before = self._conn.rows(_VERSION, {**at, "column": column})
            version = before[0][0] + 1 if before else 1
        else:
            if not wanted:
                raise ValueError("a sealed field needs at least one holder")
            self._conn.change(_DROP_CLASS, at)  # what a destroyed key had sealed can never open again
            key_id, key, version = os.urandom(12).hex(), os.urandom(KEY_BYTES), 1
        for holder in wanted:
            if holder not in wraps:
                self._add_wrap(record, data_class, holder, key_id, key)
        place = Field(column, key_id, version, b"")
        field = self._keyring.seal_field(record, data_class, key, text, place)
        self._conn.change(_WRITE, {**at, **field._asdict()})

    def open(self, actor: Actor, record: Record, data_class: DataClass) -> Mapping[str, str]:
        """Column to text through the best wrap that the actor holds. NotSealedFor, SealBroken."""
        wraps = self._wraps(record, data_class)
        for holder in holders_of(actor):
            if holder in wraps:
                key = AESGCM(self._unwrap(record, data_class, wraps[holder]))
                fields = [Field(*row) for row in self._conn.rows(_FIELDS, _at(record, data_class))]
                return {f.column: self._keyring.open_field(record, data_class, key, f) for f in fields}
        raise NotSealedFor

    def exists(self, record: Record, data_class: DataClass) -> bool:
        """Whether there is a sealed field that somebody could still open."""
        return bool(self._conn.rows(_EXISTS, _at(record, data_class)))

    def share(self, record: Record, data_class: DataClass, holder: str) -> None:
        """Wrap the record's key of that class for one more holder; nothing if there is no such key."""
        wraps = self._wraps(record, data_class)
        if wraps and holder not in wraps:
            any_wrap = next(iter(wraps.values()))
            key = self._unwrap(record, data_class, any_wrap)
            self._add_wrap(record, data_class, holder, any_wrap.key_id, key)

    def unshare(self, record: Record, holder: str, data_class: DataClass | None = None) -> None:
        """Destroy a holder's wraps, of one class or of every class."""
        if data_class is None:
            self._conn.change(_UNSHARE, {"t": record.table, "r": record.row, "holder": holder})
        else:
            self._conn.change(_UNSHARE_CLASS, {**_at(record, data_class), "holder": holder})

    def holders(self, record: Record, data_class: DataClass) -> frozenset[str]:
        """Who holds a wrap of that class."""
        return frozenset(row[0] for row in self._conn.rows(_HOLDERS, _at(record, data_class)))

    def destroy(self, record: Record) -> None:
        """Destroy all wraps and ciphertexts of a record."""
        for statement in _DESTROY:
            self._conn.change(statement, {"t": record.table, "r": record.row})

    def _unwrap(self, record: Record, data_class: DataClass, wrap: Wrap) -> bytes:
        """A record's key; its wrap leaves a retiring key on the way."""
        key = self._keyring.unwrap(record, data_class, wrap)
        self.keys.settle(record, data_class, wrap, key)
        return key

    def _wraps(self, record: Record, data_class: DataClass) -> dict[str, Wrap]:
        """Holder to wrap."""
        return {row[0]: Wrap(*row) for row in self._conn.rows(_WRAPS, _at(record, data_class))}

    def _add_wrap(self, record: Record, data_class: DataClass, holder: str, key_id: str, key: bytes) -> None:
        kek = self.keys.active(holder, data_class.value)
        wrapped = self._keyring.wrap(record, data_class, key_id, key, kek)
        row = {"holder": holder, "key_id": key_id, "kek_id": kek.id, "wrapped": wrapped}
        self._conn.change(_ADD_WRAP, {**_at(record, data_class), **row})


def _at(record: Record, data_class: DataClass) -> dict[str, object]:
    return {"t": record.table, "r": record.row, "c": data_class.value}

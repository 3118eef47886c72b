"""Key-encryption keys as rows: one for each holder and data class, versioned, each in one state at a time.

active -> retiring (a newer version took over) -> retired (no wrap is left under it) -> destroyed (its bytes
are gone). Wraps leave a retiring key when a turn touches them, and in the sweep; nothing is ever stopped
for it. The last two steps are the sweep's, in two turns, so that what it destroys was seen empty before.
"""

# ruff: noqa: S608 - statements are put together from constants of this file

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from referrals.errors import NotSealedFor
from referrals.model import DataClass, Record
from storage.codec import instant_out
from storage.keyring import Kek, Keyring, SealBroken, Wrap
from storage.sql import Connection, Row, Sql

ACTIVE, RETIRING, RETIRED, DESTROYED = STATES = ("active", "retiring", "retired", "destroyed")

_ACTIVE = Sql(
    "SELECT id, wrapped, version, data_class, holder FROM key_encryption_key"
    " WHERE holder = :holder AND data_class = :c AND state = 'active'",
    postgresql="FOR SHARE",  # a rotation waits for the turns that still use the key, and they for it
)
_LAST = Sql("SELECT max(version) FROM key_encryption_key WHERE holder = :holder AND data_class = :c")
# The root key's check stands in the condition: a process that still runs with a root key that was replaced
# can make no key that the new one could never open.
_ADD_KEK = Sql(
    "INSERT INTO key_encryption_key (id, holder, data_class, version, state, created_at, wrapped)"
    " SELECT :id, :holder, :data_class, :version, 'active', :now, :wrapped"
    " FROM meta WHERE key = 'key_check' AND value = :check"
    " ON CONFLICT DO NOTHING"
)
_RETIRE = Sql(
    "UPDATE key_encryption_key SET state = 'retiring', retiring_at = :now"
    " WHERE holder = :holder AND data_class = :c AND state = 'active'"
)
_LEAVE = Sql(
    "UPDATE key_encryption_key SET state = 'retiring', retiring_at = :now"
    " WHERE holder = :holder AND state = 'active'"
)
_CLASSES = Sql(
    "SELECT data_class FROM key_encryption_key WHERE holder = :holder AND state = 'active'"
    " ORDER BY data_class"
)
_RETIRING = Sql(
    "SELECT w.record_table, w.record_row, w.data_class,"
    " w.holder, w.key_id, w.wrapped, k.id, k.wrapped, k.version, k.data_class, k.holder, k.state"
    " FROM wrap w JOIN key_encryption_key k ON k.id = w.kek_id WHERE k.state = 'retiring' LIMIT :limit",
    postgresql="FOR UPDATE OF w SKIP LOCKED",  # what a turn holds, that turn moves itself
)
_REWRAP = Sql(
    "UPDATE wrap SET kek_id = :kek_id, wrapped = :wrapped"
    " WHERE record_table = :t AND record_row = :r AND data_class = :c AND holder = :holder AND kek_id = :old"
)
_EMPTY = "NOT EXISTS (SELECT 1 FROM wrap w WHERE w.kek_id = key_encryption_key.id)"
_DESTROY = Sql(
    "UPDATE key_encryption_key SET state = 'destroyed', destroyed_at = :now, wrapped = NULL"
    f" WHERE state = 'retired' AND {_EMPTY}"
)
_RETIRED = Sql(
    "UPDATE key_encryption_key SET state = 'retired', retired_at = :now"
    f" WHERE state = 'retiring' AND {_EMPTY}"
)
_STATUS = Sql(
    "SELECT k.holder, k.data_class, k.version, k.state, k.created_at, k.retiring_at, k.retired_at,"
    " k.destroyed_at, (SELECT count(*) FROM wrap w WHERE w.kek_id = k.id)"
    " FROM key_encryption_key k ORDER BY k.holder, k.data_class, k.version"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """One version of one key, for those who look after keys."""

    holder: str
    data_class: str
    version: int
    state: str  # one of STATES
    created_at: datetime
    retiring_at: datetime | None
    retired_at: datetime | None
    destroyed_at: datetime | None
    wraps: int


class HolderKeys:
    """The keys that one turn wraps with, and their states. `now` in microseconds."""

    def __init__(self, keyring: Keyring, conn: Connection, now: int) -> None:
        self._keyring, self._conn, self._now = keyring, conn, now

    def active(self, holder: str, data_class: str) -> Kek:
        """The active key of (holder, class); made in this turn where there is none. SealBroken."""
        asked = {"holder": holder, "c": data_class}
        rows = self._conn.rows(_ACTIVE, asked)
        if not rows:
            # A rotation that has just been committed shows its new key to the next statement only.
            rows = self._conn.rows(_ACTIVE, asked)
        if not rows:
            version = (self._conn.rows(_LAST, asked)[0][0] or 0) + 1
            fresh = self._keyring.new_kek(holder, data_class, version)
            row = {**fresh._asdict(), "now": self._now, "check": self._keyring.root_check}
            self._conn.change(_ADD_KEK, row)
            rows = self._conn.rows(_ACTIVE, asked)  # ours, or that of somebody who was faster
        if not rows:
            raise SealBroken("the root key was replaced: start again with the new key file")
        return Kek(*rows[0])

    def rotate_holder(self, holder: str, only: str | None = None) -> int:
        """A new version of each class (or one) that this holder has a key for. How many.

        New wraps use it at once; the old ones move when they are touched, and in the sweep.
        """
        held = [row[0] for row in self._conn.rows(_CLASSES, {"holder": holder})]
        classes = [data_class for data_class in held if only in (None, data_class)]
        for data_class in classes:
            self._conn.change(_RETIRE, {"holder": holder, "c": data_class, "now": self._now})
            self.active(holder, data_class)
        return len(classes)

    def forget_holder(self, holder: str) -> int:
        """Nothing new is wrapped by this holder's keys; the sweep destroys each that wraps nothing. How many.

        Not in this turn: another one may be wrapping by such a key now, and would be locked out of its own.
        """
        return self._conn.change(_LEAVE, {"holder": holder, "now": self._now})

    def settle(self, record: Record, data_class: DataClass, wrap: Wrap, key: bytes) -> None:
        """Move a wrap that this turn has just opened, if its key is retiring.

        Only ever a wrap that opened: one that somebody wrote into the table by hand must not be made good.
        """
        if wrap.kek_state != RETIRING or self._conn.read_only:
            return
        new = self.active(wrap.holder, data_class.value)
        wrapped = self._keyring.wrap(record, data_class, wrap.key_id, key, new)
        at = {"t": record.table, "r": record.row, "c": data_class.value}
        moved = {"holder": wrap.holder, "old": wrap.kek_id, "kek_id": new.id, "wrapped": wrapped}
        self._conn.change(_REWRAP, {**at, **moved})

    def sweep(self, limit: int) -> int:
        """Move up to `limit` wraps of retiring keys, and take empty keys one state further. How many."""
        moved = 0
        for table, row, name, *columns in self._conn.rows(_RETIRING, {"limit": limit}):
            record, data_class, wrap = Record(table, row), DataClass(name), Wrap(*columns)
            try:
                key = self._keyring.unwrap(record, data_class, wrap)
            except (SealBroken, NotSealedFor):
                # One broken wrap must not keep the others; it stays, and with it the key's state.
                _log.warning("a wrap under a retiring key does not open")
                continue
            self.settle(record, data_class, wrap, key)
            moved += 1
        destroyed = self._conn.change(_DESTROY, {"now": self._now})
        if destroyed:
            self._keyring.forget()
        return moved + destroyed + self._conn.change(_RETIRED, {"now": self._now})


def key_statuses(conn: Connection) -> list[KeyStatus]:
    """Every version of every key, by holder and class, the oldest first."""

    def at(value: int | None) -> datetime | None:
        return None if value is None else instant_out(value)

    def status(row: Row) -> KeyStatus:
        holder, data_class, version, state, created, *dates, wraps = row
        retiring, retired, destroyed = (at(value) for value in dates)
        return KeyStatus(
            holder, data_class, version, state, instant_out(created), retiring, retired, destroyed, wraps
        )

    return [status(row) for row in conn.rows(_STATUS)]

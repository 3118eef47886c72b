"""A new root key takes over: all that it wraps is wrapped anew, in one transaction, with nobody else at work.

Before the commit all is read back and compared; so at any moment exactly one of the two files opens the data.
What cannot be made anew hangs on the lasting secret, which is only sealed anew (decision 0008).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from sqlalchemy.engine import URL

from referrals.errors import ConfigurationError, StoreError
from referrals.model import AuditEntry
from storage import audit
from storage.codec import instant_in
from storage.connection import DRIVER_ERRORS, clear_errors, connect_alone, parse_url, shown
from storage.keyring import Kek, Keyring
from storage.lasting import open_lasting, seal_lasting
from storage.scrub import scrub
from storage.secret import RootKey
from storage.sql import Connection, Sql

LANE = "root"

_LOCK = Sql("LOCK TABLE meta, key_encryption_key IN ACCESS EXCLUSIVE MODE")
_META = Sql("SELECT key, value FROM meta")
_SET = Sql("UPDATE meta SET value = :value WHERE key = :key")
_KEKS = Sql(
    "SELECT id, wrapped, version, data_class, holder FROM key_encryption_key WHERE wrapped IS NOT NULL"
    " ORDER BY id"
)
_REWRAP = Sql("UPDATE key_encryption_key SET wrapped = :wrapped WHERE id = :id")


def replace_root(url: str, old: RootKey, new: RootKey, entry: AuditEntry, now: datetime) -> int:
    """How many keys were wrapped anew; 0 when the new root key has taken over before.

    ConfigurationError: the product runs, or a key is not this network's; SealBroken: a key was tampered
    with. Nothing is changed then. StoreError: the server was lost during the commit; ask again with both.
    """
    parsed = parse_url(url)
    with clear_errors(parsed):
        conn = connect_alone(parsed)
        try:
            conn.begin()
            if conn.dialect == "postgresql":
                conn.change(_LOCK)
            count = _take_over(conn, parsed, old, new)
            if count:
                audit.append(conn, LANE, [entry], instant_in(now))
            conn.commit()
        except BaseException:
            conn.rollback()
            raise
        finally:
            conn.close()
        with suppress(*DRIVER_ERRORS):  # what the old root key opens goes from the files; else within a day
            scrub(parsed)
        return count


def _take_over(conn: Connection, url: URL, old: RootKey, new: RootKey) -> int:
    meta: dict[str, str] = dict(conn.rows(_META))
    where = shown(url)
    if {old.network_id, new.network_id} != {meta.get("network_id")}:
        raise ConfigurationError(where, "one of the keys belongs to another network", "name this network's")
    if meta["key_check"] == new.check_value:
        return 0
    if meta["key_check"] != old.check_value:
        what, mend = "the key is not the one these data were sealed with", "name the key file in use"
        raise ConfigurationError(where, what, mend)
    lasting = open_lasting(old, meta["lasting"])
    before, after = Keyring(old, lasting), Keyring(new, lasting)
    keks = [Kek(*row) for row in conn.rows(_KEKS)]
    moved = [{"id": kek.id, "wrapped": after.wrap_kek(kek, before.kek_bytes(kek))} for kek in keks]
    if moved:
        conn.change_many(_REWRAP, moved)
    conn.change(_SET, {"key": "lasting", "value": seal_lasting(new, lasting)})
    conn.change(_SET, {"key": "key_check", "value": new.check_value})
    _read_back(conn, keks, before, after, new)
    return len(keks) + 1


def _read_back(conn: Connection, keks: list[Kek], before: Keyring, after: Keyring, new: RootKey) -> None:
    """StoreError unless everything that stood before opens with the new root key to the same bytes."""
    found = [Kek(*row) for row in conn.rows(_KEKS)]
    same = [kek.id for kek in found] == [kek.id for kek in keks] and all(
        after.kek_bytes(now) == before.kek_bytes(was) for was, now in zip(keks, found, strict=True)
    )
    meta: dict[str, str] = dict(conn.rows(_META))
    open_lasting(new, meta["lasting"])
    if not same:
        raise StoreError("what was written does not read back; nothing was changed")

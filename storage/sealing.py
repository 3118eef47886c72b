"""root key -> key-encryption key (holder, class) -> record key (record, class) -> field.

Rules: nothing sealed is read but through `open_sealed`; every layer is AES-256-GCM with a fresh nonce; the
associated data of each layer names exactly where the bytes belong, each part with its length before it, so
that what was moved does not open. Whatever does not open raises `SealBroken`, and nothing is shown of it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referrals.errors import NotSealedFor, StoreError
from referrals.model import DESK, NETWORK, Actor, DataClass, Record, Role, organization_holder, person_holder
from storage.keys import KEY_BYTES, RootKey
from storage.sql import Connection, Row, Sql

NONCE_BYTES = 12
_CACHED_KEKS = 2_000


class SealBroken(StoreError):
    """Bytes that do not open with the key that should open them: moved, damaged or forged."""


def bound(*parts: str | int) -> bytes:
    """Associated data: each part with its length before it, so that no two lists give the same bytes."""
    out = bytearray()
    for part in parts:
        data = str(part).encode()
        out += len(data).to_bytes(4, "big") + data
    return bytes(out)


def encrypt(key: AESGCM, plain: bytes, about: bytes) -> bytes:
    """12 random bytes of nonce, then ciphertext and tag."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + key.encrypt(nonce, plain, about)


def decrypt(key: AESGCM, sealed: bytes, about: bytes) -> bytes:
    """The plain bytes. Raises SealBroken."""
    try:
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("a sealed value does not open where it stands") from error


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


_RECORD = "record_table = :t AND record_row = :r AND data_class = :c"
_WRAPS = Sql(
    "SELECT w.holder, w.key_id, w.wrapped, k.id, k.wrapped, k.version, k.data_class, k.holder"
    " FROM wrap w JOIN key_encryption_key k ON k.id = w.kek_id"
    " WHERE w.record_table = :t AND w.record_row = :r AND w.data_class = :c"
)
_FIELDS = Sql(f"SELECT column_name, key_id, version, ciphertext FROM sealed WHERE {_RECORD}")
_VERSION = Sql(f"SELECT version FROM sealed WHERE {_RECORD} AND column_name = :n")
_WRITE = Sql(
    "INSERT INTO sealed (record_table, record_row, data_class, column_name, key_id, version, ciphertext)"
    " VALUES (:t, :r, :c, :n, :key, :version, :ciphertext)"
    " ON CONFLICT (record_table, record_row, data_class, column_name) DO UPDATE SET"
    " key_id = excluded.key_id, version = excluded.version, ciphertext = excluded.ciphertext"
)
_DROP_CLASS = Sql(f"DELETE FROM sealed WHERE {_RECORD}")
_ADD_WRAP = Sql(
    "INSERT INTO wrap (record_table, record_row, data_class, holder, key_id, kek_id, wrapped)"
    " VALUES (:t, :r, :c, :holder, :key, :kek, :wrapped)"
)
_UNSHARE = Sql("DELETE FROM wrap WHERE record_table = :t AND record_row = :r AND holder = :holder")
_DESTROY = (
    Sql("DELETE FROM wrap WHERE record_table = :t AND record_row = :r"),
    Sql("DELETE FROM sealed WHERE record_table = :t AND record_row = :r"),
)
_EXISTS = Sql(
    "SELECT 1 FROM sealed s JOIN wrap w ON w.record_table = s.record_table AND w.record_row = s.record_row"
    " AND w.data_class = s.data_class WHERE s.record_table = :t AND s.record_row = :r AND s.data_class = :c LIMIT 1"
)
_ACTIVE = Sql(
    "SELECT id, wrapped, version, data_class, holder FROM key_encryption_key"
    " WHERE holder = :holder AND data_class = :c AND state = 'active'"
    " ORDER BY version DESC LIMIT 1",
    # A rotation that commits meanwhile waits for us, or we for it.
    postgresql="FOR SHARE",
)
_LAST = Sql("SELECT max(version) FROM key_encryption_key WHERE holder = :holder AND data_class = :c")
_NEW_KEK = Sql(
    "INSERT INTO key_encryption_key (id, holder, data_class, version, state, created_at, wrapped)"
    " VALUES (:id, :holder, :c, :version, 'active', :now, :wrapped)"
    " ON CONFLICT (holder, data_class, version) DO NOTHING"
)
_RETIRE = Sql(
    "UPDATE key_encryption_key SET state = 'retiring', retiring_at = :now"
    " WHERE holder = :holder AND data_class = :c AND state = 'active'"
)
_RETIRING = Sql(
    "SELECT w.record_table, w.record_row, w.data_class, w.holder, w.key_id, w.wrapped,"
    " k.id, k.wrapped, k.version, k.data_class, k.holder"
    " FROM wrap w JOIN key_encryption_key k ON k.id = w.kek_id WHERE k.state = 'retiring' LIMIT :limit"
)
_REWRAP = Sql(
    "UPDATE wrap SET kek_id = :kek, wrapped = :wrapped"
    f" WHERE {_RECORD} AND holder = :holder AND kek_id = :old"
)
_EMPTIED = Sql(
    "UPDATE key_encryption_key SET state = 'destroyed', retired_at = :now, destroyed_at = :now, wrapped = NULL"
    " WHERE state IN ('retiring', 'retired')"
    " AND NOT EXISTS (SELECT 1 FROM wrap w WHERE w.kek_id = key_encryption_key.id)"
)


def _params(record: Record, data_class: DataClass) -> dict[str, object]:
    return {"t": record.table, "r": record.row, "c": data_class.value}


class Sealing:
    """The keys of one process. Holds the derived root keys and a bounded cache of unwrapped KEKs, no more."""

    def __init__(self, root: RootKey) -> None:
        self._network = root.network_id
        self._root = AESGCM(root.derive("kek-wrap"))
        self._index_key = root.derive("account-index")
        self._keks: OrderedDict[tuple[str, bytes], AESGCM] = OrderedDict()
        self._lock = Lock()

    def account_lookup(self, account: int) -> str:
        """The network-wide HMAC-SHA256 (hex) by which an account is found again."""
        return hmac.new(self._index_key, str(account).encode(), hashlib.sha256).hexdigest()

    def seal(
        self,
        conn: Connection,
        record: Record,
        data_class: DataClass,
        column: str,
        text: str,
        holders: Iterable[str],
        now: int,
    ) -> None:
        """See ports.Tx.seal. ValueError when a fresh key would have no holder at all."""
        at = _params(record, data_class)
        wraps = conn.rows(_WRAPS, at)
        wanted = list(dict.fromkeys(holders))
        if wraps:
            key_id, key = wraps[0][1], self._record_key(record, data_class, wraps[0])
            wanted = [holder for holder in wanted if holder not in {row[0] for row in wraps}]
            before = conn.rows(_VERSION, {**at, "n": column})
            version = before[0][0] + 1 if before else 1
        else:
            if not wanted:
                raise ValueError("a sealed field needs at least one holder")
            conn.change(_DROP_CLASS, at)  # what an earlier, destroyed key had sealed can never open again
            key_id, key, version = os.urandom(12).hex(), os.urandom(KEY_BYTES), 1
        for holder in wanted:
            self._add_wrap(conn, record, data_class, holder, key_id, key, now)
        # A broken half of an emoji must not lose somebody's note.
        plain = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
        about = self._field_about(record, data_class, column, key_id, version)
        conn.change(
            _WRITE,
            {
                **at,
                "n": column,
                "key": key_id,
                "version": version,
                "ciphertext": encrypt(AESGCM(key), plain, about),
            },
        )

    def open(
        self, conn: Connection, record: Record, data_class: DataClass, holders: tuple[str, ...]
    ) -> Mapping[str, str]:
        """Column to text through the first of `holders` that has a wrap. NotSealedFor, SealBroken."""
        at = _params(record, data_class)
        wraps = {row[0]: row for row in conn.rows(_WRAPS, at)}
        for holder in holders:
            if holder in wraps:
                return self._opened(conn, record, data_class, wraps[holder])
        raise NotSealedFor()

    def _opened(
        self, conn: Connection, record: Record, data_class: DataClass, wrap: Row
    ) -> Mapping[str, str]:
        key = AESGCM(self._record_key(record, data_class, wrap))
        texts: dict[str, str] = {}
        for column, key_id, version, ciphertext in conn.rows(_FIELDS, _params(record, data_class)):
            about = self._field_about(record, data_class, column, key_id, version)
            texts[column] = decrypt(key, bytes(ciphertext), about).decode()
        return texts

    def open_one(self, record: Record, data_class: DataClass, column: str, wrap: Row, field: Row) -> str:
        """One field from rows that were fetched in bulk: `wrap` as in _WRAPS, `field` (key id, version, bytes)."""
        key = AESGCM(self._record_key(record, data_class, wrap))
        about = self._field_about(record, data_class, column, field[0], field[1])
        return decrypt(key, bytes(field[2]), about).decode()

    def exists(self, conn: Connection, record: Record, data_class: DataClass) -> bool:
        """Whether there is a sealed field that somebody could still open."""
        return bool(conn.rows(_EXISTS, _params(record, data_class)))

    def share(self, conn: Connection, record: Record, data_class: DataClass, holder: str, now: int) -> None:
        """Wrap the record's key of that class for one more holder; nothing if there is no such key."""
        wraps = conn.rows(_WRAPS, _params(record, data_class))
        if not wraps or holder in {row[0] for row in wraps}:
            return
        key = self._record_key(record, data_class, wraps[0])
        self._add_wrap(conn, record, data_class, holder, wraps[0][1], key, now)

    def unshare(self, conn: Connection, record: Record, holder: str) -> None:
        """Destroy a holder's wraps of every class."""
        conn.change(_UNSHARE, {"t": record.table, "r": record.row, "holder": holder})

    def destroy(self, conn: Connection, record: Record) -> None:
        """Destroy all wraps and ciphertexts of a record."""
        for statement in _DESTROY:
            conn.change(statement, {"t": record.table, "r": record.row})

    def rotate(self, conn: Connection, holder: str, data_class: DataClass, now: int) -> None:
        """A new version of a key-encryption key; wraps move over lazily and by `rewrap`."""
        conn.change(_RETIRE, {"holder": holder, "c": data_class.value, "now": now})
        self._active_kek(conn, holder, data_class, now)

    def rewrap(self, conn: Connection, limit: int, now: int) -> int:
        """Move up to `limit` wraps to the newest keys; keys without wraps are destroyed. How many moved."""
        rows = conn.rows(_RETIRING, {"limit": limit})
        for table, row, name, holder, key_id, wrapped, *kek in rows:
            record, data_class = Record(table, row), DataClass(name)
            old: Row = (holder, key_id, wrapped, *kek)
            key = self._record_key(record, data_class, old)
            new_id, new = self._active_kek(conn, holder, data_class, now)
            about = self._wrap_about(record, data_class, holder, key_id, new_id)
            at = {**_params(record, data_class), "holder": holder, "old": kek[0]}
            conn.change(_REWRAP, {**at, "kek": new_id, "wrapped": encrypt(new, key, about)})
        conn.change(_EMPTIED, {"now": now})
        return len(rows)

    # The layers.

    def _field_about(
        self, record: Record, data_class: DataClass, column: str, key_id: str, version: int
    ) -> bytes:
        return bound(
            "field", self._network, record.table, record.row, column, data_class.value, key_id, version
        )

    def _wrap_about(
        self, record: Record, data_class: DataClass, holder: str, key_id: str, kek_id: str
    ) -> bytes:
        return bound(
            "wrap", self._network, record.table, record.row, data_class.value, holder, key_id, kek_id
        )

    def _add_wrap(
        self,
        conn: Connection,
        record: Record,
        data_class: DataClass,
        holder: str,
        key_id: str,
        key: bytes,
        now: int,
    ) -> None:
        kek_id, kek = self._active_kek(conn, holder, data_class, now)
        about = self._wrap_about(record, data_class, holder, key_id, kek_id)
        wrapped = encrypt(kek, key, about)
        at = _params(record, data_class)
        conn.change(_ADD_WRAP, {**at, "holder": holder, "key": key_id, "kek": kek_id, "wrapped": wrapped})

    def _record_key(self, record: Record, data_class: DataClass, wrap: Row) -> bytes:
        """The record key from a row of _WRAPS."""
        holder, key_id, wrapped, kek_id, kek_wrapped, version, kek_class, kek_holder = wrap
        kek = self._kek(kek_id, kek_wrapped, version, kek_class, kek_holder)
        about = self._wrap_about(record, data_class, holder, key_id, kek_id)
        return decrypt(kek, bytes(wrapped), about)

    def _active_kek(
        self, conn: Connection, holder: str, data_class: DataClass, now: int
    ) -> tuple[str, AESGCM]:
        """The newest active key of (holder, class); made in this turn where there is none."""
        at = {"holder": holder, "c": data_class.value}
        rows = conn.rows(_ACTIVE, at)
        if not rows:
            version = (conn.rows(_LAST, at)[0][0] or 0) + 1
            kek_id, key = os.urandom(12).hex(), os.urandom(KEY_BYTES)
            about = bound("kek", self._network, kek_id, version, data_class.value, holder)
            wrapped = encrypt(self._root, key, about)
            conn.change(_NEW_KEK, {**at, "id": kek_id, "version": version, "now": now, "wrapped": wrapped})
            rows = conn.rows(_ACTIVE, at)  # ours, or that of somebody who was faster
        kek_id, wrapped, version, kek_class, kek_holder = rows[0]
        return kek_id, self._kek(kek_id, wrapped, version, kek_class, kek_holder)

    def _kek(self, kek_id: str, wrapped: bytes | None, version: int, data_class: str, holder: str) -> AESGCM:
        """Unwrap a KEK. The cache is keyed by the wrapped bytes too: a destroyed key is never found in it."""
        if wrapped is None:
            raise NotSealedFor()
        cached = (bound(kek_id, version, data_class, holder).hex(), bytes(wrapped))
        with self._lock:
            found = self._keks.get(cached)
            if found is not None:
                self._keks.move_to_end(cached)
                return found
        about = bound("kek", self._network, kek_id, version, data_class, holder)
        key = AESGCM(decrypt(self._root, bytes(wrapped), about))
        with self._lock:
            self._keks[cached] = key
            if len(self._keks) > _CACHED_KEKS:
                self._keks.popitem(last=False)
        return key

"""Backups: one moment of the database as one encrypted file, made while the product runs, and checked.

The rows go from a read-only connection of their own straight through compression into AES-256-GCM: nothing
plain is ever on a disk, and memory holds a batch of rows and a chunk. The data key is fresh for each backup
and wrapped by the key of the day (backup_keys.py), without which nobody can open it.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Table

from referrals.errors import ConfigurationError
from storage.backup_file import FORMAT, Label, fresh_file, on_disk, opened
from storage.backup_keys import BackupKey, BackupKeys
from storage.backup_rows import Contents, Digest, Reader, compressed
from storage.backup_stream import PREFIX_BYTES, Damaged, SealedWriter, unsealed
from storage.connection import clear_errors, connect, parse_url
from storage.keyring import SealBroken, bound, decrypt, encrypt
from storage.schema import HEAD, check_revision
from storage.secret import KEY_BYTES


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made or read: where, how large (bytes), of which moment, until when it opens."""

    path: Path
    size: int
    made: datetime
    opens_until: datetime
    contents: Contents

    @property
    def rows(self) -> int:
        return sum(self.contents.counts.values())


def make_backup(
    url: str, network_id: str, keys: BackupKeys, out: Path, now: datetime, ledger_at: int = 0
) -> Made:
    """Back the database up to the new file `out`, read it back, and only then let it have its name.

    `out` may be a folder: then the file is named after network and moment. `ledger_at`: how far the ledger of
    erasures had come. ConfigurationError for everything that stands in the way; nothing half-made is left.
    """
    out = _place(out, network_id, keys, now)
    key = keys.of_today(now)
    with fresh_file(out) as (file, part):
        written = _write(url, network_id, key, file, now, ledger_at)
        on_disk(file)
        found = _checked(part, key)
        if found.contents != written:
            raise ConfigurationError(str(out), "what was written is not what was read", "check this disk")
    return Made(out, found.size, found.made, key.expires_at, written)


def verify_backup(path: Path, network_id: str, keys: BackupKeys, now: datetime) -> Made:
    """Open, unpack and count everything of a backup. ConfigurationError if it is not whole."""
    return read_backup(path, network_id, keys, now, lambda _table, _rows: None)


def read_backup(
    path: Path,
    network_id: str,
    keys: BackupKeys,
    now: datetime,
    visit: Callable[[Table, list[dict[str, Any]]], None],
) -> Made:
    """Hand every batch of rows to `visit`, in an order in which rows come after those they point to.

    ConfigurationError: another network's, a newer version's, an expired key, not whole. What was visited
    before the end is only to be trusted after the end.
    """
    with opened(path) as (label, source):
        _refuse_foreign(label, network_id)
        key = keys.read(label.key_id, now)
        reader = Reader(_chunks(label, source, key))
        for table, rows in reader.batches():
            visit(table, rows)
        assert reader.contents is not None  # batches() ends with it or raises
        return Made(path, path.stat().st_size, label.made, key.expires_at, reader.contents)


def label_of(path: Path) -> Label:
    """What a backup says of itself, unopened. ConfigurationError for what is no backup."""
    with opened(path) as (label, _):
        return label


def _write(
    url: str, network_id: str, key: BackupKey, file: BinaryIO, now: datetime, ledger_at: int
) -> Contents:
    secret, prefix = os.urandom(KEY_BYTES), os.urandom(PREFIX_BYTES)
    made = now.astimezone(UTC).isoformat(timespec="seconds")
    header = {
        "format": FORMAT,
        "network": network_id,
        "revision": HEAD,
        "made": made,
        "key": key.id,
        "wrapped": base64.b64encode(_wrap(key, secret, made)).decode(),
        "prefix": base64.b64encode(prefix).decode(),
    }
    digest = Digest({"made": made, "ledger": ledger_at})
    writer = SealedWriter(file, secret, prefix, header)
    for packed in compressed(_snapshot(url, digest)):
        writer.write(packed)
    writer.finish()
    assert digest.contents is not None  # its lines were all written
    return digest.contents


def _snapshot(url: str, digest: Digest) -> Iterator[bytes]:
    """Every line of the database at one moment. ConfigurationError when it goes away meanwhile."""
    parsed = parse_url(url)
    with clear_errors(parsed):
        conn = connect(parsed, read_only=True)
        try:
            check_revision(conn, url)
            conn.begin()
            yield from digest.lines(conn)
        finally:
            conn.rollback()
            conn.close()


def _checked(part: Path, key: BackupKey) -> Made:
    with opened(part) as (label, source):
        reader = Reader(_chunks(label, source, key))
        for _ in reader.batches():
            pass
        assert reader.contents is not None
        return Made(part, part.stat().st_size, label.made, key.expires_at, reader.contents)


def _chunks(label: Label, source: BinaryIO, key: BackupKey) -> Iterator[bytes]:
    try:
        wrapped, prefix = (base64.b64decode(text, validate=True) for text in (label.wrapped, label.prefix))
        made = str(label.header.values["made"])
        secret = decrypt(AESGCM(key.secret), wrapped, _about(key, made))
    except (ValueError, SealBroken):
        raise Damaged("its first lines are damaged, or it was made with another key") from None
    return unsealed(source, secret, prefix, label.header)


def _wrap(key: BackupKey, secret: bytes, made: str) -> bytes:
    return encrypt(AESGCM(key.secret), secret, _about(key, made))


def _about(key: BackupKey, made: str) -> bytes:
    return bound("backup-data-key", key.id, made)


def _refuse_foreign(label: Label, network_id: str) -> None:
    if label.network_id != network_id:
        what = f"this is a backup of network {label.network_id:.64}, the key belongs to {network_id}"
        mend = "name that network's own root key file, or a backup of this one"
        raise ConfigurationError(str(label.path), what, mend)
    if label.revision > HEAD:
        what = (
            f"this backup is of a newer version of this program ({label.revision:.20}; this one knows {HEAD})"
        )
        raise ConfigurationError(str(label.path), what, "install that version, and restore with it")
    if label.revision != HEAD:
        what = f"this backup is of an older version of this program ({label.revision:.20})"
        mend = "restore it with that version, then migrate: python -m bot migrate"
        raise ConfigurationError(str(label.path), what, mend)


def _place(out: Path, network_id: str, keys: BackupKeys, now: datetime) -> Path:
    """The file to write. ConfigurationError where it would lie beside the keys that lock it."""
    if out.is_dir():
        out = out / f"pulang-{network_id}-{now.astimezone(UTC):%Y%m%d-%H%M%S}.backup"
    beside = keys.folder.parent
    if out.resolve().parent in (beside, keys.folder):
        what = "lies beside the keys that open it, so that one theft would take both"
        raise ConfigurationError(str(out), what, "name another folder, best on another disk")
    return out

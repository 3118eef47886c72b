"""Keys of backups: one for each day, in a folder beside the root key, gone 30 days after its day began.

The root key alone must not open old backups for ever, or nothing that was ever backed up could be erased. So
each day has a random key of its own, wrapped by a key that is derived from the root and bound to its dates.
When it expires its file is overwritten and removed: from then on that day's backups open for nobody.
"""

from __future__ import annotations

import base64
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referrals.errors import ConfigurationError
from storage.keyring import SealBroken, bound, decrypt, encrypt
from storage.private_files import private_folder, put_private, read_private, shred
from storage.secret import KEY_BYTES, RootKey

FOLDER = "backup-keys"
LIFE = timedelta(days=30)  # from the beginning of its one day of use: so at most 30 days after the last use
_HEADER = "pulang backup key 1"
_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})-([0-9a-f]{16})\.key")
_FIRST_YEAR = 2000
_MEND = "restore this file from your copy of the folder; backups of its day open with no other"


@dataclass(frozen=True, slots=True)
class BackupKey:
    """One day's key. `id` stands in every backup that it opens."""

    id: str  # '<day>-<16 hex digits>'
    day: date
    secret: bytes = field(repr=False)

    @property
    def expires_at(self) -> datetime:
        return _midnight(self.day) + LIFE


class BackupKeys:
    """The folder of one network's backup keys. They lie beside the root key file."""

    def __init__(self, root_key_file: Path, root: RootKey) -> None:
        self.folder, self._network = folder_beside(root_key_file), root.network_id
        self._wrapping = AESGCM(root.derive("backup-key-wrap"))

    def of_today(self, now: datetime) -> BackupKey:
        """Today's key, made where there is none. ConfigurationError where it cannot be kept safely."""
        private_folder(self.folder)
        today = now.astimezone(UTC).date()
        for day, key_id in _named(self.folder):
            if day == today:
                with suppress(ConfigurationError):  # made with a root key that was replaced today
                    return self.read(key_id, now)
        key = BackupKey(f"{today.isoformat()}-{os.urandom(8).hex()}", today, os.urandom(KEY_BYTES))
        put_private(self._path(key.id), self._written(key))
        return key

    def read(self, key_id: str, now: datetime) -> BackupKey:
        """The key of that id. ConfigurationError: expired, not there, unsafe, damaged, another network's."""
        path, day = self._path(key_id), date.fromisoformat(key_id[:10])
        if _midnight(day) + LIFE <= now or not path.exists():
            raise self._missing(path, day, now)
        return self._parsed(read_private(path, "the key", _MEND), key_id, path)

    def listed(self) -> list[tuple[str, datetime]]:
        """Ids and the instants at which they expire, the oldest first."""
        return [(key_id, _midnight(day) + LIFE) for day, key_id in _named(self.folder)]

    def _path(self, key_id: str) -> Path:
        if not _is_name(f"{key_id}.key"):
            raise ConfigurationError("the backup", f"names a key that cannot be ({key_id!r:.60})", _MEND)
        return self.folder / f"{key_id}.key"

    @staticmethod
    def _missing(path: Path, day: date, now: datetime) -> ConfigurationError:
        expired = _midnight(day) + LIFE
        if expired <= now:
            what = f"the key of this backup expired on {expired:%Y-%m-%d}: it opens for nobody any more"
            return ConfigurationError(str(path), what, "use a younger backup")
        what = "the key of this backup is not there"
        mend = f"put your copy of it back (it may be kept until {expired:%Y-%m-%d}), or use another backup"
        return ConfigurationError(str(path), what, mend)

    def _about(self, key_id: str) -> bytes:
        return bound("backup-key", self._network, key_id)

    def _written(self, key: BackupKey) -> bytes:
        wrapped = encrypt(self._wrapping, key.secret, self._about(key.id))
        return (
            f"{_HEADER}\nnetwork: {self._network}\nid: {key.id}\n"
            f"expires: {key.expires_at:%Y-%m-%d}\nkey: {base64.b64encode(wrapped).decode()}\n"
        ).encode()

    def _parsed(self, content: bytes, key_id: str, path: Path) -> BackupKey:
        lines = content.decode("ascii", "replace").splitlines()
        if not lines or lines[0] != _HEADER:
            raise ConfigurationError(str(path), "this is not a backup key file", _MEND)
        values = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        if not {"network", "id", "key"} <= set(values):
            raise ConfigurationError(str(path), "the key file is cut off or incomplete", _MEND)
        if values["network"] != self._network:
            what = f"the key belongs to network {values['network']}, this is {self._network}"
            raise ConfigurationError(str(path), what, _MEND)
        try:
            wrapped = base64.b64decode(values["key"], validate=True)
            secret = decrypt(self._wrapping, wrapped, self._about(key_id))
        except (ValueError, SealBroken) as error:
            what = "the key does not open: it is damaged, or the root key was replaced since"
            mend = "restore this file, or name the root key file of that time in PULANG_ROOT_KEY_FILE"
            raise ConfigurationError(str(path), what, mend) from error
        return BackupKey(key_id, date.fromisoformat(key_id[:10]), secret)


def folder_beside(root_key_file: Path) -> Path:
    """Where a network's backup keys lie."""
    return root_key_file.resolve().parent / FOLDER


def expire_keys(folder: Path, now: datetime) -> list[str]:
    """Shred every key whose time is over; their ids. OSError when one cannot be removed."""
    gone = [key_id for day, key_id in _named(folder) if _midnight(day) + LIFE <= now]
    for key_id in gone:
        shred(folder / f"{key_id}.key")
    return gone


def _named(folder: Path) -> list[tuple[date, str]]:
    """The keys in a folder by their days, the oldest first."""
    if not folder.is_dir():
        return []
    found = [path.name.removesuffix(".key") for path in folder.iterdir() if _is_name(path.name)]
    return sorted((date.fromisoformat(key_id[:10]), key_id) for key_id in found)


def _is_name(name: str) -> bool:
    """Whether a file may be one of ours: nobody's other files are looked at, and least of all shredded."""
    try:
        return _NAME.fullmatch(name) is not None and date.fromisoformat(name[:10]).year > _FIRST_YEAR
    except ValueError:
        return False


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)

"""What a second pair of eyes found in keys, backups, the ledger and restoring. Each of these once went wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from referrals.errors import ConfigurationError
from storage.backup_keys import BackupKeys
from storage.backup_stream import MAGIC
from storage.keys import create_root_key, load_root_key, rewrite_root_key
from storage.locked_key import LEAST
from tests.support.backups import Place
from tests.support.store import KEY, START, SettableClock, open_store

WORDS = "six words that were drawn by dice"


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """(key file, data folder), side by side."""
    (tmp_path / "data").mkdir()
    (tmp_path / "keys").mkdir()
    return tmp_path / "keys" / "root.key", tmp_path / "data"


# --- Damaged files are named with their mend, whatever byte it is that rotted ---------------------


@pytest.mark.parametrize("passphrase", [None, WORDS])
def test_any_damaged_byte_of_a_root_key_is_told_with_its_mend(
    places: tuple[Path, Path], passphrase: str | None
) -> None:
    path, data = places
    made = create_root_key(path, data, passphrase=passphrase, cost=LEAST)
    content = path.read_bytes()
    check = content.index(b"check: ") if passphrase else 0  # a locked one costs a try where its check fits
    for at in range(check, len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x80]) + content[at + 1 :])
        with pytest.raises(ConfigurationError) as caught:
            load_root_key(path, data, lambda: WORDS)
        assert str(path) in caught.value.where
    path.write_bytes(content)
    assert load_root_key(path, data, lambda: WORDS) == made


def test_any_damaged_byte_of_a_backup_key_is_told_with_its_mend(tmp_path: Path) -> None:
    keys = BackupKeys(tmp_path / "root.key", KEY)
    key = keys.of_today(START)
    path = keys.folder / f"{key.id}.key"
    content = path.read_bytes()
    for at in range(content.index(b"key: "), len(content) - 1):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x80]) + content[at + 1 :])
        with pytest.raises(ConfigurationError):
            keys.read(key.id, START)


def test_a_forged_first_line_of_a_backup_is_refused_in_words(sqlite_url: str, tmp_path: Path) -> None:
    place = Place(tmp_path, SettableClock())
    open_store(sqlite_url).close()
    path = place.backup(sqlite_url).path
    _, header, chunks = path.read_bytes().split(b"\n", 2)
    values = json.loads(header)
    forged = [{**values, "prefix": prefix} for prefix in ("", "AA==", "AAAA" * 50, "é", "A")]
    forged += [{**values, "wrapped": wrapped} for wrapped in ("", "é", "AAAA")]
    lines = [json.dumps(one).encode() for one in forged] + [b"[" * 4000]
    for line in lines:
        path.write_bytes(MAGIC + line + b"\n" + chunks)
        with pytest.raises(ConfigurationError) as caught:
            place.found(path)
        assert str(path) in caught.value.where


# --- The root key's place ------------------------------------------------------------------------


def test_a_key_behind_a_link_stays_where_it_is_when_it_is_locked(tmp_path: Path) -> None:
    """Ledger and backup keys are looked for beside the file itself: the link must not become a file."""
    data, real, link = tmp_path / "data", tmp_path / "stick" / "root.key", tmp_path / "etc" / "root.key"
    for folder in (data, real.parent, link.parent):
        folder.mkdir()
    made = create_root_key(real, data)
    plain = real.read_bytes()
    link.symlink_to(real)
    before = BackupKeys(link, made).folder
    rewrite_root_key(link, data, made, WORDS, LEAST)
    assert load_root_key(link, data, lambda: WORDS) == made
    assert link.is_symlink()
    assert BackupKeys(link, made).folder == before
    assert real.read_bytes() != plain, "the key in plain was left where it lay"

"""A day's key ends on its date, and with it every backup of that day: that is the published erasure time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from referrals.errors import ConfigurationError
from storage.backup_keys import LIFE, BackupKeys, expire_keys
from storage.secret import RootKey
from tests.support.backups import Place
from tests.support.store import KEY, START, SettableClock, open_store

DAY = timedelta(days=1)


@pytest.fixture
def keys(tmp_path: Path) -> BackupKeys:
    return BackupKeys(tmp_path / "root.key", KEY)


def refused(work: object) -> str:
    assert callable(work)
    with pytest.raises(ConfigurationError) as caught:
        work()
    return str(caught.value)


def test_one_key_a_day_for_its_owner_alone(keys: BackupKeys) -> None:
    first = keys.of_today(START)
    assert keys.of_today(START + timedelta(hours=20)) == first
    second = keys.of_today(START + DAY)
    assert second.id != first.id
    assert second.secret != first.secret
    assert keys.folder.stat().st_mode & 0o777 == 0o700
    for path in keys.folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert first.secret.hex().encode() not in path.read_bytes()


def test_it_opens_to_the_last_moment_and_then_for_nobody(keys: BackupKeys) -> None:
    late = datetime(2026, 11, 24, 23, 59, tzinfo=UTC)  # the last use of that day's key
    key = keys.of_today(late)
    assert key.expires_at - late < LIFE
    assert keys.read(key.id, key.expires_at - timedelta(seconds=1)) == key
    assert "expired on 2026-12-24" in refused(lambda: keys.read(key.id, key.expires_at))
    # The operator's clock has moved, and the file is there still: it is refused before it is swept.
    assert expire_keys(keys.folder, key.expires_at - timedelta(seconds=1)) == []
    content = (keys.folder / f"{key.id}.key").read_bytes()
    assert expire_keys(keys.folder, key.expires_at) == [key.id]
    assert list(keys.folder.iterdir()) == []
    assert "opens for nobody" in refused(lambda: keys.read(key.id, key.expires_at + DAY))
    # Put back from a copy, an expired key is refused and swept again.
    (keys.folder / f"{key.id}.key").write_bytes(content)
    assert "expired" in refused(lambda: keys.read(key.id, key.expires_at + DAY))
    assert expire_keys(keys.folder, key.expires_at + DAY) == [key.id]


def test_the_bytes_are_overwritten_before_the_name_goes(keys: BackupKeys, tmp_path: Path) -> None:
    key = keys.of_today(START)
    path = keys.folder / f"{key.id}.key"
    before = path.read_bytes()
    link = tmp_path / "another name for the same bytes"
    link.hardlink_to(path)
    expire_keys(keys.folder, key.expires_at)
    after = link.read_bytes()
    assert len(after) == len(before)
    assert after != before
    assert before.splitlines()[-1] not in after


def test_other_files_in_the_folder_are_nobodys_business(keys: BackupKeys) -> None:
    keys.of_today(START)
    for name in ("notes.txt", "2026-99-99-0123456789abcdef.key", "2001-01-01-short.key"):
        (keys.folder / name).write_text("precious")
    expire_keys(keys.folder, START + 400 * DAY)
    assert len(list(keys.folder.iterdir())) == 3


def test_what_is_wrong_with_a_key_file_is_said(keys: BackupKeys) -> None:
    key = keys.of_today(START)
    path = keys.folder / f"{key.id}.key"
    content = path.read_text()

    def told() -> str:
        return refused(lambda: keys.read(key.id, START))

    path.chmod(0o644)
    assert "chmod 600" in told()
    path.chmod(0o600)
    for broken, words in (
        ("", "not a backup key file"),
        (content[:60], "cut off"),
        (content.replace("network: test", "network: best"), "belongs to network"),
        (content[:-6] + "AAAA=\n", "does not open"),
        (content.replace("key: ", "key: *"), "does not open"),
    ):
        path.write_text(broken)
        assert words in told(), broken
    path.write_text(content)
    other = keys.of_today(START + DAY)
    (keys.folder / f"{other.id}.key").write_text(content)  # one day's key under another day's name
    assert "does not open" in refused(lambda: keys.read(other.id, START + DAY))
    path.unlink()
    assert "put your copy of it back (it may be kept until 2026-12-24)" in told()
    keys.folder.chmod(0o755)
    assert "chmod 700" in refused(lambda: keys.of_today(START))


def test_a_new_root_key_begins_a_new_days_key(keys: BackupKeys, tmp_path: Path) -> None:
    old = keys.of_today(START)
    fresh = BackupKeys(tmp_path / "root.key", RootKey(KEY.network_id, bytes(32)))
    new = fresh.of_today(START)
    assert new.id != old.id
    assert fresh.of_today(START) == new
    assert keys.read(old.id, START) == old


def test_a_backup_of_that_day_no_longer_opens(sqlite_url: str, tmp_path: Path) -> None:
    place = Place(tmp_path, SettableClock())
    open_store(sqlite_url).close()
    made = place.backup(sqlite_url)
    place.clock.now = made.opens_until - timedelta(seconds=1)
    assert place.found(made.path).made.rows == made.rows
    place.clock.now = made.opens_until
    assert "expired" in refused(lambda: place.found(made.path))
    expire_keys(place.keys.folder, place.clock.now)
    place.clock.now = made.made  # a clock that was set back does not bring it back
    assert "is not there" in refused(lambda: place.found(made.path))

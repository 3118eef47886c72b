"""What a second look found in keys, backups, the ledger and restoring: each of these once went wrong."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.clock import Clock
from bot.commands.restore import ledgers_of
from bot.keeping import Keeper
from bot.settings import make_settings
from referrals.errors import ConfigurationError
from referrals.model import Record
from referrals.persons import Device, DeviceState
from referrals.ports import Erasure, Taken, Tx
from referrals.service import retention
from referrals.service.people.devices import READS_FOR, reads
from referrals.service.stewards import witnessing
from referrals.service.timers import begin
from storage import erasures
from storage.backup_keys import BackupKeys
from storage.backup_stream import MAGIC
from storage.keys import create_root_key, load_root_key, rewrite_root_key
from storage.ledger import KEEP, Ledger
from storage.locked_key import LEAST
from storage.secret import LastingSecret
from storage.sql import Sql
from storage.tx import StoreTx
from tests.support.backups import Place
from tests.support.network import CATALOGUE, Small
from tests.support.store import KEY, START, SettableClock, open_store

ROOT = Path(__file__).parents[2]
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


# --- The ledger of erasures ----------------------------------------------------------------------

SECRET = LastingSecret("test-network", bytes(range(32)))


def taken(number: int) -> Erasure:
    record = Record("referral", f"r{number}")
    return erasures.took(START + timedelta(minutes=number), Taken.DESTROYED, record)


def test_a_first_start_that_is_killed_as_it_makes_the_ledger_does_not_bar_the_next(tmp_path: Path) -> None:
    """The system kills a child in the very write: half a ledger must not stand under the ledger's name."""
    program = (
        "import resource, signal, sys\n"
        "from tests.security.test_review_secure_core_b import *\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "Ledger(Path(sys.argv[1]), SECRET).write([taken(1)], START)\n"
    )
    path = tmp_path / "erased.log"
    done = subprocess.run([sys.executable, "-c", program, str(path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGXFSZ
    Ledger(path, SECRET).write([taken(1)], START)
    assert len(Ledger(path, SECRET).read().erasures) == 1


def test_another_process_that_pruned_is_noticed_even_where_file_and_size_look_the_same(
    tmp_path: Path,
) -> None:
    """A file system gives a freed inode's number to the next file, and a mark is as long as a mark."""
    path, kept = tmp_path / "erased.log", tmp_path / "the same inode"
    ours, theirs = Ledger(path, SECRET), Ledger(path, SECRET)
    for _ in range(10):
        theirs.write([], START - timedelta(days=1))
    assert theirs.prune(START + KEEP - timedelta(hours=1)) == 10  # from here on all numbers have two digits
    for number in range(20):
        ours.write([], START + timedelta(hours=number))
    kept.hardlink_to(path)
    size, now = kept.stat().st_size, START + KEEP + timedelta(hours=9)
    assert theirs.prune(now) == 9
    for _ in range(9):
        theirs.write([], now)
    assert path.stat().st_size == size, "the test's own set-up"
    with kept.open("r+b") as file:
        file.write(path.read_bytes())
    kept.replace(path)
    ours.write([taken(1)], now)
    assert len(Ledger(path, SECRET).read().erasures) == 1


def _destroy(tx: Tx, row: str) -> None:
    tx.destroy(Record("referral", row))


async def test_a_ledger_that_was_lost_or_cut_is_written_anew_from_the_database(
    sqlite_url: str, tmp_path: Path
) -> None:
    """The database knows what was erased in these weeks: with it alive, nothing need be lost."""
    clock = Clock()
    store = open_store(sqlite_url, clock.now)
    ledger = Ledger(tmp_path / "erased.log", store.lasting)
    for number in range(3):
        await store.turn(_destroy, f"r{number}")

    async def started() -> set[str]:
        keeper = Keeper(store, Ledger(ledger.path, store.lasting), tmp_path, clock)
        await asyncio.to_thread(keeper.check)
        await keeper.catch_up()
        await keeper.flush()
        return {erasure.record.row for erasure in ledger.read().erasures}

    try:
        assert await started() == {"r0", "r1", "r2"}
        lines = ledger.path.read_text().splitlines(keepends=True)
        ledger.path.write_text("".join(lines[:-2]))  # whoever may write there has cut its end off
        assert await started() == {"r0", "r1", "r2"}
        ledger.path.unlink()  # or the folder was not taken along
        assert await started() == {"r0", "r1", "r2"}
        size = ledger.path.stat().st_size
        await started()
        assert ledger.path.stat().st_size - size < 200, "what stands there is not written again"
    finally:
        await store.aclose()


def test_a_ledger_that_holds_no_line_yet_is_no_reason_to_fail(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Place(tmp_path, SettableClock())
    store = open_store(sqlite_url, place.clock)
    ledger = place.ledger(store)
    ledger.write([], START)
    assert ledger.prune(START + 2 * KEEP) == 1  # and the machine went down before the next mark
    store.close()
    found = place.found(place.backup(sqlite_url, ledger_at=1).path)
    settings = make_settings(
        bot_token="1234567:" + "a" * 30,
        public_url="https://pulang.example",
        data=tmp_path / "data",
        root_key_file=tmp_path / "keys" / "root.key",
    )
    assert ledgers_of(settings, found, [ledger.path], without=False).pending == []
    assert "erased.log" in capsys.readouterr().out


class Turned:
    """A clock that is set right and wrong."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at


async def test_a_clock_that_leaps_destroys_no_backups_key(sqlite_url: str, tmp_path: Path) -> None:
    """A month ahead for some hours and back again: in that time it would all have been gone for good."""
    clock = Turned()
    store = open_store(sqlite_url, clock.now)
    ledger = Ledger(tmp_path / "erased.log", store.lasting)
    keys = BackupKeys(tmp_path / "root.key", KEY)
    keeper = Keeper(store, ledger, keys.folder, clock)  # type: ignore[arg-type]

    async def an_hour(times: int = 1) -> None:
        for _ in range(times):
            await keeper.tidy()
            clock.at += timedelta(hours=1)

    try:
        key = keys.of_today(clock.at)
        await store.turn(_destroy, "r1")
        await keeper.flush()
        await an_hour(30)
        clock.at += timedelta(days=60)
        await an_hour(5)
        clock.at -= timedelta(days=60)
        assert keys.read(key.id, clock.at) == key
        assert len(ledger.read().erasures) == 1
        before = ledger.read().sequence
        await an_hour(3)
        assert ledger.read().sequence == before + 3, "it goes on as soon as the clock is right"

        clock.at += timedelta(days=60)  # they really went by, with the machine switched off
        await an_hour(30)
        assert keys.listed() == []
        assert ledger.read().erasures == ()
    finally:
        await store.aclose()


def test_what_is_due_daily_does_not_wait_a_year_for_a_clock_that_was_ahead(sqlite_url: str) -> None:
    clock = SettableClock()
    store = open_store(sqlite_url, clock, CATALOGUE)
    net = Small(store, clock)
    clock.advance(days=365)
    store.run(begin)
    net.passes(timedelta(seconds=10))
    clock.advance(days=-365)
    store.run(begin)  # set right with the product stopped, as docs/incident.md says
    net.passes(timedelta(seconds=10))
    network, daily = witnessing.NETWORK, retention.SUBJECT
    for timer in store.run(lambda tx: [*tx.timers_of(network), *tx.timers_of(daily)]):
        assert timer.due_at <= clock.now + timedelta(days=1), timer.kind
    store.close()


def test_a_proved_pin_outlasts_no_clock_that_was_ahead() -> None:
    ahead = START + timedelta(days=30)
    device = Device(
        "d1",
        "p1",
        "key",
        state=DeviceState.ACTIVE,
        since=ahead,
        last_seen_at=ahead,
        proved_until=ahead + READS_FOR,
    )
    assert reads(device, ahead)
    assert not reads(device, START), "set right, it is a month and not half an hour"


# --- The database --------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["key_check", "demo", "lasting"])
def test_a_database_that_forgot_which_it_is_is_refused_in_words(sqlite_url: str, key: str) -> None:
    store = open_store(sqlite_url)

    def forget(tx: Tx) -> None:
        assert isinstance(tx, StoreTx)
        tx.connection.change(Sql("DELETE FROM meta WHERE key = :key"), {"key": key})

    store.run(forget)
    store.close()
    with pytest.raises(ConfigurationError, match="restore"):
        open_store(sqlite_url)


def test_the_root_key_does_not_lie_beside_a_database_that_is_elsewhere(tmp_path: Path) -> None:
    """The data folder is not the only place that can be taken with all that is in it."""
    values = {
        "bot_token": "1234567:" + "a" * 30,
        "public_url": "https://pulang.example",
        "data": tmp_path / "data",
        "root_key_file": tmp_path / "db" / "root.key",
    }
    for driver in ("sqlite", "sqlite+pysqlite"):
        with pytest.raises(ConfigurationError, match="PULANG_ROOT_KEY_FILE"):
            make_settings(**values, database_url=f"{driver}:///{tmp_path}/db/pulang.sqlite")
    make_settings(**values, database_url=f"sqlite:///{tmp_path}/elsewhere/pulang.sqlite")
    make_settings(**values, database_url="postgresql://pulang@127.0.0.1/pulang")


def test_the_passphrase_does_not_lie_beside_the_key_that_it_opens(tmp_path: Path) -> None:
    values = {
        "bot_token": "1234567:" + "a" * 30,
        "public_url": "https://pulang.example",
        "data": tmp_path / "data",
        "root_key_file": tmp_path / "keys" / "root.key",
    }
    with pytest.raises(ConfigurationError, match="PULANG_PASSPHRASE_FILE"):
        make_settings(**values, passphrase_file=tmp_path / "keys" / "passphrase")
    make_settings(**values, passphrase_file=tmp_path / "run" / "passphrase")

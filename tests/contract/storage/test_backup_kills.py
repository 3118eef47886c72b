"""kill -9 in the middle of a backup or a restore, a disk that is full, and how much memory it takes."""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
from pathlib import Path

import pytest

from referrals.errors import ConfigurationError
from referrals.model import AuditEntry, DataClass, Record, person_holder
from referrals.persons import Scrap
from referrals.ports import Tx
from storage.sql import Sql
from storage.tx import StoreTx
from tests.support.backups import Place, rows_of
from tests.support.network import STEWARD
from tests.support.postgres import PostgresServer
from tests.support.store import SettableClock, open_store

ROOT = Path(__file__).resolve().parents[3]
ROWS = 3_000


def _fill(tx: Tx, first: int, count: int) -> None:
    for number in range(first, first + count):
        name = f"{number:09}"
        if number < 100:
            tx.seal(Record("scrap", name), DataClass.STORY, "text", f"story {number}", [person_holder("p1")])
        tx.audit(AuditEntry(STEWARD, "scrap", f"scrap:{name}"))
    tx.add(*(Scrap(f"{number:09}", "p1", tx.now) for number in range(first, first + count)))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, SettableClock())


@pytest.fixture
def full_url(database_url: str) -> str:
    store = open_store(database_url)
    for first in range(0, ROWS, 500):
        store.run(_fill, first, 500)
    store.close()
    return database_url


def _killed(words: list[str], after_s: float) -> list[str]:
    """Start the program, kill it a moment after it is ready; what it said."""
    command = [sys.executable, "-m", "tests.support.killed_backup", *words]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after_s)
    process.kill()
    said = process.stdout.read().decode()
    process.wait()
    process.stdout.close()
    return said.split("\n")[:-1]


def test_a_killed_backup_leaves_whole_ones_or_none(full_url: str, place: Place, long_run: bool) -> None:
    """Once surely at the last moment before it has its name, and then at any moment."""
    chance, acknowledged = random.Random(7), []
    assert _killed(["unnamed", full_url, str(place.folder)], 0.0) == []
    assert len(list((place.folder / "backups").glob(".*"))) == 1
    for _ in range(40 if long_run else 2):
        acknowledged += _killed(["backup", full_url, str(place.folder)], chance.uniform(0.05, 0.9))
    named = [path for path in (place.folder / "backups").iterdir() if not path.name.startswith(".")]
    assert {Path(line) for line in acknowledged} <= set(named)
    for path in named:
        assert place.found(path).made.contents.counts["scrap"] == ROWS
    place.clock.advance(hours=1)
    place.backup(full_url)
    assert list((place.folder / "backups").glob(".*")) == []


def test_a_killed_restore_is_refused_and_begins_anew(
    full_url: str, place: Place, postgres: PostgresServer, long_run: bool
) -> None:
    """Once surely at the last moment before its commit, and then at any moment."""
    path = place.backup(full_url).path
    chance = random.Random(7)
    for number in range(30 if long_run else 2):
        sqlite = full_url.startswith("sqlite")
        url = f"sqlite:///{place.folder}/other{number}.db" if sqlite else postgres.create_database()
        how = "restore" if number else "wait"
        said = _killed([how, str(path), url, str(place.folder)], chance.uniform(0.1, 1.0) if number else 0.0)
        if not number:
            refused = _opening(url)
            assert "was not finished" in refused
            assert "bot restore" in refused
        if "done" not in said:
            _gone(url, postgres)
            with contextlib.suppress(ConfigurationError):  # killed after its commit: it is counted below
                place.restore(path, url)
        assert _opening(url) == ""
        store = open_store(url)
        assert asyncio.run(store.verify_audit()) == []
        assert store.run(_count) == ROWS
        store.close()
        if not sqlite:
            postgres.drop_database(url)


def _opening(url: str) -> str:
    """Why the product does not start upon this database; '' when it does."""
    try:
        open_store(url).close()
    except ConfigurationError as error:
        return str(error)
    return ""


def _gone(url: str, postgres: PostgresServer) -> None:
    """PostgreSQL needs a moment to notice that its client is dead, and rolls back then."""
    if url.startswith("sqlite"):
        return
    name = url.rpartition("/")[2]
    asked = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
    with postgres.connect() as connection:
        while (connection.execute(asked, [name]).fetchone() or (0,))[0]:
            continue


def _count(tx: Tx) -> int:
    assert isinstance(tx, StoreTx)
    return int(tx.connection.rows(Sql("SELECT count(*) FROM scrap"))[0][0])


def test_a_full_disk_is_told_and_nothing_is_left(full_url: str, place: Place) -> None:
    """A child process that may write no file larger than 100 kB."""
    program = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from tests.support.backups import Place\nfrom tests.support.store import SettableClock\n"
        "place = Place(Path(sys.argv[2]), SettableClock())\nplace.keys.of_today(place.clock.now)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n    place.backup(sys.argv[1])\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, full_url, str(place.folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("ConfigurationError"), done.stdout + done.stderr
    assert "File too large" in done.stdout
    assert "unharmed" in done.stdout
    assert list((place.folder / "backups").iterdir()) == []
    store = open_store(full_url)
    assert asyncio.run(store.verify_audit()) == []
    store.close()


def test_memory_does_not_grow_with_the_database(tmp_path: Path, long_run: bool) -> None:
    """Peaks of two databases, one three times the other: what grows is no more than a batch."""
    place = Place(tmp_path, SettableClock())
    made = {rows: _long_ones(place, rows) for rows in ((1_000, 10_000) if long_run else (500, 1_500))}
    for how in ("backup", "restore") if long_run else ("restore",):
        small, large = (_peak(tmp_path, how, rows, *found) for rows, found in made.items())
        # SQLite's own cache takes 32,000 kB of what is there; the larger one holds 40,000 kB more, and half
        # as much again in base64.
        assert large - small < 35_000, f"{how}: {small} kB, then {large} kB"
        print(f"{how}: {small} kB, then {large} kB")


def _long_ones(place: Place, rows: int) -> tuple[str, Path]:
    """A database of so many rows of 40 kB, and a backup of it."""
    url = f"sqlite:///{place.folder}/{rows}.db"
    store = open_store(url)
    for first in range(0, rows, 500):
        store.run(_fill_long, first)
    store.close()
    place.clock.advance(seconds=rows)
    return url, place.backup(url).path


def _peak(folder: Path, how: str, rows: int, url: str, path: Path) -> int:
    """The child's peak memory in kB."""
    work = "place.backup(sys.argv[2])" if how == "backup" else "place.restore(Path(sys.argv[3]), sys.argv[4])"
    program = (
        "import sys\nfrom pathlib import Path\nfrom datetime import timedelta\n"
        "from tests.support.backups import Place\nfrom tests.support.store import SettableClock\n"
        "place = Place(Path(sys.argv[1]), SettableClock())\n"
        f"place.clock.advance(days=1, seconds={rows})\n{work}\n"
        "print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
    )
    other = f"sqlite:///{folder}/{how}-{rows}-other.db"
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder), url, str(path), other],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def _fill_long(tx: Tx, first: int) -> None:
    for number in range(first, first + 500):
        name = f"{number:09}"
        tx.seal(Record("scrap", name), DataClass.STORY, "text", name * 4_400, [person_holder("p1")])


def test_a_stolen_backup_shows_nothing(full_url: str, place: Place) -> None:
    """Not even what the tables hold in the clear: not an id, not a column's name."""
    path = place.backup(full_url).path
    content = path.read_bytes()
    for token in (b"story 17", b"000000017", b"scrap", b"person:p1", b"audit", b"STORY"):
        assert token not in content, token
    plain = "".join(repr(row) for rows in rows_of(full_url).values() for row in rows)
    assert "000000017" in plain, "the same search finds it in the database itself"

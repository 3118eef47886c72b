"""A backup is the database of one moment, whichever of the two it came from and goes to."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from referrals.errors import ConfigurationError
from referrals.model import AuditEntry, Referral
from referrals.ports import Tx
from storage.backup import make_backup, verify_backup
from storage.backup_keys import BackupKeys
from storage.backup_rows import TABLES
from storage.secret import RootKey
from storage.sql import Sql
from storage.store import Store
from storage.tables import metadata
from storage.tx import StoreTx
from tests.support.backups import Place, a_network, rows_of
from tests.support.network import STEWARD, Small
from tests.support.postgres import PostgresServer
from tests.support.rows import add_scrap
from tests.support.store import KEY, SettableClock, open_store, prepare

# What a restore puts in order by itself; everything else is equal row by row.
_PUT_IN_ORDER = ("meta", "outbox", "erasure", "audit", "audit_lane")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, SettableClock())


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A second, empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'other.db'}"
    postgres: PostgresServer = request.getfixturevalue("postgres")
    url = postgres.create_database()
    request.addfinalizer(lambda: postgres.drop_database(url))  # noqa: PT021 - only one of the two kinds
    return url


def test_every_row_is_back_whichever_way_it_goes(database_url: str, other_url: str, place: Place) -> None:
    net = a_network(database_url, place.clock)
    net.store.close()
    made = place.backup(database_url)
    before = rows_of(database_url)
    place.restore(made.path, other_url)
    after = rows_of(other_url)
    for table in TABLES:
        if table.name not in _PUT_IN_ORDER:
            assert after[table.name] == before[table.name], table.name
    assert after["audit"] == before["audit"]  # nothing was audited by this bare restore
    assert len(after["outbox"]) == len(before["outbox"])
    assert sum(map(len, before.values())) == made.rows > 100


def test_the_restored_network_goes_on(database_url: str, other_url: str, place: Place) -> None:
    net = a_network(database_url, place.clock)
    (referral,) = net.store.run(lambda tx: [r for r in tx.find(Referral) if r.plan])
    made = place.backup(database_url)
    net.store.close()
    place.restore(made.path, other_url, after=_say_so)
    again = Small.around(open_store(other_url, place.clock), place.clock)
    assert again.referral(referral.id) == referral
    again.passes(timedelta(hours=30))  # timers fire, late rather than never
    assert again.referral(referral.id) != referral
    assert asyncio.run(again.store.verify_audit()) == []
    again.said()
    again.store.close()


def _say_so(tx: Tx) -> None:
    tx.audit(AuditEntry(STEWARD, "backup:restore", "backup:restored"))


async def test_turns_go_on_while_it_is_made(database_url: str, place: Place, tmp_path: Path) -> None:
    """The snapshot is of one moment: rows and audit fit each other, though both grew all the while."""
    store = open_store(database_url)
    await store.turn(_fill, 3_000)
    stop = asyncio.Event()
    written = 0

    async def writer(number: int) -> None:
        nonlocal written
        while not stop.is_set():
            written += 1
            await store.turn(_one, f"w{number}-{written}")

    writers = [asyncio.create_task(writer(number)) for number in range(8)]
    all_made = []
    for _ in range(3):
        place.clock.advance(seconds=1)
        before = written
        made = await asyncio.to_thread(place.backup, database_url)
        assert written > before, "no turn was finished while the backup was made"
        assert made.contents.counts["scrap"] == made.contents.counts["audit"]
        all_made.append(made)
    stop.set()
    await asyncio.gather(*writers)
    await store.aclose()
    other = f"sqlite:///{tmp_path / 'other.db'}"
    place.restore(all_made[-1].path, other)
    restored = open_store(other)
    assert await restored.verify_audit() == []
    await restored.aclose()


def _fill(tx: Tx, count: int) -> None:
    for number in range(count):
        _one(tx, f"s{number}")


def _one(tx: Tx, name: str) -> None:
    add_scrap(tx, name)
    tx.audit(AuditEntry(STEWARD, "scrap", f"scrap:{name}"))


def test_every_table_is_in_it_or_left_out_knowingly() -> None:
    assert {t.name for t in TABLES} | {"session", "download", "tally"} == set(metadata.tables)


# --- What is refused ---------------------------------------------------------------------------------


def refused(work: object, *words: str) -> None:
    """`work` is a call that must be refused in these words."""
    assert callable(work)
    with pytest.raises(ConfigurationError) as caught:
        work()
    for word in words:
        assert word in str(caught.value)


def _small(place: Place, url: str) -> Path:
    prepare(url)
    open_store(url).close()
    return place.backup(url).path


def test_a_database_that_holds_something_is_never_filled(database_url: str, place: Place) -> None:
    path = _small(place, database_url)
    store = open_store(database_url)
    store.run(add_scrap, "mine")
    before = rows_of(database_url)
    refused(lambda: place.restore(path, database_url), "not empty", "keep this one")
    assert rows_of(database_url) == before
    store.close()


def test_another_networks_backup_is_refused(sqlite_url: str, place: Place, tmp_path: Path) -> None:
    path = _small(place, sqlite_url)
    other = RootKey("other-network", bytes(32))
    keys = BackupKeys(tmp_path / "keys" / "root.key", other)
    refused(
        lambda: verify_backup(path, other.network_id, keys, place.clock.now), "test-network", "other-network"
    )
    # The right name, and yet another key: the day's key does not open.
    same = BackupKeys(tmp_path / "keys" / "root.key", RootKey(KEY.network_id, bytes(32)))
    refused(lambda: verify_backup(path, KEY.network_id, same, place.clock.now), "root key was replaced")


def test_another_versions_backup_is_refused(sqlite_url: str, place: Place) -> None:
    path = _small(place, sqlite_url)
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"revision":"0001"', b'"revision":"0009"', 1))
    refused(lambda: place.found(path), "newer version", "install that version")
    path.write_bytes(content.replace(b'"revision":"0001"', b'"revision":"0000"', 1))
    refused(lambda: place.found(path), "older version", "migrate")


def test_a_demos_backup_is_refused(sqlite_url: str, place: Place) -> None:
    prepare(sqlite_url)
    open_store(sqlite_url, demo=True).close()
    path = place.backup(sqlite_url).path
    refused(lambda: place.found(path), "demo")


_LABEL = (
    b'pulang backup 1\n{"format":1,"network":"test-network","revision":"0001","made":"2026-11-24",'
    b'"key":"%s","wrapped":"","prefix":""}\n'
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a backup"),
        (b"hello\n" * 100, "not a backup"),
        (b"pulang backup 1\n", "first lines"),
        (b"pulang backup 1\n[]\n", "first lines"),
        (b'pulang backup 1\n{"format":7}\n', "format"),
        (b'pulang backup 1\n{"format":1}\n', "first lines"),
        (_LABEL % b"../../../etc/passwd", "cannot be"),
        (_LABEL % b"2026-99-99-0123456789abcdef", "cannot be"),
    ],
)
def test_what_is_no_backup_is_refused(place: Place, content: bytes, words: str) -> None:
    path = place.folder / "strange"
    path.write_bytes(content)
    refused(lambda: place.found(path), "strange" if "cannot be" not in words else words, words)


def test_places_where_a_backup_must_not_lie(sqlite_url: str, place: Place) -> None:
    prepare(sqlite_url)

    def to(out: Path) -> object:
        return lambda: make_backup(sqlite_url, KEY.network_id, place.keys, out, place.clock.now)

    refused(to(place.folder / "keys" / "x.backup"), "beside the keys")
    refused(to(place.folder / "nowhere" / "x.backup"), "could not be written", "unharmed")
    there = place.folder / "backups" / "x.backup"
    there.write_bytes(b"precious")
    refused(to(there), "there is a file already")
    assert there.read_bytes() == b"precious"
    assert list((place.folder / "backups").iterdir()) == [there]
    # A folder is good: the file is named after network and moment, and for its owner alone.
    made = make_backup(sqlite_url, KEY.network_id, place.keys, place.folder / "backups", place.clock.now)
    assert made.path.name == "pulang-test-network-20261124-030000.backup"
    assert made.path.stat().st_mode & 0o777 == 0o600


def test_a_database_that_goes_away_leaves_nothing(
    postgres_url: str, postgres: PostgresServer, place: Place
) -> None:
    open_store(postgres_url).close()
    postgres.drop_database(postgres_url)
    refused(lambda: place.backup(postgres_url), "PostgreSQL")
    assert list((place.folder / "backups").iterdir()) == []
    postgres.create_database(postgres_url.rpartition("/")[2])


def test_a_connection_that_is_cut_leaves_nothing(
    postgres_url: str, postgres: PostgresServer, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut by the server, after the first rows were written."""
    store = open_store(postgres_url)
    store.run(_fill, 3_000)
    store.close()
    cutting = iter([False, True])

    def cut(*_: object) -> bytes:
        if next(cutting, False):
            with postgres.connect() as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pulang'"
                )
        return b"\n"

    import storage.backup_rows as module

    honest = module._line
    monkeypatch.setattr(module, "_line", lambda value: (cut(), honest(value))[1])
    refused(lambda: place.backup(postgres_url), "PostgreSQL")
    assert list((place.folder / "backups").iterdir()) == []


def test_an_unfinished_restore_is_refused_by_the_product_and_can_begin_again(
    database_url: str, other_url: str, place: Place
) -> None:
    net = a_network(database_url, place.clock)
    net.store.close()
    path = place.backup(database_url).path
    prepare(other_url)

    def killed(_: Tx) -> None:
        raise KeyboardInterrupt  # as far as a signal that can be caught comes

    with pytest.raises(KeyboardInterrupt):
        place.restore(path, other_url, after=killed)
    assert all(not rows for rows in rows_of(other_url).values())
    _mark(other_url)  # what a kill leaves
    refused(lambda: open_store(other_url), "was not finished", "bot restore")
    place.restore(path, other_url)
    store = open_store(other_url)
    assert asyncio.run(store.verify_audit()) == []
    store.close()


def _mark(url: str) -> None:
    from storage.connection import connect, parse_url

    conn = connect(parse_url(url))
    conn.begin()
    conn.change(Sql("INSERT INTO meta (key, value) VALUES ('restoring', 'yes')"))
    conn.commit()
    conn.close()


def test_numbers_go_on_after_the_highest(database_url: str, other_url: str, place: Place) -> None:
    """A new notice must not meet the number of an old one."""
    net = a_network(database_url, place.clock)
    net.store.close()
    place.restore(place.backup(database_url).path, other_url)
    store: Store = open_store(other_url, place.clock)
    highest = store.run(_highest)
    store.run(_say_something)
    assert store.run(_highest) > highest
    store.close()


def _highest(tx: Tx) -> int:
    assert isinstance(tx, StoreTx)
    return int(tx.connection.rows(Sql("SELECT coalesce(max(id), 0) FROM outbox"))[0][0])


def _say_something(tx: Tx) -> None:
    from referrals.said import Notice

    tx.say(Notice("p1", "hello"))

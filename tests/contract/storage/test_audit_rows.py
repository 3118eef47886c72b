"""The audit: written with the change, chained by lane, and nobody changes it: on both databases."""

from __future__ import annotations

import asyncio

import pytest

from referrals.access import Action
from referrals.errors import NotFound, StoreError
from referrals.model import Actor, AuditEntry, Checkpoint, Role
from referrals.ports import Tx
from storage.audit import Finding
from storage.checkpoints import Body, read
from storage.sql import Sql
from storage.store import Store
from storage.tx import StoreTx
from tests.support.store import SettableClock, open_store

ACTOR = Actor("p1", Role.WORKER, "o1")
COLUMNS = "lane, sequence, at, person_id, role, organization_id, action, subject, detail, hash"


def note(tx: Tx, *subjects: str) -> None:
    for subject in subjects:
        tx.audit(AuditEntry(ACTOR, Action.OFFER_ACCEPT, subject, "accept"))


def run(store: Store, statement: str) -> int:
    def verb(tx: Tx) -> int:
        assert isinstance(tx, StoreTx)
        return tx.connection.change(Sql(statement))

    return store.run(verb)


async def test_entries_are_chained_without_a_gap(store: Store) -> None:
    await asyncio.gather(*[store.turn(note, f"offer:{n}", "second") for n in range(100)])
    assert await store.verify_audit() == []

    def lanes(tx: Tx) -> list[tuple[object, ...]]:
        assert isinstance(tx, StoreTx)
        return tx.connection.rows(Sql("SELECT lane, count(*), max(sequence) FROM audit GROUP BY lane"))

    found = store.run(lanes)
    assert sum(int(str(count)) for _, count, _ in found) == 200
    assert all(count == last for _, count, last in found)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET detail = 'decline'",
        "DELETE FROM audit",
        "UPDATE audit_lane SET sequence = 0",
        "UPDATE audit_lane SET hash = hash",
        "DELETE FROM audit_lane",
    ],
)
async def test_nobody_changes_or_removes_a_row(store: Store, statement: str) -> None:
    store.run(note, "offer:1", "offer:2")
    with pytest.raises(StoreError):
        run(store, statement)
    assert await store.verify_audit() == []


@pytest.mark.parametrize("statement", ["TRUNCATE audit", "TRUNCATE audit_lane"])
async def test_nobody_empties_it_at_once(store: Store, statement: str) -> None:
    store.run(note, "offer:1")
    with pytest.raises(StoreError):  # SQLite knows no TRUNCATE
        run(store, statement)
    assert await store.verify_audit() == []


async def test_replace_is_no_way_around(sqlite_store: Store) -> None:
    sqlite_store.run(note, "offer:1")
    for statement in (
        f"INSERT OR REPLACE INTO audit SELECT {COLUMNS.replace('detail', 'action')} FROM audit",
        "INSERT OR REPLACE INTO audit_lane SELECT lane, 0, hash FROM audit_lane",
    ):
        with pytest.raises(StoreError):
            run(sqlite_store, statement)
    assert await sqlite_store.verify_audit() == []


async def test_a_forged_row_is_found(store: Store) -> None:
    """Whoever may insert can add a row, but not one that fits the chain's head."""
    store.run(note, "offer:1")
    run(
        store,
        f"INSERT INTO audit ({COLUMNS}) SELECT {COLUMNS.replace('sequence', 'sequence + 1')} FROM audit",
    )
    lane = "sqlite" if "sqlite" in type(store._worker).__module__ else "main-"
    findings = await store.verify_audit()
    assert {finding.what for finding in findings} == {"changed", "cut"}
    assert all(finding.lane.startswith(lane) for finding in findings)


async def test_a_long_audit_is_read_page_by_page(store: Store, long_run: bool) -> None:
    """More rows than one page of `verify` holds: each is read once, and a break in any page is found."""
    subjects = [f"offer:{n}" for n in range(200)]
    for _ in range(500 if long_run else 30):
        store.run(note, *subjects)
    assert await store.verify_audit() == []


def test_a_finding_reads_well() -> None:
    assert Finding("sqlite", 3, "changed") == Finding("sqlite", 3, "changed")


# --- Checkpoints ---------------------------------------------------------------------------------


def signed(store: Store, number: int) -> Body:
    """A checkpoint of where the audit stands, stored as the daily timer does."""
    note = store.run(lambda tx: tx.checkpoint(number))
    store.run(lambda tx: tx.add(Checkpoint(f"{number:08}", tx.now, note)))
    return read(note.encode(), store.checkpoint_key)[1]


def without_triggers(store: Store, *statements: str) -> None:
    """What somebody with the database's own rights could do."""

    def verb(tx: Tx) -> None:
        assert isinstance(tx, StoreTx)
        conn = tx.connection
        if conn.dialect == "sqlite":
            names = [
                row[0] for row in conn.rows(Sql("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            ]
            for name in names:
                conn.change(Sql(f"DROP TRIGGER {name}"))
        else:
            conn.change(Sql("ALTER TABLE audit DISABLE TRIGGER ALL"))
            conn.change(Sql("ALTER TABLE audit_lane DISABLE TRIGGER ALL"))
        for statement in statements:
            conn.change(Sql(statement))

    store.run(verb)


async def test_what_was_signed_still_stands(store: Store, clock: SettableClock) -> None:
    store.run(note, "offer:1", "offer:2")
    first = signed(store, 1)
    store.run(note, "offer:3")
    signed(store, 2)
    store.run(note, "offer:4")
    assert first.rows == 2
    assert await store.verify_audit([first]) == []


async def test_an_audit_written_anew_is_whole_but_not_the_one_that_was_signed(
    store: Store, clock: SettableClock
) -> None:
    """Who holds the database can chain lies anew without a fault; a note that lies elsewhere tells."""
    store.run(note, "offer:1", "offer:2")
    body = signed(store, 1)
    without_triggers(store, "DELETE FROM audit", "DELETE FROM audit_lane", "DELETE FROM checkpoint")
    assert {f.what for f in await store.verify_audit([body])} == {"no such lane"}
    for _ in range(20):
        store.run(note, "offer:1", "offer:9")
    assert await store.verify_audit() == [], "in itself it is whole"
    found = await store.verify_audit([body])
    assert {f.what for f in found} == {"differs"}
    assert {f.checkpoint for f in found} == {1}


async def test_a_shorter_lane_and_a_lost_note_are_named(store: Store, clock: SettableClock) -> None:
    store.run(note, "offer:1", "offer:2")
    bodies = [signed(store, number) for number in (1, 2, 3)]
    lane = bodies[0].heads[0].lane
    without_triggers(
        store,
        "DELETE FROM audit WHERE sequence = 2",
        "UPDATE audit_lane SET sequence = 1, hash = (SELECT hash FROM audit WHERE sequence = 1)",
        "DELETE FROM checkpoint WHERE id = '00000002'",
    )
    found = await store.verify_audit(bodies[:1])
    assert Finding(lane, 2, "shorter", 1) in found
    assert Finding("", 0, "note missing", 2) in found
    assert {f.what for f in found} == {"shorter", "note missing"}


async def test_a_note_from_the_future_is_a_matter_of_clocks(store: Store, clock: SettableClock) -> None:
    clock.advance(days=1)
    store.run(note, "offer:1")
    body = signed(store, 1)
    clock.advance(days=-1)
    assert await store.verify_audit([body]) == [Finding("", 0, "future", 1)]


async def test_a_stored_note_that_was_exchanged_is_named(store: Store, clock: SettableClock) -> None:
    store.run(note, "offer:1")
    signed(store, 1)
    run(store, "UPDATE checkpoint SET note = 'pulang/test-network'")
    assert await store.verify_audit() == [Finding("", 0, "bad note", 1)]


@pytest.mark.parametrize(
    "statement",
    [
        (
            f"INSERT INTO audit ({COLUMNS}) SELECT {COLUMNS} FROM audit WHERE true"
            " ON CONFLICT (lane, sequence) DO UPDATE SET detail = 'other'"
        ),
        (
            "INSERT INTO audit_lane (lane, sequence, hash) SELECT lane, 0, hash FROM audit_lane WHERE true"
            " ON CONFLICT (lane) DO UPDATE SET sequence = excluded.sequence"
        ),
        "UPDATE audit_lane SET sequence = sequence - 1",
        "UPDATE audit_lane SET lane = 'elsewhere', sequence = sequence + 1",
    ],
)
async def test_no_upsert_and_no_step_back(store: Store, statement: str) -> None:
    store.run(note, "offer:1", "offer:2")
    with pytest.raises(StoreError):
        run(store, statement)
    assert await store.verify_audit() == []


# --- What a thread remembers of its lane ---------------------------------------------------------


async def test_what_a_thread_remembers_is_never_believed_against_the_database(
    database_url: str, clock: SettableClock
) -> None:
    """Turns that fail, another process on the same lane, and both at once: one chain without a gap."""
    first, second = open_store(database_url, clock), open_store(database_url, clock)
    try:

        def fails(tx: Tx) -> None:
            note(tx, "offer:lost")
            assert isinstance(tx, StoreTx)
            tx.finish()  # as at the end of a turn, and then the commit does not come
            raise NotFound

        for number in range(30):
            await first.turn(note, f"offer:{number}")
            with pytest.raises(NotFound):
                await first.turn(fails)
            await second.turn(note, f"offer:{number}", "second")
            together = [store.turn(note, "offer:x") for store in (first, second) for _ in range(4)]
            done = await asyncio.gather(*together, return_exceptions=True)
            assert [d for d in done if d is not None] == []
        assert await first.verify_audit() == []

        def count(tx: Tx) -> int:
            assert isinstance(tx, StoreTx)
            return int(tx.connection.rows(Sql("SELECT count(*) FROM audit"))[0][0])

        assert first.run(count) == 30 * (1 + 2 + 8)
    finally:
        first.close()
        second.close()

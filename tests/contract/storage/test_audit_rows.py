"""The audit: written with the change, chained by lane, and nobody changes it: on both databases."""

from __future__ import annotations

import asyncio
import time

import pytest

from referrals.access import Action
from referrals.errors import StoreError
from referrals.model import Actor, AuditEntry, Role
from referrals.ports import Tx
from storage.audit import Finding
from storage.sql import Sql
from storage.store import Store
from storage.tx import StoreTx

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


async def test_verify_is_quick(store: Store, long_run: bool) -> None:
    """At least 20,000 rows a second: a year of a busy network in minutes."""
    subjects = [f"offer:{n}" for n in range(200)]
    for _ in range(500 if long_run else 50):
        store.run(note, *subjects)
    begun = time.perf_counter()
    assert await store.verify_audit() == []
    rows = 100_000 if long_run else 10_000
    assert rows / (time.perf_counter() - begun) > 20_000


def test_a_finding_reads_well() -> None:
    assert Finding("sqlite", 3, "changed") == Finding("sqlite", 3, "changed")

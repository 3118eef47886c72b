"""Who holds a wrap can read, nobody else; and from the commit on: on both databases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from referrals.access import Action
from referrals.errors import NotSealedFor
from referrals.model import (
    DESK,
    NETWORK,
    SYSTEM,
    Actor,
    DataClass,
    Record,
    Role,
    organization_holder,
    person_holder,
)
from referrals.ports import Tx
from storage.sql import Sql
from storage.store import Store
from storage.tx import StoreTx

STORY, CONTACT = DataClass.STORY, DataClass.CONTACT
RECORD = Record("referral", "r1")
FAMILY = Actor("p1", Role.FAMILY)
WORKER = Actor("p2", Role.WORKER, "o1")
OTHER_WORKER = Actor("p3", Role.WORKER, "o2")
COORDINATOR = Actor("p4", Role.COORDINATOR)
OWN, ORG = person_holder("p1"), organization_holder("o1")


def seal(store: Store, text: str = "a story", holders: Iterable[str] = (OWN,), **more: Any) -> None:
    record, column = more.get("record", RECORD), more.get("column", "note")
    store.run(lambda tx: tx.seal(record, more.get("data_class", STORY), column, text, holders))


def opened(store: Store, actor: Actor, data_class: DataClass = STORY, record: Record = RECORD) -> Any:
    return dict(store.run(lambda tx: tx.open_sealed(actor, record, data_class)))


def refused(store: Store, actor: Actor, data_class: DataClass = STORY) -> bool:
    with pytest.raises(NotSealedFor):
        opened(store, actor, data_class)
    return True


def select(store: Store, statement: str) -> list[Any]:
    def verb(tx: Tx) -> list[Any]:
        assert isinstance(tx, StoreTx)
        return tx.connection.rows(Sql(statement))

    return store.run(verb)


@pytest.mark.parametrize("text", ["", "a story", "เรื่องของฉัน 🏠", "nul \x00 inside", "x" * 100_000])
def test_a_text_comes_back_as_it_was(store: Store, text: str) -> None:
    seal(store, text)
    assert opened(store, FAMILY) == {"note": text}


def test_a_broken_emoji_loses_no_note(store: Store) -> None:
    seal(store, "before \ud83d after")
    assert opened(store, FAMILY) == {"note": "before � after"}


def test_possession_decides(store: Store) -> None:
    seal(store, holders=[OWN, ORG, DESK, NETWORK])
    for actor in (FAMILY, WORKER, COORDINATOR, SYSTEM):
        assert opened(store, actor) == {"note": "a story"}
    assert refused(store, OTHER_WORKER)
    assert refused(store, Actor("p2", Role.FAMILY))  # the same person, not as a worker of o1
    assert refused(store, Actor("p9", Role.MENTOR, "o1"))  # in the organisation, but not a worker
    assert refused(store, Actor("p9", Role.STEWARD))
    assert refused(store, FAMILY, CONTACT)


def test_classes_and_records_have_keys_of_their_own(store: Store) -> None:
    seal(store, "a story", [OWN, ORG])
    seal(store, "081", [OWN], data_class=CONTACT)
    seal(store, "other", [OWN], record=Record("referral", "r2"))
    assert opened(store, FAMILY, CONTACT) == {"note": "081"}
    assert refused(store, WORKER, CONTACT)
    assert len({row[0] for row in select(store, "SELECT key_id FROM wrap")}) == 3


def test_a_record_keeps_its_key_and_new_holders_get_wraps(store: Store) -> None:
    seal(store, "one", [OWN])
    seal(store, "two", [ORG], column="second")
    seal(store, "one again", [])
    for actor in (FAMILY, WORKER):
        assert opened(store, actor) == {"note": "one again", "second": "two"}
    assert sorted(select(store, "SELECT column_name, version FROM sealed")) == [("note", 2), ("second", 1)]


def test_somebody_must_hold_a_fresh_key(store: Store) -> None:
    with pytest.raises(ValueError, match="holder"):
        seal(store, holders=[])


def test_share_and_unshare(store: Store) -> None:
    store.run(lambda tx: tx.share(RECORD, STORY, ORG))  # nothing to share yet
    assert not store.run(lambda tx: tx.sealed_exists(RECORD, STORY))
    seal(store)
    seal(store, "081", [OWN], data_class=CONTACT)
    assert refused(store, WORKER)
    for _ in range(2):
        store.run(lambda tx: tx.share(RECORD, STORY, ORG))
    store.run(lambda tx: tx.share(RECORD, CONTACT, ORG))
    assert opened(store, WORKER) == {"note": "a story"}
    store.run(lambda tx: tx.unshare(RECORD, ORG))
    assert refused(store, WORKER)
    assert refused(store, WORKER, CONTACT)
    assert opened(store, FAMILY) == {"note": "a story"}
    assert store.run(lambda tx: tx.sealed_exists(RECORD, STORY))


def test_destroy_leaves_nothing(store: Store) -> None:
    seal(store, holders=[OWN, ORG])
    seal(store, "kept", record=Record("referral", "r2"))
    store.run(lambda tx: tx.destroy(RECORD))
    assert refused(store, FAMILY)
    assert not store.run(lambda tx: tx.sealed_exists(RECORD, STORY))
    assert len(select(store, "SELECT 1 FROM sealed")) == len(select(store, "SELECT 1 FROM wrap")) == 1
    seal(store, "anew")
    assert opened(store, FAMILY) == {"note": "anew"}


def test_what_nobody_can_open_is_gone_when_the_record_is_sealed_anew(store: Store) -> None:
    seal(store, "old", column="old")
    store.run(lambda tx: tx.unshare(RECORD, OWN))
    assert not store.run(lambda tx: tx.sealed_exists(RECORD, STORY))
    seal(store, "new", column="new")
    assert opened(store, FAMILY) == {"new": "new"}


def test_every_read_leaves_an_audit_row_in_its_own_turn(store: Store) -> None:
    seal(store, holders=[OWN, ORG, NETWORK])
    opened(store, WORKER)
    opened(store, SYSTEM)  # nobody reads it
    refused(store, OTHER_WORKER)

    def reads_and_fails(tx: Tx) -> None:
        tx.open_sealed(FAMILY, RECORD, STORY)
        raise KeyError

    with pytest.raises(KeyError):
        store.run(reads_and_fails)
    rows = select(store, "SELECT person_id, role, organization_id, action, subject, detail FROM audit")
    assert rows == [("p2", "worker", "o1", Action.SEALED_READ, "referral:r1", "story")]


async def test_rotation_moves_every_wrap_and_destroys_the_old_key(store: Store) -> None:
    for n in range(130):
        seal(store, f"{n}", [OWN, ORG], record=Record("referral", f"r{n}"))

    assert store.run(lambda tx: tx.rotate_holder(ORG, STORY)) == 1
    seal(store, "after", [ORG], record=Record("referral", "new"))
    states = "SELECT version, state FROM key_encryption_key WHERE holder = 'org:o1' ORDER BY version"
    assert select(store, states) == [(1, "retiring"), (2, "active")]
    assert opened(store, WORKER, record=Record("referral", "r7")) == {"note": "7"}  # no downtime
    assert await store.sweep(store.run(lambda tx: tx.now)) == 129 + 2  # r7 had moved; retired, destroyed
    assert select(store, states) == [(1, "destroyed"), (2, "active")]
    assert (
        select(store, "SELECT 1 FROM key_encryption_key WHERE state = 'destroyed' AND wrapped IS NOT NULL")
        == []
    )
    for n in range(130):
        record = Record("referral", f"r{n}")
        assert (
            opened(store, WORKER, record=record) == opened(store, FAMILY, record=record) == {"note": str(n)}
        )

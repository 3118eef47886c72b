"""Sealed bytes that were moved do not open: between rows, columns, classes, holders, keys and versions.

The attacker may write to the database as they like, and has every ciphertext and wrap that ever stood there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from referrals.errors import NotSealedFor
from referrals.model import Actor, DataClass, Record, Role, organization_holder, person_holder
from storage.keyring import SealBroken
from storage.sealing import Seals
from storage.sql import Sql
from storage.store import Store
from storage.tx import StoreTx
from tests.conftest import LONG
from tests.support.store import open_store

EXAMPLES, SWAPS = (2_600, 40) if LONG else (100, 40)  # 104,000 or 4,000 cases

RECORDS = [Record(table, row) for table in ("referral", "thread") for row in ("r1", "r2")]
CLASSES = [DataClass.STORY, DataClass.CONTACT]
COLUMNS = ["note", "text"]
ACTORS = {
    person_holder("p1"): Actor("p1", Role.FAMILY),
    organization_holder("o1"): Actor("p2", Role.WORKER, "o1"),
    organization_holder("o2"): Actor("p3", Role.WORKER, "o2"),
}
HOLDERS = list(ACTORS)
ORG = HOLDERS[1]
FIELDS = [(r, c, n) for r in RECORDS for c in CLASSES for n in COLUMNS]
_PLACE = "record_table = :t AND record_row = :r AND data_class = :c"
_READ_FIELD = Sql(f"SELECT key_id, version, ciphertext FROM sealed WHERE {_PLACE} AND column_name = :n")
_WRITE_FIELD = Sql(
    "UPDATE sealed SET key_id = :key_id, version = :version, ciphertext = :ciphertext"
    f" WHERE {_PLACE} AND column_name = :n"
)
_READ_WRAP = Sql(f"SELECT key_id, kek_id, wrapped FROM wrap WHERE {_PLACE} AND holder = :h")
_WRITE_WRAP = Sql(
    "INSERT INTO wrap (record_table, record_row, data_class, holder, key_id, kek_id, wrapped)"
    " VALUES (:t, :r, :c, :h, :key_id, :kek_id, :wrapped)"
)
KEK_COLUMNS = ("id", "holder", "data_class", "version", "wrapped", "state")
_WRITE_KEK = Sql(
    "UPDATE key_encryption_key SET holder = :holder, data_class = :data_class, version = :version,"
    " wrapped = :wrapped, state = :state WHERE id = :id"
)
_DROP_WRAP = Sql(f"DELETE FROM wrap WHERE {_PLACE} AND holder = :h")


@dataclass
class Loot:
    """The bytes of every field in every version, and of every wrap."""

    fields: dict[tuple[Record, DataClass, str, int], dict[str, Any]] = field(default_factory=dict)
    wraps: dict[tuple[Record, DataClass, str], dict[str, Any]] = field(default_factory=dict)
    keks: dict[tuple[str, str, int], dict[str, Any]] = field(default_factory=dict)  # (holder, class, version)


def _at(record: Record, data_class: DataClass, **more: Any) -> dict[str, Any]:
    return {"t": record.table, "r": record.row, "c": data_class.value, **more}


def _fill(tx: StoreTx) -> Loot:
    """Every field sealed twice, for the person and o1; o2 holds nothing but what it is given in a swap."""
    loot = Loot()
    for version in (1, 2):
        for record, data_class, column in FIELDS:
            holders = HOLDERS[:2] if record.row == "r1" else HOLDERS[:1]
            tx.seal(record, data_class, column, f"{record} {data_class} {column} {version}", holders)
            row = tx.connection.rows(_READ_FIELD, _at(record, data_class, n=column))[0]
            names = ("key_id", "version", "ciphertext")
            loot.fields[record, data_class, column, version] = dict(zip(names, row, strict=True))
    tx.seal(Record("own", "o2"), DataClass.STORY, "note", "theirs", HOLDERS[2:])
    for record, data_class, _ in [*FIELDS, (Record("own", "o2"), DataClass.STORY, "note")]:
        for holder in HOLDERS:
            for row in tx.connection.rows(_READ_WRAP, _at(record, data_class, h=holder)):
                names = ("key_id", "kek_id", "wrapped")
                loot.wraps[record, data_class, holder] = dict(zip(names, row, strict=True))
    for holder in HOLDERS:
        tx.rotate_holder(holder)
    # Every wrap stays under version 1, although opening it would move it from a key that is retiring.
    tx.connection.change(Sql("UPDATE key_encryption_key SET state = 'retired' WHERE state = 'retiring'"))
    for row in tx.connection.rows(Sql(f"SELECT {', '.join(KEK_COLUMNS)} FROM key_encryption_key")):
        kek = dict(zip(KEK_COLUMNS, row, strict=True))
        loot.keks[kek["holder"], kek["data_class"], kek["version"]] = kek
    return loot


@pytest.fixture(scope="module")
def plundered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Loot]]:
    path: Path = tmp_path_factory.mktemp("swaps") / "pulang.db"
    store = open_store(f"sqlite:///{path}", seed=None)
    yield store, store.run(_fill)  # type: ignore[arg-type]
    store.close()


def _opens(tx: StoreTx, holder: str, record: Record, data_class: DataClass) -> dict[str, str] | None:
    seals = Seals(tx._shared.keyring, tx.connection, 0)
    try:
        return dict(seals.open(ACTORS[holder], record, data_class))
    except (SealBroken, NotSealedFor):
        return None


def _swap_field(tx: StoreTx, loot: Loot, chance: random.Random) -> bool:
    """Put the bytes of one field in the place of another, with or without their key id and version."""
    source = chance.choice(list(loot.fields))
    record, data_class, column = chance.choice(FIELDS)
    here = {**loot.fields[record, data_class, column, 2]}
    there = loot.fields[source]
    moved = {**here, "ciphertext": there["ciphertext"]}
    for name in ("key_id", "version"):
        if chance.random() < 0.5:
            moved[name] = there[name]
    if moved == here:
        return False
    if source[:3] == (record, data_class, column) and moved == there:
        return False  # the whole row as it once was: an old state, which only a checkpoint can tell
    at = _at(record, data_class, n=column)
    tx.connection.change(_WRITE_FIELD, {**at, **moved})
    opened = any(_opens(tx, holder, record, data_class) is not None for holder in HOLDERS[:2])
    tx.connection.change(_WRITE_FIELD, {**at, **here})
    return opened


def _swap_wrap(tx: StoreTx, loot: Loot, chance: random.Random) -> bool:
    """Give a holder the wrap of another record, class or holder, with any mixture of key ids."""
    source, other = chance.choice(list(loot.wraps)), chance.choice(list(loot.wraps))
    record, data_class, _ = chance.choice(FIELDS)
    holder = chance.choice(HOLDERS)
    here = loot.wraps.get((record, data_class, holder))
    moved = {
        "wrapped": loot.wraps[source]["wrapped"],
        "key_id": loot.wraps[chance.choice([source, other])]["key_id"],
        "kek_id": loot.wraps[chance.choice([source, other])]["kek_id"],
    }
    if moved == here:
        return False
    at = _at(record, data_class, h=holder)
    tx.connection.change(_DROP_WRAP, at)
    tx.connection.change(_WRITE_WRAP, {**at, **moved})
    opened = _opens(tx, holder, record, data_class) is not None
    tx.connection.change(_DROP_WRAP, at)
    if here is not None:
        tx.connection.change(_WRITE_WRAP, {**at, **here})
    return opened


def _swap_kek(tx: StoreTx, loot: Loot, chance: random.Random) -> bool:
    """Give a key-encryption key the bytes, and any of holder, class and version, of another one.

    The wraps' key id still names the row, so all that it wraps is tried by everybody who might read it then.
    """
    here = loot.keks[chance.choice([kek for kek in loot.keks if kek[2] == 1])]
    there, other = (loot.keks[chance.choice(list(loot.keks))] for _ in range(2))
    moved = {**here, "wrapped": there["wrapped"]}
    for name in ("holder", "data_class"):
        if chance.random() < 0.5:
            moved[name] = chance.choice([there, other])[name]
    moved["version"] = chance.choice([1, 2, 3])
    same = ("holder", "data_class", "version", "wrapped")
    if all(moved[name] == here[name] for name in same):
        return False
    if any(all(kek[n] == moved[n] for n in same[:3]) for kek in loot.keks.values() if kek is not here):
        return False  # the database itself refuses a second key of that holder, class and version
    tx.connection.change(_WRITE_KEK, moved)
    touched = [(r, c, h) for (r, c, h), wrap in loot.wraps.items() if wrap["kek_id"] == here["id"]]
    opened = any(_opens(tx, h, r, c) is not None for r, c, h in touched if r.table != "own")
    tx.connection.change(_WRITE_KEK, here)
    return opened


@settings(max_examples=EXAMPLES)
@given(seed=st.integers(min_value=0, max_value=2**63))
def test_nothing_that_was_moved_opens(plundered: tuple[Store, Loot], seed: int) -> None:
    store, loot = plundered
    chance = random.Random(seed)
    swaps = [chance.choice([_swap_field, _swap_wrap, _swap_kek]) for _ in range(SWAPS)]
    opened = store.run(lambda tx: [swap(tx, loot, chance) for swap in swaps])  # type: ignore[arg-type]
    assert not any(opened)


def test_the_loot_opens_where_it_belongs(plundered: tuple[Store, Loot]) -> None:
    """Or else the test above would prove nothing."""
    store, _ = plundered

    def everything(tx: StoreTx) -> list[dict[str, str] | None]:
        return [_opens(tx, HOLDERS[0], record, data_class) for record, data_class, _ in FIELDS]

    assert all(store.run(everything))  # type: ignore[arg-type]


class Undo(Exception):
    """Carries what was found out of a turn that must leave no trace."""


@pytest.mark.parametrize(
    ("change", "closed"),
    [
        ("holder = 'org:o9' WHERE holder = 'org:o1'", {(ORG, c) for c in CLASSES}),
        ("data_class = 'safety' WHERE data_class = 'story'", {(h, CLASSES[0]) for h in HOLDERS[:2]}),
        ("version = version + 10", {(h, c) for h in HOLDERS[:2] for c in CLASSES}),
        (
            "wrapped = (SELECT k.wrapped FROM key_encryption_key k WHERE k.holder = 'org:o2')",
            {(h, c) for h in HOLDERS[:2] for c in CLASSES},
        ),
    ],
)
def test_a_key_encryption_key_that_was_moved_opens_nothing(
    plundered: tuple[Store, Loot], change: str, closed: set[tuple[str, DataClass]]
) -> None:
    store, _ = plundered

    def verb(tx: StoreTx) -> None:
        tx.connection.change(Sql(f"UPDATE key_encryption_key SET {change}"))
        asked = [(h, c) for h in HOLDERS[:2] for c in CLASSES]
        raise Undo({(h, c) for h, c in asked if _opens(tx, h, Record("referral", "r1"), c) is None})

    with pytest.raises(Undo) as found:
        store.run(verb)  # type: ignore[arg-type]
    assert found.value.args[0] == closed


@settings(max_examples=500 if LONG else 100)
@given(flip=st.integers(min_value=0), where=st.sampled_from(FIELDS))
def test_a_flipped_bit_does_not_open(
    plundered: tuple[Store, Loot], flip: int, where: tuple[Record, DataClass, str]
) -> None:
    store, loot = plundered
    record, data_class, column = where
    here = loot.fields[record, data_class, column, 2]
    damaged = bytearray(here["ciphertext"])
    damaged[(flip // 8) % len(damaged)] ^= 1 << flip % 8

    def verb(tx: StoreTx) -> object:
        at = _at(record, data_class, n=column)
        tx.connection.change(_WRITE_FIELD, {**at, **here, "ciphertext": bytes(damaged)})
        found = _opens(tx, HOLDERS[0], record, data_class)
        tx.connection.change(_WRITE_FIELD, {**at, **here})
        return found

    assert store.run(verb) is None  # type: ignore[arg-type]

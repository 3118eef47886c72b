"""A new root key: all or nothing, with nobody else at work; what cannot be made anew outlives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from referrals.access import Action
from referrals.catalogue import Catalogue
from referrals.errors import ConfigurationError, StoreError
from referrals.model import Actor, AuditEntry, DataClass, Record, Role, person_holder
from referrals.ports import Tx
from storage.keyring import SealBroken
from storage.root_rotation import replace_root
from storage.secret import RootKey
from storage.sql import Sql
from storage.store import Store
from storage.tx import StoreTx
from tests.support.rows import add_person
from tests.support.store import KEY, START, SettableClock, open_store

NEW = RootKey(KEY.network_id, bytes(range(100, 132)))
ENTRY = AuditEntry(Actor("s1", Role.STEWARD), Action.KEYS_ROTATE, "keys:root")
FAMILY = Actor("p1", Role.FAMILY)
RECORD = Record("referral", "r1")
STORY = DataClass.STORY


def fill(tx: Tx) -> None:
    add_person(tx, "p1", 1001)
    for number in range(30):
        tx.seal(Record("referral", f"r{number}"), STORY, "note", f"{number}", (person_holder(f"p{number}"),))


def seen(store: Store) -> tuple[object, ...]:
    """What must not change: accounts found, fingerprints, PINs; and what is sealed opens."""

    def verb(tx: Tx) -> tuple[object, ...]:
        person = tx.person_of_account(1001)
        texts = tx.open_sealed(FAMILY, RECORD, STORY)
        return person and person.id, tx.fingerprint("track", "a code"), dict(texts)

    return store.run(verb)


def change(store: Store, statement: str) -> int:
    def verb(tx: Tx) -> int:
        assert isinstance(tx, StoreTx)
        return tx.connection.change(Sql(statement))

    return store.run(verb)


@pytest.fixture
def filled(database_url: str) -> str:
    store = open_store(database_url)
    store.run(fill)
    store.close()
    return database_url


async def test_everything_goes_on_with_the_new_key_and_nothing_with_the_old(filled: str) -> None:
    store = Store.open(filled, KEY, Catalogue(), SettableClock())
    before, pin = seen(store), store.pins.conceal("482913")
    store.close()
    assert replace_root(filled, KEY, NEW, ENTRY, START) > 30
    with pytest.raises(ConfigurationError, match="not the one these data were sealed with"):
        open_store(filled)
    store = Store.open(filled, NEW, Catalogue(), SettableClock())
    assert seen(store) == before
    assert store.pins.fits("482913", pin)
    assert await store.verify_audit() == []
    rows = store.run(lambda tx: tx.connection.rows(Sql("SELECT lane, action, subject FROM audit")))  # type: ignore[attr-defined]
    assert ("root", Action.KEYS_ROTATE, "keys:root") in rows
    store.close()


def test_a_second_try_changes_nothing(filled: str) -> None:
    assert replace_root(filled, KEY, NEW, ENTRY, START) > 0
    assert replace_root(filled, KEY, NEW, ENTRY, START) == 0


def test_keys_that_do_not_belong_here(filled: str) -> None:
    foreign = RootKey("another-network", bytes(32))
    wrong = RootKey(KEY.network_id, bytes(32))
    for old, new in ((KEY, foreign), (foreign, NEW), (wrong, NEW)):
        with pytest.raises(ConfigurationError):
            replace_root(filled, old, new, ENTRY, START)
    store = open_store(filled)
    assert seen(store)
    store.close()


def test_not_while_the_product_is_at_work(filled: str) -> None:
    store = open_store(filled)
    with pytest.raises(ConfigurationError, match="stop it first"):
        replace_root(filled, KEY, NEW, ENTRY, START)
    assert seen(store)
    store.close()
    assert replace_root(filled, KEY, NEW, ENTRY, START) > 0


def test_one_broken_key_and_nothing_is_changed(filled: str) -> None:
    store = open_store(filled)
    change(store, "UPDATE key_encryption_key SET version = 9 WHERE holder = 'person:p7'")
    store.close()
    with pytest.raises(SealBroken):
        replace_root(filled, KEY, NEW, ENTRY, START)
    store = open_store(filled)
    assert seen(store)
    store.close()


def test_a_process_with_the_old_root_makes_no_key_that_nobody_could_open(filled: str) -> None:
    """Should one run on in spite of everything: the database itself refuses its new keys."""
    store = open_store(filled)
    change(store, f"UPDATE meta SET value = '{NEW.check_value}' WHERE key = 'key_check'")
    with pytest.raises(StoreError):
        store.run(lambda tx: tx.seal(Record("referral", "new"), STORY, "note", "x", ("org:brand-new",)))
    with pytest.raises(StoreError):
        store.run(lambda tx: tx.rotate_holder(person_holder("p1")))
    assert seen(store)  # what it has open it goes on reading: the rotation that failed was undone
    store.close()


def test_what_the_old_root_key_opens_is_gone_from_the_files(sqlite_url: str, tmp_path: Path) -> None:
    store = open_store(sqlite_url)
    store.run(fill)
    statement = Sql("SELECT wrapped FROM key_encryption_key")
    old = [bytes(row[0]) for row in store.run(lambda tx: tx.connection.rows(statement))]  # type: ignore[attr-defined]
    store.close()

    def found() -> int:
        content = b"".join(file.read_bytes() for file in tmp_path.glob("pulang.db*"))
        return sum(wrapped in content for wrapped in old)

    assert found() == len(old) > 30
    replace_root(sqlite_url, KEY, NEW, ENTRY, START)
    assert found() == 0

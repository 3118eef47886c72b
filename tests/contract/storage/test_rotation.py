"""New keys while everybody goes on: states in their order, wraps that move when touched, nothing refused."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from referrals.errors import NotSealedFor, StoreError
from referrals.model import DESK, NETWORK, SYSTEM, Actor, DataClass, Record, Role
from referrals.model import organization_holder as org
from referrals.model import person_holder as person
from referrals.ports import Tx
from storage.holder_keys import KeyStatus
from storage.sql import Sql
from storage.store import Store
from storage.tx import StoreTx
from tests.support.store import SettableClock

STORY, CONTACT = DataClass.STORY, DataClass.CONTACT
WORKER = Actor("w1", Role.WORKER, "o1")
FAMILY = Actor("p1", Role.FAMILY)
O1 = org("o1")


def record(number: int) -> Record:
    return Record("referral", f"r{number}")


def seal(tx: Tx, number: int, holders: tuple[str, ...] = (person("p1"), O1)) -> None:
    tx.seal(record(number), STORY, "note", f"story {number}", holders)


def read(tx: Tx, number: int, actor: Actor = WORKER) -> str:
    return tx.open_sealed(actor, record(number), STORY)["note"]


def share(tx: Tx, number: int, holder: str) -> None:
    tx.share(record(number), STORY, holder)


def unshare(tx: Tx, number: int, holder: str) -> None:
    tx.unshare(record(number), holder)


def destroy(tx: Tx, number: int) -> None:
    tx.destroy(record(number))


def rotate(tx: Tx, holder: str) -> int:
    return tx.rotate_holder(holder)


def keys(store: Store, holder: str = O1) -> list[KeyStatus]:
    return [key for key in asyncio.run(store.key_statuses()) if key.holder == holder]


def short(store: Store, holder: str = O1) -> list[tuple[int, str, int]]:
    return [(key.version, key.state, key.wraps) for key in keys(store, holder)]


def sweep_once(store: Store) -> int:
    return store.run(lambda tx: tx.sweep_keys(100) if isinstance(tx, StoreTx) else 0)


def change(store: Store, statement: str) -> int:
    def verb(tx: Tx) -> int:
        assert isinstance(tx, StoreTx)
        return tx.connection.change(Sql(statement))

    return store.run(verb)


def test_the_states_of_a_key_and_their_dates(store: Store, clock: SettableClock) -> None:
    began = clock.now
    store.run(seal, 1)
    clock.advance(hours=1)
    assert store.run(lambda tx: tx.rotate_holder(O1)) == 1
    assert short(store) == [(1, "retiring", 1), (2, "active", 0)]
    clock.advance(hours=1)
    sweep_once(store)  # the last wrap moves, and the key is seen empty
    assert short(store) == [(1, "retired", 0), (2, "active", 1)]
    clock.advance(hours=1)
    sweep_once(store)
    assert short(store) == [(1, "destroyed", 0), (2, "active", 1)]
    old = keys(store)[0]
    dates = (old.created_at, old.retiring_at, old.retired_at, old.destroyed_at)
    assert dates == tuple(began + timedelta(hours=hours) for hours in range(4))
    left = "SELECT count(*) FROM key_encryption_key WHERE state = 'destroyed' AND wrapped IS NOT NULL"
    assert store.run(lambda tx: tx.connection.rows(Sql(left))) == [(0,)]  # type: ignore[attr-defined]
    assert store.run(read, 1) == "story 1"
    assert sweep_once(store) == 0


def test_keys_of_whoever_is_no_more_are_destroyed_and_a_wrap_that_is_left_still_opens(store: Store) -> None:
    for number, holder in enumerate((O1, org("o2"))):
        store.run(seal, number, (holder,))
    store.run(lambda tx: tx.forget_holder(O1))
    store.run(destroy, 0)
    assert short(store) == [(1, "retiring", 0)]
    store.run(lambda tx: tx.forget_holder(org("o2")))  # too early: something is left
    sweep_once(store)
    sweep_once(store)
    assert short(store) == [(1, "destroyed", 0)]
    assert short(store, org("o2")) == [(1, "destroyed", 0), (2, "active", 1)]
    assert store.run(lambda tx: tx.holders(record(1), STORY)) == {org("o2")}
    assert store.run(read, 1, Actor("w2", Role.WORKER, "o2")) == "story 1"


def test_a_retired_key_that_got_a_wrap_again_is_not_destroyed(store: Store) -> None:
    """It cannot happen; should it (by hand, by a fault), nothing is lost."""
    store.run(seal, 1)
    store.run(lambda tx: tx.rotate_holder(O1))
    change(store, "UPDATE key_encryption_key SET state = 'retired' WHERE state = 'retiring'")
    sweep_once(store)
    assert short(store)[0] == (1, "retired", 1)
    assert store.run(read, 1) == "story 1"


def test_whoever_touches_a_wrap_moves_it(store: Store) -> None:
    for number in range(4):
        store.run(seal, number)
    store.run(lambda tx: tx.rotate_holder(O1))
    store.run(lambda tx: tx.rotate_holder(person("p1")))
    assert short(store) == [(1, "retiring", 4), (2, "active", 0)]
    store.run(read, 1)
    assert short(store) == [(1, "retiring", 3), (2, "active", 1)]
    assert short(store, person("p1")) == [(1, "retiring", 4), (2, "active", 0)]  # not touched by this
    store.run(seal, 2)  # writing opens the first wrap of the record, which is the organisation's
    assert short(store) == [(1, "retiring", 2), (2, "active", 2)]
    store.run(lambda tx: tx.share(record(3), STORY, DESK))
    assert short(store) == [(1, "retiring", 1), (2, "active", 3)]
    assert [store.run(read, number) for number in range(4)] == [f"story {n}" for n in range(4)]
    assert short(store) == [(1, "retiring", 0), (2, "active", 4)]


async def test_a_read_only_connection_moves_nothing(store: Store) -> None:
    await store.turn(seal, 1, (NETWORK,))
    await store.turn(lambda tx: tx.rotate_holder(NETWORK))
    assert await store.read(read, 1, SYSTEM) == "story 1"
    found = [(key.version, key.state, key.wraps) for key in await store.key_statuses()]
    assert found == [(1, "retiring", 1), (2, "active", 0)]


def test_only_the_classes_that_were_asked_for(store: Store) -> None:
    store.run(seal, 1)
    store.run(lambda tx: tx.seal(record(1), CONTACT, "phone", "081", (O1,)))
    assert store.run(lambda tx: tx.rotate_holder(O1, CONTACT)) == 1
    assert {(k.data_class, k.version) for k in keys(store)} == {("story", 1), ("contact", 1), ("contact", 2)}
    assert store.run(lambda tx: tx.rotate_holder(O1)) == 2
    assert store.run(lambda tx: tx.rotate_holder(org("nobody"))) == 0
    assert store.run(lambda tx: tx.rotate_holder(O1, DataClass.SAFETY)) == 0


def test_a_wrap_that_somebody_put_in_by_hand_is_never_made_good(store: Store) -> None:
    """The sweep and a touch move what opens; another holder's row under a retiring key is not repaired."""
    store.run(seal, 1)
    store.run(seal, 2, (org("o2"),))
    store.run(lambda tx: tx.rotate_holder(org("o2")))
    change(
        store,
        "INSERT INTO wrap (record_table, record_row, data_class, holder, key_id, kek_id, wrapped)"
        " SELECT w.record_table, w.record_row, w.data_class, 'org:o2', w.key_id, k.id, w.wrapped"
        " FROM wrap w, key_encryption_key k"
        " WHERE w.record_row = 'r1' AND w.holder = 'org:o1' AND k.holder = 'org:o2' AND k.version = 1",
    )
    store.run(read, 1)
    store.run(seal, 1)
    assert [sweep_once(store) for _ in range(3)] == [1, 0, 0]  # the good one moved; the other stays
    with pytest.raises((StoreError, NotSealedFor)):
        store.run(read, 1, Actor("w2", Role.WORKER, "o2"))
    assert short(store, org("o2")) == [(1, "retiring", 1), (2, "active", 1)]


def test_two_active_keys_cannot_be(store: Store) -> None:
    store.run(seal, 1)
    store.run(lambda tx: tx.rotate_holder(O1))
    with pytest.raises(StoreError):
        change(store, "UPDATE key_encryption_key SET state = 'active' WHERE holder = 'org:o1'")


@pytest.mark.timeout(900)  # each round of the long run moves all that was ever written
async def test_rotation_under_load(store: Store, clock: SettableClock, long_run: bool) -> None:
    """Everybody writes, shares, reads and takes back while all holders rotate again and again."""
    people, rounds = (24, 8) if long_run else (8, 4)
    done, ended = [0], asyncio.Event()

    async def works(mine: int) -> None:
        actor, holder = Actor(f"w{mine}", Role.WORKER, f"o{mine % 4}"), org(f"o{mine % 4}")
        number = first = mine * 10_000
        while not ended.is_set():
            number += 1
            await store.turn(seal, number, (person(f"p{mine}"), NETWORK))
            await store.turn(share, number, holder)
            assert await store.turn(read, number, actor) == f"story {number}"
            assert await store.turn(read, first + 1, actor) == f"story {first + 1}"
            if (number - first) % 3 == 0:
                await store.turn(unshare, number, holder)
            if (number - first) % 5 == 0:
                await store.turn(destroy, number)
            done[0] += 1

    async def rotates() -> None:
        for _ in range(rounds):
            await asyncio.sleep(0.05)
            holders = sorted({key.holder for key in await store.key_statuses()})
            for holder in holders:
                await store.turn(rotate, holder)
            await store.sweep(clock())
        ended.set()

    await asyncio.gather(rotates(), *[works(mine) for mine in range(people)])  # whatever fails, fails this
    await store.sweep(clock())
    found = await store.key_statuses()
    assert {key.state for key in found} == {"active", "destroyed"}
    assert sum(key.wraps for key in found if key.state == "destroyed") == 0
    assert max(key.version for key in found) == rounds + 1
    assert done[0] > people
    assert await store.verify_audit() == []
    print(f"{done[0]} rounds of work, {sum(key.state == 'destroyed' for key in found)} keys destroyed")

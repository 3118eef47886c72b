"""A person's posts are read once in a turn, and again after whatever could have changed them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from referrals.model import Role
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.common import doors
from storage.sql import Sql
from storage.store import Store
from storage.tx import StoreTx
from tests.support.rows import NOW, a_person
from tests.support.store import open_store

SEAT = Seat("desk-1", Role.COORDINATOR, None, "p1", on_duty=False, since=NOW)
BEHIND_US = Sql("UPDATE seat SET person_id = NULL WHERE id = 'desk-1'")


@pytest.fixture
def seated(store: Store) -> Store:
    store.run(lambda tx: tx.add(a_person("p1"), SEAT))
    return store


def posts(tx: Tx) -> list[str]:
    return [seat.id for seat in doors.seats_of(tx, "p1")]


def emptied(tx: Tx) -> None:
    seat = tx.get(Seat, "desk-1")
    assert seat is not None
    tx.save(replace(seat, person_id=None))


def test_they_are_read_once(seated: Store) -> None:
    def verb(tx: Tx) -> list[str]:
        assert isinstance(tx, StoreTx)
        doors.seats_of(tx, "p1").clear()  # a list of their own for everybody who asks
        tx.connection.change(BEHIND_US)
        return posts(tx)

    assert seated.run(verb) == ["desk-1"]
    assert seated.run(posts) == []  # nothing is kept from turn to turn


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (emptied, []),
        (lambda tx: tx.remove(tx.get(Seat, "desk-1")), []),
        (lambda tx: tx.add(replace(SEAT, id="desk-2")), ["desk-1", "desk-2"]),
    ],
)
def test_a_post_that_changes_hands_in_this_turn_is_seen(
    seated: Store, change: Callable[[Tx], None], left: list[str]
) -> None:
    def verb(tx: Tx) -> tuple[list[str], list[str]]:
        before = posts(tx)
        change(tx)
        return before, posts(tx)

    assert seated.run(verb) == (["desk-1"], left)


def test_whoever_waited_for_a_lock_sees_what_became_of_a_post_meanwhile(postgres_url: str) -> None:
    ours, theirs = open_store(postgres_url), open_store(postgres_url)
    ours.run(lambda tx: tx.add(a_person("p1"), SEAT))

    def verb(tx: Tx) -> list[str]:
        assert posts(tx) == ["desk-1"]
        theirs.run(emptied)
        tx.get(Seat, "another", lock=True)
        return posts(tx)

    assert ours.run(verb) == []
    ours.close()
    theirs.close()

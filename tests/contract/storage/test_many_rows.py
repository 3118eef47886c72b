"""Rows that are added together are as rows that are added one by one: on PostgreSQL they go as lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from referrals.access import Action
from referrals.members import CheckIn, CheckInKind
from referrals.model import SYSTEM, Actor, AuditEntry, Role
from referrals.ports import Tx
from referrals.said import ABOUT, Button, Notice, Timer
from storage.store import Store
from tests.support.rows import NOW, add_person

HOUR = timedelta(hours=1)
AWKWARD = ('"', "'", "\\", "{a,b}", "NULL", "", "กลับบ้าน", "😀", "a\nb", "%s %(x)s :x $1", "\\x00")


def _rows() -> list[CheckIn]:
    plain = CheckIn("c0", CheckInKind.WELLBEING, None, NOW, None, "wellbeing", 1, seat_id="s")
    rows = [replace(plain, id=f"a{n}", form=text, saved_by=text) for n, text in enumerate(AWKWARD)]
    saved = replace(plain, id="b", saved_at=NOW + HOUR, day=NOW.date(), missed=True, corrected=3_000_000_000)
    return [*rows, plain, saved]


def test_rows_come_back_as_they_went_whatever_stands_in_them(store: Store) -> None:
    store.run(lambda tx: tx.add(*_rows()))
    assert store.run(lambda tx: tx.find(CheckIn)) == sorted(_rows(), key=lambda row: row.id)
    again = [replace(row, id=f"z{row.id}", saved_by=None) for row in _rows()]  # a column of nothing
    store.run(lambda tx: tx.add(*again))
    assert store.run(lambda tx: tx.count(CheckIn, saved_by=None)) == len(again) + 2


async def test_the_chain_holds_over_entries_of_many_kinds_in_one_turn(store: Store) -> None:
    def write(tx: Tx) -> None:
        for n, text in enumerate(AWKWARD):
            actor = Actor(f"p{n}", Role.WORKER, f"o{n}") if n % 2 else SYSTEM
            tx.audit(AuditEntry(actor, Action.REMIND, f"check_in:{n}", text))

    await store.turn(write)
    await store.turn(write)
    assert await store.verify_audit() == []


def test_a_timer_that_is_set_twice_in_one_go_stands_as_it_was_set_last(store: Store) -> None:
    store.run(lambda tx: tx.set_timers([("k", "s", NOW), ("k", "t", NOW), ("k", "s", NOW + HOUR)]))
    due = {timer.subject: timer.due_at for timer in store.run(lambda tx: tx.find(Timer))}
    assert due == {"s": NOW + HOUR, "t": NOW}


async def test_notices_that_share_their_buttons_are_each_about_their_own(store: Store) -> None:
    people = [f"p{number}" for number in range(81, 84)]
    for number, person_id in enumerate(people, 81):
        await store.turn(add_person, person_id, number)
    shared = (
        (Button("button.look", action=f"1:check:{ABOUT}:1:"),),
        (Button("button.open", page="members"),),
    )
    notices = [
        Notice(who, "t", {"n": text}, shared, slot=who, about=f"about-{who}", expires_at=NOW + HOUR)
        for who, text in zip(people, AWKWARD, strict=False)
    ]
    await store.turn(lambda tx: tx.say_many([*notices[:2], replace(notices[2], expires_at=None)]))
    found = {d.person_id: d for d in await store.outbox.claim(NOW, 10)}
    assert {who: d.buttons for who, d in found.items()} == {n.person_id: n.named().buttons for n in notices}
    assert {who: dict(d.params) for who, d in found.items()} == {n.person_id: dict(n.params) for n in notices}

"""The watch over all turns (tests/support/watched.py) sees it: a change without a word is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from types import FunctionType
from typing import Any

import pytest

from referrals.access import Action
from referrals.model import SYSTEM, AuditEntry, DataClass, Record, Referral, Urgency
from referrals.persons import Person, Seat
from referrals.ports import Delivery, Gone, Tx
from referrals.service.people import people
from storage.sql import Sql
from storage.tx import StoreTx
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store
from tests.support.watched import Unspoken


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    with Small.opened(database_url) as net:
        yield net


def of_the_product(verb: Callable[..., Any]) -> Callable[..., Any]:
    """The same verb as if it stood in the product: what a test writes itself is not looked at."""
    names = {**verb.__globals__, "__name__": "referrals.service.made_up"}
    return FunctionType(verb.__code__, names, verb.__name__, verb.__defaults__, verb.__closure__)


def _escalates(tx: Tx, referral_id: str, said: str) -> None:
    referral = tx.get(Referral, referral_id)
    assert referral is not None
    tx.save(replace(referral, escalated=not referral.escalated))
    if said:
        tx.audit(AuditEntry(SYSTEM, Action.REFERRAL_STEP, f"referral:{said}"))


def test_a_change_without_a_word_is_refused(net: Small) -> None:
    mine, other = net.filed(net.person(1)), net.filed(net.person(2))
    verb = of_the_product(_escalates)
    for said in ("", other):  # nothing said, or something of another matter
        with pytest.raises(Unspoken, match="update referral"):
            net.store.run(verb, mine, said)
    net.store.run(verb, mine, mine)
    net.store.run(_escalates, mine, "")  # a test's own hands


def _opens_for(tx: Tx, referral_id: str) -> None:
    tx.share(Record("referral", referral_id), DataClass.STORY, "org:two-rivers")


def _blocks_in_sql(tx: Tx, person_id: str) -> None:
    assert isinstance(tx, StoreTx)
    tx.connection.change(Sql("UPDATE person SET presence = 'blocked' WHERE id = :p"), {"p": person_id})


def _removes_seat(tx: Tx, seat_id: str) -> None:
    seat = tx.get(Seat, seat_id)
    assert seat is not None
    tx.remove(seat)


def test_it_sees_keys_and_raw_statements_and_removals(net: Small) -> None:
    family = net.person(1)
    referral_id = net.filed(family)
    for verb, row, what in (
        (_opens_for, referral_id, "insert wrap"),
        (_blocks_in_sql, family, "update person"),
        (_removes_seat, "open-door-1", "delete seat"),
    ):
        with pytest.raises(Unspoken, match=what):
            net.store.run(of_the_product(verb), row)


def test_a_sign_of_life_alone_is_no_change(net: Small) -> None:
    family = net.person(1)
    net.clock.advance(days=2)
    net.store.run(people.meet, 1)
    assert net.store.run(lambda tx: tx.get(Person, family)).last_seen_at == net.clock.now  # type: ignore[union-attr]


async def test_the_outbox_says_that_somebody_blocked_the_bot(database_url: str) -> None:
    clock = SettableClock()
    store = open_store(database_url, clock, CATALOGUE)
    net = await _in_a_thread(lambda: Small(store, clock))
    family = await _in_a_thread(lambda: net.person(1))
    await _in_a_thread(lambda: net.filed(family, Urgency.NORMAL))
    found: list[Delivery] = list(await store.outbox.claim(clock.now, 10))
    assert found
    await store.outbox.settle([Gone(found[0].id)], clock.now)
    said = await _in_a_thread(lambda: store.run(_details, f"person:{family}"))
    assert ("system", "blocked") in said
    store.close()


def _details(tx: Tx, subject: str) -> list[tuple[str, str]]:
    assert isinstance(tx, StoreTx)
    rows = tx.connection.rows(
        Sql("SELECT person_id, detail FROM audit WHERE subject = :subject ORDER BY at, lane, sequence"),
        {"subject": subject},
    )
    return [(person, detail) for person, detail in rows]


async def _in_a_thread(work: Callable[[], Any]) -> Any:
    import asyncio

    return await asyncio.to_thread(work)

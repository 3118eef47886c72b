"""A date on everything: each table has a rule, and after two years nothing is left that should be gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from referrals.members import CheckIn, Enrolment
from referrals.model import Consent, Move, Offer, Stage, ThreadEntry, Tracking
from referrals.persons import (
    Conversation,
    Device,
    DeviceState,
    Download,
    Invitation,
    Person,
    Recovery,
    Scrap,
    Session,
    Tally,
)
from referrals.ports import Away, Slow, Tx
from referrals.service import retention
from referrals.service.contact import checkins, reminding
from referrals.service.help import threads
from referrals.service.matter import moving, tracking
from referrals.service.pages import PAGES
from referrals.service.people import people
from referrals.service.turns import closing, offers
from storage import archive
from storage.sql import Sql
from storage.tables import TABLE_OF, metadata
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

# The others differ in rules, not in rows.
pytestmark = pytest.mark.on_both(
    "test_what_was_destroyed_stands_in_the_audit",
    "test_somebody_who_only_looked_is_forgotten_after_ninety_days",
)


def test_the_daily_sweep_reads_by_an_index_and_never_a_whole_table() -> None:
    for kind, column, *_ in retention.SWEEPS:
        first = {next(iter(index.columns)).name for index in TABLE_OF[kind].indexes}
        assert column in first, f"{TABLE_OF[kind].name}.{column} has no index of its own"


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    clock = SettableClock()
    store = open_store(database_url, clock, CATALOGUE)
    small = Small(store, clock)
    store.run(retention.begin)
    yield small
    store.close()


def test_every_table_has_a_rule() -> None:
    assert set(retention.RULES) == set(metadata.tables)
    for table, rule in retention.RULES.items():
        assert rule.kept, table
        assert rule.by, table
        assert rule.why or rule.by != "kept", f"{table} is kept and does not say why"


def test_every_timer_that_a_rule_names_exists() -> None:
    from referrals.service.timers import TIMERS

    elsewhere = {"upkeep", "kept", "itself", "the record's rule"}
    assert {rule.by for rule in retention.RULES.values()} - elsewhere <= set(TIMERS)


def test_after_two_years_nothing_is_left_that_should_be_gone(net: Small) -> None:
    mali, worker = net.person(1), net.person(11, "bua-1")
    stranger, mentor = net.person(99), net.person(31, "mentor-1")
    matter = _lived(net, mali, worker)
    _left_lying_about(net, stranger)
    _check_ins(net, mentor)
    net.said()
    assert all(net.store.run(_count, kind) for kind in (Move, Tracking, Download, Scrap, CheckIn))
    for _ in range(25):
        net.passes(timedelta(days=30))
        net.said()
        asyncio.run(net.store.sweep(net.clock.now))
    gone = (Consent, ThreadEntry, Tracking, Move, Conversation, Download, Scrap, Session, Tally, Recovery)
    for kind in (*gone, Device, Invitation):
        assert net.store.run(_count, kind) == 0, kind.__name__
    left = net.referral(matter)
    assert (left.author_id, left.accepted_by, left.plan, left.code) == ("", None, (), matter)
    assert left.stage is Stage.CLOSED
    assert left.category  # the coded fact
    for offer in net.store.run(lambda tx: tx.find(Offer)):
        assert (offer.seen_by, offer.decided_by, offer.told) == (None, None, ())
    people_left = {p.id for p in net.store.run(lambda tx: tx.find(Person))}
    assert people_left == {worker, mentor}  # whoever holds a post
    for table in ("sealed", "wrap"):
        assert net.store.run(_record_tables, table) <= {"person", "check_in"}
    old = net.clock.now - timedelta(days=366)
    assert [c for c in net.store.run(lambda tx: tx.find(CheckIn)) if c.due_at < old] == []


def test_a_matter_that_is_open_keeps_its_person(net: Small) -> None:
    mali = net.person(1)
    net.filed(mali)
    net.passes(timedelta(days=200))
    assert net.store.run(lambda tx: tx.get(Person, mali)) is not None


def test_somebody_who_only_looked_is_forgotten_after_ninety_days(net: Small) -> None:
    stranger = net.person(99)
    net.passes(timedelta(days=89))
    assert net.store.run(lambda tx: tx.get(Person, stranger)) is not None
    net.passes(timedelta(days=2))
    assert net.store.run(lambda tx: tx.get(Person, stranger)) is None
    assert net.store.run(lambda tx: tx.person_of_account(99)) is None


def test_what_was_destroyed_stands_in_the_audit(net: Small) -> None:
    stranger = net.person(99)
    net.passes(timedelta(days=91))
    assert net.store.run(_audited, f"person:{stranger}") >= 1


def test_a_sweep_takes_many_small_turns(net: Small) -> None:
    net.store.run(_many_tracks_of_devices, net.person(1), 3 * retention.BATCH)
    net.passes(timedelta(days=31, minutes=1))
    assert net.store.run(lambda tx: tx.count(Device)) == 0


def _lived(net: Small, mali: str, worker: str) -> str:
    """A matter that was accepted, written about, followed, asked for elsewhere, and closed."""
    matter = net.filed(mali)
    net.passes(timedelta(seconds=6))
    offer = net.live_offer(matter)
    assert offer is not None
    net.store.run(offers.accept, worker, offer.id)
    net.store.run(threads.write, mali, matter, "a word")
    code = net.store.run(tracking.follow, mali, matter)
    net.store.run(moving.ask_the_desk, net.person(77), code)
    net.store.run(PAGES["matter"].steps["contacted"], worker, offer.id, {})
    body = {"outcome": "met"}
    net.store.run(PAGES["matter"].steps["report"], worker, offer.id, body)
    net.store.run(closing.helped, mali, matter, True)
    return matter


def _left_lying_about(net: Small, stranger: str) -> None:
    now = net.clock.now
    step = net.store.run(PAGES["mydata"].steps["export"], stranger, "", {})
    while isinstance(step, Away):
        step = net.store.run(step.then, step.work(Slow(net.store.pins, archive.pack)))
    net.store.run(people.keep_scrap_moment, stranger, "something")
    rows = [
        Device("d1", stranger, "key", DeviceState.KNOWN, now, now),
        Device("d2", stranger, "key", DeviceState.ACTIVE, now, now, "pin"),
        Session("s1", stranger, "me", now + timedelta(minutes=30), "d1"),
        Recovery(stranger, "print", now),
        Tally("t:1", 3, now + timedelta(days=1)),
        Invitation("i1", "bua-2", "steward", now + timedelta(hours=24)),
    ]
    net.store.run(lambda tx: tx.add(*rows))


def _check_ins(net: Small, mentor: str) -> None:
    def make(tx: Tx) -> None:
        for enrolment in tx.find(Enrolment, limit=2):
            reminding.remind(tx, enrolment.id)

    net.store.run(make)
    for check_in in net.store.run(lambda tx: tx.find(CheckIn, asked_of=mentor)):
        net.store.run(checkins.save, mentor, check_in.id, {"means": "call", "state": "well"})


def _count(tx: Tx, kind: type[Any]) -> int:
    return tx.count(kind)


def _record_tables(tx: object, table: str) -> set[str]:
    rows = tx.connection.rows(Sql(f"SELECT DISTINCT record_table FROM {table}"))  # type: ignore[attr-defined]
    return {row[0] for row in rows}


def _audited(tx: object, subject: str) -> int:
    asked = Sql("SELECT count(*) FROM audit WHERE subject = :s AND action = 'retention:destroy'")
    return int(tx.connection.rows(asked, {"s": subject})[0][0])  # type: ignore[attr-defined]


def _many_tracks_of_devices(tx: Tx, person_id: str, count: int) -> None:
    tx.add(*(Device(f"d{n}", person_id, "key", DeviceState.KNOWN, tx.now, tx.now) for n in range(count)))

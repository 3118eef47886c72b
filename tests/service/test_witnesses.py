"""Once a day the audit's heads are signed and handed to witnesses; they say that they have put them away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from referrals.directory import Organization
from referrals.errors import NotAllowed, NotFound
from referrals.model import Checkpoint
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.said import Timer
from referrals.service import pages
from referrals.service.stewards import witnessing
from storage import checkpoints
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

DAY = timedelta(days=1)
WITNESS = pages.PAGES["witness"]


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    clock = SettableClock()
    store = open_store(database_url, clock, CATALOGUE)
    small = Small(store, clock)
    store.run(_only_witnesses, "bua-house", "two-rivers")
    yield small
    store.close()


def _only_witnesses(tx: Tx, *names: str) -> None:
    for organization in tx.find(Organization):
        tx.save(replace(organization, witness=organization.id in names))


def test_the_day_has_a_note_that_the_network_has_signed(net: Small) -> None:
    net.store.run(witnessing.begin)
    net.store.run(witnessing.begin)  # a second start moves nothing
    net.passes(DAY * 2)
    notes = net.store.run(lambda tx: tx.find(Checkpoint))
    assert [note.id for note in notes] == ["00000001", "00000002", "00000003"]
    key = net.store.checkpoint_key
    bodies = [checkpoints.read(note.note.encode(), key)[1] for note in notes]
    assert [body.number for body in bodies] == [1, 2, 3]
    assert bodies[0].rows < bodies[1].rows < bodies[2].rows, "each checkpoint stands in the audit itself"
    assert net.store.run(lambda tx: tx.get(Timer, "checkpoint:network")) is not None


def test_witnesses_on_duty_are_told_and_put_it_away(net: Small) -> None:
    first, second = net.person(11, "bua-1"), net.person(12, "bua-2")
    other, outside = net.person(13, "two-rivers-1"), net.person(14, "open-door-1")
    net.store.run(_off_duty, "bua-2")
    net.store.run(witnessing.begin)
    net.passes(timedelta())
    told = [person for person, text in net.said() if text == "worker.witness"]
    assert sorted(told) == sorted([first, other])

    seen = net.store.run(WITNESS.view, first, "", {})
    assert (seen.number, seen.kept, len(seen.mark)) == (1, False, 4)
    assert seen.mark == net.store.run(WITNESS.view, other, "00000001", {}).mark
    assert net.store.run(WITNESS.steps["kept"], first, "00000001", {}).kept
    assert net.store.run(WITNESS.steps["kept"], second, "00000001", {}).kept, "twice is once"
    assert not net.store.run(WITNESS.view, other, "", {}).kept
    assert net.store.run(lambda tx: tx.find(Checkpoint))[0].kept_by == ("bua-house",)

    for nobody in (outside, net.person(20, "desk-1"), net.person(21)):
        with pytest.raises((NotFound, NotAllowed)):
            net.store.run(WITNESS.view, nobody, "", {})
    with pytest.raises(NotFound):
        net.store.run(WITNESS.view, first, "00000009", {})


def test_with_fewer_than_two_the_steward_is_warned(net: Small) -> None:
    steward, _ = net.person(1, "steward-1"), net.person(11, "bua-1")
    net.store.run(witnessing.begin)
    net.passes(timedelta())
    assert (steward, "steward.few_witnesses") in net.said()
    net.person(13, "two-rivers-1")
    net.passes(DAY)
    assert (steward, "steward.few_witnesses") not in net.said()


def test_the_mark_stands_for_the_text_and_not_for_who_has_signed(net: Small) -> None:
    net.store.run(witnessing.begin)
    net.passes(timedelta())
    note = net.store.run(lambda tx: tx.find(Checkpoint))[0].note
    assert witnessing.mark_of(note) == witnessing.mark_of(note + "— somebody AAAAAAA=\n")
    assert witnessing.mark_of(note) != witnessing.mark_of(note.replace("number 1", "number 2"))


def _off_duty(tx: Tx, seat_id: str) -> None:
    seat = tx.get(Seat, seat_id)
    assert seat is not None
    tx.save(replace(seat, on_duty=False))

"""Nobody answers: what happens then, rung by rung, in the partner's own working time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from referrals.members import CheckIn
from referrals.model import OfferStage, Stage, Urgency
from referrals.service.help import working
from referrals.service.people import people
from referrals.service.turns import closing, offers
from tests.support.network import Small

MINUTES = timedelta(minutes=1)
HOURS = timedelta(hours=1)
DAYS = timedelta(days=1)


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    with Small.opened(database_url) as net:
        yield net


def test_an_offer_runs_its_ladder_and_the_next_partner_is_asked(net: Small) -> None:
    family = net.person(1)
    first, second = net.person(11, "bua-1"), net.person(12, "bua-2")
    other, desk = net.person(13, "two-rivers-1"), net.person(14, "desk-1")
    referral_id = net.filed(family, Urgency.EMERGENCY)
    assert (desk, "desk.emergency_filed") in net.said()

    net.passes(timedelta(seconds=6))
    assert (first, "worker.new_offer") in net.said()
    net.passes(30 * MINUTES)
    told = net.said()
    assert (first, "worker.still_waiting") in told
    assert (desk, "desk.not_acknowledged") in told
    net.passes(30 * MINUTES)
    assert (first, "worker.half_time") in net.said()
    assert second not in dict(net.said())
    net.passes(30 * MINUTES)
    assert (second, "worker.second") in net.said()
    net.passes(30 * MINUTES)
    told = net.said()
    assert (first, "worker.lapsed") in told
    assert (second, "worker.lapsed") in told
    assert (other, "worker.new_offer") in told
    assert net.referral(referral_id).hops == 2


def test_whoever_has_looked_is_not_asked_to_look(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    referral_id = net.filed(family, Urgency.EMERGENCY)
    net.passes(timedelta(seconds=6))
    net.said()
    offer = net.live_offer(referral_id)
    assert offer is not None
    net.store.run(offers.see, worker, offer.id)
    net.passes(35 * MINUTES)
    assert net.said() == []


def test_an_urgent_offer_never_lapses_while_the_partner_is_closed(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    net.clock.advance(days=4, hours=4)  # Saturday, 14:00: Bua House closed at noon
    referral_id = net.filed(family, Urgency.URGENT, without=frozenset({"two-rivers", "open-door"}))
    net.passes(timedelta(seconds=6))
    assert (worker, "worker.new_offer") in net.said()
    net.passes(40 * HOURS)  # all of Sunday, until Monday 06:00
    offer = net.live_offer(referral_id)
    assert offer is not None
    assert offer.stage is OfferStage.SENT
    net.passes(60 * HOURS)
    assert net.live_offer(referral_id) is None


def test_an_overdue_contact_reaches_worker_desk_and_person(net: Small) -> None:
    family, worker, desk = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    referral_id = net.filed(family, Urgency.URGENT)
    net.passes(timedelta(seconds=6))
    offer = net.live_offer(referral_id)
    assert offer is not None
    net.store.run(offers.accept, worker, offer.id)
    net.said()
    net.passes(72 * HOURS + MINUTES)
    told = net.said()
    assert {(worker, "worker.contact_overdue"), (desk, "desk.contact_overdue")} <= set(told)
    assert (family, "matter.contact_overdue") in told
    net.store.run(working.contacted, worker, net.at_partner(referral_id))
    net.said()
    net.passes(3 * DAYS)
    assert not {key for _, key in net.said() if "overdue" in key}  # nobody is nagged about what is handled


def test_a_report_without_an_answer_closes_as_unconfirmed(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    referral_id = _reported(net, family, worker)
    net.passes(7 * DAYS + MINUTES)
    closed = net.referral(referral_id)
    assert (closed.stage, closed.confirmed) == (Stage.CLOSED, False)
    assert (family, "matter.closed_unconfirmed") in net.said()


def test_a_disagreement_goes_to_the_desk_and_on(net: Small) -> None:
    family, worker, desk = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    referral_id = _reported(net, family, worker)
    net.store.run(closing.helped, family, referral_id, False)
    told = net.said()
    assert {(desk, "desk.disputed"), (worker, "worker.disputed")} <= set(told)
    net.passes(3 * DAYS + MINUTES)
    assert (desk, "desk.still_disputed") in net.said()


def test_the_window_binds_what_notifies(net: Small) -> None:
    family = net.person(1)
    net.person(11, "bua-1")
    net.store.run(people.choose_window, family, "daytime")
    net.clock.advance(hours=12)  # 22:00
    net.filed(family, Urgency.URGENT)
    net.said()
    net.passes(HOURS)
    assert family not in dict(net.said())
    net.passes(9 * HOURS + MINUTES)  # after 08:00
    assert (family, "matter.asked") in net.said()


def test_a_missed_check_in_goes_from_mentor_to_backup_to_desk(net: Small) -> None:
    mentor, backup, desk = net.person(21, "mentor-1"), net.person(22, "mentor-2"), net.person(14, "desk-1")
    told: list[tuple[str, str]] = []
    for _ in range(12):
        net.passes(DAYS)
        told += net.said()
    mine = [key for who, key in told if who == mentor]
    assert mine.index("mentor.check_in_due") < mine.index("mentor.check_in_still_due")
    assert (backup, "mentor.check_in_backup") in told
    assert (desk, "desk.check_in_missed") in told


def _reported(net: Small, family: str, worker: str) -> str:
    referral_id = net.filed(family, Urgency.URGENT)
    net.passes(timedelta(seconds=6))
    offer = net.live_offer(referral_id)
    assert offer is not None
    net.store.run(offers.accept, worker, offer.id)
    net.store.run(working.contacted, worker, net.at_partner(referral_id))
    net.store.run(working.report, worker, net.at_partner(referral_id), "met")
    assert (family, "matter.did_help") in net.said()
    return referral_id


def _due(net: Small, mentor: str) -> str:
    """The id of a check-in that is due for this mentor."""
    for _ in range(8):
        net.passes(DAYS)
        for check_in in net.store.run(lambda tx: tx.find(CheckIn, asked_of=mentor)):
            if check_in.saved_at is None:
                return check_in.id
    raise AssertionError("no check-in in eight days")

"""Two at once along the network's newer verbs, on PostgreSQL: one wins, the other is told kindly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from referrals.casework import Confirmation, DeskShare, Transfer
from referrals.directory import DutySwap
from referrals.errors import PulangError
from referrals.model import Offer, Referral, Stage
from referrals.ports import Tx
from referrals.service.attendance import attendance
from referrals.service.common import doors
from referrals.service.desk import desk_work, swaps, worker_hands
from referrals.service.help import thread_share, working
from referrals.service.joint import transfers
from referrals.service.pages import PAGES
from referrals.service.turns import closing, offers, onward
from tests.security.test_races_of_turns import at_once
from tests.service.test_attendance_story import tie
from tests.service.test_questions import Turns
from tests.support.network import CATALOGUE
from tests.support.store import SettableClock, open_store


@pytest.fixture
def net(postgres_url: str) -> Iterator[Turns]:
    store = open_store(postgres_url, clock := SettableClock(), CATALOGUE)
    yield Turns(store, clock).people()
    store.close()


def refused(ends: list[object]) -> list[PulangError]:
    return [end for end in ends if isinstance(end, PulangError)]


def test_an_offer_that_the_desk_takes_back_while_it_is_accepted(net: Turns) -> None:
    desk = net.person(701, "desk-1")
    for number in range(3):
        net.family = net.person(500 + number)
        net.asked(alone=True)
        offer = net.offer.id
        ends = at_once(net, (desk_work.recall, desk, net.matter), (offers.accept, net.worker, offer))
        assert len(refused(ends)) == 1, "one of the two"
        held = net.referral(net.matter)
        assert (held.offer_id == offer) is (held.stage is Stage.ACCEPTED)


def test_two_coordinators_take_the_same_matter(net: Turns) -> None:
    one, other = net.person(701, "desk-1"), net.person(702, "desk-2")
    net.asked(alone=True)
    ends = at_once(net, (desk_work.take, one, net.matter), (desk_work.take, other, net.matter))
    assert len(refused(ends)) == 1
    assert net.referral(net.matter).desk_id in (one, other)


def test_what_is_handed_on_given_back_and_shared_at_once(net: Turns) -> None:
    net.asked(alone=True)
    offer = net.offer.id
    net.store.run(offers.accept, net.worker, offer)
    share = (thread_share.begin, net.family, net.matter)
    at_once(net, share, share)
    assert len(net.store.run(lambda tx: tx.find(DeskShare, ended_at=None))) == 1
    seats = net.store.run(lambda tx: worker_hands.people_there(tx, tx_offer(tx, offer), tx_matter(tx, net)))
    to = next(s.id for s in seats if s.person_id == net.colleague)
    at_once(net, (worker_hands.hand, net.worker, offer, to), (working.give_back, net.worker, offer))
    after = net.referral(net.matter)
    assert (after.organization_id, after.accepted_by) == (None, None), "given back stays given back"


def test_a_transfer_proposed_twice_and_withdrawn_meanwhile(net: Turns) -> None:
    net.person(703, "two-rivers-1")
    net.asked()
    offer = net.offer.id
    net.store.run(offers.accept, net.worker, offer)
    lines = net.store.run(lambda tx: transfers.offered(tx, tx_matter(tx, net)))
    if not lines:
        pytest.skip("nobody else does this in the demo's network")
    ask = (transfers.propose, net.worker, offer, lines[0].service_id)
    at_once(net, ask, ask)
    assert len(net.store.run(lambda tx: tx.find(Transfer))) == 1
    at_once(net, ask, (closing.withdraw, net.family, net.matter))
    assert net.referral(net.matter).stage is Stage.WITHDRAWN
    assert net.live_offer(net.matter) is None


def test_two_partners_propose_the_same_further_need_at_once(net: Turns) -> None:
    """One question to the person, and not a word about it to either of the two."""
    net.asked(alone=True)
    one = net.offer.id
    net.store.run(offers.accept, net.worker, one)
    net.asked(alone=True)
    other = net.offer.id
    net.store.run(offers.accept, net.colleague, other)
    for need in ("family.income", "family.letters", "family.children"):
        net.store.run(onward.propose, net.worker, one, need)
        net.store.run(onward.propose, net.colleague, other, need)
        asks = [timer.subject for timer in net.timers() if timer.kind == onward.ASK]
        assert len(asks) == 2
        at_once(net, *((onward.ask, subject) for subject in asks))
        net.passes(onward.ASK_AFTER)
        waits = net.store.run(_of_need, need)
        assert [referral.stage for referral in waits] == [Stage.AWAITING_CONSENT], need
    net.said()
    net.passes(onward.ANSWER_WITHIN + onward.ASK_AFTER)
    heard = [who for who, text in net.said() if text == "worker.onward_moved"]
    assert {net.worker, net.colleague} <= set(heard), "both hear the same, whoever was first"


def test_the_same_need_filed_from_two_pages_at_once(net: Turns) -> None:
    body = {"area": "pattani-mueang", "urgency": "urgent"}
    for number in range(3):
        family = net.person(800 + number)
        drafts = [net.draft(family) for _ in range(2)]
        filings = []
        for draft in drafts:
            shown = net.store.run(PAGES["plan"].steps["preview"], family, draft, body)
            words = {**body, "consent_digest": shown.consent_digest}
            filings.append((PAGES["plan"].steps["file"], family, draft, words))
        at_once(net, *filings)
        stages = sorted(net.referral(draft).stage for draft in drafts)
        assert stages == [Stage.DRAFT, Stage.MATCHING], "the other one is asked first"


def test_a_confirmation_begun_and_agreed_to_twice(net: Turns) -> None:
    member = net.person(704)
    net.person(31, "mentor-1")
    net.store.run(tie, "K7-29", member)
    begin = (attendance.begin, member, "border-probation", "month")
    at_once(net, begin, begin, begin)
    (begun,) = net.store.run(lambda tx: tx.find(Confirmation))
    at_once(net, (attendance.agree, member, begun.id), (attendance.take_back, member, begun.id))
    left = net.store.run(lambda tx: tx.find(Confirmation))
    assert not left, "whoever takes it back has it taken back, whichever came first"


def test_two_coordinators_ask_each_other_for_the_same_turns(net: Turns) -> None:
    one, other = net.person(701, "desk-1"), net.person(702, "desk-2")
    there = net.store.run(swaps.coming)
    saturday, sunday = (
        next(swaps.written(turn) for turn in there if turn.duty_id.startswith(day))
        for day in ("saturday.", "sunday.")
    )
    asks = ((swaps.ask, one, saturday, sunday), (swaps.ask, other, sunday, saturday))
    gives = (swaps.give, one, saturday, "desk-2")
    ends = at_once(net, *asks, *asks, gives, gives)
    assert len(refused(ends)) == 5
    assert len(net.store.run(lambda tx: tx.find(DutySwap))) == 1, "one question about a turn at a time"


def tx_offer(tx: Tx, offer_id: str) -> Offer:
    found = tx.get(Offer, offer_id)
    assert found is not None
    return found


def _of_need(tx: Tx, category: str) -> list[Referral]:
    return tx.find(Referral, category=category)


def tx_matter(tx: Tx, net: Turns) -> Referral:
    return doors.referral_by_id(tx, net.matter)

"""Where two parts of the network meet: what one of them ends, the other one lets go of, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta

import pytest

from referrals.casework import (
    CircleState,
    ClosingAnswer,
    UnmetNeed,
)
from referrals.errors import PulangError
from referrals.model import Move, Offer, OfferStage, Stage
from referrals.ports import Tx
from referrals.schedule import open_time_between
from referrals.service.common import doors, tell
from referrals.service.desk import desk, desk_work
from referrals.service.help import attempts, working
from referrals.service.joint import plan_days
from referrals.service.matter import handing_over, matching, offering
from referrals.service.stewards import network
from referrals.service.turns import after_help, closing, offers, questions
from tests.service.test_by_word import Club
from tests.service.test_circle_story import LEADS, Round
from tests.service.test_questions import CHOICE, QUESTION, Turns
from tests.service.test_release_plan import PARTNERS
from tests.service.test_transfers import DAY, Handing
from tests.service.test_waiting import Lists
from tests.service.test_yes_and_no import FOR_THEM
from tests.support.network import CATALOGUE, NETWORK, STEWARD, Small
from tests.support.parts import Parts
from tests.support.private import Private
from tests.support.store import SettableClock, open_store


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    with Small.opened(sqlite_url) as net:
        yield net


def _stage_of(net: Small, offer_id: str) -> OfferStage:
    found = net.store.run(lambda tx: tx.get(Offer, offer_id))
    assert found is not None
    return found.stage


# -- a hand-over to another organisation ---------------------------------------------------------------


def _unreachable(net: Small, handing: Handing) -> None:
    """They have said yes, and nobody picks up the phone: three tries."""
    net.store.run(lambda tx: tx.save(replace(doors.referral_by_id(tx, handing.matter), stage=Stage.ACCEPTED)))
    for _ in range(3):
        net.store.run(attempts.tried, handing.worker, handing.offer, "call")
        net.passes(timedelta(hours=5))


def test_the_desk_closes_what_was_to_be_handed_over_and_nobody_is_asked_any_more(net: Small) -> None:
    handing = Handing(net)
    _unreachable(net, handing)
    assert net.referral(handing.matter).stage is Stage.UNREACHABLE
    handing.asks()
    handing.says_yes()
    beside = handing.next_offer()
    assert _stage_of(net, beside) is OfferStage.SENT
    net.store.run(closing.give_up, handing.desk, handing.matter, "no_contact")
    assert _stage_of(net, beside) is OfferStage.RECALLED
    with pytest.raises(PulangError):
        net.store.run(offers.accept, handing.other, beside)
    net.said()
    net.passes(9 * DAY)
    assert "matter.stays" not in [text for _, text in net.said()], "nobody goes on: it is over"


def test_a_service_that_goes_while_it_is_to_take_over_is_asked_no_more(net: Small) -> None:
    handing = Handing(net)
    service = handing.asks()
    handing.says_yes()
    beside = handing.next_offer()
    net.said()
    without = replace(NETWORK, services=tuple(s for s in NETWORK.services if s.id != service))

    def applied(tx: Tx) -> None:
        network.apply(tx, STEWARD, without, network.digest(network.preview(tx, without)))

    net.store.run(applied)
    net.passes(timedelta(minutes=1))
    assert _stage_of(net, beside) is OfferStage.RECALLED
    assert (handing.family, "matter.stays") in net.said()
    assert net.referral(handing.matter).stage is Stage.IN_SERVICE
    assert net.referral(handing.matter).next_offer_id is None


# -- a waiting list -------------------------------------------------------------------------------------


def test_whoever_kept_a_place_hears_that_the_desk_has_taken_it_back(sqlite_url: str) -> None:
    clock = SettableClock()
    store = open_store(sqlite_url, clock, CATALOGUE)
    net = Lists(store, clock)
    net.people()
    first = net.waits()
    net.passes(5 * DAY)
    net.said()
    net.store.run(desk_work.recall, net.desk, net.matter)
    heard = [d for d in net.deliveries() if d.person_id == net.worker and d.text]
    assert [(d.text, d.message_id) for d in heard] == [("worker.recalled", None)], "a new message, and one"
    assert _stage_of(net, first) is OfferStage.RECALLED
    assert not [t for t in net.timers() if t.subject == first]
    store.close()


# -- a question -----------------------------------------------------------------------------------------


def test_after_a_question_the_clock_goes_on_in_the_services_own_hours(sqlite_url: str) -> None:
    clock = SettableClock()
    store = open_store(sqlite_url, clock, CATALOGUE)
    net = Turns(store, clock).people()
    net.asked()
    offer = net.offer
    service = store.run(lambda tx: tx.directory.services[offer.service_id])
    open_at = store.run(lambda tx: tx.directory.organizations[offer.organization_id].hours)
    mornings = tuple(replace(each, opens=time(9), closes=time(12)) for each in open_at)
    store.run(lambda tx: tx.save(replace(service, hours=mornings)))
    store.run(questions.ask, net.worker, offer.id, QUESTION)
    asked_at = clock.now
    clock.advance(hours=30)
    store.run(questions.answer, net.family, net.matter, net.mark(offer.id), CHOICE)
    times = store.run(lambda tx: offering.opening_times(tx, offer.organization_id, offer.service_id))
    stopped = open_time_between(times, asked_at, clock.now)
    gained = open_time_between(times, offer.decide_by, net.offer_by(offer.id).decide_by)
    assert gained == stopped
    store.close()


def test_a_question_about_abuse_waits_for_no_office_hours(sqlite_url: str) -> None:
    clock = SettableClock()
    here = Private(open_store(sqlite_url, clock, CATALOGUE), clock)
    here.settle_in()
    here.clock.advance(days=6, hours=14)  # a Sunday, late
    matter = here.asks(here.mali, "complaint", category="complaint.abuse", story="He asked for something")
    here.passes(timedelta(seconds=10))
    before = here.live_offer(matter)
    assert before is not None
    asked = here.store.run(
        lambda tx: matching.pathway_of(tx, doors.referral_by_id(tx, matter)).questions[0].id
    )
    (worker, *_) = here.workers_of(before.organization_id)
    here.store.run(questions.ask, worker, before.id, asked)
    here.passes(timedelta(hours=49))
    after = here.store.run(lambda tx: tx.get(Offer, before.id))
    assert after is not None
    assert after.decide_by - before.decide_by == timedelta(hours=48), "the whole of what it stood still"
    assert after.stage is not OfferStage.QUESTION
    here.store.close()


# -- the end, and opened again ---------------------------------------------------------------------------


def test_what_was_said_of_one_partner_is_never_counted_for_the_next(net: Small) -> None:
    handing = Handing(net)
    run = net.store.run
    run(working.report, handing.worker, handing.offer, "met")
    run(closing.helped, handing.family, handing.matter, True)
    question = run(lambda tx: matching.pathway_of(tx, doors.referral_by_id(tx, handing.matter)).closing[0])
    run(after_help.answer, handing.family, handing.matter, question.id, question.choices[-1])
    run(closing.reopen, handing.family, handing.matter, "not_enough")
    net.passes(timedelta(minutes=6))
    offer = net.live_offer(handing.matter)
    while offer is not None and offer.organization_id != "two-rivers":
        run(offers.decline, handing.worker, offer.id, "full")
        net.passes(timedelta(minutes=6))
        offer = net.live_offer(handing.matter)
    assert offer is not None, net.referral(handing.matter).stage
    run(offers.accept, handing.other, offer.id)
    run(working.contacted, handing.other, offer.id)
    run(working.report, handing.other, offer.id, "met")
    run(closing.helped, handing.family, handing.matter, True)
    left = run(lambda tx: after_help.left(tx, doors.referral_by_id(tx, handing.matter)))
    assert question.id in {each.id for each in left}, "it is asked about the second partner too"
    net.passes(45 * DAY)
    assert run(lambda tx: tx.find(ClosingAnswer)) == []


def test_a_need_that_was_met_after_all_is_no_unmet_one(net: Small) -> None:
    handing = Handing(net)
    run = net.store.run
    run(working.report, handing.worker, handing.offer, "unmet", "no_place")
    run(closing.helped, handing.family, handing.matter, True)
    run(closing.reopen, handing.family, handing.matter, "not_enough")
    net.passes(timedelta(minutes=6))
    while (offer := net.live_offer(handing.matter)) is not None and offer.organization_id != "two-rivers":
        run(offers.decline, handing.worker, offer.id, "full")
        net.passes(timedelta(minutes=6))
    again = net.at_partner(handing.matter)
    run(offers.accept, handing.other, again)
    run(working.contacted, handing.other, again)
    run(working.report, handing.other, again, "met")
    run(closing.helped, handing.family, handing.matter, True)
    net.passes(45 * DAY)
    assert run(lambda tx: tx.find(UnmetNeed)) == []


# -- for somebody who cannot decide, by word --------------------------------------------------------------


def test_the_desk_looks_first_at_what_a_mentor_files_for_somebody_who_cannot_decide(sqlite_url: str) -> None:
    clock = SettableClock()
    club = Club(open_store(sqlite_url, clock, CATALOGUE), clock)
    club.settle_in()
    matter = club.ticked()
    club.hears_yes(matter, **FOR_THEM)
    club.passes(timedelta(minutes=6))
    assert club.referral(matter).stage is Stage.UNMATCHED, "nobody is asked before the desk has looked"
    assert club.live_offer(matter) is None
    club.store.run(desk.rematch, club.desk, matter)
    club.passes(timedelta(minutes=6))
    assert club.live_offer(matter) is not None
    club.store.close()


# -- a plan that is taken back ----------------------------------------------------------------------------


def test_whoever_had_a_part_of_a_plan_is_not_left_with_its_question(sqlite_url: str) -> None:
    clock = SettableClock()
    net = Parts(open_store(sqlite_url, clock, CATALOGUE), clock)
    net.settle_in()
    plan = net.plan("release-plan")
    net.taken(plan, *PARTNERS)
    net.store.run(plan_days.move_day, net.family, plan, (net.clock.now + 5 * DAY).date())
    net.passes(timedelta(hours=30))
    asked = [d for d in net.deliveries() if d.slot.startswith("desk-task:") and d.person_id == net.desk]
    assert asked, "the desk has a part of its own"
    net.store.run(closing.withdraw, net.family, plan)
    after = [d for d in net.deliveries() if d.slot in {a.slot for a in asked} and d.person_id == net.desk]
    assert {d.text for d in after} == {"desk.handled"}
    net.store.close()


def test_a_plan_that_moves_to_another_phone_leaves_nothing_in_the_old_chat(sqlite_url: str) -> None:
    clock = SettableClock()
    net = Parts(open_store(sqlite_url, clock, CATALOGUE), clock)
    net.settle_in()
    plan = net.plan("release-plan")
    part = net.part(plan, "papers")
    offer = net.live_offer(part.id)
    assert offer is not None
    net.store.run(questions.ask, offer.told[0], offer.id, "when")
    net.takes(plan, "roof")
    net.store.run(plan_days.move_day, net.family, plan, net.clock.now.date())
    net.passes(timedelta(hours=30))
    told = {d.slot for d in net.deliveries() if d.person_id == net.family and d.text} - {tell.TALK}
    new = net.person(99)
    move = Move(plan, net.family, new, net.clock.now, None)
    net.store.run(lambda tx: handing_over.hand_over(tx, move, doors.referral_by_id(tx, plan)))
    gone = {d.slot for d in net.deliveries() if d.person_id == net.family and not d.text}
    assert {f"asked:{part.id}", f"plan-went:{plan}", f"matter:{plan}"} <= told
    assert told <= gone
    net.store.close()


# -- a circle -----------------------------------------------------------------------------------------------


def test_when_whoever_leads_a_circle_is_suspended_both_sides_are_the_desks_and_nothing_goes_on(
    sqlite_url: str,
) -> None:
    clock = SettableClock()
    net = Round(open_store(sqlite_url, clock, CATALOGUE), clock)
    net.settle_in()
    one, lead, other, _ = net.both()
    net.said()
    organizations = tuple(replace(o, suspended=o.id == LEADS) for o in NETWORK.organizations)
    suspended = replace(NETWORK, organizations=organizations)

    def applied(tx: Tx) -> None:
        network.apply(tx, STEWARD, suspended, network.digest(network.preview(tx, suspended)))

    net.store.run(applied)
    net.passes(timedelta(minutes=1))
    heard = net.said()
    assert {who for who, text in heard if text == "matter.partner_stopped"} == {net.one, net.other}
    assert heard.count((net.desk, "desk.cut_off")) == 2
    with pytest.raises(PulangError):
        net.does(net.worker, lead, "circle_prepared", chosen=["hopes"])
    net.store.run(desk.rematch, net.desk, one)
    assert net.state() is CircleState.STOPPED
    net.passes(timedelta(hours=12))
    assert (net.other, "matter.circle_over") in net.said()
    net.store.run(desk.rematch, net.desk, other)
    assert not [t for t in net.timers() if t.kind.startswith("circle")]
    net.store.close()

"""Where parts of the network meet, looked at once more: what one of them clears away, another still owes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from referrals.casework import Appointment, CircleSide
from referrals.errors import NoConsent, NotFound, WrongStage
from referrals.members import Enrolment
from referrals.model import Consent, Offer, OfferStage, Stage, Urgency
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service import mydata
from referrals.service.attendance import attendance, attendance_ends
from referrals.service.common import doors, tell
from referrals.service.desk import desk, desk_queues, worker_day, worker_hands
from referrals.service.help import attempts, working
from referrals.service.joint import tasks, transfers
from referrals.service.lasting import ending
from referrals.service.pages import PAGES
from referrals.service.stewards import network
from referrals.service.turns import closing, offers, onward
from referrals.workload import Heap
from tests.service.test_attendance_story import BODY, PERIOD, Probation
from tests.service.test_circle_story import Round
from tests.service.test_release_plan import PARTNERS
from tests.service.test_transfers import DAY, Handing
from tests.service.test_waiting import Lists
from tests.service.test_yes_and_no import CHILD, FOR_THEM
from tests.support.asking import agreed, drafted
from tests.support.network import CATALOGUE, NETWORK, STEWARD, Small
from tests.support.parts import Parts
from tests.support.private import Private
from tests.support.situations import Network
from tests.support.store import SettableClock, open_store

HOURS = timedelta(hours=1)


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    with Small.opened(sqlite_url) as net:
        yield net


# -- a circle that has stopped, and the matter of the side that has not heard yet ----------------------


@pytest.mark.parametrize("meanwhile", ["reported", "nothing"])
def test_a_side_hears_that_a_circle_is_over_whatever_becomes_of_its_matter(
    sqlite_url: str, meanwhile: str
) -> None:
    clock = SettableClock()
    net = Round(open_store(sqlite_url, clock, CATALOGUE), clock)
    net.settle_in()
    one, _, other, lead_other = net.both()
    net.said()
    net.does(net.one, one, "circle_stop")
    if meanwhile == "reported":
        net.store.run(working.report, net.worker, lead_other, "partly_met")
    net.passes(9 * HOURS)
    assert (net.other, "matter.circle_over") in net.said()
    sides = net.store.run(lambda tx: tx.find(CircleSide))
    assert {(side.over_at, side.shown) for side in sides} == {(None, "")}, "nothing says who had known first"
    assert net.referral(other).author_id == net.other
    net.store.close()


# -- a partner that may not work on --------------------------------------------------------------------


def _suspended(net: Small, organization: str) -> None:
    organizations = tuple(replace(o, suspended=o.id == organization) for o in NETWORK.organizations)
    file = replace(NETWORK, organizations=organizations)
    net.store.run(lambda tx: network.apply(tx, STEWARD, file, network.digest(network.preview(tx, file))))


def test_a_suspended_partner_does_not_take_a_matter_from_the_desk_by_saying_in_touch(net: Small) -> None:
    family, worker, desk = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    net.person(13, "two-rivers-1")
    matter = net.filed(family)
    net.passes(timedelta(seconds=5))
    offer = net.at_partner(matter)
    net.store.run(offers.accept, worker, offer)
    _suspended(net, "bua-house")
    assert (desk, "desk.cut_off") in net.said()
    with pytest.raises(NoConsent):
        net.store.run(working.contacted, worker, offer)
    assert net.referral(matter).stage is Stage.ACCEPTED
    net.passes(DAY)
    assert (desk, "desk.cut_off") in net.said(), "the desk goes on hearing of it until it has moved it"


def test_a_partner_that_may_not_work_on_is_not_called_late(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    net.person(14, "desk-1")
    matter = net.filed(family)
    net.passes(timedelta(seconds=5))
    net.store.run(offers.accept, worker, net.at_partner(matter))
    _suspended(net, "bua-house")
    net.said()
    net.passes(5 * DAY)
    told = {text for who, text in net.said() if who in (worker, family)}
    assert not told & {"worker.contact_overdue", "matter.contact_overdue"}
    net.store.run(_back, "bua-house")
    net.passes(DAY)
    assert (worker, "worker.contact_overdue") in net.said(), "once it may work on, its promise counts again"


def test_whom_a_suspended_partner_could_not_reach_the_desk_gives_to_the_next(net: Small) -> None:
    family, worker, coordinator = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    net.person(13, "two-rivers-1")
    matter = net.filed(family)
    net.passes(timedelta(seconds=5))
    offer = net.at_partner(matter)
    net.store.run(offers.accept, worker, offer)
    for _ in range(3):
        net.passes(DAY)
        net.store.run(attempts.tried, worker, offer, "call")
    assert net.referral(matter).stage is Stage.UNREACHABLE
    with pytest.raises(WrongStage):
        net.store.run(desk.rematch, coordinator, matter)  # its partner goes on looking for them
    _suspended(net, "bua-house")
    page = net.store.run(PAGES["matter"].view, coordinator, matter, {})
    assert {"rematch", "give_up"} <= {step.id for step in page.steps}
    net.store.run(desk.rematch, coordinator, matter)
    assert (family, "matter.returned") in net.said()
    net.passes(timedelta(seconds=5))
    now = net.live_offer(matter)
    assert now is not None
    assert now.organization_id != "bua-house"


def _back(tx: Tx, organization: str) -> None:
    suspended = tx.directory.organizations[organization]
    tx.save(replace(suspended, suspended=False))
    ending.review(tx, organization)


def test_what_was_entered_in_error_is_ended_from_the_desks_page_in_every_stage(net: Small) -> None:
    handing = Handing(net)
    shown = handing.page(handing.desk, handing.matter)
    assert "void" in [step.id for step in shown.steps if step.danger]
    handing.step(handing.desk, handing.matter, "void", {"yes": True})
    assert net.referral(handing.matter).stage is Stage.VOID
    heard = net.said()
    assert (handing.worker, "worker.no_longer_open") in heard
    assert (handing.family, "matter.void") in heard
    assert "void" not in [step.id for step in handing.page(handing.desk, handing.matter).steps]


def test_when_the_yes_runs_out_nobody_is_asked_to_take_over_any_more(net: Small) -> None:
    handing = Handing(net)
    handing.asks()
    handing.says_yes()
    asked = handing.next_offer()
    net.said()

    def ends(tx: Tx) -> None:
        for given in tx.find(Consent, referral_id=handing.matter):
            tx.save(replace(given, until=tx.now + HOURS))
            tx.set_timer("consent_end", given.id, tx.now + HOURS)

    net.store.run(ends)
    net.passes(2 * HOURS)
    found = net.store.run(lambda tx: tx.get(Offer, asked))
    assert found is not None
    assert found.stage is OfferStage.RECALLED
    assert net.referral(handing.matter).next_offer_id is None
    net.passes(5 * DAY)
    heard = net.said()
    assert (handing.other, "worker.no_longer_open") in heard
    assert (handing.family, "matter.stays") not in heard, "whoever helped may not go on"
    assert not [t for t in net.timers() if t.subject == asked]


# -- a member's other phone ----------------------------------------------------------------------------


def test_a_member_with_a_new_phone_reads_and_takes_home_what_was_begun_on_the_old_one(
    sqlite_url: str,
) -> None:
    clock = SettableClock()
    net = Probation(open_store(sqlite_url, clock, CATALOGUE), clock)
    net.settle_in()
    net.came(net.code, 3)
    net.does(net.member, "send_begin", organization=BODY, reason=PERIOD)
    (waits,) = net.waiting()
    net.does(net.member, "send_refer", confirmation=waits.id, code="CASE 12/69")
    phone = net.person(82)

    def moved(tx: Tx) -> Enrolment:
        (found,) = tx.find(Enrolment, code=net.code)
        return tx.save(replace(found, person_id=phone))

    member = net.store.run(moved)
    assert "CASE" not in str(net.page(phone)), "the number is the phone's that wrote it"
    (sent,) = net.store.run(attendance_ends.taken_home, phone, member)
    assert sent["number"] == ""
    assert net.store.run(mydata.held, phone)
    net.store.close()


# -- a colleague who has it, and goes off duty ---------------------------------------------------------


def test_whoever_was_handed_a_matter_and_goes_off_duty_leaves_it_to_whoever_is_there(net: Small) -> None:
    handing = Handing(net)
    colleague = net.person(12, "bua-2")
    net.store.run(worker_hands.hand, handing.worker, handing.offer, "bua-2")
    assert net.referral(handing.matter).accepted_by == colleague

    def off_duty(tx: Tx) -> None:
        (seat,) = tx.find(Seat, id="bua-2")
        tx.save(replace(seat, on_duty=False))

    net.store.run(off_duty)
    matter = net.referral(handing.matter)
    assert net.store.run(tell.partners, matter) == [handing.worker]


# -- when an offer leaves ------------------------------------------------------------------------------


def test_a_normal_offer_leaves_after_a_random_pause_and_an_urgent_one_at_once(net: Small) -> None:
    net.person(11, "bua-1")
    pauses = set()
    for account in range(1, 6):
        matter = net.filed(net.person(account), Urgency.NORMAL)
        pauses.add(_leaves(net, matter) - net.clock.now)
    assert all(timedelta(minutes=1) <= pause <= timedelta(minutes=5) for pause in pauses)
    assert len(pauses) > 1, "timing ties no family's phone to a partner's"
    for account, urgency in ((6, Urgency.URGENT), (7, Urgency.EMERGENCY)):
        assert _leaves(net, net.filed(net.person(account), urgency)) == net.clock.now


def _leaves(net: Small, matter: str) -> datetime:
    (due,) = (timer.due_at for timer in net.timers() if (timer.kind, timer.subject) == ("match", matter))
    return due


# -- a part of a plan, a child for whom somebody agrees, purposes, ends ---------------------------------


def test_a_part_that_its_person_takes_back_leaves_the_rest_of_the_plan(sqlite_url: str) -> None:
    clock = SettableClock()
    net = Parts(open_store(sqlite_url, clock, CATALOGUE), clock)
    net.settle_in()
    plan = net.plan("release-plan")
    net.taken(plan, *PARTNERS)
    papers = net.part(plan, "papers")
    net.store.run(closing.withdraw, net.family, papers.id)
    net.passes(timedelta(seconds=1))
    assert net.kind_of(plan, "papers") == "dropped"
    assert net.referral(plan).stage is Stage.IN_SERVICE, "the others go on"
    assert not [t for t in net.timers() if t.subject == papers.id and t.kind != "retention"]
    letting_go = net.part(plan, "letting_go")
    net.store.run(closing.withdraw, net.family, letting_go.id)
    net.passes(timedelta(seconds=1))
    assert net.kind_of(plan, "handover") == "dropped", "with one side alone nobody hands anything over"
    net.store.run(tasks.done, net.family, net.tasks(plan)["family_ready"].id)
    assert net.referral(plan).stage is Stage.IN_SERVICE
    net.store.close()


def test_a_child_for_whom_somebody_agrees_is_asked_and_looked_at_first(net: Small) -> None:
    parent, coordinator = net.person(1), net.person(14, "desk-1")
    for account, seat in ((11, "bua-1"), (13, "two-rivers-1")):
        net.person(account, seat)
    matter = drafted(net, parent, CHILD)
    agreed(net, parent, matter, assent="too_small", home="no", **FOR_THEM)
    net.passes(timedelta(minutes=1))
    assert net.referral(matter).stage is Stage.UNMATCHED, "the desk looks first"
    assert (coordinator, "desk.young_person") in net.said()
    net.store.run(desk.rematch, coordinator, matter)
    net.passes(timedelta(minutes=1))
    offer = net.live_offer(matter)
    assert offer is not None
    services = net.store.run(lambda tx: tx.directory.services)
    assert services[offer.service_id].children_vetted
    net.store.run(offers.accept, offer.told[0], offer.id)
    page = net.store.run(PAGES["matter"].view, offer.told[0], offer.id, {})
    assert "Do not speak with anybody at home" in page.contact
    assert "part.behalf.title" in {section.title_key for section in page.sections}


def test_whoever_is_asked_to_take_over_finds_it_in_their_day(net: Small) -> None:
    """A message leaves the chat after a day; what waits for an answer stands in the queue until then."""
    handing = Handing(net)
    handing.asks()
    handing.says_yes()
    found = {case.offer.id: case for case in net.store.run(worker_day.cases, handing.other)}
    assert found[handing.next_offer()].heap is Heap.NEW
    (mine,) = net.store.run(worker_day.cases, handing.worker)
    assert mine.offer.id == handing.offer, "the first partner's own stays as it was"


def test_a_hand_over_for_somebody_who_cannot_decide_holds_as_long_as_its_words_say(net: Small) -> None:
    handing = Handing(net)

    def for_them(tx: Tx) -> None:
        found = doors.referral_by_id(tx, handing.matter)
        until = tx.now + 5 * DAY
        tx.save(replace(found, behalf="very_ill", behalf_agreed="doctor", behalf_until=until))

    net.store.run(for_them)
    handing.asks()
    handing.says_yes()
    given = net.store.run(lambda tx: doors.consent_in_force(tx, doors.referral_by_id(tx, handing.matter)))
    assert given is not None
    until = given.given_at + 30 * DAY
    assert f"{until.day} {until:%B %Y}" in given.text
    assert net.referral(handing.matter).behalf_until == until
    assert {t.kind for t in net.timers() if t.subject == given.id} >= {"behalf_ask", "behalf_end"}


def test_whoever_only_keeps_a_place_begins_no_further_need_and_hands_nothing_over(sqlite_url: str) -> None:
    clock = SettableClock()
    net = Lists(open_store(sqlite_url, clock, CATALOGUE), clock)
    net.people()
    offer = net.waits()
    matter = net.referral(net.matter)
    assert net.store.run(onward.choices, matter) == ()
    assert net.store.run(transfers.offered, matter) == ()
    with pytest.raises(NotFound):
        net.store.run(onward.propose, net.worker, offer, "family.income")
    with pytest.raises(NotFound):
        net.store.run(transfers.propose, net.worker, offer, matter.plan[-1])
    net.store.close()


def test_a_confirmation_goes_only_where_the_agreement_is_for_that_purpose(sqlite_url: str) -> None:
    clock = SettableClock()
    net = Probation(open_store(sqlite_url, clock, CATALOGUE), clock)
    net.settle_in()
    assert [o.id for o in net.store.run(attendance.receivers)] == [BODY]
    agreements = tuple(
        replace(a, purposes=("inspection",)) if a.organization_id == BODY else a for a in NETWORK.agreements
    )
    file = replace(NETWORK, agreements=agreements)
    net.store.run(lambda tx: network.apply(tx, STEWARD, file, network.digest(network.preview(tx, file))))
    assert net.store.run(attendance.receivers) == []
    net.store.close()


WAITED = (
    *("matching", "offered", "returned", "unmatched", "questioned", "waitlisted", "accepted", "unreachable"),
    *("in_service", "reported", "disputed", "consent_over", "agreement_over", "suspended"),
)


def test_whatever_waited_for_a_matter_ends_with_it(sqlite_url: str) -> None:
    """In every stage: nothing is left that could wake anybody but the date on which it is destroyed."""
    clock = SettableClock()
    net = Network(open_store(sqlite_url, clock, CATALOGUE), clock)
    situations = net.build()
    before = {timer.kind for timer in net.timers()}
    assert {"offer_question", "wait_review", "heartbeat", "cut_off", "appointment_soon"} <= before
    for name in WAITED:
        it = situations[name]
        net.store.run(closing.withdraw, it.cast["author"], it.matter)
        assert _wakes(net, it.matter) == [], name
    net.store.close()


def _wakes(net: Small, matter: str) -> list[str]:
    of_it = {matter}
    for kind in (Offer, Appointment, Consent):
        of_it |= {row.id for row in net.store.run(_belonging, kind, matter)}
    return sorted(t.kind for t in net.timers() if t.subject in of_it and t.kind != "retention")


def _belonging(tx: Tx, kind: type[Any], matter: str) -> list[Any]:
    return tx.find(kind, referral_id=matter)


# -- bad input: a complaint about the coordinator who is on call ---------------------------------------


def test_a_complaint_about_the_coordinator_on_call_is_nothing_to_any_coordinator(sqlite_url: str) -> None:
    clock = SettableClock()
    net = Private(open_store(sqlite_url, clock, CATALOGUE), clock)
    net.settle_in()
    (on_call,) = {seat.person_id for seat in net.store.run(tell.on_call)}
    desk_people = {person for seat, person in net.at.items() if seat.startswith("desk-")}
    assert on_call in desk_people
    said = {"category": "complaint.conduct", "urgency": "emergency", "about": ["desk"]}
    matter = net.asks(net.mali, "complaint", **said)
    net.passes(timedelta(seconds=1))
    asked = net.asked(matter)
    assert asked in ("plain-ear", "open-ledger"), "a focal point outside has it"
    worker = net.works[asked]
    net.passes(3 * HOURS)  # nobody answers: the next focal point's turn, and no ladder to the desk
    net.passes(3 * DAY)
    assert not desk_people & {person for person, _ in net.said()}
    assert worker not in desk_people
    code = net.referral(matter).code
    for coordinator in desk_people:
        assert matter not in {one.referral.id for one in net.does(desk_queues.waiting, coordinator)}
        with pytest.raises(NotFound):
            net.does(desk.by_code, coordinator, code)
        with pytest.raises(NotFound):
            net.looks(coordinator, "matter", matter)
    net.store.close()

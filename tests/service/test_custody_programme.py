"""A programme inside: let in first, held by a vetted provider, looked at by another, on one's own yes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from referrals.errors import DoesAnotherPart, NotAllowed, NotFound, WrongStage
from referrals.members import Enrolment
from referrals.model import Consent, Offer, OfferStage, Outcome, Referral, Stage
from referrals.ports import Tx
from referrals.service.help import appointments, attempts, working
from referrals.service.joint import proposing
from referrals.service.matter import matching
from referrals.service.pages import PAGES
from referrals.service.request.filing import MayFileForNobody
from referrals.service.turns import offers
from tests.support.parts import Parts

HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def everywhere(request: pytest.FixtureRequest) -> Iterator[Parts]:
    yield from _network(request.getfixturevalue(request.param))


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Parts]:
    yield from _network(sqlite_url)


def _network(url: str) -> Iterator[Parts]:
    with Parts.opened(url) as net:
        net.settle_in()
        yield net


def test_from_clearance_to_a_look_by_somebody_else(everywhere: Parts) -> None:
    net = everywhere
    plan = net.plan("custody-programme")
    state = {kind: net.kind_of(plan, kind) for kind in net.tasks(plan)}
    assert state == {"clearance": "open", "delivery": "waiting", "evaluation": "waiting"}
    net.takes(plan, "clearance")
    assert net.kind_of(plan, "delivery") == "waiting"
    net.does(plan, "clearance")
    net.takes(plan, "delivery")
    provider = net.part(plan, "delivery").organization_id
    net.does(plan, "delivery")
    net.takes(plan, "evaluation")
    assert net.part(plan, "evaluation").organization_id not in (None, provider)
    net.does(plan, "evaluation")
    assert (net.referral(plan).stage, net.referral(plan).outcome) == (Stage.REPORTED, Outcome.MET)


def test_what_was_let_in_begins_before_anybody_has_signed(net: Parts) -> None:
    plan = net.plan("custody-programme")
    net.takes(plan, "clearance")
    worker, offer = net.holds(plan, "clearance")
    net.store.run(working.contacted, worker, offer)
    net.store.run(working.report, worker, offer, "met", "")
    net.passes(timedelta(seconds=1))
    assert (net.kind_of(plan, "clearance"), net.kind_of(plan, "delivery")) == ("open", "open")


def test_nobody_is_promised_a_call_by_whoever_is_given_no_phone(net: Parts) -> None:
    """Whoever lets a provider in reads neither story nor phone: it begins, and calls nobody."""
    plan = net.plan("custody-programme")
    net.said()
    net.takes(plan, "clearance")
    heard = {text for person, text in net.said() if person == net.family}
    assert "matter.taken" in heard
    assert "matter.accepted" not in heard
    worker, offer = net.holds(plan, "clearance")
    page = net.store.run(PAGES["matter"].view, worker, offer, {})
    assert {step.label_key for step in page.steps if step.id == "contacted"} == {"page.step.begun"}
    assert not {step.id for part in page.sections for step in part.steps} & {"tried_call", "appoint"}
    assert page.next_key == "next.taken"
    assert "part.next.begin" in str(net.store.run(PAGES["work"].view, worker, "", {}))
    for verb in (
        lambda tx: attempts.tried(tx, worker, offer, "call"),
        lambda tx: appointments.make(tx, worker, offer, net.clock.now + 30 * HOUR),
    ):
        with pytest.raises(WrongStage):
            net.store.run(verb)
    net.passes(80 * HOUR)  # nothing has begun in time: that is not for the family to hear
    told = net.said()
    assert {(worker, "worker.begin_overdue"), (net.desk, "desk.contact_overdue")} <= set(told)
    assert (net.family, "matter.contact_overdue") not in told
    net.store.run(working.contacted, worker, offer)
    assert (net.family, "matter.under_way") in net.said()


def test_who_is_not_let_in_ends_the_whole(net: Parts) -> None:
    plan = net.plan("custody-programme")
    net.takes(plan, "clearance")
    net.does(plan, "clearance", "unmet")
    assert {net.kind_of(plan, kind) for kind in net.tasks(plan)} == {"dropped"}
    ended = net.referral(plan)
    assert (ended.stage, ended.outcome, ended.outcome_reason) == (Stage.REPORTED, Outcome.UNMET, "too_late")


def test_the_plan_that_is_read_has_nobody_look_at_their_own_work(net: Parts) -> None:
    plan = net.plan("custody-programme")
    asked = net.tasks(plan)

    services = net.store.run(lambda tx: tx.directory.services)

    def owners(kind: str) -> set[str]:
        return {services[service_id].organization_id for service_id in asked[kind].plan}

    assert owners("delivery")
    assert owners("evaluation")
    assert not owners("delivery") & owners("evaluation")


def test_a_provider_is_never_asked_to_judge_and_cannot_accept_it(net: Parts) -> None:
    """Whatever a plan came to say: at matching, on the offer's page, and at the very moment of a yes."""
    plan = net.plan("custody-programme")
    net.takes(plan, "clearance")
    net.does(plan, "clearance")
    net.takes(plan, "delivery")
    provider = net.part(plan, "delivery").organization_id or ""
    net.does(plan, "delivery")
    part = net.part(plan, "evaluation")
    offer = net.live_offer(part.id)
    assert offer is not None
    worker = next(who for seat, who in net.workers.items() if seat.startswith(provider))
    net.store.run(_now_theirs, offer, provider, worker)
    view = net.store.run(offers.blind_view, worker, offer.id)
    assert not view.may_decide
    with pytest.raises(DoesAnotherPart):
        net.store.run(offers.accept, worker, offer.id)
    assert provider in net.store.run(matching.rivals, part)
    # And the other way round: whoever judges does not deliver when that part is matched anew.
    net.store.run(_judge_is, part.id, "weaving-hands")
    assert "weaving-hands" in net.store.run(matching.rivals, net.part(plan, "delivery"))


def test_no_provider_that_was_not_vetted_stands_in_a_plan(net: Parts) -> None:
    net.store.run(_unvetted, "craft-school-inside")
    plan = net.plan("custody-programme")
    assert "open-door-inside" not in net.tasks(plan)["delivery"].plan, "vetted, but too long ago"
    assert "craft-school-inside" not in net.tasks(plan)["delivery"].plan


def test_staff_propose_and_only_a_mentor_hears_the_yes(net: Parts) -> None:
    mentor, staff = net.person(31, "mentor-1"), net.workers["border-corrections-1"]
    member = net.store.run(lambda tx: tx.find(Enrolment, mentor_seat="mentor-1")[0])
    page = PAGES["tasks"]
    assert "propose" in str(net.store.run(page.view, staff, "", {}))
    body = {"pathway": "custody-programme", "code": member.code}
    there = net.store.run(page.steps["propose"], staff, "", body)
    nowhere = net.store.run(page.steps["propose"], staff, "", {**body, "code": "Z9-99"})
    assert there == nowhere, "who is in a programme, stays closed"
    assert not net.store.run(lambda tx: tx.find(Referral, enrolment_id=member.id)), "not in the same turn"
    net.passes(timedelta(minutes=1))
    (matter,) = net.store.run(
        lambda tx: tx.find(Referral, enrolment_id=member.id, pathway="custody-programme")
    )
    assert (matter.stage, matter.author_id) == (Stage.AWAITING_CONSENT, mentor)
    assert (mentor, "needs.proposed") in net.said()
    for who in (staff, net.desk):
        with pytest.raises(NotAllowed):
            net.store.run(PAGES["words"].view, who, matter.id, {})
    wishes: dict[str, Any] = {
        "area": "pattani-mueang", "urgency": "urgent", "language": "th", "age": "young",
        "read_out": True, "said_yes": True,
    }  # fmt: skip
    shown = net.store.run(PAGES["words"].steps["preview"], mentor, matter.id, wishes)
    yes = {**wishes, "consent_digest": shown.plan.consent_digest}
    net.store.run(PAGES["words"].steps["yes"], mentor, matter.id, yes)
    net.passes(timedelta(seconds=1))
    assert net.referral(matter.id).stage is Stage.IN_SERVICE
    (given,) = net.store.run(lambda tx: tx.find(Consent, referral_id=matter.id))
    assert given.witness_id == mentor
    part = net.part(matter.id, "clearance")
    (theirs,) = net.store.run(lambda tx: tx.find(Consent, referral_id=part.id))
    assert (theirs.witness_id, theirs.text) == (mentor, given.text)


def test_a_body_that_holds_people_says_no_yes_for_them(net: Parts) -> None:
    with pytest.raises(MayFileForNobody):
        net.plan("custody-programme", author=net.workers["border-corrections-1"])
    with pytest.raises(NotFound):
        net.store.run(proposing.propose, net.workers["bua-1"], "custody-programme", "K7-29")


def _now_theirs(tx: Tx, offer: Offer, organization: str, worker: str) -> None:
    """An offer that by some mistake has come to that organisation."""
    found = tx.get(Offer, offer.id)
    assert found is not None
    tx.save(replace(found, organization_id=organization, told=(worker,), stage=OfferStage.SENT))


def _judge_is(tx: Tx, part_id: str, organization: str) -> None:
    part = tx.get(Referral, part_id)
    assert part is not None
    tx.save(replace(part, organization_id=organization))


def _unvetted(tx: Tx, service_id: str) -> None:
    service = tx.directory.services[service_id]
    tx.save(replace(service, vetted_on=None))

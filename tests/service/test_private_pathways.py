"""Faith, what people say, and safety: each lived from the page to its end, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from referrals import routing
from referrals.directory import Agreement
from referrals.errors import NotFound, NotSealedFor
from referrals.members import Enrolment
from referrals.model import AgeGroup, DataClass, Outcome, Referral, Role, Stage, ThreadEntry
from referrals.ports import Tx
from referrals.service.common import doors
from referrals.service.desk import desk
from referrals.service.help import threads, working
from referrals.service.lasting import ending
from referrals.service.matter import matching, sharing
from referrals.service.members import enrolments
from referrals.service.request import needs, same_need
from referrals.service.turns import closing, offers
from tests.support.network import CATALOGUE, NETWORK
from tests.support.private import PLACE, Private

SECONDS = timedelta(seconds=10)
MINUTES = timedelta(minutes=6)  # a normal offer leaves within five
WORDS = "They wrote that they know where we live"


@pytest.fixture
def net(database_url: str) -> Iterator[Private]:
    with Private.opened(database_url) as net:
        net.settle_in()
        yield net


def test_a_mentor_only_proposes_and_the_member_asks_a_scholar(net: Private) -> None:
    mentor, member = net.at["mentor-1"], net.aree
    proposed = net.does(_proposed, mentor, member, "faith.guidance")
    net.passes(timedelta(hours=30))
    assert net.referral(proposed).stage is Stage.AWAITING_CONSENT
    assert net.live_offer(proposed) is None  # nobody was asked for what nobody has asked for

    shown = net.plan(member, proposed)
    assert {line.kind_key for line in shown.plan} <= {"kind.faith", "kind.academic"}
    net.steps(member, "plan", proposed, "file", area=PLACE, consent_digest=shown.consent_digest)
    with pytest.raises(NotFound):
        net.looks(mentor, "matter", proposed)  # from the yes on it is the member's
    net.passes(MINUTES)
    _is_helped(net, member, proposed, {"lamp-study", "an-noor"})


def test_a_scholar_who_was_looked_at_long_ago_is_not_asked(net: Private) -> None:
    need = net.does(_need, net.asks(net.mali, "faith-dialogue", category="faith.guidance"))
    directory = NETWORK.directory()
    assert routing.still_fits(need, "an-noor-scholar", directory) is None
    longest = timedelta(days=need.pathway.vetted_days)
    for vetted in (None, net.clock.now.date() - longest - timedelta(days=1), date(2030, 1, 1)):
        services = {
            **directory.services,
            "an-noor-scholar": replace(directory.services["an-noor-scholar"], vetted_on=vetted),
        }
        assert routing.still_fits(need, "an-noor-scholar", replace(directory, services=services))


def test_every_yes_by_word_to_what_touches_belief_or_safety_is_asked_about() -> None:
    private = [p for p in CATALOGUE.pathways.values() if not p.in_chat and p.id != "complaint"]
    by_word = {p.id: p.asked_percent for p in private}  # and a complaint is made for nobody else
    assert {name for name, percent in by_word.items() if percent < 100} == {"stigma-and-media"}


def test_reporters_stand_at_the_door(net: Private) -> None:
    matter = net.asks(net.mali, "stigma-and-media", category="stigma.press", urgency="urgent", story=WORDS)
    shown = net.plan(net.mali, net.draft_of(net.mali, "stigma-and-media"), category="stigma.press")
    assert not {"kind.employer", "kind.police", "kind.probation"} & {line.kind_key for line in shown.plan}
    net.passes(SECONDS)
    _is_helped(net, net.mali, matter, {"harbour-house", "open-door"})


def test_a_threat_goes_to_safety_contacts_alone_and_the_desk_hears_at_once(net: Private) -> None:
    net.said()
    body = {"category": "safety.home", "urgency": "urgent", "story": WORDS, "contact": "08 1234"}
    matter = net.asks(net.mali, "safety-concern", **body)
    told = net.said()
    assert (net.at["desk-1"], "desk.safety_filed") in told or (net.at["desk-2"], "desk.safety_filed") in told
    # The third would take it; its agreement names the pathway and not the class.
    assert set(net.referral(matter).plan) == {"bua-safe", "harbour-safe"}

    net.passes(SECONDS)
    organization = net.asked(matter)
    worker = net.works[organization]
    net.does(offers.accept, worker, net.at_partner(matter))
    assert DataClass.SAFETY in net.does(_readable, matter)
    assert net.looks(worker, "matter", net.at_partner(matter)).story == WORDS
    record = net.referral(matter).record
    assert not net.does(lambda tx: tx.sealed_exists(record, DataClass.STORY))
    coordinator = net.at["desk-1"]
    assert net.does(desk.by_code, coordinator, net.referral(matter).code).id == matter
    with pytest.raises(NotSealedFor):
        net.does(_opened, coordinator, None, matter)
    net.does(working.contacted, worker, net.at_partner(matter))
    net.does(working.report, worker, net.at_partner(matter), "partly_met")
    net.does(closing.helped, net.mali, matter, True)
    assert net.referral(matter).outcome is Outcome.PARTLY_MET


@pytest.mark.parametrize("pathway", ["safety-concern", "complaint"])
def test_all_that_is_written_about_a_threat_only_designated_contacts_read(net: Private, pathway: str) -> None:
    """Not the story alone: an agreement that still names 'what is written' and no safety opens no thread."""
    matter = net.asks(net.mali, pathway, urgency="urgent", story=WORDS)
    net.passes(SECONDS)
    organization, partner = net.asked(matter), net.at_partner(matter)
    worker = net.works[organization]
    net.does(offers.accept, worker, partner)
    net.does(threads.write, net.mali, matter, "They were here again.")
    net.does(same_need.add, net.mali, matter, "It was on Tuesday.")
    record = net.does(lambda tx: tx.find(ThreadEntry, referral_id=matter)[0].record)
    assert net.does(lambda tx: tx.sealed_exists(record, DataClass.SAFETY))
    for words in (record, net.referral(matter).record):
        assert not net.does(lambda tx, words=words: tx.sealed_exists(words, DataClass.STORY))
    shown = net.looks(worker, "matter", partner)
    assert [line.text for line in shown.thread] == ["They were here again."]
    assert "Tuesday" in shown.story

    net.does(_not_designated, organization)
    shown = net.looks(worker, "matter", partner)
    assert (shown.story, shown.thread, shown.can_write) == (None, (), False)
    assert f"org:{organization}" not in net.does(lambda tx: tx.holders(record, DataClass.SAFETY))
    assert [line.text for line in net.looks(net.mali, "matter", matter).thread] == ["They were here again."]


def test_an_emergency_wakes_the_desk_and_shows_whom_to_call(net: Private) -> None:
    draft = net.draft_of(net.mali, "safety-concern")
    shown = net.plan(net.mali, draft, category="safety.threat", urgency="emergency")
    assert any("1669" in line for line in shown.emergency_lines)
    assert shown.call_now  # whom to call stands there whatever was chosen
    net.deliveries()
    net.asks(net.aree, "safety-concern", category="safety.threat", urgency="emergency")
    assert [d.text for d in net.deliveries() if d.person_id != net.aree] == ["desk.emergency_filed"]


def test_a_child_may_say_that_somebody_frightens_it(net: Private) -> None:
    draft = net.draft_of(net.mali, "safety-concern", AgeGroup.CHILD)
    shown = net.plan(net.mali, draft, category="safety.home")
    assert {line.service_id for line in shown.plan} == {"bua-safe", "harbour-safe"}


def _not_designated(tx: Tx, organization_id: str) -> None:
    """The agreement goes on, and names safety no more."""
    for agreement in tx.find(Agreement, organization_id=organization_id):
        left = tuple(c for c in agreement.classes if c is not DataClass.SAFETY)
        tx.save(replace(agreement, classes=left))
    ending.review(tx, organization_id)


def _is_helped(net: Private, person: str, matter: str, by: set[str]) -> None:
    """Whoever is asked takes it, helps, says so, and the person agrees."""
    organization = net.asked(matter)
    assert organization in by
    worker, offer = net.works[organization], net.at_partner(matter)
    net.does(offers.accept, worker, offer)
    net.does(working.contacted, worker, offer)
    net.does(working.report, worker, offer, "met")
    net.does(closing.helped, person, matter, True)
    ended = net.referral(matter)
    assert (ended.stage, ended.outcome, ended.confirmed) == (Stage.CLOSED, Outcome.MET, True)


def _proposed(tx: Tx, mentor: str, member: str, category: str) -> str:
    enrolment = tx.save(replace(tx.find(Enrolment, mentor_seat="mentor-1")[0], person_id=member))
    actor, mine = enrolments.mine(tx, mentor, enrolment.id)
    return needs.file(tx, actor, mine, category)[0].id


def _need(tx: Tx, matter: str) -> routing.Need:
    return matching.need_of(tx, _referral(tx, matter), routing.Exclusions())


def _readable(tx: Tx, matter: str) -> tuple[DataClass, ...]:
    return sharing.readable(tx, _referral(tx, matter))


def _opened(tx: Tx, person_id: str, organization: str | None, matter: str) -> str:
    role = Role.WORKER if organization else Role.COORDINATOR
    actor = doors.as_seat(tx, person_id, role, organization)
    return tx.open_sealed(actor, _referral(tx, matter).record, DataClass.SAFETY)["story"]


def _referral(tx: Tx, matter: str) -> Referral:
    return doors.referral_by_id(tx, matter)

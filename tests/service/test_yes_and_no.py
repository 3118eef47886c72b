"""The yes from its words to its end: receipts, the way back, changed plans, a child's own, on behalf."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from referrals.access import Action
from referrals.consent import OWN_NO
from referrals.errors import BadAnswer, NotFound, WrongStage
from referrals.members import Enrolment, WordReceipt
from referrals.model import (
    SYSTEM,
    Actor,
    AgeGroup,
    AuditEntry,
    Consent,
    DataClass,
    Record,
    Referral,
    Role,
    Stage,
)
from referrals.persons import Seat
from referrals.ports import Tx
from referrals.service.by_word import word_consent
from referrals.service.common import doors
from referrals.service.desk import desk
from referrals.service.members import enrolments
from referrals.service.pages import PAGES
from referrals.service.request import behalf, needs, safe_times, young
from referrals.service.turns import closing, offers
from tests.support.asking import agreed, asked_for, drafted
from tests.support.chats import Chats
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
CHILD = AgeGroup.CHILD
CALLS = {"call_days": ["weekdays"], "call_parts": ["evening"], "call_how": ["no_message", "say_shop"]}
FOR_THEM = {"behalf": "very_ill", "agreed": "doctor", "span": "days_30"}


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    """A small network; where it makes no difference, tests take `quick`."""
    yield from _network(database_url)


@pytest.fixture
def quick(sqlite_url: str) -> Iterator[Small]:
    yield from _network(sqlite_url)


def _network(url: str) -> Iterator[Small]:
    with Small.opened(url) as net:
        yield net


# -- the receipt, and the way back -------------------------------------------------------------------


def test_the_receipt_holds_the_exact_words_of_each_yes_and_what_cannot_be_taken_back(net: Small) -> None:
    family, worker, coordinator = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    matter = asked_for(net, family)
    _accepted(net, matter, worker)
    words = net.store.run(lambda tx: tx.find(Consent, referral_id=matter))[0].text
    shown = net.store.run(PAGES["receipt"].view, family, matter, {})
    assert _lines(shown, "part.receipt.line") == [line for line in words.splitlines() if line]
    assert "part.receipt.not_read" in _keys(shown)
    net.store.run(PAGES["matter"].view, worker, net.at_partner(matter), {})
    shown = net.store.run(PAGES["receipt"].view, family, matter, {})
    assert {"part.receipt.was_read", "part.receipt.cannot", "part.receipt.until"} <= set(_keys(shown))
    for other in (worker, coordinator, net.person(5)):
        with pytest.raises(NotFound):
            net.store.run(PAGES["receipt"].view, other, matter, {})
    shown = net.store.run(PAGES["receipt"].steps["take_back"], family, matter, {})
    assert "part.receipt.ended" in _keys(shown)
    assert not any(section.steps for section in shown.sections)
    assert _holders(net, matter, DataClass.STORY) == {f"person:{family}"}


def test_one_press_in_the_chat_asked_once_takes_it_back(quick: Small) -> None:
    chats = Chats(quick)
    phone, worker = chats.phone(1), quick.person(11, "bua-1")
    matter = asked_for(quick, phone.person_id)
    _accepted(quick, matter, worker)
    chats.deliver()
    asked = phone.presses("Take it back")
    assert "cannot be taken back" in asked
    assert quick.referral(matter).stage is Stage.ACCEPTED, "it is asked first"
    phone.presses("No, go on")
    assert quick.referral(matter).stage is Stage.ACCEPTED
    phone.presses("Take it back")
    phone.presses("Yes, take it back")
    assert quick.referral(matter).stage is Stage.WITHDRAWN
    assert _holders(quick, matter, DataClass.STORY) == {f"person:{phone.person_id}"}
    assert not any("Yes, take it back" in shown.buttons for shown in phone.standing.values())


@pytest.mark.parametrize("word", ["WITHDRAW", "take it back", "ขอถอน"])
def test_the_word_takes_back_what_was_asked_for_once_it_is_confirmed(quick: Small, word: str) -> None:
    chats = Chats(quick)
    phone = chats.phone(1, by_text=True)
    one = asked_for(quick, phone.person_id)
    phone.says(word)
    assert quick.referral(one).stage is Stage.MATCHING, "a word does nothing that it has not asked"
    phone.answers("Yes, take it back")
    assert quick.referral(one).stage is Stage.WITHDRAWN


def test_with_several_matters_the_word_asks_which(quick: Small) -> None:
    chats = Chats(quick)
    phone = chats.phone(1)
    first = asked_for(quick, phone.person_id)
    second = drafted(quick, phone.person_id, category="family.letters")
    agreed(quick, phone.person_id, second)
    phone.says("withdraw")
    phone.presses(f"Take back {quick.referral(second).code}")
    phone.presses("Yes, take it back")
    assert quick.referral(second).stage is Stage.WITHDRAWN
    assert quick.referral(first).stage is Stage.MATCHING


def test_nobody_takes_back_what_is_another_s(quick: Small) -> None:
    family, other = quick.person(1), quick.person(2)
    matter = asked_for(quick, family)
    with pytest.raises(NotFound):
        quick.store.run(closing.withdraw, other, matter)


# -- asked again when something changes --------------------------------------------------------------


def test_a_pathway_that_shares_more_asks_anew_and_says_what_is_new(sqlite_url: str) -> None:
    clock = SettableClock()
    store = open_store(sqlite_url, clock, CATALOGUE)
    net = Small(store, clock)
    family, worker = net.person(1), net.person(11, "bua-1")
    matter = asked_for(net, family, exclude_organizations=["two-rivers"])
    store.close()
    pathway = CATALOGUE.pathways["family-support"]
    wider = (DataClass.ROUTING, DataClass.CONTACT, DataClass.STORY, DataClass.IDENTITY)
    changed = replace(pathway, version=2, classes={**pathway.classes, Stage.ACCEPTED: wider})
    store = open_store(
        sqlite_url, clock, replace(CATALOGUE, pathways={**CATALOGUE.pathways, pathway.id: changed})
    )
    net = Small.around(store, clock)
    net.passes(MINUTE)
    assert net.referral(matter).stage is Stage.UNMATCHED, "nobody was asked"
    assert (family, "matter.ask_anew") in net.said()
    shown = net.store.run(PAGES["plan"].view, family, matter, {"area": "pattani-mueang", "urgency": "urgent"})
    assert ("plan.new", "your name (if you write it)") in shown.changes
    assert any(key == "plan.new" and "Two Rivers" in name for key, name in shown.changes)
    agreed(net, family, matter)
    net.passes(MINUTE)
    net.store.run(offers.accept, worker, net.at_partner(matter))
    assert len(net.store.run(PAGES["receipt"].view, family, matter, {}).sections) == 3, "both yeses"
    store.close()


def test_the_same_need_is_what_the_yes_was_given_for(quick: Small) -> None:
    """Whatever verb changes the need without a new yes: nobody is asked for it."""
    family = quick.person(1)
    quick.person(11, "bua-1")
    matter = asked_for(quick, family)
    quick.store.run(_rewrites, matter, {"category": "family.income"})
    quick.passes(MINUTE)
    assert quick.referral(matter).stage is Stage.UNMATCHED
    assert quick.live_offer(matter) is None


# -- somebody under 18 -------------------------------------------------------------------------------


def test_a_child_is_asked_in_a_child_s_words_and_the_focal_point_hears(net: Small) -> None:
    parent, worker, focal = net.person(1), net.person(11, "bua-1"), net.person(15, "desk-2")
    net.person(14, "desk-1")
    net.store.run(_names_focal_point, "desk-2")
    matter = drafted(net, parent, CHILD)
    shown = net.store.run(PAGES["plan"].view, parent, matter, {"area": "pattani-mueang", "urgency": "urgent"})
    assert "nobody will be angry" in shown.consent_text
    assert [c.id for c in shown.assents] == ["own", "heard", "too_small", "no"]
    with pytest.raises(young.AssentMissing):
        agreed(net, parent, matter)
    with pytest.raises(young.ChildSaidNo):
        agreed(net, parent, matter, assent="no")
    assert net.referral(matter).stage is Stage.DRAFT, "the child's own no"
    agreed(net, parent, matter, assent="heard", home="not_safe")
    told = net.said()
    assert (focal, "desk.young_person") in told
    services = net.store.run(lambda tx: tx.directory.services)
    plan = [services[s] for s in net.referral(matter).plan]
    assert plan
    assert all(service.children_vetted for service in plan)
    assert "part.receipt.assent_heard" in _keys(net.store.run(PAGES["receipt"].view, parent, matter, {}))
    net.passes(MINUTE)
    offer = net.live_offer(matter)
    assert offer is not None
    worker = offer.told[0]
    net.store.run(offers.accept, worker, offer.id)
    page = net.store.run(PAGES["matter"].view, worker, offer.id, {})
    assert "NEVER call the home" in page.contact
    assert not any(section.title_key == "part.young.title" for section in page.sections)
    assert _holders(net, matter, DataClass.SAFETY) == {f"person:{parent}"}, "why, is nobody's business"


def test_why_home_is_not_safe_is_read_where_agreement_and_yes_name_safety(sqlite_url: str) -> None:
    pathway = CATALOGUE.pathways["family-support"]
    named = (DataClass.ROUTING, DataClass.CONTACT, DataClass.STORY, DataClass.SAFETY)
    wider = replace(pathway, classes={**pathway.classes, Stage.ACCEPTED: named})
    clock = SettableClock()
    store = open_store(
        sqlite_url, clock, replace(CATALOGUE, pathways={**CATALOGUE.pathways, pathway.id: wider})
    )
    net = Small(store, clock)
    parent, worker = net.person(1), net.person(11, "bua-1")
    matter = drafted(net, parent, CHILD)
    agreed(net, parent, matter, assent="heard", home="not_safe")
    net.passes(MINUTE)
    net.store.run(offers.accept, worker, net.at_partner(matter))
    page = net.store.run(PAGES["matter"].view, worker, net.at_partner(matter), {})
    assert any(section.title_key == "part.young.title" for section in page.sections)
    store.close()


def test_without_a_word_about_home_nobody_there_is_spoken_with(quick: Small) -> None:
    parent = quick.person(1)
    quick.person(11, "bua-1")
    matter = drafted(quick, parent, CHILD)
    agreed(quick, parent, matter, assent="too_small")
    quick.passes(MINUTE)
    offer = quick.live_offer(matter)
    assert offer is not None
    quick.store.run(offers.accept, offer.told[0], offer.id)
    page = quick.store.run(PAGES["matter"].view, offer.told[0], offer.id, {})
    assert "Do not speak with anybody at home" in page.contact


# -- for somebody who cannot decide ------------------------------------------------------------------


def test_on_behalf_the_desk_looks_first_it_is_asked_anew_and_then_it_ends(net: Small) -> None:
    family, worker, coordinator = net.person(1), net.person(11, "bua-1"), net.person(14, "desk-1")
    matter = asked_for(net, family, **FOR_THEM)
    words = net.store.run(lambda tx: tx.find(Consent, referral_id=matter))[0].text
    assert "a doctor or nurse" in words
    net.passes(MINUTE)
    assert net.referral(matter).stage is Stage.UNMATCHED, "nobody is asked before the desk has looked"
    page = net.store.run(PAGES["matter"].view, coordinator, matter, {})
    assert any(section.title_key == "part.behalf.title" for section in page.sections)
    net.store.run(desk.rematch, coordinator, matter)
    offer = _accepted(net, matter, worker)
    net.said()
    net.passes(23 * DAY)
    assert (family, "matter.behalf_ask") in net.said(), "a week before"
    net.store.run(PAGES["matter"].steps["behalf_again"], family, matter, {"reason": "days_30"})
    net.passes(20 * DAY)
    assert net.referral(matter).stage not in (Stage.WITHDRAWN, Stage.CLOSED), "it was said again"
    net.passes(11 * DAY)
    assert net.referral(matter).stage is Stage.WITHDRAWN
    assert (family, "matter.behalf_over") in net.said()
    assert _holders(net, matter, DataClass.STORY) == {f"person:{family}"}
    with pytest.raises(NotFound):
        net.store.run(PAGES["matter"].view, worker, offer, {})


@pytest.mark.parametrize("who", ["author", "desk"])
def test_the_person_s_own_no_wins_over_everybody_s_yes(quick: Small, who: str) -> None:
    family, worker, coordinator = quick.person(1), quick.person(11, "bua-1"), quick.person(14, "desk-1")
    matter = asked_for(quick, family, **FOR_THEM)
    quick.store.run(desk.rematch, coordinator, matter)
    _accepted(quick, matter, worker)
    hears = {"author": family, "desk": coordinator}[who]
    quick.store.run(behalf.own_no, hears, matter)
    assert quick.referral(matter).stage is Stage.WITHDRAWN
    assert _holders(quick, matter, DataClass.STORY) == {f"person:{family}"}
    quick.store.run(behalf.own_no, hears, matter)  # pressed twice
    with pytest.raises(NotFound):
        quick.store.run(behalf.own_no, worker, matter)


def test_an_own_no_holds_until_their_own_yes_whoever_files_anew(quick: Small) -> None:
    """By the same relative, in an emergency too: what that relative needs is another matter."""
    family, coordinator = quick.person(1), quick.person(14, "desk-1")
    matter = asked_for(quick, family, **FOR_THEM)
    quick.store.run(behalf.own_no, coordinator, matter)
    again = drafted(quick, family)
    for urgency in ("normal", "emergency"):
        with pytest.raises(behalf.OwnNo):
            agreed(quick, family, again, **FOR_THEM, urgency=urgency)
    quick.clock.advance(minutes=1)
    agreed(quick, family, again)  # for themselves
    assert quick.referral(again).behalf == ""
    quick.store.run(closing.withdraw, family, again)
    with pytest.raises(behalf.OwnNo):
        asked_for(quick, family, **FOR_THEM)
    other = drafted(quick, family, category="family.talk")  # of which nobody has said no
    agreed(quick, family, other, **FOR_THEM)


@pytest.mark.parametrize("how", ["own no", "no by word", "no on their phone", "by the code"])
def test_what_a_member_said_no_to_no_mentor_files_on_their_behalf(quick: Small, how: str) -> None:
    mentor, other = quick.person(31, "mentor-1"), quick.person(32, "mentor-2")
    member = quick.store.run(lambda tx: tx.find(Enrolment, mentor_seat="mentor-1")[0])
    phone = quick.person(33)
    if how == "no on their phone":
        quick.store.run(_tied, member.id, phone)
    matter = quick.store.run(_needs, mentor, member.id)
    code = ""
    if how in ("own no", "by the code"):
        code = _hears(quick, mentor, matter, **FOR_THEM)
        assert quick.referral(matter).behalf
    if how == "own no":
        quick.store.run(behalf.own_no, mentor, matter)
    elif how == "no by word":
        quick.store.run(word_consent.said_no, mentor, matter)
    elif how == "no on their phone":
        quick.store.run(PAGES["plan"].steps["no"], phone, matter, {})
    else:
        assert quick.store.run(word_consent.withdraw_by_code, phone, code)
    quick.clock.advance(days=1)
    quick.store.run(_passes_to, member.id, "mentor-2")
    again = quick.store.run(_needs, other, member.id)
    with pytest.raises(behalf.OwnNo):
        _hears(quick, other, again, **FOR_THEM)
    quick.clock.advance(minutes=1)
    _hears(quick, other, again)  # the member's own yes, by word
    (receipt,) = quick.store.run(lambda tx: tx.find(WordReceipt, referral_id=again))
    assert receipt.sampled, "and the desk asks them whether it was theirs"
    quick.store.run(closing.withdraw, other, again)
    third = quick.store.run(_needs, other, member.id)
    _hears(quick, other, third, **FOR_THEM)
    assert quick.referral(third).behalf, "their own yes came after the no"


def test_a_member_says_no_on_their_own_phone_to_what_was_agreed_for_them(quick: Small) -> None:
    mentor, phone, other = quick.person(31, "mentor-1"), quick.person(33), quick.person(34)
    member = quick.store.run(lambda tx: tx.find(Enrolment, mentor_seat="mentor-1")[0])
    quick.store.run(_tied, member.id, phone)
    matter = quick.store.run(_needs, mentor, member.id)
    quick.said()
    _hears(quick, mentor, matter, **FOR_THEM)
    assert (phone, "member.page_still_waits") in quick.said()
    plan = PAGES["plan"]
    shown = quick.store.run(plan.view, phone, matter, {})
    assert "part.behalf.for_you" in _keys(shown)
    for who in (mentor, other):
        with pytest.raises(NotFound):
            quick.store.run(plan.steps["no"], who, matter, {})
        with pytest.raises(NotFound):
            quick.store.run(plan.view, who, matter, {})
    with pytest.raises(NotFound):
        quick.store.run(plan.steps["file"], phone, matter, {})
    quick.store.run(plan.steps["no"], phone, matter, {})
    quick.store.run(plan.steps["no"], phone, matter, {})  # pressed twice
    assert quick.referral(matter).stage is Stage.WITHDRAWN
    assert quick.referral(matter).why == OWN_NO
    assert [text for who, text in quick.said() if who == mentor].count("matter.own_no") == 1


def test_nobody_decides_for_somebody_where_the_pathway_or_a_code_does_not_allow_it(quick: Small) -> None:
    family = quick.person(1)
    matter = drafted(quick, family)
    for wrong in ({"span": "days_900"}, {"agreed": "me"}, {"behalf": "in_the_way"}, {"span": ""}):
        with pytest.raises(BadAnswer):
            agreed(quick, family, matter, **{**FOR_THEM, **wrong})
    agreed(quick, family, matter)
    with pytest.raises(WrongStage):
        quick.store.run(behalf.own_no, family, matter)
    with pytest.raises(WrongStage):
        quick.store.run(behalf.renew, family, matter, "days_30")


def test_an_emergency_for_somebody_does_not_wait_for_the_desk(quick: Small) -> None:
    family, coordinator = quick.person(1), quick.person(14, "desk-1")
    quick.person(11, "bua-1")
    matter = asked_for(quick, family, **FOR_THEM, urgency="emergency")
    assert quick.referral(matter).stage is not Stage.UNMATCHED
    assert (coordinator, "desk.emergency_filed") in quick.said()


# -- call me at a safe time --------------------------------------------------------------------------


def test_safe_times_stand_above_the_number_and_are_sealed_with_it(net: Small) -> None:
    family, worker = net.person(1), net.person(11, "bua-1")
    matter = asked_for(net, family, **CALLS)
    offer = _accepted(net, matter, worker)
    page = net.store.run(PAGES["matter"].view, worker, offer, {})
    lines = page.contact.splitlines()
    assert lines[0] == "Monday to Friday"
    assert lines[-1] == "081 000 0000"
    assert {"17:00 to 21:00", "Leave no message", "Say that you call from the shop"} <= set(lines)
    assert net.store.run(_is_safe, matter, worker, "bua-house") is False, "10:00 in Bangkok"
    net.clock.advance(hours=8)
    assert net.store.run(_is_safe, matter, worker, "bua-house") is True
    assert net.store.run(_times, matter, worker, "two-rivers") is None, "another organisation learns nothing"


# -- the tests' own hands ----------------------------------------------------------------------------


def _needs(tx: Tx, mentor: str, enrolment_id: str) -> str:
    actor, enrolment = enrolments.mine(tx, mentor, enrolment_id)
    return needs.file(tx, actor, enrolment, "member.housing")[0].id


def _hears(net: Small, mentor: str, matter: str, **more: Any) -> str:
    """A mentor reads out and writes down what they hear; returns the receipt's code."""
    words = PAGES["words"].steps
    body = {"area": "pattani-mueang", "urgency": "urgent", "language": "th", "age": "adult", **more}
    shown = net.store.run(words["preview"], mentor, matter, body)
    yes = {**body, "consent_digest": shown.plan.consent_digest, "read_out": True, "said_yes": True}
    code: str = net.store.run(words["yes"], mentor, matter, yes).receipt
    return code


def _tied(tx: Tx, enrolment_id: str, person_id: str) -> None:
    found = tx.get(Enrolment, enrolment_id)
    assert found is not None
    tx.save(replace(found, person_id=person_id))


def _passes_to(tx: Tx, enrolment_id: str, seat_id: str) -> None:
    found = tx.get(Enrolment, enrolment_id)
    assert found is not None
    after = replace(found, mentor_seat=seat_id, backup_seat=None)
    enrolments.change(tx, Actor("system", Role.SYSTEM), after, Action.MEMBER_HAND_OVER, "tested")


def _accepted(net: Small, matter: str, worker: str) -> str:
    net.passes(MINUTE)
    offer = net.at_partner(matter)
    net.store.run(offers.accept, worker, offer)
    return offer


def _holders(net: Small, matter: str, data_class: DataClass) -> set[str]:
    return set(net.store.run(lambda tx: tx.holders(Record("referral", matter), data_class)))


def _keys(view: Any) -> list[str]:
    return [line.key for section in view.sections for line in section.lines]


def _lines(view: Any, key: str) -> list[str]:
    return [line.params["line"] for section in view.sections for line in section.lines if line.key == key]


def _is_safe(tx: Tx, matter: str, worker: str, organization: str) -> bool:
    return safe_times.now(tx, Actor(worker, Role.WORKER, organization), doors.referral_by_id(tx, matter))


def _times(tx: Tx, matter: str, worker: str, organization: str) -> Any:
    return safe_times.of(tx, Actor(worker, Role.WORKER, organization), doors.referral_by_id(tx, matter))


def _rewrites(tx: Tx, matter: str, changed: dict[str, Any]) -> None:
    referral = tx.get(Referral, matter)
    assert referral is not None
    tx.save(replace(referral, **changed))
    tx.audit(AuditEntry(SYSTEM, "test", f"referral:{matter}"))


def _names_focal_point(tx: Tx, seat_id: str) -> None:
    seat = tx.get(Seat, seat_id)
    assert seat is not None
    tx.save(replace(seat, focal=("children",)))
    tx.audit(AuditEntry(SYSTEM, "test", f"seat:{seat_id}"))

"""How are you? Members and families on their own phones, workers about the help, and the family circle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from referrals import forms
from referrals.errors import NotFound
from referrals.members import CheckIn, CheckInKind, Crisis, Enrolment, EnrolmentState, Source
from referrals.model import DataClass, person_holder
from referrals.ports import Tx
from referrals.service.contact import checkins, own_checkins
from referrals.service.help import working
from referrals.service.members import asking
from referrals.service.turns import offers
from tests.service.test_check_ins import Chat, labels
from tests.support.network import CATALOGUE, Small

DAYS = timedelta(days=1)


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    with Small.opened(sqlite_url) as net:
        yield net


@pytest.fixture
def both(database_url: str) -> Iterator[Small]:
    with Small.opened(database_url) as net:
        yield net


def tied(net: Small, person: str) -> Enrolment:
    """A member whose own phone this is, in a phase that asks them too."""

    def tie(tx: Tx) -> Enrolment:
        member = tx.find(Enrolment, mentor_seat="mentor-1")[0]
        asks = next(p for p in tx.catalogue.programmes[member.programme].phases if p.own_form)
        return tx.save(replace(member, person_id=person, phase=asks.id))

    return net.store.run(tie)


def test_a_member_is_asked_on_their_own_phone_and_their_mentor_reads_it(both: Small) -> None:
    mentor, own = both.person(21, "mentor-1"), Chat(both, 501)
    member = tied(both, own.id)
    asked = both.store.run(own_checkins.ask, member)
    assert asked is not None
    own.presses(f"1:check:{asked.id}:{asked.form_version}:")
    assert own.presses(own.button("state.struggling")).text == "own.save"
    done = own.presses(own.button("button.save"))
    assert done.text == "own.done_ask"
    assert any(b.action.startswith("1:ask:") for b in labels(done)), "a way to ask for help stands below"
    holders = both.store.run(lambda tx: tx.holders(asked.record, DataClass.WELLBEING))
    assert holders >= {person_holder(own.id), person_holder(mentor)}
    assert "desk" not in holders
    assert (mentor, "mentor.own_word") in [(d.person_id, d.text) for d in own.told]


def test_a_member_may_be_asked_later_and_their_mentors_rhythm_goes_on(both: Small) -> None:
    own = Chat(both, 501)
    member = tied(both, own.id)
    asked = both.store.run(own_checkins.ask, member)
    assert asked is not None
    own.presses(f"1:check:{asked.id}:{asked.form_version}:")
    offered = own.presses(own.button("button.later"))
    assert "remind.skip" not in {b.text for b in labels(offered)}, "a week is their mentor's to skip"
    due = {t.id: t.due_at for t in both.timers() if t.subject == member.id}
    with pytest.raises(NotFound):
        own.presses(f"1:remind.skip:{asked.id}")
    assert {t.id: t.due_at for t in both.timers() if t.subject == member.id} == due
    own.presses(own.button("remind.hour"))
    both.said()
    both.passes(timedelta(minutes=61))
    assert (own.id, "form.own-check-in.state") in both.said()


def test_one_question_stands_in_a_chat_and_not_ten(net: Small) -> None:
    own = net.person(501)
    member = tied(net, own)
    for _ in range(3):
        net.store.run(own_checkins.ask, member)
    open_ones = net.store.run(lambda tx: tx.find(CheckIn, enrolment_id=member.id, saved_at=None))
    assert [c.kind for c in open_ones] == [CheckInKind.OWN]


def test_a_member_in_crisis_is_an_alarm(net: Small) -> None:
    own = Chat(net, 501)
    member = tied(net, own.id)
    asked = net.store.run(own_checkins.ask, member)
    assert asked is not None
    form = CATALOGUE.forms["own-check-in"]
    shown = own.presses(f"1:check:{asked.id}:1:{forms.short(form, {'state': 'crisis'})}")
    assert shown.params["lines"]
    assert own.presses(own.button("danger.unknown")).text == "own.done_alarm"
    assert [c.raised_by for c in net.store.run(lambda tx: tx.find(Crisis))] == [own.id]


def test_the_family_circle_is_joined_and_left_with_one_press(both: Small) -> None:
    family = Chat(both, 1)
    assert family.presses("1:circle").text == "circle.ask"
    family.presses(family.button("button.circle_yes"))
    family.presses("1:circle.join")  # twice is once
    mine = both.store.run(lambda tx: tx.find(Enrolment, person_id=family.id))
    assert [(e.mentor_seat, e.state) for e in mine] == [(None, EnrolmentState.ACTIVE)]
    assert "check_in" in {t.kind for t in both.timers() if t.subject == mine[0].id}
    family.presses(family.button("button.circle_leave"))
    left = both.store.run(lambda tx: tx.get(Enrolment, mine[0].id))
    assert left is not None
    assert left.state is EnrolmentState.LEFT
    both.passes(DAYS)
    assert "check_in" not in {t.kind for t in both.timers() if t.subject == left.id}
    family.presses("1:circle.join")
    again = both.store.run(lambda tx: tx.find(Enrolment, person_id=family.id))
    assert [(e.id, e.state) for e in again] == [(left.id, EnrolmentState.ACTIVE)]


def test_what_a_family_answers_is_read_by_nobody_else(net: Small) -> None:
    family = net.person(1)
    mine = net.store.run(own_checkins.join, family)

    def begin(tx: Tx) -> CheckIn:
        return asking.begin(tx, mine, asked_of=family, source=Source.REMINDER, due_at=tx.now)

    check_in = net.store.run(begin)
    assert check_in.kind is CheckInKind.OWN
    assert net.store.run(asking.question, check_in) == "form.family-check-in.state"
    net.store.run(checkins.save, family, check_in.id, {"state": "all_right"})
    holders = net.store.run(lambda tx: tx.holders(check_in.record, DataClass.WELLBEING))
    assert holders == {person_holder(family)}
    with pytest.raises(NotFound):
        net.store.run(checkins.save, net.person(2), check_in.id, {"state": "well"})


def test_nobody_promises_a_family_a_call_that_nobody_can_make(both: Small) -> None:
    """It has no mentor whom the desk could call, and left no number."""
    family, desk = Chat(both, 1), Chat(both, 14, "desk-1")
    mine = both.store.run(own_checkins.join, family.id)

    def begin(tx: Tx) -> CheckIn:
        return asking.begin(tx, mine, asked_of=family.id, source=Source.REMINDER, due_at=tx.now)

    due = both.store.run(begin)
    form = CATALOGUE.forms["family-check-in"]
    tap = f"1:check.save:{due.id}:1:" + forms.short(form, {"state": "crisis", "danger": "yes"})
    assert family.presses(tap).text == "own.done_alarm"
    alerts = [d for d in family.told if d.person_id == desk.id]
    assert [d.text for d in alerts] == ["desk.crisis_alone"]
    assert desk.presses(labels(alerts[0])[0].action).text == "desk.crisis_yours_alone"
    heard = next(d for d in desk.told if d.person_id == family.id)
    assert heard.text == "own.crisis_held"
    assert heard.params["lines"]
    assert any(b.action.startswith("1:ask:") for b in labels(heard)), "there they can leave a number"
    for shown in (*family.told, *desk.told):
        for button in labels(shown):
            pathway = CATALOGUE.pathways.get(button.text.removeprefix("pathway."))
            assert pathway is None or pathway.in_chat, f"{button.text} is for a page alone"


def test_a_worker_says_with_one_tap_how_the_help_goes(net: Small) -> None:
    worker, desk = Chat(net, 11, "bua-1"), net.person(14, "desk-1")
    referral_id = net.filed(net.person(1))
    net.passes(timedelta(minutes=6))
    offer = net.live_offer(referral_id)
    assert offer is not None
    net.store.run(offers.accept, worker.id, offer.id)
    net.store.run(working.contacted, worker.id, offer.id)
    net.said()
    net.passes(30 * DAYS + timedelta(hours=1))
    assert (worker.id, "worker.heartbeat") in net.said()
    asked = net.store.run(lambda tx: tx.find(CheckIn, offer_id=offer.id))
    assert [c.kind for c in asked] == [CheckInKind.SERVICE]
    form = CATALOGUE.forms["worker-check-in"]
    tap = f"1:check.save:{asked[0].id}:1:" + forms.short(form, {"progress": "going_well"})
    assert worker.presses(tap).text == "worker.done"
    net.passes(20 * DAYS)
    assert (worker.id, "worker.heartbeat") not in net.said(), "the tap was news"
    net.passes(11 * DAYS)
    assert (worker.id, "worker.heartbeat") in net.said()
    newest = [c for c in net.store.run(lambda tx: tx.find(CheckIn, offer_id=offer.id)) if not c.saved_at]
    worker.presses(f"1:check.save:{newest[0].id}:1:" + forms.short(form, {"progress": "stopped"}))
    assert net.referral(referral_id).escalated
    assert desk


def test_ones_own_words_come_along_when_everything_is_taken_home(net: Small) -> None:
    family = net.person(1)
    mine = net.store.run(own_checkins.join, family)

    def answers(tx: Tx) -> None:
        asked = asking.begin(tx, mine, asked_of=family, source=Source.REMINDER, due_at=tx.now)
        checkins.save(tx, family, asked.id, {"state": "struggling"})

    net.store.run(answers)
    said = net.store.run(own_checkins.said_by, family)
    assert [each["how"] for each in said] == ["struggling"]
    assert net.store.run(own_checkins.said_by, net.person(2)) == []

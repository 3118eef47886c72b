"""A family in danger leaves a way to be called: for whoever holds its alarm, and no longer than the alarm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from referrals import forms
from referrals.errors import BadAnswer, NotFound, PinNeeded, TooLong, TooOften, WrongStage
from referrals.limits import LIMITS, Doing
from referrals.members import Crisis, Source
from referrals.model import Actor, DataClass, Role
from referrals.ports import Tx
from referrals.service import retention, taken_home
from referrals.service.alarm import alarm_numbers, crisis
from referrals.service.common import doors, limits
from referrals.service.contact import own_checkins
from referrals.service.members import asking
from referrals.service.pages import PAGES
from referrals.service.people import people
from tests.service.test_check_ins import Chat, labels
from tests.service.test_own_check_ins import tied
from tests.support.network import CATALOGUE, Small

NUMBER = "081 555 0199, please only after eight"


@pytest.fixture
def net(sqlite_url: str) -> Iterator[Small]:
    with Small.opened(sqlite_url) as net:
        yield net


@pytest.fixture
def both(database_url: str) -> Iterator[Small]:
    with Small.opened(database_url) as net:
        yield net


class Alarm:
    """A family says that it is in danger; two coordinators, of whom the first is on call."""

    def __init__(self, net: Small) -> None:
        self.net = net
        self.family, self.desk, self.other = Chat(net, 1), Chat(net, 14, "desk-1"), Chat(net, 15, "desk-2")
        self.member = net.store.run(own_checkins.join, self.family.id)

        def begin(tx: Tx) -> Any:
            return asking.begin(
                tx, self.member, asked_of=self.family.id, source=Source.REMINDER, due_at=tx.now
            )

        self.asked = net.store.run(begin)
        form = CATALOGUE.forms["family-check-in"]
        tap = f"1:check.save:{self.asked.id}:1:" + forms.short(form, {"state": "crisis", "danger": "yes"})
        self.shown = self.family.presses(tap)
        (self.crisis,) = net.store.run(lambda tx: tx.find(Crisis))

    def step(self, name: str, who: str, **body: object) -> Any:
        return self.net.store.run(PAGES["number"].steps[name], who, self.crisis.id, body)

    def leaves(self) -> Any:
        def locked(tx: Tx) -> Any:
            tx.lock_reading()  # a phone that has never proved a PIN
            return PAGES["number"].steps["leave_number"](tx, self.family.id, self.crisis.id, {"text": NUMBER})

        return self.net.store.run(locked)

    def sees(self, who: str) -> str:
        return str(self.net.store.run(PAGES["safety"].view, who, self.member.id, {}).number)

    def opens(self, who: str) -> bool:
        """Through the one door, whatever a page would show."""
        try:
            self.net.store.run(
                lambda tx: tx.open_sealed(Actor(who, Role.COORDINATOR), self.crisis.record, DataClass.CONTACT)
            )
        except NotFound:
            return False
        return True

    def stands(self) -> bool:
        return self.net.store.run(lambda tx: tx.sealed_exists(self.crisis.record, DataClass.CONTACT))


def test_one_step_after_the_alarm_and_only_its_holder_reads_it(both: Small) -> None:
    alarm = Alarm(both)
    below = {b.text: b.page for b in labels(alarm.shown)}
    assert below["button.leave_number"] == f"number/{alarm.crisis.id}"
    view = alarm.leaves()
    assert [line.key for line in view.sections[0].lines] == ["part.number.stands"]
    assert NUMBER not in repr(view)
    told = both.deliveries()
    assert ("desk.crisis_number") in [d.text for d in told if d.person_id == alarm.desk.id]
    assert not any("555" in repr(d) for d in told), "no chat carries it"
    assert not alarm.opens(alarm.desk.id), "nobody holds the alarm yet"

    assert alarm.desk.presses(f"1:crisis.hold:{alarm.crisis.id}").text == "desk.crisis_yours_number"
    assert alarm.sees(alarm.desk.id) == NUMBER
    assert not alarm.opens(alarm.other.id)
    with pytest.raises(NotFound):
        alarm.sees(alarm.other.id)
    heard = next(d for d in alarm.desk.told if d.person_id == alarm.family.id)
    assert heard.text == "own.crisis_held_call"
    seen = both.store.run(PAGES["number"].view, alarm.family.id, alarm.crisis.id, {})
    assert [line.key for line in seen.sections[0].lines] == ["part.number.stands", "part.number.opened"]

    both.store.run(crisis.let_go, alarm.desk.id, alarm.crisis.id)
    assert not alarm.opens(alarm.desk.id), "who let it go reads no more"
    both.store.run(crisis.hold, alarm.other.id, alarm.crisis.id)
    assert alarm.sees(alarm.other.id) == NUMBER
    both.store.run(crisis.handled, alarm.other.id, alarm.crisis.id)
    assert not alarm.stands(), "destroyed with the alarm's end"
    with pytest.raises(WrongStage):
        alarm.step("leave_number", alarm.family.id, text="another one")
    over = both.store.run(PAGES["number"].view, alarm.family.id, alarm.crisis.id, {})
    assert not over.sections[0].steps


def test_the_holder_hears_that_a_number_came_and_that_it_went(net: Small) -> None:
    alarm = Alarm(net)
    net.store.run(crisis.hold, alarm.desk.id, alarm.crisis.id)
    said = net.said()
    assert (alarm.family.id, "own.crisis_held") in said
    alarm.leaves()
    assert [s for s in net.said() if s[0] != alarm.family.id] == [(alarm.desk.id, "desk.crisis_number")]
    alarm.leaves()
    assert not [s for s in net.said() if s[0] != alarm.family.id], "pressed twice is said once"
    alarm.step("number_back", alarm.family.id)
    assert not alarm.stands()
    assert (alarm.desk.id, "desk.crisis_alone") in net.said()
    alarm.step("number_back", alarm.family.id)
    assert net.said() == []


def test_whoever_has_read_a_number_hears_of_another_and_only_the_newest_counts_as_read(both: Small) -> None:
    alarm = Alarm(both)
    alarm.leaves()
    alarm.desk.presses(f"1:crisis.hold:{alarm.crisis.id}")
    assert alarm.sees(alarm.desk.id) == NUMBER
    both.said()
    both.passes(timedelta(seconds=30))
    view = alarm.step("leave_number", alarm.family.id, text="081 555 0200")
    assert [line.key for line in view.sections[0].lines] == ["part.number.stands"], "nobody has read this one"
    assert both.said() == [(alarm.desk.id, "desk.crisis_number")], "or they would call the old one"
    alarm.step("leave_number", alarm.family.id, text="081 555 0201")
    assert both.said() == [], "they have not read the one before"
    both.passes(timedelta(seconds=30))
    assert alarm.sees(alarm.desk.id) == "081 555 0201"
    read = both.store.run(PAGES["number"].view, alarm.family.id, alarm.crisis.id, {})
    assert [line.key for line in read.sections[0].lines] == ["part.number.stands", "part.number.opened"]


def test_leaving_and_taking_back_in_turn_rings_no_coordinator_all_night(net: Small) -> None:
    alarm = Alarm(net)

    most = LIMITS[Doing.NUMBER].most

    def left_all_night(tx: Tx) -> None:
        for _ in range(most):
            limits.take(tx, Doing.NUMBER, alarm.family.id)

    net.store.run(left_all_night)
    with pytest.raises(TooOften):
        alarm.leaves()


def test_it_opens_on_a_proved_device_only(net: Small) -> None:
    alarm = Alarm(net)
    alarm.leaves()
    net.store.run(crisis.hold, alarm.desk.id, alarm.crisis.id)

    def unproved(tx: Tx) -> Any:
        tx.lock_reading()
        return PAGES["safety"].view(tx, alarm.desk.id, alarm.member.id, {})

    view = net.store.run(unproved)
    assert (view.number, view.locked) == ("", True)

    def past_the_page(tx: Tx) -> Any:
        tx.lock_reading()
        found = tx.find(Crisis)
        return alarm_numbers.read(tx, Actor(alarm.desk.id, Role.COORDINATOR), found)

    with pytest.raises(PinNeeded):
        net.store.run(past_the_page)


def test_a_false_alarm_leaves_nothing_behind(net: Small) -> None:
    """A family could not take its own alarm back until now: its button answered 'not found'."""
    alarm = Alarm(net)
    alarm.leaves()
    assert alarm.family.presses(f"1:danger.false:{alarm.crisis.id}").text == "alarm.taken_back"
    assert not alarm.stands()
    assert (alarm.desk.id, "desk.false_alarm") in [(d.person_id, d.text) for d in alarm.family.told]


def test_whoever_calls_knows_that_the_chat_was_hidden_since(net: Small) -> None:
    alarm = Alarm(net)
    alarm.leaves()
    net.store.run(crisis.hold, alarm.desk.id, alarm.crisis.id)
    net.store.run(people.hide, alarm.family.id)
    care, _, number = alarm.sees(alarm.desk.id).partition("\n")
    assert care == CATALOGUE.words("page.safety.number_care", "en")
    assert number == NUMBER


def test_who_is_no_coordinator_any_more_hears_nothing_of_it(net: Small) -> None:
    """They were woken, and left their post before the number came."""
    alarm = Alarm(net)
    assert alarm.desk.id in net.store.run(lambda tx: tx.find(Crisis))[0].told
    net.store.run(PAGES["posts"].steps["remove"], net.person(31, "steward-1"), "", {"seat": "desk-1"})
    net.said()
    alarm.leaves()
    assert alarm.desk.id not in {person for person, _ in net.said()}


def test_nobody_wakes_the_desk_by_a_button_that_they_never_had(net: Small) -> None:
    """Whoever joins the circle is nobody's yet: they are heard when they are asked how they are."""
    alarm = Alarm(net)
    net.store.run(crisis.was_false, alarm.family.id, alarm.crisis.id)
    with pytest.raises(NotFound):
        net.store.run(crisis.raise_from_home, alarm.family.id, alarm.member.id)


def test_it_comes_along_when_everything_is_taken_home(net: Small) -> None:
    alarm = Alarm(net)
    alarm.leaves()

    def about(tx: Tx, who: str) -> Any:
        return taken_home.about(tx, doors.person_by_id(tx, who))["to_be_called"]

    assert [left["number"] for left in net.store.run(about, alarm.family.id)] == [NUMBER]
    assert net.store.run(about, alarm.desk.id) == []


def test_whoever_leaves_for_good_is_called_no_more(net: Small) -> None:
    alarm = Alarm(net)
    alarm.leaves()
    net.store.run(retention.forget_own, alarm.family.id)
    assert not alarm.stands()


@pytest.mark.parametrize(("text", "error"), [("  ", BadAnswer), ("", BadAnswer), ("9" * 501, TooLong)])
def test_what_is_no_way_to_be_called(net: Small, text: str, error: type[Exception]) -> None:
    alarm = Alarm(net)
    with pytest.raises(error):
        alarm.step("leave_number", alarm.family.id, text=text)
    assert not alarm.stands()


def test_nobody_else_writes_a_number_into_an_alarm(net: Small) -> None:
    alarm = Alarm(net)
    for who in (net.person(2), alarm.desk.id, alarm.other.id, net.person(21, "mentor-1")):
        with pytest.raises(NotFound):
            alarm.step("leave_number", who, text="mine")
        with pytest.raises(NotFound):
            net.store.run(PAGES["number"].view, who, alarm.crisis.id, {})
    with pytest.raises(NotFound):
        net.store.run(PAGES["number"].view, alarm.family.id, "no-such-alarm", {})


def test_after_its_minute_the_check_in_keeps_the_way_and_nothing_else(net: Small) -> None:
    alarm = Alarm(net)
    net.deliveries()
    net.passes(timedelta(seconds=70))
    rest = [d for d in net.deliveries() if d.person_id == alarm.family.id and d.text == "own.done"]
    assert [b.text for b in labels(rest[-1])] == ["button.leave_number"]
    assert not any(b.action.startswith("1:ask:") for b in labels(rest[-1]))


def test_a_member_on_their_own_phone_may_leave_one_too(net: Small) -> None:
    own, desk = Chat(net, 501), Chat(net, 14, "desk-1")
    member = tied(net, own.id)
    shown = own.presses(f"1:danger.who:{member.id}")
    assert "button.leave_number" in {b.text for b in labels(shown)}
    (raised,) = net.store.run(lambda tx: tx.find(Crisis))
    desk.presses(f"1:crisis.hold:{raised.id}")
    assert (own.id, "own.crisis_held_mentor") in [(d.person_id, d.text) for d in desk.told]
    net.store.run(alarm_numbers.leave, own.id, raised.id, NUMBER)
    view = net.store.run(PAGES["safety"].view, desk.id, member.id, {})
    assert view.number == NUMBER
    assert view.mentors, "and the mentor is still called first"

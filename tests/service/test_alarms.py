"""An alarm is heard: at once, up its ladder, by one who has it, to its end; and never by a neighbour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from referrals.errors import AlreadyHandled, NotFound
from referrals.members import Crisis, Danger, Enrolment
from referrals.model import Actor, Role
from referrals.persons import Presence
from referrals.ports import Tx
from referrals.service import timers
from referrals.service.alarm import crisis
from referrals.service.common import doors
from referrals.service.people import people
from tests.support.network import CATALOGUE, Small
from tests.support.store import SettableClock, open_store

pytestmark = pytest.mark.on_both(
    "test_the_ladder_with_nobody_answering", "test_i_have_it_ends_the_ladder_and_one_wins"
)

OF_ALARMS = ("desk.crisis", "desk.false_alarm", "mentor.crisis", "mentor.nobody")
MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def net(database_url: str) -> Iterator[Small]:
    clock = (
        SettableClock()
    )  # a Tuesday at ten in Bangkok: desk-1 is on call, desk-2 from eight in the evening
    store = open_store(database_url, clock, CATALOGUE)
    yield Small(store, clock)
    store.close()


class Cast:
    """A mentor, a backup, and two coordinators, one of them on call."""

    def __init__(self, net: Small) -> None:
        self.net = net
        self.mentor, self.backup = net.person(21, "mentor-1"), net.person(22, "mentor-2")
        self.on_call, self.second = net.person(14, "desk-1"), net.person(15, "desk-2")
        self.enrolment = net.store.run(_of_mentor)
        self.net.said()

    def alarm(self, check_in: str | None = None, danger: Danger = Danger.UNKNOWN) -> Crisis:
        actor = Actor(self.mentor, Role.MENTOR)
        return self.net.store.run(crisis.raise_alarm, actor, self.enrolment, check_in, danger)

    def told(self, after: timedelta = timedelta()) -> set[tuple[str, str]]:
        """What was said of alarms meanwhile, and nothing else."""
        self.net.passes(after)
        return {(who, key) for who, key in self.net.said() if key.startswith(OF_ALARMS)}

    def stands(self, crisis_id: str) -> Crisis:
        found = self.net.store.run(lambda tx: tx.get(Crisis, crisis_id))
        assert found is not None
        return found


@pytest.fixture
def cast(net: Small) -> Cast:
    return Cast(net)


def _of_mentor(tx: Tx) -> Enrolment:
    return next(e for e in tx.find(Enrolment) if e.mentor_seat == "mentor-1")


def test_the_ladder_with_nobody_answering(cast: Cast) -> None:
    cast.alarm()
    assert cast.told() == {(cast.on_call, "desk.crisis")}
    assert cast.told(5 * MINUTES) == {(cast.on_call, "desk.crisis"), (cast.second, "desk.crisis")}
    assert cast.told(5 * MINUTES) == {(cast.on_call, "desk.crisis"), (cast.second, "desk.crisis")}
    assert (cast.mentor, "mentor.nobody_yet_call") in cast.told(5 * MINUTES)
    for _ in range(4):  # and so on, until somebody has it
        again = cast.told(15 * MINUTES)
        assert {(cast.on_call, "desk.crisis"), (cast.mentor, "mentor.nobody_yet_call")} <= again


def test_i_have_it_ends_the_ladder_and_one_wins(cast: Cast) -> None:
    raised = cast.alarm(danger=Danger.YES)
    assert cast.told() == {(cast.on_call, "desk.crisis_now")}
    cast.told(5 * MINUTES)
    cast.net.store.run(crisis.hold, cast.second, raised.id)
    assert cast.told() == {(cast.mentor, "mentor.crisis_held"), (cast.on_call, "desk.crisis_held")}
    assert cast.net.store.run(crisis.hold, cast.second, raised.id).held_by == cast.second, "pressed twice"
    with pytest.raises(AlreadyHandled):
        cast.net.store.run(crisis.hold, cast.on_call, raised.id)
    with pytest.raises(NotFound):
        cast.net.store.run(crisis.hold, cast.mentor, raised.id)
    assert not cast.told(11 * HOURS)
    assert cast.told(HOURS) == {(cast.second, "desk.crisis_still")}
    with pytest.raises(NotFound):
        cast.net.store.run(crisis.handled, cast.on_call, raised.id)
    cast.net.store.run(crisis.handled, cast.second, raised.id)
    assert cast.told() == {(cast.mentor, "mentor.crisis_over")}
    assert (cast.stands(raised.id).ended_as, cast.told(48 * HOURS)) == ("handled", set())


def test_nobody_on_call_can_be_reached_so_all_are_told_and_the_mentor_at_once(cast: Cast) -> None:
    cast.net.store.run(people.hide, cast.on_call)
    cast.net.said()
    cast.alarm()
    assert cast.told() == {(cast.second, "desk.crisis"), (cast.mentor, "mentor.nobody_on_call")}


def test_nobody_at_all_is_there_and_the_mentor_knows_whom_to_call(cast: Cast) -> None:
    for coordinator in (cast.on_call, cast.second):
        cast.net.store.run(people.hide, coordinator)
    cast.net.said()
    cast.alarm()
    assert cast.told() == {(cast.mentor, "mentor.nobody_on_call")}
    cast.net.store.run(people.come_back, cast.second)
    assert (cast.second, "desk.crisis") in cast.told(5 * MINUTES), "whoever comes back is woken"


def test_a_false_alarm_tells_everybody_who_was_woken(cast: Cast) -> None:
    cast.alarm(check_in="a-check-in")
    cast.told(6 * MINUTES)
    cast.net.store.run(crisis.false_alarm, "a-check-in")
    assert cast.told() == {(cast.on_call, "desk.false_alarm"), (cast.second, "desk.false_alarm")}
    assert not cast.told(24 * HOURS)


def test_later_only_whoever_raised_it_takes_it_back(cast: Cast) -> None:
    raised = cast.alarm()
    cast.net.store.run(crisis.hold, cast.on_call, raised.id)
    cast.net.said()
    for other in (cast.backup, cast.second):
        with pytest.raises(NotFound):
            cast.net.store.run(crisis.was_false, other, raised.id)
    cast.net.store.run(crisis.was_false, cast.mentor, raised.id)
    assert cast.told() == {(cast.on_call, "desk.false_alarm")}
    with pytest.raises(AlreadyHandled):
        cast.net.store.run(crisis.hold, cast.second, raised.id)


def test_two_mentors_raise_the_alarm_and_one_coordinator_has_both(cast: Cast) -> None:
    first = cast.alarm()
    second = cast.net.store.run(crisis.raise_from_home, cast.backup, cast.enrolment.id)
    assert first.id != second.id
    assert cast.alarm().id == first.id, "the same person again is the same alarm"
    cast.net.said()
    cast.net.store.run(crisis.hold, cast.on_call, first.id)
    assert {(cast.mentor, "mentor.crisis_held"), (cast.backup, "mentor.crisis_held")} <= cast.told()
    with pytest.raises(AlreadyHandled):
        cast.net.store.run(crisis.hold, cast.second, second.id)
    cast.net.store.run(crisis.handled, cast.on_call, second.id)
    assert cast.stands(first.id).ended_at is not None
    assert cast.stands(second.id).ended_at is not None


def test_have_and_the_code_takes_what_nobody_has_yet(cast: Cast) -> None:
    """HAVE K7-29 where an earlier alarm about the same member is a colleague's, or one's own."""
    first = cast.alarm()
    cast.net.store.run(crisis.hold, cast.on_call, first.id)
    second = cast.net.store.run(crisis.raise_from_home, cast.backup, cast.enrolment.id)
    assert cast.net.store.run(crisis.hold_by_code, cast.second, cast.enrolment.code).id == second.id
    assert cast.stands(second.id).held_by == cast.second
    third = cast.alarm("another")
    assert cast.net.store.run(crisis.hold_by_code, cast.second, cast.enrolment.code).id == third.id
    assert cast.net.store.run(crisis.hold_by_code, cast.second, cast.enrolment.code).held_by == cast.second


def test_a_new_alarm_wakes_whoever_holds_the_earlier_one(cast: Cast) -> None:
    first = cast.alarm()
    cast.told(5 * MINUTES)
    cast.net.store.run(crisis.hold, cast.second, first.id)
    cast.net.said()
    cast.net.store.run(crisis.raise_from_home, cast.backup, cast.enrolment.id)
    assert cast.told() == {(cast.on_call, "desk.crisis"), (cast.second, "desk.crisis")}


def test_a_yes_to_danger_is_said_to_whoever_was_woken(cast: Cast) -> None:
    raised = cast.alarm()
    cast.net.said()
    cast.net.store.run(crisis.say_danger, cast.mentor, raised.id, Danger.NO)
    assert not cast.told()
    cast.net.store.run(crisis.say_danger, cast.mentor, raised.id, Danger.YES)
    assert cast.told() == {(cast.on_call, "desk.crisis_now")}
    with pytest.raises(NotFound):
        cast.net.store.run(crisis.say_danger, cast.backup, raised.id, Danger.YES)


@pytest.mark.parametrize("how", ["hides", "lets go", "is gone after twelve hours"])
def test_what_its_holder_cannot_go_on_with_is_everybodys_again(cast: Cast, how: str) -> None:
    raised = cast.alarm()
    cast.net.store.run(crisis.hold, cast.on_call, raised.id)
    cast.net.said()
    if how == "lets go":
        cast.net.store.run(crisis.let_go, cast.on_call, raised.id)
    elif how == "hides":
        cast.net.store.run(people.hide, cast.on_call)
        cast.net.passes(12 * HOURS)
    else:
        cast.net.store.run(_blocks, cast.on_call)
        cast.net.passes(12 * HOURS)
    told = cast.told()
    assert (cast.second, "desk.crisis") in told
    assert (cast.mentor, "mentor.nobody_yet_call") in told
    assert cast.stands(raised.id).held_by is None
    assert (cast.on_call, "desk.crisis") not in told


def _blocks(tx: Tx, person_id: str) -> None:
    """Without a word to anybody, as when the outbox has not noticed yet."""
    tx.save(replace(doors.person_by_id(tx, person_id), presence=Presence.BLOCKED))


def test_a_phone_that_is_lost_loses_the_alarm_at_once(cast: Cast) -> None:
    raised = cast.alarm()
    cast.net.store.run(crisis.hold, cast.on_call, raised.id)
    cast.net.said()
    cast.net.store.run(people.lost_phone, Actor(cast.second, Role.COORDINATOR), cast.on_call)
    assert (cast.second, "desk.crisis") in cast.told()


def test_after_an_outage_it_is_the_rung_of_this_moment_once(cast: Cast) -> None:
    cast.alarm()
    cast.net.said()
    cast.net.clock.advance(minutes=47)  # nothing fired
    due = [t for t in cast.net.timers() if t.kind == "crisis"]
    cast.net.store.run(timers.fire, due[0].id, due[0].due_at)
    assert sorted(cast.net.said()) == sorted(
        [
            (cast.on_call, "desk.crisis"),
            (cast.second, "desk.crisis"),
            (cast.mentor, "mentor.nobody_yet_call"),
        ]
    )


def test_a_clock_that_was_set_back_makes_nobody_wait(cast: Cast) -> None:
    cast.alarm()
    cast.net.said()
    cast.net.clock.advance(hours=-3)
    cast.net.store.run(timers.begin)
    assert (cast.second, "desk.crisis") in cast.told(MINUTES)
    assert (cast.mentor, "mentor.nobody_yet_call") in cast.told(15 * MINUTES)


def test_a_strangers_alarm_is_nobodys(cast: Cast) -> None:
    stranger = cast.net.person(99)
    with pytest.raises(NotFound):
        cast.net.store.run(crisis.raise_from_home, stranger, cast.enrolment.id)
    with pytest.raises(NotFound):
        cast.net.store.run(crisis.raise_from_home, cast.mentor, "nobody")
